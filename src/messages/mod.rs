//! What a partnership has to say: written by officers, coordinators and those who may propose; approved by the police
//! exactly as it will be read; sent to every member who can be reached; followed by an end and by feedback.

mod actions;
mod alarms;
mod approvals;
mod approve;
mod audience;
mod close;
mod dead_letter_payloads;
mod dead_letters;
mod dispatched;
mod draft;
mod edit;
mod error;
mod follow_up;
mod inbox;
mod lifecycle;
mod message;
mod notify;
mod payloads;
mod preview;
mod progress;
mod prove;
mod quiet_hours;
mod recipient;
mod release;
mod render;
mod requeue;
mod return_or_reject;
mod review;
mod routes;
pub mod rules;
mod stop;
mod store;
mod submit;
mod take_over;
mod verify;
mod versions;
mod watch;

pub use close::{close_dispatched, expire_unreleased};
pub use message::{Class, InformationSource, Kind, MessageText, Mode, Status};
pub use prove::{MessageProof, prove};
pub use requeue::requeue_from_the_console;
pub use routes::routes;
pub use take_over::{Look, take_over};
pub use watch::{Patience, Watch, messages_in_trouble};
