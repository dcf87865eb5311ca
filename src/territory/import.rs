//! Many zones from one file: everything, or nothing with each cell at fault named.

use std::collections::HashMap;

use super::error::TerritoryError;
use super::store;
use super::zone::{NewZone, OpeningHours, OwnMessage, Zone, is_zone_number};
use crate::storage::Tx;
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::Line;
use crate::values::Localized;
use crate::values::PhoneNumber;
use crate::values::of;

const COLUMNS: [&str; 8] = ["number", "name_fr", "name_nl", "name_de", "phone", "email", "languages", "municipalities"];
/// More rows than the country has zones.
const ROWS_MAX: usize = 1_000;
/// More faults than anybody reads at once.
const FAULTS_MAX: usize = 100;

/// A cell at fault. Rows are counted as a spreadsheet does: the heading is row 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFault {
    row: usize,
    column: &'static str,
    /// A fixed word.
    pub(super) code: &'static str,
    /// In words.
    pub(super) detail: &'static str,
}
impl ImportFault {
    /// `/row/3/phone`.
    #[must_use]
    pub(super) fn pointer(&self) -> String {
        if self.column.is_empty() { format!("/row/{}", self.row) } else { format!("/row/{}/{}", self.row, self.column) }
    }
}
/// A row as it was read.
#[derive(Debug)]
pub(super) struct ImportRow {
    row: usize,
    number: String,
    names: Localized<Line<120>>,
    phone: String,
    email: Option<String>,
    languages: Vec<Language>,
    municipalities: Vec<String>,
}

struct Faults(Vec<ImportFault>);
impl Faults {
    fn add(&mut self, row: usize, column: &'static str, code: &'static str, detail: &'static str) {
        if self.0.len() < FAULTS_MAX {
            self.0.push(ImportFault { row, column, code, detail });
        }
    }
}

/// Reads the file. Pure.
pub(super) fn read_file(text: &str) -> Result<Vec<ImportRow>, Vec<ImportFault>> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut faults = Faults(Vec::new());
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').trim(csv::Trim::All).from_reader(text.as_bytes());
    if !reader.headers().is_ok_and(|headings| headings.iter().eq(COLUMNS)) {
        faults.add(
            1,
            "",
            "wrong_columns",
            "the headings must be number;name_fr;name_nl;name_de;phone;email;languages;municipalities",
        );
        return Err(faults.0);
    }
    let mut rows = Vec::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (at, record) in reader.records().enumerate() {
        let row = at.saturating_add(2);
        if rows.len() >= ROWS_MAX {
            faults.add(row, "", "too_many_rows", "is one row too many; send at most 1000 at once");
            break;
        }
        let Ok(record) = record else {
            faults.add(row, "", "wrong_columns", "must have as many cells as the heading");
            continue;
        };
        let read = read_row(row, &record, &mut faults);
        if numbers.insert(read.number.clone(), row).is_some() && is_zone_number(&read.number) {
            faults.add(row, "number", "twice", "stands in the file twice");
        }
        if read.municipalities.iter().filter(|nis| places.insert((*nis).clone(), row).is_some()).count() > 0 {
            faults.add(row, "municipalities", "twice", "names a municipality that stands in the file twice");
        }
        rows.push(read);
    }
    if rows.is_empty() && faults.0.is_empty() {
        faults.add(2, "", "no_rows", "must have at least one row below the heading");
    }
    if faults.0.is_empty() { Ok(rows) } else { Err(faults.0) }
}
fn read_row(row: usize, record: &csv::StringRecord, faults: &mut Faults) -> ImportRow {
    let cell = |at: usize| record.get(at).unwrap_or_default();
    let words = |at: usize| cell(at).split([' ', ',']).filter(|word| !word.is_empty());
    if !is_zone_number(cell(0)) {
        faults.add(row, "number", "not_a_zone_number", "must be four digits");
    }
    let mut names = Vec::new();
    for (at, language, column) in
        [(1, Language::Fr, "name_fr"), (2, Language::Nl, "name_nl"), (3, Language::De, "name_de")]
    {
        match Line::parse(cell(at)) {
            Ok(name) => names.push((language, name)),
            Err(_) if cell(at).is_empty() => {}
            Err(_) => faults.add(row, column, "not_a_name", "must be one line of at most 120 characters"),
        }
    }
    if [1, 2, 3].iter().all(|at| cell(*at).is_empty()) {
        faults.add(row, "name_fr", "missing", "the zone needs a name in one language at least");
    }
    let phone = PhoneNumber::parse(cell(4)).map(|phone| phone.for_dialling().to_owned()).unwrap_or_else(|_| {
        faults.add(row, "phone", "not_a_phone_number", "must be a telephone number such as +3222742111");
        String::new()
    });
    let email = match EmailAddress::parse(cell(5)) {
        Ok(email) => Some(email.for_envelope().to_owned()),
        Err(_) if cell(5).is_empty() => None,
        Err(_) => {
            faults.add(row, "email", "not_an_email_address", "must be an e-mail address, or empty");
            None
        }
    };
    let mut languages: Vec<Language> = words(6).filter_map(Language::parse).collect();
    languages.dedup();
    if languages.is_empty() || languages.len() != words(6).count() {
        faults.add(row, "languages", "not_a_language", "must be one or more of fr, nl, de, each once");
    }
    let municipalities: Vec<String> = words(7).map(str::to_owned).collect();
    if municipalities.is_empty() {
        faults.add(row, "municipalities", "missing", "must name at least one municipality by its NIS code");
    }
    ImportRow { row, number: cell(0).to_owned(), names: Localized::new(names), phone, email, languages, municipalities }
}

/// How many zones a file brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Imported {
    pub(super) created: u64,
    pub(super) updated: u64,
}

/// Enters the zones of a file; those whose number is known are changed. Hours and policies of known zones stay.
pub(super) fn import_zones(tx: &mut Tx<'_>, rows: Vec<ImportRow>) -> Result<Imported, TerritoryError> {
    let mut faults = Faults(Vec::new());
    let mut known: Vec<(ImportRow, Option<Zone>)> = Vec::new();
    for row in rows {
        let zone = store::find_zone_by_number(tx, &row.number)?;
        if let Some(zone) = &zone {
            tx.lock("zones", zone.id)?;
        }
        known.push((row, zone));
    }
    // A municipality may move between two zones of the file: all of them are emptied first.
    let emptied: Vec<Id<of::Zone>> = known.iter().filter_map(|(_, zone)| zone.as_ref().map(|zone| zone.id)).collect();
    store::empty_zones(tx, &emptied)?;
    for (row, _) in &known {
        if store::unknown_municipality(tx, &row.municipalities)?.is_some() {
            faults.add(
                row.row,
                "municipalities",
                "unknown_municipality",
                "names a municipality that is not on the list",
            );
        } else if !store::zones_of(tx, &row.municipalities)?.is_empty() {
            faults.add(
                row.row,
                "municipalities",
                "municipality_taken",
                "names a municipality of a zone that is not in the file",
            );
        }
    }
    if !faults.0.is_empty() {
        return Err(TerritoryError::Import(faults.0));
    }
    let mut imported = Imported { created: 0, updated: 0 };
    for (row, zone) in known {
        let id = match zone {
            Some(zone) => {
                imported.updated = imported.updated.saturating_add(1);
                let id = zone.id;
                let names = Localized::new(
                    zone.names.iter().chain(row.names.iter()).map(|(language, name)| (language, name.clone())),
                );
                let email = row.email.or(zone.email);
                store::update_zone(tx, &Zone { names, languages: row.languages, phone: row.phone, email, ..zone })?;
                id
            }
            None => {
                imported.created = imported.created.saturating_add(1);
                store::insert_zone(
                    tx,
                    &NewZone {
                        number: row.number,
                        names: row.names,
                        languages: row.languages,
                        phone: row.phone,
                        email: row.email,
                        hours: OpeningHours::default(),
                        own_message: OwnMessage::Dual,
                        municipalities: Vec::new(),
                    },
                )?
            }
        };
        store::put_municipalities(tx, id, &row.municipalities)?;
    }
    Ok(imported)
}

#[cfg(test)]
mod tests {
    use super::read_file;

    const HEAD: &str = "number;name_fr;name_nl;name_de;phone;email;languages;municipalities\n";

    #[test]
    fn every_cell_at_fault_is_named() {
        let table = [
            ("", "/row/2"),
            ("a;b\n", "/row/2"),
            ("53;Zone;;;+3222742111;;fr;53053\n", "/row/2/number"),
            ("5306;;;;+3222742111;;fr;53053\n", "/row/2/name_fr"),
            ("5306;Zone;;;101;;fr;53053\n", "/row/2/phone"),
            ("5306;Zone;;;+3222742111;nobody;fr;53053\n", "/row/2/email"),
            ("5306;Zone;;;+3222742111;;fr xx;53053\n", "/row/2/languages"),
            ("5306;Zone;;;+3222742111;;;53053\n", "/row/2/languages"),
            ("5306;Zone;;;+3222742111;;fr;\n", "/row/2/municipalities"),
            ("5306;A;;;+3222742111;;fr;53053\n5306;B;;;+3222742111;;fr;53014\n", "/row/3/number"),
            ("5306;A;;;+3222742111;;fr;53053\n5307;B;;;+3222742111;;fr;53053\n", "/row/3/municipalities"),
        ];
        for (rows, pointer) in table {
            let faults = read_file(&format!("{HEAD}{rows}")).expect_err(rows);
            assert!(faults.iter().any(|fault| fault.pointer() == pointer), "{rows:?}: {faults:?}");
        }
        assert_eq!(read_file("number,name\n1,2\n").unwrap_err()[0].pointer(), "/row/1");
    }
    #[test]
    fn a_good_file_is_read_with_or_without_a_mark() {
        let rows = "5306;Zone des Hauts-Pays;;;065 75 38 11;zp@example.be;fr;53053,53014 \n";
        for mark in ["", "\u{FEFF}"] {
            let read = read_file(&format!("{mark}{HEAD}{rows}")).unwrap();
            assert_eq!(read[0].municipalities, ["53053", "53014"]);
        }
    }
}
