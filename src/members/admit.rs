//! An applicant is taken in.

use super::error::MemberError;
use super::facts::{circumstances, lies_inside};
use super::letters;
use super::lifecycle::Standing;
use super::rules::Candidate;
use super::store;
use crate::config::Config;
use crate::delivery::leave_url;
use crate::people::Contact;
use crate::storage::Tx;
use crate::texts::LetterKind;
use crate::values::Id;
use crate::values::of;

/// Admits an applicant and writes to them; the letter carries the link with which they can leave at any time.
pub(super) fn admit(
    tx: &mut Tx<'_>,
    config: &Config,
    id: Id<of::Membership>,
    by_police: bool,
) -> Result<(), MemberError> {
    // The partnership first, as whoever locks both.
    let partnership = store::partnership_of(tx, id)?.ok_or(MemberError::NotFound)?;
    let circumstances = circumstances(tx, partnership, by_police)?;
    let membership = store::find_locked(tx, id)?.ok_or(MemberError::NotFound)?;
    let contacts = letters::contacts_of(tx, membership.person)?;
    let candidate = Candidate {
        is_adult: membership.adult_declared_at <= tx.now()?,
        is_inside: lies_inside(tx, membership.partnership, membership.address.as_ref())?,
        adhesion: membership.adhesion.as_ref().map(|adhesion| (adhesion.mode, adhesion.rules_number)),
        contacts: contacts.iter().filter(|contact| Contact::is_usable(contact)).count(),
    };

    let Standing::Pending(pending) = Standing::of(membership.status) else {
        return Err(MemberError::WrongState(membership.status));
    };
    let admitted = pending.admit(&candidate, &circumstances, tx.now()?)?;

    store::write_admitted(tx, id, &admitted)?;
    let leave = leave_url(config, tx.keys(), id);
    letters::tell(tx, &membership, LetterKind::Admitted, &[("leave_url", &leave)])?;
    Ok(())
}
