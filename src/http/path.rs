//! A piece of text in the path, such as a code, for routes that are open to all.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::describe::{Described, Operation};
use super::problem::Problem;

/// The first parameter of the path: 1 to `MAX` characters. Debug shows nothing, as it may be a token.
pub struct PathText<const MAX: usize>(String);
impl<const MAX: usize> PathText<MAX> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl<const MAX: usize> std::fmt::Debug for PathText<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹path›")
    }
}
impl<const MAX: usize> FromRequest for PathText<MAX> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.match_info().iter().next().map(|(_, value)| value.to_owned());
        ready(found.filter(|text| (1..=MAX).contains(&text.chars().count())).map(Self).ok_or_else(Problem::not_found))
    }
}
impl<const MAX: usize> Described for PathText<MAX> {
    fn describe(_: &mut Operation) {}
}
