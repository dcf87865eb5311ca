//! Query parameters, read strictly: an unknown one is a fault with its name.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;
use validator::Validate;

use super::body::{fault_of, validated};
use super::describe::{Described, Operation};
use super::problem::{Problem, ProblemType};

/// The parameters after the `?`.
#[derive(Debug)]
pub struct Query<T>(pub T);
impl<T: DeserializeOwned + Validate> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(request.query_string().as_bytes()));
        let read = serde_path_to_error::deserialize::<_, T>(pairs).map_err(|error| {
            let at = error.path().to_string();
            let inner = error.into_inner().to_string();
            let name = inner.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()).map(str::to_owned);
            fault_of(&inner, name.unwrap_or(if at == "." { String::new() } else { at }), "?")
        });
        ready(read.and_then(|value| validated(value, "?")).map(Self))
    }
}
impl<T: IntoParams> Described for Query<T> {
    fn describe(operation: &mut Operation) {
        operation.parameters(T::into_params(|| Some(ParameterIn::Query)));
        operation.problem(ProblemType::Invalid, "a parameter is unknown or invalid; `errors` names it");
    }
}
