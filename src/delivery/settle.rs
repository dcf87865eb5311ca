//! Signs of life and results: what the holders of leases write down.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text};
use uuid::Uuid;

use super::lifecycle::State;
use super::metrics;
use super::queue::LEASE;
use super::receipts;
use super::retry::Verdict;
use super::tray::Digest;
use crate::storage::Db;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::columns::sql;
use crate::storage::schema::{attempts, deliveries};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Why a delivery that a courier held during a stop was not tried again.
const STOPPED: &str = "stopped";
/// The same, when it may have arrived.
pub(super) const NO_ANSWER_STOPPED: &str = "no answer: stopped";

/// Locks deliveries, until the end of the transaction, in the order of their numbers. Whoever changes several of them, or
/// their attempts, does this once and first: so nobody waits in a circle, and a stop that was waited for lies before the
/// time of the transaction. A claim never waits, it steps around what is locked. On SQLite the writer already holds the
/// only lock.
///
/// # Errors
/// When the database fails.
pub fn lock_in_order(tx: &mut Tx<'_>, ids: &[i64]) -> Result<(), StorageError> {
    if ids.is_empty() {
        return Ok(());
    }
    if let Db::Postgres(c) = tx.db() {
        let wanted = deliveries::table.filter(deliveries::id.eq_any(ids)).order(deliveries::id).select(deliveries::id);
        wanted.for_update().load::<i64>(c)?;
    }
    Ok(())
}

/// Shows that the holder of a lease is alive: its deliveries stay with it for another while. After `lock_in_order`. Returns
/// those that are still held under it.
///
/// # Errors
/// When the database fails.
pub fn renew(tx: &mut Tx<'_>, lease: Uuid, ids: &[i64]) -> Result<Vec<i64>, StorageError> {
    let until = tx.now()?.plus(LEASE);
    let lease = Some(Id::<of::Lease>::from_uuid(lease));
    let mine = || deliveries::table.filter(deliveries::id.eq_any(ids)).filter(deliveries::lease.eq(lease));
    let renewed = diesel::update(mine()).set(deliveries::due_at.eq(Some(until))).execute(tx.db())?;
    if renewed == ids.len() {
        return Ok(ids.to_vec());
    }
    Ok(mine().select(deliveries::id).load(tx.db())?)
}

/// What became of one attempt.
#[derive(Debug)]
pub struct Settlement {
    /// The delivery.
    pub delivery: i64,
    /// The attempt.
    pub attempt: i32,
    /// Under which lease it was made.
    pub lease: Uuid,
    /// `accepted`, `deferred`, `refused`, `unknown`.
    pub outcome: &'static str,
    /// The provider's name for it.
    pub reference: Option<String>,
    /// Whether anybody was called. An attempt that was not tried is no step of any ladder.
    pub tried: bool,
    /// SHA-256 of what was handed over; none where nothing was.
    pub digest: Option<Digest>,
    /// What becomes of the delivery.
    pub verdict: Verdict,
}

/// A settlement as it is written: what the verdict means at this moment.
struct Entry<'a> {
    settlement: &'a Settlement,
    state: State,
    due_at: Option<Timestamp>,
    reason: Option<&'a str>,
}
impl<'a> Entry<'a> {
    /// Whoever is to be tried again was in time a moment ago: if the validity is over, a stop has ended it meanwhile.
    fn of(settlement: &'a Settlement, stopped: &HashSet<i64>) -> Self {
        let is_stopped = stopped.contains(&settlement.delivery);
        let (state, due_at, reason) = match &settlement.verdict {
            Verdict::Final(state, reason) => (*state, None, reason.as_deref()),
            Verdict::Again(State::Unknown, ..) if is_stopped => (State::Accepted, None, Some(NO_ANSWER_STOPPED)),
            Verdict::Again(..) if is_stopped => (State::Cancelled, None, Some(STOPPED)),
            Verdict::Again(state, at, reason) => (*state, Some(*at), Some(reason.as_str())),
        };
        Self { settlement, state, due_at, reason }
    }
    fn settled_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.state.is_final().then_some(now)
    }
    /// Why the attempt ended as it did; a stop of the message is not the attempt's affair.
    fn attempt_reason(&self) -> Option<&'a str> {
        match &self.settlement.verdict {
            Verdict::Final(_, reason) => reason.as_deref(),
            Verdict::Again(_, _, reason) => Some(reason.as_str()),
        }
    }
}

/// Settles attempts, in one transaction for many; after `lock_in_order`. Only what its lease still holds is changed: a late
/// answer of a lease that was lost is kept with its attempt and changes nothing else (accept M5). Returns how many were
/// settled.
///
/// # Errors
/// When the database fails.
pub fn settle(tx: &mut Tx<'_>, settlements: &[Settlement]) -> Result<usize, StorageError> {
    if settlements.is_empty() {
        return Ok(0);
    }
    let now = tx.now()?;
    let again: Vec<i64> = settlements
        .iter()
        .filter(|settlement| matches!(settlement.verdict, Verdict::Again(..)))
        .map(|settlement| settlement.delivery)
        .collect();
    let stopped: HashSet<i64> = super::stop::no_longer_wanted(tx, &again)?.into_iter().collect();
    let results: Vec<Entry<'_>> = settlements.iter().map(|settlement| Entry::of(settlement, &stopped)).collect();
    let settled: HashSet<(i64, i32)> = match tx.db() {
        Db::Sqlite(_) => one_by_one(tx, &results, now)?,
        Db::Postgres(c) => all_at_once(c, &results, now)?,
    };
    let is_settled = |settlement: &Settlement| settled.contains(&(settlement.delivery, settlement.attempt));
    let untried = settlements.iter().filter(|settlement| !settlement.tried && is_settled(settlement));
    give_back(tx, &untried.map(|settlement| settlement.delivery).collect::<Vec<_>>())?;
    // By what was written and not by the verdict: a stop ends as taken what may have arrived.
    let taken = results.iter().filter(|result| result.state == State::Accepted && is_settled(result.settlement));
    receipts::catch_up(tx, &taken.map(|result| result.settlement.delivery).collect::<Vec<_>>())?;
    for settlement in settlements.iter().filter(|settlement| !is_settled(settlement)) {
        metrics::late();
        tracing::warn!(
            delivery = settlement.delivery,
            outcome = settlement.outcome,
            "a late answer: the lease was lost"
        );
    }
    Ok(settled.len())
}
/// These attempts came back before anybody was called: they are no reason to wait longer, nor to go to another provider.
fn give_back(tx: &mut Tx<'_>, ids: &[i64]) -> Result<(), StorageError> {
    if !ids.is_empty() {
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(ids)))
            .set((deliveries::untried.eq(deliveries::untried + 1), deliveries::provider.eq(None::<String>)))
            .execute(tx.db())?;
    }
    Ok(())
}
/// Two prepared statements for each: on the embedded database a statement costs microseconds.
fn one_by_one(tx: &mut Tx<'_>, results: &[Entry<'_>], now: Timestamp) -> Result<HashSet<(i64, i32)>, StorageError> {
    let mut settled = HashSet::with_capacity(results.len());
    for result in results {
        let settlement = result.settlement;
        let attempt = attempts::table
            .filter(attempts::delivery_id.eq(settlement.delivery))
            .filter(attempts::number.eq(settlement.attempt));
        diesel::update(attempt)
            .set((
                attempts::finished_at.eq(Some(now)),
                attempts::outcome.eq(Some(settlement.outcome)),
                attempts::reference.eq(settlement.reference.as_deref()),
                attempts::reason.eq(result.attempt_reason()),
                attempts::digest.eq(settlement.digest.as_ref().map(<[u8; 32]>::as_slice)),
            ))
            .execute(tx.db())?;
        let mine = deliveries::table
            .filter(deliveries::id.eq(settlement.delivery))
            .filter(deliveries::lease.eq(Some(Id::<of::Lease>::from_uuid(settlement.lease))));
        let changed = diesel::update(mine)
            .set((
                deliveries::state.eq(result.state),
                deliveries::reason.eq(result.reason),
                deliveries::due_at.eq(result.due_at),
                deliveries::lease.eq(None::<Id<of::Lease>>),
                deliveries::reference.eq(settlement.reference.as_deref()),
                deliveries::settled_at.eq(result.settled_at(now)),
            ))
            .execute(tx.db())?;
        if changed > 0 {
            settled.insert((settlement.delivery, settlement.attempt));
        }
    }
    Ok(settled)
}
#[derive(QueryableByName)]
struct SettledRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Integer)]
    attempt: i32,
}
/// Two statements for all: on a server every statement is a round trip.
fn all_at_once(
    c: &mut PgConnection,
    results: &[Entry<'_>],
    now: Timestamp,
) -> Result<HashSet<(i64, i32)>, StorageError> {
    fn column<'a, T>(results: &'a [Entry<'a>], of: impl Fn(&'a Entry<'a>) -> T) -> Vec<T> {
        results.iter().map(of).collect()
    }
    diesel::sql_query(
        "UPDATE attempts SET finished_at = $1, outcome = v.outcome, reference = v.reference, reason = v.reason, digest = v.digest \
         FROM unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bytea[]) \
           AS v(delivery_id, number, outcome, reference, reason, digest) \
         WHERE attempts.delivery_id = v.delivery_id AND attempts.number = v.number",
    )
    .bind::<sql::Moment, _>(now)
    .bind::<Array<BigInt>, _>(column(results, |result| result.settlement.delivery))
    .bind::<Array<Integer>, _>(column(results, |result| result.settlement.attempt))
    .bind::<Array<Text>, _>(column(results, |result| result.settlement.outcome))
    .bind::<Array<Nullable<Text>>, _>(column(results, |result| result.settlement.reference.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(column(results, Entry::attempt_reason))
    .bind::<Array<Nullable<Binary>>, _>(column(results, |result| {
        result.settlement.digest.as_ref().map(<[u8; 32]>::as_slice)
    }))
    .execute(c)?;
    let settled: Vec<SettledRow> = diesel::sql_query(
        "UPDATE deliveries SET state = v.state, reason = v.reason, due_at = v.due_at, lease = NULL, reference = v.reference, \
           settled_at = v.settled_at \
         FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::timestamptz[]) \
           AS v(id, lease, state, reason, due_at, reference, settled_at) \
         WHERE deliveries.id = v.id AND deliveries.lease = v.lease RETURNING deliveries.id, deliveries.attempts AS attempt",
    )
    .bind::<Array<BigInt>, _>(column(results, |result| result.settlement.delivery))
    .bind::<Array<diesel::sql_types::Uuid>, _>(column(results, |result| result.settlement.lease))
    .bind::<Array<Text>, _>(column(results, |result| result.state.as_str()))
    .bind::<Array<Nullable<Text>>, _>(column(results, |result| result.reason))
    .bind::<Array<Nullable<sql::Moment>>, _>(column(results, |result| result.due_at))
    .bind::<Array<Nullable<Text>>, _>(column(results, |result| result.settlement.reference.as_deref()))
    .bind::<Array<Nullable<sql::Moment>>, _>(column(results, |result| result.settled_at(now)))
    .load(c)?;
    // Whoever holds the lease made the last attempt.
    Ok(settled.into_iter().map(|row| (row.id, row.attempt)).collect())
}
