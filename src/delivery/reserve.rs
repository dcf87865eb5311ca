//! The channel in reserve: whoever is reached on one channel has a second row, left out as "not chosen". When the first one
//! fails or expires, that row can be called up, or is left out for a better reason. What may be is the caller's rule.

use std::collections::BTreeSet;

use diesel::prelude::*;
use uuid::Uuid;

use super::dead_letters::DEAD;
use super::lifecycle::{Channel, State};
use super::queue::row_name;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::DELIVERIES_ADDRESS;
use crate::storage::schema::deliveries;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Why the channel in reserve is left out, for as long as the chosen one may do.
pub const NOT_CHOSEN: &str = "not_chosen";
/// Rows in which one look finds its batches.
const LOOKED_AT_ONCE: i64 = 1_000;
/// Rows that are decided about in one transaction.
pub const RESERVES_AT_ONCE: usize = 500;

diesel::alias!(deliveries as reserve: Reserve);

/// A row in reserve whose chosen channel did not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InReserve {
    /// Its number.
    pub id: i64,
    /// Who is to be reached.
    pub person: Id<of::Person>,
    /// How, now.
    pub channel: Channel,
}

/// A row of the same person on another channel that is held in reserve; a macro, as diesel gives each condition its type.
macro_rules! in_reserve {
    () => {
        reserve
            .field(deliveries::batch_id)
            .eq(deliveries::batch_id)
            .and(reserve.field(deliveries::person_id).eq(deliveries::person_id))
            .and(reserve.field(deliveries::channel).ne(deliveries::channel))
            .and(reserve.field(deliveries::state).eq(State::Suppressed))
            .and(reserve.field(deliveries::reason).eq(Some(NOT_CHOSEN)))
    };
}

/// The batches in which something failed or expired since a moment, and somebody has a channel in reserve: every one, the
/// oldest first, as what follows a message is judged by whom that one reached.
///
/// # Errors
/// When the database fails.
pub fn batches_with_reserves(tx: &mut Tx<'_>, since: Timestamp) -> Result<Vec<Uuid>, StorageError> {
    let mut found = BTreeSet::new();
    loop {
        let rows: Vec<Id<of::Batch>> = deliveries::table
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(DEAD))
            // As the index of what failed has it: addresses are kept for a week, and this is asked every second.
            .filter(deliveries::address.is_not_null())
            .filter(deliveries::settled_at.ge(Some(since)))
            // A large batch, or one that cannot be dealt with, hides no other.
            .filter(deliveries::batch_id.ne_all(found.iter().copied().map(Id::<of::Batch>::from_uuid)))
            .filter(diesel::dsl::exists(reserve.filter(in_reserve!())))
            // By this order both databases walk the index of what failed, and stop at the limit.
            .order((deliveries::settled_at.desc(), deliveries::id.desc()))
            .limit(LOOKED_AT_ONCE)
            .select(deliveries::batch_id)
            .load(tx.db())?;
        let is_all = rows.len() < usize::try_from(LOOKED_AT_ONCE).unwrap_or(usize::MAX);
        found.extend(rows.into_iter().map(Id::uuid));
        if is_all {
            // The identifiers of versions grow with time.
            return Ok(found.into_iter().collect());
        }
    }
}
/// The rows of a batch in reserve whose chosen channel failed or expired: so many at most, the oldest first.
/// Only one at a time may decide about a batch: the caller holds a lock for it.
///
/// # Errors
/// When the database fails.
pub fn reserves_of(tx: &mut Tx<'_>, batch: Uuid) -> Result<Vec<InReserve>, StorageError> {
    let rows: Vec<(i64, Id<of::Person>, Channel)> = deliveries::table
        .inner_join(reserve.on(in_reserve!()))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(DEAD))
        .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        // The index gives this order; by the other row's number a server would walk all there are.
        .order(deliveries::id)
        .limit(i64::try_from(RESERVES_AT_ONCE).unwrap_or(i64::MAX))
        .select((
            reserve.field(deliveries::id),
            reserve.field(deliveries::person_id),
            reserve.field(deliveries::channel),
        ))
        .load(tx.db())?;
    Ok(rows.into_iter().map(|(id, person, channel)| InReserve { id, person, channel }).collect())
}

/// Calls a row up: it leaves at a moment, with a content, to an address. `false` when it is in reserve no longer.
///
/// # Errors
/// When the database fails.
pub fn call_up(
    tx: &mut Tx<'_>,
    batch: Uuid,
    row: InReserve,
    content: Id<of::Content>,
    (address, at): (&str, Timestamp),
) -> Result<bool, StorageError> {
    let state = if at > tx.now()? { State::Planned } else { State::Queued };
    let sealed = tx.seal(DELIVERIES_ADDRESS, row_name(batch, row.person, row.channel), address)?;
    let called = diesel::update(deliveries::table.find(row.id))
        .filter(deliveries::state.eq(State::Suppressed))
        .filter(deliveries::reason.eq(Some(NOT_CHOSEN)))
        .set((
            deliveries::state.eq(state),
            deliveries::reason.eq(None::<String>),
            deliveries::content_id.eq(Some(content)),
            deliveries::address.eq(Some(sealed)),
            deliveries::due_at.eq(Some(at)),
            deliveries::settled_at.eq(None::<Timestamp>),
        ))
        .execute(tx.db())?;
    tx.nudge();
    Ok(called > 0)
}
/// Leaves rows out for good, each with the reason: they are in reserve no longer.
///
/// # Errors
/// When the database fails.
pub fn leave_out(tx: &mut Tx<'_>, rows: &[i64], reason: &str) -> Result<usize, StorageError> {
    let now = tx.now()?;
    Ok(diesel::update(deliveries::table.filter(deliveries::id.eq_any(rows)))
        .filter(deliveries::state.eq(State::Suppressed))
        .filter(deliveries::reason.eq(Some(NOT_CHOSEN)))
        .set((deliveries::reason.eq(Some(reason)), deliveries::settled_at.eq(Some(now))))
        .execute(tx.db())?)
}
