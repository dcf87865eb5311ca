//! Addresses and numbers that do not work any more (accept M18).

use std::time::Duration;

use diesel::prelude::*;
use serde_json::{Value, json};
use vigie::delivery::{Channel, LetterTo, enqueue_letter};
use vigie::people;
use vigie::storage::schema::{contact_points, decisions, deliveries, endpoint_faults, memberships};
use vigie::texts::Letter;
use vigie::values::{EmailAddress, Id, Language, of};

use crate::messages::{burglary, progress, quiet, sent};
use crate::support::neighbourhood::Neighbour;
use crate::support::returned::{LOOKS_LIKE_SPAM, MAILBOX_FULL, STILL_TRYING, UNKNOWN_USER, Verdict, postfix};
use crate::support::{Desk, Neighbourhood, Reply, Town, on_both};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The latest delivery to a member on a channel: number, state, reason.
async fn latest(town: &Town, member: &Neighbour, channel: Channel) -> (i64, String, Option<String>) {
    let membership = member.membership;
    town.db(move |tx| {
        Ok(deliveries::table
            .filter(deliveries::membership_id.eq(Some(membership)))
            .filter(deliveries::channel.eq(channel))
            .order(deliveries::id.desc())
            .select((deliveries::id, deliveries::state, deliveries::reason))
            .first(tx.db())?)
    })
    .await
}
/// The latest mail to a member comes back.
async fn comes_back(town: &Town, member: &Neighbour, said: Verdict) {
    let (delivery, ..) = latest(town, member, Channel::Email).await;
    town.comes_back(&town.return_address(delivery), postfix(said)).await.expect(204);
}
/// Of a mail and an SMS: `accepted`, or why not.
async fn fates(town: &Town, member: &Neighbour) -> [String; 2] {
    let mut fates = Vec::new();
    for channel in [Channel::Email, Channel::Sms] {
        let (_, state, reason) = latest(town, member, channel).await;
        fates.push(if state == "suppressed" { reason.unwrap() } else { state });
    }
    fates.try_into().unwrap()
}
fn words<const N: usize>(words: [&str; N]) -> [String; N] {
    words.map(str::to_owned)
}
/// One mail of the system to a member, over and over: nobody needs to approve it.
async fn writes_to(town: &Town, member: &Neighbour) -> i64 {
    let (membership, email) = (member.membership, EmailAddress::parse(&member.email).unwrap());
    town.db(move |tx| {
        let person = memberships::table.find(membership).select(memberships::person_id).first(tx.db())?;
        let letter = Letter { subject: "x".into(), text: "x".into(), html: "x".into() };
        enqueue_letter(tx, LetterTo { person, language: Language::Fr, email: &email }, letter)
    })
    .await;
    town.delivers_everything().await;
    town.db(|tx| Ok(deliveries::table.order(deliveries::id.desc()).select(deliveries::id).first(tx.db())?)).await
}
/// A mail to a member comes back, and the minute passes.
async fn fails(town: &Town, member: &Neighbour, said: Verdict) {
    let delivery = writes_to(town, member).await;
    town.comes_back(&town.return_address(delivery), postfix(said)).await.expect(204);
    town.minute_passes().await;
}
/// What the coordinator sees of a member.
async fn seen(town: &Town, hood: &Neighbourhood, member: &Neighbour) -> Value {
    hood.coordinator.gets(town, &format!("/api/v1/members/{}", member.membership)).await.expect(200).json
}
async fn email_of(town: &Town, hood: &Neighbourhood, member: &Neighbour) -> Value {
    let seen = seen(town, hood, member).await;
    seen["contacts"].as_array().unwrap().iter().find(|contact| contact["kind"] == "email").unwrap().clone()
}
async fn is_suspended(town: &Town, member: &Neighbour) -> bool {
    let membership = member.membership;
    town.db(move |tx| {
        let of_member = contact_points::table
            .filter(
                contact_points::person_id
                    .eq_any(memberships::table.filter(memberships::id.eq(membership)).select(memberships::person_id)),
            )
            .filter(contact_points::kind.eq("email"))
            .filter(contact_points::suspended_at.is_not_null());
        Ok(of_member.count().get_result::<i64>(tx.db())? > 0)
    })
    .await
}
async fn unreachable_by(town: &Town, hood: &Neighbourhood, by: &Desk, channel: &str) -> Vec<Value> {
    let path = format!("/api/v1/partnerships/{}/members?unreachable_by={channel}", hood.partnership);
    by.gets(town, &path).await.expect(200).items().clone()
}
async fn clears(town: &Town, by: &Desk, member: &Neighbour, contact: &str) -> Reply {
    let path = format!("/api/v1/members/{}/contacts/{contact}/suspension", member.membership);
    town.send("DELETE", &path, Some(&by.token(town)), None, &[]).await
}

/// Accept M18, from end to end: a message, its return, the other channel, the list, one click, and the next message.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_bounces_is_left_out_and_shown_until_one_click_takes_it_back() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        let gone = &hood.members[0];
        sent(town, &hood, quiet("meeting")).await;
        assert_eq!(fates(town, gone).await, words(["accepted", "not_chosen"]));
        comes_back(town, gone, UNKNOWN_USER).await;
        assert!(!is_suspended(town, gone).await, "the minute's duty draws the conclusion");
        town.minute_passes().await;

        // Not urgent: the other channel takes over. Urgent: the other channel had its turn anyway.
        sent(town, &hood, quiet("meeting")).await;
        assert_eq!(fates(town, gone).await, words(["suspended_endpoint", "accepted"]));
        assert_eq!(fates(town, &hood.members[1]).await, words(["accepted", "not_chosen"]));
        let urgent = sent(town, &hood, burglary()).await;
        assert_eq!(fates(town, gone).await, words(["suspended_endpoint", "accepted"]));
        let shown = progress(town, &hood.coordinator, &urgent).await.to_string();
        assert!(shown.contains("suppressed"), "{shown}");

        // The coordinator sees who, by what, since when and why; masked (security 2.4).
        let rows = unreachable_by(town, &hood, &hood.coordinator, "email").await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!((&rows[0]["id"], &rows[0]["unreachable_by"]), (&json!(gone.membership), &json!(["email"])));
        assert!(!rows[0].to_string().contains(&gone.email));
        assert!(unreachable_by(town, &hood, &hood.deputy, "sms").await.is_empty());
        assert_eq!(seen(town, &hood, gone).await["unreachable_by"], json!(["email"]));
        let contact = email_of(town, &hood, gone).await;
        assert_eq!((&contact["state"], &contact["suspended_for"]), (&json!("invalid"), &json!("bounced")));
        assert!(contact["masked"].as_str().unwrap().contains("***"));

        // One click, and the next message goes again.
        let id = contact["id"].as_str().unwrap();
        let view = clears(town, &hood.coordinator, gone, id).await.expect(200);
        assert_eq!(view.json["unreachable_by"], json!([]));
        assert!(unreachable_by(town, &hood, &hood.coordinator, "email").await.is_empty());
        sent(town, &hood, quiet("meeting")).await;
        assert_eq!(fates(town, gone).await, words(["accepted", "not_chosen"]));
        let recorded: i64 = town
            .db(|tx| {
                Ok(decisions::table
                    .filter(decisions::permission.eq("ClearSuspension"))
                    .filter(decisions::outcome.eq("allowed"))
                    .count()
                    .get_result(tx.db())?)
            })
            .await;
        assert_eq!(recorded, 1);
        // A second click changes nothing, and what had failed before no longer counts.
        clears(town, &hood.deputy, gone, id).await.expect(200);
        comes_back(town, &hood.members[2], STILL_TRYING).await;
        town.minute_passes().await;
        assert!(unreachable_by(town, &hood, &hood.officer, "email").await.is_empty());
    })
    .await;
}
/// Security 2.4: those who keep the list, and nobody else can tell that the contact exists.
#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_keep_the_list_say_that_a_contact_works_again() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let gone = &hood.members[0];
        fails(town, gone, UNKNOWN_USER).await;
        let contact = email_of(town, &hood, gone).await["id"].as_str().unwrap().to_owned();
        for stranger in [&hood.coordinator_of_second, &hood.municipality, &hood.officer_elsewhere, &hood.steering] {
            clears(town, stranger, gone, &contact).await.expect(404);
        }
        // Another member's contact, and one of nobody.
        let other = email_of(town, &hood, &hood.members[1]).await["id"].as_str().unwrap().to_owned();
        for absent in [other, Id::<of::ContactPoint>::new().to_string(), "x".to_owned()] {
            clears(town, &hood.coordinator, gone, &absent).await.expect(404);
        }
        assert!(is_suspended(town, gone).await);
        clears(town, &hood.officer, gone, &contact).await.expect(200);
        assert!(!is_suspended(town, gone).await);
        let path = format!("/api/v1/partnerships/{}/members", hood.partnership);
        town.get(&format!("{path}?unreachable_by=post"), &hood.coordinator.token(town)).await.expect(422);
        hood.municipality.gets(town, &format!("{path}?unreachable_by=email")).await.expect(403);
    })
    .await;
}
/// Accept M18: three different days within a month.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_is_given_up_on_the_third_day() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let full = &hood.members[0];
        for _ in 0..3 {
            fails(town, full, MAILBOX_FULL).await;
        }
        town.passes(DAY);
        fails(town, full, MAILBOX_FULL).await;
        assert!(!is_suspended(town, full).await, "two days");
        // A mail that the relay took meanwhile proves nothing: the count goes on.
        writes_to(town, full).await;
        town.passes(DAY);
        fails(town, full, LOOKS_LIKE_SPAM).await;
        fails(town, full, STILL_TRYING).await;
        assert!(!is_suspended(town, full).await, "what is not the member's does not count");
        fails(town, full, MAILBOX_FULL).await;
        let contact = email_of(town, &hood, full).await;
        assert_eq!(contact["suspended_for"], "keeps_failing");

        // What failed before it was taken back, or more than a month ago, no longer counts.
        clears(town, &hood.coordinator, full, contact["id"].as_str().unwrap()).await.expect(200);
        for _ in 0..2 {
            fails(town, full, MAILBOX_FULL).await;
            town.passes(DAY);
        }
        assert!(!is_suspended(town, full).await);
        town.passes(DAY * 29);
        fails(town, full, MAILBOX_FULL).await;
        assert!(!is_suspended(town, full).await);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_comes_late_does_not_undo_what_somebody_has_said_since() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let member = &hood.members[0];
        let (first, second) = (writes_to(town, member).await, writes_to(town, member).await);
        town.comes_back(&town.return_address(first), postfix(UNKNOWN_USER)).await.expect(204);
        town.minute_passes().await;
        let contact = email_of(town, &hood, member).await["id"].as_str().unwrap().to_owned();
        clears(town, &hood.coordinator, member, &contact).await.expect(200);
        town.passes(DAY);
        town.comes_back(&town.return_address(second), postfix(UNKNOWN_USER)).await.expect(204);
        town.minute_passes().await;
        assert!(!is_suspended(town, member).await, "it was sent before");
        fails(town, member, UNKNOWN_USER).await;
        assert!(is_suspended(town, member).await);

        // Its owner confirms it again.
        let id = Id::parse(&contact).unwrap();
        let code = town.db(move |tx| people::issue_code(tx, id, DAY)).await;
        assert_eq!(town.db(move |tx| people::try_code(tx, id, &code)).await, people::CodeOutcome::Right);
        assert!(!is_suspended(town, member).await);
        town.minute_passes().await;
        assert!(!is_suspended(town, member).await);

        // Another address of the same member begins with a clean sheet.
        fails(town, member, UNKNOWN_USER).await;
        let membership = member.membership;
        town.db(move |tx| {
            let person = memberships::table.find(membership).select(memberships::person_id).first(tx.db())?;
            let kind = people::ContactKind::Email;
            people::add_contact(tx, person, kind, "new@lion.example", people::ContactState::Verified).map(drop)
        })
        .await;
        town.comes_back(&town.return_address(first), postfix(MAILBOX_FULL)).await.expect(204);
        town.minute_passes().await;
        assert!(!is_suspended(town, member).await);
    })
    .await;
}
/// A household with one address is written to once; the dead address must not be tried again in another's name.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_two_share_is_suspended_for_both() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let first = &hood.members[0];
        let shared = EmailAddress::parse(&first.email.to_uppercase()).unwrap();
        let second = hood.enters(town, |new| new.email = Some(shared)).await;
        fails(town, first, UNKNOWN_USER).await;
        assert!(is_suspended(town, first).await && is_suspended(town, &second).await);
        assert_eq!(unreachable_by(town, &hood, &hood.coordinator, "email").await.len(), 2);
    })
    .await;
}
/// Accept M18: a refusal at the hand-over counts as a return does; one that is our own fault does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_recipient_counts_and_a_refusal_of_us_does_not() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        let gone = &hood.members[0];
        town.post_office.smtp.behave(|relay| relay.answers_sender = Some("550 5.1.8 not from here"));
        sent(town, &hood, burglary()).await;
        town.passes(Duration::from_secs(2 * 3_600));
        town.delivers_everything().await;
        town.minute_passes().await;
        assert!(unreachable_by(town, &hood, &hood.coordinator, "email").await.is_empty());
        let refused = gone.email.clone();
        town.post_office.smtp.behave(|relay| {
            relay.answers_sender = None;
            relay.refuses = [refused].into();
        });
        sent(town, &hood, quiet("meeting")).await;
        town.minute_passes().await;
        let rows = unreachable_by(town, &hood, &hood.coordinator, "email").await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["id"], json!(gone.membership));
    })
    .await;
}
/// A gateway says "not delivered" and not why: three days, and one SMS that arrives takes it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_given_up_on_the_third_day_unless_one_sms_arrives() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let member = &hood.members[0];
        let report = async |code: u8| {
            sent(town, &hood, burglary()).await;
            let sms = town.post_office.sms().into_iter().rfind(|sms| sms.to == member.mobile).unwrap();
            assert_eq!(town.post_office.gateway.reports(&sms, code, "F").await, 204);
            town.minute_passes().await;
            town.passes(DAY);
            unreachable_by(town, &hood, &hood.coordinator, "sms").await.len()
        };
        assert_eq!([report(2).await, report(2).await], [0, 0]);
        assert_eq!([report(1).await, report(2).await, report(16).await], [0, 0, 0], "the handset had it");
        assert_eq!(report(2).await, 1);
        sent(town, &hood, burglary()).await;
        assert_eq!(fates(town, member).await, words(["accepted", "suspended_endpoint"]));
    })
    .await;
}
/// A relay on a block list is answered "no such user" for everybody: nobody is suspended, the first ones are taken back,
/// and somebody is told.
#[tokio::test(flavor = "multi_thread")]
async fn when_most_of_a_message_comes_back_nobody_is_suspended() {
    on_both(async |town| {
        let hood = town.neighbourhood(9).await;
        sent(town, &hood, quiet("meeting")).await;
        for (number, member) in hood.members.iter().enumerate().take(6) {
            comes_back(town, member, UNKNOWN_USER).await;
            town.minute_passes().await;
            let suspended = unreachable_by(town, &hood, &hood.coordinator, "email").await.len();
            assert_eq!(suspended, if number < 4 { number + 1 } else { 0 }, "after {}", number + 1);
        }
        // It is forgotten for good: one soft failure later is one soft failure.
        fails(town, &hood.members[0], MAILBOX_FULL).await;
        assert!(!is_suspended(town, &hood.members[0]).await);
        fails(town, &hood.members[0], UNKNOWN_USER).await;
        assert!(is_suspended(town, &hood.members[0]).await);
    })
    .await;
}
/// Who applies and mistypes the address is not "suspended": nobody has shown yet that it is theirs.
#[tokio::test(flavor = "multi_thread")]
async fn an_unconfirmed_address_stays_unconfirmed() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let member = &hood.members[0];
        let membership = member.membership;
        town.db(move |tx| {
            let person: Id<of::Person> =
                memberships::table.find(membership).select(memberships::person_id).first(tx.db())?;
            diesel::update(contact_points::table.filter(contact_points::person_id.eq(person)))
                .set(contact_points::state.eq("unverified"))
                .execute(tx.db())?;
            Ok(())
        })
        .await;
        fails(town, member, UNKNOWN_USER).await;
        assert_eq!(email_of(town, &hood, member).await["state"], "unverified");
    })
    .await;
}
/// Two nodes do the minute's duties at once; and what is old is forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn the_duty_may_run_twice_at_once_and_forgets() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let delivery = writes_to(town, &hood.members[0]).await;
        town.comes_back(&town.return_address(delivery), postfix(UNKNOWN_USER)).await.expect(204);
        let (a, b) = tokio::join!(
            town.database.writing(vigie::members::suspend_unreachable),
            town.database.writing(vigie::members::suspend_unreachable)
        );
        assert_eq!(a.unwrap() + b.unwrap(), 1);
        let known = async || town.db(|tx| Ok(endpoint_faults::table.count().get_result::<i64>(tx.db())?)).await;
        assert_eq!(known().await, 1);
        town.passes(DAY * 91);
        town.minute_passes().await;
        assert_eq!(known().await, 0);
    })
    .await;
}
