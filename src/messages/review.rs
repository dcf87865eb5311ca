//! Another officer looks back at a message that its author approved alone.

use super::approvals;
use super::draft::view_now;
use super::error::MessageError;
use super::payloads::MessageView;
use super::rules;
use super::store::{self, Event};
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Notes that they looked.
pub(super) fn review(tx: &mut Tx<'_>, id: Id<of::Message>, by: Id<of::Account>) -> Result<MessageView, MessageError> {
    let (view, _) = view_now(tx, id)?;
    let approver = approvals::review_due(tx, id)?.ok_or(MessageError::WrongState(view.status))?;
    rules::may_review(approver, by)?;
    if !approvals::note_review(tx, id, by)? {
        return Err(MessageError::WrongState(view.status));
    }
    store::record(
        tx,
        id,
        view.version_number,
        &Event {
            by: Some(by),
            event: "reviewed",
            from: view.status,
            to: view.status,
            hash: &view.version_hash,
            reason: None,
        },
    )?;
    Ok(view)
}
