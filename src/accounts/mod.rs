//! Accounts: a stand-in with the functions that partnerships need, until the slice itself takes this place.

use diesel::prelude::*;

use crate::access::Role;
use crate::access::Routes;
use crate::config::Config;
use crate::people;
use crate::people::{ContactKind, NewPerson};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::ACCOUNTS_EMAIL;
use crate::storage::schema::accounts;
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::PersonName;
use crate::values::PhoneNumber;
use crate::values::of;

/// Mounts nothing yet.
pub fn routes(_: &mut Routes<'_>) {}

/// Who is invited to what.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Where.
    pub email: EmailAddress,
    /// Who.
    pub name: PersonName,
    /// In which language.
    pub language: Language,
    /// Mobile number.
    pub mobile: Option<PhoneNumber>,
    /// As what.
    pub role: Role,
    /// By whom, in words.
    pub inviter: String,
}
/// How to reach the holder of an account.
#[derive(Debug, Clone)]
pub struct Reached {
    /// The account.
    pub account: Id<of::Account>,
    /// The person.
    pub person: Id<of::Person>,
    /// Their name; none once erased.
    pub name: Option<PersonName>,
    /// Their language.
    pub language: Language,
    /// Where they sign in and get their letters.
    pub email: Option<EmailAddress>,
    /// Their mobile number.
    pub mobile: Option<PhoneNumber>,
}

fn put(tx: &mut Tx<'_>, invitation: &Invitation, password_hash: Option<&str>) -> Result<Id<of::Account>, StorageError> {
    let index = tx.index("email", &invitation.email.for_index());
    let known: Option<Id<of::Account>> = accounts::table
        .filter(accounts::email_index.eq(Some(&index)))
        .select(accounts::id)
        .first(tx.db())
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    let new = NewPerson { name: invitation.name.clone(), language: invitation.language };
    let person = people::create_person(tx, &new)?;
    if let Some(mobile) = &invitation.mobile {
        let state = people::ContactState::Unverified;
        people::add_contact(tx, person, ContactKind::Mobile, mobile.for_dialling(), state)?;
    }
    let (id, now) = (Id::new(), tx.now()?);
    let sealed = tx.seal(ACCOUNTS_EMAIL, id, invitation.email.for_envelope())?;
    diesel::insert_into(accounts::table)
        .values((
            accounts::id.eq(id),
            accounts::person_id.eq(person),
            accounts::email.eq(Some(sealed)),
            accounts::email_index.eq(Some(index)),
            accounts::password_hash.eq(password_hash),
            accounts::status.eq(if password_hash.is_some() { "active" } else { "invited" }),
            accounts::version.eq(1),
            accounts::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(id)
}
/// The account behind this address, made when there is none. This stand-in writes no letter.
///
/// # Errors
/// When the database fails.
pub fn invite(tx: &mut Tx<'_>, _: &Config, invitation: Invitation) -> Result<Id<of::Account>, StorageError> {
    put(tx, &invitation, None)
}
/// An account that can sign in at once.
///
/// # Errors
/// When the database fails.
pub fn create_active(
    tx: &mut Tx<'_>,
    _: &Config,
    invitation: Invitation,
    password_hash: &str,
) -> Result<Id<of::Account>, StorageError> {
    put(tx, &invitation, Some(password_hash))
}
/// How to reach the holder of an account.
///
/// # Errors
/// When the database fails.
pub fn reach(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<Option<Reached>, StorageError> {
    let found: Option<(Id<of::Person>, Option<Vec<u8>>)> =
        accounts::table.find(account).select((accounts::person_id, accounts::email)).first(tx.db()).optional()?;
    let Some((person, sealed)) = found else { return Ok(None) };
    let known = people::load_person(tx, person)?;
    let email = sealed.map(|sealed| tx.open::<String>(ACCOUNTS_EMAIL, account, &sealed)).transpose()?;
    let contacts = people::contacts_of(tx, &[person])?.remove(&person).unwrap_or_default();
    Ok(Some(Reached {
        account,
        person,
        name: known.name,
        language: known.language,
        email: email.and_then(|email| EmailAddress::parse(&email).ok()),
        mobile: contacts.iter().find(|one| one.kind == ContactKind::Mobile).and_then(people::Contact::phone),
    }))
}

/// First.
#[derive(Debug, clap::Args)]
pub struct FirstAdministrator {}
/// Creates.
///
/// # Errors
/// Never.
pub async fn create_first_administrator(
    _: &crate::storage::Database,
    _: &crate::config::Config,
    _: FirstAdministrator,
) -> anyhow::Result<String> {
    Ok(String::new())
}
