//! A CSV file as the body of a request: read as text; what its cells mean is the slice's.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Required};

use super::body::{bytes_of, media_type};
use super::describe::{Described, Operation};
use super::problem::{Problem, ProblemType};

/// The text of a CSV file, in UTF-8.
#[derive(Debug)]
pub struct CsvFile(pub String);
impl FromRequest for CsvFile {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if media_type(&request) != "text/csv" {
                return Err(Problem::new(ProblemType::UnsupportedMediaType, "send the file as text/csv"));
            }
            let bytes = bytes_of(&request, payload).await?;
            String::from_utf8(bytes.to_vec())
                .map(Self)
                .map_err(|_| Problem::new(ProblemType::Unreadable, "the file is not UTF-8; save it as CSV UTF-8"))
        })
    }
}
impl Described for CsvFile {
    fn describe(operation: &mut Operation) {
        let schema = RefOr::T(ObjectBuilder::new().schema_type(Type::String).into());
        let body = RequestBodyBuilder::new()
            .content("text/csv", ContentBuilder::new().schema(Some(schema)).build())
            .required(Some(Required::True))
            .build();
        operation.with(|o| o.request_body(Some(body)));
        operation.problem(ProblemType::Unreadable, "the file is not UTF-8");
        operation.problem(ProblemType::TooLarge, "the file is too large");
        operation.problem(ProblemType::UnsupportedMediaType, "the file is not text/csv");
        operation.problem(ProblemType::Invalid, "cells at fault: `/row/3/phone`, the heading being row 1");
    }
}
