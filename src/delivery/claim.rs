//! The claim: who takes what, in which order, for how long. With it ends what is over.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use diesel::IntoSql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use uuid::Uuid;

use super::content::Body;
use super::lifecycle::{Channel, Lane, State};
use super::metrics;
use super::queue::{LEASE, WAITS, row_name};
use super::receipts;
use super::retry::{FELL_OVER, VALIDITY_OVER, ended};
use crate::storage::Db;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::columns::sql;
use crate::storage::personal::{CONTENTS_BODY, DELIVERIES_ADDRESS};
use crate::storage::schema::{attempts, contents, deliveries};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// When a row that does not open is looked at again.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(60);
/// Rows ended in one go.
const EXPIRED_AT_ONCE: i64 = 1_000;

/// A delivery that a courier holds, ready to be handed over. Its `Debug` shows no address.
pub struct Claimed {
    /// Its number.
    pub id: i64,
    /// Under which lease it is held.
    pub lease: Uuid,
    /// How.
    pub channel: Channel,
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
    /// Which content it is.
    pub content: Id<of::Content>,
    /// What it says.
    pub body: Arc<Body>,
    /// Who is to carry it, by its place among the carriers.
    pub carrier: usize,
    /// When this attempt began.
    pub at: Timestamp,
    /// The number of this attempt.
    pub attempt: i32,
    /// Attempts before this round of the ladder: more than none once it was requeued.
    pub round_from: i32,
    /// Attempts of this round that came back before anybody was called.
    pub untried: i32,
    /// Earlier attempts of this round whose answer never came.
    pub unanswered: i32,
    /// Earlier attempts of this round whose courier went away before it could say what came of them.
    pub lost: i32,
    /// Earlier attempts of this round over which our own workers fell.
    pub fallen: i32,
    /// After this it is no longer sent.
    pub deadline: Timestamp,
    /// How long that is, counted from the claim by the clock that decided it.
    pub deadline_in: Duration,
}
impl std::fmt::Debug for Claimed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claimed").field("id", &self.id).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

/// What a claim brought.
#[derive(Debug)]
pub struct Taken {
    /// What is held now.
    pub claimed: Vec<Claimed>,
    /// Something was put out of the way instead (its time was over, or it does not open): behind it more may be due.
    pub cut_short: bool,
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
    provider: Option<String>,
    round_from: i32,
    untried: i32,
}
impl DueRow {
    /// Its answer never came, or its courier went away and took the answer along.
    const fn may_have_arrived(&self) -> bool {
        matches!(self.state, State::Unknown | State::Attempting)
    }
}

/// A provider that has room.
#[derive(Debug, Clone, Copy)]
pub struct Carrier<'a> {
    /// As attempts name it.
    pub provider: &'a str,
    /// How many it may be given of what cannot wait.
    pub pressing: usize,
    /// How many of everything together, as far as it can wait.
    pub patient: usize,
}

/// How many a carrier was given by this claim.
#[derive(Debug, Default, Clone, Copy)]
struct Given {
    pressing: usize,
    all: usize,
}

/// What a courier asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Which channel.
    pub channel: Channel,
    /// How many at most of what cannot wait.
    pub limit: usize,
    /// How many at most of what can.
    pub patient: usize,
    /// Who carries them, the preferred first.
    pub carriers: &'a [Carrier<'a>],
    /// The bodies that are known already.
    pub contents: &'a Contents,
    /// As whom the couriers write.
    pub letterhead: i64,
}

/// Bodies opened before: a message is opened once and not once a claim.
#[derive(Default)]
pub struct Contents(Mutex<HashMap<Id<of::Content>, Arc<Body>>>);
impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹contents›")
    }
}
impl Contents {
    /// Bodies kept at once.
    const KEPT: usize = 64;

    fn known(&self, ids: &[Id<of::Content>]) -> HashMap<Id<of::Content>, Arc<Body>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().filter_map(|id| Some((*id, Arc::clone(kept.get(id)?)))).collect()
    }
    fn keep(&self, id: Id<of::Content>, body: Arc<Body>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= Self::KEPT {
            kept.clear();
        }
        kept.insert(id, body);
    }
}

/// Takes due deliveries of one channel, most urgent lane first; no other courier or node gets the same. A lease that ran
/// out is due again, so the claim itself is the rescue (accept M5). Deliveries whose time is over are expired on the way,
/// as many as are asked for and no more: a million of them must not be one transaction.
/// The attempts are written before anything is called (accept M6).
///
/// # Errors
/// When the database fails.
pub fn claim(tx: &mut Tx<'_>, lease: Uuid, wanted: Wanted<'_>) -> Result<Taken, StorageError> {
    let now = tx.now()?;
    let due = due_rows(tx, &wanted, now)?;
    let (in_time, over) = end_over(tx, due, now)?;
    let (claimed, closed) = readable(tx, in_time, &wanted, lease, now)?;
    let cut_short = over > 0 || closed > 0;
    let lease = Id::<of::Lease>::from_uuid(lease);
    for (place, carrier) in wanted.carriers.iter().enumerate() {
        let ids: Vec<i64> =
            claimed.iter().filter(|claimed| claimed.carrier == place).map(|claimed| claimed.id).collect();
        if ids.is_empty() {
            continue;
        }
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(&ids)))
            .set((
                deliveries::state.eq(State::Attempting),
                deliveries::lease.eq(Some(lease)),
                deliveries::due_at.eq(Some(now.plus(LEASE))),
                deliveries::attempts.eq(deliveries::attempts + 1),
                deliveries::provider.eq(Some(carrier.provider)),
            ))
            .execute(tx.db())?;
        let mine = deliveries::table.filter(deliveries::id.eq_any(&ids)).order((deliveries::lane, deliveries::id));
        let begun = mine.select((
            deliveries::id,
            deliveries::attempts,
            lease.into_sql::<sql::Key>(),
            carrier.provider.into_sql::<Text>(),
            now.into_sql::<sql::Moment>(),
            Some(wanted.letterhead).into_sql::<Nullable<BigInt>>(),
        ));
        diesel::insert_into(attempts::table)
            .values(begun)
            .into_columns((
                attempts::delivery_id,
                attempts::number,
                attempts::lease,
                attempts::provider,
                attempts::started_at,
                attempts::letterhead_id,
            ))
            .execute(tx.db())?;
    }
    Ok(Taken { claimed, cut_short })
}
/// Who carries the next attempt: whoever did not carry the last one, if there is room; else the preferred with room. What
/// can wait takes no more than the room for all of it, so that it is not hoarded by one while another has nothing to do.
fn choose(carriers: &[Carrier<'_>], given: &[Given], lane: Lane, last: Option<&str>) -> Option<usize> {
    let free = |place: usize| {
        let (carrier, given) = (carriers.get(place)?, given.get(place).copied().unwrap_or_default());
        let fits =
            if lane == Lane::NonUrgent { given.all < carrier.patient } else { given.pressing < carrier.pressing };
        fits.then_some(carrier)
    };
    let places = || (0..carriers.len()).filter(|place| free(*place).is_some());
    places()
        .find(|place| free(*place).is_some_and(|carrier| Some(carrier.provider) != last))
        .or_else(|| places().next())
}
/// The due rows, locked against other couriers.
fn due_rows(tx: &mut Tx<'_>, wanted: &Wanted<'_>, now: Timestamp) -> Result<Vec<DueRow>, StorageError> {
    let mut ids: Vec<i64> = Vec::new();
    for lane in Lane::ALL {
        let limit = if lane == Lane::NonUrgent { wanted.patient } else { wanted.limit };
        let left = i64::try_from(limit.saturating_sub(ids.len())).unwrap_or(i64::MAX);
        if left == 0 {
            continue;
        }
        let due = deliveries::table
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(WAITS))
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
    rows_of(tx, &ids)
}
fn rows_of(tx: &mut Tx<'_>, ids: &[i64]) -> Result<Vec<DueRow>, StorageError> {
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
/// Notes whose couriers went away, and ends what is no longer of use. Returns what is still in time, and how many were ended.
fn end_over(tx: &mut Tx<'_>, rows: Vec<DueRow>, now: Timestamp) -> Result<(Vec<DueRow>, usize), StorageError> {
    let lost: Vec<i64> = rows.iter().filter(|row| row.state == State::Attempting).map(|row| row.id).collect();
    mark_lost(tx, &lost, now)?;
    let (over, in_time): (Vec<DueRow>, Vec<DueRow>) = rows.into_iter().partition(|row| row.deadline <= now);
    expire(tx, &over, now)?;
    Ok((in_time, over.len()))
}
/// Ends what is no longer of use although nobody may be given it: while every provider is away nothing is claimed, and what
/// cannot wait must still be called over in time (accept M8). Returns how many.
///
/// # Errors
/// When the database fails.
pub fn expire_pressing(tx: &mut Tx<'_>, channel: Channel) -> Result<usize, StorageError> {
    let now = tx.now()?;
    let mut ended = 0;
    for lane in [Lane::Correction, Lane::Urgent, Lane::Letter] {
        let over = deliveries::table
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(WAITS))
            .filter(deliveries::channel.eq(channel))
            .filter(deliveries::lane.eq(lane.number()))
            .filter(deliveries::due_at.le(now))
            .filter(deliveries::deadline.le(now))
            .order((deliveries::due_at, deliveries::id))
            .limit(EXPIRED_AT_ONCE)
            .select(deliveries::id);
        let over: Vec<i64> = match tx.db() {
            Db::Sqlite(c) => over.load(c)?,
            Db::Postgres(c) => over.for_update().skip_locked().load(c)?,
        };
        let over = rows_of(tx, &over)?;
        ended += end_over(tx, over, now)?.1;
    }
    Ok(ended)
}

/// Ends what is no longer of use. What may have arrived is not called unsent.
fn expire(tx: &mut Tx<'_>, over: &[DueRow], now: Timestamp) -> Result<(), StorageError> {
    if over.is_empty() {
        return Ok(());
    }
    for may_have_arrived in [false, true] {
        let ids: Vec<i64> =
            over.iter().filter(|row| row.may_have_arrived() == may_have_arrived).map(|row| row.id).collect();
        if ids.is_empty() {
            continue;
        }
        let (state, reason) = ended(may_have_arrived, VALIDITY_OVER);
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(&ids)))
            .set((
                deliveries::state.eq(state),
                deliveries::reason.eq(Some(reason)),
                deliveries::due_at.eq(None::<Timestamp>),
                deliveries::lease.eq(None::<Id<of::Lease>>),
                deliveries::settled_at.eq(Some(now)),
            ))
            .execute(tx.db())?;
        if may_have_arrived {
            receipts::catch_up(tx, &ids)?;
        }
    }
    Ok(())
}
/// Opens addresses and contents. A row that does not open (a damaged one, or the wrong key file) must not stop those
/// behind it, and is not given up either: it is looked at again in a minute, until its time is over.
fn readable(
    tx: &mut Tx<'_>,
    rows: Vec<DueRow>,
    wanted: &Wanted<'_>,
    lease: Uuid,
    now: Timestamp,
) -> Result<(Vec<Claimed>, usize), StorageError> {
    let bodies = bodies_of(tx, wanted.contents, &rows)?;
    let earlier = earlier(tx, &rows)?;
    let mut given = vec![Given::default(); wanted.carriers.len()];
    let (mut claimed, mut unsent, mut doubtful) = (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
    for row in rows {
        let name = row_name(row.batch_id.uuid(), row.person_id, row.channel);
        let address =
            row.address.as_deref().and_then(|sealed| tx.open::<String>(DELIVERIES_ADDRESS, name, sealed).ok());
        let body = row.content_id.and_then(|id| Some((id, Arc::clone(bodies.get(&id)?))));
        let (Some(address), Some((content, body))) = (address, body) else {
            if row.may_have_arrived() { &mut doubtful } else { &mut unsent }.push(row.id);
            continue;
        };
        // Only the last attempt that was tried decides; a first attempt goes to the preferred.
        let last = row.provider.as_deref().filter(|_| row.attempts > 0);
        let lane = Lane::restore(row.lane);
        let Some(carrier) = choose(wanted.carriers, &given, lane, last) else { continue };
        if let Some(given) = given.get_mut(carrier) {
            given.all += 1;
            given.pressing += usize::from(lane != Lane::NonUrgent);
        }
        let earlier = earlier.get(&row.id).copied().unwrap_or_default();
        claimed.push(Claimed {
            id: row.id,
            lease,
            channel: row.channel,
            batch: row.batch_id.uuid(),
            person: row.person_id,
            lane,
            membership: row.membership_id,
            address,
            content,
            body,
            carrier,
            at: now,
            attempt: row.attempts.saturating_add(1),
            round_from: row.round_from,
            untried: row.untried,
            unanswered: earlier.unanswered,
            lost: earlier.lost,
            fallen: earlier.fallen,
            deadline: row.deadline,
            deadline_in: row.deadline.since(now),
        });
    }
    let closed = unsent.len() + doubtful.len();
    if closed > 0 {
        metrics::unreadable(closed);
        tracing::error!(count = closed, "deliveries cannot be read: is this the right key file?");
    }
    for (ids, state) in [(unsent, State::Deferred), (doubtful, State::Unknown)] {
        if ids.is_empty() {
            continue;
        }
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(&ids)))
            .set((
                deliveries::state.eq(state),
                deliveries::reason.eq(Some("unreadable")),
                deliveries::due_at.eq(Some(now.plus(UNREADABLE_PAUSE))),
                deliveries::lease.eq(None::<Id<of::Lease>>),
            ))
            .execute(tx.db())?;
    }
    Ok((claimed, closed))
}
/// What the attempts of this round have shown.
#[derive(Debug, Default, Clone, Copy)]
struct Earlier {
    unanswered: i32,
    lost: i32,
    fallen: i32,
}
/// Outcomes that may mean it arrived although the delivery goes on: nobody answered, nobody lived to hear the answer, or
/// whoever heard it came too late to settle it.
pub(super) const DOUBTFUL: [Option<&str>; 3] = [Some("unknown"), Some("lost"), Some("accepted")];
fn earlier(tx: &mut Tx<'_>, rows: &[DueRow]) -> Result<HashMap<i64, Earlier>, StorageError> {
    let tried: HashMap<i64, i32> =
        rows.iter().filter(|row| row.attempts > row.round_from).map(|row| (row.id, row.round_from)).collect();
    let mut counts: HashMap<i64, Earlier> = HashMap::new();
    if tried.is_empty() {
        return Ok(counts);
    }
    let found: Vec<(i64, i32, Option<String>, Option<String>)> = attempts::table
        .filter(attempts::delivery_id.eq_any(tried.keys().copied()))
        .filter(attempts::outcome.eq_any(DOUBTFUL).or(attempts::reason.eq(Some(FELL_OVER))))
        .select((attempts::delivery_id, attempts::number, attempts::outcome, attempts::reason))
        .load(tx.db())?;
    for (delivery, number, outcome, reason) in found {
        if tried.get(&delivery).is_none_or(|round_from| number <= *round_from) {
            continue;
        }
        let count = counts.entry(delivery).or_default();
        *match (outcome.as_deref(), reason.as_deref()) {
            (_, Some(FELL_OVER)) => &mut count.fallen,
            (Some("unknown"), _) => &mut count.unanswered,
            _ => &mut count.lost,
        } += 1;
    }
    Ok(counts)
}
fn bodies_of(
    tx: &mut Tx<'_>,
    contents: &Contents,
    rows: &[DueRow],
) -> Result<HashMap<Id<of::Content>, Arc<Body>>, StorageError> {
    let mut ids: Vec<Id<of::Content>> = rows.iter().filter_map(|row| row.content_id).collect();
    ids.sort();
    ids.dedup();
    let mut bodies = contents.known(&ids);
    ids.retain(|id| !bodies.contains_key(id));
    if ids.is_empty() {
        return Ok(bodies);
    }
    let found: Vec<(Id<of::Content>, Option<Vec<u8>>)> =
        contents::table.filter(contents::id.eq_any(ids)).select((contents::id, contents::body)).load(tx.db())?;
    for (id, sealed) in found {
        if let Some(body) = sealed.and_then(|sealed| tx.open::<Body>(CONTENTS_BODY, id, &sealed).ok()) {
            let body = Arc::new(body);
            contents.keep(id, Arc::clone(&body));
            bodies.insert(id, body);
        }
    }
    Ok(bodies)
}

#[cfg(test)]
mod tests {
    use super::{Carrier, Given, Lane, choose};

    /// Accept M9.
    #[test]
    fn the_next_attempt_goes_to_whoever_did_not_carry_the_last() {
        let both =
            [Carrier { provider: "a", pressing: 2, patient: 2 }, Carrier { provider: "b", pressing: 1, patient: 1 }];
        let chosen = |carriers: &[Carrier<'_>], given: &[usize], last| {
            let given: Vec<Given> = given.iter().map(|count| Given { pressing: *count, all: *count }).collect();
            choose(carriers, &given, Lane::Urgent, last)
        };
        assert_eq!(chosen(&both, &[0, 0], None), Some(0), "the preferred first");
        assert_eq!(chosen(&both, &[0, 0], Some("a")), Some(1));
        assert_eq!(chosen(&both, &[0, 0], Some("b")), Some(0));
        assert_eq!(chosen(&both, &[2, 0], None), Some(1), "no room with the preferred");
        assert_eq!(chosen(&both, &[0, 1], Some("a")), Some(0), "better the same again than nobody");
        assert_eq!(chosen(&both, &[2, 1], None), None);
        assert_eq!(chosen(&both[..1], &[0], Some("a")), Some(0), "there is only one");
    }
    /// Accept M8: what can wait does not fill the room that is kept for what cannot.
    #[test]
    fn what_can_wait_has_a_room_of_its_own_with_each_carrier() {
        let both =
            [Carrier { provider: "a", pressing: 80, patient: 1 }, Carrier { provider: "b", pressing: 80, patient: 3 }];
        let one = Given { pressing: 0, all: 1 };
        assert_eq!(choose(&both, &[Given::default(); 2], Lane::NonUrgent, None), Some(0));
        assert_eq!(choose(&both, &[one, Given::default()], Lane::NonUrgent, None), Some(1), "its room is full");
        assert_eq!(choose(&both, &[one, Given { pressing: 3, all: 3 }], Lane::NonUrgent, None), None);
        assert_eq!(choose(&both, &[one, Given::default()], Lane::Urgent, None), Some(0));
    }
}
