//! Every way in which the police cannot approve, and the few in which one officer is enough.

use serde_json::{Value, json};
use vigie::access::STEP_UP_LIFE;

use super::{
    HOUR, approval, approvals_of, approves, approves_at_once, at, becomes, burglary, drafts, preview, progress, quiet,
    rows, sent, shows, stops, submits, submitted, texts, with,
};
use crate::support::{Desk, Neighbourhood, Reply, Town, on_both};

fn of_the_police() -> Value {
    with(burglary(), "source", "police")
}
fn because(mut approval: Value, reason: &str) -> Value {
    approval["reason"] = reason.into();
    approval
}
async fn approves_because(town: &Town, by: &Desk, message: &str, reason: &str) -> Reply {
    let seen = preview(town, by, message).await;
    by.steps_up(town).await;
    by.posts(town, &at(message, "approval"), because(approval(&seen), reason)).await
}
async fn nothing_left(town: &Town, hood: &Neighbourhood, message: &str) {
    assert_eq!(approvals_of(town, message).await, 0);
    assert_eq!(progress(town, &hood.officer, message).await["planned"], 0);
}

/// Accept M2: under `dual` the author is barred.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_does_not_approve_what_they_wrote() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = drafts(town, &hood, &hood.officer, of_the_police()).await.expect(201).id();
        // Facts of the police are nobody else's before they leave: a colleague hands it over (security A7).
        submits(town, &hood.coordinator, &message).await.problem(404, "not-found");
        let third =
            town.desk("third-officer", vigie::access::Role::Officer, vigie::access::Reach::Zone(hood.zone)).await;
        submits(town, &third, &message).await.expect(202);
        let before = rows(town).await;
        approves(town, &hood.officer, &message).await.refused(409, "own_message");
        let mut after = rows(town).await;
        after[6] = before[6]; // the answer of the step-up
        assert_eq!(after, before);
        nothing_left(town, &hood, &message).await;
        let done = approves(town, &hood.second_officer, &message).await.expect(202);
        assert_eq!(done.str("/policy"), "dual");
    })
    .await;
}
/// Accept M2: whoever last changed it is barred, whoever began it.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_does_not_approve_what_they_edited() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = drafts(town, &hood, &hood.coordinator, burglary()).await.expect(201);
        let (id, etag) = (message.id(), message.etag.unwrap());
        let body = json!({ "texts": texts() });
        town.put(&at(&id, "texts"), &hood.officer.token(town), &etag, body).await.expect(200);
        submits(town, &hood.coordinator, &id).await.expect(202);
        approves(town, &hood.officer, &id).await.refused(409, "own_message");
        approves(town, &hood.second_officer, &id).await.expect(202);
    })
    .await;
}
/// Accept M2: whoever handed it over is barred.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_does_not_approve_what_they_submitted() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.officer, of_the_police()).await;
        approves(town, &hood.officer, &message).await.refused(409, "own_message");
        let of_the_coordinator = drafts(town, &hood, &hood.coordinator, burglary()).await.expect(201).id();
        submits(town, &hood.officer, &of_the_coordinator).await.expect(202);
        approves(town, &hood.officer, &of_the_coordinator).await.refused(409, "own_message");
        nothing_left(town, &hood, &of_the_coordinator).await;
    })
    .await;
}
/// Ruling 5: alone on duty with a fresh proof, a reason, and somebody who looks back within a day.
#[tokio::test(flavor = "multi_thread")]
async fn alone_on_duty_an_officer_approves_and_another_looks_back() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        hood.allows_solo_duty(town).await;
        let message = submitted(town, &hood, &hood.officer, of_the_police()).await;
        let refused = approves_at_once(town, &hood.officer, &message).await.problem(401, "step-up-needed");
        assert!(refused.headers["www-authenticate"].to_str().unwrap().contains("insufficient_user_authentication"));
        approves(town, &hood.officer, &message).await.refused(409, "solo_needs_reason");
        nothing_left(town, &hood, &message).await;
        let done = approves_because(town, &hood.officer, &message, "Seul de service cette nuit.").await.expect(202);
        assert_eq!(done.str("/policy"), "solo_duty");
        assert!(done.json["after_review_due_at"].is_string());
        town.delivers_everything().await;

        let waits = "/api/v1/inbox?waits_for=after_review";
        assert!(hood.officer.gets(town, waits).await.expect(200).items().is_empty(), "one does not review oneself");
        let inbox = hood.second_officer.gets(town, waits).await.expect(200);
        assert_eq!((inbox.str("/items/0/message"), inbox.items().len()), (message.clone(), 1));
        let reviewed = at(&message, "after-review");
        hood.officer.posts(town, &reviewed, json!({})).await.refused(409, "review_own");
        hood.second_officer.posts(town, &reviewed, json!({})).await.expect(200);
        assert!(hood.second_officer.gets(town, waits).await.expect(200).items().is_empty());
        hood.second_officer.posts(town, &reviewed, json!({})).await.problem(409, "wrong-state");
    })
    .await;
}
/// What is not urgent asks for the fresh proof too when its writer approves it alone.
#[tokio::test(flavor = "multi_thread")]
async fn alone_on_duty_even_a_quiet_message_needs_a_fresh_proof() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        hood.allows_solo_duty(town).await;
        let message = submitted(town, &hood, &hood.officer, quiet("prevention")).await;
        let seen = preview(town, &hood.officer, &message).await;
        let body = because(approval(&seen), "Seul de service.");
        let refused = hood.officer.posts(town, &at(&message, "approval"), body.clone()).await;
        assert!(refused.problem(401, "step-up-needed").headers.contains_key("www-authenticate"));
        hood.officer.steps_up(town).await;
        town.passes(STEP_UP_LIFE);
        hood.officer.posts(town, &at(&message, "approval"), body.clone()).await.problem(401, "step-up-needed");
        hood.officer.steps_up(town).await;
        hood.officer.posts(town, &at(&message, "approval"), body).await.expect(202);
    })
    .await;
}
/// What a coordinator wrote is never approved by an officer who had a hand in it, whatever the zone allows.
#[tokio::test(flavor = "multi_thread")]
async fn alone_on_duty_covers_only_what_the_police_wrote() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        hood.allows_solo_duty(town).await;
        let message = drafts(town, &hood, &hood.coordinator, burglary()).await.expect(201).id();
        submits(town, &hood.officer, &message).await.expect(202);
        approves_because(town, &hood.officer, &message, "Seul de service.").await.refused(409, "own_message");
    })
    .await;
}
/// Duties C19, P6: the plan may let an officer approve a quiet text of their own.
#[tokio::test(flavor = "multi_thread")]
async fn the_plan_may_leave_a_quiet_text_to_its_officer() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.officer, quiet("prevention")).await;
        approves(town, &hood.officer, &message).await.refused(409, "own_message");
        hood.agrees_on(town, |plan| plan.officer_may_approve_own_non_urgent = true).await;
        let done = approves_at_once(town, &hood.officer, &message).await.expect(202);
        assert_eq!(done.str("/policy"), "own_non_urgent");
        let urgent = submitted(town, &hood, &hood.officer, of_the_police()).await;
        approves(town, &hood.officer, &urgent).await.refused(409, "own_message");
    })
    .await;
}
/// Duty P3.
#[tokio::test(flavor = "multi_thread")]
async fn every_point_of_the_checklist_is_confirmed() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let seen = preview(town, &hood.officer, &message).await;
        hood.officer.steps_up(town).await;
        for point in ["no_nominative_data", "no_recognisable_person", "no_protected_ground"] {
            let mut body = approval(&seen);
            body["checklist"][point] = false.into();
            hood.officer
                .posts(town, &at(&message, "approval"), body.clone())
                .await
                .refused(409, "checklist_incomplete");
            body["checklist"].as_object_mut().unwrap().remove(point);
            hood.officer.posts(town, &at(&message, "approval"), body).await.expect(422);
        }
        nothing_left(town, &hood, &message).await;
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn nobody_to_reach_is_no_message() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        super::story::set_status(town, hood.members[0].membership, "paused").await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        approves(town, &hood.officer, &message).await.refused(409, "nobody_to_reach");
        nothing_left(town, &hood, &message).await;
    })
    .await;
}
/// Accept M15: a language nobody wrote and nobody agreed to replace.
#[tokio::test(flavor = "multi_thread")]
async fn every_member_is_written_to_in_a_language_that_was_agreed() {
    on_both(async |town| {
        let hood = town.neighbourhood(4).await;
        let only_german = json!({ "de": { "title": "Einbruch", "body": "Bleiben Sie im Haus." } });
        let message = submitted(town, &hood, &hood.coordinator, with(burglary(), "texts", only_german)).await;
        assert_eq!(preview(town, &hood.officer, &message).await["audience"]["language_missing"], true);
        approves(town, &hood.officer, &message).await.refused(409, "language_missing");
        nothing_left(town, &hood, &message).await;
        // French is agreed: everybody is served, and the preview says who reads another language than their own.
        let only_french = json!({ "fr": { "title": "Vol", "body": "Restez chez vous." } });
        let message = submitted(town, &hood, &hood.coordinator, with(burglary(), "texts", only_french)).await;
        let seen = preview(town, &hood.officer, &message).await;
        assert_eq!(seen["audience"]["fallbacks"], json!({ "nl": 1, "de": 1, "en": 1 }));
        approves(town, &hood.officer, &message).await.expect(202);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_partnership_sends_nothing() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let urgent = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let other = submitted(town, &hood, &hood.coordinator, quiet("admin")).await;
        becomes(town, hood.partnership, "suspended").await;
        approves(town, &hood.officer, &urgent).await.refused(409, "partnership_cannot_act");
        approves(town, &hood.officer, &other).await.refused(409, "partnership_cannot_act");
        becomes(town, hood.partnership, "dormant").await;
        approves(town, &hood.officer, &urgent).await.refused(409, "partnership_cannot_act");
        nothing_left(town, &hood, &urgent).await;
        approves(town, &hood.officer, &other).await.expect(202);
    })
    .await;
}
/// Duties C19, P6: without a plan in force nothing can even be shown.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_plan_nothing_leaves() {
    use diesel::prelude::*;
    use vigie::storage::schema::communication_plans;
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let seen = preview(town, &hood.officer, &message).await;
        town.db(|tx| Ok(diesel::delete(communication_plans::table).execute(tx.db())?)).await;
        hood.officer.gets(town, &at(&message, "preview")).await.refused(409, "no_plan");
        hood.officer.steps_up(town).await;
        hood.officer.posts(town, &at(&message, "approval"), approval(&seen)).await.refused(409, "no_plan");
        nothing_left(town, &hood, &message).await;
    })
    .await;
}
/// Accept M1: only what is on the table is approved, and only while it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_submitted_cannot_be_approved() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let draft = drafts(town, &hood, &hood.coordinator, burglary()).await.expect(201).id();
        let reason = json!({ "reason": "Non." });
        let returned = submitted(town, &hood, &hood.coordinator, burglary()).await;
        hood.officer.posts(town, &at(&returned, "return"), reason.clone()).await.expect(200);
        let rejected = submitted(town, &hood, &hood.coordinator, burglary()).await;
        hood.officer.posts(town, &at(&rejected, "rejection"), reason).await.expect(200);
        let completed = sent(town, &hood, burglary()).await;
        let stopped = submitted(town, &hood, &hood.coordinator, burglary()).await;
        approves(town, &hood.officer, &stopped).await.expect(202);
        approves(town, &hood.second_officer, &stopped).await.refused(409, "dispatching");
        stops(town, &hood.officer, &stopped).await.expect(200);
        for (message, state) in [
            (draft, "draft"),
            (returned, "returned"),
            (rejected, "rejected"),
            (completed, "completed"),
            (stopped, "stopped"),
        ] {
            let before = super::deliveries_of(town, &message).await;
            approves(town, &hood.second_officer, &message).await.refused(409, state);
            assert_eq!(shows(town, &hood.officer, &message).await.str("/status"), state);
            assert_eq!(super::deliveries_of(town, &message).await, before);
        }
    })
    .await;
}
/// Accept M1: the approval binds the hash that was seen.
#[tokio::test(flavor = "multi_thread")]
async fn another_text_than_the_one_that_was_seen_is_not_approved() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let seen = preview(town, &hood.officer, &message).await;
        let etag = shows(town, &hood.coordinator, &message).await.etag.unwrap();
        let other = json!({ "texts": { "fr": { "title": "Autre chose", "body": "Autre texte." } } });
        town.put(&at(&message, "texts"), &hood.coordinator.token(town), &etag, other).await.expect(200);
        submits(town, &hood.coordinator, &message).await.expect(202);
        hood.officer.steps_up(town).await;
        let refused = hood.officer.posts(town, &at(&message, "approval"), approval(&seen)).await;
        assert_eq!(refused.problem(409, "version-changed").str("/code"), "version_changed");
        let short = with(approval(&seen), "version_hash", "abc");
        hood.officer.posts(town, &at(&message, "approval"), short).await.at_fault("/version_hash");
        nothing_left(town, &hood, &message).await;
    })
    .await;
}
/// Accept M1: and the plan that was in force.
#[tokio::test(flavor = "multi_thread")]
async fn another_plan_than_the_one_that_was_seen_is_not_approved() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let seen = preview(town, &hood.officer, &message).await;
        let number = hood.agrees_on(town, |plan| plan.urgent.channels.truncate(1)).await;
        hood.officer.steps_up(town).await;
        let refused = hood.officer.posts(town, &at(&message, "approval"), approval(&seen)).await;
        assert_eq!(refused.problem(409, "version-changed").str("/code"), "version_changed");
        nothing_left(town, &hood, &message).await;
        let seen = preview(town, &hood.officer, &message).await;
        assert_eq!((&seen["plan_number"], &seen["audience"]["going"]), (&json!(number), &json!({ "email": 2 })));
        approves(town, &hood.officer, &message).await.expect(202);
    })
    .await;
}
/// Threat T01: a zone does not flood its people, whoever holds the pen; what follows a message is never held up.
#[tokio::test(flavor = "multi_thread")]
async fn a_zone_sends_so_many_urgent_messages_an_hour() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let most = town.config.limits.urgent_per_zone_hour;
        let mut first = None;
        for _ in 0..most {
            let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
            approves(town, &hood.officer, &message).await.expect(202);
            first.get_or_insert(message);
        }
        // Another partnership of the same zone counts with it.
        let path = format!("/api/v1/partnerships/{}/messages", hood.second);
        let message = hood.coordinator_of_second.posts(town, &path, burglary()).await.expect(201).id();
        submits(town, &hood.coordinator_of_second, &message).await.expect(202);
        let refused = approves(town, &hood.officer, &message).await.problem(429, "too-many-requests");
        let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=3601).contains(&wait), "{wait}");
        nothing_left(town, &hood, &message).await;
        assert_eq!(shows(town, &hood.officer, &message).await.str("/status"), "submitted");
        let end = super::follows(town, &hood.officer, &first.unwrap(), "end", "police").await.expect(201).id();
        submits(town, &hood.officer, &end).await.expect(202);
        approves(town, &hood.second_officer, &end).await.expect(202);
        let exercise = submitted(town, &hood, &hood.coordinator, with(burglary(), "mode", "exercise")).await;
        approves(town, &hood.officer, &exercise).await.refused(409, "nobody_to_reach");
        town.passes(HOUR);
        approves(town, &hood.officer, &message).await.expect(202);
    })
    .await;
}
/// An urgent message that leaves is told to everybody who answers for the place: a forged one is seen at once (T01).
#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_for_the_place_hears_that_an_urgent_message_left() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        town.delivers_everything().await;
        let since = town.post_office.mails().len();
        approves(town, &hood.officer, &message).await.expect(202);
        town.delivers_everything().await;
        let code = shows(town, &hood.officer, &message).await.str("/short_code");
        let mails = town.post_office.mails();
        for desk in [&hood.officer, &hood.second_officer, &hood.administrator, &hood.coordinator, &hood.deputy] {
            let told: Vec<_> = mails[since..].iter().filter(|mail| mail.to() == desk.email).collect();
            assert_eq!(told.len(), 1, "{}", desk.email);
            let text = super::read(told[0]).1;
            assert!(text.contains(&format!("/v/{code}")) && !text.contains("rue du Lion"), "{text}");
            assert!(!text.contains("/inbox"), "it asks for nothing: {text}");
        }
        for desk in [&hood.steering, &hood.officer_elsewhere, &hood.coordinator_of_second, &hood.municipality] {
            assert!(mails[since..].iter().all(|mail| mail.to() != desk.email), "{}", desk.email);
        }
    })
    .await;
}
