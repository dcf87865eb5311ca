//! How often somebody may read and write: kept in memory, per node, and open when in doubt. What protects money and
//! accounts is counted in the database instead (`access::throttle`).

use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::problem::{Problem, ProblemType};

/// Whose budget a request takes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Reading, by an account.
    Read(uuid::Uuid),
    /// Writing, by an account.
    Write(uuid::Uuid),
    /// Anything without a sign-in, by the network it comes from (`client_network`): one home has more IPv6 addresses than
    /// any table holds.
    Network(String),
}

/// The budgets of this node.
#[derive(Debug)]
pub struct Rates {
    reads: DefaultKeyedRateLimiter<RateClass>,
    writes: DefaultKeyedRateLimiter<RateClass>,
    network: DefaultKeyedRateLimiter<RateClass>,
}
impl Rates {
    /// Budgets per minute.
    #[must_use]
    pub fn new(reads: NonZeroU32, writes: NonZeroU32, network: NonZeroU32) -> Self {
        let limiter = |per_minute| RateLimiter::keyed(Quota::per_minute(per_minute));
        Self { reads: limiter(reads), writes: limiter(writes), network: limiter(network) }
    }
    /// Takes one from the budget.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub fn take(&self, class: &RateClass) -> Result<(), Problem> {
        let limiter = match class {
            RateClass::Read(_) => &self.reads,
            RateClass::Write(_) => &self.writes,
            RateClass::Network(_) => &self.network,
        };
        limiter.check_key(class).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now()).as_secs().saturating_add(1);
            Problem::new(ProblemType::TooMany, "wait as long as Retry-After says, then go on").retry_after(wait)
        })
    }
    /// Forgets those who have been quiet, so that the table does not grow for ever.
    pub fn forget_the_quiet(&self) {
        for limiter in [&self.reads, &self.writes, &self.network] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}
