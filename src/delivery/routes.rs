//! The hooks at which SMS gateways report, and mail servers bring what came back.

use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::bounces;
use super::error::DeliveryError;
use super::links::AttemptName;
use super::receipts;
use crate::access::Link;
use crate::access::Linked;
use crate::access::Purpose;
use crate::access::Routes;
use crate::http::Answer;
use crate::http::Heard;
use crate::http::Query;
use crate::http::RawMail;

/// Mounts the hooks.
pub fn routes(routes: &mut Routes<'_>) {
    routes.at("/hooks/sms/{token}", |at| at.get(report)).at("/hooks/mail/{token}", |at| at.post(returned));
}

enum ReportSms {}
impl Link for ReportSms {
    const NAME: &'static str = "ReportSms";
    const SUMMARY: &'static str =
        "An SMS gateway reports on a delivery; the link was made by us and is known to the gateway alone.";
    const PURPOSE: Purpose = Purpose::Receipt;
}
/// What Kannel fills into the report's address.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct Report {
    /// Type of the report (`%d`).
    #[validate(length(min = 1, max = 3))]
    #[param(min_length = 1, max_length = 3)]
    r#type: String,
    /// The operator's name for the SMS (`%F`).
    #[validate(length(max = 100))]
    #[param(max_length = 100)]
    id: Option<String>,
}
async fn report(link: Linked<ReportSms>, Query(report): Query<Report>) -> Result<Heard, DeliveryError> {
    let attempt = AttemptName::from_subject(link.subject());
    let kept = link.write_together(attempt.delivery, move |tx, _| {
        receipts::receive(tx, attempt, "sms", &report.r#type, report.id.as_deref())
    });
    kept.await?;
    Ok(Heard)
}

enum ReturnMail {}
impl Link for ReturnMail {
    const NAME: &'static str = "ReturnMail";
    const SUMMARY: &'static str =
        "The mail server brings a mail that came back, as it is; the link is known to it alone.";
    const PURPOSE: Purpose = Purpose::ReturnedMail;
}
/// What the mail server knows of the mail, beside the mail itself.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct Envelope {
    /// To which address it came back. A `+` may stand as it is.
    #[validate(length(min = 1, max = 320))]
    #[param(min_length = 1, max_length = 320)]
    to: Option<String>,
}
async fn returned(
    link: Linked<ReturnMail>,
    Query(envelope): Query<Envelope>,
    RawMail(mail): RawMail,
) -> Result<Answer<(), 204>, DeliveryError> {
    // A mail server puts the address in as it is, and a bare `+` is read as a space; no address of ours has one.
    let to = envelope.to.ok_or(DeliveryError::NoEnvelope)?.replace(' ', "+");
    let found = bounces::read(&mail).ok_or(DeliveryError::NoMail)?;
    link.write(move |tx, _| bounces::take(tx, &to, &found)).await?;
    Ok(Answer::new(&()))
}
