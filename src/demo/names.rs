//! Invented people: names from each language, addresses under `.example`, numbers that are valid and nobody's we know.

use crate::values::Language;

const GIVEN_FR: &[&str] = &[
    "Camille", "Luc", "Martine", "Olivier", "Nathalie", "Étienne", "Sophie", "Benoît", "Zoé", "Maurice", "Aurélie",
    "Philippe",
];
const FAMILY_FR: &[&str] = &[
    "Dubois", "Lambert", "Lejeune", "Noël", "Dupont", "Renard", "Simon", "Gérard", "Collard", "Thiry", "Hubert",
    "Marchal",
];
const GIVEN_NL: &[&str] =
    &["Lotte", "Pieter", "Griet", "Wout", "An", "Jef", "Marleen", "Koen", "Saskia", "Joris", "Hilde", "Bram"];
const FAMILY_NL: &[&str] = &[
    "Peeters",
    "Janssens",
    "Claes",
    "Wouters",
    "De Smet",
    "Van Damme",
    "Maes",
    "Goossens",
    "Willems",
    "De Clercq",
    "Aerts",
    "Hermans",
];
const GIVEN_DE: &[&str] = &["Ursula", "Jürgen", "Anke", "Dieter", "Käthe", "Lukas", "Heike", "Rolf"];
const FAMILY_DE: &[&str] = &["Schröder", "Kessel", "Jansen", "Fank", "Müller", "Hoffmann", "Küpper", "Radermacher"];
const GIVEN_EN: &[&str] = &["Alice", "George", "Emma", "Harry", "Olivia", "Arthur", "Grace", "Edward"];
const FAMILY_EN: &[&str] = &["Wellington", "Baker", "Turner", "Hughes", "Carter", "Walsh", "Bennett", "Foster"];

/// Streets of the invented quarters.
pub(super) const STREETS: &[&str] = &[
    "Rue du Lion",
    "Chaussée de Bruxelles",
    "Drève du Chien Vert",
    "Avenue des Croix de Feu",
    "Clos du Champ de Mai",
    "Rue de la Station",
];

/// The languages of the members: about seven in ten French, two Dutch, the others German and English.
pub(super) fn language(number: u32) -> Language {
    match number % 20 {
        0..=13 => Language::Fr,
        14..=17 => Language::Nl,
        18 => Language::De,
        _ => Language::En,
    }
}
fn pick(list: &'static [&'static str], number: u32) -> &'static str {
    let length = u32::try_from(list.len()).unwrap_or(1).max(1);
    list.get(usize::try_from(number % length).unwrap_or(0)).copied().unwrap_or("Anonyme")
}
/// Given and family name.
pub(super) fn name(number: u32) -> (&'static str, &'static str) {
    let (given, family) = match language(number) {
        Language::Fr => (GIVEN_FR, FAMILY_FR),
        Language::Nl => (GIVEN_NL, FAMILY_NL),
        Language::De => (GIVEN_DE, FAMILY_DE),
        Language::En => (GIVEN_EN, FAMILY_EN),
    };
    (pick(given, number / 3), pick(family, number / 7 + number))
}
/// A mail address that reaches nobody.
pub(super) fn email(number: u32) -> String {
    format!("member{number}@waterloo.example")
}
/// A mobile number in a valid shape.
pub(super) fn mobile(number: u32) -> String {
    format!("+32470{:06}", 100_000 + number)
}
