//! The police give a message back to its author, or refuse it; both with a reason, and the author is told.

use super::draft::{lock, view_now};
use super::edit::moved;
use super::error::MessageError;
use super::lifecycle::Message;
use super::message::Status;
use super::notify;
use super::payloads::MessageView;
use super::store::{self, Change, Event};
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Gives back (`for_good` false) or refuses (`for_good` true).
pub(super) fn refuse(
    tx: &mut Tx<'_>,
    id: Id<of::Message>,
    by: Id<of::Account>,
    reason: &str,
    for_good: bool,
) -> Result<MessageView, MessageError> {
    let loaded = lock(tx, id)?;
    let Message::Submitted(message) = loaded.message else {
        return Err(MessageError::WrongState(loaded.message.status()));
    };
    let version = store::load_version(tx, id, message.facts().current_version)?;
    let refused = message.refuse(reason.to_owned(), for_good);
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
        from: Status::Submitted,
        to: refused.status(),
        hash: &version.hash,
        reason: Some(reason),
    };
    moved(store::save(tx, refused.facts(), &change, &event)?)?;
    notify::author_of_refusal(tx, refused.facts(), reason, for_good)?;
    Ok(view_now(tx, id)?.0)
}
