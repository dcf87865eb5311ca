//! The owner of a contact gives back the code that was sent to it.

use super::error::MemberError;
use super::letters;
use super::lifecycle::Standing;
use super::store;
use crate::people;
use crate::people::{CodeOutcome, ContactState};
use crate::storage::Tx;
use crate::texts::LetterKind;
use crate::values::Id;
use crate::values::of;

/// Takes the code. The first confirmed contact of an applicant brings the application before the coordinator. The
/// transaction is to be committed whatever the outcome: wrong tries are counted.
pub(super) fn confirm(tx: &mut Tx<'_>, contact: Id<of::ContactPoint>, code: &str) -> Result<CodeOutcome, MemberError> {
    let found = people::find_contact(tx, contact)?.ok_or(MemberError::NotFound)?;
    let outcome = people::try_code(tx, contact, code)?;
    if outcome == CodeOutcome::Over && found.state == ContactState::Verified {
        // Sent twice: it is done.
        return Ok(CodeOutcome::Right);
    }
    if outcome == CodeOutcome::Right {
        for membership in store::of_person(tx, found.person)? {
            let Some(membership) = store::find_locked(tx, membership.id)? else { continue };
            if let Standing::Applied(applied) = Standing::of(membership.status) {
                store::write_pending(tx, membership.id, &applied.confirm())?;
                letters::tell(tx, &membership, LetterKind::ApplicationReceived, &[])?;
            }
        }
    }
    Ok(outcome)
}
