//! What is not urgent goes to one channel; where that one fails, the other takes over.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};
use vigie::delivery::{Body, Channel, Fate, Lane, NOT_CHOSEN, NewDelivery, enqueue, put_content};
use vigie::messages::{Look, prove, take_over};
use vigie::on_either;
use vigie::partnerships::PlanContent;
use vigie::people::{self, ContactKind, ContactState};
use vigie::storage::schema::{approvals, contact_points, contents, deliveries, memberships, message_events};
use vigie::values::{Id, Language, Timestamp, of};

use super::{HOUR, approves, follows, mark, progress, quiet, reached, recipients, sent, shows, stops, submits, with};
use crate::delivery::plans::plans;
use crate::support::neighbourhood::Neighbour;
use crate::support::post_office::{AfterMail, SmsManners};
use crate::support::returned::{UNKNOWN_USER, postfix};
use crate::support::{Neighbourhood, Town, on_both};

const MINUTE: Duration = Duration::from_secs(60);

/// How many deliveries a pass of the worker calls up.
async fn takes_over(town: &Town) -> usize {
    take_over(&town.database, Look::Recent).await.unwrap()
}
fn refuses(town: &Town, members: &[&Neighbour]) {
    let refused: Vec<String> = members.iter().map(|member| member.email.clone()).collect();
    town.post_office.smtp.behave(move |relay| relay.refuses.extend(refused));
}
/// State and reason of a member on a channel.
async fn fate(town: &Town, hood: &Neighbourhood, message: &str, of: &Neighbour, channel: Channel) -> (String, String) {
    let (membership, channel) = (of.membership.to_string(), channel.as_str());
    let rows = recipients(town, hood, message).await;
    let row = rows.into_iter().find(|row| row.0 == membership && row.1 == channel).unwrap();
    (row.2, row.3)
}
async fn by_sms(town: &Town, hood: &Neighbourhood, message: &str, of: &Neighbour) -> String {
    let (state, reason) = fate(town, hood, message, of, Channel::Sms).await;
    if state == "suppressed" { reason } else { state }
}
/// A meeting that the relay refuses for the first of so many members.
async fn refused(town: &Town, members: u32) -> (Neighbourhood, String) {
    let hood = town.neighbourhood(members).await;
    refuses(town, &[&hood.members[0]]);
    let message = sent(town, &hood, quiet("meeting")).await;
    (hood, message)
}

/// Fault F24: refused by mail, reached by SMS, with the words that were approved; and counted once.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_mail_is_followed_by_an_sms() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        refuses(town, &[&hood.members[0]]);
        let since = mark(town);
        let message = sent(town, &hood, quiet("meeting")).await;
        let before = progress(town, &hood.officer, &message).await;
        assert_eq!((&before["status"], &before["reached"]), (&json!("completed_with_failures"), &json!(2)));
        assert_eq!(takes_over(town).await, 1);
        // It is going out again, and says so (accept M3).
        let counts = progress(town, &hood.officer, &message).await;
        assert_eq!((&counts["status"], &counts["waiting"]), (&json!("dispatching"), &json!(1)));
        assert_eq!(takes_over(town).await, 0, "once");
        town.delivers_everything().await;
        let (mails, sms) = reached(town, since);
        assert_eq!((mails.len(), sms), (2, vec![hood.members[0].mobile.clone()]));
        let counts = progress(town, &hood.officer, &message).await;
        assert_eq!(counts["status"], "completed_with_failures");
        assert_eq!(
            (&counts["members"], &counts["reached"], &counts["planned"], &counts["waiting"]),
            (&json!(3), &json!(3), &json!(6), &json!(0))
        );
        assert_eq!(
            counts["states"],
            json!({ "email": { "accepted": 2, "failed": 1 }, "sms": { "accepted": 1, "suppressed": 2 } })
        );
        assert_eq!(counts["suppressed"], json!({ "sms:not_chosen": 2 }));
        let (id, config) = (Id::<of::Message>::parse(&message).unwrap(), town.config.clone());
        let proof = town.db(move |tx| prove(tx, &config, id)).await.unwrap();
        assert_eq!(proof.verdict, vigie::delivery::ProofVerdict::Proved, "{proof:?}");
        assert!(proof.batch.contents.iter().any(|content| content.channel == "sms"), "{proof:?}");
        let trail: Vec<(String, String)> = town
            .db(move |tx| {
                Ok(message_events::table
                    .filter(message_events::message_id.eq(id))
                    .filter(message_events::event.eq("other_channel"))
                    .select((message_events::from_status, message_events::to_status))
                    .load(tx.db())?)
            })
            .await;
        assert_eq!(trail, [("completed_with_failures".into(), "dispatching".into())]);
        // An SMS that fails after the mail has nobody left to take over.
        assert_eq!(take_over(&town.database, Look::All).await.unwrap(), 0);
    })
    .await;
}

/// What is dead of it stays dead for whoever has it on the other channel by now: nobody gets it twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_other_channel_took_over_is_not_put_back() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let [one, other] = hood.members.as_slice() else { panic!() };
        refuses(town, &[one, other]);
        let message = sent(town, &hood, quiet("meeting")).await;
        let again = async || {
            let path = super::at(&message, "dead-letters/requeue");
            hood.officer.posts(town, &path, json!({})).await
        };
        // Neither has it: one is called up, and the other has stopped SMS.
        let stopped = other.membership;
        town.db(move |tx| {
            let now = tx.now()?;
            diesel::update(memberships::table.find(stopped))
                .set(memberships::sms_stopped_at.eq(Some(now)))
                .execute(tx.db())?;
            Ok(())
        })
        .await;
        assert_eq!(takes_over(town).await, 1);
        town.post_office.smtp.behave(|relay| relay.refuses.clear());
        let since = mark(town);
        let done = again().await.expect(202);
        assert_eq!((&done.json["requeued"], &done.json["left"]), (&json!(1), &json!({ "reached_otherwise": 1 })));
        town.delivers_everything().await;
        assert_eq!(reached(town, since), (vec![other.email.clone()], vec![one.mobile.clone()]));
        again().await.refused(409, "reached_otherwise");
    })
    .await;
}

/// Refused by mail, and then by SMS too: one of the two is put back, and nobody gets it twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_both_channels_refused_is_put_back_once() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        refuses(town, &[&hood.members[0]]);
        town.post_office.gateway.behave(SmsManners::Says(400, "", "no".to_owned()));
        let message = sent(town, &hood, quiet("meeting")).await;
        assert_eq!(takes_over(town).await, 1);
        town.delivers_everything().await;
        assert_eq!(by_sms(town, &hood, &message, &hood.members[0]).await, "failed");
        town.post_office.smtp.behave(|relay| relay.refuses.clear());
        town.post_office.gateway.behave(SmsManners::Accepts);
        let since = mark(town);
        let done = hood.officer.posts(town, &super::at(&message, "dead-letters/requeue"), json!({})).await.expect(202);
        assert_eq!((&done.json["requeued"], &done.json["left"]), (&json!(1), &json!({ "reached_otherwise": 1 })));
        town.delivers_everything().await;
        let (mails, sms) = reached(town, since);
        assert_eq!(mails.len() + sms.len(), 1, "{mails:?} {sms:?}");
    })
    .await;
}

/// Fault F28: the mail ends while the message is still of use; and when it is not, nothing follows.
#[tokio::test(flavor = "multi_thread")]
async fn what_expired_is_followed_only_while_it_is_of_use() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let member = &hood.members[0];
        let (address, busy) = (member.email.clone(), [AfterMail::Says("450 4.2.1 busy"); 9]);
        town.post_office.smtp.behave(move |relay| drop(relay.next_mails_to.insert(address, busy.into())));
        let brief = || with(quiet("meeting"), "validity_minutes", 10);
        let in_time = sent(town, &hood, brief()).await;
        for pause in [70, 350] {
            town.passes(Duration::from_secs(pause));
            town.delivers_everything().await;
        }
        // The next attempt would come too late; three minutes are left.
        assert_eq!(fate(town, &hood, &in_time, member, Channel::Email).await.0, "expired");
        let since = mark(town);
        assert_eq!(takes_over(town).await, 1);
        town.delivers_everything().await;
        assert_eq!(reached(town, since).1, std::slice::from_ref(&member.mobile));

        let late = sent(town, &hood, brief()).await;
        town.passes(HOUR);
        town.delivers_everything().await;
        assert_eq!(fate(town, &hood, &late, member, Channel::Email).await.0, "expired");
        let since = mark(town);
        assert_eq!(takes_over(town).await, 0);
        town.delivers_everything().await;
        assert!(reached(town, since).1.is_empty());
        assert_eq!(by_sms(town, &hood, &late, member).await, "too_late");
    })
    .await;
}

/// A mail that comes back in the night: the SMS waits for the morning.
#[tokio::test(flavor = "multi_thread")]
async fn the_other_channel_keeps_to_the_quiet_hours() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = sent(town, &hood, quiet("meeting")).await;
        assert_eq!(shows(town, &hood.officer, &message).await.str("/status"), "completed");
        town.passes(12 * HOUR); // 22:00
        let delivery: i64 = town
            .db(|tx| {
                let mails =
                    deliveries::table.filter(deliveries::lane.eq(3_i16)).filter(deliveries::channel.eq("email"));
                Ok(mails.select(deliveries::id).first(tx.db())?)
            })
            .await;
        town.comes_back(&town.return_address(delivery), postfix(UNKNOWN_USER)).await.expect(204);
        let since = mark(town);
        assert_eq!(takes_over(town).await, 1);
        town.delivers_everything().await;
        assert_eq!(by_sms(town, &hood, &message, &hood.members[0]).await, "planned");
        assert!(reached(town, since).1.is_empty());
        town.passes(11 * HOUR);
        town.delivers_everything().await;
        assert_eq!(reached(town, since).1, [hood.members[0].mobile.clone()]);
    })
    .await;
}

/// Nobody is forgotten: where the other channel may not be used it says why, and is not looked at again.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_be_reached_otherwise_is_left_out_for_a_reason() {
    on_both(async |town| {
        let hood = town.neighbourhood(6).await;
        let [stopped, left, paused, unconfirmed, shares, fine] = hood.members.as_slice() else { panic!() };
        let nowhere_else = hood.enters(town, |new| new.mobile = None).await;
        let (number, at_home) =
            (hood.enters(town, |new| new.preferred_channel = Channel::Sms).await, shares.membership);
        refuses(town, &[stopped, left, paused, unconfirmed, shares, fine, &nowhere_else]);
        let since = mark(town);
        let message = sent(town, &hood, quiet("meeting")).await;
        super::story::set_status(town, left.membership, "left").await;
        super::story::set_status(town, paused.membership, "paused").await;
        let (stopped_id, unconfirmed_id, shared) = (stopped.membership, unconfirmed.membership, number.mobile.clone());
        town.db(move |tx| {
            let now = tx.now()?;
            diesel::update(memberships::table.find(stopped_id))
                .set(memberships::sms_stopped_at.eq(Some(now)))
                .execute(tx.db())?;
            let person = |tx: &mut vigie::storage::Tx<'_>, id: Id<of::Membership>| {
                memberships::table.find(id).select(memberships::person_id).first::<Id<of::Person>>(tx.db())
            };
            let (doubtful, sharer) = (person(tx, unconfirmed_id)?, person(tx, at_home)?);
            let mobiles = |of| {
                contact_points::table.filter(contact_points::person_id.eq(of)).filter(contact_points::kind.eq("mobile"))
            };
            diesel::update(mobiles(doubtful)).set(contact_points::state.eq("unverified")).execute(tx.db())?;
            diesel::update(mobiles(sharer)).set(contact_points::state.eq("invalid")).execute(tx.db())?;
            people::add_contact(tx, sharer, ContactKind::Mobile, &shared, ContactState::Verified)?;
            Ok(())
        })
        .await;
        assert_eq!(takes_over(town).await, 1);
        town.delivers_everything().await;
        let mut expected = vec![fine.mobile.clone(), number.mobile.clone()];
        expected.sort();
        assert_eq!(reached(town, since).1, expected);
        for (member, reason) in [
            (stopped, "stopped"),
            (left, "left"),
            (paused, "paused"),
            (unconfirmed, "unverified"),
            (shares, "duplicate"),
            (&nowhere_else, "no_contact"),
            (fine, "accepted"),
        ] {
            assert_eq!(by_sms(town, &hood, &message, member).await, reason);
        }
        // Whatever becomes of them later, that is decided.
        super::story::set_status(town, paused.membership, "active").await;
        assert_eq!(take_over(&town.database, Look::All).await.unwrap(), 0);
        let counts = progress(town, &hood.officer, &message).await;
        assert_eq!(
            counts["suppressed"],
            json!({ "email:not_chosen": 1, "sms:stopped": 1, "sms:left": 1, "sms:paused": 1, "sms:unverified": 1,
                "sms:duplicate": 1, "sms:no_contact": 1 })
        );
        assert_eq!((&counts["members"], &counts["reached"]), (&json!(8), &json!(2)));
    })
    .await;
}

/// The communication plan as it stands now: its channels, and one SMS for a dwelling.
#[tokio::test(flavor = "multi_thread")]
async fn the_plan_in_force_decides() {
    type Change = fn(&mut PlanContent);
    let cases: [(Change, [&str; 2]); 3] = [
        (|_| {}, ["accepted", "accepted"]),
        (|plan| plan.sms_per_dwelling = true, ["accepted", "household"]),
        (|plan| plan.non_urgent.channels = vec![Channel::Email], ["not_in_plan", "not_in_plan"]),
    ];
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        let mut home = None;
        let one = hood.enters(town, |new| home = Some(new.address.clone())).await;
        let other = hood.enters(town, |new| new.address = home.unwrap()).await;
        refuses(town, &[&one, &other]);
        for (change, expected) in cases {
            hood.agrees_on(town, |_| {}).await;
            let message = sent(town, &hood, quiet("meeting")).await;
            hood.agrees_on(town, change).await;
            takes_over(town).await;
            town.delivers_everything().await;
            let fates = [by_sms(town, &hood, &message, &one).await, by_sms(town, &hood, &message, &other).await];
            assert_eq!(fates, expected);
        }
        // A partnership that may not act sends nothing more.
        hood.agrees_on(town, |_| {}).await;
        let message = sent(town, &hood, quiet("meeting")).await;
        super::becomes(town, hood.partnership, "suspended").await;
        assert_eq!(takes_over(town).await, 0);
        assert_eq!(by_sms(town, &hood, &message, &one).await, "partnership_cannot_act");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stopped_or_corrected_is_not_sent_otherwise() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let refused = &hood.members[0];
        refuses(town, &[refused]);
        let by_number = hood.enters(town, |new| new.preferred_channel = Channel::Sms).await;
        let message = super::submitted(town, &hood, &hood.coordinator, quiet("meeting")).await;
        town.delivers_everything().await;
        approves(town, &hood.officer, &message).await.expect(202);
        town.courier.round(Channel::Email).await.unwrap();
        stops(town, &hood.officer, &message).await.expect(200);
        assert_eq!(takes_over(town).await, 0);
        assert_eq!(by_sms(town, &hood, &message, refused).await, "message_stopped");
        assert_eq!(by_sms(town, &hood, &message, &by_number).await, "cancelled");

        let message = sent(town, &hood, quiet("meeting")).await;
        let correction = follows(town, &hood.officer, &message, "correction", "police").await.expect(201).id();
        submits(town, &hood.officer, &correction).await.expect(202);
        approves(town, &hood.second_officer, &correction).await.expect(202);
        assert_eq!(takes_over(town).await, 0);
        assert_eq!(by_sms(town, &hood, &message, refused).await, "superseded");
        assert_eq!(by_sms(town, &hood, &correction, refused).await, "not_reached_before");
    })
    .await;
}

/// Whoever is called up for it hears its correction too, whichever of the two comes first.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_at_the_same_moment_reaches_whoever_was_called_up() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let refused = &hood.members[0];
        hood.second_officer.steps_up(town).await;
        for _ in 0..6 {
            refuses(town, &[refused]);
            let message = sent(town, &hood, quiet("meeting")).await;
            town.post_office.smtp.behave(|relay| relay.refuses.clear());
            let correction = follows(town, &hood.officer, &message, "correction", "police").await.expect(201).id();
            submits(town, &hood.officer, &correction).await.expect(202);
            let seen = super::preview(town, &hood.second_officer, &correction).await;
            let path = super::at(&correction, "approval");
            let (called, approved) =
                tokio::join!(takes_over(town), hood.second_officer.posts(town, &path, super::approval(&seen)));
            approved.expect(202);
            let heard = by_sms(town, &hood, &message, refused).await;
            let corrected = fate(town, &hood, &correction, refused, Channel::Email).await;
            match called {
                1 => assert_eq!((heard.as_str(), corrected.0.as_str()), ("queued", "queued")),
                _ => assert_eq!((heard.as_str(), corrected.1.as_str()), ("superseded", "not_reached_before")),
            }
            town.delivers_everything().await;
        }
    })
    .await;
}

/// Of several nodes at once each person is called up by one.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_at_once_call_up_once() {
    on_both(async |town| {
        let hood = town.neighbourhood(20).await;
        let all: Vec<&Neighbour> = hood.members.iter().collect();
        refuses(town, &all);
        let since = mark(town);
        let message = sent(town, &hood, quiet("meeting")).await;
        let (a, b, c) = tokio::join!(takes_over(town), takes_over(town), takes_over(town));
        assert_eq!(a + b + c, 20);
        town.delivers_everything().await;
        assert_eq!(reached(town, since).1.len(), 20);
        let counts = progress(town, &hood.officer, &message).await;
        assert_eq!((&counts["reached"], &counts["planned"]), (&json!(20), &json!(40)));
        let id = Id::<of::Message>::parse(&message).unwrap();
        let kept: i64 = town
            .db(move |tx| {
                let version: Id<of::MessageVersion> = approvals::table
                    .filter(approvals::message_id.eq(id))
                    .select(approvals::version_id)
                    .first(tx.db())?;
                let ours = contents::table.filter(contents::batch_id.eq(Id::<of::Batch>::from_uuid(version.uuid())));
                Ok(ours.filter(contents::channel.eq("sms")).count().get_result(tx.db())?)
            })
            .await;
        assert_eq!(kept, 4, "one for each language in use");
    })
    .await;
}

/// After a restart, however long ago it failed: the rows tell.
#[tokio::test(flavor = "multi_thread")]
async fn what_failed_while_nobody_was_there_is_made_up_for() {
    on_both(async |town| {
        let (hood, message) = refused(town, 2).await;
        town.passes(3 * HOUR);
        assert_eq!(takes_over(town).await, 0, "longer ago than each second looks");
        vigie::worker::minute(&town.database).await.unwrap();
        town.delivers_everything().await;
        assert_eq!(by_sms(town, &hood, &message, &hood.members[0]).await, "accepted");
        town.passes(MINUTE);
        vigie::worker::minute(&town.database).await.unwrap();
        assert_eq!(shows(town, &hood.officer, &message).await.str("/status"), "completed_with_failures");
    })
    .await;
}

/// However many failed, and whatever stands before them: one look is enough for all.
#[tokio::test(flavor = "multi_thread")]
async fn all_of_them_are_called_up_in_one_look() {
    on_both(async |town| {
        let hood = town.neighbourhood(503).await;
        let all: Vec<&Neighbour> = hood.members.iter().collect();
        refuses(town, &all);
        sent(town, &hood, quiet("meeting")).await;
        // Failed since, of something that nobody knows: it cannot be dealt with, and is in nobody's way.
        town.passes(Duration::from_secs(1));
        town.db(|tx| {
            let (batch, now) = (Id::<of::Batch>::new().uuid(), tx.now()?);
            let body = Body { subject: "x".into(), text: "x".into(), html: None };
            let content = put_content(tx, batch, Language::En, Channel::Email, &body)?;
            let rows = |person| {
                let row = |channel, address: Option<&str>, fate| NewDelivery {
                    person,
                    channel,
                    lane: Lane::NonUrgent,
                    membership: None,
                    address: address.map(str::to_owned),
                    fate,
                    deadline: now.plus(HOUR),
                };
                [
                    row(Channel::Email, Some("x@lion.example"), Fate::Due { content, at: now }),
                    row(Channel::Sms, None, Fate::Suppressed(NOT_CHOSEN)),
                ]
            };
            enqueue(tx, batch, (0..1_001).flat_map(|_| rows(Id::new())).collect())?;
            let theirs = deliveries::table.filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)));
            diesel::update(theirs.filter(deliveries::channel.eq("email")))
                .set((
                    deliveries::state.eq("failed"),
                    deliveries::due_at.eq(None::<Timestamp>),
                    deliveries::settled_at.eq(Some(now)),
                ))
                .execute(tx.db())?;
            Ok(())
        })
        .await;
        assert_eq!(takes_over(town).await, 503);
        assert_eq!(takes_over(town).await, 0);
    })
    .await;
}
/// A message and the feedback to it fail at the same moment: whoever is called up for the message hears the feedback too.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_is_judged_after_what_it_follows() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let member = &hood.members[0];
        let (address, busy) = (member.email.clone(), vec![AfterMail::Says("450 4.2.1 busy")]);
        town.post_office.smtp.behave(move |relay| drop(relay.next_mails_to.insert(address, busy.into())));
        let message = sent(town, &hood, quiet("prevention")).await;
        let feedback = follows(town, &hood.coordinator, &message, "feedback", "other").await.expect(201).id();
        submits(town, &hood.coordinator, &feedback).await.expect(202);
        refuses(town, &[member]);
        approves(town, &hood.officer, &feedback).await.expect(202);
        town.passes(10 * MINUTE);
        town.delivers_everything().await;
        for either in [&message, &feedback] {
            assert_eq!(fate(town, &hood, either, member, Channel::Email).await.0, "failed");
        }
        assert_eq!(takes_over(town).await, 2);
        assert_eq!(by_sms(town, &hood, &feedback, member).await, "queued");
    })
    .await;
}
/// The trail says it once for as long as the message goes out, however the failures trickle in; and again after that.
#[tokio::test(flavor = "multi_thread")]
async fn the_trail_says_once_that_the_other_channel_takes_over() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        let message = super::submitted(town, &hood, &hood.coordinator, quiet("meeting")).await;
        town.delivers_everything().await;
        let [one, two, _] = hood.members.as_slice() else { panic!() };
        refuses(town, &[one]);
        approves(town, &hood.officer, &message).await.expect(202);
        town.courier.round(Channel::Email).await.unwrap();
        assert_eq!(takes_over(town).await, 1);
        let rows = deliveries::table.filter(deliveries::membership_id.eq(Some(two.membership)));
        town.db(move |tx| {
            let mail = rows.filter(deliveries::channel.eq("email"));
            Ok(diesel::update(mail).set(deliveries::state.eq("failed")).execute(tx.db())?)
        })
        .await;
        assert_eq!(takes_over(town).await, 1);
        let id = Id::<of::Message>::parse(&message).unwrap();
        let trail: Vec<(String, String)> = town
            .db(move |tx| {
                Ok(message_events::table
                    .filter(message_events::message_id.eq(id))
                    .filter(message_events::event.eq("other_channel"))
                    .select((message_events::from_status, message_events::to_status))
                    .load(tx.db())?)
            })
            .await;
        assert_eq!(trail, [("dispatching".into(), "dispatching".into())]);
    })
    .await;
}
/// Asked every second: with a million deliveries waiting, it is one probe for each message that is going out.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_found_by_one_probe_for_each_message() {
    on_both(async |town| {
        let hood = town.neighbourhood(200).await;
        for _ in 0..3 {
            let message = super::submitted(town, &hood, &hood.coordinator, quiet("meeting")).await;
            approves(town, &hood.officer, &message).await.expect(202);
        }
        town.db(|tx| Ok(on_either!(tx, |c| c.batch_execute("ANALYZE"))?)).await;
        let found =
            town.db(|tx| plans(tx, "messages.status = '", |tx| vigie::messages::close_dispatched(tx).map(drop))).await;
        assert_eq!(found.len(), 1);
        for plan in found {
            eprintln!("{plan}");
            assert!(plan.contains("deliveries_open"), "{plan}");
            assert!(!plan.contains("Seq Scan on deliveries") && !plan.contains("SCAN deliveries"), "{plan}");
            assert!(!plan.contains("Hash"), "one probe for each message: {plan}");
        }
    })
    .await;
}

/// Urgent: every channel had its turn already.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_urgent_is_left_as_it_is() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        refuses(town, &[&hood.members[0]]);
        let message = sent(town, &hood, super::burglary()).await;
        let rows = async || -> Vec<(i64, String, Option<String>, Option<Timestamp>)> {
            town.db(|tx| {
                let rows = deliveries::table.order(deliveries::id);
                Ok(rows
                    .select((deliveries::id, deliveries::state, deliveries::reason, deliveries::settled_at))
                    .load(tx.db())?)
            })
            .await
        };
        let before: (Value, _) = (progress(town, &hood.officer, &message).await, rows().await);
        assert_eq!(take_over(&town.database, Look::All).await.unwrap(), 0);
        assert_eq!((progress(town, &hood.officer, &message).await, rows().await), before);
    })
    .await;
}
