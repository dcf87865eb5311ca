//! The states of a delivery and their rank: a stronger report may raise a state, a weaker one never lowers it.

crate::words! {
    /// How somebody is reached.
    pub enum Channel {
        /// E-mail.
        Email = "email",
        /// SMS.
        Sms = "sms",
    }
}
crate::words! {
    /// The state of one delivery: the rank of `messaging.md` is the only list.
    pub enum State {
        /// Written down, not yet due.
        Planned = "planned",
        /// Waits for a courier.
        Queued = "queued",
        /// A courier holds the lease.
        Attempting = "attempting",
        /// The provider's answer never came; it will be tried again, with the same identity.
        Unknown = "unknown",
        /// The provider took it.
        Accepted = "accepted",
        /// The operator of the network has it.
        AtOperator = "at_operator",
        /// The handset has it.
        AtHandset = "at_handset",
        /// The member said so.
        Acknowledged = "acknowledged",
        /// The provider said: later.
        Deferred = "deferred",
        /// The provider said: never.
        Failed = "failed",
        /// Left out, for a reason.
        Suppressed = "suppressed",
        /// Its time was over.
        Expired = "expired",
        /// The message was stopped first.
        Cancelled = "cancelled",
    }
}
impl State {
    /// Nothing more will be tried.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Accepted
            | Self::AtOperator
            | Self::AtHandset
            | Self::Acknowledged
            | Self::Failed
            | Self::Suppressed
            | Self::Expired
            | Self::Cancelled => true,
            Self::Planned | Self::Queued | Self::Attempting | Self::Unknown | Self::Deferred => false,
        }
    }
    /// Somebody outside has it.
    #[must_use]
    pub const fn was_handed_over(self) -> bool {
        matches!(self, Self::Accepted | Self::AtOperator | Self::AtHandset | Self::Acknowledged)
    }
    /// It arrived, may have arrived, or may still arrive, as far as the state alone can say.
    #[must_use]
    pub const fn may_arrive(self) -> bool {
        match self {
            Self::Planned
            | Self::Queued
            | Self::Attempting
            | Self::Unknown
            | Self::Accepted
            | Self::AtOperator
            | Self::AtHandset
            | Self::Acknowledged
            | Self::Deferred => true,
            Self::Failed | Self::Suppressed | Self::Expired | Self::Cancelled => false,
        }
    }
    /// How much is known: reports only climb. An end of our own stands below every report; the operator's "not delivered"
    /// stands above its "I have it", as it comes later and says more, and below "the handset has it".
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Planned => 0,
            Self::Queued | Self::Deferred => 1,
            Self::Attempting => 2,
            Self::Unknown => 3,
            Self::Suppressed | Self::Cancelled | Self::Expired => 4,
            Self::Accepted => 5,
            Self::AtOperator => 6,
            Self::Failed => 7,
            Self::AtHandset => 8,
            Self::Acknowledged => 9,
        }
    }
    /// The state after a report: the stronger of the two.
    #[must_use]
    pub const fn raised_to(self, reported: Self) -> Self {
        if reported.rank() > self.rank() { reported } else { self }
    }
}

/// The order in which waiting deliveries leave: a lower number first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Corrections and ends: they overtake what they correct.
    Correction,
    /// Urgent messages.
    Urgent,
    /// Codes, invitations and notices that somebody waits for.
    Letter,
    /// Everything else.
    NonUrgent,
}
impl Lane {
    /// All, most urgent first.
    pub const ALL: [Self; 4] = [Self::Correction, Self::Urgent, Self::Letter, Self::NonUrgent];
    /// Its word, for people and for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Correction => "correction",
            Self::Urgent => "urgent",
            Self::Letter => "letter",
            Self::NonUrgent => "non_urgent",
        }
    }
    /// As it is stored.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Correction => 0,
            Self::Urgent => 1,
            Self::Letter => 2,
            Self::NonUrgent => 3,
        }
    }
    /// Its place among all.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Correction => 0,
            Self::Urgent => 1,
            Self::Letter => 2,
            Self::NonUrgent => 3,
        }
    }
    /// Read back.
    #[must_use]
    pub const fn restore(number: i16) -> Self {
        match number {
            0 => Self::Correction,
            1 => Self::Urgent,
            2 => Self::Letter,
            _ => Self::NonUrgent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn reports_in_any_order_end_in_the_same_state() {
        let reports = [State::Accepted, State::AtOperator, State::AtHandset, State::Failed, State::AtOperator];
        let forward = reports.iter().fold(State::Attempting, |state, report| state.raised_to(*report));
        let backward = reports.iter().rev().fold(State::Attempting, |state, report| state.raised_to(*report));
        assert_eq!((forward, backward), (State::AtHandset, State::AtHandset));
    }
    #[test]
    fn what_the_operator_could_not_deliver_is_not_called_delivered_in_either_order() {
        assert_eq!(State::AtOperator.raised_to(State::Failed), State::Failed);
        assert_eq!(State::Failed.raised_to(State::AtOperator), State::Failed);
        assert_eq!(State::Failed.raised_to(State::AtHandset), State::AtHandset);
    }
    #[test]
    fn late_truth_raises_an_expired_delivery() {
        assert_eq!(State::Expired.raised_to(State::AtHandset), State::AtHandset);
        assert_eq!(State::AtHandset.raised_to(State::Failed), State::AtHandset);
    }
}
