//! A caller of the API who does not give up: what was not answered is asked again under the same Idempotency-Key.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::Instant;
use vigie::storage::random_code;

use crate::ledger::{Ledger, Request};
use crate::stock::now;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);
/// At most this long, whatever `Retry-After` says: a drill has somebody waiting.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// One request.
const TIMEOUT: Duration = Duration::from_secs(120);

/// An answer and when it was asked for and came.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// When the request that was answered was sent.
    pub(crate) sent_at: i64,
    pub(crate) answered_at: i64,
    pub(crate) tries: u32,
}
impl Answered {
    /// The body of a success; anything else is an error with what was answered.
    pub(crate) fn success(self) -> anyhow::Result<Self> {
        anyhow::ensure!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        Ok(self)
    }
}

/// A signed-in caller.
pub(crate) struct Caller<'a> {
    base: String,
    http: reqwest::Client,
    token: Option<String>,
    who: &'static str,
    ledger: &'a Ledger,
    until: Instant,
}
impl<'a> Caller<'a> {
    pub(crate) async fn sign_in(
        base: &str,
        who: &'static str,
        (email, password): (&str, &str),
        ledger: &'a Ledger,
        until: Instant,
    ) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).tcp_nodelay(true).build()?;
        let mut caller = Self { base: base.to_owned(), http, token: None, who, ledger, until };
        let session = caller.post("/api/v1/sessions", &json!({ "email": email, "password": password }), None).await?;
        caller.token = session.success()?.body.get("access_token").and_then(Value::as_str).map(str::to_owned);
        anyhow::ensure!(caller.token.is_some(), "the session has no token");
        Ok(caller)
    }
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answered> {
        self.ask("GET", path, None, None).await
    }
    /// Posts under this key, or under one of its own.
    pub(crate) async fn post(&self, path: &str, body: &Value, key: Option<&str>) -> anyhow::Result<Answered> {
        let key = key
            .map_or_else(|| random_code(24, b"abcdefghijklmnopqrstuvwxyz0123456789"), std::borrow::ToOwned::to_owned);
        self.ask("POST", path, Some(body), Some(&key)).await
    }
    async fn ask(&self, method: &str, path: &str, body: Option<&Value>, key: Option<&str>) -> anyhow::Result<Answered> {
        for attempt in 1.. {
            let url = format!("{}{path}", self.base);
            let mut asked = if method == "GET" { self.http.get(url) } else { self.http.post(url) };
            if let Some(key) = key {
                asked = asked.header("Idempotency-Key", key);
            }
            if let Some(body) = body {
                asked = asked.header("Content-Type", "application/json").body(body.to_string());
            }
            if let Some(token) = &self.token {
                asked = asked.bearer_auth(token);
            }
            let sent_at = now();
            let request = Request { who: self.who, method, path, key, attempt, sent_at };
            self.ledger.asks(&request)?;
            let pause = match heard(asked).await {
                Ok((status, wait, body)) => {
                    let answered_at = now();
                    self.ledger.hears(&request, Ok((status, &body)))?;
                    if !matches!(status, 429 | 502 | 503 | 504) {
                        return Ok(Answered { status, body, sent_at, answered_at, tries: attempt });
                    }
                    wait.unwrap_or(PAUSE).min(PAUSE_MAX)
                }
                Err(fault) => {
                    self.ledger.hears(&request, Err(kind_of(&fault)))?;
                    PAUSE
                }
            };
            if Instant::now() + pause > self.until {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        Err(anyhow::anyhow!("no answer in time")).with_context(|| format!("{method} {path}"))
    }
}
async fn heard(asked: reqwest::RequestBuilder) -> reqwest::Result<(u16, Option<Duration>, Value)> {
    let response = asked.send().await?;
    let wait = response.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
    let status = response.status().as_u16();
    let text = response.text().await?;
    Ok((status, wait.map(Duration::from_secs), serde_json::from_str(&text).unwrap_or(Value::Null)))
}
fn kind_of(fault: &reqwest::Error) -> &'static str {
    if fault.is_connect() {
        "not connected"
    } else if fault.is_timeout() {
        "no answer: timeout"
    } else {
        "no answer: connection lost"
    }
}
