//! A mail as the body of a request, byte for byte; what it says is the slice's.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Required};

use super::body::{bytes_of, media_type};
use super::describe::{Described, Operation};
use super::problem::{Problem, ProblemType};

/// A mail with its header, as it came.
#[derive(Debug)]
pub struct RawMail(pub web::Bytes);
impl FromRequest for RawMail {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if media_type(&request) != "message/rfc822" {
                return Err(Problem::new(ProblemType::UnsupportedMediaType, "send the mail as message/rfc822"));
            }
            bytes_of(&request, payload).await.map(Self)
        })
    }
}
impl Described for RawMail {
    fn describe(operation: &mut Operation) {
        let schema = RefOr::T(ObjectBuilder::new().schema_type(Type::String).into());
        let body = RequestBodyBuilder::new()
            .content("message/rfc822", ContentBuilder::new().schema(Some(schema)).build())
            .required(Some(Required::True))
            .build();
        operation.with(|o| o.request_body(Some(body)));
        operation.problem(ProblemType::Unreadable, "this is no mail");
        operation.problem(ProblemType::TooLarge, "the mail is too large");
        operation.problem(ProblemType::UnsupportedMediaType, "the mail is not message/rfc822");
    }
}
