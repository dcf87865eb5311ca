//! An address in Belgium, never printed by accident.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::Line;

/// Where a member lives or works.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PostalAddress {
    /// Street, without the number.
    #[schema(inline)]
    pub street: Line<120>,
    /// House number, such as `12` or `12A`.
    #[schema(inline)]
    pub number: Line<12>,
    /// Letter box, where there is one.
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub letter_box: Option<Line<12>>,
    /// Postal code: 1000 to 9999.
    #[validate(range(min = 1000, max = 9999, message = "must be a Belgian postal code, 1000 to 9999"))]
    #[schema(minimum = 1000, maximum = 9999)]
    pub postal_code: u16,
    /// Name of the municipality or its part.
    #[schema(inline)]
    pub locality: Line<80>,
    /// Longitude and latitude in degrees (WGS 84), when the address has been placed on the map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 2, max_items = 2)]
    pub point: Option<[f64; 2]>,
}
impl PostalAddress {
    /// The dwelling in a form in which two spellings of one address are equal; only for the keyed index.
    #[must_use]
    pub fn for_index(&self) -> String {
        let plain = |text: &str| text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let letter_box = self.letter_box.as_ref().map_or_else(String::new, |b| plain(b.as_str()));
        format!("{}|{}|{}|{}", self.postal_code, plain(self.street.as_str()), plain(self.number.as_str()), letter_box)
    }
}
impl std::fmt::Debug for PostalAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹address›")
    }
}
