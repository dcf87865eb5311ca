//! `vigie clock trust`: somebody who can tell says that the machine's clock is right (fault F35, decision 0014).

use std::process::{Command, Stdio};
use std::time::Duration;

use diesel::prelude::*;
use vigie::delivery::{Channel, State};
use vigie::storage::schema::{clock_marks, deliveries};
use vigie::storage::{StorageError, time_doubted_until};
use vigie::values::Timestamp;

use crate::database::Kind;
use crate::house::{House, until};

const AHEAD: Duration = Duration::from_secs(3 * 3_600);

/// Runs it; its status and its answer.
fn trusts(house: &House) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(["clock", "trust"])
        .envs(house.settings())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (done.status.success(), String::from_utf8(done.stdout).unwrap())
}
/// The time was `ahead` until just now, and something was put into the queue by it.
fn lived_ahead(house: &House, ahead: Duration, doubted_until: Option<Timestamp>) {
    house
        .database
        .write::<_, StorageError>(|tx| {
            let now = tx.now()?;
            diesel::delete(clock_marks::table).execute(tx.db())?;
            diesel::insert_into(clock_marks::table)
                .values((
                    clock_marks::id.eq(1_i16),
                    clock_marks::seen_at.eq(now.plus(ahead)),
                    clock_marks::doubted_until.eq(doubted_until),
                ))
                .execute(tx.db())?;
            diesel::update(deliveries::table)
                .set((
                    deliveries::due_at.eq(Some(now.plus(ahead))),
                    deliveries::deadline.eq(now.plus(ahead).plus(Duration::from_secs(3_600))),
                ))
                .execute(tx.db())?;
            Ok(())
        })
        .unwrap();
}

/// The embedded database has nobody else to ask: its time goes back, and the queue with it.
#[tokio::test(flavor = "multi_thread")]
async fn the_queue_goes_back_with_the_time_and_leaves_at_once() {
    let house = House::build(Kind::Sqlite).await;
    let batch = house.posts(2, 0);
    lived_ahead(&house, AHEAD, None);
    let (done, told) = trusts(&house);
    assert!(done, "{told}");
    assert!(told.ends_with("and 2 waiting deliveries with it\n"), "{told}");
    let seconds: u64 = told.split_once("by ").unwrap().1.split_once(" s").unwrap().0.parse().unwrap();
    assert!((AHEAD.as_secs() - 30..=AHEAD.as_secs() + 60).contains(&seconds), "{told}");
    let worker = house.starts("work");
    let accepted = || house.states(batch).get(&(Channel::Email, State::Accepted)).copied().unwrap_or_default();
    until(Duration::from_secs(20), "both leave now and not in three hours", || accepted() == 2).await;
    assert!(!worker.said().contains("clock.behind"), "{}", worker.said());
    worker.kill();
}
/// A server of databases tells the time itself: only the doubt ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_tells_the_time_is_doubted_no_more() {
    let house = House::build(Kind::Postgres).await;
    let now = house.database.read::<_, StorageError>(|tx| tx.now()).unwrap();
    lived_ahead(&house, Duration::ZERO, Some(now.plus(AHEAD)));
    let doubted = || house.database.read(time_doubted_until).unwrap();
    assert_eq!(doubted(), Some(now.plus(AHEAD)));
    let (done, told) = trusts(&house);
    assert!(done && told.contains("by 0 s, and 0 waiting"), "{told}");
    assert_eq!(doubted(), None);
}
