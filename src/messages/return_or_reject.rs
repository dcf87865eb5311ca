//! The police give a message back to its author, or refuse it; both with a reason, and the author is told.

use super::draft::{lock, view_now};
use super::edit::moved;
use super::error::MessageError;
use super::lifecycle::Message;
use super::notify;
use super::payloads::MessageView;
use super::store::{self, Change, Event};
use super::versions;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Gives back (`for_good` false) or refuses (`for_good` true); what was approved and waits for release can be refused too.
pub(super) fn refuse(
    tx: &mut Tx<'_>,
    id: Id<of::Message>,
    by: Id<of::Account>,
    reason: &str,
    for_good: bool,
) -> Result<MessageView, MessageError> {
    let loaded = lock(tx, id)?;
    let from = loaded.message.status();
    let version = versions::load_version(tx, id, loaded.message.facts().current_version)?;
    let refused = match loaded.message {
        Message::Submitted(message) => message.refuse(reason.to_owned(), for_good),
        // What waits for the coordinator has not left: the police may still take it back.
        Message::AwaitingRelease(message) if for_good => message.withdraw(reason.to_owned()),
        other => return Err(MessageError::WrongState(other.status())),
    };
    let now = tx.now()?;
    let change = Change {
        status: Some(refused.status()),
        decided_by: Some(Some(by)),
        decided_at: Some(Some(now)),
        reason: Some(Some(refused.reason().to_owned())),
        ..Change::default()
    };
    let event = Event {
        by: Some(by),
        event: if for_good { "rejected" } else { "returned" },
        from,
        to: refused.status(),
        hash: &version.hash,
        reason: Some(reason),
    };
    moved(store::save(tx, refused.facts(), &change, &event)?)?;
    notify::author_of_refusal(tx, refused.facts(), reason, for_good)?;
    Ok(view_now(tx, id)?.0)
}
