//! The small pages behind the links of letters. Showing one never changes anything.

use minijinja::{Value, context};

use super::confirm::confirm;
use super::end;
use super::error::MemberError;
use super::letters;
use super::letters::name_of;
use super::member::Membership;
use super::stops;
use super::store;
use crate::config::Config;
use crate::delivery::{Channel, cancel_for_membership, leave_url};
use crate::http::Html;
use crate::partnerships;
use crate::people;
use crate::people::{CodeOutcome, Contact, ContactKind, ContactState, Person};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::{PageKind, page, phrase};
use crate::values::Id;
use crate::values::Language;
use crate::values::Timestamp;
use crate::values::of;

/// Whom a link belongs to, and what they read.
struct Reader {
    membership: Membership,
    person: Person,
    language: Language,
    partnership: String,
}
impl Reader {
    fn shown(&self, kind: PageKind) -> Html {
        Html::ok(page(self.language, kind, &context! { partnership => self.partnership.as_str() }))
    }
}
/// What is shown where the link leads nowhere any more.
fn nowhere(asked: Option<Language>) -> Html {
    let language = asked.unwrap_or(Language::Fr);
    let title = phrase(language, "problem-title", &[]);
    let detail = phrase(language, "problem-link_unknown", &[]);
    Html { status: 404, document: page(language, PageKind::Problem, &context! { title, detail }) }
}
fn reader(
    tx: &mut Tx<'_>,
    membership: Option<Membership>,
    asked: Option<Language>,
) -> Result<Option<Reader>, StorageError> {
    let Some(membership) = membership else { return Ok(None) };
    let person = people::load_person(tx, membership.person)?;
    let Some(partnership) = partnerships::find_partnership(tx, membership.partnership)? else { return Ok(None) };
    let language = asked.unwrap_or(person.language);
    let partnership = name_of(&partnership, language);
    Ok(Some(Reader { membership, person, language, partnership }))
}
fn reader_of(
    tx: &mut Tx<'_>,
    membership: Id<of::Membership>,
    asked: Option<Language>,
) -> Result<Option<Reader>, StorageError> {
    let found = store::find(tx, membership)?;
    reader(tx, found, asked)
}
/// The last application or membership of whoever a contact belongs to.
fn reader_behind(
    tx: &mut Tx<'_>,
    contact: Option<&Contact>,
    asked: Option<Language>,
) -> Result<Option<Reader>, StorageError> {
    let Some(contact) = contact else { return Ok(None) };
    let last = store::of_person(tx, contact.person)?.pop();
    reader(tx, last, asked)
}

/// Asks whether to leave, or says that it is done.
pub(super) fn leaving(tx: &mut Tx<'_>, id: Id<of::Membership>, asked: Option<Language>) -> Result<Html, MemberError> {
    let Some(reader) = reader_of(tx, id, asked)? else { return Ok(nowhere(asked)) };
    let kind = if reader.membership.ended_at.is_some() { PageKind::Left } else { PageKind::Leave };
    Ok(reader.shown(kind))
}
/// Leaves.
pub(super) fn leave(tx: &mut Tx<'_>, id: Id<of::Membership>, asked: Option<Language>) -> Result<Html, MemberError> {
    let Some(reader) = reader_of(tx, id, asked)? else { return Ok(nowhere(asked)) };
    end::leave(tx, id)?;
    Ok(reader.shown(PageKind::Left))
}
/// Asks whether to stop e-mail, or says that it is done.
pub(super) fn unsubscribing(
    tx: &mut Tx<'_>,
    id: Id<of::Membership>,
    asked: Option<Language>,
) -> Result<Html, MemberError> {
    let Some(reader) = reader_of(tx, id, asked)? else { return Ok(nowhere(asked)) };
    let stopped = reader.membership.email_stopped_at.is_some();
    Ok(reader.shown(if stopped { PageKind::Unsubscribed } else { PageKind::Unsubscribe }))
}
/// Stops e-mail, also what waits.
pub(super) fn unsubscribe(
    tx: &mut Tx<'_>,
    id: Id<of::Membership>,
    asked: Option<Language>,
) -> Result<Html, MemberError> {
    let found = stops::find_to_silence(tx, id)?;
    let Some(reader) = reader(tx, found, asked)? else { return Ok(nowhere(asked)) };
    stops::stop_email(tx, id)?;
    cancel_for_membership(tx, id, reader.membership.person, Some(Channel::Email), "stopped")?;
    Ok(reader.shown(PageKind::Unsubscribed))
}
/// Asks for the code of a contact, or says that it is confirmed.
pub(super) fn contact(tx: &mut Tx<'_>, id: Id<of::ContactPoint>, asked: Option<Language>) -> Result<Html, MemberError> {
    let contact = people::find_contact(tx, id)?;
    let Some(reader) = reader_behind(tx, contact.as_ref(), asked)? else { return Ok(nowhere(asked)) };
    let confirmed = contact.is_some_and(|contact| contact.state == ContactState::Verified);
    Ok(reader.shown(if confirmed { PageKind::ContactConfirmed } else { PageKind::ConfirmContact }))
}
/// Takes the code.
pub(super) fn confirm_contact(
    tx: &mut Tx<'_>,
    id: Id<of::ContactPoint>,
    code: &str,
    asked: Option<Language>,
) -> Result<Html, MemberError> {
    let contact = people::find_contact(tx, id)?;
    let Some(reader) = reader_behind(tx, contact.as_ref(), asked)? else { return Ok(nowhere(asked)) };
    let (status, problem) = match confirm(tx, id, code)? {
        CodeOutcome::Right => return Ok(reader.shown(PageKind::ContactConfirmed)),
        CodeOutcome::Wrong => (422, "wrong_code"),
        CodeOutcome::Over => (409, "link_unknown"),
    };
    let values = context! { partnership => reader.partnership.as_str(), problem };
    Ok(Html { status, document: page(reader.language, PageKind::ConfirmContact, &values) })
}

/// All that is held about a member, for that member.
pub(super) fn my_data(
    tx: &mut Tx<'_>,
    config: &Config,
    id: Id<of::Membership>,
    asked: Option<Language>,
) -> Result<Html, MemberError> {
    let Some(reader) = reader_of(tx, id, asked)? else { return Ok(nowhere(asked)) };
    let contacts = letters::contacts_of(tx, reader.person.id)?;
    let rows = rows(&reader, &contacts);
    let mut memberships = Vec::new();
    for membership in store::of_person(tx, reader.person.id)? {
        let Some(partnership) = partnerships::find_partnership(tx, membership.partnership)? else { continue };
        let detail = phrase(reader.language, &format!("status-{}", membership.status.as_str()), &[]);
        let leave = membership.ended_at.is_none().then(|| leave_url(config, tx.keys(), membership.id));
        memberships.push(context! {
            partnership => name_of(&partnership, reader.language),
            detail,
            leave_url => leave,
        });
    }
    Ok(Html::ok(page(reader.language, PageKind::MyData, &context! { rows, memberships })))
}
fn day(at: Timestamp) -> String {
    at.in_belgium().format("%-d.%-m.%Y").to_string()
}
fn rows(reader: &Reader, contacts: &[Contact]) -> Vec<Value> {
    let (membership, language) = (&reader.membership, reader.language);
    let say = |key: &str| phrase(language, key, &[]);
    let yes_no = |yes: bool| say(if yes { "data-yes" } else { "data-no" });
    let mut rows: Vec<(&str, String)> = Vec::new();
    rows.extend(reader.person.name.as_ref().map(|name| ("data-name", name.for_letter())));
    rows.push(("data-language", say(&format!("language-{}", reader.person.language.as_str()))));
    for contact in contacts {
        let key = match contact.kind {
            ContactKind::Email => "data-email",
            ContactKind::Mobile => "data-mobile",
            ContactKind::Landline => "data-landline",
        };
        rows.push((key, contact.for_envelope().to_owned()));
    }
    rows.extend(membership.address.as_ref().map(|address| {
        let letter_box = address.letter_box.as_ref().map_or_else(String::new, |b| format!(" / {}", b.as_str()));
        let line = format!("{} {}{letter_box}", address.street.as_str(), address.number.as_str());
        ("data-address", format!("{line}, {} {}", address.postal_code, address.locality.as_str()))
    }));
    rows.extend(
        membership
            .address
            .as_ref()
            .and_then(|address| address.point)
            .map(|[longitude, latitude]| ("data-point", format!("{latitude}, {longitude}"))),
    );
    rows.push(("data-basis", say(&format!("basis-{}", membership.basis.as_str()))));
    rows.push(("data-adult", day(membership.adult_declared_at)));
    rows.extend(membership.adhesion.as_ref().map(|adhesion| {
        let paper = adhesion.form_reference.as_ref().map_or_else(String::new, |paper| format!(", {paper}"));
        ("data-rules", format!("{} ({}{paper})", adhesion.rules_number, day(adhesion.at)))
    }));
    rows.push(("data-channel", say(&format!("channel-{}", membership.preferred_channel.as_str()))));
    rows.push(("data-night", yes_no(membership.sms_at_night)));
    rows.push(("data-exercises", yes_no(membership.exercises)));
    rows.push(("data-email_stopped", yes_no(membership.email_stopped_at.is_some())));
    rows.push(("data-sms_stopped", yes_no(membership.sms_stopped_at.is_some())));
    rows.push(("data-applied", day(membership.applied_at)));
    rows.extend(membership.joined_at.map(|at| ("data-joined", day(at))));
    rows.extend(membership.ended_at.map(|at| ("data-ended", day(at))));
    rows.into_iter().map(|(key, value)| context! { label => say(key), value }).collect()
}
