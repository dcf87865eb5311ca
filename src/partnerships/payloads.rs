//! What the routes of partnerships read and answer.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::found::PartnershipChange;
use super::partnership::{NewPartnership, PartnershipKind, PartnershipStatus};
use super::perimeter::Polygon;
use super::plan::{Plan, PlanContent};
use super::store::Wanted;
use crate::http::page_limit;
use crate::territory::OpeningHours;
use crate::territory::some_language;
use crate::values::Id;
use crate::values::Line;
use crate::values::Localized;
use crate::values::Prose;
use crate::values::Timestamp;
use crate::values::of;

// The contract's macro takes names of types without parameters.
type Names = Localized<Line<120>>;
type ShortName = Line<30>;
type LegalRef = Line<120>;
type RegisteredRef = Line<60>;
type NamePart = Line<60>;
type SuspensionReason = Prose<1000>;
type RulesTexts = Localized<Prose<20000>>;
type PartnershipId = Id<of::Partnership>;
type ZoneId = Id<of::Zone>;
type AccountId = Id<of::Account>;

fn places_once(items: &[String]) -> Result<(), ValidationError> {
    if items.iter().enumerate().any(|(at, item)| items.iter().skip(at.saturating_add(1)).any(|other| other == item)) {
        return Err(ValidationError::new("twice").with_message("must name each once".into()));
    }
    Ok(())
}

/// A partnership to be entered.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PartnershipBody {
    /// For whom it is.
    kind: PartnershipKind,
    /// What it is called.
    #[validate(custom(function = "some_language"))]
    #[schema(inline)]
    names: Names,
    /// What its SMS begin with.
    #[schema(inline)]
    short_name: ShortName,
    /// The municipalities of the zone it lies in, by NIS code.
    #[validate(length(min = 1, max = 40), custom(function = "places_once"))]
    #[schema(min_items = 1, max_items = 40)]
    pub(super) municipalities: Vec<String>,
    /// The charter or decision it rests on.
    #[schema(inline)]
    legal_ref: Option<LegalRef>,
    /// Under what the federal service registered it.
    #[schema(inline)]
    registered_ref: Option<RegisteredRef>,
}
impl PartnershipBody {
    pub(super) fn into_new(self, zone: ZoneId, by: AccountId) -> NewPartnership {
        NewPartnership {
            zone,
            kind: self.kind,
            names: self.names,
            short_name: self.short_name,
            municipalities: self.municipalities,
            legal_ref: self.legal_ref,
            registered_ref: self.registered_ref,
            by: Some(by),
        }
    }
}
/// What is to change in a partnership; what is absent stays.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PartnershipPatch {
    /// What it is called.
    #[validate(custom(function = "some_language"))]
    #[schema(inline)]
    names: Option<Names>,
    /// What its SMS begin with.
    #[schema(inline)]
    short_name: Option<ShortName>,
    /// The municipalities of the zone it lies in, by NIS code.
    #[validate(length(min = 1, max = 40), custom(function = "places_once"))]
    #[schema(min_items = 1, max_items = 40)]
    municipalities: Option<Vec<String>>,
    /// The charter or decision it rests on.
    #[schema(inline)]
    legal_ref: Option<LegalRef>,
    /// Under what the federal service registered it.
    #[schema(inline)]
    registered_ref: Option<RegisteredRef>,
}
impl From<PartnershipPatch> for PartnershipChange {
    fn from(body: PartnershipPatch) -> Self {
        Self {
            names: body.names,
            short_name: body.short_name,
            municipalities: body.municipalities,
            legal_ref: body.legal_ref,
            registered_ref: body.registered_ref,
        }
    }
}
/// A perimeter.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PerimeterBody {
    /// GeoJSON polygon, longitude first.
    #[schema(value_type = Polygon)]
    pub(super) polygon: serde_json::Value,
}
/// Which plan is signed.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct SignatureBody {
    /// The number that was read.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    pub(super) number: i32,
}
fn some_text(texts: &RulesTexts) -> Result<(), ValidationError> {
    if texts.is_empty() {
        return Err(ValidationError::new("empty").with_message("must be said in one language at least".into()));
    }
    Ok(())
}
/// House rules.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct HouseRulesBody {
    /// What they say, in every language of the zone.
    #[validate(custom(function = "some_text"))]
    #[schema(inline)]
    pub(super) texts: RulesTexts,
}
/// Nothing has to be said.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ActivationBody {}
/// Why a partnership is suspended.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct SuspensionBody {
    /// The reason; no personal data.
    #[schema(inline)]
    pub(super) reason: SuspensionReason,
}

/// A version of a perimeter.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PerimeterView {
    /// Its number.
    pub(super) number: i32,
    /// GeoJSON polygon, longitude first.
    pub(super) polygon: Polygon,
}
/// A partnership.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PartnershipView {
    /// Its identifier.
    #[schema(inline)]
    pub(super) id: PartnershipId,
    /// Its police zone.
    #[schema(inline)]
    pub(super) zone: ZoneId,
    /// For whom it is.
    pub(super) kind: PartnershipKind,
    /// What it is called.
    #[schema(inline)]
    pub(super) names: Names,
    /// What its SMS begin with.
    pub(super) short_name: String,
    /// Where it stands.
    pub(super) status: PartnershipStatus,
    /// Why, for those who answer for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status_reason: Option<String>,
    /// The municipalities it lies in, by NIS code.
    pub(super) municipalities: Vec<String>,
    /// The charter or decision it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) legal_ref: Option<String>,
    /// Under what the federal service registered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) registered_ref: Option<String>,
    /// Its perimeter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) perimeter: Option<PerimeterView>,
    /// The number of the communication plan in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plan: Option<i32>,
    /// The number of the house rules in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) house_rules: Option<i32>,
}
/// A partnership in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PartnershipRowView {
    /// Its identifier.
    #[schema(inline)]
    pub(super) id: PartnershipId,
    /// Its police zone.
    #[schema(inline)]
    pub(super) zone: ZoneId,
    /// For whom it is.
    pub(super) kind: PartnershipKind,
    /// What it is called.
    #[schema(inline)]
    pub(super) names: Names,
    /// What its SMS begin with.
    pub(super) short_name: String,
    /// Where it stands.
    pub(super) status: PartnershipStatus,
    /// The municipalities it lies in, by NIS code.
    pub(super) municipalities: Vec<String>,
}
/// A version of the communication plan.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlanView {
    /// Its number.
    number: i32,
    /// What it says.
    content: PlanContent,
    /// When the police signed it.
    officer_signed_at: Timestamp,
    /// When the coordinator signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    coordinator_signed_at: Option<Timestamp>,
}
impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        Self {
            number: plan.number,
            content: plan.content,
            officer_signed_at: plan.officer_signed_at,
            coordinator_signed_at: plan.coordinator_signed_at,
        }
    }
}
/// The communication plans that matter now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlansView {
    /// The newest with both signatures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) in_force: Option<PlanView>,
    /// A newer one that waits for the coordinator's signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) proposed: Option<PlanView>,
}
/// House rules.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HouseRulesView {
    /// Their number.
    pub(super) number: i32,
    /// What they say.
    #[schema(inline)]
    pub(super) texts: RulesTexts,
    /// SHA-256 over languages and texts: what is acknowledged.
    pub(super) hash: String,
    /// When they were laid down.
    pub(super) created_at: Timestamp,
}

/// A number to call in an emergency.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EmergencyView {
    /// What to dial.
    pub(super) number: &'static str,
    /// Who answers: `police`, or `ambulance_and_fire`.
    pub(super) service: &'static str,
}
/// A municipality as the public sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublicMunicipalityView {
    /// NIS code.
    pub(super) nis: String,
    /// What it is called.
    #[schema(inline)]
    pub(super) names: Names,
}
/// What everybody may know of a partnership.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublicPartnershipRow {
    /// Its identifier.
    #[schema(inline)]
    pub(super) id: PartnershipId,
    /// For whom it is.
    pub(super) kind: PartnershipKind,
    /// What it is called.
    #[schema(inline)]
    pub(super) names: Names,
    /// The municipalities it lies in.
    pub(super) municipalities: Vec<PublicMunicipalityView>,
    /// Where to ask to join; absent while it takes nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) join: Option<String>,
}
/// The police zone as the public sees it (duty P9).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublicZoneView {
    /// Its official number.
    pub(super) number: String,
    /// What it is called.
    #[schema(inline)]
    pub(super) names: Names,
    /// Its telephone number.
    pub(super) phone: String,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    /// When its counter is open.
    pub(super) hours: OpeningHours,
}
/// What everybody may know of a partnership, with the numbers to call.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublicPartnershipView {
    /// In an emergency, first of all (duty C17).
    pub(super) emergency: Vec<EmergencyView>,
    /// The partnership.
    #[serde(flatten)]
    #[schema(inline)]
    pub(super) partnership: PublicPartnershipRow,
    /// Its police zone.
    pub(super) zone: PublicZoneView,
    /// Where its house rules are read; absent while there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) house_rules: Option<String>,
}

/// Which partnerships.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PartnershipQuery {
    /// A police zone.
    #[param(inline)]
    zone: Option<ZoneId>,
    /// NIS code of a municipality.
    #[validate(length(max = 5))]
    #[param(max_length = 5)]
    municipality: Option<String>,
    /// Where it stands.
    #[param(inline)]
    status: Option<PartnershipStatus>,
    /// For whom it is.
    #[param(inline)]
    kind: Option<PartnershipKind>,
    /// Part of a name, in any language.
    #[param(inline)]
    name: Option<NamePart>,
    /// Rows of a page.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u8>,
    /// The `next` of the page before.
    #[param(inline)]
    after: Option<PartnershipId>,
}
impl From<PartnershipQuery> for Wanted {
    fn from(asked: PartnershipQuery) -> Self {
        Self {
            zone: asked.zone,
            municipality: asked.municipality,
            statuses: asked.status.into_iter().collect(),
            kind: asked.kind,
            name: asked.name.map(|name| name.as_str().to_owned()),
            after: asked.after,
            limit: page_limit(asked.limit),
        }
    }
}
/// Which partnerships the public looks for.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct FinderQuery {
    /// A police zone.
    #[param(inline)]
    zone: Option<ZoneId>,
    /// NIS code of a municipality.
    #[validate(length(max = 5))]
    #[param(max_length = 5)]
    municipality: Option<String>,
    /// For whom it is.
    #[param(inline)]
    kind: Option<PartnershipKind>,
    /// Part of a name, in any language.
    #[param(inline)]
    name: Option<NamePart>,
    /// Rows of a page.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u8>,
    /// The `next` of the page before.
    #[param(inline)]
    after: Option<PartnershipId>,
}
impl From<FinderQuery> for Wanted {
    fn from(asked: FinderQuery) -> Self {
        let public = |status: &PartnershipStatus| status.is_public();
        Self {
            zone: asked.zone,
            municipality: asked.municipality,
            statuses: PartnershipStatus::ALL.iter().copied().filter(public).collect(),
            kind: asked.kind,
            name: asked.name.map(|name| name.as_str().to_owned()),
            after: asked.after,
            limit: page_limit(asked.limit),
        }
    }
}
