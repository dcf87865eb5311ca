//! partnerships: a stand-in until the slice is merged.
#![allow(missing_docs, clippy::missing_errors_doc, reason = "thrown away at the merge")]

use diesel::prelude::*;

use crate::access::{Actor, Located, Permission, Place, Routes, Target};
use crate::storage::schema::{house_rules, partnership_municipalities, partnerships};
use crate::storage::{Json, StorageError, Tx};
use crate::values::{Id, Line, Localized, of};

/// Mounts nothing yet.
pub fn routes(_: &mut Routes<'_>) {}

crate::words! {
    /// Where a partnership stands.
    pub enum PartnershipStatus {
        /// Idea.
        Idea = "idea",
        /// Consulting.
        Consulting = "consulting",
        /// Informing.
        Informing = "informing",
        /// Drafting.
        Drafting = "drafting",
        /// Signing.
        Signing = "signing",
        /// Submitted.
        SubmittedSpf = "submitted_spf",
        /// Remarks.
        SpfRemarks = "spf_remarks",
        /// Registered.
        Registered = "registered",
        /// Active.
        Active = "active",
        /// Dormant.
        Dormant = "dormant",
        /// Suspended.
        Suspended = "suspended",
        /// Dissolving.
        Dissolving = "dissolving",
        /// Dissolved.
        Dissolved = "dissolved",
        /// Merging.
        Merging = "merging",
        /// Merged.
        MergedInto = "merged_into",
        /// Abandoned.
        Abandoned = "abandoned",
    }
}
#[derive(Debug, Clone)]
pub struct Partnership {
    pub id: Id<of::Partnership>,
    pub zone: Id<of::Zone>,
    pub names: Localized<Line<120>>,
    pub short_name: String,
    pub status: PartnershipStatus,
}
#[derive(Debug, Clone)]
pub struct HouseRules {
    pub number: i32,
}
type NamesColumn = Json<std::collections::BTreeMap<crate::values::Language, String>>;
pub fn find_partnership(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Result<Option<Partnership>, StorageError> {
    let found: Option<(Id<of::Zone>, NamesColumn, String, PartnershipStatus)> = partnerships::table
        .find(id)
        .select((partnerships::zone_id, partnerships::names, partnerships::short_name, partnerships::status))
        .first(tx.db())
        .optional()?;
    Ok(found.map(|(zone, names, short_name, status)| Partnership {
        id,
        zone,
        names: Localized::new(names.0.into_iter().filter_map(|(l, n)| Some((l, Line::parse(&n).ok()?)))),
        short_name,
        status,
    }))
}
pub fn place_of(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Result<Option<Place>, StorageError> {
    let Some(found) = find_partnership(tx, id)? else { return Ok(None) };
    let municipalities = partnership_municipalities::table
        .filter(partnership_municipalities::partnership_id.eq(id))
        .select(partnership_municipalities::nis_code)
        .load(tx.db())?;
    Ok(Some(Place { partnership: Some(id), zone: Some(found.zone), municipalities, ..Place::default() }))
}
pub fn house_rules_in_force(tx: &mut Tx<'_>, id: Id<of::Partnership>) -> Result<Option<HouseRules>, StorageError> {
    let number: Option<i32> = house_rules::table
        .filter(house_rules::partnership_id.eq(id))
        .select(diesel::dsl::max(house_rules::number))
        .first(tx.db())?;
    Ok(number.map(|number| HouseRules { number }))
}
pub fn lies_within(_: &mut Tx<'_>, _: Id<of::Partnership>, _: [f64; 2]) -> Result<Option<bool>, StorageError> {
    Ok(None)
}
#[derive(Debug)]
pub struct PartnershipTarget(pub Id<of::Partnership>);
impl Target for PartnershipTarget {
    type Path = Id<of::Partnership>;
    fn locate(
        tx: &mut Tx<'_>,
        _: &Actor,
        _: Permission,
        path: Self::Path,
    ) -> Result<Option<Located<Self>>, StorageError> {
        Ok(place_of(tx, path)?.map(|place| Located::at(Self(path), place)))
    }
    fn name(&self) -> String {
        format!("partnership:{}", self.0)
    }
}
