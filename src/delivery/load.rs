//! How much lies ready for a provider: enough that its workers never wait for the database, and no more than they carry in
//! a moment, as what lies here is held by nobody else. Pure.

use std::time::Duration;

use super::courier::LEASED_MAX;

/// What lay for longer was too much.
const TOO_LONG: Duration = Duration::from_secs(1);

/// The load of one provider.
#[derive(Debug)]
pub(super) struct Load {
    hands: usize,
    most: usize,
}
impl Load {
    pub(super) fn new(hands: usize) -> Self {
        let hands = hands.clamp(1, LEASED_MAX);
        Self { hands, most: hands.saturating_mul(4).min(LEASED_MAX) }
    }
    /// How many more it may be given of what can wait. Nothing until it is worth a claim.
    pub(super) fn patient(&self, held: usize) -> usize {
        let room = self.most.saturating_sub(held);
        if room * 4 >= self.most { room } else { 0 }
    }
    /// How many more of what cannot wait: it has a room of its own, however much else is held (accept M8).
    pub(super) fn pressing(&self, held_pressing: usize) -> usize {
        let room = self.most.saturating_sub(held_pressing);
        if room * 4 >= self.most { room } else { 0 }
    }
    /// Takes into account how long the slowest lay, and whether workers had nothing to do although more was due.
    pub(super) fn learn(&mut self, longest_wait: Duration, ran_dry: bool) {
        if longest_wait > TOO_LONG {
            self.most = (self.most / 2).max(self.hands);
        } else if ran_dry {
            self.most = self.most.saturating_mul(2).min(LEASED_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LEASED_MAX, Load};

    #[test]
    fn a_slow_provider_is_given_little_and_a_fast_one_much() {
        let mut load = Load::new(8);
        assert_eq!((load.pressing(0), load.patient(0)), (32, 32));
        assert_eq!(load.pressing(25), 0, "not worth a claim");
        for _ in 0..10 {
            load.learn(Duration::from_millis(20), true);
        }
        assert_eq!(load.pressing(0), LEASED_MAX);
        load.learn(Duration::from_millis(20), false);
        assert_eq!(load.pressing(0), LEASED_MAX, "busy is enough");
        for _ in 0..10 {
            load.learn(Duration::from_secs(5), false);
        }
        assert_eq!(load.pressing(0), 8);
    }
}
