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
}
impl From<&DeliveryError> for Problem {
    fn from(error: &DeliveryError) -> Self {
        match error {
            DeliveryError::Storage(_) => {
                Self::new(ProblemType::Busy, "send the report again in a moment").retry_after(5)
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
