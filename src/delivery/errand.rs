//! What the desk does in one transaction, beside settling what was answered.

use uuid::Uuid;

use super::claim::{Carrier, Taken, Wanted, claim, expire_pressing};
use super::courier::Courier;
use super::letterhead::{self, Letterhead};
use super::lifecycle::Channel;
use super::outcome::Outcome;
use super::settle::{lock_in_order, renew, settle};
use super::stop::no_longer_wanted;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// What is claimed for one channel.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) channel: Channel,
    pub(super) limit: usize,
    pub(super) patient: usize,
    pub(super) ways: Vec<Asked>,
}
/// What may be claimed for one provider.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) way: usize,
    pub(super) provider: String,
    pub(super) pressing: usize,
    pub(super) patient: usize,
}

impl Asked {
    pub(super) fn carrier(&self) -> Carrier<'_> {
        Carrier { provider: &self.provider, pressing: self.pressing, patient: self.patient }
    }
}

/// What a transaction does beside settling.
#[derive(Clone, Default)]
pub(super) struct Errand {
    pub(super) asks: Vec<Ask>,
    /// Leases to renew, with what is held under them.
    pub(super) alive: Vec<(Uuid, Vec<i64>)>,
    /// What lies ready: is it still wanted?
    pub(super) wanted: Vec<i64>,
    /// Channels that nobody carries just now.
    pub(super) idle: Vec<Channel>,
}
impl Errand {
    pub(super) fn is_nothing(&self) -> bool {
        self.asks.is_empty() && self.alive.is_empty() && self.wanted.is_empty() && self.idle.is_empty()
    }

    /// Settles these, shows signs of life, looks what is still wanted and claims, in one transaction. Which of these it is
    /// given is the desk's affair: on PostgreSQL results and claims mostly come in two.
    pub(super) fn run(&self, tx: &mut Tx<'_>, courier: &Courier, pending: &[Outcome]) -> Result<Done, StorageError> {
        let results = pending.iter().map(|answer| answer.answered.delivery);
        let shown = self.alive.iter().flat_map(|(_, ids)| ids.iter().copied());
        lock_in_order(tx, &results.chain(shown).collect::<Vec<_>>())?;
        // Asked only now: a stop that was waited for lies before it.
        let now = tx.now()?;
        settle(tx, &pending.iter().map(|answer| answer.settlement(now)).collect::<Vec<_>>())?;
        if !pending.is_empty() {
            crate::dies_at!("finish.before_commit");
        }
        let mut alive = Vec::with_capacity(self.alive.len());
        for (lease, ids) in &self.alive {
            alive.push((*lease, renew(tx, *lease, ids)?));
        }
        let unwanted = no_longer_wanted(tx, &self.wanted)?;
        for channel in &self.idle {
            expire_pressing(tx, *channel)?;
        }
        let (claimed, letterhead) = if self.asks.is_empty() { (Vec::new(), None) } else { self.claims(tx, courier)? };
        Ok(Done { now, claimed, unwanted, alive, letterhead })
    }
    fn claims(&self, tx: &mut Tx<'_>, courier: &Courier) -> Result<(Vec<Taken>, Option<i64>), StorageError> {
        let letterhead = match courier.letterhead.get() {
            Some(known) => *known,
            None => letterhead::number_of(tx, &Letterhead::of(&courier.config))?,
        };
        let lease = Id::<of::Lease>::new().uuid();
        let mut claimed = Vec::with_capacity(self.asks.len());
        for Ask { channel, limit, patient, ways } in &self.asks {
            let carriers: Vec<Carrier<'_>> = ways.iter().map(Asked::carrier).collect();
            let (channel, limit, patient) = (*channel, *limit, *patient);
            let (carriers, contents) = (&carriers, &*courier.contents);
            claimed.push(claim(tx, lease, Wanted { channel, limit, patient, carriers, contents, letterhead })?);
        }
        Ok((claimed, Some(letterhead)))
    }
}
/// What came of it.
pub(super) struct Done {
    pub(super) now: Timestamp,
    /// By ask, in their order.
    pub(super) claimed: Vec<Taken>,
    pub(super) unwanted: Vec<i64>,
    /// By lease, what is still held under it.
    pub(super) alive: Vec<(Uuid, Vec<i64>)>,
    pub(super) letterhead: Option<i64>,
}

/// Of which kinds more may be due than was claimed, for one channel. What was not asked for is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct More {
    pub(super) pressing: bool,
    pub(super) patient: bool,
}
impl More {
    pub(super) const ALL: Self = Self { pressing: true, patient: true };

    /// After a claim: whoever got less than was asked for has seen the end, unless something lay in the way of it.
    pub(super) fn learn(&mut self, ask: &Ask, pressing: usize, patient: usize, cut_short: bool) {
        if cut_short {
            return;
        }
        self.pressing &= ask.limit == 0 || pressing >= ask.limit;
        // What presses comes first and takes up room: what can wait was asked for only as far as there was some left.
        self.patient &= ask.patient <= pressing || pressing + patient >= ask.patient;
    }
}

#[cfg(test)]
mod tests {
    use super::{Ask, Channel, More};

    fn after(limit: usize, patient: usize, got: (usize, usize)) -> (bool, bool) {
        let mut more = More::ALL;
        more.learn(&Ask { channel: Channel::Email, limit, patient, ways: Vec::new() }, got.0, got.1, false);
        (more.pressing, more.patient)
    }

    /// A newsletter must not wait for the next look at the queue because nothing pressing was found meanwhile.
    #[test]
    fn what_was_not_asked_for_is_not_known() {
        assert_eq!(after(80, 0, (0, 0)), (false, true), "no room for what can wait: it was not asked for");
        assert_eq!(after(0, 20, (0, 20)), (true, true));
        assert_eq!(after(80, 80, (0, 80)), (false, true));
        assert_eq!(after(80, 80, (0, 79)), (false, false), "the end of both");
        assert_eq!(after(80, 80, (80, 0)), (true, true), "what presses took all the room");
        assert_eq!(after(80, 80, (30, 50)), (false, true));

        let mut more = More::ALL;
        let ask = Ask { channel: Channel::Email, limit: 80, patient: 80, ways: Vec::new() };
        more.learn(&ask, 0, 0, true);
        assert_eq!(more, More::ALL, "something lay in the way: nobody has seen the end");
    }
}
