//! Sign in: an address and a password for a session.

use secrecy::{ExposeSecret, SecretString};

use super::account::Account;
use super::actions::SignIn;
use super::error::AccountError;
use super::password;
use super::payloads::SignInRequest;
use super::store;
use super::tries;
use crate::access::{OpenedSession, Public, open_session};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Counts the try, compares the password, opens the session. Whatever is wrong, the answer is the same, after the same
/// work: one transaction and one hash.
pub(super) async fn sign_in(open: &Public<SignIn>, asked: SignInRequest) -> Result<OpenedSession, AccountError> {
    let (config, network, email) = (open.config().clone(), open.network(), asked.email.clone());
    let gathered = open.write(move |tx| {
        let taken = tries::take_try(tx, &config.limits, &email, &network)?;
        // A refusal is an answer here, not an error: the count must be committed.
        Ok::<_, StorageError>((taken, store::find_by_email(tx, &email)?))
    });
    let (taken, account) = gathered.await?;
    taken
        .inspect_err(|_| tracing::warn!(account = ?account.as_ref().map(|a| a.id), "too many tries to sign in"))
        .map_err(AccountError::TooManyTries)?;

    let stored = account.as_ref().and_then(Account::password_hash).cloned();
    let right = password::verify(&open.config().limits, asked.password, stored.clone()).await?;
    let known = account.as_ref().map(|account| account.id);
    let (Some(account), Some(stored), true) = (account, stored, right) else {
        tracing::info!(account = ?known, "sign-in refused");
        return Err(AccountError::SignInRefused);
    };

    let (config, network) = (open.config().clone(), open.network());
    open.write(move |tx| {
        tries::give_try_back(tx, &config.limits, &asked.email, &network)?;
        still_right(tx, account.id, &stored)?;
        Ok(open_session(tx, account.id)?)
    })
    .await
}

/// Between the look and the session the account may have been locked, or got another password.
fn still_right(tx: &mut Tx<'_>, id: Id<of::Account>, compared: &SecretString) -> Result<(), AccountError> {
    let account = store::find_locked(tx, id)?;
    let stored = account.as_ref().and_then(Account::password_hash);
    if stored.is_some_and(|stored| stored.expose_secret() == compared.expose_secret()) {
        Ok(())
    } else {
        Err(AccountError::SignInRefused)
    }
}
