//! Why something about a partnership or a mandate was not done.

use actix_web::{HttpResponse, ResponseError};

use super::perimeter::PolygonFault;
use super::rules::Refusal;
use crate::access::GateError;
use crate::http::Problem;
use crate::http::ProblemType;
use crate::http::Refusals;
use crate::storage::StorageError;

/// Why something about a partnership or a mandate was not done.
#[derive(Debug, thiserror::Error)]
pub enum PartnershipError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The gate, while the work was being done.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Stale.
    #[error(transparent)]
    Edge(Box<Problem>),
    /// There is no such thing.
    #[error("no such thing")]
    Absent,
    /// A rule.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The perimeter cannot be one.
    #[error("no perimeter: {0:?}")]
    Polygon(PolygonFault),
    /// A field that is right by itself does not fit: pointer, fixed word, what to do.
    #[error("{0}: {1}")]
    Field(String, &'static str, &'static str),
    /// Statements that a candidate did not make.
    #[error("the declaration is incomplete")]
    Undeclared(Vec<&'static str>),
}
impl From<Refusal> for PartnershipError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
impl From<PolygonFault> for PartnershipError {
    fn from(fault: PolygonFault) -> Self {
        Self::Polygon(fault)
    }
}
impl From<Problem> for PartnershipError {
    fn from(problem: Problem) -> Self {
        Self::Edge(Box::new(problem))
    }
}
impl From<&PartnershipError> for Problem {
    fn from(error: &PartnershipError) -> Self {
        match error {
            PartnershipError::Storage(error) => error.clone().into(),
            PartnershipError::Gate(error) => error.clone().into(),
            PartnershipError::Edge(problem) => (**problem).clone(),
            PartnershipError::Absent => Self::not_found(),
            PartnershipError::Refused(refusal) => (*refusal).into(),
            PartnershipError::Polygon(fault) => Self::invalid("/polygon", fault.code(), fault.detail()),
            PartnershipError::Field(pointer, code, detail) => Self::invalid(pointer.clone(), code, *detail),
            PartnershipError::Undeclared(statements) => statements.iter().fold(
                Self::new(ProblemType::Invalid, "without every statement nobody can be nominated; nothing was stored"),
                |problem, statement| {
                    problem.with_fault(format!("/declaration/{statement}"), "not_declared", "must be declared")
                },
            ),
        }
    }
}
impl ResponseError for PartnershipError {
    fn status_code(&self) -> actix_web::http::StatusCode {
        Problem::from(self).status_code()
    }
    fn error_response(&self) -> HttpResponse {
        Problem::from(self).error_response()
    }
}
impl Refusals for PartnershipError {
    const ANSWERS: &'static [(ProblemType, &'static str)] = &[
        (ProblemType::NotFound, "absent, or out of sight"),
        (ProblemType::Forbidden, "known but not yours to give or to end"),
        (ProblemType::Refused, "a rule said no, or the state does not lead there; `code` names it"),
        (ProblemType::Invalid, "readable but does not fit; `errors` points at the fields"),
    ];
}
