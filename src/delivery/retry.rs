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
/// Why a delivery was given up over which workers fell again and again.
pub(super) const POISON_REASON: &str = "poison";
/// A hand-over without an answer is repeated so often; after that it counts as taken, and says so. Other attempts do not
/// count: a greylisted mail whose answer was then lost is repeated like any other.
const UNANSWERED_REPEATS: i32 = 1;
/// Falls after which a delivery over which our own workers fall is given up. Other attempts do not count: a mail that was
/// greylisted five times is no poison.
const POISON: i32 = 5;
/// Why an attempt ended over which a worker fell; it is counted by these words.
pub(super) const FELL_OVER: &str = "the worker fell over";
/// Before the reason of what may have arrived all the same.
pub(super) const NO_ANSWER: &str = "no answer: ";
/// Why a delivery ended that nobody refused: its time was over.
pub(super) const VALIDITY_OVER: &str = "validity_over";

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

/// What has been tried so far.
#[derive(Debug, Clone, Copy)]
pub struct Tried {
    /// How pressing it is.
    pub lane: Lane,
    /// How it goes.
    pub channel: Channel,
    /// Attempts at which somebody was called, this one included.
    pub attempts: i32,
    /// Earlier attempts whose answer never came.
    pub unanswered: i32,
    /// Earlier attempts whose courier went away: they may have arrived as well, and cost no repeat.
    pub lost: i32,
    /// Earlier attempts over which a worker fell.
    pub fallen: i32,
    /// Another provider is trusted just now: the next attempt can go there.
    pub elsewhere: bool,
    /// After this it is no longer sent.
    pub deadline: Timestamp,
}

impl Tried {
    /// Nobody may say of it any more that it was never sent.
    const fn may_have_arrived(&self) -> bool {
        self.unanswered > 0 || self.lost > 0
    }
}

/// How a delivery ends whose time is over: what may have arrived counts as taken, and says so.
pub(super) fn ended(may_have_arrived: bool, reason: &str) -> (State, String) {
    if may_have_arrived {
        (State::Accepted, format!("{NO_ANSWER}{reason}"))
    } else {
        (State::Expired, reason.to_owned())
    }
}

/// What becomes of a delivery.
#[must_use]
pub fn verdict(tried: &Tried, answer: &Answer, now: Timestamp, spread: u64) -> Verdict {
    let within_validity = |after: Duration| Some(now.plus(after)).filter(|at| *at < tried.deadline);
    // With two providers every other attempt follows at once, on the one that has not failed just now (accept M9).
    let at_once = tried.elsewhere && tried.attempts % 2 == 1;
    let next_rung = match (tried.elsewhere, at_once) {
        (_, true) => Duration::ZERO,
        (true, false) => pause(tried.lane, tried.attempts / 2 + 1, spread),
        (false, false) => pause(tried.lane, tried.attempts, spread),
    };
    // The state is what a stop and the end of the validity go by: a doubt stays in it until somebody says "taken".
    let waits_as = |state: State| if tried.may_have_arrived() { State::Unknown } else { state };
    let over = |reason: &str| {
        let (state, reason) = ended(tried.may_have_arrived(), reason);
        Verdict::Final(state, Some(reason))
    };
    let later = |after: Duration, reason: &str| match within_validity(after) {
        Some(at) => Verdict::Again(waits_as(State::Deferred), at, reason.to_owned()),
        None => over(reason),
    };
    match answer {
        Answer::Accepted { .. } => Verdict::Final(State::Accepted, None),
        Answer::NotTried { .. } if tried.deadline <= now => over(VALIDITY_OVER),
        Answer::NotTried { reason } => Verdict::Again(waits_as(State::Queued), now, format!("not tried: {reason}")),
        Answer::FellOver if tried.fallen.saturating_add(1) >= POISON => {
            Verdict::Final(State::Failed, Some(POISON_REASON.to_owned()))
        }
        Answer::FellOver => later(next_rung, FELL_OVER),
        Answer::Deferred { reason, of_provider: true, .. } if at_once => later(next_rung, reason),
        Answer::Deferred { reason, retry_after, .. } => {
            // A wish beyond the validity would end the delivery here and now: then the ladder decides.
            let wish = retry_after.filter(|wish| within_validity(*wish).is_some()).unwrap_or_default();
            later(wish.max(next_rung), reason)
        }
        // Somebody must mend the account at the provider; the member has done nothing wrong.
        Answer::Refused { reason, channel_down: true } => later(next_rung, reason),
        Answer::Refused { reason, channel_down: false } => Verdict::Final(State::Failed, Some(reason.clone())),
        Answer::Unknown { reason } => {
            let urgent = tried.lane <= Lane::Letter;
            // A second SMS that is not urgent annoys more than a missing one harms; a mail is recognised by its Message-ID.
            let repeats = tried.unanswered < UNANSWERED_REPEATS && (urgent || tried.channel == Channel::Email);
            let pause = match (at_once, urgent) {
                (true, _) => Duration::ZERO,
                (false, true) => UNKNOWN_PAUSE_URGENT,
                (false, false) => UNKNOWN_PAUSE,
            };
            match within_validity(pause) {
                Some(at) if repeats => Verdict::Again(State::Unknown, at, reason.clone()),
                // It may well have arrived: nobody may say that it was never sent.
                _ => Verdict::Final(State::Accepted, Some(format!("no answer: {reason}"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);
    fn decide(lane: Lane, channel: Channel, attempts: i32, answer: Answer, minutes_left: u64) -> Verdict {
        let deadline = NOW.plus(Duration::from_secs(minutes_left * 60));
        verdict(
            &Tried { lane, channel, attempts, unanswered: 0, lost: 0, fallen: 0, elsewhere: false, deadline },
            &answer,
            NOW,
            0,
        )
    }
    fn deferred() -> Answer {
        Answer::deferred("421")
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
        let again = |attempts, unanswered| {
            let deadline = NOW.plus(Duration::from_secs(1_800));
            let tried = Tried {
                lane: Lane::Urgent,
                channel: Channel::Sms,
                attempts,
                unanswered,
                lost: 0,
                fallen: 0,
                elsewhere: false,
                deadline,
            };
            verdict(&tried, &unknown(), NOW, 0)
        };
        assert!(matches!(again(2, 1), Verdict::Final(State::Accepted, Some(_))));
        assert!(matches!(again(2, 0), Verdict::Again(State::Unknown, ..)), "the first was deferred, not unanswered");
    }
    #[test]
    fn what_may_have_arrived_is_never_called_expired() {
        let unknown = Answer::Unknown { reason: "closed".into() };
        assert!(matches!(
            decide(Lane::NonUrgent, Channel::Email, 1, unknown, 1),
            Verdict::Final(State::Accepted, Some(_))
        ));
    }
    /// Accept M5, M6: a doubt from an earlier attempt is not forgotten by a later one.
    #[test]
    fn what_may_have_arrived_before_waits_and_ends_as_such_whatever_the_next_answer() {
        let after = |unanswered, lost, answer: &Answer, left: u64| {
            let (lane, channel) = (Lane::Urgent, Channel::Email);
            let deadline = NOW.plus(Duration::from_secs(left));
            let tried = Tried { lane, channel, attempts: 2, unanswered, lost, fallen: 0, elsewhere: false, deadline };
            verdict(&tried, answer, NOW, 0)
        };
        let back = Answer::NotTried { reason: "stopping" };
        for (unanswered, lost) in [(1, 0), (0, 1)] {
            let later = NOW.plus(Duration::from_secs(5));
            for (answer, left, wanted) in [
                (&back, 60, Verdict::Again(State::Unknown, NOW, "not tried: stopping".into())),
                (&back, 0, Verdict::Final(State::Accepted, Some("no answer: validity_over".into()))),
                (&deferred(), 60, Verdict::Again(State::Unknown, later, "421".into())),
                (&deferred(), 3, Verdict::Final(State::Accepted, Some("no answer: 421".into()))),
                (&Answer::FellOver, 3, Verdict::Final(State::Accepted, Some(format!("no answer: {FELL_OVER}")))),
                (&Answer::refused("550"), 60, Verdict::Final(State::Failed, Some("550".into()))),
            ] {
                assert_eq!(after(unanswered, lost, answer, left), wanted);
            }
        }
        let unknown = Answer::unknown("closed");
        assert!(matches!(after(0, 1, &unknown, 60), Verdict::Again(State::Unknown, ..)), "a loss costs no repeat");
    }
    #[test]
    fn a_server_that_asks_for_more_than_the_validity_gets_the_ladder_instead() {
        let answer =
            Answer::Deferred { reason: "503".into(), retry_after: Some(Duration::from_secs(3_600)), of_provider: true };
        assert_eq!(
            decide(Lane::Urgent, Channel::Sms, 1, answer, 30),
            Verdict::Again(State::Deferred, NOW.plus(Duration::from_secs(1)), "503".into())
        );
    }
    #[test]
    fn a_server_that_names_a_time_is_given_it() {
        let answer =
            Answer::Deferred { reason: "429".into(), retry_after: Some(Duration::from_secs(90)), of_provider: true };
        assert_eq!(
            decide(Lane::Urgent, Channel::Sms, 1, answer, 30),
            Verdict::Again(State::Deferred, NOW.plus(Duration::from_secs(90)), "429".into())
        );
    }
    fn with_two(attempts: i32, answer: &Answer) -> Verdict {
        let deadline = NOW.plus(Duration::from_secs(1_800));
        let tried = Tried {
            lane: Lane::Urgent,
            channel: Channel::Sms,
            attempts,
            unanswered: 0,
            lost: 0,
            fallen: 0,
            elsewhere: true,
            deadline,
        };
        verdict(&tried, answer, NOW, 0)
    }

    /// Accept M9: at once with the other provider; only when both have failed is there a pause.
    #[test]
    fn the_other_provider_is_tried_at_once_and_then_the_ladder_goes_on() {
        for (attempts, seconds) in [(1, 0), (2, 5), (3, 0), (4, 15), (6, 30), (8, 60), (10, 60)] {
            assert_eq!(
                with_two(attempts, &deferred()),
                Verdict::Again(State::Deferred, NOW.plus(Duration::from_secs(seconds)), "421".into()),
                "after {attempts}"
            );
        }
        assert_eq!(
            with_two(1, &Answer::unknown("timeout")),
            Verdict::Again(State::Unknown, NOW, "timeout".into()),
            "an answer that never came, too"
        );
        let wish =
            Answer::Deferred { reason: "429".into(), retry_after: Some(Duration::from_secs(90)), of_provider: true };
        assert_eq!(with_two(1, &wish), Verdict::Again(State::Deferred, NOW, "429".into()), "the wish is the other's");
    }
    #[test]
    fn what_was_not_tried_goes_back_as_it_was() {
        let back = Answer::NotTried { reason: "stopping" };
        assert_eq!(
            decide(Lane::NonUrgent, Channel::Email, 3, back.clone(), 1),
            Verdict::Again(State::Queued, NOW, "not tried: stopping".into())
        );
        assert_eq!(
            decide(Lane::Urgent, Channel::Email, 1, back, 0),
            Verdict::Final(State::Expired, Some("validity_over".into()))
        );
    }
    #[test]
    fn a_delivery_over_which_workers_fall_is_given_up_after_five() {
        let fallen = |attempts, fallen| {
            let deadline = NOW.plus(Duration::from_secs(1_800));
            let (lane, channel) = (Lane::Urgent, Channel::Email);
            let tried = Tried { lane, channel, attempts, unanswered: 0, lost: 0, fallen, elsewhere: false, deadline };
            verdict(&tried, &Answer::FellOver, NOW, 0)
        };
        assert!(matches!(fallen(4, 3), Verdict::Again(State::Deferred, ..)));
        assert_eq!(fallen(5, 4), Verdict::Final(State::Failed, Some("poison".into())));
        assert!(
            matches!(fallen(9, 0), Verdict::Again(State::Deferred, ..)),
            "greylisted eight times, fallen over once"
        );
    }
}
