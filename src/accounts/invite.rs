//! Invite somebody: person, account and letter, or only what is missing of these.

use std::time::Duration;

use super::account::{Account, AccountState};
use super::store::{self, InvitationDetails, TokenPurpose};
use crate::access::Role;
use crate::config::Config;
use crate::delivery::{LetterTo, enqueue_letter};
use crate::people::{self, ContactKind, ContactState, NewPerson};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::{LetterKind, letter};
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::PersonName;
use crate::values::PhoneNumber;
use crate::values::of;

/// How long an invitation can be accepted.
pub(super) const INVITATION_LIFE: Duration = Duration::from_secs(72 * 3600);

/// Who is invited, to what, by whom.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Where the letter goes, and what the invited person will sign in with.
    pub email: EmailAddress,
    /// Their name, for an address not yet known.
    pub name: PersonName,
    /// The language they are written to in.
    pub language: Language,
    /// Their mobile number, where messages that wait are told by SMS.
    pub mobile: Option<PhoneNumber>,
    /// What they are to become.
    pub role: Role,
    /// Who invites, as the letter says it.
    pub inviter: String,
}

/// The word of the letters for a role.
pub(super) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Steering => "steering_group_member",
        Role::Deputy => "deputy",
        Role::Coordinator => "coordinator",
        Role::Officer => "mandated_officer",
        Role::ZoneAdministrator => "zone_administrator",
        Role::Municipality => "municipality",
        Role::Province => "provincial_group",
        Role::Expertise => "expertise_centre",
        Role::Federal => "federal_service",
    }
}

/// Finds the account of this address, or makes person and account; sends the letter unless the account has a password
/// already. The inviter vouches for address and number: they count as verified.
///
/// # Errors
/// When the database fails; `Unique` when the same new address is invited twice at the same moment.
pub fn invite(tx: &mut Tx<'_>, config: &Config, invitation: Invitation) -> Result<Id<of::Account>, StorageError> {
    let account = match store::find_by_email(tx, &invitation.email)? {
        Some(account) => account,
        None => create(tx, &invitation)?,
    };
    if let AccountState::Invited { email } = &account.state {
        send(tx, config, &account, email, &invitation)?;
    }
    Ok(account.id)
}

/// Makes an account that can sign in at once, without a letter: for a demonstration and for tests.
///
/// # Errors
/// When the database fails.
pub fn create_active(
    tx: &mut Tx<'_>,
    _config: &Config,
    invitation: Invitation,
    password_hash: &str,
) -> Result<Id<of::Account>, StorageError> {
    let account = match store::find_by_email(tx, &invitation.email)? {
        Some(account) => account,
        None => create(tx, &invitation)?,
    };
    let id = account.id;
    // An account that has a password already keeps it.
    if let Ok(active) = account.accept(password_hash.to_owned().into()) {
        store::save(tx, &active)?;
        store::end_tokens(tx, id)?;
    }
    Ok(id)
}

fn create(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<Account, StorageError> {
    let Invitation { email, name, language, mobile, .. } = invitation;
    let person = people::create_person(tx, &NewPerson { name: name.clone(), language: *language })?;
    people::add_contact(tx, person, ContactKind::Email, email.for_envelope(), ContactState::Verified)?;
    if let Some(mobile) = mobile {
        people::add_contact(tx, person, ContactKind::Mobile, mobile.for_dialling(), ContactState::Verified)?;
    }
    let id = store::insert(tx, person, email)?;
    Ok(Account { id, person, version: 1, state: AccountState::Invited { email: email.clone() } })
}

fn send(
    tx: &mut Tx<'_>,
    config: &Config,
    account: &Account,
    email: &EmailAddress,
    invitation: &Invitation,
) -> Result<(), StorageError> {
    let details = InvitationDetails { role: invitation.role, inviter: invitation.inviter.clone() };
    let token = store::issue_token(tx, account.id, TokenPurpose::Invitation, INVITATION_LIFE, Some(&details))?;
    let person = people::load_person(tx, account.person)?;
    let name = person.name.map(|name| name.for_letter()).unwrap_or_default();
    let url = format!("{}/p/invitation/{token}", config.server.public_url);
    let hours = (INVITATION_LIFE.as_secs() / 3600).to_string();
    let values = [
        ("name", name.as_str()),
        ("inviter", invitation.inviter.as_str()),
        ("role", role_word(invitation.role)),
        ("url", url.as_str()),
        ("hours", hours.as_str()),
    ];
    let letter = letter(person.language, LetterKind::Invitation, &values);
    enqueue_letter(tx, LetterTo { person: person.id, language: person.language, email }, letter)
}
