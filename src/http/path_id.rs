//! The identifier in the path of a route that is open to all; behind a permission the gate finds the target itself.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use super::describe::{Described, Operation};
use super::problem::{Problem, ProblemType};
use crate::values::Id;

/// The one identifier in the path. What is no identifier is nowhere.
#[derive(Debug)]
pub struct PathId<K: 'static>(pub Id<K>);
impl<K: 'static> FromRequest for PathId<K> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = web::Path::<Id<K>>::extract(request).into_inner();
        ready(found.map(|path| Self(path.into_inner())).map_err(|_| Problem::not_found()))
    }
}
impl<K: 'static> Described for PathId<K> {
    fn describe(operation: &mut Operation) {
        operation.problem(ProblemType::NotFound, "there is no such thing");
    }
}
