//! How far a batch has come: where its deliveries stand, whom it reached, who was left out.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;
use uuid::Uuid;

use super::lifecycle::{Channel, State};
use super::receipts::NO_REPORT;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{attempts, deliveries};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// How many deliveries of a batch stand where, by channel and state.
///
/// # Errors
/// When the database fails.
pub fn progress(tx: &mut Tx<'_>, batch: Uuid) -> Result<BTreeMap<(Channel, State), i64>, StorageError> {
    let counts: Vec<(Channel, State, i64)> = deliveries::table
        .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .group_by((deliveries::channel, deliveries::state))
        .select((deliveries::channel, deliveries::state, diesel::dsl::count_star()))
        .load(tx.db())?;
    Ok(counts.into_iter().map(|(channel, state, count)| ((channel, state), count)).collect())
}

/// Everybody whom a batch reached, may have reached, or will still reach, each once: they get its correction. Left out are
/// those to whom it was never handed over and will not be, and those to whom the operator could not deliver it.
///
/// # Errors
/// When the database fails.
pub fn may_have_reached(tx: &mut Tx<'_>, batch: Uuid) -> Result<Vec<Id<of::Person>>, StorageError> {
    let reached = State::ALL.iter().copied().filter(|state| state.may_arrive());
    // "Failed" after the last attempt was accepted is the operator's word: it did not arrive. An acceptance that came too
    // late to count, after others had taken the delivery over, did hand it over, whatever the others were told.
    let taken = attempts::outcome
        .eq(Some("accepted"))
        .and(deliveries::state.ne(State::Failed).or(attempts::number.lt(deliveries::attempts)));
    let tried = attempts::table.filter(attempts::delivery_id.eq(deliveries::id)).filter(
        attempts::finished_at.is_null().or(attempts::outcome.eq_any([Some("unknown"), Some("lost")])).or(taken),
    );
    Ok(deliveries::table
        .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .filter(deliveries::state.eq_any(reached).or(diesel::dsl::exists(tried)))
        .order(deliveries::person_id)
        .select(deliveries::person_id)
        .distinct()
        .load(tx.db())?)
}

/// Where one delivery stands.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub struct DeliveryRow {
    /// Its number, in the order of writing.
    pub id: i64,
    /// Who.
    pub person_id: Id<of::Person>,
    /// How.
    pub channel: Channel,
    /// The membership.
    pub membership_id: Option<Id<of::Membership>>,
    /// Where it stands.
    pub state: State,
    /// Why, where there is a reason.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

/// The deliveries of a batch from a number on, in their order.
///
/// # Errors
/// When the database fails.
pub fn deliveries_of(
    tx: &mut Tx<'_>,
    batch: Uuid,
    state: Option<State>,
    after: i64,
    limit: i64,
) -> Result<Vec<DeliveryRow>, StorageError> {
    let mut wanted = deliveries::table
        .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .filter(deliveries::id.gt(after))
        .order(deliveries::id)
        .limit(limit)
        .select(DeliveryRow::as_select())
        .into_boxed();
    if let Some(state) = state {
        wanted = wanted.filter(deliveries::state.eq(state));
    }
    Ok(wanted.load(tx.db())?)
}

/// Who is reached by a batch, may be, or still will be, and on which channel.
///
/// # Errors
/// When the database fails.
pub fn given(tx: &mut Tx<'_>, batch: Uuid) -> Result<HashSet<(Id<of::Person>, Channel)>, StorageError> {
    let given = State::ALL.iter().copied().filter(|state| state.may_arrive());
    let rows: Vec<(Id<of::Person>, Channel)> = deliveries::table
        .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .filter(deliveries::state.eq_any(given))
        .select((deliveries::person_id, deliveries::channel))
        .load(tx.db())?;
    Ok(rows.into_iter().collect())
}
/// How many of a batch were taken by a provider that never said what became of them.
///
/// # Errors
/// When the database fails.
pub fn without_report(tx: &mut Tx<'_>, batch: Uuid) -> Result<i64, StorageError> {
    Ok(deliveries::table
        .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .filter(deliveries::state.eq(State::Accepted))
        .filter(deliveries::reason.eq(Some(NO_REPORT)))
        .count()
        .get_result(tx.db())?)
}
/// How many persons a batch is aimed at, those left out included.
///
/// # Errors
/// When the database fails.
pub fn persons_in(tx: &mut Tx<'_>, batch: Uuid) -> Result<i64, StorageError> {
    Ok(deliveries::table
        .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .select(diesel::dsl::count(deliveries::person_id).aggregate_distinct())
        .first(tx.db())?)
}
/// How many persons of a batch somebody outside was given it for, on whichever channel.
///
/// # Errors
/// When the database fails.
pub fn persons_reached(tx: &mut Tx<'_>, batch: Uuid) -> Result<i64, StorageError> {
    let handed_over = State::ALL.iter().copied().filter(|state| state.was_handed_over());
    Ok(deliveries::table
        .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .filter(deliveries::state.eq_any(handed_over))
        .select(diesel::dsl::count(deliveries::person_id).aggregate_distinct())
        .first(tx.db())?)
}
/// How many of a batch were left out, by channel and reason.
///
/// # Errors
/// When the database fails.
pub fn suppressed_in(tx: &mut Tx<'_>, batch: Uuid) -> Result<Vec<(String, Option<String>, i64)>, StorageError> {
    Ok(deliveries::table
        .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .filter(deliveries::state.eq(State::Suppressed))
        .group_by((deliveries::channel, deliveries::reason))
        .select((deliveries::channel, deliveries::reason, diesel::dsl::count_star()))
        .load(tx.db())?)
}
