//! The gate's own queries: who is asking.

use super::actor::Actor;
use super::grant::{Keep, grants_at};
use super::sessions;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// The actor behind a token, if the session goes on.
pub(super) fn find_actor(
    tx: &mut Tx<'_>,
    account: Id<of::Account>,
    session: Id<of::Session>,
) -> Result<Option<Actor>, StorageError> {
    let Some(row) = sessions::find_live(tx, session, account)? else { return Ok(None) };
    let now = tx.now()?;
    Ok(Some(Actor { account, session, stepped_up_at: row.stepped_up_at, grants: grants_at(tx, account, now)? }))
}
/// Does the session still go on? Asked again inside a write.
pub(super) fn still_signed_in(tx: &mut Tx<'_>, actor: &Actor, keep: Keep) -> Result<bool, StorageError> {
    if keep == Keep::Alone {
        // The work may end the others too: every one in the same order, so that two sessions can end each other.
        for session in sessions::ids_of(tx, actor.account)? {
            tx.lock("sessions", session)?;
        }
    }
    keep.row(tx, "sessions", actor.session)?;
    Ok(sessions::find_live(tx, actor.session, actor.account)?.is_some())
}
