//! When again, when never. Pure.

use std::time::Duration;

use super::channel::Answer;
use super::lifecycle::{Channel, Lane, State};
use crate::values::Timestamp;

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is over.
    Final(State, Option<String>),
    /// It is tried again then; meanwhile this is its state.
    Again(State, Timestamp, String),
}

/// The pauses for what cannot wait; the last one repeats until the validity ends.
const URGENT: [u64; 5] = [1, 5, 15, 30, 60];
/// The pauses for everything else: 1, 5, 15 minutes, 1, 4, 12 hours.
const NON_URGENT: [u64; 6] = [60, 300, 900, 3_600, 14_400, 43_200];
/// How long to wait before the one repeat of a hand-over whose answer never came.
const UNKNOWN_PAUSE_URGENT: Duration = Duration::from_secs(5);
const UNKNOWN_PAUSE: Duration = Duration::from_secs(60);
/// A hand-over without an answer is repeated once; after that it counts as taken, and says so.
const UNKNOWN_ATTEMPTS_MAX: i32 = 2;

/// How long until the next attempt, after so many. Up to a tenth is added by `spread` (0 to 99), so that a server that
/// comes back is not met by everybody at once.
#[must_use]
pub fn pause(lane: Lane, attempts: i32, spread: u64) -> Duration {
    let ladder: &[u64] = match lane {
        Lane::Correction | Lane::Urgent | Lane::Letter => &URGENT,
        Lane::NonUrgent => &NON_URGENT,
    };
    let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(ladder.len().saturating_sub(1));
    let seconds = ladder.get(step).copied().unwrap_or(60);
    Duration::from_millis(seconds.saturating_mul(1000).saturating_add(seconds.saturating_mul(spread % 100)))
}

/// What becomes of a delivery.
#[must_use]
pub fn verdict(
    lane: Lane,
    channel: Channel,
    attempts: i32,
    answer: &Answer,
    now: Timestamp,
    deadline: Timestamp,
    spread: u64,
) -> Verdict {
    let again = |state, after: Duration, reason: &str| {
        let at = now.plus(after);
        if at < deadline {
            Verdict::Again(state, at, reason.to_owned())
        } else {
            Verdict::Final(State::Expired, Some(reason.to_owned()))
        }
    };
    match answer {
        Answer::Accepted { .. } => Verdict::Final(State::Accepted, None),
        Answer::Deferred { reason, retry_after } => {
            again(State::Deferred, retry_after.unwrap_or_default().max(pause(lane, attempts, spread)), reason)
        }
        // Somebody must mend the account at the provider; the member has done nothing wrong.
        Answer::Refused { reason, channel_down: true } => again(State::Deferred, pause(lane, attempts, spread), reason),
        Answer::Refused { reason, channel_down: false } => Verdict::Final(State::Failed, Some(reason.clone())),
        Answer::Unknown { reason } => {
            let urgent = lane <= Lane::Letter;
            // A second SMS that is not urgent annoys more than a missing one harms; a mail is recognised by its Message-ID.
            if attempts >= UNKNOWN_ATTEMPTS_MAX || (channel == Channel::Sms && !urgent) {
                return Verdict::Final(State::Accepted, Some(format!("no answer: {reason}")));
            }
            again(State::Unknown, if urgent { UNKNOWN_PAUSE_URGENT } else { UNKNOWN_PAUSE }, reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);
    fn decide(lane: Lane, channel: Channel, attempts: i32, answer: Answer, minutes_left: u64) -> Verdict {
        verdict(lane, channel, attempts, &answer, NOW, NOW.plus(Duration::from_secs(minutes_left * 60)), 0)
    }
    fn deferred() -> Answer {
        Answer::Deferred { reason: "421".into(), retry_after: None }
    }

    #[test]
    fn an_urgent_delivery_is_tried_again_within_seconds_and_never_after_its_validity() {
        assert_eq!(
            decide(Lane::Urgent, Channel::Sms, 1, deferred(), 30),
            Verdict::Again(State::Deferred, NOW.plus(Duration::from_secs(1)), "421".into())
        );
        assert_eq!(
            decide(Lane::Urgent, Channel::Sms, 9, deferred(), 30),
            Verdict::Again(State::Deferred, NOW.plus(Duration::from_secs(60)), "421".into())
        );
        assert_eq!(
            decide(Lane::Urgent, Channel::Sms, 9, deferred(), 1),
            Verdict::Final(State::Expired, Some("421".into()))
        );
    }
    #[test]
    fn a_refusal_is_final_unless_it_is_the_channel_that_is_refused() {
        let refused = |channel_down| Answer::Refused { reason: "550".into(), channel_down };
        assert_eq!(
            decide(Lane::Urgent, Channel::Email, 1, refused(false), 30),
            Verdict::Final(State::Failed, Some("550".into()))
        );
        assert!(matches!(
            decide(Lane::Urgent, Channel::Email, 1, refused(true), 30),
            Verdict::Again(State::Deferred, ..)
        ));
    }
    #[test]
    fn an_unknown_outcome_is_repeated_once_except_a_non_urgent_sms() {
        let unknown = || Answer::Unknown { reason: "closed".into() };
        assert!(matches!(decide(Lane::Urgent, Channel::Sms, 1, unknown(), 30), Verdict::Again(State::Unknown, ..)));
        assert!(matches!(
            decide(Lane::NonUrgent, Channel::Email, 1, unknown(), 30),
            Verdict::Again(State::Unknown, ..)
        ));
        assert!(matches!(
            decide(Lane::NonUrgent, Channel::Sms, 1, unknown(), 30),
            Verdict::Final(State::Accepted, Some(_))
        ));
        assert!(matches!(
            decide(Lane::Urgent, Channel::Sms, 2, unknown(), 30),
            Verdict::Final(State::Accepted, Some(_))
        ));
    }
    #[test]
    fn a_server_that_names_a_time_is_given_it() {
        let answer = Answer::Deferred { reason: "429".into(), retry_after: Some(Duration::from_secs(90)) };
        assert_eq!(
            decide(Lane::Urgent, Channel::Sms, 1, answer, 30),
            Verdict::Again(State::Deferred, NOW.plus(Duration::from_secs(90)), "429".into())
        );
    }
}
