//! Every query of memberships.

use diesel::prelude::*;

use super::lifecycle::{Admitted, Ended, Pending};
use super::member::{Adhesion, AdhesionMode, Application, Basis, Membership, MembershipStatus, NewMember, Source};
use crate::delivery::Channel;
use crate::on_either;
use crate::people;
use crate::people::{ContactKind, ContactState, KnownPerson, NewPerson, Person};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::personal::{MEMBERSHIPS_ADDRESS, PERSONS_NAME};
use crate::storage::schema::{contact_points, memberships, persons};
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
