//! Ending a mandate: its power is gone with the transaction, and its holder is told.

use super::error::PartnershipError;
use super::mandate::{Mandate, MandateStatus, word_of};
use super::mandates;
use super::rules::{Refusal, may_end};
use super::screen::take;
use crate::access;
use crate::access::Role;
use crate::accounts;
use crate::delivery::LetterTo;
use crate::delivery::enqueue_letter;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::LetterKind;
use crate::texts::letter;
use crate::values::Id;
use crate::values::Line;
use crate::values::of;

/// Ends a mandate, its grant, and the sessions of an account that has no power left (duty P1); writes the letter.
pub(super) fn end(tx: &mut Tx<'_>, mandate: &Mandate, reason: &str) -> Result<(), StorageError> {
    let now = tx.now()?;
    if let Some(grant) = mandate.grant {
        access::end(tx, grant, "mandate_ended")?;
        if access::grants_at(tx, mandate.account, now)?.is_empty() {
            access::end_sessions(tx, mandate.account, "mandate_ended")?;
        }
    }
    mandates::set_ended(tx, mandate.id, reason)?;
    let Some(holder) = accounts::reach(tx, mandate.account)? else { return Ok(()) };
    if let (email, Some(name)) = (&holder.email, &holder.name) {
        let values = [("name", name.for_letter()), ("role", word_of(mandate.role).to_owned())];
        let values = values.each_ref().map(|(key, value)| (*key, value.as_str()));
        let to = LetterTo { person: holder.person, language: holder.language, email };
        enqueue_letter(tx, to, letter(holder.language, LetterKind::MandateEnded, &values))?;
    }
    Ok(())
}

/// Ends a mandate for somebody who has these roles at its place.
pub(super) fn end_for(
    tx: &mut Tx<'_>,
    id: Id<of::Mandate>,
    ender: Id<of::Account>,
    roles: &[Role],
    reason: &Line<200>,
) -> Result<(), PartnershipError> {
    let mandate = take(tx, id)?;
    may_end(roles, mandate.account == ender, mandate.role)?;
    if mandate.status == MandateStatus::Ended {
        return Err(Refusal::MandateOver.into());
    }
    Ok(end(tx, &mandate, reason.as_str())?)
}
