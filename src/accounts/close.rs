//! Lock, unlock and close an account.

use super::account::WrongState;
use super::store;
use crate::access::{end, end_sessions, grants_at};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Locks an account: its sessions end at once, and it cannot sign in.
///
/// # Errors
/// When the database fails; the state inside when it is not active.
pub fn lock_account(tx: &mut Tx<'_>, id: Id<of::Account>) -> Result<Result<(), WrongState>, StorageError> {
    let Some(account) = store::find_locked(tx, id)? else { return Err(missing(id)) };
    let account = match account.lock() {
        Ok(account) => account,
        Err(wrong) => return Ok(Err(wrong)),
    };
    store::save(tx, &account)?;
    store::end_tokens(tx, id)?;
    end_sessions(tx, id, "account_locked")?;
    Ok(Ok(()))
}
/// Unlocks an account: its owner can sign in again, with the same password.
///
/// # Errors
/// When the database fails; the state inside when it is not locked.
pub fn unlock_account(tx: &mut Tx<'_>, id: Id<of::Account>) -> Result<Result<(), WrongState>, StorageError> {
    let Some(account) = store::find_locked(tx, id)? else { return Err(missing(id)) };
    match account.unlock() {
        Ok(account) => store::save(tx, &account).map(Ok),
        Err(wrong) => Ok(Err(wrong)),
    }
}
/// Closes an account for good: sessions and power end at once, address and password go.
///
/// # Errors
/// When the database fails; the state inside when it is closed already.
pub fn close_account(tx: &mut Tx<'_>, id: Id<of::Account>) -> Result<Result<(), WrongState>, StorageError> {
    let Some(account) = store::find_locked(tx, id)? else { return Err(missing(id)) };
    let account = match account.close() {
        Ok(account) => account,
        Err(wrong) => return Ok(Err(wrong)),
    };
    store::save(tx, &account)?;
    store::end_tokens(tx, id)?;
    end_sessions(tx, id, "account_closed")?;
    let now = tx.now()?;
    for grant in grants_at(tx, id, now)? {
        end(tx, grant.id, "account_closed")?;
    }
    Ok(Ok(()))
}
fn missing(id: Id<of::Account>) -> StorageError {
    StorageError::Corrupt(format!("account {id} is missing"))
}
