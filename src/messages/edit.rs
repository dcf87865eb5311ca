//! The words of a message change: a new version, and an earlier submission is void. Or it is thrown away.

use super::draft::{lock, view_now, write_version};
use super::error::MessageError;
use super::message::{Status, Texts};
use super::payloads::MessageView;
use super::rules;
use super::store::{self, Change, Event};
use super::versions;
use crate::access::Role;
use crate::config::Config;
use crate::http::IfMatch;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Changes the words.
pub(super) fn edit(
    tx: &mut Tx<'_>,
    config: &Config,
    id: Id<of::Message>,
    by: Id<of::Account>,
    role: Role,
    if_match: IfMatch,
    texts: Texts,
) -> Result<(MessageView, i64), MessageError> {
    let loaded = lock(tx, id)?;
    if_match.check(loaded.message.facts().version)?;
    let from = loaded.message.status();
    let before = loaded.message.facts().clone();
    rules::may_write(role, before.class, before.kind, before.source)?;
    let audience = versions::load_version(tx, id, before.current_version)?.audience;
    let draft = loaded.message.reopen().map_err(|message| MessageError::WrongState(message.status()))?;
    let number = before.current_version.saturating_add(1);
    let version = write_version(tx, config, draft.facts(), number, texts, audience)?;
    versions::insert_version(tx, id, &version, by)?;
    let change = Change {
        status: Some(Status::Draft),
        current_version: Some(number),
        submitted_by: Some(None),
        submitted_at: Some(None),
        decided_by: Some(None),
        decided_at: Some(None),
        reason: Some(None),
        ..Change::default()
    };
    moved(store::save(
        tx,
        draft.facts(),
        &change,
        &Event { by: Some(by), event: "edited", from, to: Status::Draft, hash: &version.hash, reason: None },
    )?)?;
    view_now(tx, id)
}

/// Throws a message away that has not been approved.
pub(super) fn discard(
    tx: &mut Tx<'_>,
    id: Id<of::Message>,
    by: Id<of::Account>,
    role: Role,
    if_match: IfMatch,
) -> Result<(), MessageError> {
    let loaded = lock(tx, id)?;
    let facts = loaded.message.facts();
    if_match.check(facts.version)?;
    // Who may not write it may not throw it away either.
    rules::may_write(role, facts.class, facts.kind, facts.source)?;
    let from = loaded.message.status();
    let draft = loaded.message.reopen().map_err(|message| MessageError::WrongState(message.status()))?;
    let over = draft.discard();
    let change = Change { status: Some(over.status()), ..Change::default() };
    moved(store::save(
        tx,
        over.facts(),
        &change,
        &Event { by: Some(by), event: "discarded", from, to: over.status(), hash: "", reason: None },
    )?)
}

/// The row was locked, so a version that changed all the same is somebody's who locked nothing.
pub(super) fn moved(moved: bool) -> Result<(), MessageError> {
    if moved { Ok(()) } else { Err(MessageError::VersionChanged) }
}
