//! What has been dispatched: the messages of which everything is settled, and those that the watch looks at.

use std::collections::HashMap;
use std::time::Duration;

use diesel::prelude::*;

use super::message::{Class, Kind, Status};
use super::store::{Loaded, OTHER_CHANNEL, REQUEUED, Row};
use crate::delivery::State;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{approvals, deliveries, message_events, messages};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// What was closed is looked at for so long: after a week nothing of it can be put back.
const LOOKED_BACK: Duration = Duration::from_secs(7 * 24 * 3_600);
/// What was closed so lately is looked at although its validity is over: it may have ended while no node ran.
const JUST_NOW: Duration = Duration::from_secs(60);

/// What is going out, with the condition of the index `messages_waiting` to the letter: from the status alone SQLite does not
/// conclude that the index holds it, and would read every message.
const GOING_OUT: &str =
    "messages.status IN ('submitted', 'awaiting_release', 'dispatching') AND messages.status = 'dispatching'";

/// The messages going out of which every delivery is settled, with what was approved of each; so many at most.
pub(super) fn dispatched(tx: &mut Tx<'_>) -> Result<Vec<(Loaded, Id<of::MessageVersion>)>, StorageError> {
    // One probe of the index for each message: how many deliveries are open makes no difference.
    let open = deliveries::table
        .filter(deliveries::batch_id.eq(approvals::version_id))
        .filter(deliveries::settled_at.is_null());
    let rows: Vec<(Row, Id<of::MessageVersion>)> = messages::table
        .inner_join(approvals::table.on(approvals::message_id.eq(messages::id)))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(GOING_OUT))
        .filter(diesel::dsl::not(diesel::dsl::exists(open)))
        .order(messages::id)
        .limit(100)
        .select((Row::as_select(), approvals::version_id))
        .load(tx.db())?;
    rows.into_iter().map(|(row, version)| Ok((row.restore()?, version))).collect()
}

/// An urgent message, or a correction, that the watch looks at.
#[derive(Debug, Clone)]
pub(super) struct Urgent {
    pub(super) message: Id<of::Message>,
    /// A correction may not be urgent.
    pub(super) class: Class,
    /// Its deliveries.
    pub(super) batch: uuid::Uuid,
    /// When it began to leave: when the police decided, when what failed of it was last put back, or when another channel
    /// took over.
    pub(super) begun_at: Timestamp,
}
type Columns = (Id<of::Message>, Class, Id<of::MessageVersion>, Option<Timestamp>, Timestamp);

/// Urgent messages and corrections of some kind; a macro, as diesel gives each condition its type.
macro_rules! urgent {
    ($tx:expr, $condition:expr) => {
        messages::table
            .inner_join(approvals::table.on(approvals::message_id.eq(messages::id)))
            .filter($condition)
            .filter(messages::class.eq(Class::Urgent).or(messages::kind.eq(Kind::Correction)))
            .order(messages::id)
            .select((
                messages::id,
                messages::class,
                approvals::version_id,
                messages::decided_at,
                approvals::approved_at,
            ))
            .load::<Columns>($tx.db())?
    };
}

/// The urgent messages and corrections that are going out, or are over although nobody got them while they are of use.
/// `unheard` are looked at whatever their validity, unless they were stopped.
pub(super) fn urgent_to_watch(tx: &mut Tx<'_>, unheard: &[Id<of::Message>]) -> Result<Vec<Urgent>, StorageError> {
    let now = tx.now()?;
    let is = diesel::dsl::sql::<diesel::sql_types::Bool>;
    let handed_over = deliveries::table
        .filter(deliveries::batch_id.eq(approvals::version_id))
        .filter(deliveries::state.eq_any(State::ALL.iter().filter(|state| state.was_handed_over())));
    let of_use = messages::valid_until.gt(Some(now)).or(messages::completed_at.ge(Some(now.minus(JUST_NOW))));
    // What was accepted may be refused later, and the message stays complete. The condition is that of the index, to the
    // letter; of one end PostgreSQL would guess that a third of all messages lies beyond it, of two that few lie between.
    let missed = is("messages.status IN ('completed', 'completed_with_failures')")
        .and(messages::completed_at.between(Some(now.minus(LOOKED_BACK)), Some(now.plus(LOOKED_BACK))))
        .and(of_use)
        .and(diesel::dsl::not(diesel::dsl::exists(handed_over)));
    let mut rows = urgent!(tx, is(GOING_OUT));
    rows.extend(urgent!(tx, missed));
    if !unheard.is_empty() {
        let over = messages::status.eq_any([Status::Completed, Status::CompletedWithFailures]);
        rows.extend(urgent!(tx, over.and(messages::id.eq_any(unheard.to_vec()))));
    }
    rows.sort_by_key(|(message, ..)| *message);
    rows.dedup_by_key(|(message, ..)| *message);
    let again: HashMap<Id<of::Message>, Option<Timestamp>> = message_events::table
        .filter(message_events::message_id.eq_any(rows.iter().map(|(message, ..)| *message)))
        .filter(message_events::event.eq_any([REQUEUED, OTHER_CHANNEL]))
        .group_by(message_events::message_id)
        .select((message_events::message_id, diesel::dsl::max(message_events::happened_at)))
        .load::<(Id<of::Message>, Option<Timestamp>)>(tx.db())?
        .into_iter()
        .collect();
    let urgent = |(message, class, version, decided, approved): Columns| {
        let again = again.get(&message).copied().flatten();
        let begun_at = again.max(Some(decided.unwrap_or(approved))).unwrap_or(approved);
        Urgent { message, class, batch: version.uuid(), begun_at }
    };
    Ok(rows.into_iter().map(urgent).collect())
}
