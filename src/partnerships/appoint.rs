//! Giving mandates: institutions and officers at once, coordinators and those who help them by nomination.

use super::error::PartnershipError;
use super::mandate::Declaration;
use super::mandates;
use super::mandates::NewMandate;
use super::rules::Refusal;
use crate::access::Flag;
use crate::access::NewGrant;
use crate::access::Reach;
use crate::access::Role;
use crate::access::grant;
use crate::accounts;
use crate::accounts::Invitation;
use crate::config::Config;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Gives a mandate and its power at once. Whether the giver may is the caller's rule.
///
/// # Errors
/// When the database fails.
pub fn give_mandate_now(
    tx: &mut Tx<'_>,
    account: Id<of::Account>,
    role: Role,
    reach: Reach,
    flags: Vec<Flag>,
    by: Option<Id<of::Account>>,
) -> Result<Id<of::Mandate>, StorageError> {
    give(tx, account, role, reach, flags, None, by)
}
fn give(
    tx: &mut Tx<'_>,
    account: Id<of::Account>,
    role: Role,
    reach: Reach,
    flags: Vec<Flag>,
    until: Option<Timestamp>,
    by: Option<Id<of::Account>>,
) -> Result<Id<of::Mandate>, StorageError> {
    let from_at = tx.now()?;
    let grant = grant(tx, NewGrant { account, role, reach: reach.clone(), flags, from_at, until_at: until, by })?;
    mandates::insert_mandate(tx, NewMandate { account, role, reach, grant: Some(grant), declaration: None, until, by })
}

/// A mandate that is about to be given to somebody, by their address.
pub(super) struct Appointment {
    pub(super) invitation: Invitation,
    pub(super) reach: Reach,
    pub(super) flags: Vec<Flag>,
    pub(super) until: Option<Timestamp>,
    pub(super) by: Id<of::Account>,
}
/// The account behind the address: not the giver's own, and not one that has the mandate.
fn candidate(tx: &mut Tx<'_>, config: &Config, appointment: &Appointment) -> Result<Id<of::Account>, PartnershipError> {
    let role = appointment.invitation.role;
    if appointment.until.is_some_and(|until| tx.now().is_ok_and(|now| until <= now)) {
        return Err(PartnershipError::Field("/until".to_owned(), "past", "must lie ahead"));
    }
    let account = accounts::invite(tx, config, appointment.invitation.clone())?;
    if account == appointment.by {
        return Err(Refusal::OwnMandate.into());
    }
    if mandates::is_mandated(tx, account, role, &appointment.reach)? {
        return Err(Refusal::AlreadyMandated.into());
    }
    Ok(account)
}
/// Appoints somebody; their power begins at once.
pub(super) fn appoint(
    tx: &mut Tx<'_>,
    config: &Config,
    appointment: Appointment,
) -> Result<Id<of::Mandate>, PartnershipError> {
    let account = candidate(tx, config, &appointment)?;
    let Appointment { invitation, reach, flags, until, by } = appointment;
    Ok(give(tx, account, invitation.role, reach, flags, until, Some(by))?)
}
/// Nominates somebody; power follows with the confirmation.
pub(super) fn nominate(
    tx: &mut Tx<'_>,
    config: &Config,
    appointment: Appointment,
    declaration: Declaration,
) -> Result<Id<of::Mandate>, PartnershipError> {
    let missing = declaration.missing();
    if !missing.is_empty() {
        return Err(PartnershipError::Undeclared(missing));
    }
    let account = candidate(tx, config, &appointment)?;
    let Appointment { invitation, reach, until, by, .. } = appointment;
    let new = NewMandate {
        account,
        role: invitation.role,
        reach,
        grant: None,
        declaration: Some(declaration),
        until,
        by: Some(by),
    };
    Ok(mandates::insert_mandate(tx, new)?)
}
