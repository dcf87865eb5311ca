//! What can be said instead of doing it.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use super::message::Status;
use super::rules::Refusal;
use crate::access::GateError;
use crate::http::Problem;
use crate::http::ProblemType;
use crate::http::Refusals;
use crate::storage::StorageError;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// There is no such message.
    #[error("no such message")]
    NotFound,
    /// It stands somewhere else than this needs.
    #[error("not possible in state {}", .0.as_str())]
    WrongState(Status),
    /// A rule says no.
    #[error("refused: {}", .0.code())]
    Refused(Refusal),
    /// The text, the audience or the plan is no longer what the officer saw.
    #[error("the version changed")]
    VersionChanged,
    /// The partnership has no communication plan in force.
    #[error("no plan in force")]
    NoPlan,
    /// So many urgent messages in so short a time.
    #[error("too many urgent messages")]
    TooManyUrgent(Duration),
    /// A field or a header is not acceptable.
    #[error(transparent)]
    Unacceptable(#[from] Problem),
    /// The gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
impl MessageError {
    /// What to do next, in the words of the answer.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Storage(error) => error.to_string(),
            Self::Refused(refusal) => format!("{}: {}", refusal.code(), refusal.detail()),
            other => other.to_string(),
        }
    }
}
impl From<Refusal> for MessageError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
impl From<&MessageError> for Problem {
    fn from(error: &MessageError) -> Self {
        match error {
            MessageError::NotFound => Self::not_found(),
            MessageError::WrongState(found) => {
                Self::new(ProblemType::WrongState, format!("the message is {}; read it again and choose what is possible now", found.as_str())).with_code(found.as_str())
            }
            MessageError::Refused(Refusal::SoloNeedsStepUp) => Self::new(ProblemType::StepUpNeeded, Refusal::SoloNeedsStepUp.detail()),
            MessageError::Refused(refusal) => Self::refused(refusal.code(), refusal.detail()),
            MessageError::VersionChanged => {
                Self::new(ProblemType::VersionChanged, "the text, the audience or the plan changed since you looked; read the preview again and approve what you see there").with_code("version_changed")
            }
            MessageError::NoPlan => Self::refused("no_plan", "the partnership has no communication plan in force; write one and have both sign it"),
            MessageError::TooManyUrgent(wait) => {
                Self::new(ProblemType::TooMany, "the zone has sent many urgent messages within the hour; correct or update one instead, or wait").retry_after(wait.as_secs().saturating_add(1))
            }
            MessageError::Unacceptable(problem) => problem.clone(),
            MessageError::Gate(error) => Self::from(error),
            MessageError::Storage(error) => Self::from(error),
        }
    }
}
impl ResponseError for MessageError {
    fn status_code(&self) -> StatusCode {
        Problem::from(self).status_code()
    }
    fn error_response(&self) -> HttpResponse {
        Problem::from(self).error_response()
    }
}
impl Refusals for MessageError {
    const ANSWERS: &'static [(ProblemType, &'static str)] = &[
        (
            ProblemType::WrongState,
            "not possible in the present state, refused by a rule named in `code`, or changed since it was seen",
        ),
        (ProblemType::TooMany, "too many urgent messages within the hour"),
    ];
}
