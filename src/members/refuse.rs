//! An applicant is not taken in.

use super::error::MemberError;
use super::letters;
use super::lifecycle::{RefusalReason, Standing};
use super::store;
use crate::storage::Tx;
use crate::texts::LetterKind;
use crate::values::Id;
use crate::values::of;

/// Refuses an applicant for a lawful reason, which the applicant is told with whom to turn to (duty M1).
pub(super) fn refuse(tx: &mut Tx<'_>, id: Id<of::Membership>, reason: RefusalReason) -> Result<(), MemberError> {
    let membership = store::find_locked(tx, id)?.ok_or(MemberError::NotFound)?;
    let now = tx.now()?;
    let Standing::Pending(pending) = Standing::of(membership.status) else {
        return Err(MemberError::WrongState(membership.status));
    };
    store::write_ended(tx, id, &pending.refuse(reason, now))?;
    letters::tell(tx, &membership, LetterKind::ApplicationRefused, &[("reason", reason.as_str())])?;
    Ok(())
}
