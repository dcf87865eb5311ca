//! Two at once, twice the same, and a mandate that ends on the way.

use std::time::Duration;

use serde_json::{Value, json};
use vigie::access;

use super::{
    approval, approvals_of, at, burglary, deliveries_of, drafts, preview, progress, shows, submits, submitted, with,
};
use crate::support::{Desk, Reply, Town, on_both};

async fn keyed(town: &Town, by: &Desk, path: &str, key: &str, body: &Value) -> Reply {
    town.send("POST", path, Some(&by.token(town)), Some(body), &[("idempotency-key", key)]).await
}

/// Accepts M1, M3: of two approvals at the same moment one counts, and everybody is written down once.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_officers_who_approve_at_once_one_does() {
    on_both(async |town| {
        let hood = town.neighbourhood(4).await;
        hood.officer.steps_up(town).await;
        hood.second_officer.steps_up(town).await;
        for _ in 0..4 {
            let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
            let body = approval(&preview(town, &hood.officer, &message).await);
            let path = at(&message, "approval");
            let (one, other) = tokio::join!(
                hood.officer.posts(town, &path, body.clone()),
                hood.second_officer.posts(town, &path, body.clone())
            );
            let mut statuses = [one.status, other.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [202, 409], "{} {}", one.text, other.text);
            let loser = if one.status == 409 { one } else { other };
            loser.refused(409, "dispatching");
            assert_eq!((approvals_of(town, &message).await, deliveries_of(town, &message).await), (1, 8));
        }
        let since = super::mark(town);
        town.delivers_everything().await;
        assert_eq!(super::reached(town, since).0.len(), 4 * 4);
    })
    .await;
}
/// Accept M1: an edit at the moment of the approval comes before it or after it, never between.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_during_an_approval_has_one_outcome() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        hood.officer.steps_up(town).await;
        for _ in 0..5 {
            let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
            let seen = preview(town, &hood.officer, &message).await;
            let etag = shows(town, &hood.coordinator, &message).await.etag.unwrap();
            let other = json!({ "texts": { "fr": { "title": "Autre chose", "body": "Autre texte." } } });
            let (texts, approved) = (at(&message, "texts"), at(&message, "approval"));
            let token = hood.coordinator.token(town);
            let (edited, done) = tokio::join!(
                town.put(&texts, &token, &etag, other),
                hood.officer.posts(town, &approved, approval(&seen))
            );
            let now = shows(town, &hood.officer, &message).await;
            match (edited.status, done.status) {
                (200, 409) => {
                    assert_eq!(now.str("/status"), "draft");
                    assert_eq!(deliveries_of(town, &message).await, 0);
                }
                (409 | 412, 202) => {
                    assert_eq!(now.str("/status"), "dispatching");
                    assert_eq!(now.json["version_hash"], seen["version_hash"]);
                    assert_eq!(deliveries_of(town, &message).await, 4);
                }
                both => panic!("{both:?}: {} {}", edited.text, done.text),
            }
        }
    })
    .await;
}
/// Accept M2, ruling 20: the gate said yes; the mandate ended before the work was written; nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_mandate_that_ends_between_decision_and_write_approves_nothing() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let seen = preview(town, &hood.officer, &message).await;
        hood.officer.steps_up(town).await;
        // The mandate is being ended, and the end is not yet committed: the gate still sees it in force, the work waits.
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let grant = hood.officer.grant;
        let ending = town.db(move |tx| {
            assert!(access::end(tx, grant, "left the zone")?);
            begun.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(400));
            Ok(())
        });
        let path = at(&message, "approval");
        let approving = async {
            has_begun.await.unwrap();
            hood.officer.posts(town, &path, approval(&seen)).await
        };
        let ((), refused) = tokio::join!(ending, approving);
        let refused = refused.problem(403, "forbidden");
        assert!(refused.str("/detail").contains("ended a moment ago"), "the gate let it in: {}", refused.text);
        assert_eq!((approvals_of(town, &message).await, deliveries_of(town, &message).await), (0, 0));
        // And from now on the message does not even exist for them.
        hood.officer.posts(town, &path, approval(&seen)).await.problem(404, "not-found");
        let done = super::approves(town, &hood.second_officer, &message).await.expect(202);
        assert_eq!(done.str("/policy"), "dual");
    })
    .await;
}
/// The same without a helping hand: whatever comes first, an approval stands only with a mandate.
#[tokio::test(flavor = "multi_thread")]
async fn a_mandate_that_ends_while_approvals_come_in_leaves_no_doubt() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        for round in 0..6_u64 {
            let user = format!("passing-{round}");
            let reach = access::Reach::Zone(hood.zone);
            let passing = town.desk(&user, access::Role::Officer, reach).await;
            passing.steps_up(town).await;
            let message = submitted(town, &hood, &hood.coordinator, super::quiet("admin")).await;
            let seen = preview(town, &hood.officer, &message).await;
            let grant = passing.grant;
            let path = at(&message, "approval");
            let (ended, answer) = tokio::join!(
                async {
                    tokio::time::sleep(Duration::from_millis(round * 3)).await;
                    town.db(move |tx| access::end(tx, grant, "left the zone")).await
                },
                passing.posts(town, &path, approval(&seen))
            );
            assert!(ended);
            let expected = match answer.status {
                202 => 1,
                403 | 404 => 0,
                other => panic!("{other}: {}", answer.text),
            };
            assert_eq!(approvals_of(town, &message).await, expected);
            assert_eq!(deliveries_of(town, &message).await, expected * 2);
            passing.posts(town, &path, approval(&seen)).await.problem(404, "not-found");
        }
    })
    .await;
}
/// Of two who look back at once one is written down, and stays.
#[tokio::test(flavor = "multi_thread")]
async fn one_look_back_is_enough() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        hood.allows_solo_duty(town).await;
        let third = town.desk("third-officer", access::Role::Officer, access::Reach::Zone(hood.zone)).await;
        for _ in 0..4 {
            let body = with(super::quiet("prevention"), "source", "police");
            let message = submitted(town, &hood, &hood.officer, body).await;
            let seen = preview(town, &hood.officer, &message).await;
            hood.officer.steps_up(town).await;
            let alone = with(approval(&seen), "reason", "Seul de service.");
            hood.officer.posts(town, &at(&message, "approval"), alone).await.expect(202);
            let path = at(&message, "after-review");
            let (one, other) =
                tokio::join!(hood.second_officer.posts(town, &path, json!({})), third.posts(town, &path, json!({})));
            let mut statuses = [one.status, other.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409], "{} {}", one.text, other.text);
        }
    })
    .await;
}
/// Accept M7: the same request twice at the same moment is one.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_twice_at_once_is_one_request() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        hood.officer.steps_up(town).await;
        for round in 0..4 {
            let (list, key) = (hood.messages(), format!("draft-{round:04}"));
            let body = burglary();
            let (one, other) = tokio::join!(
                keyed(town, &hood.coordinator, &list, &key, &body),
                keyed(town, &hood.coordinator, &list, &key, &body)
            );
            let (one, other) = (one.expect(201), other.expect(201));
            assert_eq!(one.json, other.json);
            let message = one.id();
            let (hand_over, key) = (at(&message, "submission"), format!("submit-{round:04}"));
            let nothing = json!({});
            let (one, other) = tokio::join!(
                keyed(town, &hood.coordinator, &hand_over, &key, &nothing),
                keyed(town, &hood.coordinator, &hand_over, &key, &nothing)
            );
            assert_eq!(one.expect(202).json, other.expect(202).json);
            let body = approval(&preview(town, &hood.officer, &message).await);
            let (path, key) = (at(&message, "approval"), format!("approve-{round:04}"));
            let (one, other) = tokio::join!(
                keyed(town, &hood.officer, &path, &key, &body),
                keyed(town, &hood.officer, &path, &key, &body)
            );
            assert_eq!(one.expect(202).json, other.expect(202).json);
            let again = keyed(town, &hood.officer, &path, &key, &body).await.expect(202);
            assert_eq!(again.str("/message/status"), "dispatching");
            assert_eq!((approvals_of(town, &message).await, deliveries_of(town, &message).await), (1, 4));
        }
        let list = hood.coordinator.gets(town, &hood.messages()).await.expect(200);
        assert_eq!(list.items().len(), 4, "no draft came twice");
        town.delivers_everything().await;
        let notices = town.post_office.mails().iter().filter(|mail| mail.to() == hood.second_officer.email).count();
        assert_eq!(notices, 2 * 4, "each officer hears once that it waits and once that it left");
    })
    .await;
}
/// Accept M7: a key belongs to one request.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_used_for_another_request() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let list = hood.messages();
        keyed(town, &hood.coordinator, &list, "a-key-of-mine", &burglary()).await.expect(201);
        let other = with(burglary(), "mode", "exercise");
        keyed(town, &hood.coordinator, &list, "a-key-of-mine", &other).await.problem(409, "idempotency-mismatch");
        // Somebody else's key of the same letters is another key.
        keyed(town, &hood.deputy, &list, "a-key-of-mine", &other).await.expect(201);
        let message = drafts(town, &hood, &hood.coordinator, burglary()).await.expect(201).id();
        let hand_over = at(&message, "submission");
        keyed(town, &hood.coordinator, &hand_over, "a-key-of-mine", &json!({}))
            .await
            .problem(409, "idempotency-mismatch");
        keyed(town, &hood.coordinator, &hand_over, "short", &json!({})).await.problem(400, "idempotency-key-missing");
        assert_eq!(shows(town, &hood.coordinator, &message).await.str("/status"), "draft");
        submits(town, &hood.coordinator, &message).await.expect(202);
        assert_eq!(progress(town, &hood.officer, &message).await["planned"], 0);
    })
    .await;
}
