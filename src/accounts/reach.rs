//! How the owner of an account is reached, for the letters of other slices.

use super::store;
use crate::people::{self, ContactKind};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::PersonName;
use crate::values::PhoneNumber;
use crate::values::of;

/// The owner of an account and the ways to reach them.
#[derive(Debug, Clone)]
pub struct Reached {
    /// The account.
    pub account: Id<of::Account>,
    /// The person.
    pub person: Id<of::Person>,
    /// Their name; none once erased.
    pub name: Option<PersonName>,
    /// The language they are written to in.
    pub language: Language,
    /// The address of the account.
    pub email: EmailAddress,
    /// Their mobile number, if it can be used.
    pub mobile: Option<PhoneNumber>,
    /// They gave a mobile number, and nothing is sent to it as it did not work.
    pub mobile_suspended: bool,
}

/// How the owner of an account is reached; nothing once it is closed.
///
/// # Errors
/// When the database fails.
pub fn reach(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<Option<Reached>, StorageError> {
    let Some(account) = store::find(tx, account)? else { return Ok(None) };
    let Some(email) = account.email().cloned() else { return Ok(None) };
    let person = people::load_person(tx, account.person)?;
    let contacts = people::contacts_of(tx, &[person.id])?.remove(&person.id).unwrap_or_default();
    let mobiles = || contacts.iter().filter(|contact| contact.kind == ContactKind::Mobile);
    let mobile = mobiles().find(|contact| contact.is_usable()).and_then(people::Contact::phone);
    let mobile_suspended = mobile.is_none() && mobiles().any(|contact| contact.suspension.is_some());
    Ok(Some(Reached {
        account: account.id,
        person: person.id,
        name: person.name,
        language: person.language,
        email,
        mobile,
        mobile_suspended,
    }))
}
