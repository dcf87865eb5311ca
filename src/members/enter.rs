//! Somebody is entered from a signed paper form.

use chrono::NaiveTime;

use super::error::{MemberError, Unfit};
use super::facts::{circumstances, lies_inside};
use super::member::{Adhesion, Application, MembershipStatus, Source};
use super::payloads::PaperAdhesion;
use super::rules::{Candidate, may_join};
use super::store;
use crate::people;
use crate::people::{ContactKind, ContactState, NewPerson};
use crate::storage::Tx;
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::PhoneNumber;
use crate::values::of;

/// The wording of the declaration on the paper form (duty M2).
const ADULT_ON_PAPER: &str = "adult-paper-1";

/// Enters the person and what the paper says. Its signature shows that the contacts are theirs.
pub(super) fn enter(
    tx: &mut Tx<'_>,
    application: &Application,
    paper: PaperAdhesion,
    received_by: Id<of::Account>,
    by_police: bool,
) -> Result<Id<of::Membership>, MemberError> {
    let now = tx.now()?;
    if paper.signed_on > now.in_belgium().date_naive() {
        return Err(MemberError::Unfit(Unfit::SignedInTheFuture));
    }
    let circumstances = circumstances(tx, application.partnership, by_police)?;
    let candidate = Candidate {
        is_adult: true,
        is_inside: lies_inside(tx, application.partnership, Some(&application.address))?,
        adhesion: Some((paper.mode, paper.rules_number)),
        contacts: [application.email.is_some(), application.mobile.is_some()].iter().filter(|given| **given).count(),
    };
    may_join(&candidate, &circumstances)?;
    if is_on_the_list(tx, application)? {
        return Err(MemberError::AlreadyMember);
    }

    let new = NewPerson { name: application.name.clone(), language: application.language };
    let person = people::create_person(tx, &new)?;
    let email = application.email.as_ref().map(EmailAddress::for_envelope);
    let mobile = application.mobile.as_ref().map(PhoneNumber::for_dialling);
    for (kind, value) in [(ContactKind::Email, email), (ContactKind::Mobile, mobile)] {
        if let Some(value) = value {
            people::add_contact(tx, person, kind, value, ContactState::Verified)?;
        }
    }
    let signed_at = paper.signed_on.and_time(NaiveTime::MIN).and_utc().into();
    let adhesion = Adhesion {
        mode: paper.mode,
        rules_number: paper.rules_number,
        at: signed_at,
        received_by: Some(received_by),
        form_reference: Some(paper.form_reference.as_str().to_owned()),
    };
    let adult = (ADULT_ON_PAPER, signed_at);
    let status = MembershipStatus::PendingApproval;
    Ok(store::insert_application(tx, person, application, status, Source::Paper, adult, adhesion)?)
}

/// A household may share an address or a number; the same name with the same contact is the same person.
fn is_on_the_list(tx: &mut Tx<'_>, application: &Application) -> Result<bool, MemberError> {
    let known = people::persons_with_contact(tx, application.email.as_ref(), application.mobile.as_ref())?;
    let name = application.name.for_letter().to_lowercase();
    for (_, person, status) in store::not_ended(tx, application.partnership, &known)? {
        let person = people::load_person(tx, person)?;
        let is_named_so = person.name.is_some_and(|known| known.for_letter().to_lowercase() == name);
        if is_named_so && status != MembershipStatus::ContactUnverified {
            return Ok(true);
        }
    }
    Ok(false)
}
