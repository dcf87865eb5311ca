//! Alarms.

use secrecy::SecretString;
use serde::Deserialize;

/// Who is told of alarms beside the officers: a pager.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmConfig {
    /// Where every alarm is posted as JSON; empty for nowhere. A secret, as such addresses often hold a token.
    pub webhook_url: SecretString,
    /// The secret it is signed with, `whsec_` and base64 (Standard Webhooks); empty for unsigned.
    pub webhook_secret: SecretString,
}
