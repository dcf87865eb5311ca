//! Entering a partnership, changing it, and drawing its perimeter.

use super::error::PartnershipError;
use super::partnership::{NewPartnership, Partnership};
use super::perimeter::Polygon;
use super::rules::Refusal;
use super::store;
use crate::http::IfMatch;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::territory;
use crate::values::Id;
use crate::values::Line;
use crate::values::Localized;
use crate::values::of;

fn short_name_taken(error: StorageError) -> PartnershipError {
    match error {
        StorageError::Unique(which)
            if which.is("partnerships_short_name_once_per_zone", "partnerships.zone_id, partnerships.short_name") =>
        {
            Refusal::ShortNameTaken.into()
        }
        other => other.into(),
    }
}
/// Every municipality lies in the zone.
fn check_municipalities(tx: &mut Tx<'_>, zone: Id<of::Zone>, codes: &[String]) -> Result<(), PartnershipError> {
    let zone = territory::find_zone(tx, zone)?.ok_or(PartnershipError::Absent)?;
    match codes.iter().position(|nis| !zone.municipalities.contains(nis)) {
        None => Ok(()),
        Some(at) => Err(PartnershipError::Field(
            format!("/municipalities/{at}"),
            "not_in_zone",
            "must be a municipality of the zone, by its NIS code",
        )),
    }
}

/// Enters a partnership, as registered.
///
/// # Errors
/// `Absent` without the zone; a field fault for a municipality outside it; `ShortNameTaken`.
pub fn create_partnership(tx: &mut Tx<'_>, new: &NewPartnership) -> Result<Id<of::Partnership>, PartnershipError> {
    check_municipalities(tx, new.zone, &new.municipalities)?;
    store::insert_partnership(tx, new).map_err(short_name_taken)
}

/// What is to change in a partnership; what is absent stays.
#[derive(Debug, Default)]
pub(super) struct PartnershipChange {
    pub(super) names: Option<Localized<Line<120>>>,
    pub(super) short_name: Option<Line<30>>,
    pub(super) municipalities: Option<Vec<String>>,
    pub(super) legal_ref: Option<Line<120>>,
    pub(super) registered_ref: Option<Line<60>>,
}
/// Locks and reads a partnership for a change.
pub(super) fn take(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Result<Partnership, PartnershipError> {
    tx.lock("partnerships", id)?;
    store::find_partnership(tx, id)?.ok_or(PartnershipError::Absent)
}
/// Changes a partnership that was seen in this version.
pub(super) fn change_partnership(
    tx: &mut Tx<'_>,
    id: Id<of::Partnership>,
    seen: IfMatch,
    change: PartnershipChange,
) -> Result<(), PartnershipError> {
    let found = take(tx, id)?;
    seen.check(found.version)?;
    if let Some(codes) = &change.municipalities {
        check_municipalities(tx, found.zone, codes)?;
        store::put_municipalities(tx, id, codes)?;
    }
    let changed = Partnership {
        names: change.names.unwrap_or(found.names),
        short_name: change.short_name.map_or(found.short_name, |name| name.as_str().to_owned()),
        legal_ref: change.legal_ref.map(|line| line.as_str().to_owned()).or(found.legal_ref),
        registered_ref: change.registered_ref.map(|line| line.as_str().to_owned()).or(found.registered_ref),
        ..found
    };
    store::update_partnership(tx, &changed).map_err(short_name_taken)
}

/// Draws a further version of the perimeter; its number.
///
/// # Errors
/// `Absent` without the partnership.
pub fn set_perimeter(
    tx: &mut Tx<'_>,
    id: Id<of::Partnership>,
    polygon: &Polygon,
    by: Option<Id<of::Account>>,
) -> Result<i32, PartnershipError> {
    let found = take(tx, id)?;
    let number = store::insert_perimeter(tx, id, polygon, by)?;
    store::update_partnership(tx, &found)?;
    Ok(number)
}
/// The same on a partnership that was seen in this version.
pub(super) fn redraw(
    tx: &mut Tx<'_>,
    id: Id<of::Partnership>,
    seen: IfMatch,
    polygon: &Polygon,
    by: Id<of::Account>,
) -> Result<(), PartnershipError> {
    seen.check(take(tx, id)?.version)?;
    set_perimeter(tx, id, polygon, Some(by))?;
    Ok(())
}
