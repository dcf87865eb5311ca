//! Who may do what, where. Four words: an *actor* holds *grants*, a *permission* is asked at a *place*, and the answer, if it
//! is yes, is a *proof* without which nobody reaches the database.

mod action;
mod actor;
mod answers;
mod bearer;
mod decisions;
mod error;
mod grant;
mod link;
mod permission;
mod place;
mod policy;
mod proof;
mod public;
mod role;
mod routes;
mod sessions;
mod store;
mod throttle;
mod turns;

pub use action::{Action, Located, Own, Target};
pub use actor::Actor;
pub use answers::forget_old_answers;
pub use bearer::{ACCESS_TOKEN_LIFE, Bearer};
pub use decisions::{Outcome, Recorder};
pub use error::GateError;
pub use grant::{Flag, Grant, NewGrant, end, grant, grants_at, holders};
pub use link::{Link, Linked, Purpose, link_token};
pub use permission::Permission;
pub use place::{Place, Reach, Visible};
pub use policy::{Decision, Need, Row, StepUp, decide, row};
pub use proof::{Authorized, Gatehouse, STEP_UP_LIFE};
pub use public::{Open, Public};
pub use role::Role;
pub use routes::{Access, Contract, Mounted, Routes};
pub use sessions::{
    OpenedSession, REFRESH_LIFE, Renewal, SessionRow, end_session, end_sessions, list_sessions, open_session,
    renew_session, step_up,
};
pub use throttle::{Throttle, forget_old_throttles, give_back, take};
