//! What can go wrong when a provider reports.

use actix_web::{HttpResponse, ResponseError};

use crate::http::Problem;
use crate::http::ProblemType;
use crate::http::Refusals;
use crate::storage::StorageError;

/// Why a report was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What came back is no mail.
    #[error("no mail")]
    NoMail,
    /// Nobody said to which address it came back.
    #[error("no envelope")]
    NoEnvelope,
}
impl From<&DeliveryError> for Problem {
    fn from(error: &DeliveryError) -> Self {
        match error {
            DeliveryError::Storage(_) => {
                Self::new(ProblemType::Busy, "send the report again in a moment").retry_after(5)
            }
            DeliveryError::NoMail => {
                Self::new(ProblemType::Unreadable, "send the mail as it came, with its header and nothing before it")
            }
            DeliveryError::NoEnvelope => {
                Self::invalid("?to", "missing", "must be the address to which the mail came back")
            }
        }
    }
}
impl ResponseError for DeliveryError {
    fn status_code(&self) -> actix_web::http::StatusCode {
        Problem::from(self).status_code()
    }
    fn error_response(&self) -> HttpResponse {
        Problem::from(self).error_response()
    }
}
impl Refusals for DeliveryError {
    const ANSWERS: &'static [(ProblemType, &'static str)] = &[];
}
