//! Activating and suspending a partnership.

use super::error::PartnershipError;
use super::found::take;
use super::partnership::{Partnership, PartnershipStatus};
use super::rules::{Readiness, Refusal, may_activate};
use super::store;
use crate::access::Reach;
use crate::access::Role;
use crate::access::holders;
use crate::config::Config;
use crate::doctor;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Prose;
use crate::values::of;

/// Makes a partnership active when everything is there, and in production only while others can tell our mail from
/// forgeries (accept M19).
///
/// # Errors
/// The first guard that does not hold, by its name.
pub fn activate(tx: &mut Tx<'_>, config: &Config, id: Id<of::Partnership>) -> Result<(), PartnershipError> {
    let found = take(tx, id)?;
    let mail = doctor::standing(tx, config)?;
    may_activate(Readiness {
        status: found.status.can_activate(),
        coordinator: !holders(tx, &Reach::Partnership(id), &[Role::Coordinator])?.is_empty(),
        officer: !holders(tx, &Reach::Zone(found.zone), &[Role::Officer])?.is_empty(),
        plan: store::plan_in_force(tx, id)?.is_some(),
        perimeter: store::perimeter_in_force(tx, id)?.is_some(),
        house_rules: store::house_rules_in_force(tx, id)?.is_some(),
        mail: mail.may_go_live(),
    })
    .map_err(|refusal| match refusal {
        Refusal::MailNotVerified => PartnershipError::MailNotVerified(mail.next()),
        other => other.into(),
    })?;
    let active = Partnership { status: PartnershipStatus::Active, status_reason: None, ..found };
    Ok(store::update_partnership(tx, &active)?)
}
/// Suspends a partnership: nothing leaves until it is activated again.
///
/// # Errors
/// `WrongStatus` unless it is active or dormant.
pub fn suspend(tx: &mut Tx<'_>, id: Id<of::Partnership>, reason: &Prose<1000>) -> Result<(), PartnershipError> {
    let found = take(tx, id)?;
    if !found.status.can_suspend() {
        return Err(Refusal::WrongStatus.into());
    }
    let reason = Some(reason.as_str().to_owned());
    Ok(store::update_partnership(
        tx,
        &Partnership { status: PartnershipStatus::Suspended, status_reason: reason, ..found },
    )?)
}
