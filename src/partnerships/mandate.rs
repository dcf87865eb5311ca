//! Mandates: functions that somebody holds in a partnership, a zone or an institution. An active one holds a grant.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Reach;
use crate::access::Role;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

crate::words! {
    /// Where a mandate stands.
    pub enum MandateStatus {
        /// Proposed; gives no power.
        Nominated = "nominated",
        /// In force.
        Active = "active",
        /// Over.
        Ended = "ended",
    }
}
crate::words! {
    /// What a screening came to. The reasons stay with the police and are stored nowhere here (duties C4, P2).
    pub enum ScreeningOutcome {
        /// Nothing stands against it.
        Cleared = "cleared",
        /// Something does.
        Refused = "refused",
    }
}

/// What a candidate declared on nomination (duties C1 to C5). No detail is ever stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Declaration {
    /// Resolutely neutral (C1).
    pub neutral: bool,
    /// No commercial, political or personal gain (C3).
    pub no_gain: bool,
    /// Adult (C5).
    pub adult: bool,
    /// No objection to a screening by the police (C4).
    pub accepts_screening: bool,
    /// No lasting trauma that would harm objectivity (C2).
    pub no_trauma: bool,
}
impl Declaration {
    /// The statements that were not made.
    #[must_use]
    pub(super) fn missing(self) -> Vec<&'static str> {
        [
            ("neutral", self.neutral),
            ("no_gain", self.no_gain),
            ("adult", self.adult),
            ("accepts_screening", self.accepts_screening),
            ("no_trauma", self.no_trauma),
        ]
        .into_iter()
        .filter_map(|(statement, made)| (!made).then_some(statement))
        .collect()
    }
}

/// A screening: outcome and dates, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Screening {
    /// What it came to.
    pub outcome: ScreeningOutcome,
    /// When it was done.
    pub screened_at: Timestamp,
    /// Until when it counts.
    pub valid_until: Timestamp,
}

/// A mandate.
#[derive(Debug, Clone)]
pub(super) struct Mandate {
    /// Its identifier.
    pub id: Id<of::Mandate>,
    /// Who holds it.
    pub account: Id<of::Account>,
    /// The power it gives, while active.
    pub grant: Option<Id<of::Grant>>,
    /// As what.
    pub role: Role,
    /// Over what.
    pub reach: Reach,
    /// Where it stands.
    pub status: MandateStatus,
    /// Its screening. For the police alone.
    pub screening: Option<Screening>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub end_reason: Option<String>,
    /// Raised with every change.
    pub version: i64,
}

/// A role in a partnership: nominated first, and screened.
#[must_use]
pub(super) const fn is_nominated(role: Role) -> bool {
    matches!(role, Role::Coordinator | Role::Deputy | Role::Steering)
}
/// What the letters call a role.
#[must_use]
pub(super) const fn word_of(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Steering => "steering_group_member",
        Role::Deputy => "deputy",
        Role::Coordinator => "coordinator",
        Role::Officer => "mandated_officer",
        Role::ZoneAdministrator => "zone_administrator",
        Role::Municipality => "municipality",
        Role::Province => "provincial_group",
        Role::Expertise => "expertise_centre",
        Role::Federal => "federal_service",
    }
}

#[cfg(test)]
mod tests {
    use super::Declaration;

    #[test]
    fn every_statement_left_out_is_named() {
        let all = Declaration { neutral: true, no_gain: true, adult: true, accepts_screening: true, no_trauma: true };
        assert!(all.missing().is_empty());
        assert_eq!(Declaration { no_gain: false, ..all }.missing(), ["no_gain"]);
        let none =
            Declaration { neutral: false, no_gain: false, adult: false, accepts_screening: false, no_trauma: false };
        assert_eq!(none.missing().len(), 5);
    }
}
