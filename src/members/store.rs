//! Every query of memberships.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use super::lifecycle::{Admitted, Ended, Pending};
use super::member::{
    Adhesion, AdhesionMode, Application, Basis, MaskedMember, Membership, MembershipStatus, NewMember, Recipient,
    Source,
};
use super::word::Word;
use crate::delivery::Channel;
use crate::on_either;
use crate::people;
use crate::people::{Contact, ContactKind, ContactState, KnownPerson, NewPerson, Person};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::{MEMBERSHIPS_ADDRESS, PERSONS_NAME};
use crate::storage::schema::{contact_points, inbound_sms, memberships, persons};
use crate::values::Id;
use crate::values::Language;
use crate::values::PersonName;
use crate::values::PostalAddress;
use crate::values::Timestamp;
use crate::values::of;

/// The wording of the declaration that somebody is an adult, as the forms show it (duty M2).
pub(super) const ADULT_WORDING: &str = "adult-1";
/// Rows in one INSERT: both databases take 32,000 binds, a row has twenty-one.
const ROWS_PER_INSERT: usize = 1_500;

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
    let entered = enter_active_members(tx, vec![new])?;
    entered.first().copied().ok_or_else(|| StorageError::Broken("nobody was entered".to_owned()))
}
/// Makes many people members at once, as `enter_active_member` does; in the order given.
///
/// # Errors
/// When the database fails.
pub fn enter_active_members(tx: &mut Tx<'_>, new: Vec<NewMember>) -> Result<Vec<Id<of::Membership>>, StorageError> {
    let known: Vec<KnownPerson> = new.iter().map(known_person).collect();
    let people = people::create_known(tx, &known)?;
    let now = tx.now()?;
    let mut rows = Vec::with_capacity(new.len());
    for (new, person) in new.into_iter().zip(people) {
        let id = Id::new();
        rows.push(NewRow {
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
        });
    }
    for chunk in rows.chunks(ROWS_PER_INSERT) {
        on_either!(tx, |c| diesel::insert_into(memberships::table).values(chunk).execute(c))?;
    }
    Ok(rows.iter().map(|row| row.id).collect())
}
fn known_person(new: &NewMember) -> KnownPerson {
    let email = new.email.as_ref().map(|email| (ContactKind::Email, email.for_envelope().to_owned()));
    let mobile = new.mobile.as_ref().map(|mobile| (ContactKind::Mobile, mobile.for_dialling().to_owned()));
    KnownPerson {
        person: NewPerson { name: new.name.clone(), language: new.language },
        contacts: email.into_iter().chain(mobile).collect(),
    }
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

#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships)]
struct Row {
    id: Id<of::Membership>,
    partnership_id: Id<of::Partnership>,
    person_id: Id<of::Person>,
    status: MembershipStatus,
    basis: Basis,
    address: Option<Vec<u8>>,
    adult_declared_at: Timestamp,
    adhesion_mode: Option<AdhesionMode>,
    adhesion_rules_number: Option<i32>,
    adhesion_at: Option<Timestamp>,
    adhesion_received_by: Option<Id<of::Account>>,
    form_reference: Option<String>,
    source: Source,
    preferred_channel: Channel,
    sms_at_night: bool,
    email_stopped_at: Option<Timestamp>,
    sms_stopped_at: Option<Timestamp>,
    exercises: bool,
    applied_at: Timestamp,
    joined_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    end_reason: Option<String>,
    version: i64,
}
impl Row {
    fn restore(self, tx: &Tx<'_>) -> Result<Membership, StorageError> {
        let address =
            self.address.map(|sealed| tx.open::<PostalAddress>(MEMBERSHIPS_ADDRESS, self.id, &sealed)).transpose()?;
        let adhesion = match (self.adhesion_mode, self.adhesion_rules_number, self.adhesion_at) {
            (Some(mode), Some(rules_number), Some(at)) => Some(Adhesion {
                mode,
                rules_number,
                at,
                received_by: self.adhesion_received_by,
                form_reference: self.form_reference,
            }),
            _ => None,
        };
        Ok(Membership {
            id: self.id,
            partnership: self.partnership_id,
            person: self.person_id,
            status: self.status,
            basis: self.basis,
            address,
            adult_declared_at: self.adult_declared_at,
            adhesion,
            source: self.source,
            preferred_channel: self.preferred_channel,
            sms_at_night: self.sms_at_night,
            email_stopped_at: self.email_stopped_at,
            sms_stopped_at: self.sms_stopped_at,
            exercises: self.exercises,
            applied_at: self.applied_at,
            joined_at: self.joined_at,
            ended_at: self.ended_at,
            end_reason: self.end_reason,
            version: self.version,
        })
    }
}

/// Writes an application down for a person made known a moment ago.
pub(super) fn insert_application(
    tx: &mut Tx<'_>,
    person: Id<of::Person>,
    application: &Application,
    status: MembershipStatus,
    source: Source,
    adult: (&'static str, Timestamp),
    adhesion: Adhesion,
) -> Result<Id<of::Membership>, StorageError> {
    let (id, now) = (Id::new(), tx.now()?);
    let row = NewRow {
        id,
        partnership_id: application.partnership,
        person_id: person,
        status,
        basis: application.basis,
        address: Some(tx.seal(MEMBERSHIPS_ADDRESS, id, &application.address)?),
        dwelling_index: Some(tx.index("dwelling", &application.address.for_index())),
        adult_declared_at: adult.1,
        adult_wording: adult.0,
        adhesion_mode: Some(adhesion.mode),
        adhesion_rules_number: Some(adhesion.rules_number),
        adhesion_at: Some(adhesion.at),
        adhesion_received_by: adhesion.received_by,
        form_reference: adhesion.form_reference,
        source,
        preferred_channel: application.preferred_channel,
        sms_at_night: application.sms_at_night,
        exercises: true,
        applied_at: now,
        joined_at: None,
        version: 1,
    };
    insert(tx, &row)?;
    Ok(id)
}
/// Forgets an application that nobody confirmed: a newer one of the same contact takes its place.
pub(super) fn forget_unconfirmed(tx: &mut Tx<'_>, id: Id<of::Membership>) -> Result<(), StorageError> {
    diesel::delete(
        memberships::table
            .filter(memberships::id.eq(id))
            .filter(memberships::status.eq(MembershipStatus::ContactUnverified)),
    )
    .execute(tx.db())?;
    Ok(())
}

/// A membership.
pub(super) fn find(tx: &mut Tx<'_>, id: Id<of::Membership>) -> Result<Option<Membership>, StorageError> {
    let row = memberships::table.find(id).select(Row::as_select()).first(tx.db()).optional()?;
    row.map(|row| row.restore(tx)).transpose()
}
/// A membership, kept from being changed by others until the end of the transaction.
pub(super) fn find_locked(tx: &mut Tx<'_>, id: Id<of::Membership>) -> Result<Option<Membership>, StorageError> {
    tx.lock("memberships", id)?;
    find(tx, id)
}
/// A membership that will hear less from now on: kept from being changed once no message to its partnership is being
/// written down any more, so that what must not reach it can be seen, and stopped. The partnership is always locked before
/// its members.
pub(super) fn find_to_silence(tx: &mut Tx<'_>, id: Id<of::Membership>) -> Result<Option<Membership>, StorageError> {
    let Some(partnership) = partnership_of(tx, id)? else { return Ok(None) };
    tx.lock("partnerships", partnership)?;
    find_locked(tx, id)
}
/// All memberships of some persons, past ones too, in their order; kept as `find_to_silence` keeps one.
pub(super) fn of_persons_to_silence(
    tx: &mut Tx<'_>,
    people: &[Id<of::Person>],
) -> Result<Vec<Membership>, StorageError> {
    let theirs: Vec<(Id<of::Membership>, Id<of::Partnership>)> = memberships::table
        .filter(memberships::person_id.eq_any(people))
        .order(memberships::id)
        .select((memberships::id, memberships::partnership_id))
        .load(tx.db())?;
    let partnerships: BTreeSet<Id<of::Partnership>> = theirs.iter().map(|(_, partnership)| *partnership).collect();
    for partnership in partnerships {
        tx.lock("partnerships", partnership)?;
    }
    let mut found = Vec::with_capacity(theirs.len());
    for (id, _) in theirs {
        found.extend(find_locked(tx, id)?);
    }
    Ok(found)
}
/// Keeps everybody of a partnership as they are, as far as they hear of it, while a message to them is written down: who
/// stops or leaves at this moment waits, and then finds what was written.
///
/// # Errors
/// When the database fails.
pub fn hold_recipients(tx: &mut Tx<'_>, partnership: Id<of::Partnership>) -> Result<(), StorageError> {
    tx.hold("partnerships", partnership)
}
/// The partnership a membership belongs to.
pub(super) fn partnership_of(
    tx: &mut Tx<'_>,
    id: Id<of::Membership>,
) -> Result<Option<Id<of::Partnership>>, StorageError> {
    Ok(memberships::table.find(id).select(memberships::partnership_id).first(tx.db()).optional()?)
}
/// All memberships of a person, past ones too.
pub(super) fn of_person(tx: &mut Tx<'_>, person: Id<of::Person>) -> Result<Vec<Membership>, StorageError> {
    let rows: Vec<Row> = memberships::table
        .filter(memberships::person_id.eq(person))
        .order(memberships::id)
        .select(Row::as_select())
        .load(tx.db())?;
    rows.into_iter().map(|row| row.restore(tx)).collect()
}
/// Which, whose, and where it stands.
type NotEnded = (Id<of::Membership>, Id<of::Person>, MembershipStatus);
/// The memberships and applications of these persons in a partnership that have not ended.
pub(super) fn not_ended(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    people: &[Id<of::Person>],
) -> Result<Vec<NotEnded>, StorageError> {
    Ok(memberships::table
        .filter(memberships::partnership_id.eq(partnership))
        .filter(memberships::person_id.eq_any(people))
        .filter(memberships::ended_at.is_null())
        .order(memberships::id)
        .select((memberships::id, memberships::person_id, memberships::status))
        .load(tx.db())?)
}

/// What a list is asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) status: Option<MembershipStatus>,
    pub(super) language: Option<Language>,
    pub(super) channel: Option<Channel>,
    pub(super) stopped: Option<Channel>,
    pub(super) reachable: Option<bool>,
    /// Only those to whom nothing is sent on this channel, as their address or number failed.
    pub(super) unreachable_by: Option<Channel>,
    /// Lower case.
    pub(super) name: Option<String>,
    pub(super) after: Option<Id<of::Membership>>,
    pub(super) limit: i64,
}
#[derive(Queryable, Selectable)]
#[diesel(table_name = persons)]
struct PersonRow {
    id: Id<of::Person>,
    name: Option<Vec<u8>>,
    language: Language,
    version: i64,
}
/// Some contact works whose channel was not stopped, as `Membership::is_reachable` says it.
macro_rules! reachable {
    () => {{
        let works = |kind: ContactKind| {
            diesel::dsl::exists(
                contact_points::table
                    .filter(contact_points::person_id.eq(memberships::person_id))
                    .filter(contact_points::kind.eq(kind))
                    .filter(contact_points::state.eq_any([ContactState::Verified, ContactState::Suspect])),
            )
        };
        memberships::email_stopped_at
            .is_null()
            .and(works(ContactKind::Email))
            .or(memberships::sms_stopped_at.is_null().and(works(ContactKind::Mobile)))
    }};
}
/// Rows looked through at once for a part of a name, which is sealed.
const LOOKED_THROUGH: i64 = 1_000;
/// A page of the members of a partnership, one more than asked for. Without a status those who have not ended.
pub(super) fn list(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    wanted: &Wanted,
) -> Result<Vec<(Membership, Person)>, StorageError> {
    let enough = usize::try_from(wanted.limit).unwrap_or(usize::MAX).saturating_add(1);
    let at_once = if wanted.name.is_some() { LOOKED_THROUGH } else { wanted.limit.saturating_add(1) };
    let (mut found, mut after) = (Vec::new(), wanted.after);
    loop {
        let mut query = memberships::table
            .inner_join(persons::table)
            .filter(memberships::partnership_id.eq(partnership))
            .order(memberships::id)
            .limit(at_once)
            .select((Row::as_select(), PersonRow::as_select()))
            .into_boxed();
        query = match wanted.status {
            Some(status) => query.filter(memberships::status.eq(status)),
            None => query.filter(memberships::ended_at.is_null()),
        };
        if let Some(language) = wanted.language {
            query = query.filter(persons::language.eq(language));
        }
        if let Some(channel) = wanted.channel {
            query = query.filter(memberships::preferred_channel.eq(channel));
        }
        query = match wanted.stopped {
            Some(Channel::Email) => query.filter(memberships::email_stopped_at.is_not_null()),
            Some(Channel::Sms) => query.filter(memberships::sms_stopped_at.is_not_null()),
            None => query,
        };
        query = match wanted.reachable {
            Some(true) => query.filter(reachable!()),
            Some(false) => query.filter(diesel::dsl::not(reachable!())),
            None => query,
        };
        if let Some(channel) = wanted.unreachable_by {
            let kind = match channel {
                Channel::Email => ContactKind::Email,
                Channel::Sms => ContactKind::Mobile,
            };
            let suspended = contact_points::table
                .filter(contact_points::suspended_at.is_not_null())
                .filter(contact_points::kind.eq(kind))
                .select(contact_points::person_id);
            query = query.filter(memberships::person_id.eq_any(suspended));
        }
        if let Some(after) = after {
            query = query.filter(memberships::id.gt(after));
        }
        let rows: Vec<(Row, PersonRow)> = query.load(tx.db())?;
        let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < at_once;
        for (row, person) in rows {
            after = Some(row.id);
            let name = person.name.map(|sealed| tx.open::<PersonName>(PERSONS_NAME, person.id, &sealed)).transpose()?;
            if let Some(part) = &wanted.name
                && !name.as_ref().is_some_and(|name| name.for_letter().to_lowercase().contains(part))
            {
                continue;
            }
            let person = Person { id: person.id, name, language: person.language, version: person.version };
            found.push((row.restore(tx)?, person));
            if found.len() == enough {
                return Ok(found);
            }
        }
        if is_last {
            return Ok(found);
        }
    }
}

/// The first contact was confirmed: the coordinator may look at it.
pub(super) fn write_pending(tx: &mut Tx<'_>, id: Id<of::Membership>, pending: &Pending) -> Result<(), StorageError> {
    diesel::update(memberships::table.find(id))
        .set((memberships::status.eq(pending.status()), memberships::version.eq(memberships::version + 1)))
        .execute(tx.db())?;
    Ok(())
}
/// Takes somebody in.
pub(super) fn write_admitted(tx: &mut Tx<'_>, id: Id<of::Membership>, admitted: &Admitted) -> Result<(), StorageError> {
    diesel::update(memberships::table.find(id))
        .set((
            memberships::status.eq(admitted.status()),
            memberships::joined_at.eq(Some(admitted.at())),
            memberships::version.eq(memberships::version + 1),
        ))
        .execute(tx.db())?;
    Ok(())
}
/// Ends a membership or an application.
pub(super) fn write_ended(tx: &mut Tx<'_>, id: Id<of::Membership>, ended: &Ended) -> Result<(), StorageError> {
    diesel::update(memberships::table.find(id))
        .set((
            memberships::status.eq(ended.status()),
            memberships::ended_at.eq(Some(ended.at())),
            memberships::end_reason.eq(Some(ended.reason())),
            memberships::version.eq(memberships::version + 1),
        ))
        .execute(tx.db())?;
    Ok(())
}
/// Raises the version of a membership, and corrects its address where there is a new one.
pub(super) fn correct(
    tx: &mut Tx<'_>,
    id: Id<of::Membership>,
    address: Option<&PostalAddress>,
) -> Result<(), StorageError> {
    if let Some(address) = address {
        let sealed = tx.seal(MEMBERSHIPS_ADDRESS, id, address)?;
        let dwelling = tx.index("dwelling", &address.for_index());
        diesel::update(memberships::table.find(id))
            .set((memberships::address.eq(Some(sealed)), memberships::dwelling_index.eq(Some(dwelling))))
            .execute(tx.db())?;
    }
    diesel::update(memberships::table.find(id))
        .set(memberships::version.eq(memberships::version + 1))
        .execute(tx.db())?;
    Ok(())
}
/// Stops e-mail to a membership; a second time changes nothing.
pub(super) fn stop_email(tx: &mut Tx<'_>, id: Id<of::Membership>) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let stopped = diesel::update(
        memberships::table.filter(memberships::id.eq(id)).filter(memberships::email_stopped_at.is_null()),
    )
    .set((memberships::email_stopped_at.eq(Some(now)), memberships::version.eq(memberships::version + 1)))
    .execute(tx.db())?;
    Ok(stopped > 0)
}
/// Stops SMS to a membership, and keeps by which number that was asked; a second time changes nothing.
pub(super) fn stop_sms(tx: &mut Tx<'_>, id: Id<of::Membership>, sender: &[u8]) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let stopped =
        diesel::update(memberships::table.filter(memberships::id.eq(id)).filter(memberships::sms_stopped_at.is_null()))
            .set((
                memberships::sms_stopped_at.eq(Some(now)),
                memberships::sms_stopped_index.eq(Some(sender)),
                memberships::version.eq(memberships::version + 1),
            ))
            .execute(tx.db())?;
    Ok(stopped > 0)
}
/// Did this number stop SMS to a membership of these persons that goes on?
pub(super) fn is_stopped_by(tx: &mut Tx<'_>, people: &[Id<of::Person>], sender: &[u8]) -> Result<bool, StorageError> {
    let stopped = memberships::table
        .filter(memberships::person_id.eq_any(people))
        .filter(memberships::ended_at.is_null())
        .filter(memberships::sms_stopped_index.eq(Some(sender)));
    Ok(diesel::select(diesel::dsl::exists(stopped)).get_result(tx.db())?)
}
/// Lets SMS go to a membership again, if this number stopped them and the membership goes on.
pub(super) fn resume_sms(tx: &mut Tx<'_>, id: Id<of::Membership>, sender: &[u8]) -> Result<bool, StorageError> {
    let resumed = diesel::update(
        memberships::table
            .filter(memberships::id.eq(id))
            .filter(memberships::ended_at.is_null())
            .filter(memberships::sms_stopped_index.eq(Some(sender))),
    )
    .set((
        memberships::sms_stopped_at.eq(None::<Timestamp>),
        memberships::sms_stopped_index.eq(None::<Vec<u8>>),
        memberships::version.eq(memberships::version + 1),
    ))
    .execute(tx.db())?;
    Ok(resumed > 0)
}
/// Notes that an SMS came; not when it came before.
pub(super) fn note_inbound(tx: &mut Tx<'_>, message: &[u8], sender: &[u8], word: Word) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let noted = on_either!(tx, |c| diesel::insert_into(inbound_sms::table)
        .values((
            inbound_sms::message_index.eq(message),
            inbound_sms::sender_index.eq(sender),
            inbound_sms::word.eq(word),
            inbound_sms::changed.eq(0),
            inbound_sms::received_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(noted > 0)
}
/// Notes what became of an SMS.
pub(super) fn note_outcome(
    tx: &mut Tx<'_>,
    message: &[u8],
    changed: usize,
    answer: Option<Word>,
) -> Result<(), StorageError> {
    let changed = i32::try_from(changed).unwrap_or(i32::MAX);
    diesel::update(inbound_sms::table.find(message))
        .set((inbound_sms::changed.eq(changed), inbound_sms::answer.eq(answer)))
        .execute(tx.db())?;
    Ok(())
}
/// What a number was answered since.
pub(super) fn answers_since(tx: &mut Tx<'_>, sender: &[u8], since: Timestamp) -> Result<Vec<Word>, StorageError> {
    Ok(inbound_sms::table
        .filter(inbound_sms::sender_index.eq(sender))
        .filter(inbound_sms::received_at.gt(since))
        .filter(inbound_sms::answer.is_not_null())
        .select(inbound_sms::answer.assume_not_null())
        .load(tx.db())?)
}
/// Forgets what came before.
pub(super) fn forget_inbound(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StorageError> {
    Ok(diesel::delete(inbound_sms::table.filter(inbound_sms::received_at.lt(before))).execute(tx.db())?)
}
