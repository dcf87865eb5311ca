//! How deep the queue is: counted where it stands, along the index of what is due, and never further than a bound.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::lifecycle::{Channel, Lane, State};
use super::queue::{LEASE, WAITS};
use crate::storage::Db;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::deliveries;
use crate::values::Timestamp;

/// Nobody counts further than this: a scrape costs the same, however many wait.
const COUNTED_MAX: i64 = 100_000;

/// One lane of one channel.
#[derive(Debug, Clone, Copy)]
pub struct Depth {
    /// The channel.
    pub channel: Channel,
    /// The lane.
    pub lane: Lane,
    /// How many wait; so many at least where `is_longer`.
    pub waiting: i64,
    /// It was not counted to the end: `waiting` is a lower bound.
    pub is_longer: bool,
    /// How many couriers hold.
    pub attempting: i64,
    /// For how long the oldest has been due, in seconds; zero when nothing is.
    pub oldest_seconds: i64,
}
#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    counted: i64,
}

/// Every lane of every channel.
///
/// # Errors
/// When the database fails.
pub fn depths(tx: &mut Tx<'_>) -> Result<Vec<Depth>, StorageError> {
    let now = tx.now()?;
    let mut depths = Vec::new();
    for channel in Channel::ALL.iter().copied() {
        for lane in Lane::ALL {
            let oldest: Option<Timestamp> = deliveries::table
                .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(WAITS))
                .filter(deliveries::channel.eq(channel))
                .filter(deliveries::lane.eq(lane.number()))
                .order((deliveries::due_at, deliveries::id))
                .limit(1)
                .select(deliveries::due_at)
                .first(tx.db())
                .optional()?
                .flatten();
            let held = counted(tx, channel, lane, Some((now, now.plus(LEASE))))?;
            let all = counted(tx, channel, lane, None)?;
            let oldest_seconds = oldest.map_or(0, |due| now.since(due).as_secs());
            depths.push(Depth {
                channel,
                lane,
                waiting: all.saturating_sub(held),
                is_longer: all >= COUNTED_MAX,
                attempting: held,
                oldest_seconds: i64::try_from(oldest_seconds).unwrap_or(i64::MAX),
            });
        }
    }
    Ok(depths)
}
/// How many stand in the index of what is due: all of them, or those that couriers hold, whose leases end within a span.
fn counted(
    tx: &mut Tx<'_>,
    channel: Channel,
    lane: Lane,
    leased: Option<(Timestamp, Timestamp)>,
) -> Result<i64, StorageError> {
    let moment = |at: Timestamp, sqlite: bool| if sqlite { at.micros().to_string() } else { format!("'{at}'") };
    let sqlite = matches!(tx.db(), Db::Sqlite(_));
    let span = leased.map_or_else(String::new, |(from, until)| {
        format!("AND due_at > {} AND due_at <= {}", moment(from, sqlite), moment(until, sqlite))
    });
    let held = if leased.is_some() { State::Attempting.as_str() } else { "" };
    // Words, numbers and moments of ours alone; `LIMIT` stands inside, so that no more than that is read.
    let sentence = format!(
        "SELECT count(*) AS counted FROM (SELECT state FROM deliveries WHERE due_at IS NOT NULL \
         AND channel = '{}' AND lane = {} {span} ORDER BY channel, lane, due_at, id LIMIT {COUNTED_MAX}) AS due \
         WHERE '{held}' = '' OR state = '{held}'",
        channel.as_str(),
        lane.number(),
    );
    Ok(diesel::sql_query(sentence).get_result::<Counted>(tx.db())?.counted)
}
