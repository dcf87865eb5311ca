//! Choose a password with the token of a letter: to accept an invitation, or in place of a forgotten one.

use secrecy::SecretString;

use super::account::Account;
use super::change_password;
use super::error::AccountError;
use super::password::{self, Password};
use super::rules::{self, Choice};
use super::store::{self, InvitationDetails, OpenToken, TokenPurpose};
use crate::access::{Open, Public, end_sessions};
use crate::people::{self, Person};
use crate::storage::StorageError;
use crate::storage::Tx;

/// What a good token leads to.
pub(super) struct Letter {
    pub(super) account: Account,
    pub(super) person: Person,
    pub(super) details: Option<InvitationDetails>,
    token: OpenToken,
}

/// What the token in a letter leads to, if it is still good.
pub(super) fn open_letter(tx: &mut Tx<'_>, purpose: TokenPurpose, token: &str) -> Result<Option<Letter>, StorageError> {
    let Some(mut token) = store::find_token(tx, purpose, token)? else { return Ok(None) };
    let Some(account) = store::find(tx, token.account)? else { return Ok(None) };
    let person = people::load_person(tx, account.person)?;
    Ok(Some(Letter { account, person, details: token.details.take(), token }))
}

/// Checks the token, then the password; hashes; writes.
pub(super) async fn choose_password<O: Open>(
    open: &Public<O>,
    purpose: TokenPurpose,
    token: String,
    chosen: Password,
) -> Result<(), AccountError> {
    let letter = open.read(move |tx| open_letter(tx, purpose, &token)).await?.ok_or(AccountError::LinkUnknown)?;
    let choice = Choice { password: chosen.reveal(), email: letter.account.email(), name: letter.person.name.as_ref() };
    rules::may_be_chosen(&choice).map_err(|refusal| AccountError::Password(refusal, "/password"))?;
    let hash = password::hash(&open.config().limits, chosen).await?;
    open.write(move |tx| write(tx, purpose, &letter.token, hash)).await
}

fn write(tx: &mut Tx<'_>, purpose: TokenPurpose, token: &OpenToken, hash: SecretString) -> Result<(), AccountError> {
    let Some(account) = store::find_locked(tx, token.account)? else { return Err(AccountError::LinkUnknown) };
    if !store::spend_token(tx, token.id)? {
        return Err(AccountError::LinkUnknown);
    }
    let account = match purpose {
        TokenPurpose::Invitation => account.accept(hash),
        TokenPurpose::Reset => account.change_password(hash),
    }
    .map_err(|_| AccountError::LinkUnknown)?;
    store::save(tx, &account)?;
    store::end_tokens(tx, account.id)?;
    if purpose == TokenPurpose::Reset {
        end_sessions(tx, account.id, "password_reset")?;
        change_password::tell(tx, &account)?;
    }
    Ok(())
}
