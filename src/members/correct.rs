//! Somebody's name, address or language is corrected.

use super::error::MemberError;
use super::facts::lies_inside;
use super::lifecycle::Standing;
use super::payloads::MemberCorrection;
use super::rules::Refusal;
use super::store;
use crate::http::IfMatch;
use crate::people;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Corrects what is given. A new address has to lie inside, unless the police confirm the link (duty M3).
pub(super) fn correct(
    tx: &mut Tx<'_>,
    id: Id<of::Membership>,
    seen: IfMatch,
    correction: &MemberCorrection,
    by_police: bool,
) -> Result<(), MemberError> {
    let membership = store::find_locked(tx, id)?.ok_or(MemberError::NotFound)?;
    seen.check(membership.version)?;
    if matches!(Standing::of(membership.status), Standing::Ended) {
        return Err(MemberError::WrongState(membership.status));
    }
    let is_inside = lies_inside(tx, membership.partnership, correction.address.as_ref())?;
    if is_inside == Some(false) && !by_police {
        return Err(Refusal::OutsidePerimeter.into());
    }
    if let Some(name) = &correction.name {
        people::rename(tx, membership.person, name)?;
    }
    if let Some(language) = correction.language {
        people::set_language(tx, membership.person, language)?;
    }
    store::correct(tx, id, correction.address.as_ref())?;
    Ok(())
}
