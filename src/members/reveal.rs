//! One member's contacts in full, for a reason.

use std::time::Duration;

use super::error::MemberError;
use super::letters;
use super::payloads::{RevealReason, RevealedContacts};
use super::store;
use crate::access::{Throttle, take};
use crate::config::Config;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Shows the contacts, as often a day as one account may. Who and when stands in the record of decisions, why in the log.
pub(super) fn reveal(
    tx: &mut Tx<'_>,
    config: &Config,
    id: Id<of::Membership>,
    by: Id<of::Account>,
    reason: RevealReason,
) -> Result<RevealedContacts, MemberError> {
    let membership = store::find(tx, id)?.ok_or(MemberError::NotFound)?;
    let throttle = Throttle { name: "reveals", most: config.limits.reveals_per_day, window: DAY };
    take(tx, throttle, &by.to_string())?.map_err(MemberError::TooMany)?;
    tracing::info!(member = %id, account = %by, reason = reason.as_str(), "contacts were shown in full");
    Ok(RevealedContacts::new(&letters::contacts_of(tx, membership.person)?))
}
