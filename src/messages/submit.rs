//! A message is handed to the police, who are told by mail and SMS that something waits (duty C9).

use super::draft::{lock, view_now};
use super::edit::moved;
use super::error::MessageError;
use super::lifecycle::Message;
use super::message::Status;
use super::notify;
use super::payloads::MessageView;
use super::rules;
use super::store::{self, Change, Event};
use super::versions;
use crate::access::Role;
use crate::config::Config;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Hands it over.
pub(super) fn submit(
    tx: &mut Tx<'_>,
    config: &Config,
    id: Id<of::Message>,
    by: Id<of::Account>,
    role: Role,
) -> Result<(MessageView, i64), MessageError> {
    let loaded = lock(tx, id)?;
    let Message::Draft(draft) = loaded.message else { return Err(MessageError::WrongState(loaded.message.status())) };
    rules::may_write(role, draft.facts().class, draft.facts().kind, draft.facts().source)?;
    let version = versions::load_version(tx, id, draft.facts().current_version)?;
    let submitted = draft.submit(by, tx.now()?);
    let change = Change {
        status: Some(Status::Submitted),
        submitted_by: Some(Some(submitted.by())),
        submitted_at: Some(Some(submitted.at())),
        ..Change::default()
    };
    moved(store::save(
        tx,
        submitted.facts(),
        &change,
        &Event {
            by: Some(by),
            event: "submitted",
            from: Status::Draft,
            to: Status::Submitted,
            hash: &version.hash,
            reason: None,
        },
    )?)?;
    notify::officers_that_something_waits(tx, config, submitted.facts(), by)?;
    view_now(tx, id)
}
