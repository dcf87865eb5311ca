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
/// Where a gateway reports on a delivery.
#[must_use]
pub(super) fn receipt_url(config: &Config, keys: &Keyring, delivery: i64) -> String {
    let subject = u128::try_from(delivery).unwrap_or(0);
    format!("{}/hooks/sms/{}", config.server.public_url, link_token(keys, Purpose::Receipt, subject))
}
