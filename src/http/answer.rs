//! Answers: a JSON body with its status, version and place; storable, so that a repeated request gets the same one.

use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::describe::{Described, Operation};

/// What is answered, and all that is kept of it for a repeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredAnswer {
    status: u16,
    etag: Option<String>,
    location: Option<String>,
    body: Option<String>,
    #[serde(skip)]
    replayed: bool,
}

/// An answer whose body is a `T`. `STATUS` is what the contract says; 204 has no body.
#[derive(Debug)]
pub struct Answer<T, const STATUS: u16 = 200> {
    stored: StoredAnswer,
    body: PhantomData<fn() -> T>,
}
impl<T: Serialize, const STATUS: u16> Answer<T, STATUS> {
    /// This body.
    #[must_use]
    pub fn new(body: &T) -> Self {
        let body = if STATUS == 204 { None } else { serde_json::to_string(body).ok() };
        Self {
            stored: StoredAnswer { status: STATUS, etag: None, location: None, body, replayed: false },
            body: PhantomData,
        }
    }
    /// The same with the version of the thing.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.stored.etag = Some(format!("\"v{version}\""));
        self
    }
    /// The same with the path under which the thing (or its progress) is found.
    #[must_use]
    pub fn location(mut self, path: impl Into<String>) -> Self {
        self.stored.location = Some(path.into());
        self
    }
}
impl<T, const STATUS: u16> Answer<T, STATUS> {
    /// All that is kept of it for a repeat.
    #[must_use]
    pub const fn stored(&self) -> &StoredAnswer {
        &self.stored
    }
    /// The answer of an earlier, equal request.
    #[must_use]
    pub fn replay(stored: StoredAnswer) -> Self {
        Self { stored: StoredAnswer { replayed: true, ..stored }, body: PhantomData }
    }
}
impl<T, const STATUS: u16> Responder for Answer<T, STATUS> {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(StatusCode::from_u16(self.stored.status).unwrap_or(StatusCode::OK));
        if let Some(etag) = self.stored.etag {
            response.insert_header((ETAG, etag));
        }
        if let Some(location) = self.stored.location {
            response.insert_header((LOCATION, location));
        }
        if self.stored.replayed {
            response.insert_header(("Idempotency-Replayed", "true"));
        }
        match self.stored.body {
            Some(body) => response.insert_header((CONTENT_TYPE, "application/json")).body(body),
            None => response.finish(),
        }
    }
}
impl<T: ToSchema, const STATUS: u16> Described for Answer<T, STATUS> {
    fn describe(operation: &mut Operation) {
        let words = match STATUS {
            201 => "made",
            202 => "accepted; what follows is on its way",
            204 => "done",
            _ => "as it is now",
        };
        if STATUS == 204 {
            operation.answer(STATUS, words, None);
        } else {
            let schema = operation.schema::<T>();
            operation.answer(STATUS, words, Some(("application/json", schema)));
        }
    }
}
