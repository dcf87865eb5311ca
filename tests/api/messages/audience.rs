//! Who is left out, and that the preview, the queue and the figures give the same reason for each.

use std::time::Duration;

use diesel::prelude::*;
use serde_json::json;
use vigie::delivery::Channel;
use vigie::storage::schema::memberships;
use vigie::values::{EmailAddress, Id, Line, PhoneNumber, of};

use super::story::set_status;
use super::{HOUR, approves, burglary, mark, preview, quiet, reached, read, recipients, submitted, with};
use crate::support::{Neighbourhood, Town, on_both};

/// Sends it and looks: each of those expected is left out with this reason before, in the queue, and gets nothing.
async fn leaves_out(
    town: &Town,
    hood: &Neighbourhood,
    body: serde_json::Value,
    expected: &[(Id<of::Membership>, Channel, &str)],
) -> String {
    let message = submitted(town, hood, &hood.coordinator, body).await;
    let seen = preview(town, &hood.officer, &message).await;
    let mut wanted: Vec<(String, String, String)> = expected
        .iter()
        .map(|(who, channel, reason)| (who.to_string(), channel.as_str().to_owned(), (*reason).to_owned()))
        .collect();
    let word = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    let mut shown: Vec<_> = seen["audience"]["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (word(row, "membership"), word(row, "channel"), word(row, "reason")))
        .collect();
    approves(town, &hood.officer, &message).await.expect(202);
    let mut kept: Vec<_> = recipients(town, hood, &message)
        .await
        .into_iter()
        .filter(|row| row.2 == "suppressed")
        .map(|row| (row.0, row.1, row.3))
        .collect();
    for list in [&mut wanted, &mut shown, &mut kept] {
        list.sort();
    }
    assert_eq!(shown, wanted, "in the preview");
    assert_eq!(kept, wanted, "in the queue");
    message
}

/// Each reason in its words, none forgotten: suspended, paused, without a contact, stopped.
#[tokio::test(flavor = "multi_thread")]
async fn each_one_left_out_is_left_out_for_a_reason() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let paused = hood.enters(town, |_| {}).await.membership;
        set_status(town, paused, "paused").await;
        let suspended = hood.enters(town, |_| {}).await.membership;
        set_status(town, suspended, "suspended_provisional").await;
        let left = hood.enters(town, |_| {}).await;
        set_status(town, left.membership, "left").await;
        let without_mobile = hood.enters(town, |new| new.mobile = None).await.membership;
        let stopped = hood.enters(town, |_| {}).await;
        let id = stopped.membership;
        town.db(move |tx| {
            let now = tx.now()?;
            diesel::update(memberships::table.find(id))
                .set(memberships::email_stopped_at.eq(Some(now)))
                .execute(tx.db())?;
            Ok(())
        })
        .await;
        let since = mark(town);
        let (email, sms) = (Channel::Email, Channel::Sms);
        let expected = [
            (paused, email, "paused"),
            (paused, sms, "paused"),
            (suspended, email, "suspended"),
            (suspended, sms, "suspended"),
            (without_mobile, sms, "no_contact"),
            (stopped.membership, email, "stopped"),
        ];
        leaves_out(town, &hood, burglary(), &expected).await;
        town.delivers_everything().await;
        let (mails, texts) = reached(town, since);
        assert_eq!((mails.len(), texts.len()), (3, 3));
        assert!(!mails.contains(&left.email) && texts.contains(&stopped.mobile));
    })
    .await;
}
/// Ruling 3: no SMS at night for whoever chose so, and the mail all the same.
#[tokio::test(flavor = "multi_thread")]
async fn at_night_whoever_chose_so_gets_the_mail_alone() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let sleeper = hood.enters(town, |new| new.sms_at_night = false).await;
        leaves_out(town, &hood, burglary(), &[]).await;
        town.delivers_everything().await;
        town.passes(13 * HOUR);
        let since = mark(town);
        leaves_out(town, &hood, burglary(), &[(sleeper.membership, Channel::Sms, "night_choice")]).await;
        town.delivers_everything().await;
        let (mails, texts) = reached(town, since);
        assert!(mails.contains(&sleeper.email) && !texts.contains(&sleeper.mobile));
    })
    .await;
}
/// Ruling 3: one SMS for a dwelling where the plan says so; the mails go to each.
#[tokio::test(flavor = "multi_thread")]
async fn one_sms_for_a_dwelling_where_the_plan_says_so() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let number = Line::parse("7").unwrap();
        let first = hood.enters(town, |new| new.address.number = number.clone()).await;
        let second = hood.enters(town, |new| new.address.number = number.clone()).await;
        leaves_out(town, &hood, burglary(), &[]).await;
        town.delivers_everything().await;
        hood.agrees_on(town, |plan| plan.sms_per_dwelling = true).await;
        let since = mark(town);
        leaves_out(town, &hood, burglary(), &[(second.membership, Channel::Sms, "household")]).await;
        town.delivers_everything().await;
        let (mails, texts) = reached(town, since);
        assert!(mails.contains(&first.email) && mails.contains(&second.email));
        assert!(texts.contains(&first.mobile) && !texts.contains(&second.mobile));
    })
    .await;
}
/// Two members with one address or number get it once.
#[tokio::test(flavor = "multi_thread")]
async fn one_address_is_written_to_once() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let first = hood.enters(town, |_| {}).await;
        let second = hood
            .enters(town, |new| {
                new.email = Some(EmailAddress::parse(&first.email).unwrap());
                new.mobile = Some(PhoneNumber::parse(&first.mobile).unwrap());
            })
            .await
            .membership;
        let expected = [(second, Channel::Email, "duplicate"), (second, Channel::Sms, "duplicate")];
        let since = mark(town);
        leaves_out(town, &hood, burglary(), &expected).await;
        town.delivers_everything().await;
        assert_eq!(reached(town, since).0.len(), 2);
    })
    .await;
}
/// Ruling 3: what is not urgent takes the preferred channel, and the other where that one is missing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_urgent_takes_one_channel() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        let by_mail = hood.enters(town, |_| {}).await;
        let by_sms = hood.enters(town, |new| new.preferred_channel = Channel::Sms).await;
        let fallen_back = hood
            .enters(town, |new| {
                new.preferred_channel = Channel::Sms;
                new.mobile = None;
            })
            .await;
        let since = mark(town);
        let expected = [
            (by_mail.membership, Channel::Sms, "not_chosen"),
            (by_sms.membership, Channel::Email, "not_chosen"),
            (fallen_back.membership, Channel::Sms, "no_contact"),
        ];
        leaves_out(town, &hood, quiet("admin"), &expected).await;
        town.delivers_everything().await;
        let mut mails = vec![by_mail.email, fallen_back.email];
        mails.sort();
        assert_eq!(reached(town, since), (mails, vec![by_sms.mobile]));
    })
    .await;
}
/// Accept M13: an exercise carries its label everywhere and reaches only those who take part.
#[tokio::test(flavor = "multi_thread")]
async fn an_exercise_says_so_and_reaches_only_those_who_take_part() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let takes_part = hood.enters(town, |new| new.exercises = true).await;
        let absent = hood.members[0].membership;
        let since = mark(town);
        let body = with(burglary(), "mode", "exercise");
        let expected = [(absent, Channel::Email, "no_exercises"), (absent, Channel::Sms, "no_exercises")];
        let message = leaves_out(town, &hood, body, &expected).await;
        town.delivers_everything().await;
        assert_eq!(reached(town, since), (vec![takes_part.email.clone()], vec![takes_part.mobile.clone()]));
        let mails = town.post_office.mails();
        let (subject, text, html) = read(mails[since.0..].iter().find(|mail| mail.to() == takes_part.email).unwrap());
        assert!(subject.starts_with("EXERCICE") && text.starts_with("EXERCICE") && html.contains("EXERCICE"), "{text}");
        let sms = town.post_office.sms();
        let sms = sms[since.1..].iter().find(|sms| sms.to == takes_part.mobile).unwrap();
        assert!(sms.text.starts_with("EXERCICE"), "{}", sms.text);
        let code = super::shows(town, &hood.officer, &message).await.str("/short_code");
        assert_eq!(town.open_get(&format!("/api/v1/verify/{code}")).await.str("/state"), "exercise");
    })
    .await;
}
/// Ruling 6: the number of people is shown and recorded, not bound; whoever joins before the approval is reached.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_joins_before_the_approval_is_reached() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let seen = preview(town, &hood.officer, &message).await;
        let newcomer = hood.enters(town, |_| {}).await;
        hood.officer.steps_up(town).await;
        let done = hood.officer.posts(town, &super::at(&message, "approval"), super::approval(&seen)).await.expect(202);
        assert_eq!((&seen["audience"]["members"], &done.json["members"]), (&json!(2), &json!(3)));
        let late = hood.enters(town, |_| {}).await;
        town.passes(Duration::from_secs(1));
        town.delivers_everything().await;
        let (mails, _) = reached(town, (0, 0));
        assert!(mails.contains(&newcomer.email) && !mails.contains(&late.email));
    })
    .await;
}
