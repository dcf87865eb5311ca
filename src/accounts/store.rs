//! Every query of accounts and of the tokens in their letters.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::account::{Account, AccountState, AccountStatus};
use crate::access::Role;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::{ACCOUNT_TOKENS_DETAILS, ACCOUNTS_EMAIL};
use crate::storage::schema::{account_tokens, accounts};
use crate::storage::{random_bytes, token_hash};
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::of;

/// The field of the keyed index under which an address is found.
const EMAIL_FIELD: &str = "account-email";

crate::words! {
    /// What the token in a letter is for.
    pub enum TokenPurpose {
        /// Accept an invitation.
        Invitation = "invitation",
        /// Choose a new password.
        Reset = "reset",
    }
}
/// Who invites, and to what: shown on the page behind the letter.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct InvitationDetails {
    pub(super) role: Role,
    pub(super) inviter: String,
}
/// A token that is still good.
pub(super) struct OpenToken {
    pub(super) id: Id<of::AccountToken>,
    pub(super) account: Id<of::Account>,
    pub(super) details: Option<InvitationDetails>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = accounts)]
struct AccountRow {
    id: Id<of::Account>,
    person_id: Id<of::Person>,
    email: Option<Vec<u8>>,
    password_hash: Option<String>,
    status: AccountStatus,
    version: i64,
}
impl AccountRow {
    fn restore(self, tx: &Tx<'_>) -> Result<Account, StorageError> {
        let corrupt = || StorageError::Corrupt(format!("account {} is {}", self.id, self.status.as_str()));
        let email = self
            .email
            .as_ref()
            .map(|sealed| tx.open::<String>(ACCOUNTS_EMAIL, self.id, sealed))
            .transpose()?
            .map(|text| EmailAddress::parse(&text).map_err(|_| corrupt()))
            .transpose()?;
        let password_hash = self.password_hash.clone().map(SecretString::from);
        let state = match (self.status, email, password_hash) {
            (AccountStatus::Invited, Some(email), _) => AccountState::Invited { email },
            (AccountStatus::Active, Some(email), Some(password_hash)) => AccountState::Active { email, password_hash },
            (AccountStatus::Locked, Some(email), Some(password_hash)) => AccountState::Locked { email, password_hash },
            (AccountStatus::Closed, ..) => AccountState::Closed,
            _ => return Err(corrupt()),
        };
        Ok(Account { id: self.id, person: self.person_id, version: self.version, state })
    }
}

/// The account of this address.
pub(super) fn find_by_email(tx: &mut Tx<'_>, email: &EmailAddress) -> Result<Option<Account>, StorageError> {
    let index = tx.index(EMAIL_FIELD, &email.for_index());
    let row = accounts::table
        .filter(accounts::email_index.eq(Some(index)))
        .select(AccountRow::as_select())
        .first(tx.db())
        .optional()?;
    row.map(|row| row.restore(tx)).transpose()
}
/// An account.
pub(super) fn find(tx: &mut Tx<'_>, id: Id<of::Account>) -> Result<Option<Account>, StorageError> {
    let row = accounts::table.find(id).select(AccountRow::as_select()).first(tx.db()).optional()?;
    row.map(|row| row.restore(tx)).transpose()
}
/// An account that nobody else changes until the transaction ends.
pub(super) fn find_locked(tx: &mut Tx<'_>, id: Id<of::Account>) -> Result<Option<Account>, StorageError> {
    tx.lock("accounts", id)?;
    find(tx, id)
}
/// Writes an invited account down.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    person: Id<of::Person>,
    email: &EmailAddress,
) -> Result<Id<of::Account>, StorageError> {
    let id = Id::new();
    let now = tx.now()?;
    let sealed = tx.seal(ACCOUNTS_EMAIL, id, email.for_envelope())?;
    let index = tx.index(EMAIL_FIELD, &email.for_index());
    diesel::insert_into(accounts::table)
        .values((
            accounts::id.eq(id),
            accounts::person_id.eq(person),
            accounts::email.eq(Some(sealed)),
            accounts::email_index.eq(Some(index)),
            accounts::status.eq(AccountStatus::Invited),
            accounts::version.eq(1),
            accounts::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(id)
}
/// Writes the state of an account down, unless somebody else did since it was read.
pub(super) fn save(tx: &mut Tx<'_>, account: &Account) -> Result<(), StorageError> {
    let now = tx.now()?;
    let password_hash = match &account.state {
        AccountState::Active { password_hash, .. } | AccountState::Locked { password_hash, .. } => {
            Some(password_hash.expose_secret())
        }
        AccountState::Invited { .. } | AccountState::Closed => None,
    };
    let row = accounts::table.filter(accounts::id.eq(account.id)).filter(accounts::version.eq(account.version));
    let changes = (
        accounts::status.eq(account.status()),
        accounts::password_hash.eq(password_hash),
        accounts::version.eq(accounts::version + 1),
    );
    let written = match account.status() {
        AccountStatus::Closed => {
            let gone = (
                accounts::email.eq(None::<Vec<u8>>),
                accounts::email_index.eq(None::<Vec<u8>>),
                accounts::closed_at.eq(Some(now)),
            );
            diesel::update(row).set((changes, gone)).execute(tx.db())?
        }
        _ => diesel::update(row).set(changes).execute(tx.db())?,
    };
    if written == 0 { Err(StorageError::Busy) } else { Ok(()) }
}
/// Whose account it is.
///
/// # Errors
/// When the database fails.
pub fn person_of(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<Option<Id<of::Person>>, StorageError> {
    Ok(accounts::table.find(account).select(accounts::person_id).first(tx.db()).optional()?)
}
/// The account of a person, whatever its state.
///
/// # Errors
/// When the database fails.
pub fn account_of_person(tx: &mut Tx<'_>, person: Id<of::Person>) -> Result<Option<Id<of::Account>>, StorageError> {
    Ok(accounts::table.filter(accounts::person_id.eq(person)).select(accounts::id).first(tx.db()).optional()?)
}

/// Makes a token for a letter: 256 random bits, of which only the hash is stored.
pub(super) fn issue_token(
    tx: &mut Tx<'_>,
    account: Id<of::Account>,
    purpose: TokenPurpose,
    life: Duration,
    details: Option<&InvitationDetails>,
) -> Result<String, StorageError> {
    let (id, now) = (Id::<of::AccountToken>::new(), tx.now()?);
    let token = URL_SAFE_NO_PAD.encode(random_bytes::<32>());
    let details = details.map(|details| tx.seal(ACCOUNT_TOKENS_DETAILS, id, details)).transpose()?;
    diesel::insert_into(account_tokens::table)
        .values((
            account_tokens::id.eq(id),
            account_tokens::account_id.eq(account),
            account_tokens::purpose.eq(purpose),
            account_tokens::token_hash.eq(token_hash(&token)),
            account_tokens::expires_at.eq(now.plus(life)),
            account_tokens::details.eq(details),
            account_tokens::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(token)
}
/// The token, if it is one of ours for this purpose, unused and not too old.
pub(super) fn find_token(
    tx: &mut Tx<'_>,
    purpose: TokenPurpose,
    token: &str,
) -> Result<Option<OpenToken>, StorageError> {
    let now = tx.now()?;
    type Found = (Id<of::AccountToken>, Id<of::Account>, Option<Vec<u8>>);
    let found: Option<Found> = account_tokens::table
        .filter(account_tokens::token_hash.eq(token_hash(token)))
        .filter(account_tokens::purpose.eq(purpose))
        .filter(account_tokens::used_at.is_null())
        .filter(account_tokens::expires_at.gt(now))
        .select((account_tokens::id, account_tokens::account_id, account_tokens::details))
        .first(tx.db())
        .optional()?;
    let Some((id, account, details)) = found else { return Ok(None) };
    let details = details.map(|sealed| tx.open(ACCOUNT_TOKENS_DETAILS, id, &sealed)).transpose()?;
    Ok(Some(OpenToken { id, account, details }))
}
/// Has the account a letter that still works?
pub(super) fn has_open_token(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let open = account_tokens::table
        .filter(account_tokens::account_id.eq(account))
        .filter(account_tokens::used_at.is_null())
        .filter(account_tokens::expires_at.gt(now));
    Ok(open.count().get_result::<i64>(tx.db())? > 0)
}
/// Uses a token up; false when somebody did so before.
pub(super) fn spend_token(tx: &mut Tx<'_>, id: Id<of::AccountToken>) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let unused = account_tokens::table.filter(account_tokens::id.eq(id)).filter(account_tokens::used_at.is_null());
    let spent = diesel::update(unused)
        .set((account_tokens::used_at.eq(Some(now)), account_tokens::details.eq(None::<Vec<u8>>)))
        .execute(tx.db())?;
    Ok(spent > 0)
}
/// Ends every token of an account: its letters lead nowhere any more.
pub(super) fn end_tokens(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<(), StorageError> {
    let now = tx.now()?;
    let unused =
        account_tokens::table.filter(account_tokens::account_id.eq(account)).filter(account_tokens::used_at.is_null());
    diesel::update(unused)
        .set((account_tokens::used_at.eq(Some(now)), account_tokens::details.eq(None::<Vec<u8>>)))
        .execute(tx.db())?;
    Ok(())
}
/// Deletes the tokens whose time is over: nothing can be done with them, and they name who invited.
///
/// # Errors
/// When the database fails.
pub fn forget_old_tokens(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let now = tx.now()?;
    Ok(diesel::delete(account_tokens::table.filter(account_tokens::expires_at.le(now))).execute(tx.db())?)
}
