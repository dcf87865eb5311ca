//! Change one's own password: the old one proves who asks, every other session ends, and a letter says so.

use secrecy::SecretString;

use super::account::Account;
use super::actions::ChangePassword;
use super::error::AccountError;
use super::own_password;
use super::password;
use super::payloads::ChangePasswordRequest;
use super::rules::{self, Choice};
use super::store;
use crate::access::{Actor, Authorized, end_session, list_sessions};
use crate::delivery::{LetterTo, enqueue_letter};
use crate::people;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::{LetterKind, letter};
use crate::values::Id;
use crate::values::PersonName;
use crate::values::of;

/// Proves, checks, hashes, writes.
pub(super) async fn change_password(
    proof: Authorized<ChangePassword>,
    asked: ChangePasswordRequest,
) -> Result<(), AccountError> {
    let account = own_password::prove(&proof, asked.old_password).await?;
    let person = account.person;
    let name: Option<PersonName> = proof.beforehand(move |tx| name_of(tx, person)).await?;
    let choice = Choice { password: asked.new_password.reveal(), email: account.email(), name: name.as_ref() };
    rules::may_be_chosen(&choice).map_err(|refusal| AccountError::Password(refusal, "/new_password"))?;
    let hash = password::hash(&proof.config().limits, asked.new_password).await?;
    proof.write(move |tx, proof| write(tx, proof.actor(), &account, hash)).await
}
fn name_of(tx: &mut Tx<'_>, person: Id<of::Person>) -> Result<Option<PersonName>, StorageError> {
    Ok(people::load_person(tx, person)?.name)
}

fn write(tx: &mut Tx<'_>, actor: &Actor, seen: &Account, hash: SecretString) -> Result<(), AccountError> {
    let Some(account) = store::find_locked(tx, actor.account)? else { return Err(AccountError::SignInRefused) };
    // Another change came first: the old password that was given is no longer the one.
    if account.version != seen.version {
        return Err(AccountError::SignInRefused);
    }
    let account = account.change_password(hash)?;
    store::save(tx, &account)?;
    store::end_tokens(tx, account.id)?;
    for session in list_sessions(tx, account.id)?.iter().filter(|session| session.id != actor.session) {
        end_session(tx, session.id, "password_changed")?;
    }
    Ok(tell(tx, &account)?)
}

/// Tells the owner that the password was changed.
pub(super) fn tell(tx: &mut Tx<'_>, account: &Account) -> Result<(), StorageError> {
    let Some(email) = account.email() else { return Ok(()) };
    let person = people::load_person(tx, account.person)?;
    let name = person.name.map(|name| name.for_letter()).unwrap_or_default();
    let letter = letter(person.language, LetterKind::PasswordChanged, &[("name", &name)]);
    enqueue_letter(tx, LetterTo { person: person.id, language: person.language, email }, letter)
}
