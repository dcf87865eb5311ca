//! messages

use crate::access::Routes;
use crate::storage::{StorageError, Tx};

/// Mounts nothing yet.
pub fn routes(_: &mut Routes<'_>) {}
/// x
/// # Errors
/// Never.
pub fn close_dispatched(_: &mut Tx<'_>) -> Result<usize, StorageError> {
    Ok(0)
}
/// x
/// # Errors
/// Never.
pub fn expire_unreleased(_: &mut Tx<'_>) -> Result<usize, StorageError> {
    Ok(0)
}
