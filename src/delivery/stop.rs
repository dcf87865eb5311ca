//! Stopping what has not been handed over: of a batch, or of a membership that ends.

use diesel::prelude::*;
use uuid::Uuid;

use super::lifecycle::{Channel, State};
use super::receipts;
use super::settle::NO_ANSWER_STOPPED;
use crate::storage::Db;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::columns::sql;
use crate::storage::schema::deliveries;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Stops the deliveries of a condition, of which another finds the open ones by its index; see `cancel`. A macro, as diesel
/// gives each condition a type of its own.
macro_rules! stop_those {
    ($tx:ident, $those:expr, $open:expr, $reason:expr) => {{
        // PostgreSQL shows every statement another moment: without the locks, what a claim takes between two of them would
        // slip through. In the order of `lock_in_order`.
        if let Db::Postgres(c) = $tx.db() {
            let open = deliveries::table.filter($open);
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
    let open = deliveries::batch_id.eq(batch).and(deliveries::settled_at.is_null());
    Ok(stop_those!(tx, deliveries::batch_id.eq(batch), open, reason))
}

/// The batches of which something is open: a step from each to the next, however many deliveries each of them has.
const OPEN_BATCHES: &str = "WITH RECURSIVE open (batch_id) AS (\
    SELECT (SELECT batch_id FROM deliveries WHERE settled_at IS NULL ORDER BY batch_id LIMIT 1) \
    UNION ALL \
    SELECT (SELECT later.batch_id FROM deliveries later WHERE later.settled_at IS NULL AND later.batch_id > open.batch_id \
            ORDER BY later.batch_id LIMIT 1) \
    FROM open WHERE open.batch_id IS NOT NULL) \
    SELECT batch_id FROM open WHERE batch_id IS NOT NULL";
/// Batches looked into in one sentence.
const AT_ONCE: usize = 500;

#[derive(QueryableByName)]
struct OpenBatch {
    #[diesel(sql_type = sql::Key)]
    batch_id: Id<of::Batch>,
}

/// What waits for a member, by the key of each open batch. Few batches are open, and one of them may have a hundred thousand
/// rows: these are not walked, and no index of memberships has to be kept by every claim and every result.
fn waiting_for(
    tx: &mut Tx<'_>,
    membership: Id<of::Membership>,
    person: Id<of::Person>,
    channel: Option<Channel>,
) -> Result<Vec<i64>, StorageError> {
    let open: Vec<OpenBatch> = diesel::sql_query(OPEN_BATCHES).load(tx.db())?;
    let mut waiting = Vec::new();
    for batches in open.chunks(AT_ONCE) {
        // That they are due is looked at here: by that word the database might prefer to walk the index of what is due.
        let theirs: Vec<(i64, Channel, Option<Timestamp>)> = deliveries::table
            .filter(deliveries::batch_id.eq_any(batches.iter().map(|open| open.batch_id)))
            .filter(deliveries::person_id.eq(person))
            .filter(deliveries::membership_id.eq(Some(membership)))
            .select((deliveries::id, deliveries::channel, deliveries::due_at))
            .load(tx.db())?;
        let meant = |(_, by, due): &(i64, Channel, Option<Timestamp>)| {
            due.is_some() && channel.is_none_or(|channel| channel == *by)
        };
        waiting.extend(theirs.into_iter().filter(meant).map(|(id, ..)| id));
    }
    Ok(waiting)
}

/// Cancels what waits for a membership of a person, on one channel or on all: whoever left gets nothing more. As `cancel`
/// otherwise.
///
/// # Errors
/// When the database fails.
pub fn cancel_for_membership(
    tx: &mut Tx<'_>,
    membership: Id<of::Membership>,
    person: Id<of::Person>,
    channel: Option<Channel>,
    reason: &str,
) -> Result<usize, StorageError> {
    cancel_for_memberships(tx, &[(membership, person)], channel, reason)
}
/// The same for several, whose deliveries are locked together: one after the other they would not be in their order.
///
/// # Errors
/// When the database fails.
pub fn cancel_for_memberships(
    tx: &mut Tx<'_>,
    memberships: &[(Id<of::Membership>, Id<of::Person>)],
    channel: Option<Channel>,
    reason: &str,
) -> Result<usize, StorageError> {
    let mut ids = Vec::new();
    for (membership, person) in memberships {
        ids.extend(waiting_for(tx, *membership, *person, channel)?);
    }
    tx.nudge();
    if ids.is_empty() {
        return Ok(0);
    }
    // By their numbers alone: that they are open would lead PostgreSQL to walk all that is.
    Ok(stop_those!(tx, deliveries::id.eq_any(&ids), deliveries::id.eq_any(&ids), reason))
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
