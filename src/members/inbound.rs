//! Somebody sends an SMS to us: STOP ends SMS to that number, START undoes it, HELP explains, and anything else is
//! answered once a day with where help is, since nobody reads it (accept M17).
//!
//! Only the number that sent the SMS is acted upon. A number that nobody gave as theirs gets no answer and leaves no trace;
//! a number whose owner has not confirmed it gets no answer either. All of it happens in one transaction before the gateway
//! hears that it was heard, so a gateway that asks again does no harm.

use std::collections::BTreeSet;
use std::time::Duration;

use super::asked::InboundSms;
use super::error::MemberError;
use super::letters;
use super::member::Membership;
use super::stops;
use super::word::Word;
use crate::access::{Purpose, Throttle, link_token, take};
use crate::config::Config;
use crate::delivery::{Channel, cancel_for_memberships, enqueue_text};
use crate::partnerships;
use crate::people;
use crate::people::{Contact, ContactKind};
use crate::storage::Keyring;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::{SmsKind, sms};
use crate::values::Id;
use crate::values::PhoneNumber;
use crate::values::of;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// So long an SMS is known again, and what it was taken for is kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
/// More SMS of one number in a day are a flood: of them only STOP is still done, without a word.
const FLOOD: Throttle = Throttle { name: "inbound_sms", most: 20, window: DAY };
/// However often STOP and START follow each other, a number gets no more answers than this in a day.
const ANSWERS_A_DAY: usize = 6;
/// Names of partnerships in one answer.
const NAMES_MAX: usize = 3;

/// A gateway that may hand over SMS.
#[derive(Debug)]
pub struct Gateway {
    /// Its section of the settings.
    pub name: &'static str,
    number: u128,
}
/// All of them: the name of a section never changes its number, as the links were given out.
pub const GATEWAYS: &[Gateway] = &[Gateway { name: "sms", number: 1 }, Gateway { name: "sms.second", number: 2 }];
impl Gateway {
    /// The address to put into the gateway's configuration; the gateway fills in what begins with `%`.
    #[must_use]
    pub fn inbound_url(&self, config: &Config, keys: &Keyring) -> String {
        let token = link_token(keys, Purpose::InboundSms, self.number);
        format!("{}/hooks/sms/inbound/{token}?from=%p&text=%a&charset=%C&id=%I", config.server.public_url)
    }
}

/// Somebody, with all their contacts.
type Owner = (Id<of::Person>, Vec<Contact>);
/// Everybody who gave a number as theirs, and their memberships.
struct Sender {
    number: PhoneNumber,
    index: Vec<u8>,
    contacts: Vec<Owner>,
    memberships: Vec<Membership>,
}

/// Takes in one SMS.
pub(super) fn hear(tx: &mut Tx<'_>, config: &Config, gateway: u128, sms: &InboundSms) -> Result<(), MemberError> {
    let gateway = GATEWAYS.iter().find(|known| known.number == gateway).ok_or(MemberError::NotFound)?;
    let Some(number) = number_of(&sms.from) else { return Ok(()) };
    let contacts = owners(tx, &number)?;
    if contacts.is_empty() {
        return Ok(());
    }
    // Counted before anything is read that may change: two SMS of one number wait for each other here.
    let is_flood = take(tx, FLOOD, number.for_dialling())?.is_err();
    let word = Word::of(&sms.text);
    if is_flood {
        tracing::warn!(gateway = gateway.name, "too many SMS of one number in a day");
        if word != Word::Stop {
            return Ok(());
        }
    }
    let Some(sender) = sender(tx, number, contacts)? else { return Ok(()) };
    // Number and word too: a gateway that begins its ids anew must not make us take a STOP for an old SMS of another.
    let known_by = [gateway.name, sender.number.for_dialling(), word.as_str(), &sms.id].join("/");
    let message = tx.index("inbound_message", &known_by);
    if !is_flood && !stops::note_inbound(tx, &message, &sender.index, word)? {
        return Ok(());
    }
    let changed = match word {
        Word::Stop => stop(tx, config, &sender)?,
        Word::Start => start(tx, &sender)?,
        Word::Help | Word::Other => 0,
    };
    if changed > 0 {
        tracing::info!(gateway = gateway.name, word = word.as_str(), memberships = changed, "done as an SMS asked");
    }
    if !is_flood {
        // START that undoes nothing is explained like HELP.
        let said = if word == Word::Start && changed == 0 { Word::Help } else { word };
        let answered = may_answer(tx, &sender, said, changed > 0)? && answer(tx, &sender, said)?;
        stops::note_outcome(tx, &message, changed, answered.then_some(said))?;
    }
    Ok(())
}

/// As gateways write it: with or without the plus sign.
fn number_of(from: &str) -> Option<PhoneNumber> {
    let from = from.trim();
    PhoneNumber::parse(from).or_else(|_| PhoneNumber::parse(&format!("+{from}"))).ok().filter(PhoneNumber::is_mobile)
}
/// The persons whose mobile number it is, with all their contacts, in the order in which they became known.
fn owners(tx: &mut Tx<'_>, number: &PhoneNumber) -> Result<Vec<Owner>, StorageError> {
    let persons = people::persons_with_contact(tx, None, Some(number))?;
    let mut found: Vec<_> = people::contacts_of(tx, &persons)?.into_iter().collect();
    found.retain(|(_, contacts)| contacts.iter().any(|contact| is_theirs(contact, number)));
    found.sort_by_key(|(person, _)| *person);
    Ok(found)
}
/// A number as the notes about it name it.
pub(super) fn sender_index(tx: &Tx<'_>, number: &PhoneNumber) -> Vec<u8> {
    tx.index("inbound_sender", number.for_dialling())
}
/// Did somebody whom we never knew to have this number send STOP from it? They get no code either before START, whoever
/// gives the number as theirs.
pub(super) fn is_silenced(
    tx: &mut Tx<'_>,
    known: &[Id<of::Person>],
    number: &PhoneNumber,
) -> Result<bool, StorageError> {
    let index = sender_index(tx, number);
    if !stops::is_stopped_by(tx, known, &index)? {
        return Ok(false);
    }
    let contacts = people::contacts_of(tx, known)?;
    Ok(!contacts.values().flatten().any(|contact| is_theirs(contact, number) && contact.is_usable()))
}
fn is_theirs(contact: &Contact, number: &PhoneNumber) -> bool {
    contact.kind == ContactKind::Mobile && contact.for_envelope() == number.for_dialling()
}
/// Their memberships, kept from being changed and from being written to by others. None where nobody is or was a member.
fn sender(tx: &mut Tx<'_>, number: PhoneNumber, contacts: Vec<Owner>) -> Result<Option<Sender>, StorageError> {
    let persons: Vec<Id<of::Person>> = contacts.iter().map(|(person, _)| *person).collect();
    let memberships = stops::of_persons_to_silence(tx, &persons)?;
    if memberships.is_empty() {
        return Ok(None);
    }
    let index = sender_index(tx, &number);
    Ok(Some(Sender { number, index, contacts, memberships }))
}

/// Ends SMS to all of them, also what waits, and tells those who keep the lists. How many memberships changed.
fn stop(tx: &mut Tx<'_>, config: &Config, sender: &Sender) -> Result<usize, StorageError> {
    let (mut changed, mut lists) = (0, BTreeSet::new());
    // Even where it was stopped before: something may have been on its way into the queue at that moment.
    let theirs: Vec<_> = sender.memberships.iter().map(|membership| (membership.id, membership.person)).collect();
    cancel_for_memberships(tx, &theirs, Some(Channel::Sms), "stopped")?;
    for membership in &sender.memberships {
        if stops::stop_sms(tx, membership.id, &sender.index)? {
            changed += 1;
            if membership.status.is_enrolled() {
                lists.insert(membership.partnership);
            }
        }
    }
    for partnership in lists {
        letters::tell_of_stop(tx, config, partnership)?;
    }
    Ok(changed)
}
/// Undoes what a STOP of the same number did.
fn start(tx: &mut Tx<'_>, sender: &Sender) -> Result<usize, StorageError> {
    let mut changed = 0;
    for membership in &sender.memberships {
        changed += usize::from(stops::resume_sms(tx, membership.id, &sender.index)?);
    }
    Ok(changed)
}

/// The same answer goes out once in 24 hours, unless something changed; and never more than a few in all.
fn may_answer(tx: &mut Tx<'_>, sender: &Sender, said: Word, changed: bool) -> Result<bool, StorageError> {
    let since = tx.now()?.minus(DAY);
    let answers = stops::answers_since(tx, &sender.index, since)?;
    Ok(answers.len() < ANSWERS_A_DAY && (changed || !answers.contains(&said)))
}
/// Answers once to the number, whoever share it, in the language of the first of them. Whoever never confirmed the number
/// is not written to (T16).
fn answer(tx: &mut Tx<'_>, sender: &Sender, said: Word) -> Result<bool, StorageError> {
    let confirmed = |person: Id<of::Person>| {
        let of_person =
            sender.contacts.iter().find(|(owner, _)| *owner == person).map(|(_, contacts)| contacts.as_slice());
        of_person.filter(|contacts| contacts.iter().any(|c| is_theirs(c, &sender.number) && c.is_usable()))
    };
    let theirs: Vec<(&Membership, &[Contact])> =
        sender.memberships.iter().filter_map(|membership| Some((membership, confirmed(membership.person)?))).collect();
    let goes_on: Vec<_> = theirs.iter().filter(|(membership, _)| membership.ended_at.is_none()).copied().collect();
    let concerned = if goes_on.is_empty() { theirs } else { goes_on };
    let Some((first, _)) = concerned.first() else { return Ok(false) };
    let person = people::load_person(tx, first.person)?;
    let stays = if !concerned.iter().any(|(membership, _)| membership.status.is_enrolled()) {
        SmsKind::StopOutside
    } else if concerned.iter().all(|(membership, contacts)| membership.takes_email(contacts)) {
        SmsKind::Stop
    } else {
        SmsKind::StopLast
    };
    let kind = match said {
        Word::Stop => stays,
        Word::Start => SmsKind::Start,
        Word::Help => SmsKind::Help,
        Word::Other => SmsKind::NobodyReads,
    };
    let names = names(tx, concerned.iter().map(|(membership, _)| membership.partnership))?;
    let text = sms(person.language, kind, &[("partnership", &names)]);
    enqueue_text(tx, person.id, person.language, &sender.number, text)?;
    Ok(true)
}
/// What the partnerships call themselves, a few of them.
fn names(tx: &mut Tx<'_>, partnerships: impl Iterator<Item = Id<of::Partnership>>) -> Result<String, StorageError> {
    let ids: BTreeSet<Id<of::Partnership>> = partnerships.collect();
    let mut names = Vec::new();
    for id in ids.iter().take(NAMES_MAX) {
        names.extend(partnerships::find_partnership(tx, *id)?.map(|found| found.short_name));
    }
    let more = ids.len().saturating_sub(NAMES_MAX);
    if more > 0 {
        names.push(format!("+{more}"));
    }
    Ok(names.join(", "))
}

/// Forgets which SMS came more than a week ago.
///
/// # Errors
/// When the database fails.
pub fn forget_inbound(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let before = tx.now()?.minus(KEPT);
    stops::forget_inbound(tx, before)
}
