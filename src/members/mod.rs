//! Members: who takes part in a partnership, how they came to, and how they leave.

mod member;
mod store;

pub use member::{AdhesionMode, Basis, MaskedMember, MembershipStatus, NewMember, Recipient, Source};
pub use store::{enter_active_member, members_by_ids, recipients};

use crate::access::Routes;

/// Mounts nothing yet.
pub fn routes(_: &mut Routes<'_>) {}
