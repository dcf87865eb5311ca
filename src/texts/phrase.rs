//! Phrases: one Fluent message at a time, and the kinds of text that are made of several.

use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, langid, static_loader};

use crate::values::Language;

static_loader! {
    static LOCALES = {
        locales: "src/texts/locales",
        fallback_language: "fr",
        // Isolating marks are invisible, and would make every short message cost more than double.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// Values that are numbers, so that the phrase can tell one from many. All others, codes above all, are text.
const COUNTS: &[&str] = &["hours", "minutes"];
/// Values that may be a word of ours (`coordinator`, `update`, `no_link`) and are then put in the reader's language.
const WORDS: &[&str] = &["role", "kind", "reason"];

/// The phrase of this key in this language, with its values filled in.
///
/// A key that does not exist, or a value that is missing, is logged; the answer is then the key itself.
#[must_use]
pub fn phrase(language: Language, key: &str, values: &[(&str, &str)]) -> String {
    find(language, key, values).unwrap_or_else(|| {
        tracing::error!(key, language = language.as_str(), "no such phrase, or a value it needs is missing");
        key.to_owned()
    })
}

/// The phrase of this key, if there is one and nothing it needs is missing.
pub(super) fn find(language: Language, key: &str, values: &[(&str, &str)]) -> Option<String> {
    let values: HashMap<&str, FluentValue<'_>> = values
        .iter()
        .map(|&(name, text)| match text.parse::<u32>() {
            Ok(count) if COUNTS.contains(&name) => (name, FluentValue::from(count)),
            _ => (name, FluentValue::from(text)),
        })
        .collect();
    LOCALES.lookup_single_language(&identifier(language), key, Some(&values)).ok()
}

/// Every value a text needs, words of ours said in the reader's language. A missing one is logged and left empty: a
/// letter with a gap is better than none.
pub(super) fn complete<'a>(
    language: Language,
    text: &str,
    needed: &[&'static str],
    given: &[(&'a str, &'a str)],
) -> Vec<(&'a str, String)> {
    let missing = needed.iter().filter(|name| !given.iter().any(|(other, _)| other == *name)).map(|name| {
        tracing::error!(text, value = name, "a value is missing");
        (*name, "")
    });
    let all = given.iter().copied().chain(missing);
    all.map(|(name, value)| match WORDS.contains(&name) {
        true => (name, find(language, &format!("{name}-{value}"), &[]).unwrap_or_else(|| value.to_owned())),
        false => (name, value.to_owned()),
    })
    .collect()
}

const fn identifier(language: Language) -> LanguageIdentifier {
    match language {
        Language::Fr => langid!("fr"),
        Language::Nl => langid!("nl"),
        Language::De => langid!("de"),
        Language::En => langid!("en"),
    }
}

/// Declares an enum of texts, each with the word its phrases are keyed by and the names of the values it needs.
macro_rules! kinds {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $kind:ident = $key:literal [$($value:literal),*]),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* $kind),+ }
        impl $name {
            /// Every kind, in order.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];
            /// The word its phrases are keyed by.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$kind => $key),+ }
            }
            /// The names of the values it needs.
            #[must_use]
            pub const fn values_needed(self) -> &'static [&'static str] {
                match self { $(Self::$kind => &[$($value),*]),+ }
            }
        }
    };
}
pub(super) use kinds;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;

    use super::{Language, find, phrase};

    /// Every key of a language, with the values its text uses.
    fn keys(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/texts/locales").join(language.as_str());
        let files: BTreeSet<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut key = String::new();
        for line in files
            .iter()
            .flat_map(|file| fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        {
            if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
                key = line.split_once(" =").unwrap().0.to_owned();
                assert!(keys.insert(key.clone(), BTreeSet::new()).is_none(), "{key} twice in {language:?}");
            }
            if !line.starts_with('#') {
                for used in line.split("{ $").skip(1) {
                    let name = used.split(' ').next().unwrap().to_owned();
                    keys.get_mut(&key).unwrap().insert(name);
                }
            }
        }
        keys
    }

    #[test]
    fn every_phrase_exists_in_every_language_with_the_same_values() {
        let french = keys(Language::Fr);
        assert!(french.len() > 100, "{}", french.len());
        for language in Language::ALL {
            assert_eq!(keys(*language), french, "{language:?}");
        }
    }
    #[test]
    fn every_phrase_can_be_said() {
        for language in Language::ALL {
            for (key, used) in keys(*language) {
                let values: Vec<_> = used.iter().map(|name| (name.as_str(), "ZZ")).collect();
                let said = find(*language, &key, &values).unwrap_or_else(|| panic!("{key} in {language:?}"));
                assert!(!said.is_empty() && !said.contains(['\u{2068}', '\u{2069}', '{']), "{key}: {said}");
                assert_eq!(said.contains("ZZ"), !used.is_empty(), "{key}: {said}");
            }
        }
    }
    #[test]
    fn words_of_the_house_are_phrases() {
        let roles = "coordinator deputy steering_group_member mandated_officer zone_administrator municipality \
                     provincial_group expertise_centre federal_service member";
        let kinds = "start update end feedback correction prevention meeting admin survey";
        let reasons = "paused quiet_hours night_choice duplicate household no_contact unverified not_chosen \
                       language_missing suspended suspended_endpoint stopped \
                       not_adult outside_perimeter no_link rules_not_acknowledged unreachable other_lawful";
        let problems = "link_unknown wrong_code passwords_differ password_weak too_many unavailable";
        for (family, words) in [
            ("role", roles),
            ("kind", kinds),
            ("class", "urgent non_urgent"),
            ("reason", reasons),
            ("problem", problems),
        ] {
            for word in words.split_whitespace() {
                for language in Language::ALL {
                    assert!(find(*language, &format!("{family}-{word}"), &[]).is_some(), "{family}-{word}");
                }
            }
        }
    }
    #[test]
    fn one_and_many_differ_and_a_code_keeps_its_zeros() {
        let reset = |minutes| phrase(Language::En, "letter-password_reset-body", &[("minutes", minutes)]);
        assert!(reset("1").contains("1 minute ") && reset("30").contains("30 minutes "), "{}", reset("1"));
        let code = phrase(Language::Fr, "sms-contact_code", &[("partnership", "Le Sart"), ("code", "004210")]);
        assert!(code.contains(" 004210."), "{code}");
    }
    #[test]
    fn what_is_not_there_is_answered_with_its_key() {
        assert_eq!(phrase(Language::De, "no-such-key", &[]), "no-such-key");
        assert_eq!(phrase(Language::De, "sms-stop", &[]), "sms-stop", "a value is missing");
    }
}
