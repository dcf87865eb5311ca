//! Problems as RFC 9457 says, and the catalogue of their types.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::storage::StorageError;

macro_rules! catalogue { ($($(#[$meta:meta])* $name:ident = $slug:literal, $status:literal, $title:literal;)+) => {
    /// Every kind of problem an answer can carry. `docs/problems.md` says of each what the client should do.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum ProblemType { $($(#[$meta])* #[doc = $title] $name),+ }
    impl ProblemType {
        /// Every type.
        pub const ALL: &'static [Self] = &[$(Self::$name),+];
        /// The last part of its `type` URI.
        #[must_use]
        pub const fn slug(self) -> &'static str { match self { $(Self::$name => $slug),+ } }
        /// Its HTTP status.
        #[must_use]
        pub const fn status(self) -> u16 { match self { $(Self::$name => $status),+ } }
        /// Its fixed title.
        #[must_use]
        pub const fn title(self) -> &'static str { match self { $(Self::$name => $title),+ } }
    }
} }
catalogue! {
    Unreadable = "unreadable", 400, "The request cannot be read";
    IdempotencyKeyMissing = "idempotency-key-missing", 400, "An Idempotency-Key header is needed";
    NotSignedIn = "not-signed-in", 401, "No valid access token";
    SignInRefused = "sign-in-refused", 401, "The address or the password is wrong";
    StepUpNeeded = "step-up-needed", 401, "A fresh proof of identity is needed";
    Forbidden = "forbidden", 403, "This is not yours to do";
    NotFound = "not-found", 404, "There is nothing here";
    MethodNotAllowed = "method-not-allowed", 405, "This cannot be done here";
    NotAcceptable = "not-acceptable", 406, "This cannot be had in that form";
    WrongState = "wrong-state", 409, "Not possible in the present state";
    Refused = "refused", 409, "A rule says no";
    Duplicate = "duplicate", 409, "This exists already";
    VersionChanged = "version-changed", 409, "The text is no longer the one that was seen";
    IdempotencyMismatch = "idempotency-mismatch", 409, "The key was used for another request";
    Stale = "stale", 412, "Somebody changed it in the meantime";
    TooLarge = "too-large", 413, "The request is too large";
    UnsupportedMediaType = "unsupported-media-type", 415, "This media type is not understood here";
    Invalid = "invalid", 422, "A value is not acceptable";
    VersionNeeded = "version-needed", 428, "An If-Match header is needed";
    TooMany = "too-many-requests", 429, "Too many requests";
    Internal = "internal", 500, "Our fault";
    Busy = "busy", 503, "Busy: try again in a moment";
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// JSON pointer into the body (RFC 6901), or `?name` for a query parameter.
    pub pointer: String,
    /// A fixed word for programs.
    pub code: Cow<'static, str>,
    /// For people; never repeats the value.
    pub detail: Cow<'static, str>,
}

/// A problem document: the body of every answer of 400 and above.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// `/problems/…`, described in the documentation.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: ProblemUri,
    /// The same words for every problem of this type.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// This case, in plain words, with what to do next.
    detail: Cow<'static, str>,
    /// The id of the request, to quote when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// The rule that said no, as a fixed word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    code: Option<Cow<'static, str>>,
    /// The fields at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldFault>,
    #[serde(skip)]
    retry_after_seconds: Option<u64>,
    #[serde(skip)]
    cause: Option<String>,
}

#[derive(Debug, Clone, Copy)]
struct ProblemUri(ProblemType);
impl Serialize for ProblemUri {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("/problems/{}", self.0.slug()))
    }
}

impl Problem {
    /// A problem of this type, about this case.
    #[must_use]
    pub fn new(kind: ProblemType, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: ProblemUri(kind),
            title: kind.title(),
            status: kind.status(),
            detail: detail.into(),
            instance: None,
            code: None,
            errors: Vec::new(),
            retry_after_seconds: None,
            cause: None,
        }
    }
    /// A rule said no: `code` names it.
    #[must_use]
    pub fn refused(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Some(code.into()), ..Self::new(ProblemType::Refused, detail) }
    }
    /// One field is not acceptable.
    #[must_use]
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemType::Invalid, "correct the fields named in `errors` and send the request again")
            .with_fault(pointer, code, detail)
    }
    /// The same with one more field at fault.
    #[must_use]
    pub fn with_fault(
        mut self,
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.errors.push(FieldFault { pointer: pointer.into(), code: code.into(), detail: detail.into() });
        self
    }
    /// The same with a fixed word for programs.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code.into());
        self
    }
    /// The same with the time after which trying again makes sense.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
    /// Absent, or out of sight: the same answer.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ProblemType::NotFound, "check the address; what you look for does not exist, or not for you")
    }
    pub(super) fn at(mut self, instance: String) -> Self {
        self.instance = Some(instance);
        self
    }
    pub(super) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> ProblemType {
        self.kind.0
    }
    pub(super) fn respond(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((RETRY_AFTER, seconds));
        }
        match self.kind() {
            ProblemType::StepUpNeeded => {
                response.insert_header((
                    WWW_AUTHENTICATE,
                    "Bearer error=\"insufficient_user_authentication\", max_age=300",
                ));
            }
            ProblemType::NotSignedIn | ProblemType::SignInRefused => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            _ => {}
        }
        let body = serde_json::to_string(self).unwrap_or_default();
        let mut response = response.insert_header((CONTENT_TYPE, "application/problem+json")).body(body);
        response.extensions_mut().insert(self.clone());
        response
    }
}
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.title)
    }
}
impl std::error::Error for Problem {}
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
    fn error_response(&self) -> HttpResponse {
        self.respond()
    }
}
impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        Self::from(&error)
    }
}
impl From<&StorageError> for Problem {
    fn from(error: &StorageError) -> Self {
        match error {
            StorageError::Busy => {
                Self::new(ProblemType::Busy, "many are at work at once; nothing was changed, send the request again")
                    .retry_after(1)
            }
            StorageError::Away(cause) => {
                let mut problem = Self::new(
                    ProblemType::Busy,
                    "the database is away; nothing was changed, send the request again in a moment",
                )
                .retry_after(5);
                problem.cause = Some(cause.clone());
                problem
            }
            StorageError::Unique(_) => Self::new(
                ProblemType::Duplicate,
                "something with the same distinguishing value exists already; look it up instead",
            ),
            StorageError::Unstorable => {
                Self::new(ProblemType::Unreadable, "leave out the characters that are no text, such as a zero byte")
            }
            StorageError::Refused(cause) | StorageError::Corrupt(cause) | StorageError::Broken(cause) => {
                let mut problem = Self::new(
                    ProblemType::Internal,
                    "something went wrong on our side; quote the instance when you report it",
                );
                problem.cause = Some(cause.clone());
                problem
            }
        }
    }
}

/// An error of a slice says which types of problem it can become, for the contract.
pub trait Refusals: ResponseError {
    /// The types, and when each occurs.
    const ANSWERS: &'static [(ProblemType, &'static str)];
}
impl Refusals for Problem {
    const ANSWERS: &'static [(ProblemType, &'static str)] = &[];
}
