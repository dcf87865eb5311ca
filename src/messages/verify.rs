//! Is this message real? The code in every text answers yes or no, and never what the message says (T19).

use super::draft::surroundings;
use super::error::MessageError;
use super::message::{Mode, Status};
use super::payloads::Genuineness;
use super::store;
use crate::storage::Tx;
use crate::values::Language;

/// Looks a code up. Messages that never left are unknown.
pub(super) fn verify(tx: &mut Tx<'_>, code: &str, language: Language) -> Result<Genuineness, MessageError> {
    let unknown = Genuineness { state: "unknown", partnership: None, zone: None, sent_at: None };
    let code = code.trim().to_ascii_uppercase();
    let Some(loaded) = store::find_by_code(tx, &code)? else { return Ok(unknown) };
    if !loaded.message.has_left() {
        return Ok(unknown);
    }
    let facts = loaded.message.facts();
    let (partnership, zone) = surroundings(tx, facts.partnership)?;
    let state = if loaded.message.status() == Status::Stopped {
        "stopped"
    } else if store::was_corrected(tx, facts.id)? {
        "corrected"
    } else if facts.mode == Mode::Exercise {
        "exercise"
    } else {
        "genuine"
    };
    Ok(Genuineness {
        state,
        partnership: partnership.names.best(language, &zone.languages).map(|(_, name)| name.as_str().to_owned()),
        zone: zone.names.best(language, &zone.languages).map(|(_, name)| name.as_str().to_owned()),
        sent_at: loaded.decided_at,
    })
}
