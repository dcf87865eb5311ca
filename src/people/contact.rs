//! Contact points: one e-mail address, one mobile and one landline for each person.

use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::PhoneNumber;
use crate::values::Timestamp;
use crate::values::of;

crate::words! {
    /// What kind of contact point.
    pub enum ContactKind {
        /// E-mail address.
        Email = "email",
        /// Mobile number: can receive SMS.
        Mobile = "mobile",
        /// Fixed line: can be called.
        Landline = "landline",
    }
}
crate::words! {
    /// Whether it works.
    pub enum ContactState {
        /// Nobody has shown yet that it is theirs.
        Unverified = "unverified",
        /// Its owner gave back the code that was sent to it, or signed it on paper.
        Verified = "verified",
        /// It failed lately.
        Suspect = "suspect",
        /// It failed for good, or too often: nothing is sent to it until somebody says that it works again.
        Invalid = "invalid",
    }
}
crate::words! {
    /// Why nothing is sent to a contact point any more.
    pub enum SuspensionReason {
        /// The other side said that it does not exist.
        Bounced = "bounced",
        /// It did not work on several days.
        KeepsFailing = "keeps_failing",
    }
}
/// Nothing is sent to a contact point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspension {
    /// Why.
    pub reason: SuspensionReason,
    /// Since when.
    pub since: Timestamp,
}
/// A way to reach a person.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Its identifier.
    pub id: Id<of::ContactPoint>,
    /// Whose it is.
    pub person: Id<of::Person>,
    /// What kind.
    pub kind: ContactKind,
    /// Whether it works.
    pub state: ContactState,
    /// Nothing is sent to it, and why.
    pub suspension: Option<Suspension>,
    pub(super) value: String,
}
impl Contact {
    /// The address, when it is one.
    #[must_use]
    pub fn email(&self) -> Option<EmailAddress> {
        if self.kind == ContactKind::Email { EmailAddress::parse(&self.value).ok() } else { None }
    }
    /// The number, when it is one.
    #[must_use]
    pub fn phone(&self) -> Option<PhoneNumber> {
        if self.kind == ContactKind::Email { None } else { PhoneNumber::parse(&self.value).ok() }
    }
    /// The value in full, for an envelope or for somebody entitled to see it.
    #[must_use]
    pub fn for_envelope(&self) -> &str {
        &self.value
    }
    /// Enough to recognise one's own.
    #[must_use]
    pub fn masked(&self) -> String {
        match self.kind {
            ContactKind::Email => self.email().map(|email| email.masked()).unwrap_or_default(),
            ContactKind::Mobile | ContactKind::Landline => self.phone().map(|phone| phone.masked()).unwrap_or_default(),
        }
    }
    /// May something be sent to it?
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        matches!(self.state, ContactState::Verified | ContactState::Suspect)
    }
}
