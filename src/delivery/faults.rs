//! Failures that speak of an address or a number and not of us: the book that the floors above read. Addresses stand in it
//! as keyed indexes only.
//!
//! Nothing is written here when an attempt is settled. Once a minute the deliveries that failed since the last look are
//! read, by an index that holds failed ones alone, and those for which the address is to blame are noted.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use diesel::prelude::*;

use super::blame::{Blame, blame};
use super::dead_letters::DEAD;
use super::lifecycle::Channel;
use super::queue::row_name;
use crate::on_either;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::DELIVERIES_ADDRESS;
use crate::storage::schema::{deliveries, duty_marks, endpoint_faults};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// How far the look goes back behind the last one: what was settled then may have been committed since.
const OVERLAP: Duration = Duration::from_secs(300);
/// Where the first look begins: addresses are emptied after seven days, and without one nothing can be held against it.
const FIRST_LOOK: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Rows read or written at once.
const AT_ONCE: i64 = 2_000;
/// How long a fault is kept.
const LIFE: Duration = Duration::from_secs(90 * 24 * 3_600);
const MARK: &str = "endpoint_faults";

/// A failure that speaks of an address or a number.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = endpoint_faults)]
pub struct Fault {
    /// Its number.
    pub id: i64,
    /// What it was part of: one message, or one letter.
    pub batch_id: Id<of::Batch>,
    /// How it went.
    pub channel: Channel,
    /// Keyed index of the address or number; see `endpoint_index`.
    pub endpoint_index: Vec<u8>,
    /// How much it says.
    pub kind: Blame,
    /// When the delivery was made.
    pub sent_at: Timestamp,
    /// When it failed.
    pub happened_at: Timestamp,
}
#[derive(Insertable)]
#[diesel(table_name = endpoint_faults)]
struct NewRow {
    delivery_id: i64,
    attempt: i32,
    batch_id: Id<of::Batch>,
    person_id: Id<of::Person>,
    channel: Channel,
    endpoint_index: Vec<u8>,
    kind: Blame,
    /// For a person who looks into the database: a delivery that is put back into the queue forgets its own. Codes only.
    reason: String,
    sent_at: Timestamp,
    happened_at: Timestamp,
}
#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
struct FailedRow {
    id: i64,
    batch_id: Id<of::Batch>,
    person_id: Id<of::Person>,
    channel: Channel,
    address: Option<Vec<u8>>,
    reason: Option<String>,
    attempts: i32,
    settled_at: Option<Timestamp>,
    created_at: Timestamp,
}

/// The form in which equal addresses, and equal numbers, are equal.
#[must_use]
pub fn endpoint_index(tx: &Tx<'_>, channel: Channel, value: &str) -> Vec<u8> {
    match channel {
        Channel::Email => tx.index("email", &value.to_lowercase()),
        Channel::Sms => tx.index("phone", value),
    }
}

/// Notes what failed since the last look. Returns how many faults are new.
///
/// # Errors
/// When the database fails.
pub fn note_faults(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let now = tx.now()?;
    let mark: Option<Timestamp> =
        duty_marks::table.find(MARK).select(duty_marks::reached_at).first(tx.db()).optional()?;
    // Written before anything is read: on PostgreSQL a second node waits here until this transaction is over.
    on_either!(tx, |c| {
        diesel::insert_into(duty_marks::table)
            .values((duty_marks::duty.eq(MARK), duty_marks::reached_at.eq(now)))
            .on_conflict(duty_marks::duty)
            .do_update()
            .set(duty_marks::reached_at.eq(now))
            .execute(c)
    })?;
    let from = mark.map_or_else(|| now.minus(FIRST_LOOK), |mark| mark.minus(OVERLAP));
    let (mut after, mut noted) = ((from, i64::MIN), 0);
    loop {
        let rows = failed_after(tx, after)?;
        let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < AT_ONCE;
        if let Some(last) = rows.last() {
            after = (last.settled_at.unwrap_or(now), last.id);
        }
        noted += note(tx, rows)?;
        if is_last {
            break;
        }
    }
    Ok(noted)
}
fn failed_after(tx: &mut Tx<'_>, (at, id): (Timestamp, i64)) -> Result<Vec<FailedRow>, StorageError> {
    Ok(deliveries::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(DEAD))
        // Without an address nothing can be held against it: the index ends where addresses are forgotten.
        .filter(deliveries::address.is_not_null())
        .filter(deliveries::settled_at.ge(Some(at)))
        .filter(deliveries::settled_at.gt(Some(at)).or(deliveries::id.gt(id)))
        .order((deliveries::settled_at, deliveries::id))
        .limit(AT_ONCE)
        .select(FailedRow::as_select())
        .load(tx.db())?)
}
fn note(tx: &mut Tx<'_>, failed: Vec<FailedRow>) -> Result<usize, StorageError> {
    let mut new = Vec::new();
    for row in failed {
        let Some(reason) = row.reason else { continue };
        let (Some(kind), Some(sealed), Some(happened_at)) = (blame(row.channel, &reason), row.address, row.settled_at)
        else {
            continue;
        };
        let name = row_name(row.batch_id.uuid(), row.person_id, row.channel);
        // What does not open is told of by the couriers.
        let Ok(address) = tx.open::<String>(DELIVERIES_ADDRESS, name, &sealed) else { continue };
        new.push(NewRow {
            delivery_id: row.id,
            attempt: row.attempts,
            batch_id: row.batch_id,
            person_id: row.person_id,
            channel: row.channel,
            endpoint_index: endpoint_index(tx, row.channel, &address),
            kind,
            reason,
            sent_at: row.created_at,
            happened_at,
        });
    }
    if new.is_empty() {
        return Ok(0);
    }
    let ids = new.iter().map(|row| row.delivery_id);
    // What was put back into the queue and failed again has failed twice.
    let known: HashSet<(i64, i32)> = endpoint_faults::table
        .filter(endpoint_faults::delivery_id.eq_any(ids))
        .select((endpoint_faults::delivery_id, endpoint_faults::attempt))
        .load(tx.db())?
        .into_iter()
        .collect();
    new.retain(|row| !known.contains(&(row.delivery_id, row.attempt)));
    on_either!(tx, |c| diesel::insert_into(endpoint_faults::table).values(&new).execute(c))?;
    Ok(new.len())
}

/// Faults that nobody has drawn a conclusion from yet, oldest first, so many at once.
///
/// # Errors
/// When the database fails.
pub fn open_faults(tx: &mut Tx<'_>) -> Result<Vec<Fault>, StorageError> {
    Ok(endpoint_faults::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("endpoint_faults.handled_at IS NULL"))
        .order((endpoint_faults::happened_at, endpoint_faults::id))
        .limit(AT_ONCE)
        .select(Fault::as_select())
        .load(tx.db())?)
}
/// The conclusion has been drawn.
///
/// # Errors
/// When the database fails.
pub fn settle_faults(tx: &mut Tx<'_>, faults: &[Fault]) -> Result<(), StorageError> {
    let now = tx.now()?;
    let ids = faults.iter().map(|fault| fault.id);
    diesel::update(endpoint_faults::table.filter(endpoint_faults::id.eq_any(ids)))
        .set(endpoint_faults::handled_at.eq(Some(now)))
        .execute(tx.db())?;
    Ok(())
}
/// Of one batch and channel: how many failed by the fault of the address, however often, and how many were tried.
///
/// # Errors
/// When the database fails.
pub fn failures_of_batch(tx: &mut Tx<'_>, batch: Id<of::Batch>, channel: Channel) -> Result<(i64, i64), StorageError> {
    let failed = endpoint_faults::table
        .filter(endpoint_faults::batch_id.eq(batch))
        .filter(endpoint_faults::channel.eq(channel))
        .select(diesel::dsl::count(endpoint_faults::delivery_id).aggregate_distinct())
        .first(tx.db())?;
    let tried = deliveries::table
        .filter(deliveries::batch_id.eq(batch))
        .filter(deliveries::channel.eq(channel))
        .filter(deliveries::attempts.gt(0))
        .count()
        .get_result(tx.db())?;
    Ok((failed, tried))
}
/// The failures of a batch and channel count against nobody any more. Returns those from which a conclusion had been drawn:
/// endpoint, and when.
///
/// # Errors
/// When the database fails.
pub fn forgive_batch(
    tx: &mut Tx<'_>,
    batch: Id<of::Batch>,
    channel: Channel,
) -> Result<Vec<(Vec<u8>, Timestamp)>, StorageError> {
    let now = tx.now()?;
    let handled: Vec<(Vec<u8>, Option<Timestamp>)> = endpoint_faults::table
        .filter(endpoint_faults::batch_id.eq(batch))
        .filter(endpoint_faults::channel.eq(channel))
        .filter(endpoint_faults::forgiven_at.is_null())
        .filter(endpoint_faults::handled_at.is_not_null())
        .select((endpoint_faults::endpoint_index, endpoint_faults::handled_at))
        .load(tx.db())?;
    diesel::update(
        endpoint_faults::table
            .filter(endpoint_faults::batch_id.eq(batch))
            .filter(endpoint_faults::channel.eq(channel))
            .filter(endpoint_faults::forgiven_at.is_null()),
    )
    .set(endpoint_faults::forgiven_at.eq(Some(now)))
    .execute(tx.db())?;
    Ok(handled.into_iter().filter_map(|(endpoint, at)| Some((endpoint, at?))).collect())
}
/// How these endpoints failed since a moment, each by its index; what was taken back is left out.
///
/// # Errors
/// When the database fails.
pub fn faults_since(
    tx: &mut Tx<'_>,
    endpoints: &[&[u8]],
    since: Timestamp,
) -> Result<HashMap<Vec<u8>, Vec<Fault>>, StorageError> {
    let found: Vec<Fault> = endpoint_faults::table
        .filter(endpoint_faults::endpoint_index.eq_any(endpoints))
        .filter(endpoint_faults::happened_at.ge(since))
        .filter(endpoint_faults::forgiven_at.is_null())
        .select(Fault::as_select())
        .load(tx.db())?;
    let mut faults: HashMap<Vec<u8>, Vec<Fault>> = HashMap::new();
    for fault in found {
        faults.entry(fault.endpoint_index.clone()).or_default().push(fault);
    }
    Ok(faults)
}
/// An SMS reached the handset: whatever it was before, the number works. That a relay took a mail proves nothing of the
/// kind, so mail has no such moment.
pub(super) fn forgive(tx: &mut Tx<'_>, person: Id<of::Person>, channel: Channel) -> Result<(), StorageError> {
    let now = tx.now()?;
    diesel::update(
        endpoint_faults::table
            .filter(endpoint_faults::person_id.eq(person))
            .filter(endpoint_faults::channel.eq(channel))
            .filter(endpoint_faults::forgiven_at.is_null()),
    )
    .set(endpoint_faults::forgiven_at.eq(Some(now)))
    .execute(tx.db())?;
    Ok(())
}
/// Forgets what is too old to say anything.
///
/// # Errors
/// When the database fails.
pub fn forget_old_faults(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let before = tx.now()?.minus(LIFE);
    Ok(diesel::delete(endpoint_faults::table.filter(endpoint_faults::happened_at.lt(before))).execute(tx.db())?)
}
