//! Answers that are a small page.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, Responder};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::describe::{Described, Operation};

/// A whole HTML document with its status.
#[derive(Debug)]
pub struct Html {
    /// HTTP status.
    pub status: u16,
    /// The document.
    pub document: String,
}
impl Html {
    /// A page that is as it should be.
    #[must_use]
    pub const fn ok(document: String) -> Self {
        Self { status: 200, document }
    }
}
impl Responder for Html {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK))
            .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(self.document)
    }
}
impl Described for Html {
    fn describe(operation: &mut Operation) {
        operation.answer(
            200,
            "a page for people, in FR, NL, DE or EN",
            Some(("text/html", ObjectBuilder::new().schema_type(Type::String).into())),
        );
    }
}
