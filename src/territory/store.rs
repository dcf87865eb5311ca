//! Every query of the territory.

use std::collections::HashMap;

use diesel::prelude::*;

use super::reference::{AS_OF, ReferenceMunicipality, ReferenceProvince, ReferenceRegion};
use super::zone::{NewZone, OpeningHours, OwnMessage, Zone};
use crate::on_either;
use crate::storage::Json;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{municipalities, provinces, regions, zone_municipalities, zones};
use crate::values::Id;
use crate::values::Language;
use crate::values::Line;
use crate::values::Localized;
use crate::values::of;

type Names = Json<Localized<Line<120>>>;

/// Writes what is not there yet.
pub(super) fn put_reference(
    tx: &mut Tx<'_>,
    new_regions: &[ReferenceRegion],
    new_provinces: &[ReferenceProvince],
    new_municipalities: &[ReferenceMunicipality],
) -> Result<usize, StorageError> {
    let rows: Vec<_> = new_regions
        .iter()
        .map(|region| (regions::code.eq(region.code), regions::names.eq(Json(region.names.clone()))))
        .collect();
    on_either!(tx, |c| diesel::insert_into(regions::table).values(&rows).on_conflict_do_nothing().execute(c))?;
    let rows: Vec<_> = new_provinces
        .iter()
        .map(|province| {
            (
                provinces::code.eq(province.code),
                provinces::region.eq(province.region),
                provinces::names.eq(Json(province.names.clone())),
            )
        })
        .collect();
    on_either!(tx, |c| diesel::insert_into(provinces::table).values(&rows).on_conflict_do_nothing().execute(c))?;
    let rows: Vec<_> = new_municipalities
        .iter()
        .map(|one| {
            (
                municipalities::nis_code.eq(one.nis.as_str()),
                municipalities::region.eq(one.region),
                municipalities::province.eq(one.province),
                municipalities::names.eq(Json(one.names.clone())),
                municipalities::as_of.eq(AS_OF),
            )
        })
        .collect();
    let written = on_either!(tx, |c| diesel::insert_into(municipalities::table)
        .values(&rows)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(written)
}

/// A region or, with its region, a province.
#[derive(Debug, Queryable)]
pub(super) struct RegionRow {
    pub(super) code: String,
    pub(super) names: Names,
}
pub(super) fn list_regions(tx: &mut Tx<'_>) -> Result<Vec<RegionRow>, StorageError> {
    Ok(regions::table.order(regions::code).select((regions::code, regions::names)).load(tx.db())?)
}
#[derive(Debug, Queryable)]
pub(super) struct ProvinceRow {
    pub(super) code: String,
    pub(super) region: String,
    pub(super) names: Names,
}
pub(super) fn list_provinces(tx: &mut Tx<'_>) -> Result<Vec<ProvinceRow>, StorageError> {
    Ok(provinces::table
        .order(provinces::code)
        .select((provinces::code, provinces::region, provinces::names))
        .load(tx.db())?)
}
#[derive(Debug, Queryable)]
pub(super) struct MunicipalityRow {
    pub(super) nis: String,
    pub(super) region: String,
    pub(super) province: Option<String>,
    pub(super) names: Names,
    pub(super) as_of: String,
    pub(super) zone: Option<Id<of::Zone>>,
}
/// Every municipality with its zone, by NIS code. There are some hundreds: filters are applied in memory.
pub(super) fn list_municipalities(tx: &mut Tx<'_>) -> Result<Vec<MunicipalityRow>, StorageError> {
    Ok(municipalities::table
        .left_join(zone_municipalities::table.on(zone_municipalities::nis_code.eq(municipalities::nis_code)))
        .order(municipalities::nis_code)
        .select((
            municipalities::nis_code,
            municipalities::region,
            municipalities::province,
            municipalities::names,
            municipalities::as_of,
            zone_municipalities::zone_id.nullable(),
        ))
        .load(tx.db())?)
}

/// What municipalities are called, by NIS code.
///
/// # Errors
/// When the database fails.
pub fn municipality_names(
    tx: &mut Tx<'_>,
    codes: &[String],
) -> Result<HashMap<String, Localized<Line<120>>>, StorageError> {
    let rows: Vec<(String, Names)> = municipalities::table
        .filter(municipalities::nis_code.eq_any(codes))
        .select((municipalities::nis_code, municipalities::names))
        .load(tx.db())?;
    Ok(rows.into_iter().map(|(nis, names)| (nis, names.0)).collect())
}
/// The provinces in which these municipalities lie, each once, in order.
///
/// # Errors
/// When the database fails.
pub fn provinces_of(tx: &mut Tx<'_>, codes: &[String]) -> Result<Vec<String>, StorageError> {
    let found: Vec<Option<String>> = municipalities::table
        .filter(municipalities::nis_code.eq_any(codes))
        .filter(municipalities::province.is_not_null())
        .select(municipalities::province)
        .distinct()
        .order(municipalities::province)
        .load(tx.db())?;
    Ok(found.into_iter().flatten().collect())
}
/// Do all of these municipalities exist?
///
/// # Errors
/// When the database fails.
pub fn municipalities_exist(tx: &mut Tx<'_>, codes: &[String]) -> Result<bool, StorageError> {
    Ok(unknown_municipality(tx, codes)?.is_none())
}
/// The first of these that does not exist.
pub(super) fn unknown_municipality(tx: &mut Tx<'_>, codes: &[String]) -> Result<Option<usize>, StorageError> {
    let known: Vec<String> = municipalities::table
        .filter(municipalities::nis_code.eq_any(codes))
        .select(municipalities::nis_code)
        .load(tx.db())?;
    Ok(codes.iter().position(|code| !known.contains(code)))
}
/// Do all of these provinces exist?
///
/// # Errors
/// When the database fails.
pub fn provinces_exist(tx: &mut Tx<'_>, codes: &[String]) -> Result<bool, StorageError> {
    let known: Vec<String> =
        provinces::table.filter(provinces::code.eq_any(codes)).select(provinces::code).load(tx.db())?;
    Ok(codes.iter().all(|code| known.contains(code)))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = zones)]
struct ZoneRow {
    id: Id<of::Zone>,
    number: String,
    names: Names,
    languages: Json<Vec<Language>>,
    phone: String,
    email: Option<String>,
    hours: Json<OpeningHours>,
    own_message: OwnMessage,
    version: i64,
}
impl ZoneRow {
    fn restore(self, municipalities: Vec<String>) -> Zone {
        Zone {
            id: self.id,
            number: self.number,
            names: self.names.0,
            languages: self.languages.0,
            phone: self.phone,
            email: self.email,
            hours: self.hours.0,
            own_message: self.own_message,
            municipalities,
            version: self.version,
        }
    }
}
fn municipalities_of(tx: &mut Tx<'_>, zone: Id<of::Zone>) -> Result<Vec<String>, StorageError> {
    Ok(zone_municipalities::table
        .filter(zone_municipalities::zone_id.eq(zone))
        .order(zone_municipalities::nis_code)
        .select(zone_municipalities::nis_code)
        .load(tx.db())?)
}
/// A zone.
///
/// # Errors
/// When the database fails.
pub fn find_zone(tx: &mut Tx<'_>, id: Id<of::Zone>) -> Result<Option<Zone>, StorageError> {
    let Some(row) = zones::table.find(id).select(ZoneRow::as_select()).first(tx.db()).optional()? else {
        return Ok(None);
    };
    let municipalities = municipalities_of(tx, id)?;
    Ok(Some(row.restore(municipalities)))
}
/// The zone with this number.
pub(super) fn find_zone_by_number(tx: &mut Tx<'_>, number: &str) -> Result<Option<Zone>, StorageError> {
    let id: Option<Id<of::Zone>> =
        zones::table.filter(zones::number.eq(number)).select(zones::id).first(tx.db()).optional()?;
    id.map_or(Ok(None), |id| find_zone(tx, id))
}
/// Every zone, in the order of their making. There are fewer than two hundred: filters are applied in memory.
pub(super) fn list_zones(tx: &mut Tx<'_>) -> Result<Vec<Zone>, StorageError> {
    let rows: Vec<ZoneRow> = zones::table.order(zones::id).select(ZoneRow::as_select()).load(tx.db())?;
    let pairs: Vec<(Id<of::Zone>, String)> = zone_municipalities::table
        .order(zone_municipalities::nis_code)
        .select((zone_municipalities::zone_id, zone_municipalities::nis_code))
        .load(tx.db())?;
    let mut by_zone: HashMap<Id<of::Zone>, Vec<String>> = HashMap::new();
    for (zone, nis) in pairs {
        by_zone.entry(zone).or_default().push(nis);
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let municipalities = by_zone.remove(&row.id).unwrap_or_default();
            row.restore(municipalities)
        })
        .collect())
}
/// In which zone each of these municipalities lies; those in none are left out.
///
/// # Errors
/// When the database fails.
pub fn zones_of(tx: &mut Tx<'_>, codes: &[String]) -> Result<HashMap<String, Id<of::Zone>>, StorageError> {
    let pairs: Vec<(String, Id<of::Zone>)> = zone_municipalities::table
        .filter(zone_municipalities::nis_code.eq_any(codes))
        .select((zone_municipalities::nis_code, zone_municipalities::zone_id))
        .load(tx.db())?;
    Ok(pairs.into_iter().collect())
}
/// Enters a zone without its municipalities.
pub(super) fn insert_zone(tx: &mut Tx<'_>, new: &NewZone) -> Result<Id<of::Zone>, StorageError> {
    let (id, now) = (Id::new(), tx.now()?);
    diesel::insert_into(zones::table)
        .values((
            zones::id.eq(id),
            zones::number.eq(&new.number),
            zones::names.eq(Json(new.names.clone())),
            zones::languages.eq(Json(new.languages.clone())),
            zones::phone.eq(&new.phone),
            zones::email.eq(new.email.as_deref()),
            zones::hours.eq(Json(new.hours.clone())),
            zones::own_message.eq(new.own_message),
            zones::version.eq(1),
            zones::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(id)
}
/// Writes a changed zone, without its municipalities, and raises its version.
pub(super) fn update_zone(tx: &mut Tx<'_>, zone: &Zone) -> Result<(), StorageError> {
    diesel::update(zones::table.find(zone.id))
        .set((
            zones::names.eq(Json(zone.names.clone())),
            zones::languages.eq(Json(zone.languages.clone())),
            zones::phone.eq(&zone.phone),
            zones::email.eq(zone.email.as_deref()),
            zones::hours.eq(Json(zone.hours.clone())),
            zones::own_message.eq(zone.own_message),
            zones::version.eq(zones::version + 1),
        ))
        .execute(tx.db())?;
    Ok(())
}
/// Takes all municipalities out of these zones.
pub(super) fn empty_zones(tx: &mut Tx<'_>, ids: &[Id<of::Zone>]) -> Result<(), StorageError> {
    diesel::delete(zone_municipalities::table.filter(zone_municipalities::zone_id.eq_any(ids.iter().copied())))
        .execute(tx.db())?;
    Ok(())
}
/// Puts municipalities into a zone.
pub(super) fn put_municipalities(tx: &mut Tx<'_>, zone: Id<of::Zone>, codes: &[String]) -> Result<(), StorageError> {
    let rows: Vec<_> = codes
        .iter()
        .map(|nis| (zone_municipalities::nis_code.eq(nis.as_str()), zone_municipalities::zone_id.eq(zone)))
        .collect();
    on_either!(tx, |c| diesel::insert_into(zone_municipalities::table).values(&rows).execute(c))?;
    Ok(())
}
