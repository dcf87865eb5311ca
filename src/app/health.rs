//! Is the process alive, is it ready; the headers of every answer; the contract and its page.

use actix_web::body::MessageBody;
use actix_web::dev::{HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web_helmet::Helmet;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::access::Public;
use crate::access::Routes;
use crate::http::Answer;
use crate::http::Problem;
use crate::storage::StorageError;
use crate::texts;

/// Mounts health and the style of the small pages.
pub(super) fn routes(routes: &mut Routes<'_>) {
    routes
        .at("/health/live", |at| at.get(live))
        .at("/health/ready", |at| at.get(ready))
        .at("/pages/style.css", |at| at.get(style))
        .at("/openapi.yaml", |at| at.get(contract));
}

crate::opens! {
    Live: "The process runs.";
    Ready: "The process can do its work: its database takes what is written.";
    Style: "The style of the small pages.";
    Contract: "This contract, as YAML.";
}
/// A sign of life. No version, no detail: this is open to all.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`; anything else is another status.
    status: &'static str,
}
async fn live(_: Public<Live>) -> Answer<Health> {
    Answer::new(&Health { status: "ok" })
}
async fn ready(public: Public<Ready>) -> Result<Answer<Health>, Problem> {
    public.takes_writes().await.map_err(|error| match error {
        StorageError::Busy | StorageError::Away(_) => Problem::from(error),
        other => Problem::from(StorageError::Away(other.to_string())),
    })?;
    Ok(Answer::new(&Health { status: "ok" }))
}

/// A text that is part of the binary.
struct Embedded {
    media: &'static str,
    text: &'static str,
}
impl actix_web::Responder for Embedded {
    type Body = actix_web::body::BoxBody;
    fn respond_to(self, _: &actix_web::HttpRequest) -> actix_web::HttpResponse {
        actix_web::HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, self.media))
            .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
            .body(self.text)
    }
}
impl crate::http::Described for Embedded {
    fn describe(operation: &mut crate::http::Operation) {
        let text =
            utoipa::openapi::schema::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String).into();
        operation.answer(200, "a text", Some(("text/plain", text)));
    }
}
async fn style(_: Public<Style>) -> Embedded {
    Embedded { media: "text/css; charset=utf-8", text: texts::STYLE }
}
async fn contract(_: Public<Contract>) -> Embedded {
    // The committed file; a house test holds it equal to what the door writes.
    Embedded { media: "application/yaml", text: include_str!("../../openapi.yaml") }
}

/// The contract at `/openapi.yaml` and its page under `/docs/`: the one service outside the door.
pub(super) fn contract_page(contract: utoipa::openapi::OpenApi) -> impl HttpServiceFactory {
    SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", contract).config(Config::default().validator_url("none"))
}

/// What a browser is told about every answer (ASVS 3.4). The contract's page runs its own vendored script.
pub(super) fn helmet() -> Helmet {
    use actix_web_helmet::{
        CrossOriginOpenerPolicy, CrossOriginResourcePolicy, ReferrerPolicy, StrictTransportSecurity,
        XContentTypeOptions, XFrameOptions,
    };
    Helmet::new()
        .add(XContentTypeOptions::nosniff())
        .add(XFrameOptions::deny())
        .add(ReferrerPolicy::no_referrer())
        .add(CrossOriginOpenerPolicy::same_origin())
        .add(CrossOriginResourcePolicy::same_origin())
        .add(StrictTransportSecurity::new().max_age(31_536_000).include_sub_domains())
}
const STRICT: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
const FOR_THE_CONTRACT_PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
);

/// The content security policy: strict, but for the contract's page.
///
/// # Errors
/// None of its own.
pub(super) async fn content_policy<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let is_contract_page = request.path().starts_with("/docs/");
    let mut response = next.call(request).await?;
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, if is_contract_page { FOR_THE_CONTRACT_PAGE } else { STRICT });
    Ok(response)
}
