//! Who is told that something waits, was decided, or left; by the queue, in the work's own transaction. These notices name
//! the partnership and the kind, never what a message says.

use super::draft::surroundings;
use super::lifecycle::Facts;
use super::render::verify_url;
use crate::access::{self, Reach, Role};
use crate::accounts::{self, Reached};
use crate::config::Config;
use crate::delivery::{LetterTo, enqueue_letter, enqueue_text};
use crate::partnerships::Partnership;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::territory::Zone;
use crate::texts::{self, LetterKind, SmsKind};
use crate::values::Id;
use crate::values::Language;
use crate::values::of;

fn name_of(partnership: &Partnership, zone: &Zone, language: Language) -> String {
    partnership
        .names
        .best(language, &zone.languages)
        .map_or_else(|| partnership.short_name.as_str().to_owned(), |(_, name)| name.as_str().to_owned())
}
fn message_url(config: &Config, facts: &Facts) -> String {
    format!("{}/api/v1/messages/{}", config.server.public_url, facts.id)
}
/// The holders of some roles over a place, but for one account; each once. Whose data do not open is left out: one damaged row
/// must not keep everybody else from hearing, nor an alarm or a message from being written down.
fn others(
    tx: &mut Tx<'_>,
    reach: &Reach,
    roles: &[Role],
    but: Option<Id<of::Account>>,
) -> Result<Vec<Reached>, StorageError> {
    let mut accounts: Vec<Id<of::Account>> =
        access::holders(tx, reach, roles)?.into_iter().map(|grant| grant.account).collect();
    accounts.sort();
    accounts.dedup();
    let mut reached = Vec::new();
    for account in accounts.into_iter().filter(|account| Some(*account) != but) {
        match accounts::reach(tx, account) {
            Ok(found) => reached.extend(found),
            Err(StorageError::Corrupt(_)) => {
                tracing::error!(event = "notice.unreadable", %account, "somebody is not told, as their data do not open");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(reached)
}
fn write(tx: &mut Tx<'_>, to: &Reached, kind: LetterKind, values: &[(&str, &str)]) -> Result<(), StorageError> {
    let letter = texts::letter(to.language, kind, values);
    enqueue_letter(tx, LetterTo { person: to.person, language: to.language, email: &to.email }, letter)
}
/// By mail, and by SMS where there is a number that works: one of the two may be what does not.
fn write_by_both(
    tx: &mut Tx<'_>,
    to: &Reached,
    (letter, values): (LetterKind, &[(&str, &str)]),
    (sms, in_short): (SmsKind, &[(&str, &str)]),
) -> Result<(), StorageError> {
    write(tx, to, letter, values)?;
    if let Some(mobile) = &to.mobile {
        enqueue_text(tx, to.person, to.language, mobile, texts::sms(to.language, sms, in_short))?;
    }
    Ok(())
}

/// The officers of the zone: something waits for their approval.
pub(super) fn officers_that_something_waits(
    tx: &mut Tx<'_>,
    config: &Config,
    facts: &Facts,
    by: Id<of::Account>,
) -> Result<(), StorageError> {
    let (partnership, zone) = surroundings(tx, facts.partnership)?;
    let inbox = format!("{}/api/v1/inbox", config.server.public_url);
    for officer in others(tx, &Reach::Zone(zone.id), &[Role::Officer], Some(by))? {
        let name = name_of(&partnership, &zone, officer.language);
        let values = [("partnership", name.as_str()), ("kind", facts.kind.as_str()), ("inbox_url", inbox.as_str())];
        let in_short = [("partnership", partnership.short_name.as_str()), ("code", facts.short_code.as_str())];
        write_by_both(tx, &officer, (LetterKind::WaitingForOfficer, &values), (SmsKind::WaitingForOfficer, &in_short))?;
    }
    Ok(())
}
/// The other officers: one of them approved alone, somebody looks back within a day.
pub(super) fn officers_that_a_review_is_due(
    tx: &mut Tx<'_>,
    config: &Config,
    facts: &Facts,
    by: Id<of::Account>,
) -> Result<(), StorageError> {
    let (partnership, zone) = surroundings(tx, facts.partnership)?;
    let url = message_url(config, facts);
    for officer in others(tx, &Reach::Zone(zone.id), &[Role::Officer], Some(by))? {
        let name = name_of(&partnership, &zone, officer.language);
        write(tx, &officer, LetterKind::AfterReviewDue, &[("partnership", &name), ("url", &url)])?;
    }
    Ok(())
}
/// Everybody who answers for the partnership and its zone: an urgent message left. A forged one would be seen at once (T01).
pub(super) fn release_of_urgent(tx: &mut Tx<'_>, config: &Config, facts: &Facts) -> Result<(), StorageError> {
    let (partnership, zone) = surroundings(tx, facts.partnership)?;
    let url = verify_url(&config.server.public_url, &facts.short_code);
    let mut told = others(tx, &Reach::Zone(zone.id), &[Role::Officer, Role::ZoneAdministrator], None)?;
    told.extend(others(tx, &Reach::Partnership(facts.partnership), &[Role::Coordinator, Role::Deputy], None)?);
    told.sort_by_key(|reached| reached.account);
    told.dedup_by_key(|reached| reached.account);
    for reached in told {
        let name = name_of(&partnership, &zone, reached.language);
        write(tx, &reached, LetterKind::MessageApproved, &[("partnership", &name), ("url", &url)])?;
    }
    Ok(())
}
/// The officers of the zone, by mail and by SMS, as one of the two may be what does not work: an urgent message of theirs
/// does not leave (accept M22). A mail that goes alone says so, and why: whoever trusts in the SMS would wait for it.
pub(super) fn officers_that_nothing_leaves(
    tx: &mut Tx<'_>,
    config: &Config,
    facts: &Facts,
) -> Result<(), StorageError> {
    let (partnership, zone) = surroundings(tx, facts.partnership)?;
    let url = format!("{}/progress", message_url(config, facts));
    for officer in others(tx, &Reach::Zone(zone.id), &[Role::Officer], None)? {
        let name = name_of(&partnership, &zone, officer.language);
        let by_sms = match (&officer.mobile, officer.mobile_suspended) {
            (Some(_), _) => "sent",
            (None, true) => "suspended",
            (None, false) => "none",
        };
        if officer.mobile.is_none() {
            tracing::warn!(account = %officer.account, by_sms, "an alarm goes to an officer by mail only");
        }
        let code = facts.short_code.as_str();
        let values = [("partnership", name.as_str()), ("code", code), ("url", url.as_str()), ("sms", by_sms)];
        let in_short = [("partnership", partnership.short_name.as_str()), ("code", code)];
        write_by_both(tx, &officer, (LetterKind::NothingLeaves, &values), (SmsKind::NothingLeaves, &in_short))?;
    }
    Ok(())
}
/// The author: it was given back or refused, and why.
pub(super) fn author_of_refusal(
    tx: &mut Tx<'_>,
    facts: &Facts,
    reason: &str,
    for_good: bool,
) -> Result<(), StorageError> {
    let (partnership, zone) = surroundings(tx, facts.partnership)?;
    let Some(author) = accounts::reach(tx, facts.author)? else { return Ok(()) };
    let name = name_of(&partnership, &zone, author.language);
    let kind = if for_good { LetterKind::MessageRejected } else { LetterKind::MessageReturned };
    write(tx, &author, kind, &[("partnership", &name), ("reason", reason)])
}
