//! Who is asking: an account, its session, and the grants in force at this moment.

use super::grant::Grant;
use super::permission::Permission;
use super::place::Place;
use super::policy::{Need, row};
use super::role::Role;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Who.
    pub account: Id<of::Account>,
    /// In which session.
    pub session: Id<of::Session>,
    /// When they last proved their identity afresh.
    pub stepped_up_at: Option<Timestamp>,
    /// Their power now.
    pub grants: Vec<Grant>,
}
impl Actor {
    /// The first grant that gives this permission at this place.
    #[must_use]
    pub fn grant_for(&self, permission: Permission, place: &Place) -> Option<&Grant> {
        let Need::Roles(roles) = row(permission).need else { return None };
        self.grants.iter().find(|grant| roles.contains(&grant.role) && grant.reach.covers(place))
    }
    /// The grants that give this permission somewhere.
    pub fn grants_for(&self, permission: Permission) -> impl Iterator<Item = &Grant> {
        let roles = match row(permission).need {
            Need::Roles(roles) => roles,
            Need::SignedIn => &[],
        };
        self.grants.iter().filter(move |grant| roles.contains(&grant.role))
    }
    /// Holds this role in a grant that covers the place?
    #[must_use]
    pub fn is_at(&self, role: Role, place: &Place) -> bool {
        self.grants.iter().any(|grant| grant.role == role && grant.reach.covers(place))
    }
}
