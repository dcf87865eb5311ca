//! The gate's own queries: who is asking.

use super::actor::Actor;
use super::grant::grants_at;
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
pub(super) fn still_signed_in(tx: &mut Tx<'_>, actor: &Actor) -> Result<bool, StorageError> {
    tx.hold("sessions", actor.session)?;
    Ok(sessions::find_live(tx, actor.session, actor.account)?.is_some())
}
