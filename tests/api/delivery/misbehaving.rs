//! Providers that misbehave: for each way of doing so, what the books say, how often a person was reached, and under
//! which name.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;
use vigie::delivery::breaker::Trust;
use vigie::delivery::{Channel, Lane, State};
use vigie::storage::schema::{attempts, deliveries, receipts};

use super::desk::{HOUR, attempts_of, mail, post, reasons_name_nobody, row, rows, states, text, until, waiting};
use crate::support::post_office::{AfterMail, SmsManners};
use crate::support::{Town, on_both};

/// Drives the couriers, ten seconds at a time, until nothing waits; never past the validity.
async fn settles(town: &Town, batch: Uuid) {
    for _ in 0..60 {
        town.delivers_everything().await;
        if states(town, batch).await.keys().all(|state| state.is_final()) {
            return;
        }
        town.passes(Duration::from_secs(10));
    }
    panic!("not settled in ten minutes: {:?}", states(town, batch).await);
}
/// How often each recipient's mail was taken, and that each knows one name only.
fn copies(town: &Town) -> BTreeMap<String, usize> {
    let (mut copies, mut names) = (BTreeMap::new(), HashMap::<String, HashSet<String>>::new());
    for mail in town.post_office.mails() {
        *copies.entry(mail.to().to_owned()).or_default() += 1;
        names.entry(mail.to().to_owned()).or_default().insert(mail.header("Message-ID").unwrap());
    }
    assert!(names.values().all(|names| names.len() == 1), "a repeat must be recognisable");
    assert_eq!(names.values().flatten().collect::<HashSet<_>>().len(), names.len(), "each has a name of its own");
    copies
}
/// How many attempts ended so.
async fn ended(town: &Town, outcome: &'static str) -> i64 {
    town.db(move |tx| Ok(attempts::table.filter(attempts::outcome.eq(Some(outcome))).count().get_result(tx.db())?))
        .await
}
async fn outcomes(town: &Town, batch: Uuid) -> Vec<String> {
    let row = row(town, batch).await;
    attempts_of(town, row.id).await.into_iter().map(|(outcome, _)| outcome.unwrap_or_else(|| "open".into())).collect()
}

/// F25, accept M6: taken and dropped, for some. At most two copies, one name, and every repeat is counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_takes_mails_and_drops_the_connection_doubles_only_those() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| relay.next_mails.extend([AfterMail::HangsUp; 7]));
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 30, HOUR).await;
        settles(town, batch).await;
        assert_eq!(states(town, batch).await, [(State::Accepted, 30)].into());
        let copies = copies(town);
        assert_eq!((copies.len(), copies.values().sum::<usize>()), (30, 37));
        assert_eq!(copies.values().max(), Some(&2));
        assert_eq!((ended(town, "unknown").await, ended(town, "accepted").await), (7, 30));
        let twice: i64 =
            town.db(|tx| Ok(deliveries::table.filter(deliveries::attempts.gt(1)).count().get_result(tx.db())?)).await;
        assert!(twice >= 7, "{twice}");
        reasons_name_nobody(town).await;
    })
    .await;
}

/// Accept M6: whatever breaks after the final dot, the outcome is unknown, and one repeat under the same name settles it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_answer_is_lost_is_unknown_and_repeated_under_its_name() {
    on_both(async |town| {
        for (trick, kept) in [
            (AfterMail::Forgets, 0),
            (AfterMail::HangsUp, 1),
            (AfterMail::BreaksOff("250 2.0.0 Ok: que"), 1),
            (AfterMail::BreaksOff("250-2.0.0 Ok\r\n250-and"), 1),
            (AfterMail::BreaksOff("2"), 1),
        ] {
            let before = town.post_office.mails().len();
            town.post_office.smtp.behave(|relay| {
                relay.next_mails_to.insert("member1@example.be".into(), [trick].into());
            });
            let batch = mail(town).await;
            town.delivers_everything().await;
            let unknown = row(town, batch).await;
            assert_eq!((unknown.state, unknown.attempts), (State::Unknown, 1), "{trick:?}");
            assert_eq!(town.post_office.mails().len(), before + kept, "{trick:?}");
            settles(town, batch).await;
            assert_eq!((row(town, batch).await.state, row(town, batch).await.attempts), (State::Accepted, 2));
            assert_eq!(outcomes(town, batch).await, ["unknown", "accepted"], "{trick:?}");
            let mails = &town.post_office.mails()[before..];
            let names: HashSet<_> = mails.iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
            assert_eq!((mails.len(), names.len()), (kept + 1, 1), "{trick:?}");
        }
    })
    .await;
}

/// A recipient in trouble is that recipient's trouble.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_relay_does_to_one_recipient_touches_no_other() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| {
            relay.refuses.insert("member1@example.be".into());
            let tricks = [
                AfterMail::HangsUp,
                AfterMail::Says("451 4.3.0 later"),
                AfterMail::Says("554 5.7.1 no"),
                AfterMail::Says("<html>hello</html>"),
            ];
            for (number, trick) in (2..).zip(tricks) {
                relay.next_mails_to.insert(format!("member{number}@example.be"), [trick].into());
            }
        });
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 20, HOUR).await;
        settles(town, batch).await;
        let settled = rows(town, batch).await;
        let ends: Vec<State> = settled.iter().take(5).map(|row| row.state).collect();
        assert_eq!(ends, [State::Failed, State::Accepted, State::Accepted, State::Failed, State::Accepted]);
        assert_eq!(settled[0].reason.as_deref(), Some("550 5.1.1"));
        assert_eq!(settled[3].reason.as_deref(), Some("data: 554 5.7.1"));
        assert!(settled[5..].iter().all(|row| row.state == State::Accepted));
        let copies = copies(town);
        let of = |number: usize| copies.get(&format!("member{number}@example.be")).copied().unwrap_or_default();
        assert_eq!((1..=5).map(of).collect::<Vec<_>>(), [0, 2, 1, 0, 1]);
        assert!((6..=20).all(|number| of(number) == 1));
        reasons_name_nobody(town).await;
    })
    .await;
}

/// Accept M9: our own connections at rest are all that it allows; they must not keep the probe out.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_with_few_connections_is_believed_again_as_soon_as_it_answers() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| {
            relay.connections_max = Some(1);
            relay.after_mail = AfterMail::Says("452 4.3.1 no space");
        });
        for _ in 0..3 {
            mail(town).await;
            town.courier.round(Channel::Email).await.unwrap();
        }
        assert_eq!((town.courier.trust(Channel::Email), town.post_office.smtp.connections()), (vec![Trust::None], 1));
        town.post_office.smtp.behave(|relay| relay.after_mail = AfterMail::Accepts);
        for _ in 0..2 {
            town.passes(Duration::from_secs(3));
            town.delivers_everything().await;
        }
        assert_eq!(town.courier.trust(Channel::Email), [Trust::Full]);
        assert_eq!(town.post_office.mails().len(), 3);
    })
    .await;
}

/// F27: a relay that sends everybody away at the door is met again by the ladder, and not hammered.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_says_421_at_the_door_is_not_hammered_and_loses_nobody() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| relay.is_busy = true);
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 50, HOUR).await;
        let mut knocks = Vec::new();
        for _ in 0..30 {
            let before = town.post_office.smtp.connections();
            town.delivers_everything().await;
            knocks.push(town.post_office.smtp.connections() - before);
            town.passes(Duration::from_secs(10));
        }
        assert_eq!(waiting(town, batch).await, 50);
        assert!(town.post_office.smtp.open_peak() <= 4, "more than the connections we may have");
        // A failure may be met by each hand before three in a row are counted; then it is one probe at a time.
        assert!(knocks[0] <= 8 && knocks[1..].iter().all(|knocks| *knocks <= 4), "{knocks:?}");
        assert!(knocks.iter().sum::<usize>() <= 60, "in five minutes: {knocks:?}");
        town.post_office.smtp.behave(|relay| relay.is_busy = false);
        settles(town, batch).await;
        assert_eq!(states(town, batch).await, [(State::Accepted, 50)].into());
        let copies = copies(town);
        assert_eq!((copies.len(), copies.values().sum::<usize>()), (50, 50));
        assert_eq!(ended(town, "unknown").await, 0);

        // Only some of the next connections: whoever has another goes on.
        town.post_office.smtp.behave(|relay| (relay.busy_connections, relay.hangs_up_after) = (2, Some(5)));
        let some = post(town, Channel::Email, Lane::Urgent, "other", 40, HOUR).await;
        settles(town, some).await;
        assert_eq!(states(town, some).await, [(State::Accepted, 40)].into());
        assert_eq!(town.post_office.mails().len(), 90);
    })
    .await;
}

/// A refused recipient costs a RSET; where that is refused too, it costs the connection and nobody else's mail.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_refuses_to_reset_loses_its_connection_and_no_mail() {
    on_both(async |town| {
        for (answer, round) in [("502 5.5.1 what?", 0), ("421 4.7.0 leaving", 1), ("451 4.3.0 later", 2)] {
            town.post_office.smtp.behave(|relay| {
                relay.answers_reset = Some(answer);
                relay.refuses = (1..=20).step_by(4).map(|number| format!("member{number}@example.be")).collect();
            });
            let batch = post(town, Channel::Email, Lane::Urgent, "member", 20, HOUR).await;
            settles(town, batch).await;
            assert_eq!(states(town, batch).await, [(State::Accepted, 15), (State::Failed, 5)].into(), "{answer}");
            assert!(rows(town, batch).await.iter().all(|row| row.attempts == 1), "{answer}");
            assert_eq!(town.post_office.mails().len(), 15 * (round + 1), "{answer}");
        }
    })
    .await;
}

/// F26: a relay that swallows everything delays the mail, and not one SMS.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_a_black_hole_holds_up_no_sms_and_loses_no_mail() {
    for kind in [crate::support::database::Kind::Sqlite, crate::support::database::Kind::Postgres] {
        let town = Town::start_with(kind, |config| config.email.timeout_seconds = 2).await;
        town.post_office.smtp.behave(|relay| relay.is_black_hole = true);
        let mails = post(&town, Channel::Email, Lane::Urgent, "member", 20, HOUR).await;
        let courier = town.courier.clone();
        let stuck = tokio::spawn(async move { courier.round(Channel::Email).await });
        until("the relay was called", async || town.post_office.smtp.connections() > 0).await;
        let texts = post(&town, Channel::Sms, Lane::Urgent, "", 20, HOUR).await;
        town.courier.round(Channel::Sms).await.unwrap();
        assert_eq!(states(&town, texts).await, [(State::Accepted, 20)].into());
        assert!(!stuck.is_finished(), "the SMS did not wait for the mails");
        stuck.await.unwrap().unwrap();
        assert_eq!(waiting(&town, mails).await, 20, "never begun, so never unknown");
        town.post_office.smtp.behave(|relay| relay.is_black_hole = false);
        settles(&town, mails).await;
        assert_eq!(states(&town, mails).await, [(State::Accepted, 20)].into());
        assert_eq!(copies(&town).values().copied().collect::<Vec<_>>(), vec![1; 20]);
        town.close().await;
    }
}

/// F31, accept M6: each way of a gateway to misbehave, once, towards one number.
#[tokio::test(flavor = "multi_thread")]
async fn every_misbehaviour_of_a_gateway_has_its_class() {
    let says = |status, further, body: &str| SmsManners::Says(status, further, body.to_owned());
    // What it does; the state after that; how often the text was taken when all is over.
    let table = [
        (SmsManners::HangsUp, State::Unknown, 2),
        (SmsManners::BreaksOff(""), State::Unknown, 2),
        (SmsManners::StaysSilent, State::Unknown, 2),
        (SmsManners::Forgets, State::Unknown, 1),
        (says(200, "", "<html>Welcome</html>"), State::Unknown, 1),
        (says(202, "", ""), State::Unknown, 1),
        (says(500, "", "Internal error"), State::Unknown, 1),
        (says(503, "", "Temporal failure, try again later."), State::Deferred, 1),
        (says(429, "", "slow down"), State::Deferred, 1),
        (says(403, "", "Not routable. Do not try again."), State::Deferred, 1),
        (says(404, "", "not here"), State::Deferred, 1),
    ];
    for kind in [crate::support::database::Kind::Sqlite, crate::support::database::Kind::Postgres] {
        let town = Town::start_with(kind, |config| config.sms.timeout_seconds = 1).await;
        for (manners, state, taken) in &table {
            let before = town.post_office.sms().len();
            town.post_office.gateway.next_to("+32470000001", [manners.clone()]);
            let batch = text(&town).await;
            town.delivers_everything().await;
            let tried = row(&town, batch).await;
            assert_eq!((tried.state, tried.attempts), (*state, 1), "{manners:?}");
            settles(&town, batch).await;
            assert_eq!((row(&town, batch).await.state, row(&town, batch).await.attempts), (State::Accepted, 2));
            let first = match (state, manners) {
                (State::Unknown, _) => "unknown",
                (_, SmsManners::Says(403 | 404, ..)) => "refused",
                _ => "deferred",
            };
            assert_eq!(outcomes(&town, batch).await, [first, "accepted"], "{manners:?}");
            assert_eq!(town.post_office.sms().len() - before, *taken, "{manners:?}");
        }
        reasons_name_nobody(&town).await;
        town.close().await;
    }
}

/// Accept M6: the policy of the class. A second SMS that is not urgent annoys more than a missing one harms.
#[tokio::test(flavor = "multi_thread")]
async fn an_sms_that_is_not_urgent_is_not_repeated_when_its_answer_is_lost() {
    on_both(async |town| {
        town.post_office.gateway.next([SmsManners::HangsUp]);
        let batch = post(town, Channel::Sms, Lane::NonUrgent, "", 1, HOUR).await;
        settles(town, batch).await;
        let settled = row(town, batch).await;
        assert_eq!((settled.state, settled.attempts, town.post_office.sms().len()), (State::Accepted, 1, 1));
        assert!(settled.reason.as_deref().unwrap().starts_with("no answer: "), "{settled:?}");
        assert_eq!(outcomes(town, batch).await, ["unknown"]);
    })
    .await;
}

/// F31: who names a time is left alone until then, and asked soon after.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_names_a_time_is_left_alone_until_then() {
    on_both(async |town| {
        town.post_office.gateway.next([SmsManners::Says(429, "Retry-After: 90\r\n", String::new())]);
        let batch = text(town).await;
        town.delivers_everything().await;
        for _ in 0..8 {
            town.passes(Duration::from_secs(11));
            town.delivers_everything().await;
        }
        assert_eq!((row(town, batch).await.state, row(town, batch).await.attempts), (State::Deferred, 1), "88 s");
        assert_eq!(town.post_office.gateway.targets().len(), 1);
        town.passes(Duration::from_secs(12));
        town.delivers_everything().await;
        assert_eq!((row(town, batch).await.state, row(town, batch).await.attempts), (State::Accepted, 2), "100 s");
        assert_eq!(town.post_office.sms().len(), 1);
    })
    .await;
}

/// Accept M10: reports that come before the gateway's own answer, whatever the answer is then.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_comes_before_the_answer_counts_with_every_answer() {
    let says = |status, body: &str| SmsManners::Says(status, "", body.to_owned());
    // The reports, the answer behind them; the state in the end, the attempts, how often the text was taken.
    let table: [(&'static [u8], SmsManners, State, i32, usize); 8] = [
        (&[8], SmsManners::Accepts, State::AtOperator, 1, 1),
        (&[8, 1], SmsManners::Accepts, State::AtHandset, 1, 1),
        (&[1, 8], SmsManners::Accepts, State::AtHandset, 1, 1),
        (&[2], SmsManners::Accepts, State::Failed, 1, 1),
        (&[1], SmsManners::HangsUp, State::AtHandset, 1, 1),
        (&[8], SmsManners::BreaksOff(""), State::AtOperator, 1, 1),
        (&[1], says(500, "but delivered"), State::AtHandset, 1, 0),
        // Kannel without a route: it rejects, reports the rejection of what it did not take, and has a route again later.
        (&[16], says(403, "Not routable. Do not try again."), State::Accepted, 2, 1),
    ];
    on_both(async |town| {
        for (types, answer, state, attempts, taken) in &table {
            let before = town.post_office.sms().len();
            town.post_office.gateway.next([SmsManners::ReportsFirst(types, Box::new(answer.clone()))]);
            let batch = text(town).await;
            settles(town, batch).await;
            town.passes(Duration::from_secs(120));
            town.delivers_everything().await;
            let settled = row(town, batch).await;
            assert_eq!((settled.state, settled.attempts), (*state, *attempts), "{types:?} {answer:?}");
            assert_eq!(town.post_office.sms().len() - before, *taken, "{types:?} {answer:?}");
            let kept: i64 = town
                .db(move |tx| {
                    Ok(receipts::table.filter(receipts::delivery_id.eq(settled.id)).count().get_result(tx.db())?)
                })
                .await;
            assert_eq!(usize::try_from(kept).unwrap(), types.len(), "every report is kept");
        }
    })
    .await;
}

/// Accept M10, F32: reports twice, in any order, several at once, with forged ones among them.
#[tokio::test(flavor = "multi_thread")]
async fn reports_twice_in_any_order_and_forged_ones_among_them_end_in_the_truth() {
    on_both(async |town| {
        let batch = post(town, Channel::Sms, Lane::Urgent, "", 40, HOUR).await;
        town.delivers_everything().await;
        let sms = town.post_office.sms();
        // Numbers that end in 0 to 3 were not delivered; of the others the operator says so and then the handset.
        let lost = |sms: &crate::support::post_office::Sms| {
            sms.to.bytes().last().is_some_and(|digit| (b'0'..=b'3').contains(&digit))
        };
        let mut reports: Vec<(usize, u8)> = Vec::new();
        for (at, sms) in sms.iter().enumerate() {
            let types = if lost(sms) { [8, 2] } else { [8, 1] };
            reports.extend(types.into_iter().chain(types).map(|status| (at, status)));
        }
        // The same disorder each time.
        let mut dice = 12_345_u64;
        for at in (1..reports.len()).rev() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            reports.swap(at, usize::try_from(dice >> 33).unwrap() % (at + 1));
        }
        for group in reports.chunks(8) {
            let told = group.iter().map(async |(at, status)| {
                let path = |url: &str| url[town.base.len()..].replace("%d", "1").replace("%F", "F");
                let genuine = sms[*at].dlr_url.as_deref().unwrap();
                let forged = path(genuine).replacen("/hooks/sms/", "/hooks/sms/A", 1);
                town.open_get(&forged).await.expect(404);
                assert_eq!(town.post_office.gateway.reports(&sms[*at], *status, "F").await, 200);
            });
            futures_util::future::join_all(told).await;
        }
        let wanted = sms.iter().filter(|sms| lost(sms)).count();
        let counts = |count: usize| i64::try_from(count).unwrap();
        assert_eq!(
            states(town, batch).await,
            [(State::Failed, counts(wanted)), (State::AtHandset, counts(40 - wanted))].into()
        );
        let kept: i64 = town.db(|tx| Ok(receipts::table.count().get_result(tx.db())?)).await;
        assert_eq!(kept, 160, "every one, each time it came, and none that was forged");
        assert!(rows(town, batch).await.iter().all(|row| row.attempts == 1));
        town.passes(HOUR / 2);
        town.delivers_everything().await;
        assert_eq!(town.post_office.sms().len(), 40);
    })
    .await;
}
