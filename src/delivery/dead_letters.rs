//! Dead letters: deliveries that failed or expired although somebody should have got them. They stay where they are, and can
//! be put back into the queue for as long as what they say is of use.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Text};
use uuid::Uuid;

use super::lifecycle::{Channel, State};
use super::queue::row_name;
use super::settle::lock_in_order;
use crate::storage::Db;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::columns::sql;
use crate::storage::personal::DELIVERIES_ADDRESS;
use crate::storage::schema::{attempts, contents, deliveries};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// The states of a dead letter, as the partial indexes name them: a literal, as a generic plan could not use these for a bind.
pub const DEAD: &str = "deliveries.state IN ('failed', 'expired')";

/// Rows named in one statement: SQLite takes 32,766 binds.
const AT_ONCE: usize = 10_000;

/// A dead letter, as whoever decides about it needs to know it. Its `Debug` shows no address.
#[derive(Clone)]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// Who should have got it.
    pub person: Id<of::Person>,
    /// How.
    pub channel: Channel,
    /// As a member of what.
    pub membership: Option<Id<of::Membership>>,
    /// What is left of it.
    pub kept: Kept,
    /// Where it went.
    sealed: Option<Vec<u8>>,
}
impl std::fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetter").field("id", &self.id).field("kept", &self.kept).finish_non_exhaustive()
    }
}
/// What is left of a dead letter.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Until when it is of use.
    pub deadline: Timestamp,
    /// Is the address still kept?
    pub has_address: bool,
    /// Are the approved bytes still kept?
    pub has_content: bool,
}
type Columns =
    (i64, Id<of::Person>, Channel, Option<Id<of::Membership>>, Timestamp, Option<Vec<u8>>, Option<Id<of::Content>>);

/// The batch of a delivery, dead or not.
///
/// # Errors
/// When the database fails.
pub fn batch_of(tx: &mut Tx<'_>, delivery: i64) -> Result<Option<Uuid>, StorageError> {
    let found: Option<Id<of::Batch>> =
        deliveries::table.find(delivery).select(deliveries::batch_id).first(tx.db()).optional()?;
    Ok(found.map(Id::uuid))
}
/// The dead letters of a batch, or the one that is named, kept as they are until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn dead_letters_of(tx: &mut Tx<'_>, batch: Uuid, only: Option<i64>) -> Result<Vec<DeadLetter>, StorageError> {
    let dead = || {
        let dead = deliveries::table
            .filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(DEAD))
            .into_boxed();
        match only {
            Some(id) => dead.filter(deliveries::id.eq(id)),
            None => dead,
        }
    };
    let ids: Vec<i64> = dead().select(deliveries::id).order(deliveries::id).load(tx.db())?;
    lock_in_order(tx, &ids)?;
    let locked: HashSet<i64> = ids.into_iter().collect();
    // Looked at again under the lock: another requeue, or a late report, may have been quicker. Not by their numbers: there
    // may be more of them than SQLite takes binds.
    let rows: Vec<Columns> = dead()
        .order(deliveries::id)
        .select((
            deliveries::id,
            deliveries::person_id,
            deliveries::channel,
            deliveries::membership_id,
            deliveries::deadline,
            deliveries::address,
            deliveries::content_id,
        ))
        .load(tx.db())?;
    let kept: Vec<Id<of::Content>> = contents::table
        .filter(contents::batch_id.eq(Id::<of::Batch>::from_uuid(batch)))
        .filter(contents::body.is_not_null())
        .select(contents::id)
        .load(tx.db())?;
    Ok(rows
        .into_iter()
        .filter(|(id, ..)| locked.contains(id))
        .map(|(id, person, channel, membership, deadline, sealed, content)| DeadLetter {
            id,
            person,
            channel,
            membership,
            kept: Kept {
                deadline,
                has_address: sealed.is_some(),
                has_content: content.is_some_and(|content| kept.contains(&content)),
            },
            sealed,
        })
        .collect())
}

/// Puts dead letters of a batch back into the queue, each with the address where its owner is reached now: due at a moment,
/// at the foot of the ladder. What was tried before stays in the books, and the identity towards the provider stays the same;
/// only what went to an address that was wrong cannot be made again. Whether it may be is the caller's rule.
///
/// # Errors
/// When the database fails.
pub fn requeue(
    tx: &mut Tx<'_>,
    batch: Uuid,
    again: &[(DeadLetter, String)],
    at: Timestamp,
) -> Result<usize, StorageError> {
    let state = if at > tx.now()? { State::Planned } else { State::Queued };
    let (mut ids, mut addresses, mut moved) =
        (Vec::with_capacity(again.len()), Vec::with_capacity(again.len()), Vec::new());
    for (letter, address) in again {
        let name = row_name(batch, letter.person, letter.channel);
        let before =
            letter.sealed.as_deref().and_then(|sealed| tx.open::<String>(DELIVERIES_ADDRESS, &name, sealed).ok());
        if before.as_deref() != Some(address) {
            moved.push(letter.id);
        }
        ids.push(letter.id);
        addresses.push(tx.seal(DELIVERIES_ADDRESS, name, address)?);
    }
    let requeued = match tx.db() {
        Db::Sqlite(c) => {
            let mut requeued = 0;
            for (id, address) in ids.iter().zip(&addresses) {
                requeued += diesel::update(deliveries::table.filter(deliveries::id.eq(id)).filter(diesel::dsl::sql::<
                    diesel::sql_types::Bool,
                >(
                    DEAD
                )))
                .set((
                    deliveries::state.eq(state),
                    deliveries::reason.eq(None::<String>),
                    deliveries::address.eq(Some(address)),
                    deliveries::due_at.eq(Some(at)),
                    deliveries::settled_at.eq(None::<Timestamp>),
                    deliveries::round_from.eq(deliveries::attempts),
                    deliveries::untried.eq(0),
                ))
                .execute(c)?;
            }
            requeued
        }
        Db::Postgres(c) => diesel::sql_query(format!(
            "UPDATE deliveries SET state = $1, reason = NULL, address = v.address, due_at = $2, settled_at = NULL, \
               round_from = attempts, untried = 0 \
             FROM unnest($3::bigint[], $4::bytea[]) AS v(id, address) WHERE deliveries.id = v.id AND {DEAD}"
        ))
        .bind::<Text, _>(state.as_str())
        .bind::<sql::Moment, _>(at)
        .bind::<Array<BigInt>, _>(&ids)
        .bind::<Array<Binary>, _>(&addresses)
        .execute(c)?,
    };
    // The digests of these attempts hold the old address, and nobody can make it again: a proof must not call that a forgery.
    for moved in moved.chunks(AT_ONCE) {
        diesel::update(attempts::table.filter(attempts::delivery_id.eq_any(moved)))
            .set(attempts::letterhead_id.eq(None::<i64>))
            .execute(tx.db())?;
    }
    tx.nudge();
    Ok(requeued)
}

/// Dead letters of one channel, state and reason: how many, and when the last one ended.
pub type DeadByReason = (Channel, State, Option<String>, i64, Option<Timestamp>);

/// Every dead letter by channel, state and reason, with the last of each: for whoever runs the installation.
///
/// # Errors
/// When the database fails.
pub fn dead_letters_by_reason(tx: &mut Tx<'_>) -> Result<Vec<DeadByReason>, StorageError> {
    Ok(deliveries::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(DEAD))
        .group_by((deliveries::channel, deliveries::state, deliveries::reason))
        .order((deliveries::channel, deliveries::state, deliveries::reason))
        .select((
            deliveries::channel,
            deliveries::state,
            deliveries::reason,
            diesel::dsl::count_star(),
            diesel::dsl::max(deliveries::settled_at),
        ))
        .load(tx.db())?)
}
