//! The hook at which SMS gateways report.

use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::error::DeliveryError;
use super::receipts;
use crate::access::Link;
use crate::access::Linked;
use crate::access::Purpose;
use crate::access::Routes;
use crate::http::Heard;
use crate::http::Query;

/// Mounts the hook.
pub fn routes(routes: &mut Routes<'_>) {
    routes.at("/hooks/sms/{token}", |at| at.get(report));
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
    link.write(move |tx, subject| {
        let delivery = i64::try_from(subject).unwrap_or(-1);
        receipts::receive(tx, delivery, "sms", &report.r#type, report.id.as_deref())?;
        Ok(Heard)
    })
    .await
}
