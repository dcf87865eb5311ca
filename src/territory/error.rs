//! Why something about the territory was not done.

use actix_web::{HttpResponse, ResponseError};

use super::import::ImportFault;
use crate::access::GateError;
use crate::http::Problem;
use crate::http::ProblemType;
use crate::http::Refusals;
use crate::storage::StorageError;

/// Why something about the territory was not done.
#[derive(Debug, thiserror::Error)]
pub enum TerritoryError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The gate, while the work was being done.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Stale, or not acceptable in form.
    #[error(transparent)]
    Edge(Box<Problem>),
    /// There is no such zone.
    #[error("no such zone")]
    Absent,
    /// A zone with this number exists.
    #[error("the number is taken")]
    NumberTaken,
    /// A municipality that does not exist; the place in the list.
    #[error("unknown municipality")]
    MunicipalityUnknown(usize),
    /// A municipality that lies in another zone; the place in the list.
    #[error("municipality of another zone")]
    MunicipalityTaken(usize),
    /// Rows of a file.
    #[error("rows at fault")]
    Import(Vec<ImportFault>),
}
impl From<Problem> for TerritoryError {
    fn from(problem: Problem) -> Self {
        Self::Edge(Box::new(problem))
    }
}
impl From<&TerritoryError> for Problem {
    fn from(error: &TerritoryError) -> Self {
        match error {
            TerritoryError::Storage(error) => error.clone().into(),
            TerritoryError::Gate(error) => error.clone().into(),
            TerritoryError::Edge(problem) => (**problem).clone(),
            TerritoryError::Absent => Self::not_found(),
            TerritoryError::NumberTaken => {
                Self::new(ProblemType::Duplicate, "a zone with this number exists; look it up and change that one")
                    .with_code("zone_number_taken")
            }
            TerritoryError::MunicipalityUnknown(at) => Self::invalid(
                format!("/municipalities/{at}"),
                "unknown_municipality",
                "is not a municipality of the list; GET /api/v1/municipalities has their NIS codes",
            ),
            TerritoryError::MunicipalityTaken(at) => Self::invalid(
                format!("/municipalities/{at}"),
                "municipality_taken",
                "lies in another zone; take it out of that one first, or import both together",
            ),
            TerritoryError::Import(faults) => faults.iter().fold(
                Self::new(
                    ProblemType::Invalid,
                    "nothing was imported; correct the cells named in `errors` and send the whole file again",
                ),
                |problem, fault| problem.with_fault(fault.pointer(), fault.code, fault.detail),
            ),
        }
    }
}
impl ResponseError for TerritoryError {
    fn status_code(&self) -> actix_web::http::StatusCode {
        Problem::from(self).status_code()
    }
    fn error_response(&self) -> HttpResponse {
        Problem::from(self).error_response()
    }
}
impl Refusals for TerritoryError {
    const ANSWERS: &'static [(ProblemType, &'static str)] = &[
        (ProblemType::NotFound, "no such zone"),
        (ProblemType::Duplicate, "`zone_number_taken`: a zone with this number exists"),
        (ProblemType::Invalid, "`unknown_municipality`, `municipality_taken`; the cells of an import"),
    ];
}
