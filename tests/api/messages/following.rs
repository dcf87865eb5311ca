//! What follows a message that has left, and stopping one that is going out.

use serde_json::json;
use vigie::delivery::Channel;

use super::{
    approves, at, burglary, deliveries_of, drafts, follows, mark, progress, quiet, reached, recipients, sent, shows,
    stops, submits, submitted, with,
};
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_follows_a_message_that_has_not_left() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = drafts(town, &hood, &hood.coordinator, burglary()).await.expect(201).id();
        follows(town, &hood.coordinator, &message, "end", "other").await.refused(409, "nothing_to_follow");
        submits(town, &hood.coordinator, &message).await.expect(202);
        follows(town, &hood.officer, &message, "correction", "police").await.refused(409, "nothing_to_follow");
    })
    .await;
}
/// A correction is written and approved by the police.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_does_not_correct() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = sent(town, &hood, burglary()).await;
        for desk in [&hood.coordinator, &hood.deputy] {
            follows(town, desk, &message, "correction", "other").await.refused(409, "correction_not_yours");
        }
        follows(town, &hood.steering, &message, "feedback", "other").await.problem(403, "forbidden");
        follows(town, &hood.coordinator, &message, "start", "other").await.refused(409, "kind_does_not_fit");
        follows(town, &hood.coordinator, &message, "meeting", "other").await.refused(409, "kind_does_not_fit");
        follows(town, &hood.coordinator, &message, "update", "police").await.refused(409, "source_not_yours");
        let of_quiet = sent(town, &hood, quiet("admin")).await;
        follows(town, &hood.officer, &of_quiet, "end", "police").await.refused(409, "kind_does_not_fit");
    })
    .await;
}
/// Duties C16, P7: feedback of the coordinator too, validated as everything is (C9).
#[tokio::test(flavor = "multi_thread")]
async fn feedback_of_the_coordinator_waits_for_the_police() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        let message = sent(town, &hood, burglary()).await;
        let feedback = follows(town, &hood.coordinator, &message, "feedback", "other").await.expect(201);
        assert_eq!((feedback.str("/status"), feedback.str("/thread")), ("draft".into(), message.clone()));
        assert_eq!(feedback.json["audience"], json!({ "recipients_of": message }));
        let since = mark(town);
        submits(town, &hood.coordinator, &feedback.id()).await.expect(202);
        town.delivers_everything().await;
        assert!(reached(town, since).0.is_empty(), "nothing leaves by itself");
        super::approves_at_once(town, &hood.officer, &feedback.id()).await.expect(202);
        town.delivers_everything().await;
        assert_eq!(reached(town, since).0.len(), 3);
        let thread = format!("{}?thread={message}", hood.messages());
        assert_eq!(hood.coordinator.gets(town, &thread).await.expect(200).items().len(), 2);
    })
    .await;
}
/// Accept M13: what follows an exercise is an exercise.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_an_exercise_is_one() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        hood.enters(town, |new| new.exercises = true).await;
        let message = sent(town, &hood, with(burglary(), "mode", "exercise")).await;
        let end = follows(town, &hood.officer, &message, "end", "police").await.expect(201);
        assert_eq!(end.str("/mode"), "exercise");
        let body = json!({ "kind": "end", "source": "police", "texts": super::texts(), "mode": "live" });
        hood.officer.posts(town, &at(&message, "follow-ups"), body).await.at_fault("/mode");
    })
    .await;
}
/// Accept M12: whoever had it before the stop is told that it was wrong, and only they.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_message_is_corrected_for_those_who_had_it() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        town.delivers_everything().await;
        // One address is refused for good, the SMS wait; then it is stopped.
        let lost = hood.members[0].email.clone();
        town.post_office.smtp.behave(|manners| {
            manners.refuses.insert(lost.clone());
        });
        approves(town, &hood.officer, &message).await.expect(202);
        town.courier.round(Channel::Email).await.unwrap();
        let since = mark(town);
        stops(town, &hood.coordinator, &message).await.refused(409, "stop_not_yours");
        assert_eq!(stops(town, &hood.officer, &message).await.expect(200).str("/status"), "stopped");
        stops(town, &hood.officer, &message).await.refused(409, "stopped");
        town.delivers_everything().await;
        assert!(reached(town, since).1.is_empty(), "what had not left does not leave");
        let counts = progress(town, &hood.officer, &message).await;
        assert_eq!(counts["states"]["sms"], json!({ "cancelled": 3 }), "{counts}");
        assert_eq!(counts["states"]["email"], json!({ "accepted": 2, "failed": 1 }), "{counts}");
        let code = shows(town, &hood.officer, &message).await.str("/short_code");
        assert_eq!(town.open_get(&format!("/api/v1/verify/{code}")).await.str("/state"), "stopped");

        town.post_office.smtp.behave(|manners| manners.refuses.clear());
        let correction = follows(town, &hood.officer, &message, "correction", "police").await.expect(201).id();
        submits(town, &hood.officer, &correction).await.expect(202);
        approves(town, &hood.officer, &correction).await.expect(202);
        town.delivers_everything().await;
        let mut expected: Vec<String> = hood.members[1..].iter().map(|member| member.email.clone()).collect();
        expected.sort();
        assert_eq!(reached(town, since).0, expected);
    })
    .await;
}
/// Accept M12: what a courier held at the moment of the stop, and could not hand over, is not tried again.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_stop_no_new_attempt_begins() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        town.delivers_everything().await;
        approves(town, &hood.officer, &message).await.expect(202);
        let since = mark(town);
        let busy = crate::support::post_office::SmsManners::Says(503, "", "later".to_owned());
        town.post_office.gateway.behave(busy);
        town.post_office.gateway.takes(std::time::Duration::from_millis(700));
        let asked = town.post_office.gateway.targets().len();
        let (round, stopped) = tokio::join!(town.courier.round(Channel::Sms), async {
            // In the middle of a hand-over: it was asked and has not answered.
            while town.post_office.gateway.targets().len() == asked {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            stops(town, &hood.officer, &message).await
        });
        assert!(round.unwrap() > 0);
        stopped.expect(200);
        town.post_office.gateway.behave(crate::support::post_office::SmsManners::Accepts);
        town.post_office.gateway.takes(std::time::Duration::ZERO);
        town.passes(std::time::Duration::from_secs(300));
        town.delivers_everything().await;
        assert!(reached(town, since).1.is_empty(), "it was stopped");
        let counts = progress(town, &hood.officer, &message).await;
        assert_eq!(counts["waiting"], 0, "{counts}");
    })
    .await;
}
/// What is not urgent its coordinator may stop too; what is over cannot be stopped.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_stops_what_is_not_urgent() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.coordinator, quiet("admin")).await;
        stops(town, &hood.officer, &message).await.refused(409, "submitted");
        approves(town, &hood.officer, &message).await.expect(202);
        stops(town, &hood.coordinator, &message).await.expect(200);
        let over = sent(town, &hood, quiet("admin")).await;
        stops(town, &hood.coordinator, &over).await.refused(409, "completed");
        assert_eq!(deliveries_of(town, &over).await, 4);
    })
    .await;
}
/// A message that did not reach everybody says so, and whom it missed, without a name.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_missed_somebody_says_so() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let lost = hood.members[0].clone();
        town.post_office.smtp.behave(|manners| {
            manners.refuses.insert(lost.email.clone());
        });
        let message = sent(town, &hood, burglary()).await;
        assert_eq!(progress(town, &hood.coordinator, &message).await["status"], "completed_with_failures");
        let rows = recipients(town, &hood, &message).await;
        let failed: Vec<_> = rows.iter().filter(|row| row.2 == "failed").collect();
        assert_eq!(failed.len(), 1);
        assert_eq!((failed[0].0.as_str(), failed[0].1.as_str()), (lost.membership.to_string().as_str(), "email"));
        let page = hood.coordinator.gets(town, &at(&message, "recipients?state=failed")).await.expect(200);
        assert_eq!((page.items().len(), page.str("/items/0/name")), (1, "C. D.".into()));
        for secret in [lost.email.as_str(), lost.mobile.as_str(), "Camille", "Dubois"] {
            assert!(!page.text.contains(secret), "{}", page.text);
        }
    })
    .await;
}
/// Domain C6: a correction goes to exactly those who got the original, whatever they are now; nothing else does.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_since_gets_the_correction_and_nothing_else() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = sent(town, &hood, burglary()).await;
        let gone = hood.members[0].membership;
        let path = {
            let url = vigie::delivery::leave_url(&town.config, town.database.keys(), gone);
            url.strip_prefix(&town.base).unwrap().to_owned()
        };
        town.post_form(&path, "confirm=yes").await.expect(200);
        town.delivers_everything().await;
        for (kind, expected) in [("end", 1), ("correction", 2)] {
            let since = mark(town);
            let next = follows(town, &hood.officer, &message, kind, "police").await.expect(201).id();
            submits(town, &hood.officer, &next).await.expect(202);
            let by = if kind == "correction" { &hood.officer } else { &hood.second_officer };
            approves(town, by, &next).await.expect(202);
            town.delivers_everything().await;
            assert_eq!(reached(town, since).0.len(), expected, "{kind}");
            let counts = progress(town, &hood.officer, &next).await;
            assert_eq!(counts["suppressed"].to_string().contains("left"), kind == "end", "{counts}");
        }
    })
    .await;
}
