//! The languages Vigie speaks, and texts that exist in several of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

crate::words! {
    /// A language of the country, or English.
    pub enum Language {
        /// French.
        Fr = "fr",
        /// Dutch.
        Nl = "nl",
        /// German.
        De = "de",
        /// English.
        En = "en",
    }
}

/// The same thing said in one or more languages; never empty once validated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Localized<T>(BTreeMap<Language, T>);

/// A language read as plain text: the pointer of a fault inside then names it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key(Language);
impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Language::parse(&Cow::<str>::deserialize(deserializer)?)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("must be one of fr, nl, de, en"))
    }
}
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Localized<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = BTreeMap::<Key, T>::deserialize(deserializer)?;
        Ok(Self(texts.into_iter().map(|(key, text)| (key.0, text)).collect()))
    }
}

impl<T> Localized<T> {
    /// From pairs of language and text.
    #[must_use]
    pub fn new(texts: impl IntoIterator<Item = (Language, T)>) -> Self {
        Self(texts.into_iter().collect())
    }
    /// The text in exactly this language.
    #[must_use]
    pub fn get(&self, language: Language) -> Option<&T> {
        self.0.get(&language)
    }
    /// The text in this language, else in the first of the fallbacks that exists, else in any.
    #[must_use]
    pub fn best(&self, language: Language, fallback: &[Language]) -> Option<(Language, &T)> {
        std::iter::once(&language)
            .chain(fallback)
            .find_map(|wanted| self.0.get_key_value(wanted))
            .or_else(|| self.0.first_key_value())
            .map(|(found, text)| (*found, text))
    }
    /// The languages present, in order.
    pub fn languages(&self) -> impl Iterator<Item = Language> + '_ {
        self.0.keys().copied()
    }
    /// Every pair, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Language, &T)> {
        self.0.iter().map(|(language, text)| (*language, text))
    }
    /// Says it in no language at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: utoipa::ToSchema> utoipa::PartialSchema for Localized<T> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let mut object = utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Object)
            .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(false)));
        for language in Language::ALL {
            object = object.property(language.as_str(), T::schema());
        }
        object.into()
    }
}
impl<T: utoipa::ToSchema> utoipa::ToSchema for Localized<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("Localized{}", T::name()).into()
    }
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        T::schemas(schemas);
    }
}
