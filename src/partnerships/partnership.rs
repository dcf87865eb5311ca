//! A partnership: what it is, and the states it goes through.

use crate::values::Id;
use crate::values::Line;
use crate::values::Localized;
use crate::values::of;

crate::words! {
    /// For whom a partnership is.
    pub enum PartnershipKind {
        /// Inhabitants.
        Citizen = "citizen",
        /// Independents and firms (PLP-I, BIN-Z).
        Independent = "independent",
        /// Around one theme.
        Thematic = "thematic",
        /// A professional group.
        Professional = "professional",
    }
}
crate::words! {
    /// Where a partnership stands. Those that exist already are entered as registered.
    pub enum PartnershipStatus {
        /// Somebody thinks of it.
        Idea = "idea",
        /// The partners are consulted.
        Consulting = "consulting",
        /// The inhabitants are informed.
        Informing = "informing",
        /// The charter is written.
        Drafting = "drafting",
        /// The charter is signed.
        Signing = "signing",
        /// The federal service has the charter.
        SubmittedSpf = "submitted_spf",
        /// The federal service has remarks.
        SpfRemarks = "spf_remarks",
        /// Registered, not yet at work.
        Registered = "registered",
        /// At work.
        Active = "active",
        /// Without a sign of life for a year.
        Dormant = "dormant",
        /// Suspended by the zone or the municipality.
        Suspended = "suspended",
        /// Being wound up.
        Dissolving = "dissolving",
        /// Wound up.
        Dissolved = "dissolved",
        /// Joining another.
        Merging = "merging",
        /// Joined another.
        MergedInto = "merged_into",
        /// Given up before it began.
        Abandoned = "abandoned",
    }
}
impl PartnershipStatus {
    /// May it become active from here?
    #[must_use]
    pub const fn can_activate(self) -> bool {
        matches!(self, Self::Registered | Self::Dormant | Self::Suspended)
    }
    /// May it be suspended from here?
    #[must_use]
    pub const fn can_suspend(self) -> bool {
        matches!(self, Self::Active | Self::Dormant)
    }
    /// Does the public find it?
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Active | Self::Dormant)
    }
}

/// A partnership.
#[derive(Debug, Clone)]
pub struct Partnership {
    /// Its identifier.
    pub id: Id<of::Partnership>,
    /// Its police zone.
    pub zone: Id<of::Zone>,
    /// For whom it is.
    pub kind: PartnershipKind,
    /// What it is called.
    pub names: Localized<Line<120>>,
    /// What its SMS begin with.
    pub short_name: String,
    /// Where it stands.
    pub status: PartnershipStatus,
    /// Why it stands there, when somebody had to say.
    pub status_reason: Option<String>,
    /// The municipalities it lies in, by NIS code, in order.
    pub municipalities: Vec<String>,
    /// The charter or decision it rests on.
    pub legal_ref: Option<String>,
    /// Under what the federal service registered it.
    pub registered_ref: Option<String>,
    /// Raised with every change.
    pub version: i64,
}

/// A partnership to be entered.
#[derive(Debug, Clone)]
pub struct NewPartnership {
    /// Its police zone.
    pub zone: Id<of::Zone>,
    /// For whom it is.
    pub kind: PartnershipKind,
    /// What it is called.
    pub names: Localized<Line<120>>,
    /// What its SMS begin with.
    pub short_name: Line<30>,
    /// The municipalities of the zone it lies in, by NIS code.
    pub municipalities: Vec<String>,
    /// The charter or decision it rests on.
    pub legal_ref: Option<Line<120>>,
    /// Under what the federal service registered it.
    pub registered_ref: Option<Line<60>>,
    /// By whom it is entered.
    pub by: Option<Id<of::Account>>,
}

#[cfg(test)]
mod tests {
    use super::PartnershipStatus as S;

    #[test]
    fn the_states_between_which_police_and_authorities_move_a_partnership() {
        for status in S::ALL.iter().copied() {
            assert_eq!(
                status.can_activate(),
                [S::Registered, S::Dormant, S::Suspended].contains(&status),
                "{status:?}"
            );
            assert_eq!(status.can_suspend(), [S::Active, S::Dormant].contains(&status), "{status:?}");
        }
    }
}
