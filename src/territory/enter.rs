//! Entering a zone, and changing it.

use super::error::TerritoryError;
use super::store;
use super::zone::{NewZone, OpeningHours, OwnMessage, Zone};
use crate::http::IfMatch;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Language;
use crate::values::Line;
use crate::values::Localized;
use crate::values::of;

/// Enters a zone with its municipalities.
///
/// # Errors
/// `NumberTaken`; `MunicipalityUnknown` or `MunicipalityTaken` with the place in the list.
pub fn create_zone(tx: &mut Tx<'_>, new: &NewZone) -> Result<Id<of::Zone>, TerritoryError> {
    if let Some(at) = store::unknown_municipality(tx, &new.municipalities)? {
        return Err(TerritoryError::MunicipalityUnknown(at));
    }
    let taken = store::zones_of(tx, &new.municipalities)?;
    if let Some(at) = new.municipalities.iter().position(|nis| taken.contains_key(nis)) {
        return Err(TerritoryError::MunicipalityTaken(at));
    }
    let id = store::insert_zone(tx, new).map_err(|error| match error {
        StorageError::Unique(which) if which.is("zones_number_once", "zones.number") => TerritoryError::NumberTaken,
        other => other.into(),
    })?;
    store::put_municipalities(tx, id, &new.municipalities)?;
    Ok(id)
}

/// What is to change in a zone; what is absent stays.
#[derive(Debug, Default)]
pub(super) struct ZoneChange {
    pub(super) names: Option<Localized<Line<120>>>,
    pub(super) languages: Option<Vec<Language>>,
    pub(super) phone: Option<String>,
    pub(super) email: Option<String>,
    pub(super) hours: Option<OpeningHours>,
    pub(super) own_message: Option<OwnMessage>,
}
/// Changes a zone that was seen in this version.
pub(super) fn change_zone(
    tx: &mut Tx<'_>,
    id: Id<of::Zone>,
    seen: IfMatch,
    change: ZoneChange,
) -> Result<Zone, TerritoryError> {
    tx.lock("zones", id)?;
    let mut zone = store::find_zone(tx, id)?.ok_or(TerritoryError::Absent)?;
    seen.check(zone.version)?;
    zone.names = change.names.unwrap_or(zone.names);
    zone.languages = change.languages.unwrap_or(zone.languages);
    zone.phone = change.phone.unwrap_or(zone.phone);
    zone.email = change.email.or(zone.email);
    zone.hours = change.hours.unwrap_or(zone.hours);
    zone.own_message = change.own_message.unwrap_or(zone.own_message);
    store::update_zone(tx, &zone)?;
    store::find_zone(tx, id)?.ok_or(TerritoryError::Absent)
}
