//! How often one may be wrong. A try is taken before the password is looked at, so that a hundred at once count as a
//! hundred, and given back when it was right: only wrong tries add up.

use std::time::Duration;

use crate::access::Throttle;
use crate::access::{give_back, take};
use crate::config::Limits;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::of;

/// How long wrong tries count.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// How long letters with a way to a new password count.
const LETTERS_WINDOW: Duration = Duration::from_secs(24 * 3600);

const fn per_account(limits: &Limits) -> Throttle {
    Throttle { name: "sign_ins_per_account", most: limits.sign_ins_per_account, window: WINDOW }
}
const fn per_network(limits: &Limits) -> Throttle {
    Throttle { name: "sign_ins_per_network", most: limits.sign_ins_per_network, window: WINDOW }
}
const fn proofs(limits: &Limits) -> Throttle {
    Throttle { name: "step_ups_per_account", most: limits.step_ups_per_account, window: WINDOW }
}
const fn letters(limits: &Limits) -> Throttle {
    Throttle { name: "password_resets", most: limits.codes_per_contact, window: LETTERS_WINDOW }
}

/// Takes one try at the password of an address, from a network.
///
/// # Errors
/// `Err(wait)` inside when none is left.
pub(super) fn take_try(
    tx: &mut Tx<'_>,
    limits: &Limits,
    email: &EmailAddress,
    network: &str,
) -> Result<Result<(), Duration>, StorageError> {
    let by_network = take(tx, per_network(limits), network)?;
    let by_account = take(tx, per_account(limits), &email.for_index())?;
    Ok(by_network.and(by_account))
}
/// Gives a try back: the password was right.
pub(super) fn give_try_back(
    tx: &mut Tx<'_>,
    limits: &Limits,
    email: &EmailAddress,
    network: &str,
) -> Result<(), StorageError> {
    give_back(tx, per_network(limits), network)?;
    give_back(tx, per_account(limits), &email.for_index())
}
/// Takes one try at one's own password, by somebody who is signed in.
///
/// # Errors
/// `Err(wait)` inside when none is left.
pub(super) fn take_proof(
    tx: &mut Tx<'_>,
    limits: &Limits,
    account: Id<of::Account>,
) -> Result<Result<(), Duration>, StorageError> {
    take(tx, proofs(limits), &account.to_string())
}
/// Gives a try back: the password was right.
pub(super) fn give_proof_back(tx: &mut Tx<'_>, limits: &Limits, account: Id<of::Account>) -> Result<(), StorageError> {
    give_back(tx, proofs(limits), &account.to_string())
}
/// Takes one letter with a way to a new password, for an address, known or not.
///
/// # Errors
/// `Err(wait)` inside when none is left.
pub(super) fn take_letter(
    tx: &mut Tx<'_>,
    limits: &Limits,
    email: &EmailAddress,
    network: &str,
) -> Result<Result<(), Duration>, StorageError> {
    let by_network = take(tx, per_network(limits), network)?;
    let by_address = take(tx, letters(limits), &email.for_index())?;
    Ok(by_network.and(by_address))
}
