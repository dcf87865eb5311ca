//! Mandates: given, screened, confirmed, ended.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use vigie::access::{Bearer, Reach, Role, step_up};

use super::cast::{MONS, Scene, Someone, but_for_instance, declared, holder, mandated, member, scene, somebody};
use crate::support::{Town, on_both};

fn at(s: &Scene) -> String {
    format!("/api/v1/partnerships/{}/mandates", s.partnership)
}
fn nomination(role: &str, email: &str) -> Value {
    json!({"role": role, "holder": holder(email), "declaration": declared()})
}
fn screening(town: &Town, outcome: &str, days: u64) -> Value {
    let now = town.clock.now();
    json!({"outcome": outcome, "screened_on": now, "valid_until": now.plus(Duration::from_secs(days * 86_400))})
}
/// The same person, signed in anew a moment ago.
async fn again(town: &Town, someone: &Someone) -> String {
    let session = someone.session;
    town.db(move |tx| step_up(tx, session)).await;
    Bearer::new(town.database.keys()).token(someone.account, someone.session, town.clock.now())
}

/// duties C1 to C5: without every statement there is no nomination.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_is_nominated_by_the_police_with_a_whole_declaration() {
    on_both(async |town| {
        let s = scene(town).await;
        for statement in ["neutral", "no_gain", "adult", "accepts_screening", "no_trauma"] {
            let mut body = nomination("COO", "jean@example.be");
            body["declaration"][statement] = json!(false);
            town.post(&at(&s), &s.officer.token, body).await.at_fault(&format!("/declaration/{statement}"));
        }
        let mut body = nomination("COO", "jean@example.be");
        body["declaration"].as_object_mut().unwrap().remove("adult");
        town.post(&at(&s), &s.officer.token, body).await.at_fault("/declaration/adult");
        let made = town.post(&at(&s), &s.officer.token, nomination("COO", "jean@example.be")).await.expect(201);
        assert_eq!((made.str("/status"), made.str("/name/family")), ("nominated".to_owned(), "Durand".to_owned()));
        town.post(&at(&s), &s.officer.token, nomination("COO", "jean@example.be"))
            .await
            .refused(409, "already_mandated");
        town.post(&at(&s), &s.officer.token, nomination("COO", "officer@example.be")).await.refused(409, "own_mandate");
        town.post(&at(&s), &s.officer.token, nomination("MAN", "paul@example.be")).await.at_fault("/role");
        town.post(&at(&s), &s.other_officer.token, nomination("COO", "x@example.be")).await.problem(404, "not-found");
        town.post(&at(&s), &s.administrator.token, nomination("COO", "x@example.be")).await.problem(403, "forbidden");
        // A coordinator helps himself to helpers, not to a successor.
        let reach = Reach::Partnership(s.partnership);
        let coordinator = mandated(town, "coo@example.be", Role::Coordinator, reach.clone()).await;
        let steering = mandated(town, "stg@example.be", Role::Steering, reach).await;
        town.post(&at(&s), &coordinator.token, nomination("COO", "x@example.be"))
            .await
            .refused(403, "not_yours_to_give");
        town.post(&at(&s), &coordinator.token, nomination("DEP", "dep@example.be")).await.expect(201);
        town.post(&at(&s), &coordinator.token, nomination("STG", "more@example.be")).await.expect(201);
        town.post(&at(&s), &steering.token, nomination("STG", "x@example.be")).await.refused(403, "not_yours_to_give");
    })
    .await;
}

/// duty C4: without a valid favourable outcome the mandate cannot become active.
#[tokio::test(flavor = "multi_thread")]
async fn a_mandate_begins_after_a_favourable_screening_and_ends_with_it() {
    on_both(async |town| {
        let s = scene(town).await;
        let candidate = somebody(town, "jean@example.be").await;
        let made = town.post(&at(&s), &s.officer.token, nomination("COO", "jean@example.be")).await.expect(201);
        let base = format!("/api/v1/mandates/{}", made.id());
        let (screen, confirm) = (format!("{base}/screening"), format!("{base}/confirmation"));
        let approved = json!({"members_approval": true});
        town.post(&confirm, &s.officer.token, approved.clone()).await.refused(409, "not_screened");
        let put = async |etag: &str, body: Value| town.put(&screen, &s.officer.token, etag, body).await;
        let mut told = screening(town, "cleared", 30);
        told["remark"] = json!("known for speeding");
        put("\"v1\"", told).await.at_fault("/remark");
        let ahead = town.clock.now().plus(Duration::from_secs(60));
        let mut early = screening(town, "cleared", 30);
        early["screened_on"] = json!(ahead);
        put("\"v1\"", early).await.at_fault("/screened_on");
        put("\"v1\"", screening(town, "cleared", 0)).await.at_fault("/valid_until");
        let refused = put("\"v1\"", screening(town, "refused", 30)).await.expect(200);
        assert_eq!(refused.str("/screening/outcome"), "refused");
        put("\"v1\"", screening(town, "cleared", 30)).await.problem(412, "stale");
        town.post(&confirm, &s.officer.token, approved.clone()).await.refused(409, "screening_refused");
        put("\"v2\"", screening(town, "cleared", 30)).await.expect(200);
        town.post(&confirm, &s.officer.token, json!({})).await.refused(409, "no_members_approval");
        town.passes(Duration::from_secs(30 * 86_400));
        let officer = mandated(town, "second@example.be", Role::Officer, Reach::Zone(s.zone)).await;
        town.post(&confirm, &officer.token, approved.clone()).await.refused(409, "screening_expired");
        town.put(&screen, &officer.token, "\"v3\"", screening(town, "cleared", 30)).await.expect(200);
        let candidate = somebody_again(town, &candidate, "jean@example.be").await;
        let read = format!("/api/v1/partnerships/{}", s.partnership);
        town.get(&read, &candidate).await.problem(404, "not-found");
        let active = town.post(&confirm, &officer.token, approved.clone()).await.expect(200);
        assert_eq!(active.str("/status"), "active");
        assert_eq!(active.str("/until"), active.str("/screening/valid_until"));
        town.get(&read, &candidate).await.expect(200);
        town.post(&confirm, &officer.token, approved).await.refused(409, "not_nominated");
        // A further screening prolongs; an unfavourable one ends the power at once.
        let longer = town.put(&screen, &officer.token, "\"v5\"", screening(town, "cleared", 60)).await.expect(200);
        assert_eq!(longer.str("/until"), longer.str("/screening/valid_until"));
        town.get(&read, &candidate).await.expect(200);
        let etag = longer.etag.unwrap();
        let over = town.put(&screen, &officer.token, &etag, screening(town, "refused", 60)).await.expect(200);
        assert_eq!(over.str("/status"), "ended");
        town.get(&read, &candidate).await.problem(401, "not-signed-in");
        town.delivers_everything().await;
        assert!(town.post_office.mails().iter().any(|mail| mail.to() == "jean@example.be"));
    })
    .await;
}
/// The same account with a session that is still young.
async fn somebody_again(town: &Town, someone: &Someone, email: &'static str) -> String {
    let anew = somebody(town, email).await;
    assert_eq!(anew.account, someone.account);
    anew.token
}

/// duty P2: outside the officers of the zone nobody sees a screening.
#[tokio::test(flavor = "multi_thread")]
async fn only_officers_see_what_a_screening_came_to() {
    on_both(async |town| {
        let s = scene(town).await;
        let reach = Reach::Partnership(s.partnership);
        let made = town.post(&at(&s), &s.officer.token, nomination("DEP", "dep@example.be")).await.expect(201);
        let screen = format!("/api/v1/mandates/{}/screening", made.id());
        town.put(&screen, &s.officer.token, "\"v1\"", screening(town, "refused", 30)).await.expect(200);
        let coordinator = mandated(town, "coo@example.be", Role::Coordinator, reach.clone()).await;
        let deputy = mandated(town, "dep2@example.be", Role::Deputy, reach.clone()).await;
        let steering = mandated(town, "stg@example.be", Role::Steering, reach).await;
        for someone in [&coordinator, &deputy, &steering, &s.administrator] {
            let page = town.get(&at(&s), &someone.token).await.expect(200);
            assert!(!page.text.contains("screening") && !page.text.contains("refused"), "{}", page.text);
        }
        let page = town.get(&at(&s), &s.officer.token).await.expect(200);
        assert_eq!(page.items()[0]["screening"]["outcome"], "refused");
        assert_eq!(town.get(&format!("{}?role=DEP&status=nominated", at(&s)), &s.officer.token).await.items().len(), 1);
        let member = member(town, "member@example.be", s.partnership).await;
        let mons = mandated(town, "mons@example.be", Role::Municipality, Reach::Municipality(MONS.into())).await;
        for someone in [&member, &mons] {
            town.get(&at(&s), &someone.token).await.problem(403, "forbidden");
            let reply = town.put(&screen, &someone.token, "\"v2\"", screening(town, "cleared", 30)).await;
            reply.problem(404, "not-found");
        }
        town.put(&screen, &coordinator.token, "\"v2\"", screening(town, "cleared", 30)).await.problem(403, "forbidden");
        // Nobody is judge in his own cause.
        let own = s.officer.account;
        let place = Reach::Partnership(s.partnership);
        let own = town
            .db(move |tx| vigie::partnerships::give_mandate_now(tx, own, Role::Steering, place, Vec::new(), None))
            .await;
        town.put(
            &format!("/api/v1/mandates/{own}/screening"),
            &s.officer.token,
            "\"v1\"",
            screening(town, "cleared", 30),
        )
        .await
        .refused(409, "own_mandate");
    })
    .await;
}

/// duty P1: leaving the zone ends it at once, tokens included.
#[tokio::test(flavor = "multi_thread")]
async fn an_ended_mandate_gives_no_power_at_the_next_request() {
    on_both(async |town| {
        let s = scene(town).await;
        let path = format!("/api/v1/zones/{}/mandates", s.zone);
        town.post(&path, &s.administrator.token, json!({"holder": holder("zad@example.be")}))
            .await
            .refused(409, "own_mandate");
        town.post(&path, &s.officer.token, json!({"holder": holder("x@example.be")})).await.problem(403, "forbidden");
        let newcomer = somebody(town, "new@example.be").await;
        let list = format!("/api/v1/partnerships/{}", s.partnership);
        town.get(&list, &newcomer.token).await.problem(404, "not-found");
        let made = town
            .post(&path, &s.administrator.token, json!({"holder": holder("new@example.be"), "duty": true}))
            .await
            .expect(201);
        assert_eq!((made.str("/status"), &made.json["flags"]), ("active".to_owned(), &json!(["duty"])));
        town.get(&list, &newcomer.token).await.expect(200);
        assert_eq!(town.get(&format!("{path}?role=MAN"), &s.administrator.token).await.expect(200).items().len(), 2);
        let end = format!("/api/v1/mandates/{}/end", made.id());
        let reason = json!({"reason": "other zone"});
        town.post(&end, &s.officer.token, reason.clone()).await.refused(403, "not_yours_to_end");
        let hidden = town.post(&end, &s.other_officer.token, reason.clone()).await;
        let absent = format!("/api/v1/mandates/{}/end", vigie::values::Id::<vigie::values::of::Mandate>::new());
        let absent = town.post(&absent, &s.other_officer.token, reason.clone()).await;
        assert_eq!((hidden.status, but_for_instance(&hidden)), (404, but_for_instance(&absent)));
        let over = town.post(&end, &s.administrator.token, reason.clone()).await.expect(200);
        assert!(over.json["end_reason"].is_null(), "only officers read why");
        town.get(&list, &newcomer.token).await.problem(401, "not-signed-in");
        town.post(&end, &s.administrator.token, reason).await.refused(409, "mandate_over");
        town.delivers_everything().await;
        let letters: Vec<_> = town.post_office.mails().iter().map(|mail| mail.to().to_owned()).collect();
        assert!(letters.contains(&"new@example.be".to_owned()), "{letters:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_ends_what_they_may_give_and_their_own() {
    on_both(async |town| {
        let s = scene(town).await;
        let reach = Reach::Partnership(s.partnership);
        let coordinator = mandated(town, "coo@example.be", Role::Coordinator, reach.clone()).await;
        let deputy = mandated(town, "dep@example.be", Role::Deputy, reach.clone()).await;
        let steering = mandated(town, "stg@example.be", Role::Steering, reach).await;
        let federal = mandated(town, "fed@example.be", Role::Federal, Reach::Nation).await;
        let page = town.get(&at(&s), &s.officer.token).await.expect(200);
        let id = |role: &str| {
            let row = page.items().iter().find(|row| row["role"] == role).unwrap();
            format!("/api/v1/mandates/{}/end", row["id"].as_str().unwrap())
        };
        let reason = || json!({"reason": "it was time"});
        town.post(&id("COO"), &deputy.token, reason()).await.refused(403, "not_yours_to_end");
        town.post(&id("COO"), &federal.token, reason()).await.refused(403, "not_yours_to_end");
        town.post(&id("DEP"), &coordinator.token, reason()).await.expect(200);
        town.post(&id("STG"), &steering.token, reason()).await.expect(200);
        town.post(&id("COO"), &s.officer.token, reason()).await.expect(200);
        let officer = town.get(&at(&s), &s.officer.token).await.expect(200);
        assert!(officer.items().iter().all(|row| row["status"] == "ended" && row["end_reason"] == "it was time"));
    })
    .await;
}

/// Giving back one's own mandate ends the right by which it is done: of several at once one does it.
#[tokio::test(flavor = "multi_thread")]
async fn ones_own_mandate_ends_once_and_the_others_wait_for_it() {
    on_both(async |town| {
        let s = scene(town).await;
        for email in ["one@example.be", "two@example.be"] {
            let deputy = mandated(town, email, Role::Deputy, Reach::Partnership(s.partnership)).await;
            let page = town.get(&at(&s), &deputy.token).await.expect(200);
            let own = page.items().iter().find(|row| row["role"] == "DEP" && row["status"] == "active").unwrap();
            let path = format!("/api/v1/mandates/{}/end", own["id"].as_str().unwrap());
            let ends = (0..5).map(|_| town.post(&path, &deputy.token, json!({"reason": "moved"})));
            let statuses: Vec<u16> = join_all(ends).await.iter().map(|reply| reply.status).collect();
            assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
            assert!(statuses.iter().all(|status| matches!(status, 200 | 401 | 403 | 404)), "{statuses:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_federal_service_appoints_institutions() {
    on_both(async |town| {
        let s = scene(town).await;
        let federal = mandated(town, "fed@example.be", Role::Federal, Reach::Nation).await;
        let path = "/api/v1/mandates";
        let body = |role: &str, field: &str, value: &str, email: &str| {
            let mut body = json!({"role": role, "holder": holder(email)});
            if !field.is_empty() {
                body[field] = json!(value);
            }
            body
        };
        let zone = s.zone.to_string();
        for (role, field, value, email) in [
            ("ZAD", "zone", zone.as_str(), "a@example.be"),
            ("MUN", "municipality", MONS, "b@example.be"),
            ("PRV", "province", "WHT", "c@example.be"),
            ("EXP", "", "", "d@example.be"),
            ("FED", "", "", "e@example.be"),
        ] {
            let made = town.post(path, &federal.token, body(role, field, value, email)).await.expect(201);
            assert_eq!(made.str("/status"), "active", "{role}");
            if role == "MUN" {
                let end = format!("/api/v1/mandates/{}/end", made.id());
                town.post(&end, &s.administrator.token, json!({"reason": "x"})).await.problem(404, "not-found");
                town.post(&end, &federal.token, json!({"reason": "x"})).await.expect(200);
            }
        }
        town.post(path, &federal.token, body("FED", "", "", "fed@example.be")).await.refused(409, "own_mandate");
        town.post(path, &federal.token, body("MUN", "", "", "x@example.be")).await.at_fault("/municipality");
        town.post(path, &federal.token, body("MUN", "municipality", "99999", "x@example.be"))
            .await
            .at_fault("/municipality");
        town.post(path, &federal.token, body("EXP", "province", "WHT", "x@example.be")).await.at_fault("/province");
        town.post(path, &federal.token, body("COO", "", "", "x@example.be")).await.at_fault("/role");
        town.post(path, &s.administrator.token, body("EXP", "", "", "x@example.be")).await.problem(403, "forbidden");
        let mut past = body("EXP", "", "", "x@example.be");
        past["until"] = json!(town.clock.now());
        town.post(path, &federal.token, past).await.at_fault("/until");
        town.passes(vigie::access::STEP_UP_LIFE);
        let late = Bearer::new(town.database.keys()).token(federal.account, federal.session, town.clock.now());
        town.post(path, &late, body("EXP", "", "", "x@example.be")).await.problem(401, "step-up-needed");
        let fresh = again(town, &federal).await;
        town.post(path, &fresh, body("EXP", "", "", "x@example.be")).await.expect(201);
    })
    .await;
}
