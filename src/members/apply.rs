//! Somebody asks to join, on the web.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::actions::Apply;
use super::error::MemberError;
use super::facts::{circumstances, lies_inside};
use super::inbound::{is_silenced, sender_index};
use super::letters::name_of;
use super::member::{Adhesion, AdhesionMode, Application, MembershipStatus, Source};
use super::rules::{Candidate, may_join};
use super::stops;
use super::store;
use crate::access::{Public, Throttle, take};
use crate::config::Config;
use crate::config::Limits;
use crate::delivery::{LetterTo, contact_url, enqueue_letter, enqueue_text};
use crate::partnerships;
use crate::people;
use crate::people::{ContactKind, ContactState, NewPerson};
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::{LetterKind, SmsKind, letter, sms};
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::PhoneNumber;
use crate::values::of;

/// How long a code is good for.
pub(super) const CODE_HOURS: u8 = 24;
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The answer waits so long, which is more than writing an application and its codes takes: the time it takes does not
/// tell whether the contact is known.
const ANSWER_AFTER: Duration = Duration::from_millis(250);

/// Counts and applies, each in a transaction of its own, and answers no sooner to one than to another.
pub(super) async fn ask(open: &Public<Apply>, application: Application) -> Result<(), MemberError> {
    let answer_at = Instant::now() + ANSWER_AFTER;
    let (config, network) = (Arc::clone(open.config()), open.network());
    let (limits, partnership) = (config.limits.clone(), application.partnership);
    let counted = open.write(move |tx| count(tx, &limits, &network, partnership)).await?;
    counted.map_err(MemberError::TooMany)?;
    let applied = open.write(move |tx| apply(tx, &config, &application)).await;
    sleep_until(answer_at).await;
    applied
}

/// Takes one of the applications that a network and a partnership may make; the inner error says how long to wait.
fn count(
    tx: &mut Tx<'_>,
    limits: &Limits,
    network: &str,
    partnership: Id<of::Partnership>,
) -> Result<Result<(), Duration>, StorageError> {
    let of_network = Throttle { name: "applications_of_network", most: limits.applications_per_network, window: HOUR };
    if let Err(wait) = take(tx, of_network, network)? {
        return Ok(Err(wait));
    }
    let to_partnership =
        Throttle { name: "applications_to_partnership", most: limits.applications_per_partnership, window: DAY };
    take(tx, to_partnership, &partnership.to_string())
}

/// Writes the application down and sends a code to each contact. Whoever is known there already is not told so, nor is
/// anything changed: the answer would say who is a member.
fn apply(tx: &mut Tx<'_>, config: &Config, application: &Application) -> Result<(), MemberError> {
    let circumstances = circumstances(tx, application.partnership, false)?;
    let adhesion = (AdhesionMode::FormReference, application.rules_number);
    let candidate = Candidate {
        is_adult: true,
        is_inside: lies_inside(tx, application.partnership, Some(&application.address))?,
        adhesion: Some(adhesion),
        contacts: [application.email.is_some(), application.mobile.is_some()].iter().filter(|given| **given).count(),
    };
    may_join(&candidate, &circumstances)?;

    // Counted before anybody is looked up: two applications of one contact at the same moment wait for each other here.
    let mail_code = code_allowed(tx, config, application.email.as_ref().map(EmailAddress::for_index).as_deref())?;
    let sms_code = code_allowed(tx, config, application.mobile.as_ref().map(PhoneNumber::for_dialling))?;
    if !mail_code && !sms_code {
        return Ok(());
    }
    let known = people::persons_with_contact(tx, application.email.as_ref(), application.mobile.as_ref())?;
    let silenced = match &application.mobile {
        Some(mobile) if is_silenced(tx, &known, mobile)? => Some(sender_index(tx, mobile)),
        _ => None,
    };
    let sms_code = sms_code && silenced.is_none();
    if !mail_code && !sms_code {
        return Ok(());
    }
    let open = store::not_ended(tx, application.partnership, &known)?;
    if open.iter().any(|(_, _, status)| *status != MembershipStatus::ContactUnverified) {
        return Ok(());
    }
    let person = match open.first() {
        Some((earlier, person, _)) => {
            store::forget_unconfirmed(tx, *earlier)?;
            people::rename(tx, *person, &application.name)?;
            people::set_language(tx, *person, application.language)?;
            *person
        }
        None => {
            let new = NewPerson { name: application.name.clone(), language: application.language };
            people::create_person(tx, &new)?
        }
    };
    let now = tx.now()?;
    let id = store::insert_application(
        tx,
        person,
        application,
        MembershipStatus::ContactUnverified,
        Source::Web,
        (store::ADULT_WORDING, now),
        Adhesion { mode: adhesion.0, rules_number: adhesion.1, at: now, received_by: None, form_reference: None },
    )?;
    if let Some(sender) = silenced {
        // Also after the application to which it was said has given way to this one.
        stops::stop_sms(tx, id, &sender)?;
    }
    send_codes(tx, config, person, application, mail_code, sms_code)
}

/// May one more code go to this contact today?
fn code_allowed(tx: &mut Tx<'_>, config: &Config, contact: Option<&str>) -> Result<bool, StorageError> {
    let Some(contact) = contact else { return Ok(false) };
    let throttle = Throttle { name: "contact_codes", most: config.limits.codes_per_contact, window: DAY };
    Ok(take(tx, throttle, contact)?.is_ok())
}
fn send_codes(
    tx: &mut Tx<'_>,
    config: &Config,
    person: Id<of::Person>,
    application: &Application,
    mail_code: bool,
    sms_code: bool,
) -> Result<(), MemberError> {
    let partnership = partnerships::find_partnership(tx, application.partnership)?.ok_or(MemberError::NotFound)?;
    let (language, life) = (application.language, HOUR.saturating_mul(u32::from(CODE_HOURS)));
    if let Some(email) = &application.email {
        let unverified = ContactState::Unverified;
        let contact = people::add_contact(tx, person, ContactKind::Email, email.for_envelope(), unverified)?;
        if mail_code {
            let code = people::issue_code(tx, contact, life)?;
            let url = contact_url(config, tx.keys(), contact);
            let (name, hours) = (name_of(&partnership, language), CODE_HOURS.to_string());
            let values = [("partnership", name.as_str()), ("code", &code), ("url", &url), ("hours", &hours)];
            let letter = letter(language, LetterKind::ConfirmContact, &values);
            enqueue_letter(tx, LetterTo { person, language, email }, letter)?;
        }
    }
    if let Some(mobile) = &application.mobile {
        let unverified = ContactState::Unverified;
        let contact = people::add_contact(tx, person, ContactKind::Mobile, mobile.for_dialling(), unverified)?;
        if sms_code {
            let code = people::issue_code(tx, contact, life)?;
            let url = contact_url(config, tx.keys(), contact);
            let values = [("partnership", partnership.short_name.as_str()), ("code", &code)];
            let text = format!("{} {url}", sms(language, SmsKind::ContactCode, &values));
            enqueue_text(tx, person, language, mobile, text)?;
        }
    }
    Ok(())
}
