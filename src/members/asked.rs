//! What a request asks for besides its body and its parameters.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::ACCEPT;
use actix_web::{FromRequest, HttpRequest};

use crate::http::Described;
use crate::http::Operation;
use crate::http::Problem;
use crate::http::ProblemType;

/// The list of members is not handed out as a file.
#[derive(Debug)]
pub(super) struct NoFile;
impl FromRequest for NoFile {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let accepted = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        ready(if accepted.trim_start().to_ascii_lowercase().starts_with("text/csv") {
            Err(Problem::new(
                ProblemType::NotAcceptable,
                "member lists are not exported; read them page by page as application/json",
            ))
        } else {
            Ok(Self)
        })
    }
}
impl Described for NoFile {
    fn describe(operation: &mut Operation) {
        operation.problem(ProblemType::NotAcceptable, "member lists are not exported as text/csv");
    }
}
