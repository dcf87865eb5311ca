//! Versions of a resource: `ETag` out, `If-Match` in (RFC 9110, 13.1.1).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::IF_MATCH;
use actix_web::{FromRequest, HttpRequest};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::describe::{Described, Operation};
use super::problem::{Problem, ProblemType};

/// The version the client last saw, from `If-Match: "v3"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub i64);

impl IfMatch {
    /// Fails when the present version is another.
    ///
    /// # Errors
    /// 412, with what to do.
    pub fn check(self, present: i64) -> Result<(), Problem> {
        if self.0 == present {
            Ok(())
        } else {
            Err(Problem::new(
                ProblemType::Stale,
                "read it again, look at what changed, and repeat with the new ETag in If-Match",
            ))
        }
    }
}
impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match request.headers().get(IF_MATCH) {
            None => Err(Problem::new(ProblemType::VersionNeeded, "read the resource and send its ETag in If-Match")),
            Some(value) => value
                .to_str()
                .ok()
                .and_then(|text| text.trim().strip_prefix("\"v")?.strip_suffix('"')?.parse().ok())
                .map(Self)
                .ok_or_else(|| {
                    Problem::new(
                        ProblemType::Stale,
                        "the If-Match header must hold an ETag of this resource, such as \"v3\"",
                    )
                }),
        })
    }
}
impl Described for IfMatch {
    fn describe(operation: &mut Operation) {
        operation.header(
            "If-Match",
            "the ETag of the version last seen, such as \"v3\"",
            ObjectBuilder::new().schema_type(Type::String).into(),
        );
        operation.problem(ProblemType::VersionNeeded, "no If-Match");
        operation.problem(ProblemType::Stale, "changed in the meantime");
    }
}
