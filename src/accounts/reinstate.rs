//! The mobile number of an account works again, says whoever runs this: nobody else can, unless its owner is a member too.

use super::store;
use crate::people::{self, ContactKind};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::of;

/// Lifts the suspension of the mobile numbers of an account's owner. Whose account it is and how many numbers it was; nothing
/// when there is no such account.
///
/// # Errors
/// When the database fails.
pub fn reinstate_mobile(
    tx: &mut Tx<'_>,
    email: &EmailAddress,
) -> Result<Option<(Id<of::Account>, usize)>, StorageError> {
    let Some(account) = store::find_by_email(tx, email)? else { return Ok(None) };
    let contacts = people::contacts_of(tx, &[account.person])?.remove(&account.person).unwrap_or_default();
    let mut lifted = 0;
    for mobile in contacts.iter().filter(|contact| contact.kind == ContactKind::Mobile) {
        lifted += usize::from(people::reinstate_contact(tx, mobile.id)?);
    }
    Ok(Some((account.id, lifted)))
}
