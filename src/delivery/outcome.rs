//! What became of an attempt of this process, and what is written down of it.

use std::time::Duration;
use std::time::Instant;

use uuid::Uuid;

use super::channel::Answer;
use super::lifecycle::{Channel, Lane};
use super::queue::LEASE;
use super::retry::{Tried, verdict};
use super::settle::Settlement;
use super::tray::Answered;
use crate::values::Timestamp;

/// How often the holder of a lease shows that it is alive.
pub(super) const RENEWAL: Duration = Duration::from_secs(5);

/// An attempt under a lease of this process.
#[derive(Clone)]
pub(super) struct Leased {
    pub(super) way: usize,
    pub(super) lease: Uuid,
    pub(super) attempt: i32,
    pub(super) channel: Channel,
    pub(super) lane: Lane,
    /// Attempts at which somebody was called, this one included.
    pub(super) tried: i32,
    pub(super) unanswered: i32,
    pub(super) lost: i32,
    pub(super) fallen: i32,
    pub(super) deadline: Timestamp,
    pub(super) shown_alive: Instant,
}

impl Leased {
    /// Whether it may have run out before a transaction that begins now has locked it.
    pub(super) fn may_run_out(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.shown_alive) >= LEASE.saturating_sub(RENEWAL)
    }
}

/// An answer, with what is needed to settle it.
#[derive(Clone)]
pub(super) struct Outcome {
    pub(super) leased: Leased,
    pub(super) answered: Answered,
    pub(super) elsewhere: bool,
}
impl Outcome {
    /// What is written down at this moment.
    pub(super) fn settlement(&self, now: Timestamp) -> Settlement {
        let Outcome { leased, answered, elsewhere } = self;
        let tried = Tried {
            lane: leased.lane,
            channel: leased.channel,
            attempts: leased.tried,
            unanswered: leased.unanswered,
            lost: leased.lost,
            fallen: leased.fallen,
            elsewhere: *elsewhere,
            deadline: leased.deadline,
        };
        let spread = u64::try_from(answered.delivery.rem_euclid(100)).unwrap_or(0);
        let (outcome, reference) = match &answered.answer {
            Answer::Accepted { reference } => ("accepted", reference.clone()),
            Answer::Deferred { .. } | Answer::NotTried { .. } | Answer::FellOver => ("deferred", None),
            Answer::Refused { .. } => ("refused", None),
            Answer::Unknown { .. } => ("unknown", None),
        };
        Settlement {
            delivery: answered.delivery,
            attempt: leased.attempt,
            lease: leased.lease,
            outcome,
            reference,
            tried: !matches!(answered.answer, Answer::NotTried { .. }),
            digest: answered.digest,
            verdict: verdict(&tried, &answered.answer, now, spread),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::Instant;

    use super::{Channel, LEASE, Lane, Leased, RENEWAL, Timestamp, Uuid};

    /// Accept M5: whoever stood still for a lease settles before it claims, or it would claim its own results.
    #[test]
    fn a_lease_is_not_relied_upon_while_its_end_is_near() {
        let shown_alive = Instant::now();
        let leased = Leased {
            way: 0,
            lease: Uuid::nil(),
            attempt: 1,
            channel: Channel::Email,
            lane: Lane::Urgent,
            tried: 1,
            unanswered: 0,
            lost: 0,
            fallen: 0,
            deadline: Timestamp::from_micros(0),
            shown_alive,
        };
        let after = |age: Duration| leased.may_run_out(shown_alive + age);
        assert!(!after(Duration::ZERO) && !after(RENEWAL + Duration::from_secs(1)), "a renewal is under way");
        assert!(after(LEASE.saturating_sub(RENEWAL)) && after(LEASE) && after(LEASE * 10));
    }
}
