//! Reports of the SMS gateway, through the address it was given (accept M10, M11).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use vigie::delivery::retry::Verdict;
use vigie::delivery::{Channel, Claimed, Lane, Settlement, State, cancel, expire_pressing, settle};

use super::desk::{HOUR, claims, kept, post, reasons_name_nobody, row, settled_as, text, until};
use crate::support::post_office::{Sms, SmsManners};
use crate::support::returned::{UNKNOWN_USER, postfix};
use crate::support::{Town, on_both};

/// Sends one SMS and gives back what the gateway got.
async fn sent(town: &Town) -> (uuid::Uuid, Sms) {
    let batch = text(town).await;
    town.delivers_everything().await;
    (batch, town.post_office.sms().pop().unwrap())
}
/// What the gateway was asked for last, whether it took it or not: enough to report on it.
pub(super) fn asked(town: &Town) -> Sms {
    let target = town.post_office.gateway.targets().pop().unwrap();
    let asked = reqwest::Url::parse(&format!("http://gateway{target}")).unwrap();
    let dlr_url = asked.query_pairs().find(|(name, _)| name == "dlr-url").map(|(_, url)| url.into_owned());
    Sms { dlr_url, ..Sms::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_in_any_order_end_in_the_strongest_and_every_one_is_kept() {
    let table: [(&[u8], State); 9] = [
        (&[8], State::AtOperator),
        (&[8, 1], State::AtHandset),
        (&[1, 8], State::AtHandset),
        (&[1, 1, 8, 8], State::AtHandset),
        (&[4, 2], State::Failed),
        (&[8, 2], State::Failed),
        (&[2, 8], State::Failed),
        (&[16, 2, 1], State::AtHandset),
        (&[64, 3], State::Accepted),
    ];
    on_both(async |town| {
        for (codes, wanted) in table {
            let (batch, sms) = sent(town).await;
            for code in codes {
                assert_eq!(town.post_office.gateway.reports(&sms, *code, "F00-1").await, 200);
            }
            let row = row(town, batch).await;
            assert_eq!(row.state, wanted, "{codes:?}");
            let kept = kept(town, row.id).await;
            assert_eq!(
                kept.iter().map(|(_, code)| code.clone()).collect::<Vec<_>>(),
                codes.iter().map(u8::to_string).collect::<Vec<_>>()
            );
            assert_eq!(
                kept.iter().filter(|(level, _)| level == "unknown").count(),
                if wanted == State::Accepted { 2 } else { 0 }
            );
        }
        reasons_name_nobody(town).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_report_finds_nothing() {
    on_both(async |town| {
        let (batch, sms) = sent(town).await;
        let url = sms.dlr_url.clone().unwrap();
        let (base, token) = url.split_once("/hooks/sms/").unwrap();
        let (token, _) = token.split_once('?').unwrap();
        assert_eq!(base, town.base);
        // The same link with the next delivery's number in it.
        let mut next = URL_SAFE_NO_PAD.decode(token).unwrap();
        next[15] = next[15].wrapping_add(1);
        let last = if token.ends_with('A') { 'B' } else { 'A' };
        let forged =
            [format!("{}{last}", &token[..token.len() - 1]), token[..20].to_owned(), URL_SAFE_NO_PAD.encode(next)];
        for token in forged {
            town.open_get(&format!("/hooks/sms/{token}?type=1&id=x")).await.expect(404);
        }
        // The right link with something else behind it.
        town.open_get(&format!("/hooks/sms/{token}?type=&id=x")).await.expect(422);
        town.open_get(&format!("/hooks/sms/{token}?type=1&state=x")).await.expect(422);
        let row = row(town, batch).await;
        assert_eq!((row.state, kept(town, row.id).await.len()), (State::Accepted, 0));
        // What a gateway may fill in is kept, even what one of the databases cannot hold.
        town.open_get(&format!("/hooks/sms/{token}?type=1&id=a%00b")).await.expect(200);
        assert_eq!(super::desk::row(town, batch).await.state, State::AtHandset);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_overtakes_the_gateways_own_answer_is_not_undone_by_it() {
    on_both(async |town| {
        town.post_office.gateway.takes(Duration::from_secs(3));
        let batch = text(town).await;
        let courier = town.courier.clone();
        let round = tokio::spawn(async move { courier.round(Channel::Sms).await });
        until("the gateway was asked", async || !town.post_office.gateway.targets().is_empty()).await;
        assert_eq!(town.post_office.gateway.reports(&asked(town), 1, "F00-1").await, 200);
        assert!(!round.is_finished(), "the report came first");
        assert_eq!(round.await.unwrap().unwrap(), 1);
        assert_eq!((row(town, batch).await.state, row(town, batch).await.attempts), (State::AtHandset, 1));
        town.passes(HOUR / 2);
        town.delivers_everything().await;
        assert_eq!(town.post_office.sms().len(), 1);
    })
    .await;
}

/// Accept M10: a report that came before the answer is not forgotten because the answer never came; one on a request that
/// was turned away says nothing of the request before it.
#[tokio::test(flavor = "multi_thread")]
async fn an_early_report_counts_however_the_delivery_is_ended() {
    on_both(async |town| {
        let unanswered = |held: &Claimed, at| Settlement {
            outcome: "unknown",
            ..settled_as(held, Verdict::Again(State::Unknown, at, "no answer".into()))
        };
        for end in ["stopped", "stopped under way", "over"] {
            let batch = post(town, Channel::Email, Lane::Urgent, "member", 1, Duration::from_secs(60)).await;
            let (_, held) = claims(town, Channel::Email, 1).await;
            town.comes_back(&town.return_address(held[0].id), postfix(UNKNOWN_USER)).await.expect(204);
            assert_eq!(row(town, batch).await.state, State::Attempting, "nobody is known to have it");
            if end == "stopped under way" {
                assert_eq!(town.db(move |tx| cancel(tx, batch, "stopped")).await, 0);
            }
            let answer = unanswered(&held[0], town.clock.now().plus(Duration::from_secs(70)));
            assert_eq!(town.db(move |tx| settle(tx, &[answer])).await, 1);
            if end == "stopped" {
                assert_eq!(town.db(move |tx| cancel(tx, batch, "stopped")).await, 0);
            }
            town.passes(Duration::from_secs(80));
            town.db(|tx| expire_pressing(tx, Channel::Email)).await;
            let row = row(town, batch).await;
            assert_eq!((row.state, row.reason.as_deref()), (State::Failed, Some("dsn 5.1.1")), "{end}");
        }

        town.post_office.gateway.behave(SmsManners::Says(503, "", String::new()));
        let batch = text(town).await;
        let (_, held) = claims(town, Channel::Sms, 1).await;
        let answer = unanswered(&held[0], town.clock.now());
        town.db(move |tx| settle(tx, &[answer])).await;
        town.delivers_everything().await;
        for _ in 0..2 {
            let row = row(town, batch).await;
            assert_eq!((row.state, row.attempts), (State::Unknown, 2));
            town.post_office.gateway.reports(&asked(town), 16, "F").await;
        }
        town.db(move |tx| cancel(tx, batch, "stopped")).await;
        assert_eq!(row(town, batch).await.reason.as_deref(), Some("no answer: stopped"));
    })
    .await;
}

/// Accept M10, M11: an SMS whose answer never came goes out once more. That the first was not delivered says nothing of the
/// second; that it was delivered does.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_speaks_of_the_attempt_that_it_names() {
    on_both(async |town| {
        for (kind, wanted) in [(1, State::AtHandset), (2, State::Accepted)] {
            town.post_office.gateway.behave(SmsManners::HangsUp);
            let batch = text(town).await;
            assert_eq!(town.courier.round(Channel::Sms).await.unwrap(), 1);
            let first = asked(town);
            town.post_office.gateway.behave(SmsManners::Accepts);
            town.passes(HOUR / 2);
            town.delivers_everything().await;
            assert_eq!((row(town, batch).await.state, row(town, batch).await.attempts), (State::Accepted, 2));
            assert_eq!(town.post_office.gateway.reports(&first, kind, "F00").await, 200);
            assert_eq!(row(town, batch).await.state, wanted);
            assert_eq!(town.post_office.gateway.reports(&asked(town), 2, "F01").await, 200);
            let ends = if kind == 1 { State::AtHandset } else { State::Failed };
            assert_eq!(row(town, batch).await.state, ends);
        }
    })
    .await;
}

/// Accept M11: the operator refused the one that was handed over, and said so while the next was under way, which nobody took.
/// Whoever stops it then is not told that it may have arrived.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_came_during_the_next_attempt_is_not_forgotten() {
    on_both(async |town| {
        town.post_office.gateway.behave(SmsManners::HangsUp);
        let batch = text(town).await;
        assert_eq!(town.courier.round(Channel::Sms).await.unwrap(), 1);
        let first = asked(town);
        town.passes(HOUR / 2);
        let (_, held) = claims(town, Channel::Sms, 1).await;
        assert_eq!(town.post_office.gateway.reports(&first, 16, "F00").await, 200);
        let again = Verdict::Again(State::Unknown, town.clock.now(), "503".to_owned());
        let turned_away = Settlement { outcome: "deferred", ..settled_as(&held[0], again) };
        town.db(move |tx| settle(tx, &[turned_away])).await;
        assert_eq!(row(town, batch).await.state, State::Unknown, "as long as it goes on");
        town.db(move |tx| cancel(tx, batch, "stopped")).await;
        let ended = row(town, batch).await;
        assert_eq!((ended.state, ended.reason.as_deref()), (State::Failed, Some("report 16")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_truth_is_taken_in_and_marked() {
    on_both(async |town| {
        // The gateway says "later" and sends it all the same, as one behind a proxy may seem to.
        town.post_office.gateway.behave(SmsManners::Says(503, "", String::new()));
        let stopped = text(town).await;
        town.delivers_everything().await;
        town.db(move |tx| cancel(tx, stopped, "stopped")).await;
        town.post_office.gateway.reports(&asked(town), 1, "F").await;
        let raised = row(town, stopped).await;
        assert_eq!((raised.state, raised.reason.as_deref()), (State::AtHandset, Some("late report, was cancelled")));

        let expired = post(town, Channel::Sms, Lane::Urgent, "", 1, Duration::from_secs(10)).await;
        town.delivers_everything().await;
        town.passes(Duration::from_secs(20));
        town.delivers_everything().await;
        assert_eq!(row(town, expired).await.state, State::Expired);
        town.post_office.gateway.reports(&asked(town), 1, "F").await;
        let raised = row(town, expired).await;
        assert_eq!((raised.state, raised.reason.as_deref()), (State::AtHandset, Some("late report, was expired")));

        // One that is taken, or the next failure is the third in a row and the rest is not tried at all.
        town.post_office.gateway.behave(SmsManners::Accepts);
        text(town).await;
        town.delivers_everything().await;
        // Unanswered while its validity ends, or while it is stopped: it may have arrived, and is not called unsent.
        town.post_office.gateway.behave(SmsManners::HangsUp);
        let over = post(town, Channel::Sms, Lane::Urgent, "", 1, Duration::from_secs(10)).await;
        let halted = text(town).await;
        town.delivers_everything().await;
        assert_eq!(row(town, halted).await.state, State::Unknown);
        assert_eq!(town.db(move |tx| cancel(tx, halted, "stopped")).await, 0);
        town.passes(Duration::from_secs(20));
        town.delivers_everything().await;
        for (batch, reason) in [(over, "no answer: validity_over"), (halted, "no answer: stopped")] {
            let row = row(town, batch).await;
            assert_eq!((row.state, row.reason.as_deref()), (State::Accepted, Some(reason)));
        }

        // The gateway has to win trust again before anything more is tried.
        town.post_office.gateway.behave(SmsManners::Accepts);
        town.passes(Duration::from_secs(10));
        text(town).await;
        town.delivers_everything().await;
        town.post_office.gateway.behave(SmsManners::HangsUp);

        // An answer that never came, and a report instead: nothing is repeated.
        let (unknown, sms) = sent(town).await;
        let before = town.post_office.sms().len();
        town.post_office.gateway.reports(&sms, 8, "F").await;
        town.passes(HOUR / 2);
        town.delivers_everything().await;
        assert_eq!((row(town, unknown).await.state, town.post_office.sms().len()), (State::AtOperator, before));
    })
    .await;
}
