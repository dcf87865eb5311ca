//! Members: who takes part in a partnership, how they come to, and how they leave.
//!
//! Somebody applies on the web or on paper; a code shows that the contact is theirs; the coordinator admits or refuses; the
//! member leaves when they please, with one action and without a sign-in, or ends SMS by answering STOP. `rules.rs` says who may join, `lifecycle.rs`
//! which way a membership can go. Other slices ask for [`recipients()`] and know nothing of the rest.

mod actions;
mod admit;
mod apply;
mod asked;
mod confirm;
mod correct;
mod end;
mod enter;
mod error;
mod facts;
mod inbound;
mod letters;
mod lifecycle;
mod member;
mod pages;
mod payloads;
mod recipients;
mod refuse;
mod reveal;
mod routes;
mod rules;
mod show;
mod stops;
mod store;
mod unreachable;
mod word;

pub use actions::MemberTarget;
pub use inbound::{GATEWAYS, Gateway, forget_inbound};
pub use member::{AdhesionMode, Basis, MaskedMember, MembershipStatus, NewMember, Recipient, Source};
pub use recipients::{former_recipients, members_by_ids, recipients};
pub use routes::routes;
pub use stops::hold_recipients;
pub use store::{enter_active_member, enter_active_members};
pub use unreachable::suspend_unreachable;
