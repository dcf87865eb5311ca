//! What the gate itself can still say while the work is being done.

use crate::http::Problem;
use crate::http::ProblemType;
use crate::storage::StorageError;

/// Why work that had been allowed was not done after all.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GateError {
    /// The grant ended, or the session, between the decision and the write.
    #[error("the right to do this ended a moment ago")]
    Lapsed,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A header that a write needs is not there.
    #[error("an Idempotency-Key is needed")]
    KeyMissing,
    /// A further place named in the body is out of reach.
    #[error("the body names a place out of reach")]
    OutOfReach,
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
impl From<GateError> for Problem {
    fn from(error: GateError) -> Self {
        Self::from(&error)
    }
}
impl From<&GateError> for Problem {
    fn from(error: &GateError) -> Self {
        match error {
            GateError::Lapsed => {
                Self::new(ProblemType::Forbidden, "your mandate ended a moment ago; nothing was changed")
            }
            GateError::KeyReused => Self::new(
                ProblemType::IdempotencyMismatch,
                "use a new Idempotency-Key for a new request; this one belongs to another",
            ),
            GateError::KeyMissing => Self::new(
                ProblemType::IdempotencyKeyMissing,
                "send an Idempotency-Key header of 8 to 100 letters, digits, - or _, new for each intent, so that a repeat is harmless",
            ),
            GateError::OutOfReach => Self::not_found(),
            GateError::Storage(error) => error.into(),
        }
    }
}
