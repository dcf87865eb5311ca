//! Every query of partnerships, their perimeters, plans and house rules.

use std::collections::HashMap;

use diesel::prelude::*;

use super::house_rules::HouseRules;
use super::partnership::{NewPartnership, Partnership, PartnershipKind, PartnershipStatus};
use super::perimeter::{Perimeter, Polygon, covers};
use super::plan::{Plan, PlanContent};
use crate::access::Place;
use crate::access::Visible;
use crate::on_either;
use crate::storage::Json;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{
    communication_plans, house_rules, municipalities, partnership_municipalities, partnerships, perimeters,
};
use crate::territory;
use crate::values::Id;
use crate::values::Line;
use crate::values::Localized;
use crate::values::Prose;
use crate::values::Timestamp;
use crate::values::of;

#[derive(Queryable, Selectable)]
#[diesel(table_name = partnerships)]
struct PartnershipRow {
    id: Id<of::Partnership>,
    zone_id: Id<of::Zone>,
    kind: PartnershipKind,
    names: Json<Localized<Line<120>>>,
    short_name: String,
    status: PartnershipStatus,
    status_reason: Option<String>,
    legal_ref: Option<String>,
    registered_ref: Option<String>,
    version: i64,
}
impl PartnershipRow {
    fn restore(self, municipalities: Vec<String>) -> Partnership {
        Partnership {
            id: self.id,
            zone: self.zone_id,
            kind: self.kind,
            names: self.names.0,
            short_name: self.short_name,
            status: self.status,
            status_reason: self.status_reason,
            municipalities,
            legal_ref: self.legal_ref,
            registered_ref: self.registered_ref,
            version: self.version,
        }
    }
}
/// The municipalities of these partnerships, by partnership.
fn municipalities_of(
    tx: &mut Tx<'_>,
    ids: &[Id<of::Partnership>],
) -> Result<HashMap<Id<of::Partnership>, Vec<String>>, StorageError> {
    let mut found: HashMap<Id<of::Partnership>, Vec<String>> = HashMap::new();
    for chunk in ids.chunks(10_000) {
        let pairs: Vec<(Id<of::Partnership>, String)> = partnership_municipalities::table
            .filter(partnership_municipalities::partnership_id.eq_any(chunk))
            .order(partnership_municipalities::nis_code)
            .select((partnership_municipalities::partnership_id, partnership_municipalities::nis_code))
            .load(tx.db())?;
        for (id, nis) in pairs {
            found.entry(id).or_default().push(nis);
        }
    }
    Ok(found)
}
/// A partnership.
///
/// # Errors
/// When the database fails.
pub fn find_partnership(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Result<Option<Partnership>, StorageError> {
    let row = partnerships::table.find(id).select(PartnershipRow::as_select()).first(tx.db()).optional()?;
    let Some(row) = row else { return Ok(None) };
    let municipalities = municipalities_of(tx, &[id])?.remove(&id).unwrap_or_default();
    Ok(Some(row.restore(municipalities)))
}
/// Where a partnership lies: its zone, municipalities and provinces.
///
/// # Errors
/// When the database fails.
pub fn place_of(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Result<Option<Place>, StorageError> {
    let Some(found) = find_partnership(tx, id)? else { return Ok(None) };
    let provinces = territory::provinces_of(tx, &found.municipalities)?;
    Ok(Some(Place {
        partnership: Some(id),
        zone: Some(found.zone),
        municipalities: found.municipalities,
        provinces,
        known_to_all: false,
    }))
}
/// Enters a partnership with its municipalities.
pub(super) fn insert_partnership(tx: &mut Tx<'_>, new: &NewPartnership) -> Result<Id<of::Partnership>, StorageError> {
    let (id, now) = (Id::new(), tx.now()?);
    diesel::insert_into(partnerships::table)
        .values((
            partnerships::id.eq(id),
            partnerships::zone_id.eq(new.zone),
            partnerships::kind.eq(new.kind),
            partnerships::names.eq(Json(new.names.clone())),
            partnerships::short_name.eq(new.short_name.as_str()),
            partnerships::status.eq(PartnershipStatus::Registered),
            partnerships::legal_ref.eq(new.legal_ref.as_ref().map(Line::as_str)),
            partnerships::registered_ref.eq(new.registered_ref.as_ref().map(Line::as_str)),
            partnerships::version.eq(1),
            partnerships::created_at.eq(now),
            partnerships::created_by.eq(new.by),
        ))
        .execute(tx.db())?;
    put_municipalities(tx, id, &new.municipalities)?;
    Ok(id)
}
/// Puts a partnership into exactly these municipalities.
pub(super) fn put_municipalities(
    tx: &mut Tx<'_>,
    id: Id<of::Partnership>,
    codes: &[String],
) -> Result<(), StorageError> {
    diesel::delete(partnership_municipalities::table.filter(partnership_municipalities::partnership_id.eq(id)))
        .execute(tx.db())?;
    let rows: Vec<_> = codes
        .iter()
        .map(|nis| {
            (partnership_municipalities::partnership_id.eq(id), partnership_municipalities::nis_code.eq(nis.as_str()))
        })
        .collect();
    on_either!(tx, |c| diesel::insert_into(partnership_municipalities::table).values(&rows).execute(c))?;
    Ok(())
}
/// Writes what can change in a partnership, without its municipalities, and raises its version.
pub(super) fn update_partnership(tx: &mut Tx<'_>, changed: &Partnership) -> Result<(), StorageError> {
    diesel::update(partnerships::table.find(changed.id))
        .set((
            partnerships::names.eq(Json(changed.names.clone())),
            partnerships::short_name.eq(&changed.short_name),
            partnerships::status.eq(changed.status),
            partnerships::status_reason.eq(changed.status_reason.as_deref()),
            partnerships::legal_ref.eq(changed.legal_ref.as_deref()),
            partnerships::registered_ref.eq(changed.registered_ref.as_deref()),
            partnerships::version.eq(partnerships::version + 1),
        ))
        .execute(tx.db())?;
    Ok(())
}
/// Which partnerships somebody asks for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) zone: Option<Id<of::Zone>>,
    pub(super) municipality: Option<String>,
    pub(super) statuses: Vec<PartnershipStatus>,
    pub(super) kind: Option<PartnershipKind>,
    pub(super) name: Option<String>,
    pub(super) after: Option<Id<of::Partnership>>,
    pub(super) limit: i64,
}
/// The partnerships somebody asks for among those visible to them (`None`: to all), one more than the page holds. Names
/// are compared in memory: the databases do not agree on what a capital letter is.
pub(super) fn list_partnerships(
    tx: &mut Tx<'_>,
    visible: Option<&Visible>,
    wanted: &Wanted,
) -> Result<Vec<Partnership>, StorageError> {
    let mut query = partnerships::table.order(partnerships::id).select(PartnershipRow::as_select()).into_boxed();
    if let Some(visible) = visible
        && !visible.everywhere()
    {
        let in_municipalities = partnership_municipalities::table
            .filter(partnership_municipalities::nis_code.eq_any(visible.municipalities()))
            .select(partnership_municipalities::partnership_id);
        let in_provinces = partnership_municipalities::table
            .inner_join(municipalities::table.on(municipalities::nis_code.eq(partnership_municipalities::nis_code)))
            .filter(municipalities::province.eq_any(visible.provinces()))
            .select(partnership_municipalities::partnership_id);
        query = query.filter(
            partnerships::id
                .eq_any(visible.partnerships())
                .or(partnerships::zone_id.eq_any(visible.zones()))
                .or(partnerships::id.eq_any(in_municipalities))
                .or(partnerships::id.eq_any(in_provinces)),
        );
    }
    if let Some(zone) = wanted.zone {
        query = query.filter(partnerships::zone_id.eq(zone));
    }
    if let Some(nis) = &wanted.municipality {
        let there = partnership_municipalities::table
            .filter(partnership_municipalities::nis_code.eq(nis))
            .select(partnership_municipalities::partnership_id);
        query = query.filter(partnerships::id.eq_any(there));
    }
    if !wanted.statuses.is_empty() {
        query = query.filter(partnerships::status.eq_any(wanted.statuses.iter().copied()));
    }
    if let Some(kind) = wanted.kind {
        query = query.filter(partnerships::kind.eq(kind));
    }
    if let Some(after) = wanted.after {
        query = query.filter(partnerships::id.gt(after));
    }
    if wanted.name.is_none() {
        query = query.limit(wanted.limit.saturating_add(1));
    }
    let mut rows: Vec<PartnershipRow> = query.load(tx.db())?;
    if let Some(part) = wanted.name.as_ref().map(|name| name.to_lowercase()) {
        rows.retain(|row| row.names.0.iter().any(|(_, name)| name.as_str().to_lowercase().contains(&part)));
        rows.truncate(usize::try_from(wanted.limit.saturating_add(1)).unwrap_or(usize::MAX));
    }
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut places = municipalities_of(tx, &ids)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let municipalities = places.remove(&row.id).unwrap_or_default();
            row.restore(municipalities)
        })
        .collect())
}

/// Writes a further version of the perimeter. The partnership's row must be locked.
pub(super) fn insert_perimeter(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    polygon: &Polygon,
    by: Option<Id<of::Account>>,
) -> Result<i32, StorageError> {
    let last: Option<i32> = perimeters::table
        .filter(perimeters::partnership_id.eq(partnership))
        .select(diesel::dsl::max(perimeters::number))
        .first(tx.db())?;
    let (number, now) = (last.unwrap_or(0).saturating_add(1), tx.now()?);
    diesel::insert_into(perimeters::table)
        .values((
            perimeters::id.eq(Id::<of::Perimeter>::new()),
            perimeters::partnership_id.eq(partnership),
            perimeters::number.eq(number),
            perimeters::polygon.eq(Json(polygon.clone())),
            perimeters::created_at.eq(now),
            perimeters::created_by.eq(by),
        ))
        .execute(tx.db())?;
    Ok(number)
}
/// The newest perimeter of a partnership.
///
/// # Errors
/// When the database fails.
pub fn perimeter_in_force(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
) -> Result<Option<Perimeter>, StorageError> {
    let found: Option<(i32, Json<Polygon>)> = perimeters::table
        .filter(perimeters::partnership_id.eq(partnership))
        .order(perimeters::number.desc())
        .select((perimeters::number, perimeters::polygon))
        .first(tx.db())
        .optional()?;
    Ok(found.map(|(number, polygon)| Perimeter { number, polygon: polygon.0 }))
}
/// Does this point (longitude, latitude) lie within the partnership's perimeter? `None` when none is drawn.
///
/// # Errors
/// When the database fails.
pub fn lies_within(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    point: [f64; 2],
) -> Result<Option<bool>, StorageError> {
    Ok(perimeter_in_force(tx, partnership)?.map(|perimeter| covers(&perimeter.polygon, point)))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = communication_plans)]
struct PlanRow {
    number: i32,
    content: Json<PlanContent>,
    signed_by_officer: Id<of::Account>,
    officer_signed_at: Timestamp,
    signed_by_coordinator: Option<Id<of::Account>>,
    coordinator_signed_at: Option<Timestamp>,
}
impl PlanRow {
    fn restore(self) -> Plan {
        Plan {
            number: self.number,
            content: self.content.0,
            signed_by_officer: self.signed_by_officer,
            officer_signed_at: self.officer_signed_at,
            signed_by_coordinator: self.signed_by_coordinator,
            coordinator_signed_at: self.coordinator_signed_at,
        }
    }
}
/// The plan that was written last, signed by both or not.
pub(super) fn latest_plan(tx: &mut Tx<'_>, partnership: Id<of::Partnership>) -> Result<Option<Plan>, StorageError> {
    let row = communication_plans::table
        .filter(communication_plans::partnership_id.eq(partnership))
        .order(communication_plans::number.desc())
        .select(PlanRow::as_select())
        .first(tx.db())
        .optional()?;
    Ok(row.map(PlanRow::restore))
}
/// The newest plan with both signatures.
pub(super) fn signed_plan(tx: &mut Tx<'_>, partnership: Id<of::Partnership>) -> Result<Option<Plan>, StorageError> {
    let row = communication_plans::table
        .filter(communication_plans::partnership_id.eq(partnership))
        .filter(communication_plans::signed_by_coordinator.is_not_null())
        .order(communication_plans::number.desc())
        .select(PlanRow::as_select())
        .first(tx.db())
        .optional()?;
    Ok(row.map(PlanRow::restore))
}
/// The communication plan in force, with its number: the newest that police and coordinator both signed (duty C19).
///
/// # Errors
/// When the database fails.
pub fn plan_in_force(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
) -> Result<Option<(i32, PlanContent)>, StorageError> {
    Ok(signed_plan(tx, partnership)?.map(|plan| (plan.number, plan.content)))
}
/// Writes a further plan with the officer's signature. The partnership's row must be locked.
pub(super) fn insert_plan(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    content: &PlanContent,
    officer: Id<of::Account>,
) -> Result<i32, StorageError> {
    let number = latest_plan(tx, partnership)?.map_or(0, |plan| plan.number).saturating_add(1);
    let now = tx.now()?;
    diesel::insert_into(communication_plans::table)
        .values((
            communication_plans::id.eq(Id::<of::Plan>::new()),
            communication_plans::partnership_id.eq(partnership),
            communication_plans::number.eq(number),
            communication_plans::content.eq(Json(content.clone())),
            communication_plans::signed_by_officer.eq(officer),
            communication_plans::officer_signed_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(number)
}
/// Adds the coordinator's signature.
pub(super) fn sign_plan(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    number: i32,
    coordinator: Id<of::Account>,
) -> Result<(), StorageError> {
    let now = tx.now()?;
    diesel::update(
        communication_plans::table
            .filter(communication_plans::partnership_id.eq(partnership))
            .filter(communication_plans::number.eq(number)),
    )
    .set((
        communication_plans::signed_by_coordinator.eq(Some(coordinator)),
        communication_plans::coordinator_signed_at.eq(Some(now)),
    ))
    .execute(tx.db())?;
    Ok(())
}

/// The house rules in force: those laid down last.
///
/// # Errors
/// When the database fails.
pub fn house_rules_in_force(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
) -> Result<Option<HouseRules>, StorageError> {
    type Found = (i32, Json<Localized<Prose<20000>>>, String, Timestamp);
    let found: Option<Found> = house_rules::table
        .filter(house_rules::partnership_id.eq(partnership))
        .order(house_rules::number.desc())
        .select((house_rules::number, house_rules::texts, house_rules::hash, house_rules::created_at))
        .first(tx.db())
        .optional()?;
    Ok(found.map(|(number, texts, hash, created_at)| HouseRules { number, texts: texts.0, hash, created_at }))
}
/// Writes a further version of the house rules.
pub(super) fn insert_house_rules(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    rules: &HouseRules,
    by: Option<Id<of::Account>>,
) -> Result<(), StorageError> {
    diesel::insert_into(house_rules::table)
        .values((
            house_rules::id.eq(Id::<of::HouseRules>::new()),
            house_rules::partnership_id.eq(partnership),
            house_rules::number.eq(rules.number),
            house_rules::texts.eq(Json(rules.texts.clone())),
            house_rules::hash.eq(&rules.hash),
            house_rules::created_at.eq(rules.created_at),
            house_rules::created_by.eq(by),
        ))
        .execute(tx.db())?;
    Ok(())
}
