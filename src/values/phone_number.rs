//! Telephone numbers in E.164, never printed by accident.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use super::Invalid;

/// A valid telephone number in E.164 (`+32470123456`). National spellings are read as Belgian.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    number: String,
    mobile: bool,
}

impl PhoneNumber {
    /// Reads `0470 12 34 56`, `+32 2 274 21 11`, `0032...`; refuses emergency, short and premium numbers.
    ///
    /// # Errors
    /// Says that the number cannot be called.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        use phonenumber::{Mode, Type, country};
        let wrong = || Invalid("must be a telephone number such as +32470123456".into());
        if text.len() > 40 || !text.chars().all(|c| c.is_ascii_digit() || "+ ./-()".contains(c)) {
            return Err(wrong());
        }
        let parsed = phonenumber::parse(Some(country::BE), text.trim()).map_err(|_| wrong())?;
        // `parse` also takes `101` and `04701234`; only `is_valid` knows better.
        if !phonenumber::is_valid(&parsed) {
            return Err(wrong());
        }
        match parsed.number_type(&phonenumber::metadata::DATABASE) {
            Type::PremiumRate | Type::SharedCost | Type::ShortCode | Type::Emergency => Err(wrong()),
            kind => Ok(Self {
                number: parsed.format().mode(Mode::E164).to_string(),
                mobile: matches!(kind, Type::Mobile | Type::FixedLineOrMobile),
            }),
        }
    }
    /// The number as it is dialled, in E.164.
    #[must_use]
    pub fn for_dialling(&self) -> &str {
        &self.number
    }
    /// Can it receive an SMS?
    #[must_use]
    pub const fn is_mobile(&self) -> bool {
        self.mobile
    }
    /// `+32 4** ** ** 56`, enough to recognise one's own.
    #[must_use]
    pub fn masked(&self) -> String {
        let digits: Vec<char> = self.number.chars().collect();
        let shown = |i: usize| i < 4 || i + 2 >= digits.len();
        digits.iter().enumerate().map(|(i, c)| if shown(i) { *c } else { '*' }).collect()
    }
}
impl std::fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹phone›")
    }
}
impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
impl utoipa::PartialSchema for PhoneNumber {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(8))
            .max_length(Some(40))
            .description(Some("E.164, or as written in Belgium"))
            .into()
    }
}
impl utoipa::ToSchema for PhoneNumber {
    fn name() -> Cow<'static, str> {
        "PhoneNumber".into()
    }
}

#[cfg(test)]
mod tests {
    use super::PhoneNumber;

    #[test]
    fn belgian_spellings_become_e164() {
        for (text, number, mobile) in [
            ("0470 12 34 56", "+32470123456", true),
            ("0032470123456", "+32470123456", true),
            ("+32 (0)470/12.34.56", "+32470123456", true),
            ("02/274.21.11", "+3222742111", false),
        ] {
            let read = PhoneNumber::parse(text).unwrap();
            assert_eq!((read.for_dialling(), read.is_mobile()), (number, mobile), "{text}");
        }
    }
    #[test]
    fn numbers_nobody_should_message_are_refused() {
        for bad in ["101", "112", "04701234", "0900 12 345", "abc", "+", ""] {
            assert!(PhoneNumber::parse(bad).is_err(), "{bad}");
        }
    }
    #[test]
    fn it_prints_masked() {
        let number = PhoneNumber::parse("0470123456").unwrap();
        assert_eq!(format!("{number:?} {}", number.masked()), "‹phone› +324******56");
    }
}
