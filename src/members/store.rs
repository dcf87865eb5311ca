//! Every query of memberships.

use std::collections::HashMap;

use diesel::prelude::*;

use super::member::{AdhesionMode, Basis, MaskedMember, MembershipStatus, NewMember, Recipient, Source};
use crate::delivery::Channel;
use crate::on_either;
use crate::people;
use crate::people::{Contact, ContactKind, ContactState, NewPerson};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::{MEMBERSHIPS_ADDRESS, PERSONS_NAME};
use crate::storage::schema::{memberships, persons};
use crate::values::Id;
use crate::values::Language;
use crate::values::PersonName;
use crate::values::PostalAddress;
use crate::values::Timestamp;
use crate::values::of;

/// The wording of the declaration that somebody is an adult, as the forms show it (duty M2).
pub(super) const ADULT_WORDING: &str = "adult-1";

/// Every column of a new row.
#[derive(Insertable)]
#[diesel(table_name = memberships, treat_none_as_default_value = false)]
struct NewRow {
    id: Id<of::Membership>,
    partnership_id: Id<of::Partnership>,
    person_id: Id<of::Person>,
    status: MembershipStatus,
    basis: Basis,
    address: Option<Vec<u8>>,
    dwelling_index: Option<Vec<u8>>,
    adult_declared_at: Timestamp,
    adult_wording: &'static str,
    adhesion_mode: Option<AdhesionMode>,
    adhesion_rules_number: Option<i32>,
    adhesion_at: Option<Timestamp>,
    adhesion_received_by: Option<Id<of::Account>>,
    form_reference: Option<String>,
    source: Source,
    preferred_channel: Channel,
    sms_at_night: bool,
    exercises: bool,
    applied_at: Timestamp,
    joined_at: Option<Timestamp>,
    version: i64,
}
fn insert(tx: &mut Tx<'_>, row: &NewRow) -> Result<(), StorageError> {
    on_either!(tx, |c| diesel::insert_into(memberships::table).values(row).execute(c))?;
    Ok(())
}

/// Makes somebody a member at once: verified contacts, rules acknowledged, no letters. For the demonstration and tests.
///
/// # Errors
/// When the database fails.
pub fn enter_active_member(tx: &mut Tx<'_>, new: NewMember) -> Result<Id<of::Membership>, StorageError> {
    let person = people::create_person(tx, &NewPerson { name: new.name, language: new.language })?;
    if let Some(email) = &new.email {
        people::add_contact(tx, person, ContactKind::Email, email.for_envelope(), ContactState::Verified)?;
    }
    if let Some(mobile) = &new.mobile {
        people::add_contact(tx, person, ContactKind::Mobile, mobile.for_dialling(), ContactState::Verified)?;
    }
    let (id, now) = (Id::new(), tx.now()?);
    let row = NewRow {
        id,
        partnership_id: new.partnership,
        person_id: person,
        status: MembershipStatus::Active,
        basis: new.basis,
        address: Some(tx.seal(MEMBERSHIPS_ADDRESS, id, &new.address)?),
        dwelling_index: Some(tx.index("dwelling", &new.address.for_index())),
        adult_declared_at: now,
        adult_wording: ADULT_WORDING,
        adhesion_mode: Some(AdhesionMode::FormReference),
        adhesion_rules_number: Some(new.rules_number),
        adhesion_at: Some(now),
        adhesion_received_by: None,
        form_reference: None,
        source: Source::Web,
        preferred_channel: new.preferred_channel,
        sms_at_night: new.sms_at_night,
        exercises: new.exercises,
        applied_at: now,
        joined_at: Some(now),
        version: 1,
    };
    insert(tx, &row)?;
    Ok(id)
}

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
