//! The client's ledger: every request and its answer as one line of JSON, without passwords, tokens or texts.

use std::fs::File;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::stock::now;

/// What is kept of an answer.
const KEPT: [&str; 13] = [
    "id",
    "status",
    "version_hash",
    "version_number",
    "short_code",
    "policy",
    "recipients",
    "members",
    "plan_number",
    "type",
    "code",
    "title",
    "request_id",
];

/// Where requests and answers are written down, if anywhere.
#[derive(Debug)]
pub(crate) struct Ledger(Option<Mutex<File>>);
/// One request.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) who: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) attempt: u32,
    pub(crate) sent_at: i64,
}
impl Ledger {
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let open = |path: &Path| {
            OpenOptions::new().append(true).create(true).open(path).with_context(|| format!("{}", path.display()))
        };
        Ok(Self(path.map(open).transpose()?.map(Mutex::new)))
    }
    /// Writes the request down before it is sent: what was asked is known even if the asker dies.
    pub(crate) fn asks(&self, request: &Request<'_>) -> anyhow::Result<()> {
        self.append(&json!({
            "event": "request", "at": request.sent_at, "who": request.who, "method": request.method,
            "path": request.path, "idempotency_key": request.key, "try": request.attempt
        }))
    }
    /// Writes down what was answered, or that nothing was.
    pub(crate) fn hears(&self, request: &Request<'_>, answer: Result<(u16, &Value), &str>) -> anyhow::Result<()> {
        let mut line = json!({
            "event": "answer", "at": now(), "who": request.who, "method": request.method, "path": request.path,
            "idempotency_key": request.key, "try": request.attempt, "took_us": now() - request.sent_at
        });
        if let Some(line) = line.as_object_mut() {
            match answer {
                Ok((status, body)) => {
                    line.insert("status".to_owned(), status.into());
                    line.insert("answer".to_owned(), Value::Object(kept(body)));
                }
                Err(fault) => {
                    line.insert("fault".to_owned(), fault.into());
                }
            }
        }
        self.append(&line)
    }
    fn append(&self, line: &Value) -> anyhow::Result<()> {
        let Some(file) = &self.0 else { return Ok(()) };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(file.write_all(format!("{line}\n").as_bytes())?)
    }
}
/// The approval's answer holds the message inside; it is kept in the same way.
fn kept(body: &Value) -> Map<String, Value> {
    let Some(fields) = body.as_object() else { return Map::new() };
    let mut kept: Map<String, Value> = fields
        .iter()
        .filter(|(name, value)| KEPT.contains(&name.as_str()) && !value.is_object() && !value.is_array())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(message) = fields.get("message").filter(|message| message.is_object()) {
        kept.insert("message".to_owned(), Value::Object(self::kept(message)));
    }
    kept
}
