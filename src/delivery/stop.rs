//! Stopping what has not been handed over: of a batch, or of a membership that ends.

use diesel::prelude::*;
use uuid::Uuid;

use super::lifecycle::{Channel, State};
use super::queue::WAITS;
use super::receipts;
use super::settle::NO_ANSWER_STOPPED;
use crate::storage::Db;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::deliveries;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Stops the deliveries of a condition; see `cancel`. A macro, as diesel gives each condition a type of its own.
macro_rules! stop_those {
    ($tx:ident, $those:expr, $reason:expr) => {{
        // PostgreSQL shows every statement another moment: without the locks, what a claim takes between two of them would
        // slip through. In the order of `lock_in_order`.
        if let Db::Postgres(c) = $tx.db() {
            let open = deliveries::table.filter($those).filter(deliveries::settled_at.is_null());
            open.order(deliveries::id).select(deliveries::id).for_update().load::<i64>(c)?;
        }
        let now = $tx.now()?;
        diesel::update(deliveries::table.filter($those).filter(deliveries::state.eq(State::Attempting)))
            .set(deliveries::deadline.eq(now))
            .execute($tx.db())?;
        let unanswered = deliveries::table.filter($those).filter(deliveries::state.eq(State::Unknown));
        let unanswered: Vec<i64> = unanswered.select(deliveries::id).load($tx.db())?;
        diesel::update(deliveries::table.filter($those).filter(deliveries::state.eq(State::Unknown)))
            .set((
                deliveries::state.eq(State::Accepted),
                deliveries::reason.eq(Some(NO_ANSWER_STOPPED)),
                deliveries::due_at.eq(None::<Timestamp>),
                deliveries::settled_at.eq(Some(now)),
            ))
            .execute($tx.db())?;
        receipts::catch_up($tx, &unanswered)?;
        let waiting = [State::Planned, State::Queued, State::Deferred];
        diesel::update(deliveries::table.filter($those).filter(deliveries::state.eq_any(waiting)))
            .set((
                deliveries::state.eq(State::Cancelled),
                deliveries::reason.eq(Some($reason)),
                deliveries::due_at.eq(None::<Timestamp>),
                deliveries::settled_at.eq(Some(now)),
            ))
            .execute($tx.db())?
    }};
}

/// Cancels what has not been handed over yet. What a courier holds at this moment is left to it, and not tried again
/// whatever comes of it; what may have arrived, as its answer never came, counts as taken, so that a correction follows it
/// (accept M12). Returns how many were cancelled.
///
/// # Errors
/// When the database fails.
pub fn cancel(tx: &mut Tx<'_>, batch: Uuid, reason: &str) -> Result<usize, StorageError> {
    let batch = Id::<of::Batch>::from_uuid(batch);
    // What lies ready with the couriers is taken back at once.
    tx.nudge();
    Ok(stop_those!(tx, deliveries::batch_id.eq(batch), reason))
}

/// Cancels what waits for a membership, on one channel or on all: whoever left gets nothing more. As `cancel` otherwise.
///
/// # Errors
/// When the database fails.
pub fn cancel_for_membership(
    tx: &mut Tx<'_>,
    membership: Id<of::Membership>,
    channel: Option<Channel>,
    reason: &str,
) -> Result<usize, StorageError> {
    let mut waiting = deliveries::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(WAITS))
        .filter(deliveries::membership_id.eq(Some(membership)))
        .select(deliveries::id)
        .into_boxed();
    if let Some(channel) = channel {
        waiting = waiting.filter(deliveries::channel.eq(channel));
    }
    let ids: Vec<i64> = waiting.load(tx.db())?;
    tx.nudge();
    Ok(stop_those!(tx, deliveries::id.eq_any(&ids), reason))
}

/// Which of these were stopped meanwhile, or are over: whoever holds them need not hand them over any more.
///
/// # Errors
/// When the database fails.
pub fn no_longer_wanted(tx: &mut Tx<'_>, held: &[i64]) -> Result<Vec<i64>, StorageError> {
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let now = tx.now()?;
    let over = deliveries::table.filter(deliveries::id.eq_any(held)).filter(deliveries::deadline.le(now));
    Ok(over.select(deliveries::id).load(tx.db())?)
}
