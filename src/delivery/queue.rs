//! The queue: enqueued in the caller's transaction, looked at, forgotten in time. How it is emptied stands in `claim`,
//! `settle` and `stop`.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, SmallInt, Text};
use uuid::Uuid;

use super::lifecycle::{Channel, Lane, State};
use crate::storage::Db;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::columns::sql;
use crate::storage::personal::DELIVERIES_ADDRESS;
use crate::storage::schema::{contents, deliveries};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// How long a courier may hold a delivery without a sign of life.
pub const LEASE: Duration = Duration::from_secs(15);
/// What waits or is under way, as the partial indexes name it: a literal, as a generic plan could not use these for a bind.
pub(super) const WAITS: &str = "deliveries.due_at IS NOT NULL";
/// Addresses emptied in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 10_000;
/// Rows in one INSERT on SQLite, which takes 32,766 binds: a row has fourteen.
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
/// One recipient on one channel. Its `Debug` shows no address.
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
impl std::fmt::Debug for NewDelivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { person, channel, lane, fate, .. } = self;
        let mut shown = f.debug_struct("NewDelivery");
        shown.field("person", person).field("channel", channel).field("lane", lane).field("fate", fate);
        shown.finish_non_exhaustive()
    }
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

/// What an address is sealed to.
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
    match tx.db() {
        Db::Sqlite(c) => {
            for chunk in rows.chunks(ROWS_PER_INSERT) {
                diesel::insert_into(deliveries::table).values(chunk).execute(c)?;
            }
        }
        Db::Postgres(c) => insert_all(c, &rows)?,
    }
    Ok(rows.len())
}
/// One statement of columns instead of thousands of binds: the server plans it once.
fn insert_all(c: &mut PgConnection, rows: &[NewRow]) -> Result<(), StorageError> {
    fn column<'a, T>(rows: &'a [NewRow], of: impl Fn(&'a NewRow) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    diesel::sql_query(
        "INSERT INTO deliveries (batch_id, person_id, channel, lane, content_id, membership_id, address, state, reason, \
           due_at, deadline, attempts, settled_at, created_at) \
         SELECT v.batch_id, v.person_id, v.channel, v.lane, v.content_id, v.membership_id, v.address, v.state, v.reason, \
           v.due_at, v.deadline, 0, v.settled_at, v.created_at \
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::uuid[], $6::uuid[], $7::bytea[], $8::text[], \
           $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[]) \
           WITH ORDINALITY AS v(batch_id, person_id, channel, lane, content_id, membership_id, address, state, reason, \
           due_at, deadline, settled_at, created_at, place) ORDER BY v.place",
    )
    .bind::<Array<sql::Key>, _>(column(rows, |row| row.batch_id))
    .bind::<Array<sql::Key>, _>(column(rows, |row| row.person_id))
    .bind::<Array<Text>, _>(column(rows, |row| row.channel.as_str()))
    .bind::<Array<SmallInt>, _>(column(rows, |row| row.lane))
    .bind::<Array<Nullable<sql::Key>>, _>(column(rows, |row| row.content_id))
    .bind::<Array<Nullable<sql::Key>>, _>(column(rows, |row| row.membership_id))
    .bind::<Array<Nullable<Binary>>, _>(column(rows, |row| row.address.as_deref()))
    .bind::<Array<Text>, _>(column(rows, |row| row.state.as_str()))
    .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.reason.as_deref()))
    .bind::<Array<Nullable<sql::Moment>>, _>(column(rows, |row| row.due_at))
    .bind::<Array<sql::Moment>, _>(column(rows, |row| row.deadline))
    .bind::<Array<Nullable<sql::Moment>>, _>(column(rows, |row| row.settled_at))
    .bind::<Array<sql::Moment>, _>(column(rows, |row| row.created_at))
    .execute(c)?;
    Ok(())
}

/// How many deliveries still wait or are under way, and when the next is due: for health and for driving tests.
///
/// # Errors
/// When the database fails.
pub fn waiting(tx: &mut Tx<'_>) -> Result<(i64, Option<Timestamp>), StorageError> {
    Ok(deliveries::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(WAITS))
        .select((diesel::dsl::count_star(), diesel::dsl::min(deliveries::due_at)))
        .first(tx.db())?)
}

/// The time went back by so much, as somebody who can tell has said: what waits is due as long from now as it was.
///
/// # Errors
/// When the database fails.
pub fn set_back(tx: &mut Tx<'_>, by: Duration) -> Result<usize, StorageError> {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    // Moments are microseconds on the one, and a type of their own on the other.
    Ok(match tx.db() {
        Db::Sqlite(c) => diesel::sql_query(
            "UPDATE deliveries SET due_at = due_at - ?1, deadline = deadline - ?1 WHERE due_at IS NOT NULL",
        )
        .bind::<BigInt, _>(by)
        .execute(c)?,
        Db::Postgres(c) => diesel::sql_query(
            "UPDATE deliveries SET due_at = due_at - $1 * interval '1 microsecond', \
             deadline = deadline - $1 * interval '1 microsecond' WHERE due_at IS NOT NULL",
        )
        .bind::<BigInt, _>(by)
        .execute(c)?,
    })
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
