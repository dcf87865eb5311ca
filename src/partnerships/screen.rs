//! Recording a screening, and confirming a nomination (duties C4, P2).

use super::end::end;
use super::error::PartnershipError;
use super::mandate::{Mandate, MandateStatus, Screening, ScreeningOutcome, is_nominated};
use super::mandates;
use super::rules::{Refusal, may_confirm, not_own};
use crate::access;
use crate::access::NewGrant;
use crate::http::IfMatch;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Locks and reads a mandate for a change.
pub(super) fn take(tx: &mut Tx<'_>, id: Id<of::Mandate>) -> Result<Mandate, PartnershipError> {
    tx.lock("mandates", id)?;
    mandates::find_mandate(tx, id)?.ok_or(PartnershipError::Absent)
}
/// The earlier of the two ends.
fn sooner(until: Option<Timestamp>, screening: Timestamp) -> Timestamp {
    until.map_or(screening, |until| until.min(screening))
}
/// Gives the power of a mandate until then.
fn give_power(tx: &mut Tx<'_>, mandate: &Mandate, until: Timestamp, by: Id<of::Account>) -> Result<(), StorageError> {
    let from_at = tx.now()?;
    let grant = access::grant(
        tx,
        NewGrant {
            account: mandate.account,
            role: mandate.role,
            reach: mandate.reach.clone(),
            flags: Vec::new(),
            from_at,
            until_at: Some(until),
            by: Some(by),
        },
    )?;
    mandates::set_active(tx, mandate.id, grant, Some(until))
}

/// Records what a screening came to. On an active mandate a favourable one prolongs it, any other ends it at once.
pub(super) fn record_screening(
    tx: &mut Tx<'_>,
    id: Id<of::Mandate>,
    seen: IfMatch,
    screening: Screening,
    by: Id<of::Account>,
) -> Result<(), PartnershipError> {
    let mandate = take(tx, id)?;
    seen.check(mandate.version)?;
    not_own(by, &mandate)?;
    if !is_nominated(mandate.role) {
        return Err(Refusal::NotForScreening.into());
    }
    if screening.screened_at > tx.now()? {
        return Err(PartnershipError::Field("/screened_on".to_owned(), "future", "must not lie ahead"));
    }
    if screening.valid_until <= screening.screened_at {
        return Err(PartnershipError::Field("/valid_until".to_owned(), "too_early", "must lie after screened_on"));
    }
    if mandate.status == MandateStatus::Ended {
        return Err(Refusal::MandateOver.into());
    }
    mandates::set_screening(tx, id, screening, by)?;
    if mandate.status == MandateStatus::Nominated {
        return Ok(());
    }
    if screening.outcome == ScreeningOutcome::Refused {
        return Ok(end(tx, &mandate, "screening_refused")?);
    }
    if let Some(old) = mandate.grant {
        access::end(tx, old, "screened_again")?;
    }
    Ok(give_power(tx, &mandate, screening.valid_until, by)?)
}

/// Confirms a nomination: its power begins, and ends with the screening at the latest.
pub(super) fn confirm(
    tx: &mut Tx<'_>,
    id: Id<of::Mandate>,
    members_approval: bool,
    by: Id<of::Account>,
) -> Result<(), PartnershipError> {
    let (mandate, now) = (take(tx, id)?, tx.now()?);
    if mandate.status != MandateStatus::Nominated {
        return Err(Refusal::NotNominated.into());
    }
    not_own(by, &mandate)?;
    let screened_until = may_confirm(mandate.role, mandate.screening, members_approval, now)?;
    Ok(give_power(tx, &mandate, sooner(mandate.until, screened_until), by)?)
}
