//! Bounded texts: a line of a form, and prose of several lines. Limits are counted in characters.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// Why a value is not acceptable, in words for the person who typed it. Never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub Cow<'static, str>);

/// One line of text: 1 to `MAX` characters, trimmed, without control characters or line breaks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Line<const MAX: usize>(String);

/// Text of several lines: 1 to `MAX` characters, trimmed; line breaks are `\n`, no other control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Prose<const MAX: usize>(String);

/// Characters that break a header, hide text or turn its direction.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}')
}
fn checked(text: &str, max: usize, lines: bool) -> Result<String, Invalid> {
    let text = if lines { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() };
    let text = text.trim();
    let count = text.chars().count();
    if count == 0 {
        return Err(Invalid("must not be empty".into()));
    }
    if count > max {
        return Err(Invalid(format!("must be at most {max} characters, it has {count}").into()));
    }
    if text.chars().any(|c| is_harmful(c) && !(lines && matches!(c, '\n' | '\t'))) {
        let kind = if lines {
            "must not contain control or invisible characters"
        } else {
            "must be one line without control or invisible characters"
        };
        return Err(Invalid(kind.into()));
    }
    Ok(text.to_owned())
}

macro_rules! bounded {
    ($name:ident, $lines:literal, $label:literal) => {
        impl<const MAX: usize> $name<MAX> {
            /// Reads and trims a text.
            ///
            /// # Errors
            /// Says what is wrong with it: empty, too long, or with characters that do not belong.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                checked(text, MAX, $lines).map(Self)
            }
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl<const MAX: usize> std::fmt::Debug for $name<MAX> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!("‹", $label, "›"))
            }
        }
        impl<'de, const MAX: usize> Deserialize<'de> for $name<MAX> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
        impl<const MAX: usize> utoipa::PartialSchema for $name<MAX> {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX)).into()
            }
        }
        impl<const MAX: usize> utoipa::ToSchema for $name<MAX> {
            fn name() -> Cow<'static, str> {
                format!(concat!(stringify!($name), "{}"), MAX).into()
            }
        }
    };
}
bounded!(Line, false, "line");
bounded!(Prose, true, "prose");

#[cfg(test)]
mod tests {
    use super::{Line, Prose};

    #[test]
    fn a_line_is_trimmed_and_bounded_by_characters() {
        assert_eq!(Line::<5>::parse("  né à ").unwrap().as_str(), "né à");
        assert!(Line::<3>::parse("abcd").is_err());
        assert!(Line::<3>::parse("  ").is_err());
    }
    #[test]
    fn a_line_holds_no_header_and_no_hidden_direction() {
        for bad in ["a\r\nBcc: x", "a\u{2028}b", "a\u{202E}b", "a\0b", "a\u{85}b", "a\u{200B}b"] {
            assert!(Line::<50>::parse(bad).is_err(), "{bad:?}");
        }
    }
    #[test]
    fn prose_keeps_its_lines() {
        assert_eq!(Prose::<50>::parse("a\r\nb\rc\n").unwrap().as_str(), "a\nb\nc");
        assert!(Prose::<50>::parse("a\u{7}b").is_err());
    }
    #[test]
    fn debug_shows_no_text() {
        assert_eq!(format!("{:?}", Line::<50>::parse("secret").unwrap()), "‹line›");
    }
}
