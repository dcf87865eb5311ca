//! Who sees whom, and how much of them.

use serde_json::{Value, json};
use vigie::values::{Id, of};

use super::neighbourhood::{Neighbourhood, new_member, paper};
use crate::support::{Town, on_both};

/// Security 2.4: lists are masked, and a list is not a file.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_masked_filtered_and_paged() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let partnership = near.partnership;
        town.db(move |tx| {
            for number in 0..7 {
                let mut new = new_member(partnership, &format!("Lid{number}"));
                if number % 2 == 0 {
                    new.language = vigie::values::Language::Nl;
                    new.preferred_channel = vigie::delivery::Channel::Sms;
                }
                vigie::members::enter_active_member(tx, new)?;
            }
            Ok(())
        })
        .await;
        let list = near.list(town, "").await;
        assert_eq!(list.items().len(), 7);
        assert!(!list.text.contains("canari.example") && !list.text.contains("+32470"), "{}", list.text);
        assert!(list.text.contains("l***@c***"), "{}", list.text);
        assert!(!list.text.contains("Rue du Sart"), "{}", list.text);
        for (query, count) in [
            ("?language=nl", 4),
            ("?language=nl&channel=email", 0),
            ("?channel=sms", 4),
            ("?status=active", 7),
            ("?status=left", 0),
            ("?name=lid3", 1),
            ("?name=D3%20CANA", 1),
            ("?name=nobody", 0),
        ] {
            assert_eq!(near.list(town, query).await.items().len(), count, "{query}");
        }
        for query in ["?limit=3", "?limit=3&name=canari"] {
            let (mut seen, mut next) = (Vec::new(), String::new());
            loop {
                let page = near.list(town, &format!("{query}{next}")).await;
                seen.extend(page.items().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
                match page.json["next"].as_str() {
                    Some(after) => next = format!("&after={after}"),
                    None => break,
                }
            }
            let mut ordered = seen.clone();
            ordered.sort();
            ordered.dedup();
            assert_eq!((seen.len(), &ordered), (7, &seen), "{query}");
        }
        let (path, token) = (near.members(), near.coordinator.token(town));
        town.send("GET", &path, Some(&token), None, &[("accept", "text/csv")]).await.problem(406, "not-acceptable");
        town.get(&format!("{path}?colour=red"), &token).await.at_fault("?colour");
        town.get(&format!("{path}?limit=101"), &token).await.at_fault("?limit");
        town.get(&format!("{path}?status=asleep"), &token).await.expect(422);
    })
    .await;
}
/// Duty L1 and security 2.4: those who keep the list see members; nobody else can tell that one exists.
#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_keep_the_list_see_a_member() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let id = near.member(town, "Anouk").await;
        let path = format!("/api/v1/members/{id}");
        for desk in [near.coordinator, near.deputy, near.officer] {
            let read = town.get(&path, &desk.token(town)).await.expect(200);
            assert!(!read.text.contains("anouk@canari") && !read.text.contains("+32470"), "{}", read.text);
            assert_eq!(read.json["address"]["street"], "Rue du Sart");
            town.get(&near.members(), &desk.token(town)).await.expect(200);
        }
        let absent = format!("/api/v1/members/{}", Id::<of::Membership>::new());
        for desk in [near.coordinator_of_other, near.municipality, near.administrator] {
            let without_instance = |reply: Value| {
                let mut reply = reply;
                reply.as_object_mut().unwrap().remove("instance");
                reply
            };
            let token = desk.token(town);
            let hidden = town.get(&path, &token).await.expect(404).json;
            let none = town.get(&absent, &token).await.expect(404).json;
            assert_eq!(without_instance(hidden), without_instance(none));
            for (verb, body) in [
                ("admission", json!({})),
                ("refusal", json!({"reason": "no_link"})),
                ("end", json!({"reason": "moved"})),
                ("contacts-revelation", json!({"reason": "urgent"})),
            ] {
                town.post(&format!("{path}/{verb}"), &token, body).await.expect(404);
            }
            town.patch(&path, &token, "\"v1\"", json!({})).await.expect(404);
        }
        town.get(&near.members(), &near.municipality.token(town)).await.expect(403);
        town.get(&near.members(), &near.coordinator_of_other.token(town)).await.expect(404);
        town.post(&near.members(), &near.municipality.token(town), paper("X")).await.expect(403);
        town.open_get(&path).await.expect(401);
    })
    .await;
}
/// Contacts in full: for a reason, and so many a day.
#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_revealed_for_a_reason_and_counted() {
    for kind in [crate::support::database::Kind::Sqlite, crate::support::database::Kind::Postgres] {
        let town = Town::start_with(kind, |config| config.limits.reveals_per_day = 2).await;
        let near = Neighbourhood::found(&town).await;
        let id = near.member(&town, "Anouk").await.to_string();
        let verb = "contacts-revelation";
        near.does(&town, &id, verb, json!({})).await.at_fault("/reason");
        near.does(&town, &id, verb, json!({"reason": "curious"})).await.at_fault("/reason");
        let body = json!({"reason": "undelivered"});
        let revealed = near.does(&town, &id, verb, body.clone()).await.expect(200);
        assert_eq!(revealed.json["contacts"][0]["value"], "anouk@canari.example");
        assert!(revealed.str("/contacts/1/value").starts_with("+32470"));
        near.does(&town, &id, verb, body.clone()).await.expect(200);
        let over = near.does(&town, &id, verb, body.clone()).await.problem(429, "too-many-requests");
        assert!(over.headers.contains_key("retry-after"));
        let path = format!("/api/v1/members/{id}/{verb}");
        town.post(&path, &near.officer.token(&town), body.clone()).await.expect(200);
        let recorded: i64 = town
            .db(|tx| {
                use diesel::prelude::*;
                use vigie::storage::schema::decisions;
                Ok(decisions::table
                    .filter(decisions::permission.eq("RevealContacts"))
                    .filter(decisions::outcome.eq("allowed"))
                    .count()
                    .get_result(tx.db())?)
            })
            .await;
        assert_eq!(recorded, 3);
        town.passes(std::time::Duration::from_secs(24 * 3_600));
        near.does(&town, &id, verb, body).await.expect(200);
        town.close().await;
    }
}
