//! What the coordinator passes on, what the partnership may release alone, and the quiet hours.

use std::time::Duration;

use serde_json::json;
use vigie::partnerships::{PlanMode, ReleaseAlone};
use vigie::worker;

use super::{
    HOUR, approvals_of, approves, approves_at_once, at, becomes, burglary, deliveries_of, drafts, follows, mark,
    preview, progress, quiet, reached, release, releases, sent, shows, submits, submitted, with,
};
use crate::support::{Neighbourhood, Town, on_both};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What is not urgent is passed on by the coordinator.
async fn relays(town: &Town, hood: &Neighbourhood) {
    hood.agrees_on(town, |plan| plan.non_urgent.mode = PlanMode::Relay).await;
}

/// Duties C19, P6: the plan says that the coordinator passes it on; the police agree first.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_plan_relays_waits_for_the_coordinator() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        relays(town, &hood).await;
        let message = submitted(town, &hood, &hood.deputy, quiet("prevention")).await;
        releases(town, &hood.coordinator, &message).await.refused(409, "submitted");
        let done = approves_at_once(town, &hood.officer, &message).await.expect(202);
        assert_eq!(done.str("/message/status"), "awaiting_release");
        let since = mark(town);
        town.delivers_everything().await;
        assert!(reached(town, since).0.is_empty());
        assert_eq!(deliveries_of(town, &message).await, 0);
        let code = shows(town, &hood.officer, &message).await.str("/short_code");
        assert_eq!(town.open_get(&format!("/api/v1/verify/{code}")).await.str("/state"), "unknown");
        let inbox = hood.coordinator.gets(town, "/api/v1/inbox?waits_for=release").await.expect(200);
        assert_eq!((inbox.items().len(), inbox.str("/items/0/message")), (1, message.clone()));
        approves_at_once(town, &hood.second_officer, &message).await.refused(409, "awaiting_release");
        hood.steering.posts(town, &at(&message, "release"), json!({})).await.problem(403, "forbidden");

        let left = releases(town, &hood.coordinator, &message).await.expect(202);
        assert_eq!(left.str("/status"), "dispatching");
        assert_eq!(approvals_of(town, &message).await, 1, "the approval stays the police's");
        town.delivers_everything().await;
        assert_eq!(reached(town, since).0.len(), 3);
        releases(town, &hood.coordinator, &message).await.refused(409, "completed");
        // An urgent message waits for nobody, whatever the plan says of the others.
        let urgent = submitted(town, &hood, &hood.coordinator, burglary()).await;
        assert_eq!(approves(town, &hood.officer, &urgent).await.expect(202).str("/message/status"), "dispatching");
    })
    .await;
}
/// A correction is never held up by a plan.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_waits_for_nobody_to_pass_it_on() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = sent(town, &hood, quiet("admin")).await;
        relays(town, &hood).await;
        let correction = follows(town, &hood.officer, &message, "correction", "police").await.expect(201).id();
        submits(town, &hood.officer, &correction).await.expect(202);
        let done = approves_at_once(town, &hood.officer, &correction).await.expect(202);
        assert_eq!(done.str("/message/status"), "dispatching");
    })
    .await;
}
/// What was approved and not passed on within fourteen days is over (domain C6).
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_passes_on_expires_after_fourteen_days() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        relays(town, &hood).await;
        let message = submitted(town, &hood, &hood.deputy, quiet("prevention")).await;
        approves_at_once(town, &hood.officer, &message).await.expect(202);
        town.passes(13 * DAY + 23 * HOUR);
        worker::minute(&town.database).await.unwrap();
        assert_eq!(shows(town, &hood.officer, &message).await.str("/status"), "awaiting_release");
        // A session lives fourteen days too: somebody signs in for what comes.
        let deputy = town.signs_in(&hood.deputy).await;
        town.passes(HOUR + Duration::from_secs(1));
        worker::minute(&town.database).await.unwrap();
        let deputy_later = town.signs_in(&hood.deputy).await;
        drop(deputy);
        let shown = town.get(&format!("/api/v1/messages/{message}"), &deputy_later).await.expect(200);
        assert_eq!(shown.str("/status"), "expired");
        let seen = town.get(&at(&message, "preview"), &deputy_later).await.expect(200).json;
        town.post(&at(&message, "release"), &deputy_later, release(&seen)).await.refused(409, "expired");
        assert_eq!(deliveries_of(town, &message).await, 0);
    })
    .await;
}
/// What holds for an approval holds for passing it on: nothing leaves a partnership that was suspended meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_partnership_suspended_meanwhile_passes_nothing_on() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        relays(town, &hood).await;
        let message = submitted(town, &hood, &hood.deputy, quiet("prevention")).await;
        approves_at_once(town, &hood.officer, &message).await.expect(202);
        becomes(town, hood.partnership, "suspended").await;
        releases(town, &hood.coordinator, &message).await.refused(409, "partnership_cannot_act");
        assert_eq!(deliveries_of(town, &message).await, 0);
        becomes(town, hood.partnership, "active").await;
        for member in &hood.members {
            super::story::set_status(town, member.membership, "paused").await;
        }
        releases(town, &hood.coordinator, &message).await.refused(409, "nobody_to_reach");
    })
    .await;
}
/// Accept M1: what is passed on is what was seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_binds_what_was_seen() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        relays(town, &hood).await;
        let message = submitted(town, &hood, &hood.deputy, quiet("prevention")).await;
        approves_at_once(town, &hood.officer, &message).await.expect(202);
        let seen = preview(town, &hood.coordinator, &message).await;
        let wrong = with(release(&seen), "version_hash", "0".repeat(64));
        let refused = hood.coordinator.posts(town, &at(&message, "release"), wrong).await;
        assert_eq!(refused.problem(409, "version-changed").str("/code"), "version_changed");
        relays(town, &hood).await; // another plan, word for word the same
        let refused = hood.coordinator.posts(town, &at(&message, "release"), release(&seen)).await;
        assert_eq!(refused.problem(409, "version-changed").str("/code"), "version_changed");
        hood.coordinator
            .posts(town, &at(&message, "release"), json!({ "version_hash": "x", "plan_number": 0 }))
            .await
            .expect(422);
        assert_eq!(deliveries_of(town, &message).await, 0);
    })
    .await;
}
/// Duty C19: the plan names what the partnership may release alone; facts are never among it.
#[tokio::test(flavor = "multi_thread")]
async fn the_partnership_releases_alone_only_what_the_plan_leaves_to_it() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        let since = mark(town);
        let meeting = drafts(town, &hood, &hood.coordinator, quiet("meeting")).await.expect(201).id();
        let left = releases(town, &hood.coordinator, &meeting).await.expect(202);
        assert_eq!(left.str("/status"), "dispatching");
        town.delivers_everything().await;
        assert_eq!(reached(town, since).0.len(), 3);
        // Neither a kind that is not named, nor advice of others than the police, nor facts, nor anything urgent.
        for kind in ["admin", "prevention", "survey"] {
            let message = drafts(town, &hood, &hood.coordinator, quiet(kind)).await.expect(201).id();
            releases(town, &hood.coordinator, &message).await.refused(409, "not_left_to_the_partnership");
        }
        let urgent = drafts(town, &hood, &hood.coordinator, burglary()).await.expect(201).id();
        releases(town, &hood.coordinator, &urgent).await.refused(409, "not_left_to_the_partnership");
        let feedback = follows(town, &hood.coordinator, &meeting, "feedback", "other").await.expect(201).id();
        releases(town, &hood.coordinator, &feedback).await.refused(409, "not_left_to_the_partnership");
        let of_the_police = with(quiet("prevention"), "source", "police");
        let advice = drafts(town, &hood, &hood.officer, of_the_police).await.expect(201).id();
        releases(town, &hood.deputy, &advice).await.expect(202);
        // The plan changes: what it no longer names is no longer released.
        hood.agrees_on(town, |plan| plan.release_alone = vec![ReleaseAlone::Admin]).await;
        let meeting = drafts(town, &hood, &hood.coordinator, quiet("meeting")).await.expect(201).id();
        releases(town, &hood.coordinator, &meeting).await.refused(409, "not_left_to_the_partnership");
        let admin = drafts(town, &hood, &hood.coordinator, quiet("admin")).await.expect(201).id();
        releases(town, &hood.coordinator, &admin).await.expect(202);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_partnership_releases_nothing_alone() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let meeting = drafts(town, &hood, &hood.coordinator, quiet("meeting")).await.expect(201).id();
        becomes(town, hood.partnership, "suspended").await;
        releases(town, &hood.coordinator, &meeting).await.refused(409, "partnership_cannot_act");
        assert_eq!(approvals_of(town, &meeting).await, 0);
    })
    .await;
}
/// Duty P6: at night only what is urgent.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_urgent_waits_for_the_morning() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        // 22:30 by the clocks of Belgium.
        town.passes(12 * HOUR + HOUR / 2);
        let message = submitted(town, &hood, &hood.coordinator, quiet("admin")).await;
        approves_at_once(town, &hood.officer, &message).await.expect(202);
        let since = mark(town);
        town.delivers_everything().await;
        assert!(reached(town, since).0.is_empty(), "it is half past ten at night");
        let waiting = progress(town, &hood.officer, &message).await;
        assert_eq!(waiting["states"]["email"], json!({ "planned": 2 }), "{waiting}");
        town.passes(9 * HOUR + HOUR / 2 - Duration::from_secs(1));
        town.delivers_everything().await;
        assert!(reached(town, since).0.is_empty(), "one second to eight");
        town.passes(Duration::from_secs(1));
        town.delivers_everything().await;
        assert_eq!(reached(town, since).0.len(), 2, "eight o'clock");
        // What is urgent leaves at any hour (duty M8).
        town.passes(14 * HOUR);
        let urgent = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let since = mark(town);
        approves(town, &hood.officer, &urgent).await.expect(202);
        town.delivers_everything().await;
        assert_eq!(reached(town, since).0.len(), 2);
    })
    .await;
}
/// What was not handed over while it was of use is not sent late.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_not_sent_when_its_time_is_over() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.coordinator, with(burglary(), "validity_minutes", 10)).await;
        town.delivers_everything().await;
        approves(town, &hood.officer, &message).await.expect(202);
        let since = mark(town);
        town.passes(Duration::from_secs(600));
        town.delivers_everything().await;
        assert_eq!(reached(town, since), (Vec::new(), Vec::new()));
        let counts = progress(town, &hood.officer, &message).await;
        assert_eq!(counts["states"], json!({ "email": { "expired": 2 }, "sms": { "expired": 2 } }), "{counts}");
        assert_eq!(counts["status"], "completed_with_failures");
    })
    .await;
}
/// Ruling 6, accept M1: an approval binds the plan too. Under another plan nothing is passed on; the police take their
/// approval back, and the author begins anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_under_another_plan_is_not_what_was_approved() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        relays(town, &hood).await;
        let message = submitted(town, &hood, &hood.deputy, quiet("prevention")).await;
        approves_at_once(town, &hood.officer, &message).await.expect(202);
        hood.agrees_on(town, |plan| {
            plan.non_urgent.mode = PlanMode::Relay;
            plan.sms_per_dwelling = !plan.sms_per_dwelling;
        })
        .await;
        releases(town, &hood.coordinator, &message).await.refused(409, "version_changed");
        let reason = json!({ "reason": "Le plan a changé." });
        hood.coordinator.posts(town, &at(&message, "rejection"), reason.clone()).await.problem(403, "forbidden");
        let taken_back = hood.officer.posts(town, &at(&message, "rejection"), reason).await.expect(200);
        assert_eq!(taken_back.str("/status"), "rejected");
        releases(town, &hood.coordinator, &message).await.refused(409, "rejected");
        assert_eq!(deliveries_of(town, &message).await, 0);
    })
    .await;
}
/// What would only leave after its use is over is no message, and the officer sees why.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_before_the_morning_reaches_nobody() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        // 22:30 in Belgium; the quiet hours end in the morning.
        town.passes(12 * HOUR + Duration::from_secs(1_800));
        let hood_now = town.signs_in(&hood.coordinator).await;
        let body = with(quiet("meeting"), "validity_minutes", 60);
        let message = town.post(&hood.messages(), &hood_now, body).await.expect(201).id();
        town.post(&at(&message, "submission"), &hood_now, json!({})).await.expect(202);
        let officer = town.signs_in(&hood.officer).await;
        let seen = town.get(&at(&message, "preview"), &officer).await.expect(200).json;
        assert_eq!(seen["audience"]["members"], 0, "{seen}");
        assert!(seen["audience"]["left_out_by_reason"].to_string().contains("too_late"), "{seen}");
        town.post(&at(&message, "approval"), &officer, super::approval(&seen)).await.refused(409, "nobody_to_reach");
    })
    .await;
}
