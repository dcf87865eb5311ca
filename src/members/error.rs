//! What can be said no to here.

use std::time::Duration;

use actix_web::{HttpResponse, ResponseError};

use super::member::MembershipStatus;
use super::rules::Refusal;
use crate::access::GateError;
use crate::http::Problem;
use crate::http::ProblemType;
use crate::http::Refusals;
use crate::storage::StorageError;

/// Why something about a membership was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum MemberError {
    /// Absent, or no longer what the link was made for.
    #[error("no such membership")]
    NotFound,
    /// Not possible in the state it is in.
    #[error("not possible while {}", .0.as_str())]
    WrongState(MembershipStatus),
    /// A condition of membership is not met.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Somebody of that name and contact is a member or has applied.
    #[error("already a member")]
    AlreadyMember,
    /// A field that only makes sense beside others.
    #[error("a field does not fit the others")]
    Unfit(Unfit),
    /// The code is wrong.
    #[error("the code is wrong")]
    WrongCode,
    /// No code is open.
    #[error("no code is open")]
    CodeOver,
    /// Too many applications, or too many contacts seen in full.
    #[error("too many")]
    TooMany(Duration),
    /// The edge, the gate or the database, as it is answered.
    #[error(transparent)]
    Edge(Box<Problem>),
}
/// A field that only makes sense beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The preferred channel needs a contact that is not there.
    ChannelWithoutContact,
    /// A form cannot have been signed tomorrow.
    SignedInTheFuture,
}
impl From<Problem> for MemberError {
    fn from(problem: Problem) -> Self {
        Self::Edge(Box::new(problem))
    }
}
impl From<StorageError> for MemberError {
    fn from(error: StorageError) -> Self {
        Problem::from(error).into()
    }
}
impl From<GateError> for MemberError {
    fn from(error: GateError) -> Self {
        Problem::from(error).into()
    }
}
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::PartnershipClosed => Self::refused(
                "partnership_closed",
                "this partnership takes no members any more; look for another near you",
            ),
            Refusal::NotAdult => Self::refused("not_adult", "members are adults; apply again when that is so"),
            Refusal::OutsidePerimeter => Self::refused(
                "outside_perimeter",
                "the address lies outside the area; the police of the zone can confirm another link with it",
            ),
            Refusal::RulesNotAcknowledged => {
                Self::refused("rules_not_in_force", "read the house rules in force and acknowledge that version")
            }
            Refusal::NoUsableContact => {
                Self::refused("no_usable_contact", "at least one contact has to be confirmed by its owner first")
            }
        }
    }
}
impl From<&MemberError> for Problem {
    fn from(error: &MemberError) -> Self {
        match error {
            MemberError::NotFound => Self::not_found(),
            MemberError::WrongState(found) => Self::new(
                ProblemType::WrongState,
                format!("the membership is {}; read it again to see what can be done", found.as_str()),
            )
            .with_code("wrong_state"),
            MemberError::Refused(refusal) => (*refusal).into(),
            MemberError::AlreadyMember => Self::refused(
                "already_member",
                "somebody of this name with this contact is on the list; look there first",
            ),
            MemberError::Unfit(Unfit::ChannelWithoutContact) => {
                Self::invalid("/preferred_channel", "no_such_contact", "needs a contact of that kind")
            }
            MemberError::Unfit(Unfit::SignedInTheFuture) => {
                Self::invalid("/adhesion/signed_on", "in_the_future", "must not lie in the future")
            }
            MemberError::WrongCode => {
                Self::invalid("/code", "wrong_code", "is not the code that was sent; try once more")
            }
            MemberError::CodeOver => Self::refused(
                "code_over",
                "this code was used, is too old or was tried too often; apply again for a new one",
            ),
            MemberError::TooMany(wait) => {
                Self::new(ProblemType::TooMany, "wait as long as Retry-After says, then try again")
                    .retry_after(wait.as_secs().saturating_add(1))
            }
            MemberError::Edge(problem) => problem.as_ref().clone(),
        }
    }
}
impl ResponseError for MemberError {
    fn status_code(&self) -> actix_web::http::StatusCode {
        Problem::from(self).status_code()
    }
    fn error_response(&self) -> HttpResponse {
        Problem::from(self).error_response()
    }
}
impl Refusals for MemberError {
    const ANSWERS: &'static [(ProblemType, &'static str)] = &[
        (ProblemType::NotFound, "absent, or out of sight"),
        (ProblemType::Refused, "a condition of membership is not met, or not possible in the present state"),
        (ProblemType::Invalid, "readable but invalid; `errors` points at the fields"),
    ];
}
