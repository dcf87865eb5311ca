//! What can be said no to here.

use std::time::Duration;

use actix_web::{HttpResponse, ResponseError};

use super::account::WrongState;
use super::password::HashFault;
use super::rules::Refusal;
use crate::access::GateError;
use crate::http::Problem;
use crate::http::ProblemType;
use crate::http::Refusals;
use crate::storage::StorageError;
use crate::values::Id;
use crate::values::of;

/// Why something about an account was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum AccountError {
    /// The address is unknown, the password wrong, or the account not active: the same to whoever asks.
    #[error("the address or the password is wrong")]
    SignInRefused,
    /// The refresh token is unknown, used, or of a session that is over.
    #[error("the session does not go on")]
    SessionOver,
    /// Too many wrong tries.
    #[error("too many tries")]
    TooManyTries(Duration),
    /// The chosen password breaks a rule.
    #[error("the password is not taken")]
    Password(Refusal, &'static str),
    /// The token is unknown, used or too old.
    #[error("the link is no longer good")]
    LinkUnknown,
    /// The account changed its state meanwhile.
    #[error(transparent)]
    WrongState(#[from] WrongState),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashFault),
    /// The gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
impl AccountError {
    /// A refresh token was used twice: whoever watches the logs should know.
    pub(super) fn stolen(account: Id<of::Account>) -> Self {
        tracing::warn!(%account, "a refresh token was used twice; its session was ended");
        Self::SessionOver
    }
}
impl From<&AccountError> for Problem {
    fn from(error: &AccountError) -> Self {
        match error {
            AccountError::SignInRefused => Self::new(
                ProblemType::SignInRefused,
                "check the address and the password; a new password can be asked for at POST /api/v1/password-resets",
            ),
            AccountError::SessionOver => Self::new(ProblemType::NotSignedIn, "the session is over; sign in again"),
            AccountError::TooManyTries(wait) => Self::new(
                ProblemType::TooMany,
                "too many wrong tries; wait as long as Retry-After says, then try again",
            )
            .retry_after(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)),
            AccountError::Password(refusal, pointer) => Self::invalid(*pointer, refusal.code(), refusal.advice()),
            AccountError::LinkUnknown => Self::refused(
                "link_unknown",
                "this token was used, is too old or never existed; ask for a new letter and use the latest",
            ),
            AccountError::WrongState(_) => {
                Self::new(ProblemType::WrongState, "the account changed meanwhile; read it again")
            }
            AccountError::Hash(_) => Self::new(
                ProblemType::Internal,
                "something went wrong on our side; quote the instance when you report it",
            ),
            AccountError::Gate(error) => error.clone().into(),
            AccountError::Storage(error) => error.clone().into(),
        }
    }
}
impl ResponseError for AccountError {
    fn status_code(&self) -> actix_web::http::StatusCode {
        Problem::from(self).status_code()
    }
    fn error_response(&self) -> HttpResponse {
        Problem::from(self).error_response()
    }
}
impl Refusals for AccountError {
    const ANSWERS: &'static [(ProblemType, &'static str)] = &[
        (ProblemType::SignInRefused, "the address or the password is wrong"),
        (ProblemType::Refused, "the token was used, is too old or never existed"),
        (ProblemType::Invalid, "the chosen password is not acceptable; `errors` says what to do"),
    ];
}

/// The same where an operation adds no refusal of its own to those of its gate and its body.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct PlainError(#[from] AccountError);
impl From<StorageError> for PlainError {
    fn from(error: StorageError) -> Self {
        Self(error.into())
    }
}
impl From<GateError> for PlainError {
    fn from(error: GateError) -> Self {
        Self(error.into())
    }
}
impl ResponseError for PlainError {
    fn status_code(&self) -> actix_web::http::StatusCode {
        self.0.status_code()
    }
    fn error_response(&self) -> HttpResponse {
        self.0.error_response()
    }
}
impl Refusals for PlainError {
    const ANSWERS: &'static [(ProblemType, &'static str)] = &[];
}
