//! Partnerships (PLP, BIN): what they are, what they agree on with the police, and who holds a mandate in them.
//!
//! A partnership that exists is entered as *registered* and becomes *active* when it has a coordinator, an officer in its
//! zone, a communication plan with both signatures, a perimeter and house rules. Everything agreed is versioned; nothing
//! is overwritten. A mandate is a function somebody holds; only an active one holds a grant, and ending it ends the grant
//! in the same transaction. Of a screening the outcome and two dates are stored, and only the police ever see them.

mod actions;
mod activate;
mod agree;
mod appoint;
mod end;
mod error;
mod found;
mod house_rules;
mod mandate;
mod mandate_payloads;
mod mandates;
mod partnership;
mod payloads;
mod perimeter;
mod plan;
mod routes;
mod rules;
mod screen;
mod show;
mod store;

pub use actions::PartnershipTarget;
pub use activate::{activate, suspend};
pub use agree::{lay_down_house_rules, set_plan, sign_plan};
pub use appoint::give_mandate_now;
pub use error::PartnershipError;
pub use found::{create_partnership, set_perimeter};
pub use house_rules::HouseRules;
pub use mandate::MandateStatus;
pub use partnership::{NewPartnership, Partnership, PartnershipKind, PartnershipStatus};
pub use perimeter::{Perimeter, Polygon, PolygonFault, covers};
pub use plan::{ClassPlan, PlanContent, PlanMode, ReleaseAlone};
pub use routes::routes;
pub use rules::Refusal;
pub use store::{find_partnership, house_rules_in_force, lies_within, perimeter_in_force, place_of, plan_in_force};
