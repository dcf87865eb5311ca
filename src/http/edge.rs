//! The outermost layer: request ids, one log line a request (pattern instead of path, as paths may hold links), and the
//! shape of every answer of 400 and above.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use minijinja::context;
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::metrics;
use super::problem::{Problem, ProblemType};
use crate::texts::{self, PageKind};
use crate::values::Language;

/// Before somebody is told that they ask too often.
const PAUSE: Duration = Duration::from_millis(500);

/// The span of one request: method, route pattern, request id. Never the path, the query or a header.
#[derive(Debug)]
pub struct RootSpan;
impl RootSpanBuilder for RootSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
        tracing::info_span!("request", method = %request.method(), route = request.match_pattern().unwrap_or_default(), request_id = %id, status = tracing::field::Empty)
    }
    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, actix_web::Error>) {
        let status =
            outcome.as_ref().map_or_else(|error| error.as_response_error().status_code(), ServiceResponse::status);
        span.record("status", status.as_u16());
    }
}

/// The id of this request, as it appears in logs, decisions and problems.
#[must_use]
pub fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default()
}

/// The network a client comes from: its /24 (IPv4) or /48 (IPv6), as text, for counting tries.
#[must_use]
pub fn client_network(address: Option<IpAddr>) -> String {
    match address {
        Some(IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        None => "unknown".to_owned(),
    }
}

fn plain_problem(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new(ProblemType::MethodNotAllowed, "look at the contract for what can be done here")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(ProblemType::TooLarge, "send less at once"),
        StatusCode::SERVICE_UNAVAILABLE => Problem::new(ProblemType::Busy, "try again in a moment").retry_after(1),
        status if status.is_client_error() => {
            Problem::new(ProblemType::Unreadable, "the request is not understood; look at the contract")
        }
        _ => Problem::new(
            ProblemType::Internal,
            "something went wrong on our side; quote the instance when you report it",
        ),
    }
}

/// Gives every refusal its instance and every answer its id; logs each once.
///
/// # Errors
/// What comes from below without an answer; nothing of its own.
pub async fn finish<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<BoxBody, B>>, actix_web::Error> {
    let id = request_id(request.request());
    let is_api = !request.path().starts_with("/docs");
    let (method, start) = (request.method().clone(), Instant::now());
    // No clone of the request may live while it is routed: actix writes the parameters of the path into it. The router
    // makes an answer of every error, so what comes back as an error has no request to answer to.
    let response = next.call(request).await?;
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        // Whoever asks again at once, in spite of what they are told, does so twice a second and not as often as we can say no:
        // the others wait behind every answer that we give.
        tokio::time::sleep(PAUSE).await;
    }
    let route = response.request().match_pattern();
    metrics::answered(&method, route.as_deref(), response.status().as_u16(), start.elapsed());
    if response.status().is_client_error() || response.status().is_server_error() {
        let (request, response) = response.into_parts();
        let is_page =
            response.headers().get("content-type").is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
        if is_page {
            let mut response = ServiceResponse::new(request, response);
            header(&mut response, "x-request-id", &id);
            return Ok(response.map_into_right_body());
        }
        return Ok(
            finished(ServiceResponse::new(request, response.map_into_boxed_body()), id, is_api).map_into_left_body()
        );
    }
    let mut response = response;
    header(&mut response, "x-request-id", &id);
    if is_api && !response.headers().contains_key(CACHE_CONTROL) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    tracing::info!(status = response.status().as_u16(), "answered");
    Ok(response.map_into_right_body())
}
fn header<B>(response: &mut ServiceResponse<B>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}
fn finished(response: ServiceResponse<BoxBody>, id: String, is_api: bool) -> ServiceResponse<BoxBody> {
    let problem = response.response().extensions().get::<Problem>().cloned();
    let allow = response.headers().get("allow").cloned();
    let problem = problem.unwrap_or_else(|| plain_problem(response.status())).at(id.clone());
    if problem.kind() == ProblemType::Internal {
        tracing::error!(
            problem = problem.kind().slug(),
            cause = problem.cause().unwrap_or("a panic or an unexpected failure"),
            "answered"
        );
    } else if let Some(cause) = problem.cause() {
        tracing::warn!(problem = problem.kind().slug(), cause, "answered");
    } else {
        tracing::info!(problem = problem.kind().slug(), "answered");
    }
    let (request, _) = response.into_parts();
    let page = page_language(&request).map(|language| problem_page(language, &problem));
    let mut response = ServiceResponse::new(request, page.unwrap_or_else(|| problem.respond()));
    if let Some(allow) = allow {
        response.headers_mut().insert(actix_web::http::header::ALLOW, allow);
    }
    header(&mut response, "x-request-id", &id);
    if is_api {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The language in which somebody who follows a link in a browser is told that it did not work; `None` for programs.
fn page_language(request: &HttpRequest) -> Option<Language> {
    let for_people = request.path().starts_with("/p/") || request.path().starts_with("/v/");
    let browser = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let asked = request.query_string().split('&').find_map(|pair| Language::parse(pair.strip_prefix("lang=")?));
    (for_people && browser).then(|| asked.unwrap_or(Language::Fr))
}
/// The problem as a small page, with the same status and `Retry-After`.
fn problem_page(language: Language, problem: &Problem) -> HttpResponse {
    let what = match problem.kind() {
        ProblemType::TooMany => "problem-too_many",
        kind if kind.status() < 500 => "problem-link_unknown",
        _ => "problem-unavailable",
    };
    let values = context! { title => texts::phrase(language, "problem-title", &[]), detail => texts::phrase(language, what, &[]) };
    let document = texts::page(language, PageKind::Problem, &values);
    let mut response = problem.respond().set_body(BoxBody::new(document));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
