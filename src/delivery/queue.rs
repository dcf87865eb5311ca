//! Enqueue in the caller's transaction, claim, settle: every query of the queue.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;

use super::content::Body;
use super::lifecycle::{Channel, Lane, State};
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

fn row_name(batch: Uuid, person: Id<of::Person>, channel: Channel) -> String {
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
    /// After this it is no longer sent.
    pub deadline: Timestamp,
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

/// Takes up to `limit` due deliveries of one channel, most urgent lane first; no other courier or node gets the same. A
/// lease that ran out is due again, so the claim itself is the rescue (accept M5). Deliveries whose time is over are
/// expired on the way. The attempts are written before anything is called (accept M6).
///
/// # Errors
/// When the database fails.
pub fn claim(
    tx: &mut Tx<'_>,
    channel: Channel,
    lease: Uuid,
    provider: &str,
    limit: i64,
) -> Result<Vec<Claimed>, StorageError> {
    let now = tx.now()?;
    let mut ids: Vec<i64> = Vec::new();
    for lane in Lane::ALL {
        let left = limit.saturating_sub(i64::try_from(ids.len()).unwrap_or(limit));
        if left <= 0 {
            break;
        }
        let wanted = deliveries::table
            // A literal and not a bind: a generic plan could not use the partial index.
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("deliveries.due_at IS NOT NULL"))
            .filter(deliveries::channel.eq(channel))
            .filter(deliveries::lane.eq(lane.number()))
            .filter(deliveries::due_at.le(now))
            .order((deliveries::due_at, deliveries::id))
            .limit(left)
            .select(deliveries::id);
        let found: Vec<i64> = match tx.db() {
            Db::Sqlite(c) => wanted.load(c)?, // BEGIN IMMEDIATE: we are the only writer
            Db::Postgres(c) => wanted.for_update().skip_locked().load(c)?,
        };
        ids.extend(found);
    }
    let due: Vec<DueRow> = deliveries::table
        .filter(deliveries::id.eq_any(ids))
        .order((deliveries::lane, deliveries::due_at, deliveries::id))
        .select(DueRow::as_select())
        .load(tx.db())?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let lost: Vec<i64> = due.iter().filter(|row| row.state == State::Attempting).map(|row| row.id).collect();
    if !lost.is_empty() {
        diesel::update(
            attempts::table.filter(attempts::delivery_id.eq_any(&lost)).filter(attempts::finished_at.is_null()),
        )
        .set((
            attempts::finished_at.eq(Some(now)),
            attempts::outcome.eq(Some("lost")),
            attempts::reason.eq(Some("the lease ran out")),
        ))
        .execute(tx.db())?;
    }
    let (over, taken): (Vec<DueRow>, Vec<DueRow>) = due.into_iter().partition(|row| row.deadline <= now);
    if !over.is_empty() {
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(over.iter().map(|row| row.id))))
            .set((
                deliveries::state.eq(State::Expired),
                deliveries::reason.eq(Some("validity_over")),
                deliveries::due_at.eq(None::<Timestamp>),
                deliveries::lease.eq(None::<Id<of::Lease>>),
                deliveries::settled_at.eq(Some(now)),
            ))
            .execute(tx.db())?;
    }
    if taken.is_empty() {
        return Ok(Vec::new());
    }
    let lease = Id::<of::Lease>::from_uuid(lease);
    diesel::update(deliveries::table.filter(deliveries::id.eq_any(taken.iter().map(|row| row.id))))
        .set((
            deliveries::state.eq(State::Attempting),
            deliveries::lease.eq(Some(lease)),
            deliveries::due_at.eq(Some(now.plus(LEASE))),
            deliveries::attempts.eq(deliveries::attempts + 1),
            deliveries::provider.eq(Some(provider)),
        ))
        .execute(tx.db())?;
    let started: Vec<NewAttempt<'_>> = taken
        .iter()
        .map(|row| NewAttempt {
            delivery_id: row.id,
            number: row.attempts.saturating_add(1),
            lease,
            provider,
            started_at: now,
        })
        .collect();
    on_either!(tx, |c| diesel::insert_into(attempts::table).values(&started).execute(c))?;
    let bodies = bodies_of(tx, &taken)?;
    let mut claimed = Vec::with_capacity(taken.len());
    for row in taken {
        let corrupt = || StorageError::Corrupt(format!("delivery {} is due without content or address", row.id));
        let body = row.content_id.and_then(|id| bodies.get(&id)).cloned().ok_or_else(corrupt)?;
        let sealed = row.address.as_deref().ok_or_else(corrupt)?;
        let address: String =
            tx.open(DELIVERIES_ADDRESS, row_name(row.batch_id.uuid(), row.person_id, row.channel), sealed)?;
        claimed.push(Claimed {
            id: row.id,
            batch: row.batch_id.uuid(),
            person: row.person_id,
            lane: Lane::restore(row.lane),
            membership: row.membership_id,
            address,
            body,
            attempt: row.attempts.saturating_add(1),
            deadline: row.deadline,
        });
    }
    Ok(claimed)
}
fn bodies_of(tx: &mut Tx<'_>, rows: &[DueRow]) -> Result<HashMap<Id<of::Content>, Body>, StorageError> {
    let mut ids: Vec<Id<of::Content>> = rows.iter().filter_map(|row| row.content_id).collect();
    ids.sort();
    ids.dedup();
    let found: Vec<(Id<of::Content>, Option<Vec<u8>>)> =
        contents::table.filter(contents::id.eq_any(ids)).select((contents::id, contents::body)).load(tx.db())?;
    let mut bodies = HashMap::new();
    for (id, sealed) in found {
        if let Some(sealed) = sealed {
            bodies.insert(id, tx.open::<Body>(CONTENTS_BODY, id, &sealed)?);
        }
    }
    Ok(bodies)
}

/// Shows that the holder of a lease is alive: its deliveries stay with it for another while.
///
/// # Errors
/// When the database fails.
pub fn renew(tx: &mut Tx<'_>, lease: Uuid, ids: &[i64]) -> Result<usize, StorageError> {
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
        let (state, due_at, settled_at) = match &settlement.verdict {
            Verdict::Final(state, _) => (*state, None, Some(now)),
            Verdict::Again(state, at, _) => (*state, Some(*at), None),
        };
        let changed = diesel::update(
            deliveries::table.filter(deliveries::id.eq(settlement.delivery)).filter(deliveries::lease.eq(Some(lease))),
        )
        .set((
            deliveries::state.eq(state),
            deliveries::reason.eq(&reason),
            deliveries::due_at.eq(due_at),
            deliveries::lease.eq(None::<Id<of::Lease>>),
            deliveries::reference.eq(&settlement.reference),
            deliveries::settled_at.eq(settled_at),
        ))
        .execute(tx.db())?;
        if changed == 0 {
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

/// Cancels what has not been handed over yet. What a courier holds at this moment is left to it, and is not tried again.
/// Returns how many.
///
/// # Errors
/// When the database fails.
pub fn cancel(tx: &mut Tx<'_>, batch: Uuid, reason: &str) -> Result<usize, StorageError> {
    let now = tx.now()?;
    // Its time is over: an attempt under way that comes to nothing is the last (accept M12).
    diesel::update(
        deliveries::table
            .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
            .filter(deliveries::state.eq(State::Attempting)),
    )
    .set(deliveries::deadline.eq(now))
    .execute(tx.db())?;
    Ok(diesel::update(
        deliveries::table
            .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
            .filter(deliveries::state.eq_any([State::Planned, State::Queued, State::Deferred, State::Unknown])),
    )
    .set((
        deliveries::state.eq(State::Cancelled),
        deliveries::reason.eq(Some(reason)),
        deliveries::due_at.eq(None::<Timestamp>),
        deliveries::settled_at.eq(Some(now)),
    ))
    .execute(tx.db())?)
}

/// Cancels what waits for a membership, on one channel or on all: whoever left gets nothing more. What a courier holds at
/// this moment is left to it, and is not tried again. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn cancel_for_membership(
    tx: &mut Tx<'_>,
    membership: Id<of::Membership>,
    channel: Option<Channel>,
    reason: &str,
) -> Result<usize, StorageError> {
    let now = tx.now()?;
    let mut waiting = deliveries::table
        // A literal and not a bind: a generic plan could not use the partial index.
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("deliveries.due_at IS NOT NULL"))
        .filter(deliveries::membership_id.eq(Some(membership)))
        .filter(deliveries::state.eq_any([
            State::Planned,
            State::Queued,
            State::Attempting,
            State::Deferred,
            State::Unknown,
        ]))
        .select(deliveries::id)
        .into_boxed();
    if let Some(channel) = channel {
        waiting = waiting.filter(deliveries::channel.eq(channel));
    }
    let ids: Vec<i64> = waiting.load(tx.db())?;
    diesel::update(
        deliveries::table.filter(deliveries::id.eq_any(&ids)).filter(deliveries::state.eq(State::Attempting)),
    )
    .set(deliveries::deadline.eq(now))
    .execute(tx.db())?;
    // The state is asked again: a courier may have taken one in between.
    Ok(diesel::update(deliveries::table.filter(deliveries::id.eq_any(ids)).filter(deliveries::state.eq_any([
        State::Planned,
        State::Queued,
        State::Deferred,
        State::Unknown,
    ])))
    .set((
        deliveries::state.eq(State::Cancelled),
        deliveries::reason.eq(Some(reason)),
        deliveries::due_at.eq(None::<Timestamp>),
        deliveries::settled_at.eq(Some(now)),
    ))
    .execute(tx.db())?)
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
/// persons go (retention: seven days).
///
/// # Errors
/// When the database fails.
pub fn forget_settled(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StorageError> {
    let emptied = diesel::update(
        deliveries::table.filter(deliveries::settled_at.lt(Some(before))).filter(deliveries::address.is_not_null()),
    )
    .set(deliveries::address.eq(None::<Vec<u8>>))
    .execute(tx.db())?;
    let open = deliveries::table
        .filter(deliveries::lane.eq(Lane::Letter.number()))
        .filter(deliveries::settled_at.lt(Some(before)))
        .select(deliveries::content_id);
    diesel::update(contents::table.filter(contents::id.nullable().eq_any(open)).filter(contents::body.is_not_null()))
        .set(contents::body.eq(None::<Vec<u8>>))
        .execute(tx.db())?;
    Ok(emptied)
}
