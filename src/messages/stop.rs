//! A message that is going out is stopped: what has not been handed over is not sent (accept M12).

use super::approvals;
use super::draft::{lock, view_now};
use super::edit::moved;
use super::error::MessageError;
use super::lifecycle::Message;
use super::message::Status;
use super::payloads::MessageView;
use super::rules;
use super::store::{self, Change, Event};
use super::versions;
use crate::access::Role;
use crate::delivery;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Stops it.
pub(super) fn stop(
    tx: &mut Tx<'_>,
    id: Id<of::Message>,
    by: Id<of::Account>,
    role: Role,
    reason: &str,
) -> Result<MessageView, MessageError> {
    let loaded = lock(tx, id)?;
    rules::may_stop(role, loaded.message.facts().class)?;
    let Message::Dispatching(message) = loaded.message else {
        return Err(MessageError::WrongState(loaded.message.status()));
    };
    let batch = approvals::approved_version(tx, id)?;
    let version = versions::load_version(tx, id, message.facts().current_version)?;
    let over = message.stop();
    let now = tx.now()?;
    let change = Change {
        status: Some(over.status()),
        reason: Some(Some(reason.to_owned())),
        stopped_at: Some(Some(now)),
        ..Change::default()
    };
    let event = Event {
        by: Some(by),
        event: "stopped",
        from: Status::Dispatching,
        to: over.status(),
        hash: &version.hash,
        reason: Some(reason),
    };
    moved(store::save(tx, over.facts(), &change, &event)?)?;
    if let Some(batch) = batch {
        delivery::cancel(tx, batch.uuid(), "stopped")?;
    }
    Ok(view_now(tx, id)?.0)
}
