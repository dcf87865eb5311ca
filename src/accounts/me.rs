//! Who one is, and what one may do where.

use super::account::Account;
use super::actions::ReadMe;
use super::error::AccountError;
use super::payloads::{MeView, MyGrantView};
use super::store;
use crate::access::{Authorized, STEP_UP_LIFE};
use crate::people;
use crate::storage::StorageError;
use crate::storage::Tx;

/// The actor as they see themselves.
pub(super) fn me(tx: &mut Tx<'_>, proof: &Authorized<ReadMe>) -> Result<MeView, AccountError> {
    let actor = proof.actor();
    let account = store::find(tx, actor.account)?
        .ok_or_else(|| StorageError::Corrupt(format!("account {} is missing", actor.account)))?;
    let person = people::load_person(tx, account.person)?;
    let now = proof.at();
    Ok(MeView {
        account: actor.account,
        session: actor.session,
        name: person.name,
        language: person.language,
        email_masked: Account::email(&account).map(|email| email.masked()).unwrap_or_default(),
        grants: actor.grants.iter().map(MyGrantView::from).collect(),
        stepped_up_until: actor.stepped_up_at.map(|at| at.plus(STEP_UP_LIFE)).filter(|until| *until > now),
    })
}
