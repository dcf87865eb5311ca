//! Enqueue in the caller's transaction, claim, settle: every query of the queue.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;

use super::content::Body;
use super::lifecycle::{Channel, Lane, State};
use super::metrics;
use super::retry::Verdict;
use crate::on_either;
use crate::storage::Db;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::{CONTENTS_BODY, DELIVERIES_ADDRESS};
use crate::storage::schema::{attempts, contents, deliveries};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// How long a courier may hold a delivery without a sign of life.
pub const LEASE: Duration = Duration::from_secs(15);
/// Why a delivery that a courier held during a stop was not tried again.
const STOPPED: &str = "stopped";
/// The same, when it may have arrived.
const NO_ANSWER_STOPPED: &str = "no answer: stopped";
/// When a row that does not open is looked at again.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(60);
/// Addresses emptied in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 10_000;
/// Rows in one INSERT: both databases take 32,000 binds, a row has sixteen.
const ROWS_PER_INSERT: usize = 1_500;

/// What becomes of a new delivery.
#[derive(Debug, Clone)]
pub enum Fate {
    /// It leaves at a moment with a content.
    Due {
        /// What it says.
        content: Id<of::Content>,
        /// When it may leave.
        at: Timestamp,
    },
    /// It is left out, for a reason; the row proves that nobody was forgotten.
    Suppressed(&'static str),
}
/// One recipient on one channel.
#[derive(Debug)]
pub struct NewDelivery {
    /// Who.
    pub person: Id<of::Person>,
    /// How.
    pub channel: Channel,
    /// How pressing.
    pub lane: Lane,
    /// The membership whose links the letter carries.
    pub membership: Option<Id<of::Membership>>,
    /// Where: address or number; none for somebody left out.
    pub address: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
    /// After this it is no longer sent.
    pub deadline: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false)]
struct NewRow {
    batch_id: Id<of::Batch>,
    person_id: Id<of::Person>,
    channel: Channel,
    lane: i16,
    content_id: Option<Id<of::Content>>,
    membership_id: Option<Id<of::Membership>>,
    address: Option<Vec<u8>>,
    state: State,
    reason: Option<String>,
    due_at: Option<Timestamp>,
    deadline: Timestamp,
    attempts: i32,
    settled_at: Option<Timestamp>,
    created_at: Timestamp,
}

pub(super) fn row_name(batch: Uuid, person: Id<of::Person>, channel: Channel) -> String {
    format!("{batch}/{person}/{}", channel.as_str())
}

/// Writes down every delivery of a batch, in the caller's transaction (accept M3, M4).
///
/// # Errors
/// `Unique` when a person and channel appear twice in a batch.
pub fn enqueue(tx: &mut Tx<'_>, batch: Uuid, new: Vec<NewDelivery>) -> Result<usize, StorageError> {
    let now = tx.now()?;
    let mut rows = Vec::with_capacity(new.len());
    for delivery in new {
        let (content_id, due_at, state, reason) = match delivery.fate {
            Fate::Due { content, at } => {
                (Some(content), Some(at), if at > now { State::Planned } else { State::Queued }, None)
            }
            Fate::Suppressed(reason) => (None, None, State::Suppressed, Some(reason.to_owned())),
        };
        let address = match (&delivery.address, due_at) {
            (Some(address), Some(_)) => {
                Some(tx.seal(DELIVERIES_ADDRESS, row_name(batch, delivery.person, delivery.channel), address)?)
            }
            _ => None,
        };
        rows.push(NewRow {
            batch_id: Id::from_uuid(batch),
            person_id: delivery.person,
            channel: delivery.channel,
            lane: delivery.lane.number(),
            content_id,
            membership_id: delivery.membership,
            address,
            state,
            reason,
            due_at,
            deadline: delivery.deadline,
            attempts: 0,
            settled_at: state.is_final().then_some(now),
            created_at: now,
        });
    }
    for chunk in rows.chunks(ROWS_PER_INSERT) {
        on_either!(tx, |c| diesel::insert_into(deliveries::table).values(chunk).execute(c))?;
    }
    Ok(rows.len())
}

/// A delivery that a courier holds, ready to be handed over.
#[derive(Debug)]
pub struct Claimed {
    /// Its number.
    pub id: i64,
    /// The batch: message version or letter.
    pub batch: Uuid,
    /// Who.
    pub person: Id<of::Person>,
    /// How pressing.
    pub lane: Lane,
    /// The membership whose links the letter carries.
    pub membership: Option<Id<of::Membership>>,
    /// Where.
    pub address: String,
    /// What.
    pub body: Body,
    /// The number of this attempt.
    pub attempt: i32,
    /// Attempts before this round of the ladder: more than none once it was requeued.
    pub round_from: i32,
    /// Earlier attempts whose answer never came.
    pub unanswered: i32,
    /// After this it is no longer sent.
    pub deadline: Timestamp,
    /// How long that is, counted from the claim by the clock that decided it.
    pub deadline_in: Duration,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
struct DueRow {
    id: i64,
    batch_id: Id<of::Batch>,
    person_id: Id<of::Person>,
    channel: Channel,
    lane: i16,
    content_id: Option<Id<of::Content>>,
    membership_id: Option<Id<of::Membership>>,
    address: Option<Vec<u8>>,
    state: State,
    deadline: Timestamp,
    attempts: i32,
    round_from: i32,
}

#[derive(Insertable)]
#[diesel(table_name = attempts, treat_none_as_default_value = false)]
struct NewAttempt<'a> {
    delivery_id: i64,
    number: i32,
    lease: Id<of::Lease>,
    provider: &'a str,
    started_at: Timestamp,
}

/// What a courier asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Which channel.
    pub channel: Channel,
    /// The least pressing lane that is taken too.
    pub down_to: Lane,
    /// How many at most.
    pub limit: usize,
    /// Whom they are for, as the attempts name it.
    pub provider: &'a str,
}

/// Takes due deliveries of one channel, most urgent lane first; no other courier or node gets the same. A lease that ran
/// out is due again, so the claim itself is the rescue (accept M5). Deliveries whose time is over are expired on the way.
/// The attempts are written before anything is called (accept M6).
///
/// # Errors
/// When the database fails.
pub fn claim(tx: &mut Tx<'_>, lease: Uuid, wanted: Wanted<'_>) -> Result<Vec<Claimed>, StorageError> {
    let now = tx.now()?;
    let taken = loop {
        let due = due_rows(tx, &wanted, now)?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let lost: Vec<i64> = due.iter().filter(|row| row.state == State::Attempting).map(|row| row.id).collect();
        mark_lost(tx, &lost, now)?;
        let (over, in_time): (Vec<DueRow>, Vec<DueRow>) = due.into_iter().partition(|row| row.deadline <= now);
        if !over.is_empty() {
            expire(tx, &over, now)?;
        }
        let readable = readable(tx, in_time, now)?;
        // What is over, or cannot be read, is out of the way by now, and holds nobody up behind it.
        if !readable.is_empty() {
            break readable;
        }
    };
    let lease = Id::<of::Lease>::from_uuid(lease);
    diesel::update(deliveries::table.filter(deliveries::id.eq_any(taken.iter().map(|claimed| claimed.id))))
        .set((
            deliveries::state.eq(State::Attempting),
            deliveries::lease.eq(Some(lease)),
            deliveries::due_at.eq(Some(now.plus(LEASE))),
            deliveries::attempts.eq(deliveries::attempts + 1),
            deliveries::provider.eq(Some(wanted.provider)),
        ))
        .execute(tx.db())?;
    let started: Vec<NewAttempt<'_>> = taken
        .iter()
        .map(|claimed| NewAttempt {
            delivery_id: claimed.id,
            number: claimed.attempt,
            lease,
            provider: wanted.provider,
            started_at: now,
        })
        .collect();
    on_either!(tx, |c| diesel::insert_into(attempts::table).values(&started).execute(c))?;
    Ok(taken)
}
/// The due rows, locked against other couriers.
fn due_rows(tx: &mut Tx<'_>, wanted: &Wanted<'_>, now: Timestamp) -> Result<Vec<DueRow>, StorageError> {
    let mut ids: Vec<i64> = Vec::new();
    for lane in Lane::ALL.into_iter().filter(|lane| *lane <= wanted.down_to) {
        let left = i64::try_from(wanted.limit.saturating_sub(ids.len())).unwrap_or(i64::MAX);
        if left == 0 {
            break;
        }
        let due = deliveries::table
            // A literal and not a bind: a generic plan could not use the partial index.
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("deliveries.due_at IS NOT NULL"))
            .filter(deliveries::channel.eq(wanted.channel))
            .filter(deliveries::lane.eq(lane.number()))
            .filter(deliveries::due_at.le(now))
            .order((deliveries::due_at, deliveries::id))
            .limit(left)
            .select(deliveries::id);
        let found: Vec<i64> = match tx.db() {
            Db::Sqlite(c) => due.load(c)?, // BEGIN IMMEDIATE: we are the only writer
            Db::Postgres(c) => due.for_update().skip_locked().load(c)?,
        };
        ids.extend(found);
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(deliveries::table
        .filter(deliveries::id.eq_any(ids))
        .order((deliveries::lane, deliveries::due_at, deliveries::id))
        .select(DueRow::as_select())
        .load(tx.db())?)
}
/// Nobody answered for these attempts: their holder is gone.
fn mark_lost(tx: &mut Tx<'_>, lost: &[i64], now: Timestamp) -> Result<(), StorageError> {
    if lost.is_empty() {
        return Ok(());
    }
    metrics::lost(lost.len());
    diesel::update(attempts::table.filter(attempts::delivery_id.eq_any(lost)).filter(attempts::finished_at.is_null()))
        .set((
            attempts::finished_at.eq(Some(now)),
            attempts::outcome.eq(Some("lost")),
            attempts::reason.eq(Some("the lease ran out")),
        ))
        .execute(tx.db())?;
    Ok(())
}
/// Ends what is no longer of use. What may have arrived is not called unsent: its answer never came, or its courier went
/// away and took the answer along.
fn expire(tx: &mut Tx<'_>, over: &[DueRow], now: Timestamp) -> Result<(), StorageError> {
    let (unanswered, unsent): (Vec<&DueRow>, Vec<&DueRow>) =
        over.iter().partition(|row| matches!(row.state, State::Unknown | State::Attempting));
    for (rows, state, reason) in
        [(unsent, State::Expired, "validity_over"), (unanswered, State::Accepted, "no answer: validity over")]
    {
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(rows.iter().map(|row| row.id))))
            .set((
                deliveries::state.eq(state),
                deliveries::reason.eq(Some(reason)),
                deliveries::due_at.eq(None::<Timestamp>),
                deliveries::lease.eq(None::<Id<of::Lease>>),
                deliveries::settled_at.eq(Some(now)),
            ))
            .execute(tx.db())?;
    }
    Ok(())
}
/// Opens addresses and contents. A row that does not open (a damaged one, or the wrong key file) must not stop those
/// behind it, and is not given up either: it is looked at again in a minute, until its time is over.
fn readable(tx: &mut Tx<'_>, rows: Vec<DueRow>, now: Timestamp) -> Result<Vec<Claimed>, StorageError> {
    let bodies = bodies_of(tx, &rows)?;
    let unanswered = unanswered(tx, &rows)?;
    let (mut claimed, mut closed) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let name = row_name(row.batch_id.uuid(), row.person_id, row.channel);
        let address =
            row.address.as_deref().and_then(|sealed| tx.open::<String>(DELIVERIES_ADDRESS, name, sealed).ok());
        let body = row.content_id.and_then(|id| bodies.get(&id)).cloned();
        let (Some(address), Some(body)) = (address, body) else {
            closed.push(row.id);
            continue;
        };
        claimed.push(Claimed {
            id: row.id,
            batch: row.batch_id.uuid(),
            person: row.person_id,
            lane: Lane::restore(row.lane),
            membership: row.membership_id,
            address,
            body,
            attempt: row.attempts.saturating_add(1),
            round_from: row.round_from,
            unanswered: unanswered.get(&row.id).copied().unwrap_or_default(),
            deadline: row.deadline,
            deadline_in: row.deadline.since(now),
        });
    }
    if !closed.is_empty() {
        metrics::unreadable(closed.len());
        tracing::error!(count = closed.len(), "deliveries cannot be read: is this the right key file?");
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(closed)))
            .set((
                deliveries::state.eq(State::Deferred),
                deliveries::reason.eq(Some("unreadable")),
                deliveries::due_at.eq(Some(now.plus(UNREADABLE_PAUSE))),
                deliveries::lease.eq(None::<Id<of::Lease>>),
            ))
            .execute(tx.db())?;
    }
    Ok(claimed)
}
/// How many attempts of each delivery had no answer.
fn unanswered(tx: &mut Tx<'_>, rows: &[DueRow]) -> Result<HashMap<i64, i32>, StorageError> {
    let tried: Vec<i64> = rows.iter().filter(|row| row.attempts > 0).map(|row| row.id).collect();
    let mut counts = HashMap::new();
    if tried.is_empty() {
        return Ok(counts);
    }
    let found: Vec<i64> = attempts::table
        .filter(attempts::delivery_id.eq_any(tried))
        .filter(attempts::outcome.eq(Some("unknown")))
        .select(attempts::delivery_id)
        .load(tx.db())?;
    for delivery in found {
        *counts.entry(delivery).or_insert(0) += 1;
    }
    Ok(counts)
}
fn bodies_of(tx: &mut Tx<'_>, rows: &[DueRow]) -> Result<HashMap<Id<of::Content>, Body>, StorageError> {
    let mut ids: Vec<Id<of::Content>> = rows.iter().filter_map(|row| row.content_id).collect();
    ids.sort();
    ids.dedup();
    let found: Vec<(Id<of::Content>, Option<Vec<u8>>)> =
        contents::table.filter(contents::id.eq_any(ids)).select((contents::id, contents::body)).load(tx.db())?;
    let mut bodies = HashMap::new();
    for (id, sealed) in found {
        if let Some(body) = sealed.and_then(|sealed| tx.open::<Body>(CONTENTS_BODY, id, &sealed).ok()) {
            bodies.insert(id, body);
        }
    }
    Ok(bodies)
}

/// Locks deliveries, until the end of the transaction, in the order of their numbers. Whoever changes several of them, or
/// their attempts, does this first: so nobody waits in a circle. A claim never waits, it steps around what is locked.
/// On SQLite the writer already holds the only lock.
fn lock_in_order(tx: &mut Tx<'_>, ids: &[i64]) -> Result<(), StorageError> {
    if let Db::Postgres(c) = tx.db() {
        let wanted = deliveries::table.filter(deliveries::id.eq_any(ids)).order(deliveries::id).select(deliveries::id);
        wanted.for_update().load::<i64>(c)?;
    }
    Ok(())
}

/// Shows that the holder of a lease is alive: its deliveries stay with it for another while.
///
/// # Errors
/// When the database fails.
pub fn renew(tx: &mut Tx<'_>, lease: Uuid, ids: &[i64]) -> Result<usize, StorageError> {
    lock_in_order(tx, ids)?;
    let until = tx.now()?.plus(LEASE);
    Ok(diesel::update(
        deliveries::table
            .filter(deliveries::id.eq_any(ids))
            .filter(deliveries::lease.eq(Some(Id::<of::Lease>::from_uuid(lease)))),
    )
    .set(deliveries::due_at.eq(Some(until)))
    .execute(tx.db())?)
}

/// What became of one attempt.
#[derive(Debug)]
pub struct Settlement {
    /// The delivery.
    pub delivery: i64,
    /// The attempt.
    pub attempt: i32,
    /// `accepted`, `deferred`, `refused`, `unknown`.
    pub outcome: &'static str,
    /// The provider's name for it.
    pub reference: Option<String>,
    /// What becomes of the delivery.
    pub verdict: Verdict,
}

/// Settles attempts, in one transaction for many. Only what this lease still holds is changed: a late answer of a lease
/// that was lost is kept with its attempt and changes nothing else (accept M5). Returns how many were settled.
///
/// # Errors
/// When the database fails.
pub fn settle(tx: &mut Tx<'_>, lease: Uuid, settlements: &[Settlement]) -> Result<usize, StorageError> {
    let ids: Vec<i64> = settlements.iter().map(|settlement| settlement.delivery).collect();
    lock_in_order(tx, &ids)?;
    // Asked only now: a stop that we waited for lies before it.
    let now = tx.now()?;
    let lease = Id::<of::Lease>::from_uuid(lease);
    let mut settled = 0;
    for settlement in settlements {
        let reason = match &settlement.verdict {
            Verdict::Final(_, reason) => reason.clone(),
            Verdict::Again(_, _, reason) => Some(reason.clone()),
        };
        diesel::update(
            attempts::table
                .filter(attempts::delivery_id.eq(settlement.delivery))
                .filter(attempts::number.eq(settlement.attempt)),
        )
        .set((
            attempts::finished_at.eq(Some(now)),
            attempts::outcome.eq(Some(settlement.outcome)),
            attempts::reference.eq(&settlement.reference),
            attempts::reason.eq(&reason),
        ))
        .execute(tx.db())?;
        let mine =
            deliveries::table.filter(deliveries::id.eq(settlement.delivery)).filter(deliveries::lease.eq(Some(lease)));
        // Whoever is to be tried again was in time a moment ago: if the validity is over, a stop has ended it meanwhile.
        let stopped = matches!(settlement.verdict, Verdict::Again(..))
            && mine.filter(deliveries::deadline.le(now)).count().get_result::<i64>(tx.db())? > 0;
        let (state, due_at, reason) = match &settlement.verdict {
            Verdict::Final(state, _) => (*state, None, reason),
            Verdict::Again(State::Unknown, ..) if stopped => {
                (State::Accepted, None, Some(NO_ANSWER_STOPPED.to_owned()))
            }
            Verdict::Again(..) if stopped => (State::Cancelled, None, Some(STOPPED.to_owned())),
            Verdict::Again(state, at, _) => (*state, Some(*at), reason),
        };
        let changed = diesel::update(mine)
            .set((
                deliveries::state.eq(state),
                deliveries::reason.eq(&reason),
                deliveries::due_at.eq(due_at),
                deliveries::lease.eq(None::<Id<of::Lease>>),
                deliveries::reference.eq(&settlement.reference),
                deliveries::settled_at.eq(state.is_final().then_some(now)),
            ))
            .execute(tx.db())?;
        if changed == 0 {
            metrics::late();
            tracing::warn!(
                delivery = settlement.delivery,
                outcome = settlement.outcome,
                "a late answer: the lease was lost"
            );
        }
        settled += changed;
    }
    Ok(settled)
}

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
        diesel::update(deliveries::table.filter($those).filter(deliveries::state.eq(State::Unknown)))
            .set((
                deliveries::state.eq(State::Accepted),
                deliveries::reason.eq(Some(NO_ANSWER_STOPPED)),
                deliveries::due_at.eq(None::<Timestamp>),
                deliveries::settled_at.eq(Some(now)),
            ))
            .execute($tx.db())?;
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
        // A literal and not a bind: a generic plan could not use the partial index.
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("deliveries.due_at IS NOT NULL"))
        .filter(deliveries::membership_id.eq(Some(membership)))
        .select(deliveries::id)
        .into_boxed();
    if let Some(channel) = channel {
        waiting = waiting.filter(deliveries::channel.eq(channel));
    }
    let ids: Vec<i64> = waiting.load(tx.db())?;
    Ok(stop_those!(tx, deliveries::id.eq_any(&ids), reason))
}

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

/// How many deliveries still wait or are under way, and when the next is due: for health and for driving tests.
///
/// # Errors
/// When the database fails.
pub fn waiting(tx: &mut Tx<'_>) -> Result<(i64, Option<Timestamp>), StorageError> {
    Ok(deliveries::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("deliveries.due_at IS NOT NULL"))
        .select((diesel::dsl::count_star(), diesel::dsl::min(deliveries::due_at)))
        .first(tx.db())?)
}

/// Empties the addresses of what was settled before `before`, and the letters that nobody waits for any more: facts stay,
/// persons go (retention: seven days). So many at most in one transaction; the next minute takes the next.
///
/// # Errors
/// When the database fails.
pub fn forget_settled(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StorageError> {
    let old: Vec<(i64, i16, Option<Id<of::Content>>)> = deliveries::table
        .filter(deliveries::settled_at.lt(Some(before)))
        .filter(deliveries::address.is_not_null())
        .order(deliveries::settled_at)
        .limit(FORGOTTEN_AT_ONCE)
        .select((deliveries::id, deliveries::lane, deliveries::content_id))
        .load(tx.db())?;
    let letters = old.iter().filter(|(_, lane, _)| *lane == Lane::Letter.number()).filter_map(|(.., content)| *content);
    diesel::update(contents::table.filter(contents::id.eq_any(letters)))
        .set(contents::body.eq(None::<Vec<u8>>))
        .execute(tx.db())?;
    Ok(diesel::update(deliveries::table.filter(deliveries::id.eq_any(old.iter().map(|(id, ..)| *id))))
        .set(deliveries::address.eq(None::<Vec<u8>>))
        .execute(tx.db())?)
}
