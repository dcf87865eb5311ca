//! What becomes of an attempt: taken, later, never, or nobody knows.

use std::time::Duration;

use vigie::delivery::{Channel, LEASE, Lane, State, cancel};

use super::desk::{HOUR, attempts_of, claims, mail, post, reasons_name_nobody, row, states, text};
use crate::support::database::Kind;
use crate::support::post_office::{AfterMail, SmsManners};
use crate::support::returned::{BOUNCES, UNKNOWN_USER, postfix};
use crate::support::{Town, on_both};

fn outcomes(attempts: &[(Option<String>, Option<String>)]) -> Vec<&str> {
    attempts.iter().map(|(outcome, _)| outcome.as_deref().unwrap_or("open")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_recipient_is_final_and_the_reason_is_a_code() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| {
            relay.refuses.insert("member2@example.be".into());
        });
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 3, HOUR).await;
        town.delivers_everything().await;
        assert_eq!(states(town, batch).await, [(State::Accepted, 2), (State::Failed, 1)].into());
        let refused = super::desk::rows(town, batch).await.into_iter().find(|row| row.state == State::Failed).unwrap();
        assert_eq!((refused.reason.as_deref(), refused.attempts), (Some("550 5.1.1"), 1));
        town.passes(HOUR / 2);
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), 2, "never again");
        reasons_name_nobody(town).await;
    })
    .await;
}

/// A server that greylists knows a mail by its sender and recipient: the sender of the second try is that of the first. What
/// comes back to it is of the one that was taken.
#[tokio::test(flavor = "multi_thread")]
async fn greylisting_is_met_by_the_ladder() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = &Town::start_with(kind, |config| config.email.bounce_address = BOUNCES.to_owned()).await;
        town.post_office.smtp.behave(|relay| relay.greylists = true);
        let batch = mail(town).await;
        town.delivers_everything().await;
        assert_eq!(row(town, batch).await.state, State::Deferred);
        town.passes(Duration::from_millis(900));
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), 0, "not before its time");
        town.passes(Duration::from_millis(1_200));
        town.delivers_everything().await;
        let taken = row(town, batch).await;
        assert_eq!((taken.state, taken.attempts, taken.reason), (State::Accepted, 2, None));
        assert_eq!(outcomes(&attempts_of(town, taken.id).await), ["deferred", "accepted"]);
        reasons_name_nobody(town).await;
        assert_eq!(town.post_office.mails()[0].sender, town.return_address(taken.id));
        town.comes_back(&town.return_address(taken.id), postfix(UNKNOWN_USER)).await.expect(204);
        assert_eq!(row(town, batch).await.state, State::Failed);
    }
}

/// Accept M8: validity.
#[tokio::test(flavor = "multi_thread")]
async fn past_the_validity_it_is_expired_and_never_sent() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Says("451 4.3.0 member1@example.be later"));
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 1, Duration::from_secs(60)).await;
        for _ in 0..12 {
            town.delivers_everything().await;
            town.passes(Duration::from_secs(10));
        }
        let expired = row(town, batch).await;
        assert_eq!((expired.state, expired.reason.as_deref()), (State::Expired, Some("451 4.3.0")));
        assert!(expired.attempts >= 3, "{}", expired.attempts);
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Accepts);
        town.passes(HOUR);
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), 0);
        reasons_name_nobody(town).await;
    })
    .await;
}

/// Accept M6: the same identity, once more, and then it says what is not known.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_answer_never_came_is_repeated_once_under_the_same_name() {
    on_both(async |town| {
        // Greylisted first: that attempt must not count against the repeat.
        town.post_office.smtp.behave(|relay| (relay.greylists, relay.after_mail) = (true, AfterMail::HangsUp));
        let batch = mail(town).await;
        town.delivers_everything().await;
        town.passes(Duration::from_secs(2));
        town.delivers_everything().await;
        assert_eq!((row(town, batch).await.state, town.post_office.mails().len()), (State::Unknown, 1));
        town.passes(Duration::from_secs(6));
        town.delivers_everything().await;
        let settled = row(town, batch).await;
        assert_eq!((settled.state, settled.attempts), (State::Accepted, 3));
        assert!(settled.reason.as_deref().unwrap().starts_with("no answer: "), "{:?}", settled.reason);
        assert_eq!(outcomes(&attempts_of(town, settled.id).await), ["deferred", "unknown", "unknown"]);
        town.passes(HOUR / 2);
        town.delivers_everything().await;
        let names: Vec<_> = town.post_office.mails().iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
        assert_eq!(names.len(), 2);
        assert_eq!(names[0], names[1]);
        reasons_name_nobody(town).await;
    })
    .await;
}

/// Accept M5, M6, M12: an answer that never came, or a courier that died, and then "later" until the end: it may have
/// arrived, so nobody says that it was never sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_is_not_called_unsent_whatever_comes_after() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::HangsUp);
        let over = post(town, Channel::Email, Lane::Urgent, "member", 1, Duration::from_secs(60)).await;
        town.delivers_everything().await;
        assert_eq!(row(town, over).await.state, State::Unknown);
        let stopped = post(town, Channel::Email, Lane::Urgent, "other", 1, HOUR).await;
        assert_eq!(claims(town, Channel::Email, 1).await.1.len(), 1);
        town.passes(LEASE);
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Says("451 4.3.0 later"));
        town.delivers_everything().await;
        for batch in [over, stopped] {
            let row = row(town, batch).await;
            assert_eq!((row.state, row.attempts, row.reason.as_deref()), (State::Unknown, 2, Some("451 4.3.0")));
        }
        assert_eq!(town.db(move |tx| cancel(tx, stopped, "stopped")).await, 0);
        for _ in 0..6 {
            town.passes(Duration::from_secs(10));
            town.delivers_everything().await;
        }
        for (batch, reason) in [(over, "no answer: 451 4.3.0"), (stopped, "no answer: stopped")] {
            let row = row(town, batch).await;
            assert_eq!((row.state, row.reason.as_deref()), (State::Accepted, Some(reason)));
        }
        assert_eq!(outcomes(&attempts_of(town, row(town, stopped).await.id).await), ["lost", "deferred"]);
        reasons_name_nobody(town).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_asks_for_more_time_than_there_is_does_not_end_the_message() {
    on_both(async |town| {
        town.post_office.gateway.behave(SmsManners::Says(503, "Retry-After: 86400\r\n", String::new()));
        let batch = text(town).await;
        town.delivers_everything().await;
        assert_eq!(row(town, batch).await.state, State::Deferred);
        town.post_office.gateway.behave(SmsManners::Accepts);
        // It is left alone for a minute, and not for a day.
        town.passes(Duration::from_secs(30));
        town.delivers_everything().await;
        assert_eq!(row(town, batch).await.state, State::Deferred);
        town.passes(Duration::from_secs(31));
        town.delivers_everything().await;
        assert_eq!(row(town, batch).await.state, State::Accepted);
    })
    .await;
}
