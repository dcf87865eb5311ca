//! The words of taking part in a partnership, and what the other slices are told of a member.

use crate::delivery::Channel;
use crate::people::{Contact, ContactKind};
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::PersonName;
use crate::values::PhoneNumber;
use crate::values::PostalAddress;
use crate::values::Timestamp;
use crate::values::of;

crate::words! {
    /// Where a membership stands.
    pub enum MembershipStatus {
        /// Asked for, with nothing to reach the person by.
        Requested = "requested",
        /// Asked for; nobody has shown yet that the contact is theirs.
        ContactUnverified = "contact_unverified",
        /// Waits for the coordinator.
        PendingApproval = "pending_approval",
        /// Takes part.
        Active = "active",
        /// Takes part, but wishes to hear nothing for a while.
        Paused = "paused",
        /// Takes part; the yearly review of the list is due.
        ReviewDue = "review_due",
        /// Takes part, but no contact works any more.
        Unreachable = "unreachable",
        /// Suspended until a decision.
        SuspendedProvisional = "suspended_provisional",
        /// Was not admitted.
        Refused = "refused",
        /// Is no longer a member.
        Left = "left",
        /// Was excluded.
        Excluded = "excluded",
        /// Only the fact of the membership is kept.
        Anonymised = "anonymised",
    }
}
impl MembershipStatus {
    /// The states of somebody who was admitted and has not left.
    pub const ENROLLED: [Self; 5] =
        [Self::Active, Self::Paused, Self::ReviewDue, Self::Unreachable, Self::SuspendedProvisional];
    /// Admitted, and not gone?
    #[must_use]
    pub const fn is_enrolled(self) -> bool {
        match self {
            Self::Active | Self::Paused | Self::ReviewDue | Self::Unreachable | Self::SuspendedProvisional => true,
            Self::Requested
            | Self::ContactUnverified
            | Self::PendingApproval
            | Self::Refused
            | Self::Left
            | Self::Excluded
            | Self::Anonymised => false,
        }
    }
}
crate::words! {
    /// What links a member to the area (duty M3).
    pub enum Basis {
        /// Lives there.
        Lives = "lives",
        /// Works there.
        Works = "works",
        /// Both.
        Both = "both",
    }
}
crate::words! {
    /// How the house rules were acknowledged (duty M5).
    pub enum AdhesionMode {
        /// A signed copy of the rules was handed to the coordinator.
        SignedCopy = "signed_copy",
        /// An adhesion form that refers to the rules was signed, on paper or on the web.
        FormReference = "form_reference",
    }
}
crate::words! {
    /// How an application came in.
    pub enum Source {
        /// Through the public form.
        Web = "web",
        /// On paper, entered by the coordinator.
        Paper = "paper",
        /// At the counter of the police.
        Counter = "counter",
    }
}

/// A member as a message needs to know them.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The membership.
    pub membership: Id<of::Membership>,
    /// The person.
    pub person: Id<of::Person>,
    /// The language they are written to in.
    pub language: Language,
    /// Where the membership stands.
    pub status: MembershipStatus,
    /// Their e-mail address, usable or not.
    pub email: Option<String>,
    /// Their mobile number, usable or not.
    pub mobile: Option<String>,
    /// May the address be written to?
    pub email_usable: bool,
    /// May the number be written to?
    pub mobile_usable: bool,
    /// Is nothing sent to the address, as it failed?
    pub email_suspended: bool,
    /// Is nothing sent to the number, as it failed?
    pub mobile_suspended: bool,
    /// The channel they prefer for what is not urgent.
    pub preferred_channel: Channel,
    /// Do they take SMS at night?
    pub sms_at_night: bool,
    /// Did they stop e-mail?
    pub email_stopped: bool,
    /// Did they stop SMS?
    pub sms_stopped: bool,
    /// Do they take part in exercises?
    pub exercises: bool,
    /// Keyed index of the dwelling: equal for one household.
    pub dwelling: Option<Vec<u8>>,
    /// When they were admitted.
    pub joined_at: Option<Timestamp>,
}

/// A member as a list of recipients shows them: initials and masked contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedMember {
    /// `J. D.`; empty once erased.
    pub initials: String,
    /// `j***@g***`.
    pub email: Option<String>,
    /// `+324******56`.
    pub mobile: Option<String>,
}

/// Somebody who takes part at once, all facts given: for the demonstration and for tests.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// Of which partnership.
    pub partnership: Id<of::Partnership>,
    /// Their name.
    pub name: PersonName,
    /// Their language.
    pub language: Language,
    /// Where they live or work.
    pub address: PostalAddress,
    /// What links them to the area.
    pub basis: Basis,
    /// A verified e-mail address.
    pub email: Option<EmailAddress>,
    /// A verified mobile number.
    pub mobile: Option<PhoneNumber>,
    /// The channel they prefer for what is not urgent.
    pub preferred_channel: Channel,
    /// Do they take SMS at night?
    pub sms_at_night: bool,
    /// Do they take part in exercises?
    pub exercises: bool,
    /// The number of the house rules they acknowledged.
    pub rules_number: i32,
}

/// A membership as the database knows it.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    pub(super) id: Id<of::Membership>,
    pub(super) partnership: Id<of::Partnership>,
    pub(super) person: Id<of::Person>,
    pub(super) status: MembershipStatus,
    pub(super) basis: Basis,
    pub(super) address: Option<PostalAddress>,
    pub(super) adult_declared_at: Timestamp,
    pub(super) adhesion: Option<Adhesion>,
    pub(super) source: Source,
    pub(super) preferred_channel: Channel,
    pub(super) sms_at_night: bool,
    pub(super) email_stopped_at: Option<Timestamp>,
    pub(super) sms_stopped_at: Option<Timestamp>,
    pub(super) exercises: bool,
    pub(super) applied_at: Timestamp,
    pub(super) joined_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) end_reason: Option<String>,
    pub(super) version: i64,
}
impl Membership {
    /// Does something work by which they may be written to?
    pub(super) fn is_reachable(&self, contacts: &[Contact]) -> bool {
        self.takes_email(contacts) || (self.sms_stopped_at.is_none() && works(contacts, ContactKind::Mobile))
    }
    /// May they be written to by e-mail?
    pub(super) fn takes_email(&self, contacts: &[Contact]) -> bool {
        self.email_stopped_at.is_none() && works(contacts, ContactKind::Email)
    }
}
fn works(contacts: &[Contact], kind: ContactKind) -> bool {
    contacts.iter().any(|contact| contact.kind == kind && contact.is_usable())
}
/// How and when somebody acknowledged the house rules (duty M5).
#[derive(Debug, Clone)]
pub(super) struct Adhesion {
    pub(super) mode: AdhesionMode,
    pub(super) rules_number: i32,
    pub(super) at: Timestamp,
    /// Who took the paper in.
    pub(super) received_by: Option<Id<of::Account>>,
    /// Where the paper is kept.
    pub(super) form_reference: Option<String>,
}
/// Somebody who wishes to join, from the web or from a paper form.
#[derive(Debug, Clone)]
pub(super) struct Application {
    pub(super) partnership: Id<of::Partnership>,
    pub(super) name: PersonName,
    pub(super) language: Language,
    pub(super) address: PostalAddress,
    pub(super) basis: Basis,
    pub(super) email: Option<EmailAddress>,
    pub(super) mobile: Option<PhoneNumber>,
    pub(super) preferred_channel: Channel,
    pub(super) sms_at_night: bool,
    /// The number of the house rules acknowledged.
    pub(super) rules_number: i32,
}
