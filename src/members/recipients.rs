//! Every query for messages: who is to be written to, and how they stand on a list.

use std::collections::HashMap;

use diesel::prelude::*;

use super::member::{MaskedMember, MembershipStatus, Recipient};
use crate::delivery::Channel;
use crate::people;
use crate::people::{Contact, ContactKind};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::PERSONS_NAME;
use crate::storage::schema::{memberships, persons};
use crate::values::Id;
use crate::values::Language;
use crate::values::PersonName;
use crate::values::Timestamp;
use crate::values::of;

#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships)]
struct RecipientRow {
    id: Id<of::Membership>,
    person_id: Id<of::Person>,
    status: MembershipStatus,
    preferred_channel: Channel,
    sms_at_night: bool,
    email_stopped_at: Option<Timestamp>,
    sms_stopped_at: Option<Timestamp>,
    exercises: bool,
    dwelling_index: Option<Vec<u8>>,
    joined_at: Option<Timestamp>,
}
fn of_kind(contacts: Option<&Vec<Contact>>, kind: ContactKind) -> Option<&Contact> {
    contacts?.iter().find(|contact| contact.kind == kind)
}
/// Everybody who takes part in a partnership, in the order of their memberships: admitted and not gone, whether or not they
/// can be written to at this moment. The caller decides, and says why somebody is left out.
///
/// # Errors
/// When the database fails.
pub fn recipients(tx: &mut Tx<'_>, partnership: Id<of::Partnership>) -> Result<Vec<Recipient>, StorageError> {
    let rows: Vec<(RecipientRow, Language)> = memberships::table
        .inner_join(persons::table)
        .filter(memberships::partnership_id.eq(partnership))
        .filter(memberships::status.eq_any(MembershipStatus::ENROLLED))
        .order(memberships::id)
        .select((RecipientRow::as_select(), persons::language))
        .load(tx.db())?;
    with_contacts(tx, rows)
}
/// Those of these persons whose membership of a partnership is over: somebody who was told something wrong is told so,
/// whatever they are now.
///
/// # Errors
/// When the database fails.
pub fn former_recipients(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    people: &[Id<of::Person>],
) -> Result<Vec<Recipient>, StorageError> {
    let mut rows: Vec<(RecipientRow, Language)> = Vec::new();
    for chunk in people.chunks(10_000) {
        let found: Vec<(RecipientRow, Language)> = memberships::table
            .inner_join(persons::table)
            .filter(memberships::partnership_id.eq(partnership))
            .filter(memberships::person_id.eq_any(chunk))
            .filter(memberships::ended_at.is_not_null())
            .order(memberships::id)
            .select((RecipientRow::as_select(), persons::language))
            .load(tx.db())?;
        rows.extend(found);
    }
    // Somebody who joined and left twice is one person.
    let mut seen = std::collections::HashSet::new();
    rows.retain(|(row, _)| seen.insert(row.person_id));
    with_contacts(tx, rows)
}
fn with_contacts(tx: &mut Tx<'_>, rows: Vec<(RecipientRow, Language)>) -> Result<Vec<Recipient>, StorageError> {
    let people: Vec<Id<of::Person>> = rows.iter().map(|(row, _)| row.person_id).collect();
    let contacts = people::contacts_of(tx, &people)?;
    let known = |row: RecipientRow, language| {
        let email = of_kind(contacts.get(&row.person_id), ContactKind::Email);
        let mobile = of_kind(contacts.get(&row.person_id), ContactKind::Mobile);
        Recipient {
            membership: row.id,
            person: row.person_id,
            language,
            status: row.status,
            email: email.map(|contact| contact.for_envelope().to_owned()),
            mobile: mobile.map(|contact| contact.for_envelope().to_owned()),
            email_usable: email.is_some_and(Contact::is_usable),
            mobile_usable: mobile.is_some_and(Contact::is_usable),
            email_suspended: email.is_some_and(|contact| contact.suspension.is_some()),
            mobile_suspended: mobile.is_some_and(|contact| contact.suspension.is_some()),
            preferred_channel: row.preferred_channel,
            sms_at_night: row.sms_at_night,
            email_stopped: row.email_stopped_at.is_some(),
            sms_stopped: row.sms_stopped_at.is_some(),
            exercises: row.exercises,
            dwelling: row.dwelling_index,
            joined_at: row.joined_at,
        }
    };
    Ok(rows.into_iter().map(|(row, language)| known(row, language)).collect())
}

/// Members as a list of recipients shows them; a membership that does not exist is missing from the answer.
///
/// # Errors
/// When the database fails.
pub fn members_by_ids(
    tx: &mut Tx<'_>,
    ids: &[Id<of::Membership>],
) -> Result<HashMap<Id<of::Membership>, MaskedMember>, StorageError> {
    type Found = (Id<of::Membership>, Id<of::Person>, Option<Vec<u8>>);
    let mut rows: Vec<Found> = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(10_000) {
        let found: Vec<Found> = memberships::table
            .inner_join(persons::table)
            .filter(memberships::id.eq_any(chunk))
            .select((memberships::id, memberships::person_id, persons::name))
            .load(tx.db())?;
        rows.extend(found);
    }
    let people: Vec<Id<of::Person>> = rows.iter().map(|(_, person, _)| *person).collect();
    let contacts = people::contacts_of(tx, &people)?;
    let mut members = HashMap::with_capacity(rows.len());
    for (id, person, name) in rows {
        let name: Option<PersonName> = name.map(|sealed| tx.open(PERSONS_NAME, person, &sealed)).transpose()?;
        let masked = |kind| of_kind(contacts.get(&person), kind).map(Contact::masked);
        members.insert(
            id,
            MaskedMember {
                initials: name.map(|name| name.initials()).unwrap_or_default(),
                email: masked(ContactKind::Email),
                mobile: masked(ContactKind::Mobile),
            },
        );
    }
    Ok(members)
}
