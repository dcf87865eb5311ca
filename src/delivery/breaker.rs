//! Whether a provider is trusted with parcels: three failures in a row that are its own, and it only gets probes
//! (accept M9). Counted in answers and not in rates, as a partnership of five never has a rate. Pure.

use std::time::Duration;

use super::channel::Answer;
use crate::values::Timestamp;

/// Failures in a row after which a provider is left alone.
const FAILURES: u32 = 3;
/// Seconds until it is asked again; the last one repeats.
const PROBES: [u64; 3] = [1, 2, 5];
/// A wish to be left alone is heard up to here.
const WISH_MAX: Duration = Duration::from_secs(60);

/// How far a provider is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It gets whatever is due.
    Full,
    /// It answered a probe: one parcel at a time, until one is taken.
    Trial,
    /// It gets nothing but probes.
    None,
}

/// The record of one provider.
#[derive(Debug)]
pub struct Breaker {
    trust: Trust,
    failures: u32,
    probes: usize,
    wish: Option<Duration>,
    probe_at: Option<Timestamp>,
}
impl Default for Breaker {
    fn default() -> Self {
        Self { trust: Trust::Full, failures: 0, probes: 0, wish: None, probe_at: None }
    }
}
impl Breaker {
    /// How far it is trusted now.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.trust
    }
    /// Takes an answer into account. Says when trust was lost or won back by it.
    pub fn heard(&mut self, answer: &Answer) -> Option<Trust> {
        match answer.blames_provider() {
            None => None,
            Some(false) => {
                self.failures = 0;
                // What was on its way when trust was lost does not win it back; a probe has to go first.
                if self.trust != Trust::Trial {
                    return None;
                }
                *self = Self::default();
                Some(Trust::Full)
            }
            Some(true) => {
                self.failures = self.failures.saturating_add(1);
                let wish = match answer {
                    Answer::Deferred { retry_after, .. } => retry_after.map(|wish| wish.min(WISH_MAX)),
                    _ => None,
                };
                if self.trust == Trust::None {
                    // Whoever asks for more than it was given gets it: the time of the next probe is reckoned anew.
                    if wish > self.wish {
                        (self.wish, self.probe_at) = (wish, None);
                    }
                    return None;
                }
                if self.trust == Trust::Full && self.failures < FAILURES && wish.is_none() {
                    return None;
                }
                self.trust = Trust::None;
                self.wish = wish;
                self.probe_at = None;
                Some(Trust::None)
            }
        }
    }
    /// Whether it is time to ask whether it is back.
    pub fn probe_is_due(&mut self, now: Timestamp) -> bool {
        if self.trust != Trust::None {
            return false;
        }
        let step = PROBES.get(self.probes).or(PROBES.last()).copied().unwrap_or(5);
        let wait = self.wish.unwrap_or_default().max(Duration::from_secs(step));
        now >= *self.probe_at.get_or_insert(now.plus(wait))
    }
    /// What came of a probe that ended now.
    pub fn probed(&mut self, answered: bool, now: Timestamp) {
        self.wish = None;
        self.probes = self.probes.saturating_add(1);
        if answered && self.trust == Trust::None {
            self.trust = Trust::Trial;
        }
        let step = PROBES.get(self.probes).or(PROBES.last()).copied().unwrap_or(5);
        self.probe_at = Some(now.plus(Duration::from_secs(step)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);
    fn after(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }
    fn taken() -> Answer {
        Answer::Accepted { reference: None }
    }
    fn broken() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            breaker.heard(&Answer::deferred("connect: refused"));
        }
        breaker
    }

    /// Accept M9: five members are enough to notice.
    #[test]
    fn three_failures_in_a_row_are_enough_and_a_success_between_begins_anew() {
        let mut breaker = Breaker::default();
        for answer in [Answer::deferred("421"), Answer::unknown("closed"), taken(), Answer::deferred("421")] {
            assert_eq!(breaker.heard(&answer), None);
        }
        assert_eq!(breaker.heard(&Answer::channel_down("403")), None);
        assert_eq!(breaker.heard(&Answer::unknown("timeout")), Some(Trust::None));
        assert_eq!(breaker.trust(), Trust::None);
        assert_eq!(breaker.heard(&Answer::unknown("timeout")), None, "said once");
    }
    #[test]
    fn a_recipients_fault_is_not_the_providers() {
        let mut breaker = Breaker::default();
        for answer in [Answer::refused("550"), Answer::not_yet("451"), Answer::FellOver] {
            for _ in 0..10 {
                assert_eq!(breaker.heard(&answer), None);
            }
        }
        assert_eq!(breaker.trust(), Trust::Full);
    }
    #[test]
    fn it_is_probed_after_one_two_and_then_every_five_seconds() {
        let mut breaker = broken();
        assert!(!breaker.probe_is_due(NOW));
        let mut at = 0;
        for wait in [1, 2, 5, 5] {
            assert!(!breaker.probe_is_due(after(at + wait - 1).plus(Duration::from_millis(900))));
            assert!(breaker.probe_is_due(after(at + wait)));
            at += wait;
            breaker.probed(false, after(at));
        }
        assert_eq!(breaker.trust(), Trust::None);
    }
    #[test]
    fn a_probe_wins_a_trial_and_a_taken_parcel_wins_trust() {
        let mut breaker = broken();
        assert_eq!(breaker.heard(&taken()), None, "it was on its way already");
        breaker.probed(true, after(1));
        assert_eq!(breaker.trust(), Trust::Trial);
        assert_eq!(breaker.heard(&Answer::deferred("421")), Some(Trust::None), "one failure ends a trial");
        breaker.probed(true, after(3));
        assert_eq!(breaker.heard(&taken()), Some(Trust::Full));
        assert_eq!(breaker.heard(&Answer::deferred("421")), None, "the count begins anew");
    }
    #[test]
    fn who_asks_to_be_left_alone_is_left_alone() {
        let mut breaker = Breaker::default();
        let wish =
            Answer::Deferred { reason: "429".into(), retry_after: Some(Duration::from_secs(30)), of_provider: true };
        assert_eq!(breaker.heard(&wish), Some(Trust::None));
        assert!(!breaker.probe_is_due(NOW) && !breaker.probe_is_due(after(29)) && breaker.probe_is_due(after(30)));

        let mut breaker = broken();
        assert!(!breaker.probe_is_due(NOW));
        breaker.heard(&wish);
        assert!(!breaker.probe_is_due(NOW) && !breaker.probe_is_due(after(29)), "said when it was left alone already");
        assert!(breaker.probe_is_due(after(30)));
    }
}
