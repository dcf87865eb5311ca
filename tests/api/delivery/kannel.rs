//! A real Kannel with a fake operator behind it: what arrives, what is reported, and what breaks on the way.

use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;
use vigie::config::Config;
use vigie::delivery::sms::{Encoding, sms_shape};
use vigie::delivery::{Body, Channel, Courier, Fate, Lane, NewDelivery, State, deliveries_of, enqueue, put_content};
use vigie::storage::schema::{attempts, receipts};
use vigie::values::{Id, Language, of};
use vigie::worker;

use super::desk::{HOUR, attempts_of, reasons_name_nobody, row, states, until, waiting};
use crate::support::Town;
use crate::support::database::Kind;
use crate::support::kannel::{Arrived, Kannel};

/// Runs a test on both databases, with a real gateway instead of the one in this process.
async fn on_both_with(kannel: Kannel, change: impl Fn(&mut Config), test: impl AsyncFn(&Town, &Kannel)) {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        eprintln!("on {kind:?}");
        let town = Town::start_with(kind, |config| {
            kannel.serves(config);
            change(config);
        })
        .await;
        test(&town, &kannel).await;
        town.close().await;
    }
}
/// With the gateway that all tests share.
async fn with_a_gateway(test: impl AsyncFn(&Town, &Kannel)) {
    on_both_with(Kannel::shared(), |_| {}, test).await;
}
/// With a gateway that the test may break.
async fn with_a_gateway_to_break(test: impl AsyncFn(&Town, &Kannel)) {
    on_both_with(Kannel::own(), |_| {}, test).await;
}

/// Numbers that no other test uses: as many as wanted.
fn numbers(count: usize) -> Vec<String> {
    let block = u32::from_be_bytes(vigie::storage::random_bytes()) % 1_000_000;
    (0..count).map(|number| format!("+3246{block:06}{number:03}")).collect()
}

/// One batch of the same text to these numbers.
async fn post(town: &Town, lane: Lane, numbers: &[String], text: &str) -> Uuid {
    let (numbers, text) = (numbers.to_vec(), text.to_owned());
    town.db(move |tx| {
        let (batch, now) = (Id::<of::Batch>::new().uuid(), tx.now()?);
        let body = Body { subject: String::new(), text, html: None };
        let content = put_content(tx, batch, Language::Fr, Channel::Sms, &body)?;
        let delivery = |number: String| NewDelivery {
            person: Id::new(),
            channel: Channel::Sms,
            lane,
            membership: None,
            address: Some(number),
            fate: Fate::Due { content, at: now },
            deadline: now.plus(HOUR),
        };
        enqueue(tx, batch, numbers.into_iter().map(delivery).collect())?;
        tx.nudge();
        Ok(batch)
    })
    .await
}
async fn urgent(town: &Town, numbers: &[String]) -> Uuid {
    post(town, Lane::Urgent, numbers, super::desk::TEXT).await
}
/// Reports as they were kept, by delivery, in the order of their codes.
async fn reports_of(town: &Town, batch: Uuid) -> Vec<Vec<String>> {
    town.db(move |tx| {
        let rows = deliveries_of(tx, batch, None, 0, 10_000)?;
        rows.iter()
            .map(|row| {
                let kept = receipts::table.filter(receipts::delivery_id.eq(row.id)).order(receipts::code);
                Ok(kept.select(receipts::code).load::<String>(tx.db())?)
            })
            .collect()
    })
    .await
}
/// How often the operator was given something for each of these.
fn times(kannel: &Kannel, numbers: &[String]) -> Vec<usize> {
    let arrived = kannel.arrived();
    numbers.iter().map(|number| arrived.get(number).map_or(0, Vec::len)).collect()
}
async fn reached_by_all(town: &Town, batch: Uuid, level: State) -> bool {
    let states = states(town, batch).await;
    states.len() == 1 && states.contains_key(&level)
}
/// Lets time pass and drives the couriers until this is so.
async fn in_the_end(town: &Town, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..60 {
        town.delivers_everything().await;
        if is_so().await {
            return;
        }
        town.passes(Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not in twenty minutes: {what}");
}

/// Accept M10, M11; F32: every report of a real gateway is recorded, each once, and nothing is claimed without one.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_urgent_sms_arrive_once_each_and_every_report_is_kept_once() {
    with_a_gateway(async |town, kannel| {
        let numbers = numbers(200);
        let batch = urgent(town, &numbers).await;
        town.delivers_everything().await;
        until("every handset reported", async || reached_by_all(town, batch, State::AtHandset).await).await;
        until("every report came", async || reports_of(town, batch).await.iter().all(|codes| codes.len() >= 2)).await;
        assert_eq!(times(kannel, &numbers), vec![1; 200]);
        // 8: the operator has it; 1: the handset has it.
        assert_eq!(reports_of(town, batch).await, vec![vec!["1".to_owned(), "8".to_owned()]; 200]);
        let made: i64 = town.db(|tx| Ok(attempts::table.count().get_result(tx.db())?)).await;
        assert_eq!(made, 200);
    })
    .await;
}

/// Accept M14: what the operator gets is, byte for byte, what was approved, in the alphabet and the parts we counted.
#[tokio::test(flavor = "multi_thread")]
async fn the_operator_gets_the_approved_text_byte_for_byte() {
    let texts = [
        "Camionnette blanche, rue Haute 12.".to_owned(),
        "Prix: 5 €. Rappel [PLP] {100%} a+b=c & d?".to_owned(),
        // All of GSM 03.38 but its line ends and the page break, which the fake operator's own protocol cannot carry.
        "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\[~]|€".to_owned(),
        "ça, œuvre, sœur, août, hôpital".to_owned(),
        "Het Belgisch woord: België. Geïnformeerd.".to_owned(),
        "🚨 Alerte 🚨 ❤️ 👮🏽‍♀️".to_owned(),
        "%d %F %a %p \\d is geen code".to_owned(),
        format!("{}fin", "Camionnette blanche à la rue Haute. ".repeat(11)),
        format!("{}fin", "5 € [x] ".repeat(38)),
        format!("{}einde", "België 🚨 ".repeat(15)),
        // The euro across the end of a part: it is two septets, and goes to the next whole.
        format!("{}€{}", "a".repeat(152), "b".repeat(200)),
    ];
    with_a_gateway(async |town, kannel| {
        let numbers = numbers(texts.len());
        for (number, text) in numbers.iter().zip(&texts) {
            post(town, Lane::Urgent, std::slice::from_ref(number), text).await;
        }
        town.delivers_everything().await;
        until("all arrived", async || times(kannel, &numbers).iter().all(|times| *times > 0)).await;
        let arrived = kannel.arrived();
        for (number, text) in numbers.iter().zip(&texts) {
            let shape = sms_shape(text);
            let alphabet = if shape.encoding == Encoding::Gsm7 { "gsm-7" } else { "ucs-2" };
            let wanted = Arrived { alphabet, parts: usize::from(shape.parts), text: text.clone() };
            assert_eq!(arrived[number], [wanted]);
        }
        assert!(texts.iter().filter(|text| sms_shape(text).parts == 3).count() >= 2, "texts of three parts");
    })
    .await;
}

/// Accept M14: an emoji that would stand across the end of a part. We count as if it were moved to the next one whole;
/// Kannel cuts through it and the handset puts it together, so the text never costs more than we say.
#[tokio::test(flavor = "multi_thread")]
async fn an_emoji_across_the_end_of_a_part_arrives_whole() {
    with_a_gateway(async |town, kannel| {
        let numbers = numbers(2);
        let texts = ["🚨".repeat(67), format!("{}🚨{}", "ë".repeat(66), "b".repeat(66))];
        for (number, text) in numbers.iter().zip(&texts) {
            post(town, Lane::Urgent, std::slice::from_ref(number), text).await;
        }
        town.delivers_everything().await;
        until("all arrived", async || times(kannel, &numbers) == [1, 1]).await;
        let arrived = kannel.arrived();
        for (number, text) in numbers.iter().zip(&texts) {
            assert_eq!(arrived[number][0].text, *text);
            assert!(arrived[number][0].parts <= usize::from(sms_shape(text).parts));
        }
    })
    .await;
}

/// What Kannel would take with a 202 and cut is refused before it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_more_parts_than_the_gateway_sends_is_refused_and_not_cut() {
    on_both_with(
        Kannel::shared(),
        |config| config.sms.parts_max = 6,
        async |town, kannel| {
            let numbers = numbers(4);
            let whole = ["a".repeat(6 * 153), "ë".repeat(6 * 67)];
            let longer = ["a".repeat(6 * 153 + 1), "ë".repeat(6 * 67 + 1)];
            let mut batches = Vec::new();
            for (number, text) in numbers.iter().zip(whole.iter().chain(&longer)) {
                batches.push(post(town, Lane::Urgent, std::slice::from_ref(number), text).await);
            }
            town.delivers_everything().await;
            until("the two arrived", async || times(kannel, &numbers)[..2] == [1, 1]).await;
            for batch in &batches[2..] {
                let row = row(town, *batch).await;
                assert_eq!((row.state, row.reason.as_deref()), (State::Failed, Some("7 parts, 6 allowed")));
            }
            let arrived = kannel.arrived();
            for (number, text) in numbers.iter().zip(&whole) {
                assert_eq!((&arrived[number][0].text, arrived[number][0].parts), (text, 6));
            }
            assert_eq!(times(kannel, &numbers), [1, 1, 0, 0]);
        },
    )
    .await;
}

/// F30: "Queued for later delivery" is not delivered, and it is not sent again either.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_keeps_for_an_operator_who_is_away_is_not_called_delivered() {
    with_a_gateway_to_break(async |town, kannel| {
        let numbers = numbers(5);
        kannel.kill(&["smsc"]);
        until("the gateway noticed", async || kannel.command("status.txt").await.contains("re-connecting")).await;
        let batch = urgent(town, &numbers).await;
        town.delivers_everything().await;
        assert_eq!(states(town, batch).await, [(State::Accepted, 5)].into());
        for _ in 0..6 {
            town.passes(HOUR / 12);
            town.delivers_everything().await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(states(town, batch).await, [(State::Accepted, 5)].into(), "no storm, and no claim");
        assert_eq!(reports_of(town, batch).await, vec![Vec::<String>::new(); 5]);
        assert_eq!(times(kannel, &numbers), [0; 5]);
        kannel.start(&["smsc"]);
        until("it arrived", async || reached_by_all(town, batch, State::AtHandset).await).await;
        assert_eq!(times(kannel, &numbers), [1; 5]);
        let tried: Vec<(i64, String, Option<String>)> = town
            .db(|tx| {
                let made = attempts::table.order(attempts::delivery_id);
                Ok(made.select((attempts::delivery_id, attempts::provider, attempts::reference)).load(tx.db())?)
            })
            .await;
        assert_eq!(tried.len(), 5);
        assert!(tried.iter().all(|(_, _, reference)| reference.as_deref() == Some("queued")), "{tried:?}");
    })
    .await;
}

/// F31: 403 "Not routable. Do not try again." is about the gateway and not about a member.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_a_route_fails_nobody_for_good() {
    with_a_gateway_to_break(async |town, kannel| {
        let numbers = numbers(5);
        kannel.command("stop-smsc?smsc=FAKE").await;
        until("there is no route", async || kannel.command("status.txt").await.contains("dead")).await;
        let batch = urgent(town, &numbers).await;
        town.delivers_everything().await;
        assert_eq!(waiting(town, batch).await, 5);
        kannel.command("start-smsc?smsc=FAKE").await;
        kannel.start(&["smsc"]);
        in_the_end(town, "the handsets have it", async || reached_by_all(town, batch, State::AtHandset).await).await;
        assert_eq!(times(kannel, &numbers), [1; 5]);
        reasons_name_nobody(town).await;
    })
    .await;
}

/// F31: a wrong password stops the channel and loses nobody; when it is mended, everything leaves.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_fails_nobody_for_good() {
    on_both_with(
        Kannel::shared(),
        |config| config.sms.password = "wrong".to_owned().into(),
        async |town, kannel| {
            let numbers = numbers(5);
            let batch = urgent(town, &numbers).await;
            for _ in 0..4 {
                town.delivers_everything().await;
                town.passes(Duration::from_secs(90));
            }
            assert_eq!(waiting(town, batch).await, 5);
            let tried = town.db(move |tx| deliveries_of(tx, batch, None, 0, 10)).await;
            let first = tried.into_iter().find(|row| row.attempts > 0).unwrap();
            assert_eq!(first.reason.as_deref(), Some("403 credentials"));
            assert!(attempts_of(town, first.id).await.iter().all(|(outcome, _)| outcome.as_deref() == Some("refused")));
            assert_eq!(times(kannel, &numbers), [0; 5]);

            // Somebody mends the setting and starts anew.
            let mut config = (*town.config).clone();
            kannel.serves(&mut config);
            let mended = Courier::new(town.database.clone(), worker::channels(&config).unwrap(), config.into());
            town.passes(Duration::from_secs(90));
            mended.round(Channel::Sms).await.unwrap();
            until("it arrived", async || reached_by_all(town, batch, State::AtHandset).await).await;
            assert_eq!(times(kannel, &numbers), [1; 5]);
        },
    )
    .await;
}

/// Accept M6, F26: a suspended gateway takes a request and does not answer it, and does what it was asked for when it is
/// resumed: nothing is lost, nothing is claimed meanwhile, and nobody gets more than the one repeat.
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_gateway_gets_one_repeat_and_no_more() {
    on_both_with(
        Kannel::own(),
        |config| config.sms.timeout_seconds = 1,
        async |town, kannel| {
            let numbers = numbers(5);
            kannel.command("suspend").await;
            let batch = urgent(town, &numbers).await;
            for _ in 0..4 {
                town.delivers_everything().await;
                town.passes(Duration::from_secs(10));
            }
            // Kannel passes the first request on before it looks at its own state; the others are in the dark, or wait until
            // the gateway is trusted again.
            let rows = town.db(move |tx| deliveries_of(tx, batch, None, 0, 10)).await;
            assert!(rows.iter().any(|row| row.attempts == 2), "{rows:?}");
            for row in rows {
                assert!(!matches!(row.state, State::Failed | State::Expired) && row.attempts <= 2, "{row:?}");
                if row.attempts == 2 {
                    assert!(row.reason.as_deref().unwrap().starts_with("no answer: "), "{row:?}");
                }
            }
            kannel.command("resume").await;
            in_the_end(town, "the handsets have it", async || reached_by_all(town, batch, State::AtHandset).await)
                .await;
            let handed: i64 = town
                .db(|tx| {
                    let handed = attempts::outcome.eq_any([Some("accepted"), Some("unknown")]);
                    Ok(attempts::table.filter(handed).count().get_result(tx.db())?)
                })
                .await;
            let handed = usize::try_from(handed).unwrap();
            until("every copy arrived", async || times(kannel, &numbers).iter().sum::<usize>() == handed).await;
            assert!(times(kannel, &numbers).iter().all(|times| (1..=2).contains(times)));
        },
    )
    .await;
}

/// A gateway that is shot: nobody is called reached or failed, and those who wait get their text when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_shot_and_started_again_gets_what_waited() {
    with_a_gateway_to_break(async |town, kannel| {
        kannel.kill(&["bearerbox", "smsbox", "smsc"]);
        let numbers = numbers(20);
        let batch = urgent(town, &numbers).await;
        town.delivers_everything().await;
        assert_eq!(waiting(town, batch).await, 20);
        kannel.start(&["bearerbox", "smsc", "smsbox"]);
        in_the_end(town, "the handsets have it", async || reached_by_all(town, batch, State::AtHandset).await).await;
        assert_eq!(times(kannel, &numbers), [1; 20]);

        // What it had taken and not passed on dies with it: nobody knows, and nobody says otherwise.
        kannel.kill(&["smsc"]);
        until("the gateway noticed", async || kannel.command("status.txt").await.contains("re-connecting")).await;
        let lost = urgent(town, &numbers).await;
        town.delivers_everything().await;
        kannel.kill(&["bearerbox", "smsbox"]);
        kannel.start(&["bearerbox", "smsc", "smsbox"]);
        town.passes(HOUR / 2);
        town.delivers_everything().await;
        assert_eq!(states(town, lost).await, [(State::Accepted, 20)].into());
        reasons_name_nobody(town).await;
    })
    .await;
}
