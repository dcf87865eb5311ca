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
    /// Others cannot tell our mail from forgeries: what to do next.
    #[error("the mail is not verified")]
    MailNotVerified(String),
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
            PartnershipError::MailNotVerified(next) => {
                let (kind, code, _) = Refusal::MailNotVerified.said();
                Self::new(kind, next.clone()).with_code(code)
            }
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

impl Refusal {
    /// Type, fixed word, and what to do next.
    #[must_use]
    const fn said(self) -> (ProblemType, &'static str, &'static str) {
        use ProblemType as T;
        match self {
            Self::NoCoordinator => (
                T::Refused,
                "no_coordinator",
                "nominate a coordinator, record the screening and confirm the mandate first",
            ),
            Self::NoOfficer => (T::Refused, "no_officer", "the zone administrator appoints an officer first"),
            Self::NoPlanInForce => {
                (T::Refused, "no_plan_in_force", "police and coordinator sign the communication plan first")
            }
            Self::NoPerimeter => (T::Refused, "no_perimeter", "draw the perimeter first"),
            Self::NoHouseRules => (T::Refused, "no_house_rules", "lay down the house rules first"),
            Self::MailNotVerified => {
                (T::Refused, "mail_not_verified", "whoever runs this installation runs `vigie doctor mail` first")
            }
            Self::WrongStatus => {
                (T::WrongState, "wrong_status", "read the partnership: its present status does not lead there")
            }
            Self::ShortNameTaken => (
                T::Duplicate,
                "short_name_taken",
                "another partnership of the zone has this short name; choose another",
            ),
            Self::PlanChanged => {
                (T::VersionChanged, "plan_changed", "read the plan again and sign the number that was proposed last")
            }
            Self::PlanSigned => (T::WrongState, "plan_signed", "it is in force already; there is nothing to sign"),
            Self::OneSignatory => (T::Refused, "one_signatory", "police and partnership sign by two different persons"),
            Self::NotYoursToGive => {
                (T::Forbidden, "not_yours_to_give", "ask an officer of the zone: this role is not yours to give")
            }
            Self::NotYoursToEnd => {
                (T::Forbidden, "not_yours_to_end", "ask whoever gave it: this mandate is not yours to end")
            }
            Self::OwnMandate => (T::Refused, "own_mandate", "somebody else has to do this: it is about yourself"),
            Self::AlreadyMandated => {
                (T::Duplicate, "already_mandated", "this person holds the mandate, or is nominated for it; look it up")
            }
            Self::NotForScreening => (T::Refused, "not_for_screening", "holders of this role are not screened here"),
            Self::NotScreened => (T::Refused, "not_screened", "record the outcome of the screening first"),
            Self::ScreeningRefused => {
                (T::Refused, "screening_refused", "the screening was not favourable; end the nomination")
            }
            Self::ScreeningExpired => (T::Refused, "screening_expired", "ask for a new screening and record it"),
            Self::NoMembersApproval => {
                (T::Refused, "no_members_approval", "the members approve their coordinator first")
            }
            Self::NotNominated => (T::WrongState, "not_nominated", "it is confirmed or over; read the mandate again"),
            Self::MandateOver => (T::WrongState, "mandate_over", "it has ended; a new mandate has to be given"),
        }
    }
}
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (kind, code, detail) = refusal.said();
        Self::new(kind, detail).with_code(code)
    }
}
