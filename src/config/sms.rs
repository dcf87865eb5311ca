//! SMS.

use secrecy::SecretString;
use serde::Deserialize;

/// How SMS leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmsTransport {
    /// Into a file, for demonstrations and development.
    File,
    /// To a Kannel-style HTTP gateway.
    Kannel,
}

/// SMS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsConfig {
    /// How they leave.
    pub transport: SmsTransport,
    /// Address of `sendsms`.
    pub url: String,
    /// User at the gateway.
    pub username: String,
    /// Password at the gateway.
    pub password: SecretString,
    /// Sender shown on the phone: fixed, published, recognisable.
    pub sender: String,
    /// Requests at once.
    pub in_flight: usize,
    /// Seconds until a silent gateway is given up; shorter than a lease.
    pub timeout_seconds: u64,
    /// Parts at most in one SMS.
    pub parts_max: u8,
    /// Price of one part in hundredths of a cent, for the preview.
    pub part_price: u32,
    /// SMS a second at most; 0 for as many as the gateway takes.
    pub per_second: u32,
    /// Another gateway, for when the first fails.
    pub second: Gateway,
}

/// An SMS gateway. All show the same sender.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Address of `sendsms`; empty for none.
    pub url: String,
    /// User at the gateway.
    pub username: String,
    /// Password at the gateway.
    pub password: SecretString,
    /// Requests at once.
    pub in_flight: usize,
    /// Seconds until a silent gateway is given up; shorter than a lease.
    pub timeout_seconds: u64,
    /// SMS a second at most; 0 for as many as the gateway takes.
    pub per_second: u32,
}
impl SmsConfig {
    /// The first gateway, in the shape of the second.
    #[must_use]
    pub fn first(&self) -> Gateway {
        Gateway {
            url: self.url.clone(),
            username: self.username.clone(),
            password: self.password.clone(),
            in_flight: self.in_flight,
            timeout_seconds: self.timeout_seconds,
            per_second: self.per_second,
        }
    }
}
