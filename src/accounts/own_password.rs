//! The password once more, from somebody who is signed in.

use super::account::Account;
use super::error::AccountError;
use super::password::{self, Password};
use super::store;
use super::tries;
use crate::access::{Action, Authorized};
use crate::storage::StorageError;

/// Compares the password with that of the actor's account; wrong tries count with those at the sign-in.
pub(super) async fn prove<A: Action>(proof: &Authorized<A>, typed: Password) -> Result<Account, AccountError> {
    let (id, limits) = (proof.actor().account, proof.config().limits.clone());
    let gathered = proof.beforehand(move |tx| {
        let account = store::find(tx, id)?;
        let taken = match account.as_ref().and_then(Account::email) {
            Some(email) => tries::take_try(tx, &limits, email, None)?,
            None => Ok(()),
        };
        Ok::<_, StorageError>((taken, account))
    });
    let (taken, account) = gathered.await?;
    taken.map_err(AccountError::TooManyTries)?;

    let stored = account.as_ref().and_then(Account::password_hash).cloned();
    let right = password::verify(&proof.config().limits, typed, stored).await?;
    let (Some(account), true) = (account, right) else { return Err(AccountError::SignInRefused) };

    let (limits, email) = (proof.config().limits.clone(), account.email().cloned());
    proof
        .beforehand(move |tx| email.map_or(Ok(()), |email| tries::give_try_back(tx, &limits, &email, None)))
        .await
        .map_err(|error: StorageError| AccountError::from(error))?;
    Ok(account)
}
