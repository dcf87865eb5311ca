//! SMS handed over to a Kannel gateway: one request for each recipient, in the alphabet we choose, never more parts than
//! the gateway sends. Kannel answers 202 to text it will cut and to characters it will replace by `?`.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use reqwest::Response;
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use rusmpp_extra::encoding::gsm7bit::Gsm7BitUnpacked;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use sha2::Digest as _;
use sha2::Sha256;
use tokio::sync::Semaphore;

use crate::delivery::channel::Answer;
use crate::delivery::channel::Channel;
use crate::delivery::channel::Parcel;
use crate::delivery::tray::Digest;
use crate::delivery::tray::Tray;

/// No honest answer of the gateway is longer.
const ANSWER_BYTES_MAX: usize = 4096;
/// A connection unused for longer may be closed just when it is used again, and then nobody knows what was taken.
const KEPT_FOR: Duration = Duration::from_secs(5);
/// A week; operators keep nothing longer.
const VALID_MINUTES_MAX: u64 = 7 * 24 * 60;
const ESCAPE: u8 = 0x1b;

/// In which alphabet an SMS travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// GSM 03.38 with its extension table: 160 characters, 153 in each of several parts.
    Gsm7,
    /// UTF-16: 70 units, 67 in each of several parts.
    Ucs2,
}

/// What a text costs as an SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsShape {
    /// The cheapest alphabet that carries every character.
    pub encoding: Encoding,
    /// How many parts are sent and paid; none for an empty text.
    pub parts: u16,
    /// Septets (an extension character counts two) or UTF-16 units.
    pub units: u16,
    /// The distinct characters that force UCS-2, as they appear.
    pub costly: Vec<char>,
}

/// Counts exactly what a text costs: no extension character and no surrogate pair is split between two parts.
pub fn sms_shape(text: &str) -> SmsShape {
    let alphabet = Gsm7BitUnpacked::new();
    if let Ok(septets) = alphabet.encode_to_vec(text) {
        let mut rest = septets.iter();
        let sizes = std::iter::from_fn(|| {
            rest.next().map(|septet| if *septet == ESCAPE { rest.next().map_or(1, |_| 2) } else { 1 })
        });
        let (parts, units) = pack(sizes, 160, 153);
        return SmsShape { encoding: Encoding::Gsm7, parts, units, costly: Vec::new() };
    }
    let mut costly = Vec::new();
    for character in text.chars() {
        if !costly.contains(&character) && alphabet.encode_to_vec(character.encode_utf8(&mut [0; 4])).is_err() {
            costly.push(character);
        }
    }
    let (parts, units) = pack(text.chars().map(|character| if character.len_utf16() == 2 { 2 } else { 1 }), 70, 67);
    SmsShape { encoding: Encoding::Ucs2, parts, units, costly }
}

/// Parts and units of characters of these sizes, none of them split.
fn pack(sizes: impl Iterator<Item = u16>, alone: u16, each: u16) -> (u16, u16) {
    let (mut parts, mut units, mut filled) = (0_u16, 0_u16, each);
    for size in sizes {
        units = units.saturating_add(size);
        filled = filled.saturating_add(size);
        if filled > each {
            (parts, filled) = (parts.saturating_add(1), size);
        }
    }
    if units <= alone { (parts.min(1), units) } else { (parts, units) }
}

/// Which gateway takes our SMS, and how we speak to it.
#[derive(Debug, Clone)]
pub struct KannelSettings {
    /// The address of its `sendsms`, as in `http://127.0.0.1:13013/cgi-bin/sendsms`.
    pub url: String,
    /// As whom we send.
    pub username: String,
    /// With what.
    pub password: SecretString,
    /// The name or number shown to the recipient.
    pub sender: String,
    /// How many requests may be open at once.
    pub in_flight: usize,
    /// How long a request may take.
    pub timeout: Duration,
    /// The gateway's `max-messages`: longer text is refused here, for the gateway would cut it in silence.
    pub max_parts: u8,
    /// The name for attempts, metrics and logs.
    pub provider: String,
}

/// Why a channel to a gateway cannot be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KannelSetupError {
    /// The HTTP client cannot be made.
    #[error("no HTTP client")]
    Client,
    /// The gateway's address is no URL.
    #[error("the gateway's address is no http or https URL")]
    Url,
}

/// A Kannel gateway, as a channel.
pub struct KannelChannel {
    settings: KannelSettings,
    url: Url,
    client: Client,
    /// One for each request that may be open at once.
    permits: Semaphore,
}

impl KannelChannel {
    /// Prepares the channel; nothing is asked of the gateway yet.
    pub fn new(settings: KannelSettings) -> Result<Self, KannelSetupError> {
        let web = |url: &str| Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = web(&settings.url).ok_or(KannelSetupError::Url)?;
        // reqwest takes the provider of the whole process; somebody may have chosen it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            // Shorter than the whole, so that "never connected" is told from "never answered".
            .connect_timeout(settings.timeout / 2)
            .timeout(settings.timeout)
            .pool_idle_timeout(KEPT_FOR)
            .build()
            .map_err(|_| KannelSetupError::Client)?;
        let permits = Semaphore::new(settings.in_flight.max(1));
        Ok(Self { settings, url, client, permits })
    }

    /// What came of it, and the hash of what was handed over; none when the gateway was never told.
    async fn deliver(&self, parcel: &Parcel, left: Duration) -> (Answer, Option<Digest>) {
        let shape = sms_shape(&parcel.text());
        if shape.parts == 0 || shape.parts > u16::from(self.settings.max_parts) {
            return (Answer::refused(format!("{} parts, {} allowed", shape.parts, self.settings.max_parts)), None);
        }
        let request = self.client.get(self.url.clone()).query(&self.query(parcel, shape.encoding, left));
        let answer = match request.send().await {
            Ok(response) => read_answer(response).await,
            Err(fault) if fault.is_connect() || fault.is_builder() => {
                let reason = if fault.is_timeout() { "connect: timeout" } else { "connect: failed" };
                tracing::warn!(provider = self.provider(), reason, "no connection to the SMS gateway");
                return (Answer::deferred(reason), None);
            }
            Err(fault) if fault.is_timeout() => Answer::unknown("request sent, no answer: timeout"),
            Err(_) => Answer::unknown("request sent, no answer: connection lost"),
        };
        (answer, Some(sms_digest(parcel)))
    }

    fn query(&self, parcel: &Parcel, encoding: Encoding, left: Duration) -> Vec<(&'static str, String)> {
        let settings = &self.settings;
        let mut query = vec![
            ("username", settings.username.clone()),
            ("password", settings.password.expose_secret().to_owned()),
            ("from", settings.sender.clone()),
            ("to", parcel.address.clone()),
            ("text", parcel.text().into_owned()),
            // Kannel counts in minutes; past them the operator throws the message away instead of bringing it late.
            ("validity", left.as_secs().div_ceil(60).min(VALID_MINUTES_MAX).to_string()),
        ];
        match encoding {
            Encoding::Gsm7 => query.push(("coding", "0".into())),
            Encoding::Ucs2 => query.extend([("coding", "2".into()), ("charset", "UTF-8".into())]),
        }
        // Kannel reads a `%` as the beginning of a code of its own, so an address that holds one is not given to it.
        if let Some(url) = parcel.receipt_url.as_ref().filter(|url| !url.contains(['%', '#', ' '])) {
            // `%d` and `%F` are for Kannel to fill in; on the way there the query encodes the sign once.
            query.push(("dlr-url", format!("{url}?type=%d&id=%F")));
            query.push(("dlr-mask", "31".into()));
        }
        query
    }
}

#[async_trait]
impl Channel for KannelChannel {
    fn provider(&self) -> &str {
        &self.settings.provider
    }

    fn hands(&self) -> usize {
        self.settings.in_flight.max(1)
    }

    async fn work(&self, tray: &Tray) {
        while let Some(held) = tray.next().await {
            let Ok(_permit) = self.permits.acquire().await else { return };
            let (answer, digest) = self.deliver(&held, held.left()).await;
            crate::dies_at!("sms.after_answer");
            held.answer(answer, digest);
        }
    }

    /// Without a number to send to: a gateway that works and knows us says that it is missing (400). Whatever else answers
    /// is no gateway.
    async fn probe(&self) -> Result<(), String> {
        let (user, password) = (self.settings.username.as_str(), self.settings.password.expose_secret());
        let request = self.client.get(self.url.clone()).query(&[("username", user), ("password", password)]);
        match request.send().await {
            Ok(response) if response.status().is_success() || response.status() == StatusCode::BAD_REQUEST => Ok(()),
            Ok(response) => Err(response.status().as_u16().to_string()),
            Err(fault) if fault.is_timeout() => Err("timeout".into()),
            Err(_) => Err("connect: failed".into()),
        }
    }
}

/// SHA-256 of what goes to a phone: the number, and the text as it is shown (accept N1).
#[must_use]
pub fn sms_digest(parcel: &Parcel) -> Digest {
    let mut hasher = Sha256::new();
    for part in [parcel.address.as_str(), &parcel.text()] {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

/// Reads what Kannel says, by code and first words. Anything else under a 2xx may have been taken.
async fn read_answer(mut response: Response) -> Answer {
    let status = response.status();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER_BYTES_MAX {
            break;
        }
    }
    let body = String::from_utf8_lossy(&body);
    let body = body.trim_start();
    let code = status.as_u16();
    match status {
        StatusCode::OK | StatusCode::ACCEPTED if body.starts_with("0: ") => Answer::Accepted { reference: None },
        // The operator is away, the gateway keeps the message: taken, and far from delivered.
        StatusCode::OK | StatusCode::ACCEPTED if body.starts_with("3: ") => {
            Answer::Accepted { reference: Some("queued".into()) }
        }
        StatusCode::FORBIDDEN if body.starts_with("Not routable") => Answer::channel_down("403 not routable"),
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Answer::channel_down(format!("{code} credentials")),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Answer::channel_down(code.to_string()),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Answer::Deferred { reason: code.to_string(), retry_after: wait.map(Duration::from_secs), of_provider: true }
        }
        _ if status.is_redirection() => Answer::channel_down(code.to_string()),
        // A gateway that refuses a number or a text says what it misses; without a word it is somebody in between.
        StatusCode::BAD_REQUEST if body.is_empty() => Answer::channel_down("400 without a word"),
        _ if status.is_client_error() => Answer::refused(code.to_string()),
        // Among them 500, 502 and 504: a go-between that does not know what became of it.
        _ => Answer::unknown(format!("{code} unreadable answer")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fall over")]

    use proptest::prelude::*;
    use rusmpp_extra::concatenation::owned::Concatenation;
    use rusmpp_extra::concatenation::owned::Concatenator;

    use super::*;

    #[test]
    fn a_text_costs_what_the_operator_will_charge() {
        let euro_at = |before: usize, after: usize| format!("{}€{}", "a".repeat(before), "a".repeat(after));
        let table = [
            (String::new(), Encoding::Gsm7, 0, 0, ""),
            ("Hallo".into(), Encoding::Gsm7, 1, 5, ""),
            ("België".into(), Encoding::Ucs2, 1, 6, "ë"),
            ("être à l'hôpital où, ça, œuvre".into(), Encoding::Ucs2, 1, 30, "êôçœ"),
            ("élève à Liège, où ça coûte".into(), Encoding::Ucs2, 1, 26, "çû"),
            ("€".into(), Encoding::Gsm7, 1, 2, ""),
            ("a".repeat(160), Encoding::Gsm7, 1, 160, ""),
            ("a".repeat(161), Encoding::Gsm7, 2, 161, ""),
            ("€".repeat(80), Encoding::Gsm7, 1, 160, ""),
            ("€".repeat(81), Encoding::Gsm7, 2, 162, ""),
            // 76 to a part, for 153 is odd: the 153rd opens a third.
            ("€".repeat(152), Encoding::Gsm7, 2, 304, ""),
            ("€".repeat(153), Encoding::Gsm7, 3, 306, ""),
            ("a".repeat(306), Encoding::Gsm7, 2, 306, ""),
            ("a".repeat(307), Encoding::Gsm7, 3, 307, ""),
            // 305 characters, 306 septets: two parts, unless the euro stands across their boundary.
            (euro_at(151, 153), Encoding::Gsm7, 2, 306, ""),
            (euro_at(152, 152), Encoding::Gsm7, 3, 306, ""),
            (euro_at(153, 151), Encoding::Gsm7, 2, 306, ""),
            ("ë".repeat(70), Encoding::Ucs2, 1, 70, "ë"),
            ("ë".repeat(71), Encoding::Ucs2, 2, 71, "ë"),
            ("ë".repeat(134), Encoding::Ucs2, 2, 134, "ë"),
            ("ë".repeat(135), Encoding::Ucs2, 3, 135, "ë"),
            ("🚨".into(), Encoding::Ucs2, 1, 2, "🚨"),
            ("🚨".repeat(35), Encoding::Ucs2, 1, 70, "🚨"),
            ("🚨".repeat(36), Encoding::Ucs2, 2, 72, "🚨"),
            ("🚨".repeat(66), Encoding::Ucs2, 2, 132, "🚨"),
            // 134 units would fit in two parts of 67, but a pair is not split: 33 to a part.
            ("🚨".repeat(67), Encoding::Ucs2, 3, 134, "🚨"),
        ];
        for (text, encoding, parts, units, costly) in table {
            let wanted = SmsShape { encoding, parts, units, costly: costly.chars().collect() };
            assert_eq!(sms_shape(&text), wanted, "{text}");
        }
        assert_eq!(
            sms_shape(&"é".repeat(70_000)).units,
            u16::MAX,
            "longer than any SMS, and still no wrong small number"
        );
    }

    proptest! {
        /// rusmpp splits into real parts; our counting must agree wherever it can split.
        #[test]
        fn the_count_agrees_with_an_independent_splitter(text in "[a-zé€\\[~Δ ]{1,700}") {
            let (split, _) = Gsm7BitUnpacked::new().concatenate(&text, 160, 7).unwrap();
            let parts = match split { Concatenation::Single(_) => 1, Concatenation::Concatenated(parts) => parts.len() };
            prop_assert_eq!(usize::from(sms_shape(&text).parts), parts);
        }

        #[test]
        fn the_count_agrees_in_ucs2(text in "[a-zëç]{0,300}ë") {
            let (split, _) = rusmpp_extra::encoding::ucs2::Ucs2::new().concatenate(&text, 140, 6).unwrap();
            let parts = match split { Concatenation::Single(_) => 1, Concatenation::Concatenated(parts) => parts.len() };
            prop_assert_eq!(usize::from(sms_shape(&text).parts), parts);
        }
    }
}
