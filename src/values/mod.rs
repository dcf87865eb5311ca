//! The small words everything is spelled in. They know nothing of the rest of the house.

mod clock;
mod email_address;
mod hex;
mod id;
mod language;
mod person_name;
mod phone_number;
mod postal_address;
mod steady;
mod text;

pub use clock::{Clock, Timestamp};
pub use email_address::EmailAddress;
pub use hex::hex;
pub use id::{Id, NotAnId, of};
pub use language::{Language, Localized};
pub use person_name::PersonName;
pub use phone_number::PhoneNumber;
pub use postal_address::PostalAddress;
pub use steady::{Leap, leap};
pub use text::{Invalid, Line, Prose};

/// A place where a fault script makes this process die at once, as by `kill -9`: `FAILPOINTS=claim.after=1*return`. The
/// other actions of the `fail` crate (`panic`, `sleep(50)`) work too. Without the feature `failpoints` it is nothing.
#[macro_export]
macro_rules! dies_at {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        {
            if fail::eval($name, |_| ()).is_some() {
                std::process::abort();
            }
        }
    };
}
/// A place where a fault script makes this one fall over it: `FAILPOINTS=smtp.poison=return(17)` panics at delivery 17.
#[macro_export]
macro_rules! falls_over {
    ($name:literal, $over:expr) => {
        #[cfg(feature = "failpoints")]
        {
            let named = fail::eval($name, |name| name).flatten();
            assert!(named.is_none_or(|name| name != $over.to_string()), "a failpoint");
        }
    };
}

/// Declares an enum that is written as one fixed word in JSON, in both databases and in the contract.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $var:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        $vis enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $var),+ }
        impl $name {
            /// Every word, in order.
            pub const ALL: &'static [Self] = &[$(Self::$var),+];
            /// The word as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$var => $text),+ } }
            /// The word read back.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Self::$var),)+ _ => None } }
        }
        // By hand: the derived one also takes `{"word": null}`, calls a number a fault of syntax, and as the key of a map
        // hides where it stood.
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize<'de>>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::unknown_variant(&text, &[$($text),+]))
            }
        }
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some([$($text),+]))
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
        }
        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where str: diesel::serialize::ToSql<diesel::sql_types::Text, DB> {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                <str as diesel::serialize::ToSql<diesel::sql_types::Text, DB>>::to_sql(self.as_str(), out)
            }
        }
        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB> {
            fn from_sql(value: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let text = <String as diesel::deserialize::FromSql<diesel::sql_types::Text, DB>>::from_sql(value)?;
                Self::parse(&text).ok_or_else(|| format!("unknown {}: {text}", stringify!($name)).into())
            }
        }
    };
}
