//! What goes over the wire about members.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError, ValidationErrors};

use super::error::{MemberError, Unfit};
use super::lifecycle::{RecordedEnd, RefusalReason};
use super::member::{AdhesionMode, Application, Basis, Membership, MembershipStatus, Source};
use super::store::Wanted;
use crate::delivery::Channel;
use crate::http::page_limit;
use crate::people::{Contact, ContactKind, ContactState, Person, SuspensionReason};
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::Line;
use crate::values::PersonName;
use crate::values::PhoneNumber;
use crate::values::PostalAddress;
use crate::values::Timestamp;
use crate::values::of;

// The contract's macro takes names of types without parameters.
type MembershipId = Id<of::Membership>;
type ContactPointId = Id<of::ContactPoint>;
type PartnershipId = Id<of::Partnership>;

fn fault(code: &'static str, message: &'static str) -> ValidationError {
    ValidationError::new(code).with_message(message.into())
}
fn declared(adult: &bool) -> Result<(), ValidationError> {
    if *adult { Ok(()) } else { Err(fault("not_adult", "members declare that they are adults")) }
}
/// Ways to reach somebody: at least one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenContacts {
    /// E-mail address.
    email: Option<EmailAddress>,
    /// Mobile number.
    mobile: Option<PhoneNumber>,
}
impl Validate for GivenContacts {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut faults = ValidationErrors::new();
        if self.email.is_none() && self.mobile.is_none() {
            faults.add("__all__", fault("no_contact", "give an e-mail address, a mobile number or both"));
        }
        if self.mobile.as_ref().is_some_and(|phone| !phone.is_mobile()) {
            faults.add("mobile", fault("not_mobile", "must be a mobile number"));
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}
/// The house rules that were read and are accepted.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct AcknowledgedRules {
    /// Their number; the one in force stands on the page of the partnership.
    #[validate(range(min = 1, max = 1_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000)]
    version: i32,
}
/// Somebody asks to join.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplicationRequest {
    /// Name.
    name: PersonName,
    /// Language to be written to in.
    language: Language,
    /// Where the person lives or works.
    #[validate(nested)]
    address: PostalAddress,
    /// What links the person to the area.
    basis: Basis,
    /// "I am an adult." Must be true; a date of birth is never asked.
    #[validate(custom(function = "declared"))]
    adult_declared: bool,
    /// The house rules acknowledged.
    #[validate(nested)]
    house_rules: AcknowledgedRules,
    /// Ways to reach the person.
    #[validate(nested)]
    contacts: GivenContacts,
    /// For what is not urgent; without it e-mail where there is an address.
    preferred_channel: Option<Channel>,
    /// Takes SMS at night; true unless said otherwise.
    sms_at_night: Option<bool>,
}
/// The adhesion as it stands on the signed paper (duty M5).
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PaperAdhesion {
    /// A signed copy of the rules, or a form that refers to them.
    pub(super) mode: AdhesionMode,
    /// The number of the rules signed for.
    #[validate(range(min = 1, max = 1_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub(super) rules_number: i32,
    /// The day it was signed.
    #[schema(value_type = String, format = Date)]
    pub(super) signed_on: chrono::NaiveDate,
    /// Where the paper is kept.
    #[schema(inline)]
    pub(super) form_reference: Line<80>,
}
/// Somebody is entered from a paper form.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PaperMember {
    /// Name.
    name: PersonName,
    /// Language to be written to in.
    language: Language,
    /// Where the person lives or works.
    #[validate(nested)]
    address: PostalAddress,
    /// What links the person to the area.
    basis: Basis,
    /// The person declared on the paper to be an adult. Must be true.
    #[validate(custom(function = "declared"))]
    adult_declared: bool,
    /// The adhesion.
    #[validate(nested)]
    pub(super) adhesion: PaperAdhesion,
    /// Ways to reach the person, shown to be theirs by the signature.
    #[validate(nested)]
    contacts: GivenContacts,
    /// For what is not urgent; without it e-mail where there is an address.
    preferred_channel: Option<Channel>,
    /// Takes SMS at night; true unless said otherwise.
    sms_at_night: Option<bool>,
}
fn channel(wish: Option<Channel>, contacts: &GivenContacts) -> Result<Channel, MemberError> {
    let usual = if contacts.email.is_some() { Channel::Email } else { Channel::Sms };
    let chosen = wish.unwrap_or(usual);
    let exists = match chosen {
        Channel::Email => contacts.email.is_some(),
        Channel::Sms => contacts.mobile.is_some(),
    };
    if exists { Ok(chosen) } else { Err(MemberError::Unfit(Unfit::ChannelWithoutContact)) }
}
impl ApplicationRequest {
    pub(super) fn into_application(self, partnership: Id<of::Partnership>) -> Result<Application, MemberError> {
        Ok(Application {
            partnership,
            preferred_channel: channel(self.preferred_channel, &self.contacts)?,
            name: self.name,
            language: self.language,
            address: self.address,
            basis: self.basis,
            email: self.contacts.email,
            mobile: self.contacts.mobile,
            sms_at_night: self.sms_at_night.unwrap_or(true),
            rules_number: self.house_rules.version,
        })
    }
}
impl PaperMember {
    pub(super) fn into_application(
        self,
        partnership: Id<of::Partnership>,
    ) -> Result<(Application, PaperAdhesion), MemberError> {
        let application = Application {
            partnership,
            preferred_channel: channel(self.preferred_channel, &self.contacts)?,
            name: self.name,
            language: self.language,
            address: self.address,
            basis: self.basis,
            email: self.contacts.email,
            mobile: self.contacts.mobile,
            sms_at_night: self.sms_at_night.unwrap_or(true),
            rules_number: self.adhesion.rules_number,
        };
        Ok((application, self.adhesion))
    }
}
/// The code that was sent to a contact.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactCode {
    /// Six digits.
    #[validate(length(min = 1, max = 20))]
    #[schema(min_length = 1, max_length = 20)]
    pub(super) code: String,
}
/// What is corrected; what is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberCorrection {
    /// Name.
    pub(super) name: Option<PersonName>,
    /// Address.
    #[validate(nested)]
    pub(super) address: Option<PostalAddress>,
    /// Language.
    pub(super) language: Option<Language>,
}
/// Why an applicant is refused.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberRefusal {
    /// One of the lawful reasons.
    pub(super) reason: RefusalReason,
}
/// Why a membership ends.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct MembershipEnd {
    /// Died, moved or entered twice; resigning is for the member alone.
    pub(super) reason: RecordedEnd,
}
crate::words! {
    /// Why somebody needs a member's contacts in full.
    pub enum RevealReason {
        /// The member asked to be called or written to.
        MemberAsked = "member_asked",
        /// Something urgent concerns this member.
        Urgent = "urgent",
        /// Messages do not arrive.
        Undelivered = "undelivered",
        /// The yearly review of the list.
        ListReview = "list_review",
    }
}
/// Why the contacts are needed in full.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct RevealRequest {
    /// One of the reasons.
    pub(super) reason: RevealReason,
}
/// Which members.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberQuery {
    /// Only these; without it all who have not ended.
    status: Option<MembershipStatus>,
    /// Only those written to in this language.
    language: Option<Language>,
    /// Only those who prefer this channel.
    channel: Option<Channel>,
    /// Only those who stopped this channel.
    stopped: Option<Channel>,
    /// Only those who can be reached by something, or by nothing.
    reachable: Option<bool>,
    /// Only those to whom nothing is sent on this channel, as their address or number failed.
    unreachable_by: Option<Channel>,
    /// Only those whose name contains this.
    #[validate(length(min = 1, max = 80))]
    #[param(min_length = 1, max_length = 80)]
    name: Option<String>,
    /// Rows on a page.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u8>,
    /// The `next` of the page before.
    after: Option<MembershipId>,
}
impl From<MemberQuery> for Wanted {
    fn from(query: MemberQuery) -> Self {
        Self {
            status: query.status,
            language: query.language,
            channel: query.channel,
            stopped: query.stopped,
            reachable: query.reachable,
            unreachable_by: query.unreachable_by,
            name: query.name.map(|name| name.trim().to_lowercase()),
            after: query.after,
            limit: page_limit(query.limit),
        }
    }
}
/// The language of a page.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PageLanguage {
    /// Without it the language of the member.
    pub(super) lang: Option<Language>,
}

/// The application has arrived, whoever it is from.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApplicationReceipt {
    /// Where the contacts can be reached, a code is on its way that is good for so long.
    pub(super) code_valid_hours: u8,
}
/// A contact, as much as is needed to recognise it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MaskedContact {
    /// Identifier.
    id: ContactPointId,
    /// What it is.
    kind: ContactKind,
    /// Whether it works.
    state: ContactState,
    /// Such as `j***@g***`.
    masked: String,
    /// Nothing is sent to it since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_at: Option<Timestamp>,
    /// Why nothing is sent to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_for: Option<SuspensionReason>,
}
/// A contact in full.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevealedContact {
    /// What it is.
    kind: ContactKind,
    /// Whether it works.
    state: ContactState,
    /// The address or number.
    value: String,
}
/// The contacts of one member in full.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevealedContacts {
    /// The contacts.
    contacts: Vec<RevealedContact>,
}
/// How the house rules were acknowledged.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AdhesionView {
    /// The way.
    mode: AdhesionMode,
    /// The number of the rules.
    rules_number: i32,
    /// When.
    at: Timestamp,
    /// Where the paper is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    form_reference: Option<String>,
}
/// A member on the list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberRow {
    /// Identifier.
    pub(super) id: MembershipId,
    /// Where the membership stands.
    status: MembershipStatus,
    /// Name; absent once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<PersonName>,
    /// Language.
    language: Language,
    /// What links the member to the area.
    basis: Basis,
    /// Preferred channel for what is not urgent.
    preferred_channel: Channel,
    /// Stopped e-mail.
    email_stopped: bool,
    /// Stopped SMS.
    sms_stopped: bool,
    /// Some contact works whose channel was not stopped.
    reachable: bool,
    /// Contacts, masked.
    contacts: Vec<MaskedContact>,
    /// The channels on which nothing is sent, as the address or number failed.
    unreachable_by: Vec<Channel>,
    /// When they applied.
    applied_at: Timestamp,
    /// When they were admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined_at: Option<Timestamp>,
}
/// A member.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberView {
    /// Identifier.
    pub(super) id: MembershipId,
    /// The partnership.
    partnership: PartnershipId,
    /// Where the membership stands.
    status: MembershipStatus,
    /// Name; absent once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<PersonName>,
    /// Language.
    language: Language,
    /// Where they live or work; absent once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<PostalAddress>,
    /// What links the member to the area.
    basis: Basis,
    /// Declared to be an adult.
    adult_declared: bool,
    /// How the house rules were acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    adhesion: Option<AdhesionView>,
    /// How the application came in.
    source: Source,
    /// Preferred channel for what is not urgent.
    preferred_channel: Channel,
    /// Takes SMS at night.
    sms_at_night: bool,
    /// Stopped e-mail.
    email_stopped: bool,
    /// Stopped SMS.
    sms_stopped: bool,
    /// Some contact works whose channel was not stopped.
    reachable: bool,
    /// Takes part in exercises.
    exercises: bool,
    /// Contacts, masked.
    contacts: Vec<MaskedContact>,
    /// The channels on which nothing is sent, as the address or number failed.
    unreachable_by: Vec<Channel>,
    /// When they applied.
    applied_at: Timestamp,
    /// When they were admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_reason: Option<String>,
    #[serde(skip)]
    pub(super) version: i64,
}
fn masked(contacts: &[Contact]) -> Vec<MaskedContact> {
    contacts
        .iter()
        .map(|contact| MaskedContact {
            id: contact.id,
            kind: contact.kind,
            state: contact.state,
            masked: contact.masked(),
            suspended_at: contact.suspension.map(|suspension| suspension.since),
            suspended_for: contact.suspension.map(|suspension| suspension.reason),
        })
        .collect()
}
fn unreachable_by(contacts: &[Contact]) -> Vec<Channel> {
    contacts
        .iter()
        .filter(|contact| contact.suspension.is_some())
        .filter_map(|contact| match contact.kind {
            ContactKind::Email => Some(Channel::Email),
            ContactKind::Mobile => Some(Channel::Sms),
            ContactKind::Landline => None,
        })
        .collect()
}
impl MemberRow {
    pub(super) fn new(membership: Membership, person: Person, contacts: &[Contact]) -> Self {
        Self {
            id: membership.id,
            status: membership.status,
            name: person.name,
            language: person.language,
            basis: membership.basis,
            preferred_channel: membership.preferred_channel,
            email_stopped: membership.email_stopped_at.is_some(),
            sms_stopped: membership.sms_stopped_at.is_some(),
            reachable: membership.is_reachable(contacts),
            contacts: masked(contacts),
            unreachable_by: unreachable_by(contacts),
            applied_at: membership.applied_at,
            joined_at: membership.joined_at,
        }
    }
}
impl MemberView {
    pub(super) fn new(membership: Membership, person: Person, contacts: &[Contact]) -> Self {
        let reachable = membership.is_reachable(contacts);
        Self {
            id: membership.id,
            partnership: membership.partnership,
            status: membership.status,
            name: person.name,
            language: person.language,
            address: membership.address,
            basis: membership.basis,
            adult_declared: true,
            adhesion: membership.adhesion.map(|adhesion| AdhesionView {
                mode: adhesion.mode,
                rules_number: adhesion.rules_number,
                at: adhesion.at,
                form_reference: adhesion.form_reference,
            }),
            source: membership.source,
            preferred_channel: membership.preferred_channel,
            sms_at_night: membership.sms_at_night,
            email_stopped: membership.email_stopped_at.is_some(),
            sms_stopped: membership.sms_stopped_at.is_some(),
            reachable,
            exercises: membership.exercises,
            contacts: masked(contacts),
            unreachable_by: unreachable_by(contacts),
            applied_at: membership.applied_at,
            joined_at: membership.joined_at,
            ended_at: membership.ended_at,
            end_reason: membership.end_reason,
            version: membership.version,
        }
    }
}
impl RevealedContacts {
    pub(super) fn new(contacts: &[Contact]) -> Self {
        let contacts = contacts
            .iter()
            .map(|contact| RevealedContact {
                kind: contact.kind,
                state: contact.state,
                value: contact.for_envelope().to_owned(),
            })
            .collect();
        Self { contacts }
    }
}
