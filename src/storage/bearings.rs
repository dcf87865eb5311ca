//! What was last known of the time, kept in the database: a process that starts compares the machine's clock with it, and
//! whoever forgets by the calendar asks it first (decision 0014). One row.

use std::time::Duration;

use diesel::prelude::*;

use super::Database;
use super::Db;
use super::StorageError;
use super::Tx;
use super::schema::clock_marks;
use crate::on_either;
use crate::values::Timestamp;
use crate::values::{Leap, leap};

/// The mark is set once a minute: what was stored since cannot be later than this.
const MARKED_EVERY: Duration = Duration::from_secs(60);
/// A time that is doubted forgets nothing for so long: a day for somebody to put the clock right.
const DOUBTED_FOR: Duration = Duration::from_secs(24 * 3_600);
const ONLY: i16 = 1;

/// The row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = clock_marks, treat_none_as_null = true)]
struct Mark {
    seen_at: Timestamp,
    doubted_until: Option<Timestamp>,
    machine: Option<String>,
    counter: Option<i64>,
}
fn mark(tx: &mut Tx<'_>) -> Result<Option<Mark>, StorageError> {
    Ok(clock_marks::table.find(ONLY).select(Mark::as_select()).first(tx.db()).optional()?)
}
/// Which start of which machine this is; Linux says so.
fn machine() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|text| text.trim().to_owned())
}

/// Where the time begins that this process counts, by what is known from before; none where the wall may be believed.
fn beginning(mark: &Mark, machine: Option<&str>, counter: i64, wall: Timestamp) -> Option<Timestamp> {
    // The machine has not been started since: its counter dates the mark, whatever was done to the wall.
    let same = mark.machine.as_deref().is_some_and(|known| Some(known) == machine);
    let passed = mark.counter.filter(|_| same).map(|then| counter.saturating_sub(then)).filter(|passed| *passed >= 0);
    match passed.and_then(|micros| u64::try_from(micros).ok()) {
        Some(micros) => Some(mark.seen_at.plus(Duration::from_micros(micros))),
        None if leap(mark.seen_at.micros(), wall.micros()) == Some(Leap::Back) => Some(mark.seen_at.plus(MARKED_EVERY)),
        None => None,
    }
}

impl Database {
    /// Compares the machine's clock with what was last known. Where the database says the time, its own clock is the truth.
    pub(super) fn take_bearings(&self) -> Result<(), StorageError> {
        let clock = self.clock();
        if clock.is_driven() {
            return Ok(());
        }
        if self.name() != "sqlite" {
            return self.read(|tx| tx.now().map(drop));
        }
        let Some(mark) = self.read(mark)? else { return Ok(()) };
        let wall = clock.wall();
        if let Some(at) = beginning(&mark, machine().as_deref(), clock.counter(), wall) {
            clock.resume(at);
            if leap(at.micros(), wall.micros()) == Some(Leap::Back) {
                tracing::error!(event = "clock.behind", known = %at, machine = %wall, "the machine's clock is behind what is stored");
            }
        }
        Ok(())
    }
}

/// Sets the mark; done once a minute. `false` while the time is doubted: then nothing is forgotten, and nothing ends, by the
/// calendar. Doubted for a day is a time that went back or leapt by more than a day since the last mark.
///
/// # Errors
/// When the database fails.
pub fn keep_time(tx: &mut Tx<'_>) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let before = mark(tx)?;
    let leapt = before.as_ref().and_then(|before| leap(before.seen_at.micros(), now.micros()));
    let doubted_until = match leapt {
        Some(leap) => {
            tracing::error!(event = "clock.doubted", ?leap, %now, "the time leapt: nothing is forgotten for a day");
            Some(now.plus(DOUBTED_FOR))
        }
        None => before.and_then(|before| before.doubted_until).filter(|until| *until > now),
    };
    let (machine, counter) =
        if tx.clock().is_driven() { (None, None) } else { (machine(), Some(tx.clock().counter())) };
    let mark = Mark { seen_at: now, doubted_until, machine, counter };
    on_either!(tx, |c| diesel::insert_into(clock_marks::table)
        .values((clock_marks::id.eq(ONLY), mark.clone()))
        .on_conflict(clock_marks::id)
        .do_update()
        .set(mark.clone())
        .execute(c))?;
    Ok(doubted_until.is_none())
}
/// Somebody says that the machine's clock is right: nothing is doubted any more, and the next start believes it. Returns by
/// how much the time goes back then, zero where it does not. To be called while nothing else runs on this database.
///
/// # Errors
/// When the database fails.
pub fn trust_the_machine(tx: &mut Tx<'_>) -> Result<Duration, StorageError> {
    let (wall, now) = (tx.clock().wall(), tx.now()?);
    if matches!(tx.db(), Db::Postgres(_)) {
        diesel::update(clock_marks::table).set(clock_marks::doubted_until.eq(None::<Timestamp>)).execute(tx.db())?;
        return Ok(Duration::ZERO);
    }
    let known = mark(tx)?.map_or(now, |mark| mark.seen_at.max(now));
    diesel::delete(clock_marks::table).execute(tx.db())?;
    Ok(known.since(wall))
}
/// Until when the time is doubted, if it is.
///
/// # Errors
/// When the database fails.
pub fn time_doubted_until(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StorageError> {
    let now = tx.now()?;
    Ok(mark(tx)?.and_then(|mark| mark.doubted_until).filter(|until| *until > now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Timestamp = Timestamp::from_micros(1_000_000_000_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn the_beginning_is_taken_from_whoever_knows_best() {
        let mark = |machine: Option<&str>, counter| Mark {
            seen_at: SEEN,
            doubted_until: None,
            machine: machine.map(str::to_owned),
            counter,
        };
        let hour = 3_600_000_000;
        let here = mark(Some("a"), Some(5));
        // Stored, machine now, counter now, wall: the beginning, none for the wall's.
        let table = [
            (
                here.clone(),
                Some("a"),
                5 + hour,
                SEEN.plus(48 * HOUR),
                Some(SEEN.plus(HOUR)),
                "+2 d under the same machine",
            ),
            (
                here.clone(),
                Some("a"),
                5 + hour,
                SEEN.minus(3 * HOUR),
                Some(SEEN.plus(HOUR)),
                "-3 h under the same machine",
            ),
            (here.clone(), Some("a"), 4, SEEN.plus(HOUR), None, "a counter that cannot be"),
            (here.clone(), Some("b"), 9, SEEN.plus(48 * HOUR), None, "off for two days"),
            (
                here.clone(),
                Some("b"),
                9,
                SEEN.minus(HOUR),
                Some(SEEN.plus(MARKED_EVERY)),
                "started anew with a clock behind",
            ),
            (here, None, 9, SEEN.minus(Duration::from_secs(5)), None, "within what clocks do"),
            (mark(None, None), None, 9, SEEN.plus(HOUR), None, "a machine without a name"),
        ];
        for (mark, machine, counter, wall, wanted, why) in table {
            assert_eq!(beginning(&mark, machine, counter, wall), wanted, "{why}");
        }
    }
}
