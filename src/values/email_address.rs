//! E-mail addresses, never printed by accident.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use super::Invalid;

/// A deliverable e-mail address. Its domain is lower case; it compares without regard to case.
#[derive(Clone)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The longest address SMTP can carry (RFC 5321, 4.5.3.1).
    pub const MAX: usize = 254;
    /// Reads an address such as `an.peeters@post.example`.
    ///
    /// # Errors
    /// Says that it is not an address mail can be sent to.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid("must be an e-mail address such as name@example.be".into());
        let text = text.trim();
        if text.len() > Self::MAX
            || !text.is_ascii()
            || text.contains(|c: char| c.is_control() || c.is_whitespace() || "\"<>(),;:\\[]".contains(c))
        {
            return Err(wrong());
        }
        let address: lettre::Address = text.parse().map_err(|_| wrong())?;
        if !address.domain().contains('.') {
            return Err(wrong());
        }
        Ok(Self(format!("{}@{}", address.user(), address.domain().to_ascii_lowercase())))
    }
    /// The address as it goes on an envelope or is sealed in a column.
    #[must_use]
    pub fn for_envelope(&self) -> &str {
        &self.0
    }
    /// The form in which two spellings of one address are equal; only for the keyed index.
    #[must_use]
    pub fn for_index(&self) -> String {
        self.0.to_lowercase()
    }
    /// `j***@g***`, enough to recognise one's own.
    #[must_use]
    pub fn masked(&self) -> String {
        let (user, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let first = |text: &str| text.chars().next().map_or_else(String::new, String::from);
        format!("{}***@{}***", first(user), first(domain))
    }
}
impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
impl Eq for EmailAddress {}
impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹email›")
    }
}
impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
impl utoipa::PartialSchema for EmailAddress {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
            .max_length(Some(Self::MAX))
            .into()
    }
}
impl utoipa::ToSchema for EmailAddress {
    fn name() -> Cow<'static, str> {
        "EmailAddress".into()
    }
}

#[cfg(test)]
mod tests {
    use super::EmailAddress;

    #[test]
    fn spellings_of_one_address_are_equal() {
        assert_eq!(EmailAddress::parse("An@Post.Example").unwrap(), EmailAddress::parse(" an@post.example ").unwrap());
    }
    #[test]
    fn what_mail_cannot_reach_is_refused() {
        for bad in [
            "",
            "an",
            "an@",
            "@x.be",
            "an@localhost",
            "a b@x.be",
            "an@x.be\r\nBcc: b@x.be",
            "<an@x.be>",
            "é@x.be",
            "a@[127.0.0.1]",
            "a\"@x.be",
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }
    #[test]
    fn it_prints_neither_itself_nor_too_much() {
        let address = EmailAddress::parse("jan@gmail.example").unwrap();
        assert_eq!(format!("{address:?} {}", address.masked()), "‹email› j***@g***");
    }
}
