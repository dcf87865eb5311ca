//! Request bodies, read strictly: JSON for programs, forms for the small pages. Faults carry a pointer.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::describe::{Described, Operation};
use super::problem::{Problem, ProblemType};
use super::shape::Shape;

/// The SHA-256 of the body, filled in when the body has been read; the gate holds the other end of it.
#[derive(Debug, Clone, Default)]
pub struct BodyHash(Arc<OnceLock<[u8; 32]>>);
impl BodyHash {
    /// The hash of what was read; of nothing when no body was read.
    #[must_use]
    pub fn get(&self) -> [u8; 32] {
        self.0.get().copied().unwrap_or_else(|| Sha256::digest(b"").into())
    }
}

/// A JSON body: unknown fields refused, types and limits checked, each fault with its pointer.
#[derive(Debug)]
pub struct Json<T>(pub T);

pub(super) async fn bytes_of(request: &HttpRequest, mut payload: Payload) -> Result<web::Bytes, Problem> {
    let bytes = web::Bytes::from_request(request, &mut payload).await.map_err(|error| {
        if error.as_response_error().status_code() == actix_web::http::StatusCode::PAYLOAD_TOO_LARGE {
            Problem::new(ProblemType::TooLarge, "send less at once; the limits stand in the documentation")
        } else {
            Problem::new(ProblemType::Unreadable, "the body ended too early; send the request again")
        }
    })?;
    if let Some(hash) = request.extensions().get::<BodyHash>() {
        let _ = hash.0.set(Sha256::digest(&bytes).into());
    }
    Ok(bytes)
}
/// Without parameters and in lower case; empty when there is none, or more than one: a proxy might read the other.
pub(super) fn media_type(request: &HttpRequest) -> String {
    let mut values = request.headers().get_all(CONTENT_TYPE);
    let (Some(value), None) = (values.next(), values.next()) else { return String::new() };
    let value = value.to_str().unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `a.b[0]` of serde's path as `/a/b/0`.
fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { variant } => pointer.push_str(&format!("/{variant}")),
            Segment::Unknown => {}
        }
    }
    pointer
}
/// Serde quotes what it found; nothing of the value may come back in an answer or a log.
fn without_value(message: &str) -> (&'static str, String) {
    let message = message.split(" at line ").next().unwrap_or_default();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let allowed = rest.split_once(", ").map_or("", |(_, allowed)| allowed);
        return ("unknown_field", format!("is not a field here; {allowed}"));
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        return ("missing", format!("{rest} is missing"));
    }
    if let Some((_, expected)) =
        message.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        return ("not_a_choice", format!("must be {expected}"));
    }
    if let Some((_, expected)) = message.strip_prefix("invalid ").and_then(|rest| rest.split_once(", expected ")) {
        let expected = if expected.starts_with("struct ") { "an object" } else { expected };
        return ("wrong_type", format!("must be {expected}"));
    }
    if message.starts_with("must ") {
        return ("invalid", message.to_owned());
    }
    ("invalid", "is not acceptable".to_owned())
}
pub(super) fn fault_of(inner: &str, mut pointer: String, prefix: &str) -> Problem {
    let (code, detail) = without_value(inner);
    if code == "missing"
        && let Some(field) = detail.split('`').nth(1)
    {
        pointer.push('/');
        pointer.push_str(field);
    }
    let pointer = if prefix == "?" { format!("?{}", pointer.trim_start_matches('/')) } else { pointer };
    Problem::new(ProblemType::Invalid, "correct the fields named in `errors` and send the request again")
        .with_fault(pointer, code, detail)
}

/// Turns the faults that `validator` found into problems with pointers.
pub(super) fn validated<T: Validate>(value: T, prefix: &str) -> Result<T, Problem> {
    match value.validate() {
        Ok(()) => Ok(value),
        Err(errors) => {
            let mut problem =
                Problem::new(ProblemType::Invalid, "correct the fields named in `errors` and send the request again");
            collect(&errors, prefix, &mut problem);
            Err(problem)
        }
    }
}
fn collect(errors: &ValidationErrors, at: &str, problem: &mut Problem) {
    for (field, kind) in errors.errors() {
        // A field named like a word of Rust.
        let field = field.strip_prefix("r#").unwrap_or(field);
        let here = match (at, field) {
            (at, "__all__") => at.to_owned(),
            ("?", field) => format!("?{field}"),
            (at, field) => format!("{at}/{field}"),
        };
        match kind {
            ValidationErrorsKind::Field(faults) => {
                for fault in faults {
                    let detail = fault.message.clone().unwrap_or_else(|| "is not acceptable".into());
                    *problem = problem.clone().with_fault(here.clone(), fault.code.clone(), detail);
                }
            }
            ValidationErrorsKind::Struct(inner) => collect(inner, &here, problem),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    collect(inner, &format!("{here}/{index}"), problem);
                }
            }
        }
    }
}

/// Reads twice: once as it comes, which finds a field that is given twice, and once by its shape.
fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let unreadable = |_| Problem::new(ProblemType::Unreadable, "the body is not JSON; check it with a JSON tool");
    let misfit = |error: serde_path_to_error::Error<serde_json::Error>| {
        fault_of(&error.inner().to_string(), pointer_of(error.path()), "")
    };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize::<_, T>(&mut reader);
    // Some misfits are faults of syntax to serde_json, such as one item too many.
    let shape: serde_json::Value = serde_json::from_slice(bytes).map_err(unreadable)?;
    let value = read.map_err(misfit)?;
    serde_path_to_error::deserialize::<_, T>(Shape(shape)).map_err(misfit)?;
    Ok(value)
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            if media_type(&request) != "application/json" {
                return Err(Problem::new(ProblemType::UnsupportedMediaType, "send the body as application/json"));
            }
            let bytes = bytes_of(&request, payload).await?;
            read_json(&bytes).and_then(|value| validated(value, "")).map(Self)
        })
    }
}
impl<T: ToSchema> Described for Json<T> {
    fn describe(operation: &mut Operation) {
        operation.body::<T>("application/json");
        operation.problem(ProblemType::Unreadable, "the body is not JSON");
        operation.problem(ProblemType::TooLarge, "the body is too large");
        operation.problem(ProblemType::UnsupportedMediaType, "the body is not application/json");
        operation.problem(ProblemType::Invalid, "readable but invalid; `errors` points at the fields");
    }
}

/// The body of a form on one of the small pages.
#[derive(Debug)]
pub struct Form<T>(pub T);
impl<T: DeserializeOwned + Validate + 'static> FromRequest for Form<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            if media_type(&request) != "application/x-www-form-urlencoded" {
                return Err(Problem::new(
                    ProblemType::UnsupportedMediaType,
                    "send the form as application/x-www-form-urlencoded",
                ));
            }
            let bytes = bytes_of(&request, payload).await?;
            let value: T = serde_urlencoded::from_bytes(&bytes)
                .map_err(|error| fault_of(&error.to_string(), String::new(), ""))?;
            validated(value, "").map(Self)
        })
    }
}
impl<T: ToSchema> Described for Form<T> {
    fn describe(operation: &mut Operation) {
        operation.body::<T>("application/x-www-form-urlencoded");
        operation.problem(ProblemType::TooLarge, "the body is too large");
        operation.problem(ProblemType::UnsupportedMediaType, "the body is not a form");
        operation.problem(ProblemType::Invalid, "readable but invalid");
    }
}
