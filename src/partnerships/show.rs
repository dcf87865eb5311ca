//! Reading: what is shown of a partnership or a mandate, and to whom.

use std::collections::HashMap;

use super::error::PartnershipError;
use super::house_rules::HouseRules;
use super::mandate::Mandate;
use super::mandate_payloads::{MandatePlaceView, MandateQuery, MandateView};
use super::mandates;
use super::partnership::{Partnership, PartnershipStatus};
use super::payloads::{
    EmergencyView, HouseRulesView, PartnershipRowView, PartnershipView, PerimeterView, PlansView,
    PublicMunicipalityView, PublicPartnershipRow, PublicPartnershipView, PublicZoneView,
};
use super::store;
use crate::access::Actor;
use crate::access::Flag;
use crate::access::Place;
use crate::access::Reach;
use crate::access::Role;
use crate::access::holders;
use crate::accounts;
use crate::http::Listing;
use crate::http::page_limit;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::territory;
use crate::values::Id;
use crate::values::of;

/// Who reads why a partnership was suspended.
const ANSWERS_FOR_IT: &[Role] =
    &[Role::Officer, Role::ZoneAdministrator, Role::Municipality, Role::Coordinator, Role::Deputy];

/// A partnership as this actor sees it, and its version.
pub(super) fn partnership(
    tx: &mut Tx<'_>,
    id: Id<of::Partnership>,
    actor: &Actor,
    place: &Place,
) -> Result<(PartnershipView, i64), PartnershipError> {
    let found = store::find_partnership(tx, id)?.ok_or(PartnershipError::Absent)?;
    let version = found.version;
    let reads_reason = ANSWERS_FOR_IT.iter().any(|role| actor.is_at(*role, place));
    let perimeter = store::perimeter_in_force(tx, id)?;
    Ok((
        PartnershipView {
            id: found.id,
            zone: found.zone,
            kind: found.kind,
            names: found.names,
            short_name: found.short_name,
            status: found.status,
            status_reason: found.status_reason.filter(|_| reads_reason),
            municipalities: found.municipalities,
            legal_ref: found.legal_ref,
            registered_ref: found.registered_ref,
            perimeter: perimeter.map(|one| PerimeterView { number: one.number, polygon: one.polygon }),
            plan: store::plan_in_force(tx, id)?.map(|(number, _)| number),
            house_rules: store::house_rules_in_force(tx, id)?.map(|rules| rules.number),
        },
        version,
    ))
}
/// A partnership in a list.
pub(super) fn row(found: Partnership) -> PartnershipRowView {
    PartnershipRowView {
        id: found.id,
        zone: found.zone,
        kind: found.kind,
        names: found.names,
        short_name: found.short_name,
        status: found.status,
        municipalities: found.municipalities,
    }
}
/// The plans that matter now, and the number of the newest (0: none).
pub(super) fn plans(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Result<(PlansView, i64), PartnershipError> {
    let latest = store::latest_plan(tx, id)?;
    let number = latest.as_ref().map_or(0, |plan| i64::from(plan.number));
    let proposed = latest.filter(|plan| plan.signed_by_coordinator.is_none()).map(Into::into);
    Ok((PlansView { in_force: store::signed_plan(tx, id)?.map(Into::into), proposed }, number))
}
pub(super) fn house_rules(rules: HouseRules) -> HouseRulesView {
    HouseRulesView { number: rules.number, texts: rules.texts, hash: rules.hash, created_at: rules.created_at }
}

/// Does this actor see screenings here? Officers of the zone alone (duty P2).
pub(super) fn sees_screenings(actor: &Actor, place: &Place) -> bool {
    actor.is_at(Role::Officer, place)
}
fn flags_over(tx: &mut Tx<'_>, reach: &Reach) -> Result<HashMap<Id<of::Grant>, Vec<Flag>>, StorageError> {
    Ok(holders(tx, reach, Role::ALL)?.into_iter().map(|grant| (grant.id, grant.flags)).collect())
}
fn view(
    tx: &mut Tx<'_>,
    mandate: Mandate,
    flags: &HashMap<Id<of::Grant>, Vec<Flag>>,
    sees_screenings: bool,
) -> Result<MandateView, StorageError> {
    let holder = accounts::reach(tx, mandate.account)?;
    let (kind, reference) = mandate.reach.stored();
    Ok(MandateView {
        id: mandate.id,
        account: mandate.account,
        name: holder.and_then(|holder| holder.name),
        role: mandate.role,
        place: MandatePlaceView { kind, reference },
        flags: mandate.grant.and_then(|grant| flags.get(&grant).cloned()).unwrap_or_default(),
        status: mandate.status,
        from: mandate.from,
        until: mandate.until,
        ended_at: mandate.ended_at,
        end_reason: mandate.end_reason.filter(|_| sees_screenings),
        screening: mandate.screening.filter(|_| sees_screenings).map(Into::into),
        version: mandate.version,
    })
}
/// A mandate, and its version.
pub(super) fn mandate(
    tx: &mut Tx<'_>,
    id: Id<of::Mandate>,
    sees_screenings: bool,
) -> Result<(MandateView, i64), PartnershipError> {
    let found = mandates::find_mandate(tx, id)?.ok_or(PartnershipError::Absent)?;
    let (version, flags) = (found.version, flags_over(tx, &found.reach)?);
    Ok((view(tx, found, &flags, sees_screenings)?, version))
}
/// A page of the mandates over a reach.
pub(super) fn mandates(
    tx: &mut Tx<'_>,
    reach: &Reach,
    asked: &MandateQuery,
    sees_screenings: bool,
) -> Result<Listing<MandateView>, PartnershipError> {
    let limit = page_limit(asked.limit);
    let found = mandates::list_mandates(tx, reach, asked.role, asked.status, asked.after, limit)?;
    let page = Listing::cut(found, limit, |mandate| mandate.id.to_string());
    let flags = flags_over(tx, reach)?;
    let items =
        page.items.into_iter().map(|one| view(tx, one, &flags, sees_screenings)).collect::<Result<Vec<_>, _>>()?;
    Ok(Listing { items, next: page.next })
}

/// What the public sees of these partnerships: no person, no perimeter.
pub(super) fn public_rows(tx: &mut Tx<'_>, found: Vec<Partnership>) -> Result<Vec<PublicPartnershipRow>, StorageError> {
    let codes: Vec<String> = found.iter().flat_map(|one| one.municipalities.iter().cloned()).collect();
    let names = territory::municipality_names(tx, &codes)?;
    let called = |nis: String| {
        let names = names.get(&nis).cloned()?;
        Some(PublicMunicipalityView { nis, names })
    };
    Ok(found
        .into_iter()
        .map(|one| PublicPartnershipRow {
            id: one.id,
            kind: one.kind,
            names: one.names,
            municipalities: one.municipalities.into_iter().filter_map(called).collect(),
            join: (one.status == PartnershipStatus::Active)
                .then(|| format!("/api/v1/public/partnerships/{}/applications", one.id)),
        })
        .collect())
}
/// A partnership that the public may know of.
fn find_public(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Result<Partnership, PartnershipError> {
    store::find_partnership(tx, id)?.filter(|found| found.status.is_public()).ok_or(PartnershipError::Absent)
}
/// What the public sees of one (duties C12, C17, P9).
pub(super) fn public(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Result<PublicPartnershipView, PartnershipError> {
    let found = find_public(tx, id)?;
    let zone = territory::find_zone(tx, found.zone)?.ok_or(PartnershipError::Absent)?;
    let has_rules = store::house_rules_in_force(tx, id)?.is_some();
    let partnership = public_rows(tx, vec![found])?.pop().ok_or(PartnershipError::Absent)?;
    Ok(PublicPartnershipView {
        emergency: vec![
            EmergencyView { number: "101", service: "police" },
            EmergencyView { number: "112", service: "ambulance_and_fire" },
        ],
        partnership,
        zone: PublicZoneView {
            number: zone.number,
            names: zone.names,
            phone: zone.phone,
            email: zone.email,
            hours: zone.hours,
        },
        house_rules: has_rules.then(|| format!("/api/v1/public/partnerships/{id}/house-rules")),
    })
}
/// The house rules, to read before joining.
pub(super) fn public_house_rules(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Result<HouseRulesView, PartnershipError> {
    find_public(tx, id)?;
    store::house_rules_in_force(tx, id)?.map(house_rules).ok_or(PartnershipError::Absent)
}
