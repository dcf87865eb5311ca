//! Members as they are shown to those who keep the list.

use super::error::MemberError;
use super::letters;
use super::payloads::{MemberRow, MemberView};
use super::store;
use super::store::Wanted;
use crate::http::Listing;
use crate::people;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// One member.
pub(super) fn member(tx: &mut Tx<'_>, id: Id<of::Membership>) -> Result<MemberView, MemberError> {
    let membership = store::find(tx, id)?.ok_or(MemberError::NotFound)?;
    let person = people::load_person(tx, membership.person)?;
    let contacts = letters::contacts_of(tx, membership.person)?;
    Ok(MemberView::new(membership, person, &contacts))
}
/// A page of the list.
pub(super) fn members(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    wanted: &Wanted,
) -> Result<Listing<MemberRow>, MemberError> {
    let page = Listing::cut(store::list(tx, partnership, wanted)?, wanted.limit, |(member, _)| member.id.to_string());
    let people: Vec<Id<of::Person>> = page.items.iter().map(|(_, person)| person.id).collect();
    let contacts = people::contacts_of(tx, &people)?;
    Ok(page.map(|(membership, person)| {
        let contacts = contacts.get(&person.id).map(Vec::as_slice).unwrap_or_default();
        MemberRow::new(membership, person, contacts)
    }))
}
