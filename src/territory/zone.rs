//! A police zone: its number, how to reach it, when it is open, and how it handles a message of its own officers.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::values::Id;
use crate::values::Invalid;
use crate::values::Language;
use crate::values::Line;
use crate::values::Localized;
use crate::values::of;

crate::words! {
    /// Who may approve a message that an officer of the zone wrote.
    pub enum OwnMessage {
        /// Another officer, always.
        Dual = "dual",
        /// The officer on duty alone, with a fresh proof of identity, a reason and an after-review.
        SoloDuty = "solo_duty",
    }
}

/// A time on the clock, `08:30`. `24:00` ends a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TimeOfDay(String);
impl TimeOfDay {
    /// Reads `HH:MM`.
    ///
    /// # Errors
    /// When it is no time on a clock.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let read = text.split_once(':').filter(|(hours, minutes)| is_two_digits(hours) && is_two_digits(minutes));
        let is_time = read.is_some_and(|(hours, minutes)| (hours < "24" && minutes < "60") || text == "24:00");
        if is_time { Ok(Self(text.to_owned())) } else { Err(Invalid("must be a time such as 08:30".into())) }
    }
}
impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
impl utoipa::PartialSchema for TimeOfDay {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"))
            .into()
    }
}
impl ToSchema for TimeOfDay {
    fn name() -> Cow<'static, str> {
        "TimeOfDay".into()
    }
}

/// From when until when the counter is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "opens_before_it_closes"))]
pub struct OpeningSpan {
    /// Opens.
    #[schema(inline)]
    pub from: TimeOfDay,
    /// Closes, later on the same day.
    #[schema(inline)]
    pub until: TimeOfDay,
}
fn opens_before_it_closes(span: &OpeningSpan) -> Result<(), ValidationError> {
    if span.from < span.until {
        Ok(())
    } else {
        Err(ValidationError::new("closes_first").with_message("must close later than it opens".into()))
    }
}

/// When the counter is open, day by day; a day left out is closed. Emergencies do not wait for it: 101 and 112.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct OpeningHours {
    /// On Mondays.
    #[validate(length(max = 4), nested)]
    #[schema(max_items = 4)]
    pub monday: Vec<OpeningSpan>,
    /// On Tuesdays.
    #[validate(length(max = 4), nested)]
    #[schema(max_items = 4)]
    pub tuesday: Vec<OpeningSpan>,
    /// On Wednesdays.
    #[validate(length(max = 4), nested)]
    #[schema(max_items = 4)]
    pub wednesday: Vec<OpeningSpan>,
    /// On Thursdays.
    #[validate(length(max = 4), nested)]
    #[schema(max_items = 4)]
    pub thursday: Vec<OpeningSpan>,
    /// On Fridays.
    #[validate(length(max = 4), nested)]
    #[schema(max_items = 4)]
    pub friday: Vec<OpeningSpan>,
    /// On Saturdays.
    #[validate(length(max = 4), nested)]
    #[schema(max_items = 4)]
    pub saturday: Vec<OpeningSpan>,
    /// On Sundays.
    #[validate(length(max = 4), nested)]
    #[schema(max_items = 4)]
    pub sunday: Vec<OpeningSpan>,
}

/// A police zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// Its identifier.
    pub id: Id<of::Zone>,
    /// Its official number, four digits.
    pub number: String,
    /// What it is called.
    pub names: Localized<Line<120>>,
    /// The languages it works in.
    pub languages: Vec<Language>,
    /// Its telephone number; not the emergency number.
    pub phone: String,
    /// Its e-mail address.
    pub email: Option<String>,
    /// When its counter is open.
    pub hours: OpeningHours,
    /// Who approves what its own officers wrote.
    pub own_message: OwnMessage,
    /// The municipalities it covers, by NIS code, in order.
    pub municipalities: Vec<String>,
    /// Raised with every change.
    pub version: i64,
}

/// A zone to be entered.
#[derive(Debug, Clone)]
pub struct NewZone {
    /// Its official number, four digits.
    pub number: String,
    /// What it is called.
    pub names: Localized<Line<120>>,
    /// The languages it works in.
    pub languages: Vec<Language>,
    /// Its telephone number.
    pub phone: String,
    /// Its e-mail address.
    pub email: Option<String>,
    /// When its counter is open.
    pub hours: OpeningHours,
    /// Who approves what its own officers wrote.
    pub own_message: OwnMessage,
    /// NIS codes.
    pub municipalities: Vec<String>,
}

/// Four digits.
#[must_use]
pub(super) fn is_zone_number(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{TimeOfDay, is_zone_number};

    #[test]
    fn a_time_stands_on_a_clock() {
        for good in ["00:00", "08:30", "23:59", "24:00"] {
            assert!(TimeOfDay::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "8:30", "08:60", "24:01", "25:00", "08.30", "08:3", "é:00", "08:30:00", "+1:00"] {
            assert!(TimeOfDay::parse(bad).is_err(), "{bad}");
        }
    }
    #[test]
    fn a_zone_number_has_four_digits() {
        assert!(is_zone_number("5306"));
        for bad in ["", "530", "53060", "53a6", "٥٣٠٦"] {
            assert!(!is_zone_number(bad), "{bad}");
        }
    }
}
