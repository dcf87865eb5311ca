//! Mails that come back (accept M10, M11, M18; security T28).

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use vigie::delivery::retry::Verdict as Becomes;
use vigie::delivery::{AttemptsProof, Channel, Lane, State, dead_letters_of, prove, requeue, settle};
use vigie::on_either;
use vigie::storage::schema::{deliveries, endpoint_faults, receipts};
use vigie::values::{Id, Timestamp};

use super::desk::{HOUR, claims, kept, mail, post, reasons_name_nobody, row, rows, settled_as, states, text};
use super::plans::plans;
use crate::support::database::Kind;
use crate::support::post_office::AfterMail;
use crate::support::returned::{
    BOUNCES, LOOKS_LIKE_SPAM, MAILBOX_FULL, STILL_TRYING, UNKNOWN_USER, Verdict, exchange, exim, gmail, postfix, prose,
    vacation,
};
use crate::support::{Town, on_both};

/// Sends one mail; its delivery.
async fn sent(town: &Town) -> (uuid::Uuid, i64) {
    let batch = mail(town).await;
    town.delivers_everything().await;
    (batch, row(town, batch).await.id)
}
/// What is held against addresses, by delivery: kind and reason.
async fn faults(town: &Town) -> Vec<(i64, String, String)> {
    town.minute_passes().await;
    town.db(|tx| {
        Ok(endpoint_faults::table
            .order(endpoint_faults::delivery_id)
            .select((endpoint_faults::delivery_id, endpoint_faults::kind, endpoint_faults::reason))
            .load(tx.db())?)
    })
    .await
}
/// Nothing of what came back is kept but codes.
async fn receipts_name_nobody(town: &Town) {
    let kept: Vec<(String, String, String, Option<String>)> = town
        .db(|tx| {
            let columns = (receipts::provider, receipts::level, receipts::code, receipts::reference);
            Ok(receipts::table.select(columns).load(tx.db())?)
        })
        .await;
    for (provider, level, code, reference) in kept {
        assert_eq!((provider.as_str(), reference), ("dsn", None));
        assert!(code.len() <= 11 && level.len() <= 9, "{level} {code}");
        assert!(code == "none" || code.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'), "{code}");
    }
    reasons_name_nobody(town).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mail_server_is_understood_by_its_codes_alone() {
    let failed = |status, diagnostic| Verdict { action: "failed", status, diagnostic };
    let table = [
        ("Postfix: no such user", postfix(UNKNOWN_USER), State::Failed, ("failed", "5.1.1"), Some("hard")),
        ("Postfix: full", postfix(MAILBOX_FULL), State::Failed, ("failed", "5.2.2"), Some("soft")),
        ("Postfix: given up", postfix(failed("4.4.1", "x")), State::Failed, ("failed", "4.4.1"), Some("soft")),
        ("Postfix: our text", postfix(LOOKS_LIKE_SPAM), State::Failed, ("failed", "5.7.1"), None),
        ("Postfix: not yet", postfix(STILL_TRYING), State::Accepted, ("delayed", "4.4.1"), None),
        (
            "Postfix: arrived",
            postfix(Verdict { action: "delivered", status: "2.0.0", diagnostic: "250 2.0.0 ok" }),
            State::AtOperator,
            ("delivered", "2.0.0"),
            None,
        ),
        ("Exim: no such user", exim(UNKNOWN_USER), State::Failed, ("failed", "5.1.1"), Some("hard")),
        ("Exim: no more than 550", exim(failed("", "550 No.")), State::Failed, ("failed", "550"), Some("soft")),
        ("Exim: our text", exim(failed("", "554 Spam")), State::Failed, ("failed", "554"), None),
        (
            "Exchange: no such user",
            exchange("5.1.10", "RESOLVER.ADR.RecipientNotFound; Recipient an@nowhere.example not found"),
            State::Failed,
            ("failed", "5.1.10"),
            Some("hard"),
        ),
        (
            "Office 365: turned away at the edge",
            exchange("5.4.1", "Recipient address rejected: Access denied."),
            State::Failed,
            ("failed", "5.4.1"),
            Some("soft"),
        ),
        (
            "Office 365: our good name",
            exchange("5.7.511", "Access denied, banned sender"),
            State::Failed,
            ("failed", "5.7.511"),
            None,
        ),
        ("Gmail: no such user", gmail("5.1.1"), State::Failed, ("failed", "5.1.1"), Some("hard")),
        ("Gmail: disabled", gmail("5.2.1"), State::Failed, ("failed", "5.2.1"), Some("hard")),
        ("Gmail: full", gmail("4.2.2"), State::Failed, ("failed", "4.2.2"), Some("soft")),
        ("qmail: prose is not guessed at", prose(), State::Accepted, ("unknown", "none"), None),
    ];
    on_both(async |town| {
        let mut blamed = Vec::new();
        for (what, mail, state, (level, code), kind) in table.clone() {
            let (batch, delivery) = sent(town).await;
            town.comes_back(&town.return_address(delivery), mail).await.expect(204);
            let row = row(town, batch).await;
            assert_eq!(row.state, state, "{what}");
            let reason = (state == State::Failed).then(|| format!("dsn {code}"));
            assert_eq!(row.reason, reason, "{what}");
            assert_eq!(kept(town, delivery).await, [(level.to_owned(), code.to_owned())], "{what}");
            blamed.extend(kind.map(|kind| (delivery, kind.to_owned(), format!("dsn {code}"))));
        }
        assert_eq!(faults(town).await, blamed);
        receipts_name_nobody(town).await;
    })
    .await;
}

/// Accept M18: from the envelope of a real hand-over to its return.
#[tokio::test(flavor = "multi_thread")]
async fn every_mail_leaves_with_an_address_of_its_own_to_come_back_to() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start_with(kind, |config| config.email.bounce_address = BOUNCES.to_owned()).await;
        let batch = post(&town, Channel::Email, Lane::Urgent, "member", 2, HOUR).await;
        town.delivers_everything().await;
        for row in rows(&town, batch).await {
            let wanted = town.return_address(row.id);
            let mail = town.post_office.mails().into_iter().find(|mail| mail.sender == wanted).unwrap();
            assert!(mail.header("From").unwrap().contains(&town.config.email.from));
            town.comes_back(&mail.sender, postfix(UNKNOWN_USER)).await.expect(204);
        }
        assert!(rows(&town, batch).await.iter().all(|row| row.state == State::Failed));
        town.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_on_holiday_changes_nothing() {
    on_both(async |town| {
        let (batch, delivery) = sent(town).await;
        town.comes_back(&town.return_address(delivery), vacation()).await.expect(204);
        assert_eq!((row(town, batch).await.state, kept(town, delivery).await.len()), (State::Accepted, 0));
    })
    .await;
}

/// Security T28: only an address of our making is believed, whatever the mail says.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_address_changes_nothing_and_is_not_told_so() {
    on_both(async |town| {
        let (batch, delivery) = sent(town).await;
        let right = town.return_address(delivery);
        let code = right.split_once('-').unwrap().1;
        let flipped = code.strip_prefix('0').map_or_else(|| format!("0{}", &code[1..]), |rest| format!("1{rest}"));
        for forged in [
            format!("bounces+{}-{code}", delivery + 1),
            format!("bounces+{delivery}-{flipped}"),
            "bounces@plp.example".to_owned(),
            "an@nowhere.example".to_owned(),
            town.return_address(987_654_321),
        ] {
            town.comes_back(&forged, postfix(UNKNOWN_USER)).await.expect(204);
        }
        assert_eq!((row(town, batch).await.state, kept(town, delivery).await.len()), (State::Accepted, 0));
        // The address of a delivery by SMS opens nothing: none was ever made.
        let sms = text(town).await;
        town.delivers_everything().await;
        let sms = row(town, sms).await;
        town.comes_back(&town.return_address(sms.id), postfix(UNKNOWN_USER)).await.expect(204);
        assert_eq!(kept(town, sms.id).await, []);
        // As the mail server's pipe writes it, and as a careful one would.
        town.comes_back(&right.replace('+', "%2B").replace('@', "%40"), postfix(STILL_TRYING)).await.expect(204);
        town.comes_back(&right.to_uppercase(), postfix(UNKNOWN_USER)).await.expect(204);
        assert_eq!(row(town, batch).await.state, State::Failed);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_mail_is_refused_and_never_our_fault() {
    on_both(async |town| {
        let (batch, delivery) = sent(town).await;
        let to = town.return_address(delivery);
        for garbage in [vec![], vec![0; 100], vec![0xFF; 5_000], b"hello".to_vec(), b"{}".to_vec()] {
            town.comes_back(&to, garbage).await.problem(400, "unreadable");
        }
        town.comes_back(&to, vec![b'a'; 300_000]).await.problem(413, "too-large");
        let hook = vigie::delivery::returned_mail_url(&town.config, town.database.keys());
        let hook = hook.strip_prefix(&town.base).unwrap();
        let (media, mail) = ([("content-type", "message/rfc822")], postfix(UNKNOWN_USER));
        for (path, media, status) in [
            (hook.to_owned(), &media[..], 422),
            (format!("{hook}?to="), &media[..], 422),
            (format!("{hook}?to={to}&from=x"), &media[..], 422),
            (format!("{hook}?to={to}"), &[("content-type", "text/plain")][..], 415),
            (format!("{hook}x?to={to}"), &media[..], 404),
            (format!("/hooks/mail/{}?to={to}", "A".repeat(43)), &media[..], 404),
        ] {
            let status_of = town.raw("POST", &path, None, media, mail.clone()).await.status().as_u16();
            assert_eq!(status_of, status, "{path}");
        }
        assert_eq!((row(town, batch).await.state, kept(town, delivery).await.len()), (State::Accepted, 0));
    })
    .await;
}

/// Accept M10.
#[tokio::test(flavor = "multi_thread")]
async fn twice_is_once_and_the_order_does_not_matter() {
    on_both(async |town| {
        let (batch, delivery) = sent(town).await;
        let to = town.return_address(delivery);
        for _ in 0..3 {
            town.comes_back(&to, postfix(UNKNOWN_USER)).await.expect(204);
            town.comes_back(&to, postfix(STILL_TRYING)).await.expect(204);
        }
        let word = |level: &str, code: &str| (level.to_owned(), code.to_owned());
        assert_eq!(kept(town, delivery).await, [word("failed", "5.1.1"), word("delayed", "4.4.1")]);
        let failed = row(town, batch).await;
        assert_eq!((failed.state, failed.reason.as_deref()), (State::Failed, Some("dsn 5.1.1")));
        let settled = failed.settled_at;
        town.passes(HOUR);
        town.comes_back(&to, gmail("5.2.1")).await.expect(204);
        assert_eq!(row(town, batch).await.settled_at, settled, "it had failed already");
        assert_eq!(faults(town).await, [(delivery, "hard".to_owned(), "dsn 5.1.1".to_owned())]);
        // "Delivered" after "failed" is the weaker word, in either order.
        let delivered = postfix(Verdict { action: "delivered", status: "2.0.0", diagnostic: "250 ok" });
        town.comes_back(&to, delivered.clone()).await.expect(204);
        assert_eq!(row(town, batch).await.state, State::Failed);
        let (other, number) = sent(town).await;
        town.comes_back(&town.return_address(number), delivered).await.expect(204);
        town.comes_back(&town.return_address(number), postfix(MAILBOX_FULL)).await.expect(204);
        assert_eq!(row(town, other).await.state, State::Failed);
    })
    .await;
}
/// Whoever holds an address of ours may write to it as often as they like.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_different_reports_is_bounded() {
    on_both(async |town| {
        let (_, delivery) = sent(town).await;
        let to = town.return_address(delivery);
        for number in 0..40 {
            let status: &'static str = Box::leak(format!("4.4.{number}").into_boxed_str());
            let said = Verdict { action: "delayed", status, diagnostic: "later" };
            town.comes_back(&to, postfix(said)).await.expect(204);
        }
        assert_eq!(kept(town, delivery).await.len(), 20);
    })
    .await;
}
/// Accept M6, M10: the answer to the hand-over got lost, and the mail has come back meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_came_back_before_its_repeat_is_not_sent_again() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::HangsUp);
        let (batch, delivery) = sent(town).await;
        assert_eq!(row(town, batch).await.state, State::Unknown);
        town.comes_back(&town.return_address(delivery), postfix(UNKNOWN_USER)).await.expect(204);
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Accepts);
        town.passes(HOUR / 2);
        town.delivers_everything().await;
        assert_eq!((row(town, batch).await.state, town.post_office.mails().len()), (State::Failed, 1));
    })
    .await;
}

/// Accept M18: what is ours is not held against anybody, and neither is anything noted twice.
#[tokio::test(flavor = "multi_thread")]
async fn faults_are_noted_once_from_every_way_a_delivery_fails() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| relay.refuses = ["gone1@example.be".to_owned()].into());
        let gone = post(town, Channel::Email, Lane::Urgent, "gone", 2, HOUR).await;
        town.delivers_everything().await;
        let gone = rows(town, gone).await;
        assert_eq!(gone.iter().map(|row| row.state).collect::<Vec<_>>(), [State::Failed, State::Accepted]);
        // The relay does not want us at all.
        town.post_office.smtp.behave(|relay| relay.answers_sender = Some("550 5.1.8 not from here"));
        let ours = post(town, Channel::Email, Lane::Urgent, "ours", 3, Duration::from_secs(10)).await;
        town.delivers_everything().await;
        town.passes(Duration::from_secs(20));
        town.delivers_everything().await;
        assert!(rows(town, ours).await.iter().all(|row| row.state == State::Expired));
        town.post_office.smtp.behave(|relay| relay.answers_sender = None);
        let sms = text(town).await;
        town.delivers_everything().await;
        let report = town.post_office.sms().pop().unwrap();
        assert_eq!(town.post_office.gateway.reports(&report, 2, "F").await, 200);
        let sms = row(town, sms).await.id;
        let reason = gone[0].reason.clone().unwrap();
        assert!(reason.starts_with("550"), "{reason}");
        let expected = [(gone[0].id, "hard".to_owned(), reason), (sms, "soft".to_owned(), "report 2".to_owned())];
        for _ in 0..3 {
            assert_eq!(faults(town).await, expected);
        }
        reasons_name_nobody(town).await;
    })
    .await;
}
/// The dead letters of a batch go out again, to where they went before.
async fn goes_out_again(town: &Town, batch: uuid::Uuid) {
    town.db(move |tx| {
        let letters = dead_letters_of(tx, batch, None)?;
        let again: Vec<_> = letters.into_iter().map(|letter| (letter, "member1@example.be".to_owned())).collect();
        assert!(!again.is_empty());
        let now = tx.now()?;
        requeue(tx, batch, &again, now)
    })
    .await;
    town.delivers_everything().await;
}
/// Accept N1: the bytes of what went to the old address cannot be made again; that is not a forgery.
#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_address_does_not_look_like_a_forgery() {
    on_both(async |town| {
        for (address, equal, forgotten) in [("member1@example.be", 2, 0), ("corrected@example.be", 1, 1)] {
            let (batch, delivery) = sent(town).await;
            town.comes_back(&town.return_address(delivery), postfix(UNKNOWN_USER)).await.expect(204);
            assert_eq!(row(town, batch).await.state, State::Failed);
            town.db(move |tx| {
                let dead = dead_letters_of(tx, batch, None)?;
                let again: Vec<_> = dead.into_iter().map(|letter| (letter, address.to_owned())).collect();
                let now = tx.now()?;
                requeue(tx, batch, &again, now)
            })
            .await;
            town.delivers_everything().await;
            assert_eq!(town.post_office.mails().last().unwrap().to(), address);
            let config = town.config.clone();
            let proof = town.db(move |tx| prove(tx, &config, batch)).await;
            let wanted = AttemptsProof { equal, forgotten, ..AttemptsProof::default() };
            assert_eq!(proof.attempts, [("smtp".to_owned(), wanted)], "{address}");
        }
    })
    .await;
}
/// More than SQLite takes binds in a statement.
#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_dead_letters_can_be_put_back() {
    on_both(async |town| {
        const MANY: usize = 33_000;
        let batch = post(town, Channel::Sms, Lane::Urgent, "", MANY, HOUR).await;
        let (found, requeued) = town
            .db(move |tx| {
                let now = tx.now()?;
                diesel::update(deliveries::table)
                    .set((
                        deliveries::state.eq(State::Failed),
                        deliveries::due_at.eq(None::<Timestamp>),
                        deliveries::settled_at.eq(Some(now)),
                    ))
                    .execute(tx.db())?;
                let dead = dead_letters_of(tx, batch, None)?;
                let found = dead.len();
                let again: Vec<_> = dead.into_iter().map(|letter| (letter, "+32470999999".to_owned())).collect();
                Ok((found, requeue(tx, batch, &again, now)?))
            })
            .await;
        assert_eq!((found, requeued), (MANY, MANY));
        assert_eq!(states(town, batch).await, [(State::Queued, i64::try_from(MANY).unwrap())].into());
        assert_eq!(claims(town, Channel::Sms, 1).await.1[0].address, "+32470999999");
    })
    .await;
}

/// Accept M10, M11: put back into the queue it is another attempt, with an address of its own, and what comes back of it is
/// another word, though it says the same. What is said again, or differently, of the one before is held against nobody.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_counts_for_the_attempt_that_it_names() {
    on_both(async |town| {
        let (batch, delivery) = sent(town).await;
        let (first, second) = (town.return_address(delivery), town.return_address_of(delivery, 2));
        town.comes_back(&first, postfix(UNKNOWN_USER)).await.expect(204);
        assert_eq!(row(town, batch).await.state, State::Failed);
        goes_out_again(town, batch).await;
        assert_eq!(row(town, batch).await.attempts, 2);
        for late in [UNKNOWN_USER, MAILBOX_FULL] {
            town.comes_back(&first, postfix(late)).await.expect(204);
            assert_eq!(row(town, batch).await.state, State::Accepted, "the second is with the member");
        }
        assert_eq!(kept(town, delivery).await.len(), 2, "kept as it came");
        for _ in 0..3 {
            town.comes_back(&second, postfix(UNKNOWN_USER)).await.expect(204);
            let failed = row(town, batch).await;
            assert_eq!((failed.state, failed.reason.as_deref()), (State::Failed, Some("dsn 5.1.1")));
        }
        assert_eq!(kept(town, delivery).await.len(), 3, "each attempt's once");
    })
    .await;
}
/// Accept M11: a relay may say at once what became of a mail, before its own "yes" is written down.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_comes_back_before_the_attempt_is_settled_is_not_forgotten() {
    on_both(async |town| {
        let batch = mail(town).await;
        let (_, held) = claims(town, Channel::Email, 1).await;
        town.comes_back(&town.return_address(held[0].id), postfix(UNKNOWN_USER)).await.expect(204);
        assert_eq!(row(town, batch).await.state, State::Attempting, "it is not known yet whether anybody has it");
        let taken = settled_as(&held[0], Becomes::Final(State::Accepted, None));
        town.db(move |tx| settle(tx, &[taken])).await;
        let failed = row(town, batch).await;
        assert_eq!((failed.state, failed.reason.as_deref()), (State::Failed, Some("dsn 5.1.1")));
    })
    .await;
}
/// Accept M18: an address that fails again on another day counts again, and the message counts it once.
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_again_after_it_was_put_back_is_held_against_its_address_again() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| relay.refuses = ["member1@example.be".to_owned()].into());
        let (batch, delivery) = sent(town).await;
        let noted = |count: usize| vec![(delivery, "hard".to_owned(), "550 5.1.1".to_owned()); count];
        assert_eq!(faults(town).await, noted(1));
        goes_out_again(town, batch).await;
        assert_eq!(faults(town).await, noted(2));
        let counted =
            town.db(move |tx| vigie::delivery::failures_of_batch(tx, Id::from_uuid(batch), Channel::Email)).await;
        assert_eq!(counted, (1, 1));
    })
    .await;
}
/// The look costs what has failed since the last one, and not what has been sent: the very sentence that it says.
#[tokio::test(flavor = "multi_thread")]
async fn the_look_for_faults_goes_by_an_index_of_what_failed() {
    on_both(async |town| {
        post(town, Channel::Email, Lane::NonUrgent, "many", 3_000, HOUR).await;
        // As in life: most arrived this week, a tenth failed, most of them so long ago that nobody knows where they went.
        town.db(|tx| {
            let fail = "UPDATE deliveries SET state = 'accepted', due_at = NULL, settled_at = created_at; \
                UPDATE deliveries SET state = 'failed', \
                address = CASE WHEN id % 100 = 0 THEN address END WHERE id % 10 = 0";
            Ok(on_either!(tx, |c| c.batch_execute(fail))?)
        })
        .await;
        let plans: Vec<String> = town
            .db(|tx| {
                on_either!(tx, |c| c.batch_execute("ANALYZE"))?;
                plans(tx, "'failed', 'expired'", |tx| vigie::delivery::note_faults(tx).map(drop))
            })
            .await;
        let plan = plans.first().unwrap();
        assert!(plan.contains("deliveries_failed"), "{plan}");
        assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN deliveries") && !plan.contains("B-TREE"), "{plan}");
    })
    .await;
}
