//! The road of a membership: applied, pending, enrolled, ended. A move cannot be asked of the wrong state, and asks its
//! own rules.

use super::member::MembershipStatus;
use super::rules::{Candidate, Circumstances, Refusal, may_join};
use crate::values::Timestamp;

crate::words! {
    /// Why somebody may be refused: the whole list (duty M1).
    pub enum RefusalReason {
        /// Not an adult.
        NotAdult = "not_adult",
        /// The address lies outside the perimeter.
        OutsidePerimeter = "outside_perimeter",
        /// Neither lives nor works there.
        NoLink = "no_link",
        /// Did not acknowledge the house rules.
        RulesNotAcknowledged = "rules_not_acknowledged",
        /// Could not be reached.
        Unreachable = "unreachable",
        /// Another reason in the law or in the rules.
        OtherLawful = "other_lawful",
    }
}
crate::words! {
    /// What a coordinator or an officer may record as the end of a membership (duty P15); nobody resigns for another.
    pub enum RecordedEnd {
        /// Died.
        Deceased = "deceased",
        /// Moved away.
        Moved = "moved",
        /// Was entered twice.
        Duplicate = "duplicate",
    }
}

/// Asked for, and no contact confirmed.
#[derive(Debug)]
pub(super) struct Applied(());
/// Waits for the coordinator.
#[derive(Debug)]
pub(super) struct Pending(());
/// Takes part.
#[derive(Debug)]
pub(super) struct Enrolled(());
/// Where a membership stands, as far as moves go.
#[derive(Debug)]
pub(super) enum Standing {
    /// Not confirmed yet.
    Applied(Applied),
    /// Waits for the coordinator.
    Pending(Pending),
    /// Takes part, in whatever way.
    Enrolled(Enrolled),
    /// Over; nothing moves any more.
    Ended,
}
/// Just admitted.
#[derive(Debug)]
pub(super) struct Admitted {
    at: Timestamp,
}
/// Just ended.
#[derive(Debug)]
pub(super) struct Ended {
    status: MembershipStatus,
    reason: &'static str,
    at: Timestamp,
}

impl Standing {
    /// From the word in the row.
    pub(super) const fn of(status: MembershipStatus) -> Self {
        use MembershipStatus as S;
        match status {
            S::Requested | S::ContactUnverified => Self::Applied(Applied(())),
            S::PendingApproval => Self::Pending(Pending(())),
            S::Active | S::Paused | S::ReviewDue | S::Unreachable | S::SuspendedProvisional => {
                Self::Enrolled(Enrolled(()))
            }
            S::Refused | S::Left | S::Excluded | S::Anonymised => Self::Ended,
        }
    }
    /// Leaves, or takes the application back: at any time, at once, without anybody's leave (duty M4).
    pub(super) const fn leave(self, at: Timestamp) -> Option<Ended> {
        self.over("resigned", at)
    }
    /// Somebody else records that it is over.
    pub(super) const fn end(self, reason: RecordedEnd, at: Timestamp) -> Option<Ended> {
        self.over(reason.as_str(), at)
    }
    const fn over(self, reason: &'static str, at: Timestamp) -> Option<Ended> {
        match self {
            Self::Applied(_) | Self::Pending(_) | Self::Enrolled(_) => {
                Some(Ended { status: MembershipStatus::Left, reason, at })
            }
            Self::Ended => None,
        }
    }
}
impl Applied {
    /// The first contact is shown to be theirs.
    pub(super) const fn confirm(self) -> Pending {
        Pending(())
    }
}
impl Pending {
    /// The coordinator, a deputy or the officer takes them in.
    pub(super) fn admit(
        self,
        candidate: &Candidate,
        circumstances: &Circumstances,
        at: Timestamp,
    ) -> Result<Admitted, Refusal> {
        may_join(candidate, circumstances)?;
        Ok(Admitted { at })
    }
    /// Not taken in, for a lawful reason (duty M1).
    pub(super) const fn refuse(self, reason: RefusalReason, at: Timestamp) -> Ended {
        Ended { status: MembershipStatus::Refused, reason: reason.as_str(), at }
    }
    pub(super) const fn status(&self) -> MembershipStatus {
        MembershipStatus::PendingApproval
    }
}
impl Admitted {
    pub(super) const fn status(&self) -> MembershipStatus {
        MembershipStatus::Active
    }
    pub(super) const fn at(&self) -> Timestamp {
        self.at
    }
}
impl Ended {
    pub(super) const fn status(&self) -> MembershipStatus {
        self.status
    }
    pub(super) const fn reason(&self) -> &'static str {
        self.reason
    }
    pub(super) const fn at(&self) -> Timestamp {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::tests::welcome;
    use super::{MembershipStatus, RecordedEnd, RefusalReason, Standing};
    use crate::values::Timestamp;

    const NOW: Timestamp = Timestamp::from_micros(7);

    #[test]
    fn only_what_waits_can_be_admitted_or_refused() {
        let pending: Vec<_> = MembershipStatus::ALL
            .iter()
            .filter(|status| matches!(Standing::of(**status), Standing::Pending(_)))
            .collect();
        assert_eq!(pending, [&MembershipStatus::PendingApproval]);
    }
    #[test]
    fn admission_asks_the_rules() {
        let (mut candidate, circumstances) = welcome();
        let Standing::Pending(pending) = Standing::of(MembershipStatus::PendingApproval) else { panic!() };
        assert_eq!(pending.admit(&candidate, &circumstances, NOW).unwrap().status(), MembershipStatus::Active);
        candidate.contacts = 0;
        let Standing::Pending(pending) = Standing::of(MembershipStatus::PendingApproval) else { panic!() };
        assert!(pending.admit(&candidate, &circumstances, NOW).is_err());
    }
    #[test]
    fn whoever_is_not_gone_may_leave_and_nobody_twice() {
        for status in MembershipStatus::ALL {
            let gone = matches!(
                status,
                MembershipStatus::Refused
                    | MembershipStatus::Left
                    | MembershipStatus::Excluded
                    | MembershipStatus::Anonymised
            );
            assert_eq!(Standing::of(*status).leave(NOW).is_none(), gone, "{status:?}");
            assert_eq!(Standing::of(*status).end(RecordedEnd::Moved, NOW).is_none(), gone, "{status:?}");
            assert_eq!(status.is_enrolled(), matches!(Standing::of(*status), Standing::Enrolled(_)));
        }
    }
    #[test]
    fn the_end_says_why_and_when() {
        let Standing::Pending(pending) = Standing::of(MembershipStatus::PendingApproval) else { panic!() };
        let refused = pending.refuse(RefusalReason::NoLink, NOW);
        assert_eq!((refused.status(), refused.reason(), refused.at()), (MembershipStatus::Refused, "no_link", NOW));
        let left = Standing::of(MembershipStatus::Active).leave(NOW).unwrap();
        assert_eq!((left.status(), left.reason()), (MembershipStatus::Left, "resigned"));
    }
}
