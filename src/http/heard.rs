//! The answer to a gateway that told us something: an empty text.

use actix_web::body::BoxBody;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, Responder};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::describe::{Described, Operation};

/// Heard, and nothing to say. Not 204: Kannel takes anything but 200 and 202 for a failure, asks again as often as it is
/// told to, and then sends "Could not fetch content, sorry." to the phone.
#[derive(Debug)]
pub struct Heard;
impl Responder for Heard {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")).body("")
    }
}
impl Described for Heard {
    fn describe(operation: &mut Operation) {
        let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(0));
        operation.answer(200, "heard; the answer is empty", Some(("text/plain", text.into())));
    }
}
