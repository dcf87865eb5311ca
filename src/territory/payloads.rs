//! What the territory's routes read and answer.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::enter::ZoneChange;
use super::store::{MunicipalityRow, ProvinceRow, RegionRow};
use super::zone::{NewZone, OpeningHours, OwnMessage, Zone, is_zone_number};
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::Line;
use crate::values::Localized;
use crate::values::PhoneNumber;
use crate::values::of;

// The contract's macro takes names of types without parameters.
type Names = Localized<Line<120>>;
type ZoneId = Id<of::Zone>;

/// A name must be said in one language at least.
///
/// # Errors
/// `empty`, when it is said in none.
pub fn some_language<const MAX: usize>(names: &Localized<Line<MAX>>) -> Result<(), ValidationError> {
    if names.is_empty() {
        return Err(ValidationError::new("empty").with_message("must be said in one language at least".into()));
    }
    Ok(())
}
fn zone_number(number: &str) -> Result<(), ValidationError> {
    if is_zone_number(number) {
        return Ok(());
    }
    Err(ValidationError::new("not_a_zone_number").with_message("must be four digits".into()))
}
fn each_once<T: Ord>(items: &[T]) -> Result<(), ValidationError> {
    let mut sorted: Vec<&T> = items.iter().collect();
    sorted.sort();
    if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(ValidationError::new("twice").with_message("must name each once".into()));
    }
    Ok(())
}
#[expect(clippy::ptr_arg, reason = "validator hands over what the field is")]
fn languages_once(items: &Vec<Language>) -> Result<(), ValidationError> {
    each_once(items)
}
#[expect(clippy::ptr_arg, reason = "validator hands over what the field is")]
fn places_once(items: &Vec<String>) -> Result<(), ValidationError> {
    each_once(items)
}

/// A zone to be entered.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ZoneBody {
    /// Its official number, four digits.
    #[validate(custom(function = "zone_number"))]
    #[schema(pattern = "^[0-9]{4}$")]
    number: String,
    /// What it is called.
    #[validate(custom(function = "some_language"))]
    #[schema(inline)]
    names: Names,
    /// The languages it works in.
    #[validate(length(min = 1, max = 4), custom(function = "languages_once"))]
    #[schema(min_items = 1, max_items = 4)]
    languages: Vec<Language>,
    /// Its telephone number; not the emergency number.
    #[schema(inline)]
    phone: PhoneNumber,
    /// Its e-mail address.
    #[schema(inline)]
    email: Option<EmailAddress>,
    /// When its counter is open.
    #[serde(default)]
    #[validate(nested)]
    hours: OpeningHours,
    /// Who approves what its own officers wrote; `dual` unless said otherwise.
    own_message: Option<OwnMessage>,
    /// NIS codes.
    #[validate(length(min = 1, max = 40), custom(function = "places_once"))]
    #[schema(min_items = 1, max_items = 40)]
    municipalities: Vec<String>,
}
impl From<ZoneBody> for NewZone {
    fn from(body: ZoneBody) -> Self {
        Self {
            number: body.number,
            names: body.names,
            languages: body.languages,
            phone: body.phone.for_dialling().to_owned(),
            email: body.email.map(|email| email.for_envelope().to_owned()),
            hours: body.hours,
            own_message: body.own_message.unwrap_or(OwnMessage::Dual),
            municipalities: body.municipalities,
        }
    }
}

/// What is to change in a zone; what is absent stays.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ZonePatch {
    /// What it is called.
    #[validate(custom(function = "some_language"))]
    #[schema(inline)]
    names: Option<Names>,
    /// The languages it works in.
    #[validate(length(min = 1, max = 4), custom(function = "languages_once"))]
    #[schema(min_items = 1, max_items = 4)]
    languages: Option<Vec<Language>>,
    /// Its telephone number.
    #[schema(inline)]
    phone: Option<PhoneNumber>,
    /// Its e-mail address.
    #[schema(inline)]
    email: Option<EmailAddress>,
    /// When its counter is open.
    #[validate(nested)]
    hours: Option<OpeningHours>,
    /// Who approves what its own officers wrote.
    own_message: Option<OwnMessage>,
}
impl From<ZonePatch> for ZoneChange {
    fn from(body: ZonePatch) -> Self {
        Self {
            names: body.names,
            languages: body.languages,
            phone: body.phone.map(|phone| phone.for_dialling().to_owned()),
            email: body.email.map(|email| email.for_envelope().to_owned()),
            hours: body.hours,
            own_message: body.own_message,
        }
    }
}

/// A region.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegionView {
    /// ISO 3166-2 without the country.
    code: String,
    /// What it is called.
    #[schema(inline)]
    names: Names,
}
impl From<RegionRow> for RegionView {
    fn from(row: RegionRow) -> Self {
        Self { code: row.code, names: row.names.0 }
    }
}
/// A province.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProvinceView {
    /// ISO 3166-2 without the country.
    code: String,
    /// Its region.
    region: String,
    /// What it is called.
    #[schema(inline)]
    names: Names,
}
impl From<ProvinceRow> for ProvinceView {
    fn from(row: ProvinceRow) -> Self {
        Self { code: row.code, region: row.region, names: row.names.0 }
    }
}
/// A municipality.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MunicipalityView {
    /// NIS code.
    pub(super) nis: String,
    /// Its region.
    region: String,
    /// Its province; none in Brussels.
    #[serde(skip_serializing_if = "Option::is_none")]
    province: Option<String>,
    /// Its police zone, once that is entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    zone: Option<ZoneId>,
    /// What it is called.
    #[schema(inline)]
    names: Names,
    /// The day of the list; mergers since are not in it.
    as_of: String,
}
impl From<MunicipalityRow> for MunicipalityView {
    fn from(row: MunicipalityRow) -> Self {
        Self {
            nis: row.nis,
            region: row.region,
            province: row.province,
            zone: row.zone,
            names: row.names.0,
            as_of: row.as_of,
        }
    }
}
/// A police zone.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ZoneView {
    /// Its identifier.
    #[schema(inline)]
    pub(super) id: ZoneId,
    /// Its official number.
    number: String,
    /// What it is called.
    #[schema(inline)]
    names: Names,
    /// The languages it works in.
    languages: Vec<Language>,
    /// Its telephone number. In an emergency call 101 or 112.
    phone: String,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// When its counter is open.
    hours: OpeningHours,
    /// Who approves what its own officers wrote.
    own_message: OwnMessage,
    /// The municipalities it covers, by NIS code.
    municipalities: Vec<String>,
}
impl From<Zone> for ZoneView {
    fn from(zone: Zone) -> Self {
        Self {
            id: zone.id,
            number: zone.number,
            names: zone.names,
            languages: zone.languages,
            phone: zone.phone,
            email: zone.email,
            hours: zone.hours,
            own_message: zone.own_message,
            municipalities: zone.municipalities,
        }
    }
}
/// How many zones a file brought.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImportView {
    /// New zones.
    pub(super) created: u64,
    /// Zones whose number was known.
    pub(super) updated: u64,
}

/// Which municipalities.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct MunicipalityQuery {
    /// Code of a region.
    #[validate(length(max = 3))]
    #[param(max_length = 3)]
    pub(super) region: Option<String>,
    /// Code of a province.
    #[validate(length(max = 3))]
    #[param(max_length = 3)]
    pub(super) province: Option<String>,
    /// A police zone.
    #[param(inline)]
    pub(super) zone: Option<ZoneId>,
    /// Part of a name, in any language.
    #[param(inline)]
    pub(super) name: Option<Line<60>>,
    /// Rows of a page.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    pub(super) limit: Option<u8>,
    /// The `next` of the page before: a NIS code.
    #[validate(length(max = 5))]
    #[param(max_length = 5)]
    pub(super) after: Option<String>,
}
/// Which zones.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ZoneQuery {
    /// The official number.
    #[validate(length(max = 4))]
    #[param(max_length = 4)]
    pub(super) number: Option<String>,
    /// NIS code of a municipality.
    #[validate(length(max = 5))]
    #[param(max_length = 5)]
    pub(super) municipality: Option<String>,
    /// Part of a name, in any language.
    #[param(inline)]
    pub(super) name: Option<Line<60>>,
    /// Rows of a page.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    pub(super) limit: Option<u8>,
    /// The `next` of the page before.
    #[param(inline)]
    pub(super) after: Option<ZoneId>,
}
