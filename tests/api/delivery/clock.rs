//! Time that leaps or goes back (fault F35, promise R14): nothing is forgotten by mistake, and somebody is told. That a clock
//! which jumps under a running process changes nothing is proved by `values/steady.rs` and by `scripts/faults/F35-clock.sh`.

use std::time::Duration;

use diesel::prelude::*;
use vigie::delivery::alarms::{AlarmKind, open_alarms};
use vigie::delivery::{Channel, Lane};
use vigie::messages::Watch;
use vigie::storage::schema::{clock_marks, deliveries};
use vigie::storage::time_doubted_until;
use vigie::worker;

use super::desk::{HOUR, post};
use crate::support::{Town, on_both};

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn addresses(town: &Town) -> i64 {
    town.db(|tx| Ok(deliveries::table.filter(deliveries::address.is_not_null()).count().get_result(tx.db())?)).await
}
/// What the watch tells of clocks.
async fn told(town: &Town, watch: &mut Watch) -> Vec<(&'static str, String)> {
    let pages = watch.look(&town.database, &town.config).await;
    let of_clocks = pages.into_iter().filter(|page| page.kind == AlarmKind::ClockWrong);
    of_clocks.map(|page| (page.event, page.subject)).collect()
}

/// Eight days between two minutes: either nobody was here, or the clock is wrong. There is a day to put it right.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_leaps_forgets_nothing_for_a_day_and_is_told() {
    on_both(async |town| {
        let mut watch = Watch::default();
        post(town, Channel::Email, Lane::Urgent, "member", 3, HOUR).await;
        town.delivers_everything().await;
        worker::minute(&town.database).await.unwrap();
        assert_eq!(told(town, &mut watch).await, []);
        town.passes(8 * DAY);
        worker::minute(&town.database).await.unwrap();
        assert_eq!(addresses(town).await, 3, "not by this clock");
        assert_eq!(told(town, &mut watch).await, [("alarm.raised", "clock:leap".to_owned())]);
        town.passes(DAY - Duration::from_secs(1));
        worker::minute(&town.database).await.unwrap();
        assert_eq!(addresses(town).await, 3);
        assert_eq!(town.db(open_alarms).await.iter().filter(|alarm| alarm.kind == AlarmKind::ClockWrong).count(), 1);
        town.passes(Duration::from_secs(1));
        worker::minute(&town.database).await.unwrap();
        assert_eq!(addresses(town).await, 0, "who says so for a day is right");
        town.passes(Duration::from_secs(30));
        assert_eq!(told(town, &mut watch).await, [("alarm.cleared", "clock:leap".to_owned())]);
    })
    .await;
}
/// A weekend of 26 hours is still believed, and so is what comes after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_anybody_is_no_leap() {
    on_both(async |town| {
        post(town, Channel::Email, Lane::Urgent, "member", 3, HOUR).await;
        town.delivers_everything().await;
        for _ in 0..8 {
            worker::minute(&town.database).await.unwrap();
            assert_eq!(town.db(time_doubted_until).await, None);
            town.passes(26 * HOUR);
        }
        worker::minute(&town.database).await.unwrap();
        assert_eq!(addresses(town).await, 0);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_went_back_is_doubted_too() {
    on_both(async |town| {
        worker::minute(&town.database).await.unwrap();
        let later = town.clock.now().plus(3 * HOUR);
        town.db(move |tx| {
            Ok(diesel::update(clock_marks::table).set(clock_marks::seen_at.eq(later)).execute(tx.db())?)
        })
        .await;
        worker::minute(&town.database).await.unwrap();
        let until = town.db(time_doubted_until).await;
        assert_eq!(until, Some(town.clock.now().plus(DAY)));
        assert_eq!(told(town, &mut Watch::default()).await, [("alarm.raised", "clock:leap".to_owned())]);
        // It stays as it is for as long as the time goes on from here.
        town.passes(HOUR);
        worker::minute(&town.database).await.unwrap();
        assert_eq!(town.db(time_doubted_until).await, until);
    })
    .await;
}
/// What somebody who can tell the time does with a queue from the future.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_from_the_future_is_set_back_with_the_time() {
    on_both(async |town| {
        post(town, Channel::Email, Lane::Urgent, "member", 2, HOUR).await;
        assert_eq!(town.db(|tx| vigie::delivery::set_back(tx, 3 * HOUR)).await, 2);
        let wanted = (Some(town.clock.now().minus(3 * HOUR)), town.clock.now().minus(2 * HOUR));
        let rows: Vec<(Option<_>, _)> =
            town.db(|tx| Ok(deliveries::table.select((deliveries::due_at, deliveries::deadline)).load(tx.db())?)).await;
        assert_eq!(rows, [wanted, wanted]);
    })
    .await;
}
