//! The house rules (ROI): versions of a text that every member acknowledges. Pure.

use sha2::{Digest, Sha256};

use crate::values::Language;
use crate::values::Localized;
use crate::values::Prose;
use crate::values::Timestamp;
use crate::values::hex;

/// A version of the house rules.
#[derive(Debug, Clone)]
pub struct HouseRules {
    /// Its number, from one.
    pub number: i32,
    /// What they say, in the languages of the zone at least.
    pub texts: Localized<Prose<20000>>,
    /// SHA-256 over languages and texts, in hex.
    pub hash: String,
    /// When they were laid down.
    pub created_at: Timestamp,
}

/// SHA-256 over every language and text with their lengths, in hex.
#[must_use]
pub(super) fn hash_of(texts: &Localized<Prose<20000>>) -> String {
    let mut hasher = Sha256::new();
    for (language, text) in texts.iter() {
        for part in [language.as_str(), text.as_str()] {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hex(&hasher.finalize())
}
/// The first language of the zone in which there is no text.
#[must_use]
pub(super) fn missing_language(texts: &Localized<Prose<20000>>, needed: &[Language]) -> Option<Language> {
    needed.iter().copied().find(|language| texts.get(*language).is_none())
}

#[cfg(test)]
mod tests {
    use super::{hash_of, missing_language};
    use crate::values::{Language, Localized, Prose};

    fn said(texts: &[(Language, &str)]) -> Localized<Prose<20000>> {
        Localized::new(texts.iter().map(|(language, text)| (*language, Prose::parse(text).unwrap())))
    }
    #[test]
    fn the_hash_tells_texts_and_languages_apart() {
        let fr = said(&[(Language::Fr, "a")]);
        assert_eq!(hash_of(&fr), hash_of(&said(&[(Language::Fr, "a")])));
        assert_ne!(hash_of(&fr), hash_of(&said(&[(Language::Nl, "a")])));
        assert_ne!(hash_of(&fr), hash_of(&said(&[(Language::Fr, "b")])));
        assert_eq!(hash_of(&fr).len(), 64);
    }
    #[test]
    fn every_language_of_the_zone_is_needed() {
        let fr = said(&[(Language::Fr, "a")]);
        assert_eq!(missing_language(&fr, &[Language::Fr]), None);
        assert_eq!(missing_language(&fr, &[Language::Fr, Language::Nl]), Some(Language::Nl));
    }
}
