//! A membership ends: the member leaves, or somebody records that they died, moved or were entered twice.

use super::error::MemberError;
use super::letters;
use super::lifecycle::{RecordedEnd, Standing};
use super::stops;
use super::store;
use crate::delivery::cancel_for_membership;
use crate::storage::Tx;
use crate::texts::LetterKind;
use crate::values::Id;
use crate::values::of;

/// What is written on deliveries that did not leave any more.
const CANCELLED_FOR: &str = "membership_ended";

/// The member leaves, at once and without anybody's leave (duty M4). Whoever has left already has left.
pub(super) fn leave(tx: &mut Tx<'_>, id: Id<of::Membership>) -> Result<(), MemberError> {
    let membership = stops::find_to_silence(tx, id)?.ok_or(MemberError::NotFound)?;
    let now = tx.now()?;
    let Some(ended) = Standing::of(membership.status).leave(now) else { return Ok(()) };
    store::write_ended(tx, id, &ended)?;
    cancel_for_membership(tx, id, membership.person, None, CANCELLED_FOR)?;
    letters::tell(tx, &membership, LetterKind::Left, &[])?;
    Ok(())
}

/// Records an end. Nothing is sent about the dead, nor to somebody who stays a member under another entry.
pub(super) fn end(tx: &mut Tx<'_>, id: Id<of::Membership>, reason: RecordedEnd) -> Result<(), MemberError> {
    let membership = stops::find_to_silence(tx, id)?.ok_or(MemberError::NotFound)?;
    let now = tx.now()?;
    let ended = Standing::of(membership.status).end(reason, now).ok_or(MemberError::WrongState(membership.status))?;
    store::write_ended(tx, id, &ended)?;
    cancel_for_membership(tx, id, membership.person, None, CANCELLED_FOR)?;
    match reason {
        RecordedEnd::Moved => letters::tell(tx, &membership, LetterKind::Left, &[])?,
        RecordedEnd::Deceased | RecordedEnd::Duplicate => {}
    }
    Ok(())
}
