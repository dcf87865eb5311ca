//! A person's name, never printed by accident.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Line;

/// What a person is called.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonName {
    /// Given name.
    #[schema(inline)]
    pub given: Line<80>,
    /// Family name.
    #[schema(inline)]
    pub family: Line<80>,
}
impl PersonName {
    /// From two parts.
    ///
    /// # Errors
    /// Says which rule a part breaks.
    pub fn parse(given: &str, family: &str) -> Result<Self, super::Invalid> {
        Ok(Self { given: Line::parse(given)?, family: Line::parse(family)? })
    }
    /// `Jeanne Dupont`, for a letter to that person or a list they are entitled to read.
    #[must_use]
    pub fn for_letter(&self) -> String {
        format!("{} {}", self.given.as_str(), self.family.as_str())
    }
    /// `J. D.`.
    #[must_use]
    pub fn initials(&self) -> String {
        [&self.given, &self.family]
            .iter()
            .filter_map(|part| part.as_str().chars().next())
            .map(|c| format!("{c}."))
            .collect::<Vec<_>>()
            .join(" ")
    }
}
impl std::fmt::Debug for PersonName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹name›")
    }
}
