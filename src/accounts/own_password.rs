//! The password once more, from somebody who is signed in. Its tries are counted by account, apart from those of the
//! sign-in: whoever types wrong passwords for an address from outside must not keep its owner from proving who they are.

use super::account::Account;
use super::error::AccountError;
use super::password::{self, Password};
use super::store;
use super::tries;
use crate::access::{Action, Authorized};
use crate::storage::StorageError;

/// Compares the password with that of the actor's account.
pub(super) async fn prove<A: Action>(proof: &Authorized<A>, typed: Password) -> Result<Account, AccountError> {
    let (id, limits) = (proof.actor().account, proof.config().limits.clone());
    let gathered = proof.beforehand(move |tx| {
        // A refusal is an answer here, not an error: the count must be committed.
        let taken = tries::take_proof(tx, &limits, id)?;
        Ok::<_, StorageError>((taken, store::find(tx, id)?))
    });
    let (taken, account) = gathered.await?;
    taken.map_err(AccountError::TooManyTries)?;

    let stored = account.as_ref().and_then(Account::password_hash).cloned();
    let right = password::verify(&proof.config().limits, typed, stored).await?;
    let (Some(account), true) = (account, right) else { return Err(AccountError::SignInRefused) };

    let limits = proof.config().limits.clone();
    proof
        .beforehand(move |tx| tries::give_proof_back(tx, &limits, id))
        .await
        .map_err(|error: StorageError| AccountError::from(error))?;
    Ok(account)
}
