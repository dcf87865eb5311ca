//! The personal links of a letter. Their pages are mounted by the slices above; the paths are fixed here because the
//! courier fills them in.

use crate::access::Purpose;
use crate::access::link_token;
use crate::config::Config;
use crate::storage::Keyring;
use crate::values::Id;
use crate::values::of;

/// Where a member leaves (duty M4): one action, no sign-in.
#[must_use]
pub fn leave_url(config: &Config, keys: &Keyring, membership: Id<of::Membership>) -> String {
    format!("{}/p/leave/{}", config.server.public_url, link_token(keys, Purpose::Leave, membership.uuid().as_u128()))
}
/// Where e-mail to a membership is stopped (RFC 8058).
#[must_use]
pub fn unsubscribe_url(config: &Config, keys: &Keyring, membership: Id<of::Membership>) -> String {
    format!(
        "{}/p/unsubscribe/{}",
        config.server.public_url,
        link_token(keys, Purpose::UnsubscribeEmail, membership.uuid().as_u128())
    )
}
/// Where a member sees their own data.
#[must_use]
pub fn my_data_url(config: &Config, keys: &Keyring, membership: Id<of::Membership>) -> String {
    format!("{}/p/my-data/{}", config.server.public_url, link_token(keys, Purpose::MyData, membership.uuid().as_u128()))
}
/// Where a contact point is confirmed with its code.
#[must_use]
pub fn contact_url(config: &Config, keys: &Keyring, contact: Id<of::ContactPoint>) -> String {
    format!(
        "{}/p/contact/{}",
        config.server.public_url,
        link_token(keys, Purpose::ConfirmContact, contact.uuid().as_u128())
    )
}
/// Where the mail server brings what came back. One address for the whole installation, and a secret of the two.
#[must_use]
pub fn returned_mail_url(config: &Config, keys: &Keyring) -> String {
    format!("{}/hooks/mail/{}", config.server.public_url, link_token(keys, Purpose::ReturnedMail, 0))
}
/// An attempt at a delivery, as links and return addresses name it: by the number of the first one that it may be confused
/// with. Those that were turned away share their name with the next, as a server that says "come back later" knows a mail by
/// its sender; the next name comes when one may have been taken, or with another round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptName {
    /// The delivery.
    pub delivery: i64,
    /// Its number, from one; zero where the link does not say.
    pub number: u16,
}
impl AttemptName {
    /// The last number: attempts beyond it share it.
    const LAST: u16 = 999;

    /// Names an attempt.
    #[must_use]
    pub fn of(delivery: i64, number: i32) -> Self {
        Self { delivery, number: u16::try_from(number.max(0)).unwrap_or(Self::LAST).min(Self::LAST) }
    }
    /// The two as one number, for a signed link.
    fn subject(self) -> u128 {
        u128::from(self.number) << 64 | u128::try_from(self.delivery).unwrap_or(0)
    }
    /// Reads it back.
    #[must_use]
    pub(super) fn from_subject(subject: u128) -> Self {
        let delivery = i64::try_from(subject & u128::from(u64::MAX)).unwrap_or(-1);
        Self { delivery, number: u16::try_from(subject >> 64).unwrap_or(0) }
    }
    /// The number, where the link says one that is not shared by all that came late.
    pub(super) fn said(self) -> Option<i32> {
        (1..Self::LAST).contains(&self.number).then_some(i32::from(self.number))
    }
}
/// Where a gateway reports on an attempt.
#[must_use]
pub(super) fn receipt_url(config: &Config, keys: &Keyring, attempt: AttemptName) -> String {
    format!("{}/hooks/sms/{}", config.server.public_url, link_token(keys, Purpose::Receipt, attempt.subject()))
}
