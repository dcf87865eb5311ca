//! Time that goes on steadily although the clock on the wall may jump. Pure: readings in, moments out; microseconds all of
//! them. One clock says what time it is and can be set by anybody (`wall`); the other only counts what has passed since
//! the machine started, sleep included (`counter`), and cannot be set at all.

/// A difference up to this is what clocks do: it is made up for little by little. More is a jump.
const SLACK: i64 = 5_000_000;
/// A jump forward up to this may be right (a machine that was paused, a slow clock put right), if it lasts. The day on which
/// clocks change has 25 hours.
const PLAUSIBLE: i64 = 26 * 3_600_000_000;
/// So long it must last.
const PATIENCE: i64 = 15 * 60_000_000;
/// The wall is looked at so often.
const LOOK: i64 = 1_000_000;
/// A hundredth of what passes is given or taken to make up for a difference: time never stands still and never goes back.
const SLEW: i64 = 100;

/// A wall clock that says something else than the time that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Doubt {
    since: i64,
    offset: i64,
}
/// What a look at the wall brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The wall is off by so much: our time goes on as if nothing had happened.
    Jumped(i64),
    /// The wall is right again.
    Returned,
    /// The wall has been saying so for a quarter of an hour: now it is believed, and time leaps forward by so much.
    Believed(i64),
}
/// Time as this process counts it.
#[derive(Debug, Clone)]
pub(super) struct Steady {
    at: i64,
    counter: i64,
    slew: i64,
    doubt: Option<Doubt>,
}
impl Steady {
    /// Begins with what the wall says.
    #[must_use]
    pub(super) const fn begin(wall: i64, counter: i64) -> Self {
        Self { at: wall, counter, slew: 0, doubt: None }
    }
    /// Goes on from a moment that is known better than by the wall.
    pub(super) const fn resume(&mut self, at: i64, counter: i64) {
        *self = Self::begin(at, counter);
    }
    /// The time.
    #[must_use]
    pub(super) fn at(&self, counter: i64) -> i64 {
        let passed = self.passed(counter);
        let most = self.slew.abs().min(passed / SLEW);
        self.at.saturating_add(passed).saturating_add(most.saturating_mul(self.slew.signum()))
    }
    fn passed(&self, counter: i64) -> i64 {
        counter.saturating_sub(self.counter).max(0)
    }
    /// Is it time to look at the wall?
    #[must_use]
    pub(super) fn is_due(&self, counter: i64) -> bool {
        self.passed(counter) >= LOOK
    }
    /// How far off the wall is, where it is not believed.
    #[must_use]
    pub(super) fn offset(&self) -> Option<i64> {
        self.doubt.map(|doubt| doubt.offset)
    }
    /// Looks at the wall.
    pub(super) fn look(&mut self, wall: i64, counter: i64) -> Option<Turn> {
        let now = self.at(counter);
        let offset = wall.saturating_sub(now);
        let before = self.doubt;
        *self = Self { at: now, counter, slew: 0, doubt: None };
        if offset.saturating_abs() <= SLACK {
            self.slew = offset;
            return before.map(|_| Turn::Returned);
        }
        let same = before.filter(|doubt| offset.saturating_sub(doubt.offset).saturating_abs() <= SLACK);
        let since = same.map_or(counter, |doubt| doubt.since);
        if (1..=PLAUSIBLE).contains(&offset) && counter.saturating_sub(since) >= PATIENCE {
            self.at = wall;
            return Some(Turn::Believed(offset));
        }
        self.doubt = Some(Doubt { since, offset: same.map_or(offset, |doubt| doubt.offset) });
        same.is_none().then_some(Turn::Jumped(offset))
    }
}

/// What a stored moment, the latest that is known, says of the time at which we look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leap {
    /// Now is before it: the clock went back.
    Back,
    /// Now is so much later that either nobody was here for more than a day, or the clock is wrong.
    Far,
}
/// Compares the latest moment that is known with now.
#[must_use]
pub fn leap(known: i64, now: i64) -> Option<Leap> {
    match now.saturating_sub(known) {
        gap if gap < -SLACK => Some(Leap::Back),
        gap if gap > PLAUSIBLE => Some(Leap::Far),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000;
    const HOUR: i64 = 3_600 * SECOND;
    const DAY: i64 = 24 * HOUR;
    /// A machine whose wall can be set.
    struct Machine {
        steady: Steady,
        counter: i64,
        off: i64,
        turns: Vec<Turn>,
    }
    impl Machine {
        fn new() -> Self {
            Self { steady: Steady::begin(1_000 * DAY, 7), counter: 7, off: 0, turns: Vec::new() }
        }
        /// What time it really is.
        fn truth(&self) -> i64 {
            1_000 * DAY + self.counter - 7
        }
        /// Seconds pass, and the wall is looked at in each.
        fn runs(&mut self, seconds: i64) -> &mut Self {
            for _ in 0..seconds {
                self.counter += SECOND;
                let wall = self.truth() + self.off;
                self.turns.extend(self.steady.look(wall, self.counter));
            }
            self
        }
        /// Somebody sets the wall.
        fn set(&mut self, off: i64) -> &mut Self {
            self.off = off;
            self
        }
        fn error(&self) -> i64 {
            self.steady.at(self.counter) - self.truth()
        }
    }

    /// Fault F35: two days forward, three hours back, and everything in between.
    #[test]
    fn a_jump_changes_nothing_and_is_told_once() {
        for off in [2 * DAY, -3 * HOUR, 6 * SECOND, -6 * SECOND, 3 * 365 * DAY, -1_000 * DAY] {
            let mut machine = Machine::new();
            machine.runs(60).set(off).runs(600);
            assert_eq!(machine.error(), 0, "{off}");
            assert_eq!(machine.steady.offset(), Some(off));
            machine.set(0).runs(60);
            assert_eq!(machine.error(), 0, "{off}");
            assert_eq!(machine.turns, [Turn::Jumped(off), Turn::Returned]);
            assert_eq!(machine.steady.offset(), None);
        }
    }
    #[test]
    fn a_wall_that_insists_is_believed_within_a_day_forward_and_never_otherwise() {
        let table = [
            (10 * 60 * SECOND, true),
            (26 * HOUR, true),
            (26 * HOUR + SECOND, false),
            (2 * DAY, false),
            (-6 * SECOND, false),
            (-3 * HOUR, false),
        ];
        for (off, believed) in table {
            let mut machine = Machine::new();
            machine.set(off).runs(900);
            assert_eq!((machine.error(), machine.turns.len()), (0, 1), "{off}: not before a quarter of an hour");
            machine.runs(10_000);
            assert_eq!(machine.error(), if believed { off } else { 0 }, "{off}");
            assert_eq!(machine.turns.get(1).copied(), believed.then_some(Turn::Believed(off)));
        }
    }
    #[test]
    fn a_wall_that_wanders_is_not_believed() {
        let mut machine = Machine::new();
        for minutes in 1..60 {
            machine.set(minutes * 60 * SECOND).runs(60);
        }
        assert_eq!(machine.error(), 0);
    }
    #[test]
    fn a_small_difference_is_made_up_for_little_by_little() {
        for off in [SECOND, -SECOND, 5 * SECOND, -5 * SECOND] {
            let mut machine = Machine::new();
            machine.set(off).runs(50);
            assert!(machine.error().abs() <= SECOND / 2 && machine.error().signum() == off.signum(), "{off}");
            machine.runs(600);
            assert!((machine.error() - off).abs() < SECOND / SLEW, "{off}: {}", machine.error());
            assert_eq!(machine.turns, []);
        }
    }
    /// What passes while the machine sleeps counts on the wall and on the counter: nothing has jumped.
    #[test]
    fn a_machine_that_slept_has_not_jumped() {
        let mut machine = Machine::new();
        machine.runs(5);
        machine.counter += 8 * HOUR;
        machine.runs(5);
        assert_eq!((machine.error(), machine.turns.len()), (0, 0));
    }
    #[test]
    fn what_is_known_from_before_is_compared() {
        let table = [
            (0, None),
            (-5 * SECOND, None),
            (-5 * SECOND - 1, Some(Leap::Back)),
            (-3 * HOUR, Some(Leap::Back)),
            (26 * HOUR, None),
            (26 * HOUR + 1, Some(Leap::Far)),
        ];
        for (gap, wanted) in table {
            assert_eq!(leap(1_000 * DAY, 1_000 * DAY + gap), wanted, "{gap}");
        }
    }

    proptest! {
        /// Whatever the wall does and whenever we look, time goes forward, and never slower than by a hundredth.
        #[test]
        fn time_never_goes_back(steps in proptest::collection::vec((0..5_000_000_i64, -300_000_000_000..300_000_000_000_i64, any::<bool>()), 1..200)) {
            let mut machine = Machine::new();
            let mut before = machine.steady.at(machine.counter);
            for (passes, off, small) in steps {
                machine.counter += passes;
                if machine.steady.is_due(machine.counter) {
                    let off = if small { off / 100_000 } else { off };
                    machine.steady.look(machine.truth() + off, machine.counter);
                }
                let now = machine.steady.at(machine.counter);
                prop_assert!(now - before >= passes - passes / SLEW - 1);
                before = now;
            }
        }
    }
}
