//! Every query of persons and contact points.

use std::collections::HashMap;
use std::time::Duration;

use diesel::prelude::*;

use super::contact::{Contact, ContactKind, ContactState, Suspension, SuspensionReason};
use super::person::{KnownPerson, NewPerson, Person};
use crate::delivery::{Channel, endpoint_index};
use crate::on_either;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::{CONTACT_POINTS_VALUE, PERSONS_NAME};
use crate::storage::schema::{contact_codes, contact_points, persons};
use crate::storage::{random_code, same_bytes, token_hash};
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::PersonName;
use crate::values::PhoneNumber;
use crate::values::Timestamp;
use crate::values::of;

/// Wrong tries that a code survives.
const CODE_TRIES: i32 = 5;
/// Rows in one INSERT: both databases take 32,000 binds, a row has eight at most.
const ROWS_PER_INSERT: usize = 4_000;

#[derive(Queryable, Selectable)]
#[diesel(table_name = persons)]
struct PersonRow {
    id: Id<of::Person>,
    name: Option<Vec<u8>>,
    language: Language,
    version: i64,
}
impl PersonRow {
    fn restore(self, tx: &Tx<'_>) -> Result<Person, StorageError> {
        let name = self.name.map(|sealed| tx.open::<PersonName>(PERSONS_NAME, self.id, &sealed)).transpose()?;
        Ok(Person { id: self.id, name, language: self.language, version: self.version })
    }
}
#[derive(Queryable, Selectable)]
#[diesel(table_name = contact_points)]
struct ContactRow {
    id: Id<of::ContactPoint>,
    person_id: Id<of::Person>,
    kind: ContactKind,
    state: ContactState,
    value: Vec<u8>,
    suspended_for: Option<SuspensionReason>,
    suspended_at: Option<Timestamp>,
}
impl ContactRow {
    fn restore(self, tx: &Tx<'_>) -> Result<Contact, StorageError> {
        let value = tx.open(CONTACT_POINTS_VALUE, self.id, &self.value)?;
        let suspension = match (self.suspended_for, self.suspended_at) {
            (Some(reason), Some(since)) => Some(Suspension { reason, since }),
            _ => None,
        };
        Ok(Contact { id: self.id, person: self.person_id, kind: self.kind, state: self.state, suspension, value })
    }
}

/// Makes a person known.
///
/// # Errors
/// When the database fails.
pub fn create_person(tx: &mut Tx<'_>, new: &NewPerson) -> Result<Id<of::Person>, StorageError> {
    let id = Id::new();
    let (now, name) = (tx.now()?, tx.seal(PERSONS_NAME, id, &new.name)?);
    diesel::insert_into(persons::table)
        .values((
            persons::id.eq(id),
            persons::name.eq(Some(name)),
            persons::language.eq(new.language),
            persons::created_at.eq(now),
            persons::version.eq(1),
        ))
        .execute(tx.db())?;
    Ok(id)
}
#[derive(Insertable)]
#[diesel(table_name = persons, treat_none_as_default_value = false)]
struct NewPersonRow {
    id: Id<of::Person>,
    name: Option<Vec<u8>>,
    language: Language,
    created_at: Timestamp,
    version: i64,
}
#[derive(Insertable)]
#[diesel(table_name = contact_points, treat_none_as_default_value = false)]
struct NewContactRow {
    id: Id<of::ContactPoint>,
    person_id: Id<of::Person>,
    kind: ContactKind,
    value: Vec<u8>,
    value_index: Vec<u8>,
    state: ContactState,
    verified_at: Option<Timestamp>,
    created_at: Timestamp,
}
/// Makes many persons known with their contact points, a few thousand in one statement. In the order given.
///
/// # Errors
/// When the database fails.
pub fn create_known(tx: &mut Tx<'_>, new: &[KnownPerson]) -> Result<Vec<Id<of::Person>>, StorageError> {
    let now = tx.now()?;
    let (mut people, mut contacts) = (Vec::with_capacity(new.len()), Vec::with_capacity(new.len()));
    for known in new {
        let id = Id::new();
        let name = Some(tx.seal(PERSONS_NAME, id, &known.person.name)?);
        people.push(NewPersonRow { id, name, language: known.person.language, created_at: now, version: 1 });
        for (kind, value) in &known.contacts {
            let contact = Id::new();
            contacts.push(NewContactRow {
                id: contact,
                person_id: id,
                kind: *kind,
                value: tx.seal(CONTACT_POINTS_VALUE, contact, value)?,
                value_index: index_of(tx, *kind, value),
                state: ContactState::Verified,
                verified_at: Some(now),
                created_at: now,
            });
        }
    }
    for rows in people.chunks(ROWS_PER_INSERT) {
        on_either!(tx, |c| diesel::insert_into(persons::table).values(rows).execute(c))?;
    }
    for rows in contacts.chunks(ROWS_PER_INSERT) {
        on_either!(tx, |c| diesel::insert_into(contact_points::table).values(rows).execute(c))?;
    }
    Ok(people.iter().map(|row| row.id).collect())
}
/// A person.
///
/// # Errors
/// `Corrupt` when there is none: callers hold identifiers that came from rows.
pub fn load_person(tx: &mut Tx<'_>, id: Id<of::Person>) -> Result<Person, StorageError> {
    let row = persons::table.find(id).select(PersonRow::as_select()).first(tx.db()).optional()?;
    row.ok_or_else(|| StorageError::Corrupt(format!("person {id} is missing")))?.restore(tx)
}
/// Corrects a name.
///
/// # Errors
/// When the database fails.
pub fn rename(tx: &mut Tx<'_>, id: Id<of::Person>, name: &PersonName) -> Result<(), StorageError> {
    let sealed = tx.seal(PERSONS_NAME, id, name)?;
    diesel::update(persons::table.find(id))
        .set((persons::name.eq(Some(sealed)), persons::version.eq(persons::version + 1)))
        .execute(tx.db())?;
    Ok(())
}
/// Changes the language a person is written to in.
///
/// # Errors
/// When the database fails.
pub fn set_language(tx: &mut Tx<'_>, id: Id<of::Person>, language: Language) -> Result<(), StorageError> {
    diesel::update(persons::table.find(id))
        .set((persons::language.eq(language), persons::version.eq(persons::version + 1)))
        .execute(tx.db())?;
    Ok(())
}

/// The form in which equal values are equal.
fn index_of(tx: &Tx<'_>, kind: ContactKind, value: &str) -> Vec<u8> {
    match kind {
        ContactKind::Email => endpoint_index(tx, Channel::Email, value),
        ContactKind::Mobile | ContactKind::Landline => endpoint_index(tx, Channel::Sms, value),
    }
}
/// Gives a person a contact point, in place of the one of that kind they had; a new value begins unverified unless `state`
/// says otherwise.
///
/// # Errors
/// When the database fails.
pub fn add_contact(
    tx: &mut Tx<'_>,
    person: Id<of::Person>,
    kind: ContactKind,
    value: &str,
    state: ContactState,
) -> Result<Id<of::ContactPoint>, StorageError> {
    diesel::delete(
        contact_points::table.filter(contact_points::person_id.eq(person)).filter(contact_points::kind.eq(kind)),
    )
    .execute(tx.db())?;
    let id = Id::new();
    let now = tx.now()?;
    let sealed = tx.seal(CONTACT_POINTS_VALUE, id, value)?;
    let index = index_of(tx, kind, value);
    diesel::insert_into(contact_points::table)
        .values((
            contact_points::id.eq(id),
            contact_points::person_id.eq(person),
            contact_points::kind.eq(kind),
            contact_points::value.eq(sealed),
            contact_points::value_index.eq(index),
            contact_points::state.eq(state),
            contact_points::verified_at.eq((state == ContactState::Verified).then_some(now)),
            contact_points::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(id)
}
/// A contact point.
///
/// # Errors
/// When the database fails.
pub fn find_contact(tx: &mut Tx<'_>, id: Id<of::ContactPoint>) -> Result<Option<Contact>, StorageError> {
    let row = contact_points::table.find(id).select(ContactRow::as_select()).first(tx.db()).optional()?;
    row.map(|row| row.restore(tx)).transpose()
}
/// Whose contact point it is.
///
/// # Errors
/// When the database fails.
pub fn contact_owner(tx: &mut Tx<'_>, id: Id<of::ContactPoint>) -> Result<Option<Id<of::Person>>, StorageError> {
    Ok(contact_points::table.find(id).select(contact_points::person_id).first(tx.db()).optional()?)
}
/// The contact points of these persons, by person.
///
/// # Errors
/// When the database fails.
pub fn contacts_of(
    tx: &mut Tx<'_>,
    people: &[Id<of::Person>],
) -> Result<HashMap<Id<of::Person>, Vec<Contact>>, StorageError> {
    let mut found: HashMap<Id<of::Person>, Vec<Contact>> = HashMap::new();
    for chunk in people.chunks(10_000) {
        let rows: Vec<ContactRow> = contact_points::table
            .filter(contact_points::person_id.eq_any(chunk))
            .order(contact_points::id)
            .select(ContactRow::as_select())
            .load(tx.db())?;
        for row in rows {
            let contact = row.restore(tx)?;
            found.entry(contact.person).or_default().push(contact);
        }
    }
    Ok(found)
}
/// The persons who have this address or number as a contact point.
///
/// # Errors
/// When the database fails.
pub fn persons_with_contact(
    tx: &mut Tx<'_>,
    email: Option<&EmailAddress>,
    phone: Option<&PhoneNumber>,
) -> Result<Vec<Id<of::Person>>, StorageError> {
    let mut indexes = Vec::new();
    indexes.extend(email.map(|email| index_of(tx, ContactKind::Email, email.for_envelope())));
    indexes.extend(phone.map(|phone| index_of(tx, ContactKind::Mobile, phone.for_dialling())));
    Ok(contact_points::table
        .filter(contact_points::value_index.eq_any(indexes))
        .select(contact_points::person_id)
        .distinct()
        .load(tx.db())?)
}
/// Notes that a contact point is its owner's, and so that it works: whatever failed before no longer counts.
///
/// # Errors
/// When the database fails.
pub fn verify_contact(tx: &mut Tx<'_>, id: Id<of::ContactPoint>) -> Result<(), StorageError> {
    let now = tx.now()?;
    diesel::update(contact_points::table.find(id))
        .set((
            contact_points::state.eq(ContactState::Verified),
            contact_points::verified_at.eq(Some(now)),
            contact_points::trusted_from.eq(Some(now)),
            contact_points::suspended_for.eq(None::<SuspensionReason>),
            contact_points::suspended_at.eq(None::<Timestamp>),
        ))
        .execute(tx.db())?;
    Ok(())
}

/// A contact point, and since when failures count against it: since ever, or since somebody last said that it works.
type Trusted = (Id<of::ContactPoint>, Option<Timestamp>);
/// The contact points that have this address or number and are written to.
///
/// # Errors
/// When the database fails.
pub fn contacts_at(tx: &mut Tx<'_>, endpoint: &[u8]) -> Result<Vec<Trusted>, StorageError> {
    Ok(contact_points::table
        .filter(contact_points::value_index.eq(endpoint))
        .filter(contact_points::state.eq_any([ContactState::Verified, ContactState::Suspect]))
        .filter(contact_points::kind.ne(ContactKind::Landline))
        .order(contact_points::id)
        .select((contact_points::id, contact_points::trusted_from))
        .load(tx.db())?)
}
/// Nothing more is sent to a contact point. False when nothing was any more.
///
/// # Errors
/// When the database fails.
pub fn suspend_contact(
    tx: &mut Tx<'_>,
    id: Id<of::ContactPoint>,
    reason: SuspensionReason,
) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let suspended = diesel::update(
        contact_points::table.filter(contact_points::id.eq(id)).filter(contact_points::suspended_at.is_null()),
    )
    .set((
        contact_points::state.eq(ContactState::Invalid),
        contact_points::suspended_for.eq(Some(reason)),
        contact_points::suspended_at.eq(Some(now)),
    ))
    .execute(tx.db())?;
    Ok(suspended > 0)
}
/// Takes back the suspensions of an address or number that were made at this very moment. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn unsuspend_endpoint(tx: &mut Tx<'_>, endpoint: &[u8], made_at: Timestamp) -> Result<usize, StorageError> {
    Ok(diesel::update(
        contact_points::table
            .filter(contact_points::value_index.eq(endpoint))
            .filter(contact_points::suspended_at.eq(Some(made_at))),
    )
    .set((
        contact_points::state.eq(ContactState::Verified),
        contact_points::suspended_for.eq(None::<SuspensionReason>),
        contact_points::suspended_at.eq(None::<Timestamp>),
    ))
    .execute(tx.db())?)
}
/// Somebody says that a suspended contact point works again: what failed before no longer counts. False when it was not
/// suspended.
///
/// # Errors
/// When the database fails.
pub fn reinstate_contact(tx: &mut Tx<'_>, id: Id<of::ContactPoint>) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let reinstated = diesel::update(
        contact_points::table.filter(contact_points::id.eq(id)).filter(contact_points::suspended_at.is_not_null()),
    )
    .set((
        contact_points::state.eq(ContactState::Verified),
        contact_points::trusted_from.eq(Some(now)),
        contact_points::suspended_for.eq(None::<SuspensionReason>),
        contact_points::suspended_at.eq(None::<Timestamp>),
    ))
    .execute(tx.db())?;
    Ok(reinstated > 0)
}

/// Makes a code of six digits for a contact point; earlier codes end. Only its hash is stored.
///
/// # Errors
/// When the database fails.
pub fn issue_code(tx: &mut Tx<'_>, contact: Id<of::ContactPoint>, life: Duration) -> Result<String, StorageError> {
    let now = tx.now()?;
    diesel::update(
        contact_codes::table
            .filter(contact_codes::contact_point_id.eq(contact))
            .filter(contact_codes::used_at.is_null()),
    )
    .set(contact_codes::used_at.eq(Some(now)))
    .execute(tx.db())?;
    let code = random_code(6, b"0123456789");
    diesel::insert_into(contact_codes::table)
        .values((
            contact_codes::id.eq(Id::<of::ContactCode>::new()),
            contact_codes::contact_point_id.eq(contact),
            contact_codes::code_hash.eq(token_hash(&format!("{contact}{code}"))),
            contact_codes::expires_at.eq(now.plus(life)),
            contact_codes::tries.eq(0),
            contact_codes::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(code)
}

/// What became of a code that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeOutcome {
    /// It was right: the contact point is verified.
    Right,
    /// It was wrong; tries are left.
    Wrong,
    /// No code is open: it expired, was used, or was tried too often.
    Over,
}
/// Takes a code back. The transaction must be committed whatever the outcome, since wrong tries are counted.
///
/// # Errors
/// When the database fails.
pub fn try_code(tx: &mut Tx<'_>, contact: Id<of::ContactPoint>, code: &str) -> Result<CodeOutcome, StorageError> {
    let now = tx.now()?;
    tx.lock("contact_points", contact)?;
    let open: Option<(Id<of::ContactCode>, Vec<u8>, i32)> = contact_codes::table
        .filter(contact_codes::contact_point_id.eq(contact))
        .filter(contact_codes::used_at.is_null())
        .filter(contact_codes::expires_at.gt(now))
        .filter(contact_codes::tries.lt(CODE_TRIES))
        .order(contact_codes::id.desc())
        .select((contact_codes::id, contact_codes::code_hash, contact_codes::tries))
        .first(tx.db())
        .optional()?;
    let Some((id, hash, tries)) = open else { return Ok(CodeOutcome::Over) };
    if same_bytes(&hash, &token_hash(&format!("{contact}{}", code.trim()))) {
        diesel::update(contact_codes::table.find(id)).set(contact_codes::used_at.eq(Some(now))).execute(tx.db())?;
        verify_contact(tx, contact)?;
        return Ok(CodeOutcome::Right);
    }
    diesel::update(contact_codes::table.find(id))
        .set(contact_codes::tries.eq(tries.saturating_add(1)))
        .execute(tx.db())?;
    Ok(CodeOutcome::Wrong)
}
