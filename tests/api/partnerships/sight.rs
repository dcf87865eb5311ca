//! Who sees which partnership.

use serde_json::json;
use vigie::access::{Reach, Role};
use vigie::values::{Id, of};

use super::cast::{MONS, QUEVY, but_for_instance, mandated, member, scene, somebody};
use crate::support::on_both;

/// duty L1: a municipality sees its partnerships and no other.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_the_partnerships_of_their_place_and_no_other() {
    on_both(async |town| {
        let s = scene(town).await;
        let (here, near, far) = (s.partnership.to_string(), s.neighbour.to_string(), s.elsewhere.to_string());
        let mons = mandated(town, "mons@example.be", Role::Municipality, Reach::Municipality(MONS.into())).await;
        let hainaut = mandated(town, "wht@example.be", Role::Province, Reach::Province("WHT".into())).await;
        let namur = mandated(town, "wna@example.be", Role::Province, Reach::Province("WNA".into())).await;
        let federal = mandated(town, "fed@example.be", Role::Federal, Reach::Nation).await;
        let member = member(town, "member@example.be", s.partnership).await;
        let table = [
            (&mons, vec![&here]),
            (&member, vec![&here]),
            (&s.officer, vec![&here, &near]),
            (&s.administrator, vec![&here, &near]),
            (&s.other_officer, vec![&far]),
            (&hainaut, vec![&here, &near, &far]),
            (&namur, vec![]),
            (&federal, vec![&here, &near, &far]),
        ];
        for (someone, wanted) in table {
            let page = town.get("/api/v1/partnerships", &someone.token).await.expect(200);
            let seen: Vec<_> = page.items().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(seen.iter().collect::<Vec<_>>(), wanted);
            for id in [&here, &near, &far] {
                let status = if wanted.contains(&id) { 200 } else { 404 };
                town.get(&format!("/api/v1/partnerships/{id}"), &someone.token).await.expect(status);
            }
        }
        let nobody = somebody(town, "nobody@example.be").await;
        town.get("/api/v1/partnerships", &nobody.token).await.problem(403, "forbidden");
        town.open_get("/api/v1/partnerships").await.problem(401, "not-signed-in");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_sight_looks_exactly_like_absent() {
    on_both(async |town| {
        let s = scene(town).await;
        let absent = Id::<of::Partnership>::new();
        for path in ["", "/communication-plan", "/mandates"] {
            let hidden = town.get(&format!("/api/v1/partnerships/{}{path}", s.elsewhere), &s.officer.token).await;
            let gone = town.get(&format!("/api/v1/partnerships/{absent}{path}"), &s.officer.token).await;
            assert_eq!((hidden.status, but_for_instance(&hidden)), (404, but_for_instance(&gone)), "{path}");
        }
        let body = json!({"reason": "x"});
        let hidden =
            town.post(&format!("/api/v1/partnerships/{}/suspension", s.elsewhere), &s.officer.token, body).await;
        hidden.problem(404, "not-found");
        // What one sees and may not do is said as such.
        let body = json!({"reason": "x"});
        town.post(&format!("/api/v1/partnerships/{}/suspension", s.partnership), &s.officer.token, body)
            .await
            .problem(403, "forbidden");
        town.get("/api/v1/partnerships/not-an-id", &s.officer.token).await.problem(404, "not-found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_and_comes_in_pages() {
    on_both(async |town| {
        let s = scene(town).await;
        let federal = mandated(town, "fed@example.be", Role::Federal, Reach::Nation).await;
        let count = async |query: &str| {
            town.get(&format!("/api/v1/partnerships?{query}"), &federal.token).await.expect(200).items().len()
        };
        assert_eq!(count(&format!("zone={}", s.zone)).await, 2);
        assert_eq!(count(&format!("municipality={QUEVY}")).await, 1);
        assert_eq!(count("status=registered").await, 3);
        assert_eq!(count("status=active").await, 0);
        assert_eq!(count("kind=professional").await, 0);
        assert_eq!(count("name=plp%20TOUR").await, 1);
        assert_eq!(count("name=100%25").await, 0);
        let first = town.get("/api/v1/partnerships?limit=2", &federal.token).await.expect(200);
        let next = first.str("/next");
        let second = town.get(&format!("/api/v1/partnerships?limit=2&after={next}"), &federal.token).await.expect(200);
        assert_eq!((first.items().len(), second.items().len()), (2, 1));
        assert!(second.json["next"].is_null());
        town.get("/api/v1/partnerships?colour=blue", &federal.token).await.at_fault("?colour");
        town.get("/api/v1/partnerships?limit=0", &federal.token).await.at_fault("?limit");
    })
    .await;
}
