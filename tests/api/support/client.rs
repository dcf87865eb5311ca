//! Asking the API, and what it answered.

use serde_json::Value;

/// What the API answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub json: Value,
    pub text: String,
    pub etag: Option<String>,
    pub headers: reqwest::header::HeaderMap,
}
impl Reply {
    pub async fn of(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let etag = headers.get("etag").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status >= 400 && !headers.get("content-type").is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
        {
            assert_eq!(
                headers.get("content-type").map(reqwest::header::HeaderValue::as_bytes),
                Some(&b"application/problem+json"[..]),
                "{status} {text}"
            );
            assert!(json["instance"].is_string(), "a problem names its request: {text}");
        }
        assert!(status != 500, "our fault: {text}");
        Self { status, json, text, etag, headers }
    }
    /// Stops the test unless this was the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
    /// Stops the test unless it was refused by this rule.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        assert_eq!(reply.json["code"], code, "{}", reply.text);
        reply
    }
    /// Stops the test unless it is a problem of this type.
    #[track_caller]
    pub fn problem(self, status: u16, slug: &str) -> Self {
        let reply = self.expect(status);
        assert_eq!(reply.json["type"], format!("/problems/{slug}"), "{}", reply.text);
        reply
    }
    /// Stops the test unless this field was at fault.
    #[track_caller]
    pub fn at_fault(self, pointer: &str) -> Self {
        let reply = self.expect(422);
        assert!(
            reply.json["errors"].as_array().is_some_and(|errors| errors.iter().any(|e| e["pointer"] == pointer)),
            "{}",
            reply.text
        );
        reply
    }
    /// A text of the answer.
    #[track_caller]
    pub fn str(&self, pointer: &str) -> String {
        self.json
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {pointer} in {}", self.text))
            .to_owned()
    }
    /// The id in the answer.
    #[track_caller]
    pub fn id(&self) -> String {
        self.str("/id")
    }
    /// The rows of a page.
    #[track_caller]
    pub fn items(&self) -> &Vec<Value> {
        self.json["items"].as_array().unwrap_or_else(|| panic!("not a page: {}", self.text))
    }
}
