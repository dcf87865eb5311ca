//! Alarms: raised once for each subject whatever the number of nodes, cleared when the condition ends, taken in hand by
//! somebody. One that comes and goes is told once in a quarter of an hour. Subjects are identifiers: `message:…`, `provider:email:smtp`; never a person.

use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;

use super::lifecycle::State;
use super::trouble::Standing;
use crate::on_either;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{alarms, deliveries};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

crate::words! {
    /// What an alarm is about.
    pub enum AlarmKind {
        /// An urgent message that nobody has got after ten seconds.
        UrgentWithoutHandover = "urgent_without_handover",
        /// An urgent message that began to leave, and stands still for a minute.
        UrgentStuck = "urgent_stuck",
        /// A provider that is not called any more for a minute.
        ProviderDown = "provider_down",
        /// The queue cannot be read: rows do not open, or the database is away.
        QueueUnreadable = "queue_unreadable",
        /// A clock that jumped, or a time that leapt.
        ClockWrong = "clock_wrong",
    }
}

/// What a process sees for itself (a provider, rows that do not open) is said again so often,
const SAID_EVERY: Duration = Duration::from_secs(10);
/// and counts as over when no process has said it for so long.
const OVER_AFTER: Duration = Duration::from_secs(30);
/// Within this time the same alarm is told once, however often it is raised.
const TOLD_ONCE_IN: Duration = Duration::from_secs(15 * 60);
/// How long an alarm that is over is kept.
const LIFE: Duration = Duration::from_secs(365 * 24 * 3_600);

/// An alarm.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = alarms)]
pub struct Alarm {
    /// Its identifier.
    pub id: Id<of::Alarm>,
    /// What it is about.
    pub kind: AlarmKind,
    /// Of what.
    pub subject: String,
    /// The zone whose officers are told; none for what no officer can mend.
    pub zone_id: Option<Id<of::Zone>>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When a process last saw its cause.
    pub seen_at: Timestamp,
    /// When somebody was told; none where the same was told just before.
    pub told_at: Option<Timestamp>,
    /// When its cause was gone.
    pub cleared_at: Option<Timestamp>,
    /// When somebody took it in hand.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<Id<of::Account>>,
}
impl Alarm {
    /// Is it time to say again that its cause goes on?
    #[must_use]
    pub fn is_to_be_said_again(&self, now: Timestamp) -> bool {
        now.since(self.seen_at) >= SAID_EVERY
    }
    /// Has no process seen its cause for a while?
    #[must_use]
    pub fn is_unseen(&self, now: Timestamp) -> bool {
        now.since(self.seen_at) >= OVER_AFTER
    }
}

/// Raises an alarm, unless one of this kind and subject stands already: of several nodes exactly one raises it. It is to be
/// told at once, unless the same was told just before.
///
/// # Errors
/// When the database fails.
pub fn raise(
    tx: &mut Tx<'_>,
    kind: AlarmKind,
    subject: &str,
    zone: Option<Id<of::Zone>>,
) -> Result<Option<Alarm>, StorageError> {
    let (id, now) = (Id::<of::Alarm>::new(), tx.now()?);
    let told_at = if was_told_lately(tx, kind, subject)? { None } else { Some(now) };
    let row = (
        alarms::id.eq(id),
        alarms::kind.eq(kind),
        alarms::subject.eq(subject.to_owned()),
        alarms::zone_id.eq(zone),
        alarms::raised_at.eq(now),
        alarms::seen_at.eq(now),
        alarms::told_at.eq(told_at),
    );
    let raised =
        on_either!(tx, |c| diesel::insert_into(alarms::table).values(row.clone()).on_conflict_do_nothing().execute(c))?;
    if raised == 0 {
        return Ok(None);
    }
    Ok(Some(alarms::table.find(id).select(Alarm::as_select()).first(tx.db())?))
}
fn was_told_lately(tx: &mut Tx<'_>, kind: AlarmKind, subject: &str) -> Result<bool, StorageError> {
    let since = tx.now()?.minus(TOLD_ONCE_IN);
    let told: i64 = alarms::table
        .filter(alarms::kind.eq(kind))
        .filter(alarms::subject.eq(subject))
        .filter(alarms::told_at.gt(Some(since)))
        .count()
        .get_result(tx.db())?;
    Ok(told > 0)
}
/// Is it time to tell of an alarm that stands, and of which nobody was told as the same had been told just before?
///
/// # Errors
/// When the database fails.
pub fn is_to_be_told(tx: &mut Tx<'_>, alarm: &Alarm) -> Result<bool, StorageError> {
    Ok(alarm.told_at.is_none() && !was_told_lately(tx, alarm.kind, &alarm.subject)?)
}
/// Notes that it is told now; `false` when another node was quicker.
///
/// # Errors
/// When the database fails.
pub fn note_told(tx: &mut Tx<'_>, id: Id<of::Alarm>) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let untold = alarms::table.filter(alarms::id.eq(id)).filter(alarms::told_at.is_null());
    Ok(diesel::update(untold).set(alarms::told_at.eq(Some(now))).execute(tx.db())? > 0)
}
/// Forgets alarms that were over long ago.
///
/// # Errors
/// When the database fails.
pub fn forget_old_alarms(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let before = tx.now()?.minus(LIFE);
    Ok(diesel::delete(alarms::table.filter(alarms::cleared_at.lt(Some(before)))).execute(tx.db())?)
}
/// Says that the cause of an alarm goes on.
///
/// # Errors
/// When the database fails.
pub fn say_again(tx: &mut Tx<'_>, id: Id<of::Alarm>) -> Result<(), StorageError> {
    let now = tx.now()?;
    diesel::update(alarms::table.find(id)).set(alarms::seen_at.eq(now)).execute(tx.db())?;
    Ok(())
}
/// The cause is gone; `false` when another node was quicker.
///
/// # Errors
/// When the database fails.
pub fn clear(tx: &mut Tx<'_>, id: Id<of::Alarm>) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let cleared = diesel::update(alarms::table.filter(alarms::id.eq(id)).filter(alarms::cleared_at.is_null()))
        .set(alarms::cleared_at.eq(Some(now)))
        .execute(tx.db())?;
    Ok(cleared > 0)
}
/// The alarms whose cause goes on.
///
/// # Errors
/// When the database fails.
pub fn open_alarms(tx: &mut Tx<'_>) -> Result<Vec<Alarm>, StorageError> {
    Ok(alarms::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("alarms.cleared_at IS NULL"))
        // In the order of the index that holds only these.
        .order((alarms::kind, alarms::subject))
        .select(Alarm::as_select())
        .load(tx.db())?)
}

/// How a batch stands, in figures for each state.
///
/// # Errors
/// When the database fails.
pub fn standing_of(tx: &mut Tx<'_>, batch: Uuid) -> Result<Vec<Standing>, StorageError> {
    type Row = (State, i64, Option<Timestamp>, Option<Timestamp>, Option<Timestamp>);
    let rows: Vec<Row> = deliveries::table
        .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .group_by(deliveries::state)
        .select((
            deliveries::state,
            diesel::dsl::count_star(),
            diesel::dsl::min(deliveries::created_at),
            diesel::dsl::min(deliveries::due_at),
            diesel::dsl::max(deliveries::settled_at),
        ))
        .load(tx.db())?;
    let standing = |(state, count, created, first_due, last_settled): Row| {
        created.map(|first_created| Standing { state, count, first_created, first_due, last_settled })
    };
    Ok(rows.into_iter().filter_map(standing).collect())
}

/// Alarms of some zones from one on, newest first; one row more than the limit.
///
/// # Errors
/// When the database fails.
pub fn alarms_of(
    tx: &mut Tx<'_>,
    zones: &[Id<of::Zone>],
    is_open: Option<bool>,
    after: Option<Id<of::Alarm>>,
    limit: i64,
) -> Result<Vec<Alarm>, StorageError> {
    let mut wanted = alarms::table
        .filter(alarms::zone_id.eq_any(zones.iter().map(|zone| Some(*zone))))
        .order(alarms::id.desc())
        .limit(limit.saturating_add(1))
        .select(Alarm::as_select())
        .into_boxed();
    match is_open {
        Some(true) => wanted = wanted.filter(alarms::cleared_at.is_null()),
        Some(false) => wanted = wanted.filter(alarms::cleared_at.is_not_null()),
        None => {}
    }
    if let Some(after) = after {
        wanted = wanted.filter(alarms::id.lt(after));
    }
    Ok(wanted.load(tx.db())?)
}
/// An alarm.
///
/// # Errors
/// When the database fails.
pub fn find_alarm(tx: &mut Tx<'_>, id: Id<of::Alarm>) -> Result<Option<Alarm>, StorageError> {
    Ok(alarms::table.find(id).select(Alarm::as_select()).first(tx.db()).optional()?)
}
/// Somebody takes it in hand; `false` when somebody already has.
///
/// # Errors
/// When the database fails.
pub fn acknowledge(tx: &mut Tx<'_>, id: Id<of::Alarm>, by: Id<of::Account>) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let taken = diesel::update(alarms::table.filter(alarms::id.eq(id)).filter(alarms::acknowledged_at.is_null()))
        .set((alarms::acknowledged_at.eq(Some(now)), alarms::acknowledged_by.eq(Some(by))))
        .execute(tx.db())?;
    Ok(taken > 0)
}
