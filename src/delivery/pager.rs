//! The pager: an address outside that is told of every alarm, signed as Standard Webhooks say. Told beside the work and never
//! instead of it: whoever waits for a pager that does not answer waits in a task of their own.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use serde::Serialize;
use sha2::Sha256;

use super::alarms::AlarmKind;
use crate::config::AlarmConfig;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// How long before each try.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(30)];
/// A pager that is silent for so long is asked again later.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a pager is told: identifiers and words of ours, no person.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// `alarm.raised` or `alarm.cleared`.
    #[serde(rename = "type")]
    pub event: &'static str,
    /// The alarm; none where the database is away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Id<of::Alarm>>,
    /// What it is about.
    pub kind: AlarmKind,
    /// Of what.
    pub subject: String,
    /// When.
    pub timestamp: Timestamp,
}

/// Tells the pager of the settings, if there is one.
#[derive(Debug, Clone)]
pub struct Pager {
    http: Option<reqwest::Client>,
    config: AlarmConfig,
}
impl Pager {
    /// The pager of the settings.
    ///
    /// # Errors
    /// When no client can be made; without one nobody would be told, and nobody would notice.
    pub fn new(config: &AlarmConfig) -> Result<Self, reqwest::Error> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        let http = if config.webhook_url.expose_secret().is_empty() { None } else { Some(builder.build()?) };
        Ok(Self { http, config: config.clone() })
    }
    /// Tells it in a task of its own, a few times if need be.
    pub fn tell(&self, page: Page) {
        if let Some(http) = self.http.clone() {
            let config = self.config.clone();
            tokio::spawn(async move { told(&http, &config, &page).await });
        }
    }
}
async fn told(http: &reqwest::Client, config: &AlarmConfig, page: &Page) {
    let Ok(body) = serde_json::to_string(page) else { return };
    // The same at every try, so that the other side can tell a repeat.
    let id = format!("msg_{}", Id::<of::Alarm>::new().uuid().simple());
    for pause in PAUSES {
        tokio::time::sleep(pause).await;
        let seconds = page.timestamp.seconds();
        let mut request = http
            .post(config.webhook_url.expose_secret())
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds)
            .body(body.clone());
        if let Some(signature) = signature(config.webhook_secret.expose_secret(), &id, seconds, &body) {
            request = request.header("webhook-signature", signature);
        }
        match request.send().await {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => tracing::warn!(status = answer.status().as_u16(), "the pager refused an alarm"),
            // Without the address: a pager's often holds its secret.
            Err(error) => tracing::warn!(error = %error.without_url(), "the pager does not answer"),
        }
    }
    tracing::error!(kind = page.kind.as_str(), subject = page.subject, "the pager was not told");
}
/// `v1,` and the HMAC-SHA-256 of id, time and body, in base64; none without a secret.
fn signature(secret: &str, id: &str, seconds: i64, body: &str) -> Option<String> {
    let key = BASE64.decode(secret.strip_prefix("whsec_")?).ok()?;
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    Some(format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::signature;

    /// The example of the specification.
    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        let body = r#"{"test": 2432232314}"#;
        let signed =
            signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(signature("", "msg", 1, body), None);
    }
}
