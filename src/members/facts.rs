//! What the rules of joining need to know, gathered.

use super::error::MemberError;
use super::rules::Circumstances;
use crate::partnerships;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::PostalAddress;
use crate::values::of;

/// Everything about the partnership that matters to who wishes to join it; it stays so until the transaction ends.
pub(super) fn circumstances(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    by_police: bool,
) -> Result<Circumstances, MemberError> {
    tx.hold("partnerships", partnership)?;
    let found = partnerships::find_partnership(tx, partnership)?.ok_or(MemberError::NotFound)?;
    let rules_in_force = partnerships::house_rules_in_force(tx, partnership)?.map(|rules| rules.number);
    Ok(Circumstances { partnership: found.status, rules_in_force, by_police })
}
/// Does the address lie inside the perimeter? Nobody knows without a point, or without a perimeter.
pub(super) fn lies_inside(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    address: Option<&PostalAddress>,
) -> Result<Option<bool>, StorageError> {
    match address.and_then(|address| address.point) {
        Some(point) => partnerships::lies_within(tx, partnership, point),
        None => Ok(None),
    }
}
