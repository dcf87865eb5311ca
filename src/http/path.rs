//! A piece of text in the path, such as a code, for routes that are open to all.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::describe::{Described, Operation};
use super::problem::{Problem, ProblemType};

/// The first parameter of the path: 1 to `MAX` ASCII letters, digits, `-` and `_`. Anything else leads nowhere, and never
/// reaches the database, of which one kind fails on a zero byte. Debug shows nothing, as it may be a token.
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
        ready(found.filter(|text| is_plain(text, MAX)).map(Self).ok_or_else(Problem::not_found))
    }
}
impl<const MAX: usize> Described for PathText<MAX> {
    fn describe(operation: &mut Operation) {
        operation.problem(ProblemType::NotFound, "there is no such thing");
    }
}
fn is_plain(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn letters_digits_and_two_signs_are_all_that_passes() {
        for good in ["a", "ABCD-1234_xyz", "0123456789abcdef"] {
            assert!(is_plain(good, 16), "{good}");
        }
        for bad in ["", "0123456789abcdefg", "\0", "A\0", "a b", "é", "..", "a/b", "'", "+", "a\n"] {
            assert!(!is_plain(bad, 16), "{bad:?}");
        }
    }
}
