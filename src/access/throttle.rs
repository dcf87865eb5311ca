//! Counted in the database, so that a restart or a second node gives nobody new tries: sign-ins, codes, adhesions, SMS.

use std::time::Duration;

use diesel::prelude::*;
use diesel::upsert::excluded;

use crate::on_either;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::throttles;
use crate::values::Timestamp;

/// How many within how long.
#[derive(Debug, Clone, Copy)]
pub struct Throttle {
    /// The name of what is counted.
    pub name: &'static str,
    /// How many.
    pub most: i32,
    /// Within this.
    pub window: Duration,
}

/// When the window began that holds this moment.
fn start_of(throttle: Throttle, now: Timestamp) -> Timestamp {
    let length = i64::try_from(throttle.window.as_micros()).unwrap_or(i64::MAX).max(1);
    Timestamp::from_micros(now.micros().div_euclid(length).saturating_mul(length))
}

/// Takes one try for `key` (hashed before it is stored). `Err(wait)` inside when none is left.
///
/// # Errors
/// When the database fails: the caller refuses (fails closed).
pub fn take(tx: &mut Tx<'_>, throttle: Throttle, key: &str) -> Result<Result<(), Duration>, StorageError> {
    let now = tx.now()?;
    let bucket = tx.index(throttle.name, key);
    let start = start_of(throttle, now);
    on_either!(tx, |c| diesel::insert_into(throttles::table)
        .values((throttles::bucket.eq(&bucket), throttles::window_start.eq(start), throttles::used.eq(1)))
        .on_conflict((throttles::bucket, throttles::window_start))
        .do_update()
        .set(throttles::used.eq(throttles::used + excluded(throttles::used)))
        .execute(c))?;
    let used: i32 = throttles::table
        .filter(throttles::bucket.eq(&bucket))
        .filter(throttles::window_start.eq(start))
        .select(throttles::used)
        .first(tx.db())?;
    if used > throttle.most { Ok(Err(start.plus(throttle.window).since(now))) } else { Ok(Ok(())) }
}

/// Gives a try back that turned out right, so that only the wrong ones add up.
///
/// # Errors
/// When the database fails.
pub fn give_back(tx: &mut Tx<'_>, throttle: Throttle, key: &str) -> Result<(), StorageError> {
    let now = tx.now()?;
    let bucket = tx.index(throttle.name, key);
    diesel::update(
        throttles::table
            .filter(throttles::bucket.eq(bucket))
            .filter(throttles::window_start.eq(start_of(throttle, now)))
            .filter(throttles::used.gt(0)),
    )
    .set(throttles::used.eq(throttles::used - 1))
    .execute(tx.db())?;
    Ok(())
}

/// The longest window of all.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Deletes the counts of windows that are over.
///
/// # Errors
/// When the database fails.
pub fn forget_old_throttles(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let before = tx.now()?.minus(LONGEST);
    Ok(diesel::delete(throttles::table.filter(throttles::window_start.lt(before))).execute(tx.db())?)
}
