//! Is an urgent batch in trouble? Pure: counts and moments in, one word out. Whoever is merely busy is not (accept M22).

use std::time::Duration;

use super::lifecycle::State;
use crate::values::Timestamp;

/// An urgent batch that nobody has got after so long is in trouble.
pub const NO_HANDOVER: Duration = Duration::from_secs(10);
/// An urgent batch that nobody more got for so long is stuck.
pub const STUCK: Duration = Duration::from_secs(60);

/// The deliveries of a batch in one state, in figures.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// The state.
    pub state: State,
    /// How many.
    pub count: i64,
    /// When the first was written down.
    pub first_created: Timestamp,
    /// When the first is due, where they wait.
    pub first_due: Option<Timestamp>,
    /// When the last was settled, where they are.
    pub last_settled: Option<Timestamp>,
}

/// What is wrong with an urgent batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody has got it: some wait, or every try came to nothing.
    NoHandover,
    /// Some got it, many wait, and nothing moves any more.
    Stuck,
}

/// What is wrong, if anything is. A few whose own mailbox says "later" do not make a batch stuck: a tenth must wait, or
/// somebody whom no courier fetches. What was before `begun_at`, when the batch began to leave or was last put back into
/// the queue, is not held against it.
#[must_use]
pub fn trouble(standings: &[Standing], begun_at: Timestamp, now: Timestamp) -> Option<Trouble> {
    let waits = |standing: &&Standing| {
        !standing.state.is_final()
            && (standing.state != State::Planned || standing.first_due.is_some_and(|due| due <= now))
    };
    let waiting: Vec<&Standing> = standings.iter().filter(waits).collect();
    // What was planned for later begins when it is due.
    let since = |standing: &&Standing| match standing.state {
        State::Planned => standing.first_due.unwrap_or(standing.first_created),
        _ => standing.first_created,
    };
    let age = |of: &[&Standing]| of.iter().map(since).min().map(|first| now.since(first.max(begun_at)));
    let gone: Vec<&Standing> = standings.iter().filter(|standing| standing.state.was_handed_over()).collect();
    if gone.is_empty() {
        let nothing_is_left_to_try = standings.iter().all(|standing| standing.state.is_final());
        let meant = if nothing_is_left_to_try { died(standings) } else { waiting };
        return (age(&meant)? >= NO_HANDOVER).then_some(Trouble::NoHandover);
    }
    let age = age(&waiting)?;
    let moved_at = gone.iter().filter_map(|standing| standing.last_settled).max()?.max(begun_at);
    if age < STUCK || now.since(moved_at) < STUCK {
        return None;
    }
    let left_out = [State::Suppressed, State::Cancelled];
    let meant: i64 =
        standings.iter().filter(|standing| !left_out.contains(&standing.state)).map(|standing| standing.count).sum();
    let many = waiting.iter().map(|standing| standing.count).sum::<i64>().saturating_mul(10) >= meant;
    let due = waiting.iter().filter_map(|standing| standing.first_due).min();
    let forgotten = due.is_some_and(|due| now.since(due) >= STUCK);
    (many || forgotten).then_some(Trouble::Stuck)
}
/// What came to nothing. Whoever was left out, or stopped first, is not meant.
fn died(standings: &[Standing]) -> Vec<&Standing> {
    standings.iter().filter(|standing| matches!(standing.state, State::Failed | State::Expired)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Timestamp = Timestamp::from_micros(1_000_000_000);
    fn at(seconds: u64) -> Timestamp {
        BEGIN.plus(Duration::from_secs(seconds))
    }
    fn troubled(standings: &[Standing], now: Timestamp) -> Option<Trouble> {
        trouble(standings, BEGIN, now)
    }
    fn some(state: State, count: i64, due: Option<u64>, settled: Option<u64>) -> Standing {
        Standing { state, count, first_created: BEGIN, first_due: due.map(at), last_settled: settled.map(at) }
    }

    #[test]
    fn a_batch_is_in_trouble_when_nobody_has_it_after_ten_seconds() {
        let waiting = [some(State::Queued, 120, Some(0), None)];
        assert_eq!(troubled(&waiting, at(9)), None);
        assert_eq!(troubled(&waiting, at(10)), Some(Trouble::NoHandover));
        // Whatever keeps it from leaving: a courier that never answers, a provider that says later, an answer that never came.
        for state in [State::Attempting, State::Deferred, State::Unknown] {
            assert_eq!(troubled(&[some(state, 1, Some(30), None)], at(10)), Some(Trouble::NoHandover), "{state:?}");
        }
    }
    #[test]
    fn one_who_has_it_is_enough() {
        let moving = [some(State::Queued, 9_999, Some(0), None), some(State::Accepted, 1, None, Some(8))];
        assert_eq!(troubled(&moving, at(10)), None);
        let over = [some(State::Failed, 9_999, None, Some(2)), some(State::Accepted, 1, None, Some(8))];
        assert_eq!(troubled(&over, at(1_000)), None);
    }
    /// Nothing waits any more, and nobody has it: worse than waiting, not better.
    #[test]
    fn what_came_to_nothing_for_everybody_is_in_trouble() {
        for state in [State::Failed, State::Expired] {
            let over = [some(state, 3, None, Some(2)), some(State::Suppressed, 3, None, Some(0))];
            assert_eq!(troubled(&over, at(9)), None, "{state:?}");
            assert_eq!(troubled(&over, at(10)), Some(Trouble::NoHandover), "{state:?}");
            assert_eq!(troubled(&over, at(100_000)), Some(Trouble::NoHandover), "{state:?}");
            // The other half leaves in the morning.
            let later = [some(state, 3, None, Some(2)), some(State::Planned, 3, Some(3_600), None)];
            assert_eq!(troubled(&later, at(60)), None, "{state:?}");
        }
        // Nobody was meant, or everybody stopped it: nothing failed.
        let left_out = [some(State::Suppressed, 3, None, Some(0)), some(State::Cancelled, 3, None, Some(1))];
        assert_eq!(troubled(&left_out, at(1_000)), None);
        assert_eq!(troubled(&[], at(1_000)), None);
    }
    #[test]
    fn what_is_planned_for_later_begins_when_it_is_due() {
        let planned = [some(State::Planned, 5, Some(3_600), None)];
        assert_eq!(troubled(&planned, at(60)), None);
        assert_eq!(troubled(&planned, at(3_609)), None);
        assert_eq!(troubled(&planned, at(3_610)), Some(Trouble::NoHandover));
    }
    #[test]
    fn a_batch_that_was_moving_is_stuck_after_a_minute_of_nothing() {
        let halted = [some(State::Deferred, 900, Some(100), None), some(State::Accepted, 100, None, Some(20))];
        assert_eq!(troubled(&halted, at(79)), None);
        assert_eq!(troubled(&halted, at(80)), Some(Trouble::Stuck));
    }
    #[test]
    fn a_few_full_mailboxes_page_nobody_but_somebody_forgotten_does() {
        let tail = |due| [some(State::Deferred, 5, Some(due), None), some(State::Accepted, 9_995, None, Some(20))];
        assert_eq!(troubled(&tail(1_030), at(1_000)), None);
        assert_eq!(troubled(&tail(950), at(1_000)), None);
        assert_eq!(troubled(&tail(940), at(1_000)), Some(Trouble::Stuck));
    }
    #[test]
    fn what_was_put_back_begins_anew() {
        let again = [some(State::Queued, 2, Some(600), None), some(State::Failed, 3, None, Some(2))];
        assert_eq!(trouble(&again, at(600), at(609)), None);
        assert_eq!(trouble(&again, at(600), at(610)), Some(Trouble::NoHandover));
        let others_have_it = [some(State::Queued, 2, Some(600), None), some(State::Accepted, 3, None, Some(2))];
        assert_eq!(trouble(&others_have_it, at(600), at(659)), None);
        assert_eq!(trouble(&others_have_it, at(600), at(660)), Some(Trouble::Stuck));
    }
}
