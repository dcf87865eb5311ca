//! The reference data that come with the program: regions, provinces and the 581 municipalities of 1 January 2020.

use std::collections::HashMap;

use super::store;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Language;
use crate::values::Line;
use crate::values::Localized;

/// The day of the list of municipalities.
pub(super) const AS_OF: &str = "2020-01-01";
const LIST: &str = include_str!("municipalities-be-2020.csv");

/// Code and names (FR, NL, DE, EN), codes by ISO 3166-2:BE.
type Named = (&'static str, [&'static str; 4]);
const REGIONS: &[Named] = &[
    (
        "BRU",
        [
            "Région de Bruxelles-Capitale",
            "Brussels Hoofdstedelijk Gewest",
            "Region Brüssel-Hauptstadt",
            "Brussels-Capital Region",
        ],
    ),
    ("VLG", ["Région flamande", "Vlaams Gewest", "Flämische Region", "Flemish Region"]),
    ("WAL", ["Région wallonne", "Waals Gewest", "Wallonische Region", "Walloon Region"]),
];
const PROVINCES: &[(&str, Named)] = &[
    ("VLG", ("VAN", ["Anvers", "Antwerpen", "Antwerpen", "Antwerp"])),
    ("VLG", ("VBR", ["Brabant flamand", "Vlaams-Brabant", "Flämisch-Brabant", "Flemish Brabant"])),
    ("VLG", ("VLI", ["Limbourg", "Limburg", "Limburg", "Limburg"])),
    ("VLG", ("VOV", ["Flandre orientale", "Oost-Vlaanderen", "Ostflandern", "East Flanders"])),
    ("VLG", ("VWV", ["Flandre occidentale", "West-Vlaanderen", "Westflandern", "West Flanders"])),
    ("WAL", ("WBR", ["Brabant wallon", "Waals-Brabant", "Wallonisch-Brabant", "Walloon Brabant"])),
    ("WAL", ("WHT", ["Hainaut", "Henegouwen", "Hennegau", "Hainaut"])),
    ("WAL", ("WLG", ["Liège", "Luik", "Lüttich", "Liège"])),
    ("WAL", ("WLX", ["Luxembourg", "Luxemburg", "Luxemburg", "Luxembourg"])),
    ("WAL", ("WNA", ["Namur", "Namen", "Namur", "Namur"])),
];

/// A region of the list.
pub(super) struct ReferenceRegion {
    pub(super) code: &'static str,
    pub(super) names: Localized<Line<120>>,
}
/// A province of the list.
pub(super) struct ReferenceProvince {
    pub(super) code: &'static str,
    pub(super) region: &'static str,
    pub(super) names: Localized<Line<120>>,
}
/// A municipality of the list.
pub(super) struct ReferenceMunicipality {
    pub(super) nis: String,
    pub(super) region: &'static str,
    pub(super) province: Option<&'static str>,
    pub(super) names: Localized<Line<120>>,
}

fn localized(names: &[&str; 4]) -> Result<Localized<Line<120>>, StorageError> {
    let [fr, nl, de, en] = names;
    let mut texts = Vec::new();
    for (language, name) in [(Language::Fr, fr), (Language::Nl, nl), (Language::De, de), (Language::En, en)] {
        if !name.is_empty() {
            texts.push((language, Line::parse(name).map_err(|error| StorageError::Corrupt(error.to_string()))?));
        }
    }
    Ok(Localized::new(texts))
}
fn municipalities() -> Result<Vec<ReferenceMunicipality>, StorageError> {
    let corrupt = |reason: String| StorageError::Corrupt(format!("list of municipalities: {reason}"));
    let codes: HashMap<&str, &str> = PROVINCES.iter().map(|(_, (code, [french, ..]))| (*french, *code)).collect();
    let mut found = Vec::with_capacity(600);
    for row in csv::Reader::from_reader(LIST.as_bytes()).records() {
        let row = row.map_err(|error| corrupt(error.to_string()))?;
        let cell = |at: usize| row.get(at).unwrap_or_default();
        let region = match cell(8) {
            "brussels" => "BRU",
            "flanders" => "VLG",
            "wallonia" => "WAL",
            other => return Err(corrupt(format!("region {other}"))),
        };
        let province = match cell(6) {
            "" => None,
            name => Some(*codes.get(name).ok_or_else(|| corrupt(format!("province {name}")))?),
        };
        let names = localized(&[cell(1), cell(2), cell(3), ""])?;
        found.push(ReferenceMunicipality { nis: cell(0).to_owned(), region, province, names });
    }
    Ok(found)
}

/// Writes the reference data that are not there yet; how many municipalities were new. Harmless when repeated, and when
/// several nodes start at once.
///
/// # Errors
/// When the database fails.
pub fn load_reference(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let regions = REGIONS
        .iter()
        .map(|(code, names)| Ok(ReferenceRegion { code, names: localized(names)? }))
        .collect::<Result<Vec<_>, StorageError>>()?;
    let provinces = PROVINCES
        .iter()
        .map(|(region, (code, names))| Ok(ReferenceProvince { code, region, names: localized(names)? }))
        .collect::<Result<Vec<_>, StorageError>>()?;
    store::put_reference(tx, &regions, &provinces, &municipalities()?)
}

#[cfg(test)]
mod tests {
    use super::municipalities;

    #[test]
    fn the_list_is_whole() {
        let all = municipalities().unwrap();
        assert_eq!(all.len(), 581);
        assert_eq!(all.iter().filter(|one| one.province.is_none()).count(), 19, "Brussels lies in no province");
        assert!(all.iter().all(|one| one.province.is_none() == (one.region == "BRU")));
        assert!(all.iter().all(|one| one.nis.len() == 5 && !one.names.is_empty()));
    }
}
