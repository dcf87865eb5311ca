//! What the application logs while the tests run, kept in memory for the whole process. Every town looks through its
//! own stretch when it closes: captured logs hold no name, address, number or token of the test persons.

use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_subscriber::EnvFilter;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

#[derive(Clone, Copy)]
struct Kept;
impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Where the log stands now. The first call begins to keep it: everything of ours, and what the libraries say from
/// `info` on, as in production.
pub fn mark() -> usize {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new("info,vigie=trace"))
            .with_current_span(true)
            .with_span_list(true)
            .with_writer(|| Kept)
            .init();
    });
    LINES.lock().unwrap_or_else(PoisonError::into_inner).len()
}
/// What was logged since a mark, by all towns of this process.
pub fn since(mark: usize) -> String {
    String::from_utf8_lossy(&LINES.lock().unwrap_or_else(PoisonError::into_inner)[mark..]).into_owned()
}

/// What only a person of the tests is called, lives at or can be reached under, and how tokens and their paths begin.
const NEVER: &[&str] = &[
    "Dubois",
    "Camille",
    "Dana",
    "Vos\"",
    "Dana Vos",
    "Canari",
    "canari.example",
    "lion.example",
    "desk.example",
    "Verhaegen",
    "Rue du ",
    "rue du ",
    "+3247",
    "003247",
    "%2B3247",
    "0470 ",
    "zolder",
    "eyJ",
    "Bearer ",
    "/p/leave/",
    "/p/unsubscribe/",
    "/p/contact/",
    "/p/my-data/",
    "/p/invitation/",
    "/p/reset/",
    "/hooks/sms/",
    "/public/contacts/",
];

/// A line without its identifiers, whose digits are drawn by lot: one in a million holds the beginning of a telephone number.
fn without_identifiers(line: &str) -> String {
    let words = line.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '-');
    words
        .filter(|word| word.len() == 36 && uuid::Uuid::parse_str(word).is_ok())
        .fold(line.to_owned(), |line, identifier| line.replace(identifier, ""))
}

#[test]
fn an_identifier_is_no_telephone_number_and_hides_none() {
    let line = r#"{"request_id":"00324732-921e-4418-962e-cf7779d7ec5d","to":"0032470123456"}"#;
    assert_eq!(without_identifiers(line), r#"{"request_id":"","to":"0032470123456"}"#);
}

/// Stops the test when a line since the mark holds something of a person. A route's pattern may stand in a line, with
/// the name of the parameter where the token would be.
#[track_caller]
pub fn hold_nobody(mark: usize) {
    let lines = since(mark);
    for line in lines.lines() {
        let line = without_identifiers(line)
            .replace("/hooks/sms/inbound/{token}", "")
            .replace("/{token}", "")
            .replace("/public/contacts/confirmation", "");
        if let Some(found) = NEVER.iter().find(|never| line.contains(**never)) {
            panic!("{found:?} stands in the log: {line}");
        }
    }
}
