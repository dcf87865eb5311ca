//! What a request asks for besides its body and its parameters.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::ACCEPT;
use actix_web::{FromRequest, HttpRequest};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::http::Described;
use crate::http::Operation;
use crate::http::Problem;
use crate::http::ProblemType;
use crate::http::Query;

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

/// What a gateway fills into the address of the hook, as `vigie hooks` prints it.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct InboundQuery {
    /// The sender's number (`%p`).
    #[validate(length(min = 1, max = 40))]
    #[param(min_length = 1, max_length = 40)]
    from: String,
    /// All words of the SMS (`%a`), in the alphabet named by `charset`.
    #[validate(length(max = 5_000))]
    #[param(max_length = 5_000)]
    text: String,
    /// The gateway's name for this SMS (`%I`): the same for a repeat.
    #[validate(length(min = 1, max = 100))]
    #[param(min_length = 1, max_length = 100)]
    id: String,
    /// The alphabet of `text` (`%C`): UTF-8 unless said otherwise.
    #[validate(length(max = 40))]
    #[param(max_length = 40)]
    charset: Option<String>,
}
/// An SMS that somebody sent to us. Debug shows nothing.
pub(super) struct InboundSms {
    pub(super) from: String,
    pub(super) text: String,
    pub(super) id: String,
}
impl std::fmt::Debug for InboundSms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹sms›")
    }
}
impl FromRequest for InboundSms {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = Query::<InboundQuery>::from_request(request, payload).into_inner();
        ready(read.map(|Query(query)| {
            let is_wide = query.charset.is_some_and(|name| name.to_ascii_uppercase().starts_with("UTF-16"));
            // A capital with an accent makes a phone choose UCS-2, and Kannel hands that over as it came.
            let wide = if is_wide { wide_text(request.query_string()) } else { None };
            Self { from: query.from, text: wide.unwrap_or(query.text), id: query.id }
        }))
    }
}
impl Described for InboundSms {
    fn describe(operation: &mut Operation) {
        <Query<InboundQuery> as Described>::describe(operation);
    }
}
/// The text of a query as UTF-16, high bytes first.
fn wide_text(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("text="))?;
    let bytes = percent_decoded(value.as_bytes());
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    Some(String::from_utf16_lossy(&units))
}
fn percent_decoded(value: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (mut bytes, mut rest) = (Vec::with_capacity(value.len()), value);
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        bytes.push(match (first, behind) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                _ => b'%',
            },
            (byte, _) => *byte,
        });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{percent_decoded, wide_text};

    #[test]
    fn a_wide_text_is_read_as_kannel_writes_it() {
        let query = "from=x&text=%00A%00R%00R%00%CA%00T&charset=UTF-16BE";
        assert_eq!(wide_text(query).as_deref(), Some("ARRÊT"));
        assert_eq!(wide_text("from=x").as_deref(), None);
        for (odd, read) in [("text=%00A%0", "A\u{2530}"), ("text=", ""), ("text=%d8%00", "\u{fffd}")] {
            assert_eq!(wide_text(odd).as_deref(), Some(read), "{odd}");
        }
        assert_eq!(percent_decoded(b"a+b%20%zz%"), b"a b %zz%");
    }
}
