//! What has been dispatched: the messages that are going out, and those of which everything is settled.

use std::collections::HashMap;

use diesel::prelude::*;

use super::message::{Class, Kind};
use super::store::{Loaded, REQUEUED, Row};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{approvals, deliveries, message_events, messages};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// The messages going out whose deliveries are all settled, with the number that did not arrive.
pub(super) fn dispatched(tx: &mut Tx<'_>) -> Result<Vec<(Loaded, Id<of::MessageVersion>)>, StorageError> {
    let open = deliveries::table.filter(deliveries::settled_at.is_null()).filter(
        deliveries::batch_id.eq_any(
            approvals::table
                .inner_join(messages::table.on(messages::id.eq(approvals::message_id)))
                .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("messages.status = 'dispatching'"))
                .select(approvals::version_id),
        ),
    );
    let open: Vec<Id<of::Batch>> = open.select(deliveries::batch_id).distinct().load(tx.db())?;
    let rows: Vec<(Row, Id<of::MessageVersion>)> = messages::table
        .inner_join(approvals::table.on(approvals::message_id.eq(messages::id)))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("messages.status = 'dispatching'"))
        .filter(
            approvals::version_id.ne_all(open.iter().map(|batch| Id::<of::MessageVersion>::from_uuid(batch.uuid()))),
        )
        .order(messages::id)
        .limit(100)
        .select((Row::as_select(), approvals::version_id))
        .load(tx.db())?;
    rows.into_iter().map(|(row, version)| Ok((row.restore()?, version))).collect()
}

/// An urgent message, or a correction, that is going out.
#[derive(Debug, Clone)]
pub(super) struct Urgent {
    pub(super) message: Id<of::Message>,
    /// Its deliveries.
    pub(super) batch: uuid::Uuid,
    /// When it began to leave: when the police decided, or when what failed of it was last put back.
    pub(super) begun_at: Timestamp,
}
/// The urgent messages and corrections that are going out.
pub(super) fn urgent_going_out(tx: &mut Tx<'_>) -> Result<Vec<Urgent>, StorageError> {
    type Columns = (Id<of::Message>, Id<of::MessageVersion>, Option<Timestamp>, Timestamp);
    let rows: Vec<Columns> = messages::table
        .inner_join(approvals::table.on(approvals::message_id.eq(messages::id)))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("messages.status = 'dispatching'"))
        .filter(messages::class.eq(Class::Urgent).or(messages::kind.eq(Kind::Correction)))
        .order(messages::id)
        .select((messages::id, approvals::version_id, messages::decided_at, approvals::approved_at))
        .load(tx.db())?;
    let put_back: HashMap<Id<of::Message>, Option<Timestamp>> = message_events::table
        .filter(message_events::message_id.eq_any(rows.iter().map(|(message, ..)| *message)))
        .filter(message_events::event.eq(REQUEUED))
        .group_by(message_events::message_id)
        .select((message_events::message_id, diesel::dsl::max(message_events::happened_at)))
        .load::<(Id<of::Message>, Option<Timestamp>)>(tx.db())?
        .into_iter()
        .collect();
    let urgent = |(message, version, decided, approved): Columns| {
        let put_back = put_back.get(&message).copied().flatten();
        let begun_at = put_back.max(Some(decided.unwrap_or(approved))).unwrap_or(approved);
        Urgent { message, batch: version.uuid(), begun_at }
    };
    Ok(rows.into_iter().map(urgent).collect())
}
