//! The desk of one process: it claims, lays parcels into the trays of the providers, takes their answers and writes them
//! down. Answers and new claims share a transaction, so that a disk that is slow to say "written" is asked as seldom as
//! may be: whatever was answered during one commit is settled by the next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::sync::watch;
use uuid::Uuid;

use super::breaker::Trust;
use super::channel::Answer;
use super::claim::{Carrier, Taken, Wanted, claim, expire_pressing};
use super::courier::Courier;
use super::letterhead::{self, Letterhead};
use super::lifecycle::{Channel, Lane};
use super::metrics;
use super::queue::LEASE;
use super::retry::{Tried, verdict};
use super::settle::{Settlement, lock_in_order, renew, settle};
use super::stop::no_longer_wanted;
use super::tray::Answered;
use super::way::Way;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// How often the queue is looked at when no bell rings.
const POLL: Duration = Duration::from_millis(500);
/// How often the holder of a lease shows that it is alive.
const RENEWAL: Duration = Duration::from_secs(5);
/// Answers are waited for so long before they are written down, while nobody waits for the next parcel.
const LINGER: Duration = Duration::from_millis(4);
/// So many are written down at once.
const GROUP: usize = 1_000;
/// Between two tries to write results down.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries when it is not the database that is away but something about the results.
const TRIES: u32 = 6;

/// An attempt under a lease of this process.
#[derive(Clone)]
struct Leased {
    way: usize,
    lease: Uuid,
    attempt: i32,
    lane: Lane,
    /// Attempts at which somebody was called, this one included.
    tried: i32,
    unanswered: i32,
    fallen: i32,
    deadline: Timestamp,
    shown_alive: Instant,
}

/// An answer, with what is needed to settle it.
#[derive(Clone)]
struct Outcome {
    leased: Leased,
    answered: Answered,
    elsewhere: bool,
}

/// What is claimed for one channel.
#[derive(Clone)]
struct Ask {
    channel: Channel,
    limit: usize,
    patient: usize,
    ways: Vec<Asked>,
}
/// What may be claimed for one provider.
#[derive(Clone)]
struct Asked {
    way: usize,
    provider: String,
    pressing: usize,
    patient: usize,
}

impl Asked {
    fn carrier(&self) -> Carrier<'_> {
        Carrier { provider: &self.provider, pressing: self.pressing, patient: self.patient }
    }
}

/// What a transaction does beside settling.
#[derive(Default)]
struct Errand {
    asks: Vec<Ask>,
    /// Leases to renew, with what is held under them.
    alive: Vec<(Uuid, Vec<i64>)>,
    /// What lies ready: is it still wanted?
    wanted: Vec<i64>,
    /// Channels that nobody carries just now.
    idle: Vec<Channel>,
}
impl Errand {
    fn is_nothing(&self) -> bool {
        self.asks.is_empty() && self.alive.is_empty() && self.wanted.is_empty() && self.idle.is_empty()
    }
}
/// What came of it.
struct Done {
    now: Timestamp,
    claimed: Vec<(usize, Taken)>,
    unwanted: Vec<i64>,
    /// By lease, what is still held under it.
    alive: Vec<(Uuid, Vec<i64>)>,
    letterhead: Option<i64>,
}

/// Of which kinds more may be due than was claimed, for one channel. What was not asked for is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct More {
    pressing: bool,
    patient: bool,
}
impl More {
    const ALL: Self = Self { pressing: true, patient: true };

    /// After a claim: whoever got less than was asked for has seen the end, unless something lay in the way of it.
    fn learn(&mut self, ask: &Ask, pressing: usize, patient: usize, cut_short: bool) {
        if cut_short {
            return;
        }
        self.pressing &= ask.limit == 0 || pressing >= ask.limit;
        // What presses comes first and takes up room: what can wait was asked for only as far as there was some left.
        self.patient &= ask.patient <= pressing || pressing + patient >= ask.patient;
    }
}

pub(super) struct Desk {
    courier: Courier,
    ways: Vec<Way>,
    answers: mpsc::UnboundedReceiver<Answered>,
    held: HashMap<(i64, i32), Leased>,
    pending: Arc<Vec<Outcome>>,
    more: BTreeMap<Channel, More>,
    /// The queue is to be looked at, whatever was known of it.
    look: bool,
    looked: Instant,
    failures: u32,
    /// Failures in a row that were not the database's being away.
    refusals: u32,
}

impl Desk {
    pub(super) fn open(courier: Courier, channels: &[Channel]) -> Self {
        let (said, answers) = mpsc::unbounded_channel();
        let mut ways = Vec::new();
        for channel in channels {
            let providers = courier.channels.of(*channel).iter();
            ways.extend(providers.map(|provider| Way::open(*channel, provider.clone(), said.clone())));
        }
        Self {
            courier,
            ways,
            answers,
            held: HashMap::new(),
            pending: Arc::default(),
            more: BTreeMap::new(),
            look: true,
            looked: Instant::now(),
            failures: 0,
            refusals: 0,
        }
    }

    /// Until told to stop: then what lies ready goes back, what is in a worker's hands is waited for and settled.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        for way in &mut self.ways {
            way.hire(usize::MAX);
        }
        let bell = Arc::clone(self.courier.database.bell());
        let mut rung = std::pin::pin!(bell.notified());
        loop {
            // Registered before the look and kept until it rings: a bell that rings in between is not missed.
            if rung.as_mut().enable() {
                rung.set(bell.notified());
                rung.as_mut().enable();
                self.look = true;
            }
            self.look |= self.looked.elapsed() >= POLL;
            // Nobody left who could say "stop" is a stop too.
            let stopping = *stop.borrow() || stop.has_changed().is_err();
            self.look_after_workers(stopping);
            self.collect();
            if stopping && self.held.is_empty() && self.pending.is_empty() {
                break;
            }
            let errand = self.errand(stopping);
            if !self.pending.is_empty() || !errand.is_nothing() {
                self.turn(errand).await;
                if !self.pending.is_empty() {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                // More is due and there is room for it, or more was answered meanwhile.
                if (!stopping && self.has_room()) || !self.answers.is_empty() {
                    continue;
                }
            }
            tokio::select! {
                Some(answered) = self.answers.recv() => {
                    self.take(answered);
                    self.linger().await;
                }
                () = rung.as_mut() => {
                    rung.set(bell.notified());
                    rung.as_mut().enable();
                    self.look = true;
                }
                () = tokio::time::sleep(POLL.saturating_sub(self.looked.elapsed())) => {}
                _ = stop.changed(), if !stopping => {}
            }
        }
        for way in &mut self.ways {
            way.ends().await;
        }
    }
    /// One commit for many answers: a few milliseconds more are no loss while the workers have something to do.
    async fn linger(&mut self) {
        let until = tokio::time::Instant::now() + LINGER;
        while self.pending.len() < GROUP && self.ways.iter().any(|way| way.tray.laid() > 0) {
            match tokio::time::timeout_at(until, self.answers.recv()).await {
                Ok(Some(answered)) => self.take(answered),
                Ok(None) | Err(_) => break,
            }
        }
    }
    /// One round: claims, lets everything be handed over, settles. For tests and for whoever drives by hand.
    pub(super) async fn round(mut self, limit: usize) -> Result<usize, StorageError> {
        let now = self.courier.database.clock().now();
        for way in self.ways.iter().filter(|way| way.provider.probe_is_due(now)) {
            way.provider.probe(now).await;
        }
        let mut errand = self.errand(false);
        for ask in &mut errand.asks {
            (ask.limit, ask.patient) = (limit, limit);
            for asked in &mut ask.ways {
                let trusted = self.ways.get(asked.way).is_some_and(|way| way.provider.trust() == Trust::Full);
                asked.pressing = if trusted { limit } else { 1 };
                asked.patient = asked.pressing;
            }
            ask.limit = ask.limit.min(ask.ways.iter().map(|asked| asked.pressing).sum());
            ask.patient = ask.limit;
        }
        let begun = Instant::now();
        let mut done = self.write(&errand).await?;
        // What was put out of the way on the way is no round.
        while done.claimed.iter().any(|(_, taken)| taken.cut_short && taken.claimed.is_empty()) {
            done = self.write(&errand).await?;
        }
        self.file(done, &errand, begun);
        let count = self.held.len();
        for way in &mut self.ways {
            way.tray.close();
            way.hire(way.held());
        }
        while self.pending.len() < count {
            tokio::select! {
                Some(answered) = self.answers.recv() => self.take(answered),
                () = tokio::time::sleep(POLL) => {
                    let alive = Errand { alive: self.to_show_alive(), ..Errand::default() };
                    let pending = std::mem::take(&mut self.pending);
                    let begun = Instant::now();
                    let shown = self.write(&alive).await;
                    self.pending = pending;
                    if let Ok(done) = shown {
                        self.file(done, &alive, begun);
                    }
                }
            }
            self.ways.iter().for_each(Way::look_after_trust);
        }
        while !self.pending.is_empty() {
            self.turn(Errand::default()).await;
            if !self.pending.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(count)
    }

    /// How many more of each kind a provider may be given, of what may be due.
    fn room(&self, way: &Way) -> (usize, usize) {
        let more = self.more.get(&way.channel).copied().unwrap_or(More::ALL);
        let (pressing, patient) = way.room();
        (if more.pressing { pressing } else { 0 }, if more.patient { patient } else { 0 })
    }
    fn has_room(&self) -> bool {
        self.ways.iter().map(|way| self.room(way)).any(|(pressing, patient)| pressing + patient > 0)
    }
    fn take(&mut self, answered: Answered) {
        let Some(leased) = self.held.remove(&(answered.delivery, answered.attempt)) else { return };
        let Some(way) = self.ways.get_mut(leased.way) else { return };
        way.lets_go(leased.lane);
        let channel = way.channel;
        let elsewhere = self.ways.iter().enumerate().any(|(place, other)| {
            place != leased.way && other.channel == channel && other.provider.trust() == Trust::Full
        });
        Arc::make_mut(&mut self.pending).push(Outcome { leased, answered, elsewhere });
    }
    fn collect(&mut self) {
        while let Ok(answered) = self.answers.try_recv() {
            self.take(answered);
        }
    }
    fn look_after_workers(&mut self, stopping: bool) {
        for way in &mut self.ways {
            way.look_after_trust();
            if stopping {
                way.tray.take_back("the process stops", |_| true);
                way.tray.close();
            } else {
                way.replace_the_fallen();
            }
        }
    }
    /// An answer is in the books.
    fn counts(&self, answer: &Outcome) {
        let outcome = match &answer.answered.answer {
            Answer::Accepted { .. } => "accepted",
            Answer::Deferred { .. } => "deferred",
            Answer::Refused { .. } => "refused",
            Answer::Unknown { .. } => "unknown",
            Answer::NotTried { .. } => "not_tried",
            Answer::FellOver => "fell_over",
        };
        if let Some(way) = self.ways.get(answer.leased.way) {
            metrics::attempt(way.channel, way.provider.name(), outcome);
        }
    }
    /// What is to be done in the next transaction.
    fn errand(&mut self, stopping: bool) -> Errand {
        let looks = std::mem::take(&mut self.look);
        let mut errand = Errand::default();
        if looks {
            (self.looked, self.more) = (Instant::now(), BTreeMap::new());
            let is_down = |way: &Way| way.provider.trust() != Trust::Full;
            self.ways.iter().for_each(|way| metrics::breaker(way.channel, way.provider.name(), is_down(way)));
            errand.alive = self.to_show_alive();
            errand.wanted = self.ways.iter().flat_map(|way| way.tray.waiting()).collect();
        }
        if stopping {
            return errand;
        }
        for channel in Channel::ALL {
            let ways = self.ways.iter().enumerate().filter(|(_, way)| way.channel == *channel);
            let (mut limit, mut patient, mut carriers, mut some) = (0, 0, Vec::new(), false);
            for (place, way) in ways {
                some = true;
                let (pressing, of_patient) = self.room(way);
                if pressing + of_patient > 0 {
                    let provider = way.provider.name().to_owned();
                    carriers.push(Asked { way: place, provider, pressing, patient: of_patient });
                    (limit, patient) = (limit + pressing, patient + of_patient);
                }
            }
            if limit + patient > 0 {
                errand.asks.push(Ask { channel: *channel, limit, patient, ways: carriers });
            } else if some && looks {
                errand.idle.push(*channel);
            }
        }
        errand
    }
    fn to_show_alive(&self) -> Vec<(Uuid, Vec<i64>)> {
        let mut alive: HashMap<Uuid, Vec<i64>> = HashMap::new();
        for (id, held) in &self.held {
            if held.shown_alive.elapsed() >= RENEWAL {
                alive.entry(held.lease).or_default().push(id.0);
            }
        }
        alive.into_iter().collect()
    }
    /// One transaction: results first, then the errand. While the database is away the results are kept: nobody else can
    /// claim meanwhile either, and what we know must not be forgotten, or it goes out twice.
    async fn turn(&mut self, errand: Errand) {
        let errand = self.lighter(errand);
        let begun = Instant::now();
        match self.write(&errand).await {
            Ok(done) => {
                if !self.pending.is_empty() {
                    crate::dies_at!("finish.after_commit");
                }
                if done.claimed.iter().any(|(_, taken)| !taken.claimed.is_empty()) {
                    crate::dies_at!("claim.after");
                }
                let settled = std::mem::take(&mut self.pending);
                settled.iter().for_each(|answer| self.counts(answer));
                self.makes_room(&settled);
                (self.failures, self.refusals) = (0, 0);
                self.file(done, &errand, begun);
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                metrics::settle_failed();
                self.look = true;
                self.refusals = if is_of_a_row(&error) { self.refusals.saturating_add(1) } else { 0 };
                tracing::warn!(%error, tries = self.failures, results = self.pending.len(), "the queue cannot be written");
                if self.refusals >= TRIES {
                    self.write_one_by_one().await;
                }
                if self.pending.is_empty() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
    /// After a failure there is less in one transaction: it must not be a claim that keeps results from being written, nor
    /// the signs of life of what lies ready. What was left out is looked at again.
    fn lighter(&mut self, errand: Errand) -> Errand {
        if self.failures == 0 {
            return errand;
        }
        self.look = true;
        if self.pending.is_empty() { Errand { asks: Vec::new(), ..errand } } else { Errand::default() }
    }
    /// Some result is such that the database will never take it: the others are not lost with it. Its delivery is tried
    /// again when the lease has run out.
    async fn write_one_by_one(&mut self) {
        let all = std::mem::take(&mut self.pending);
        let mut kept = Vec::new();
        for answer in all.iter() {
            self.pending = Arc::new(vec![answer.clone()]);
            match self.write(&Errand::default()).await {
                Ok(_) => self.counts(answer),
                Err(error) if is_of_a_row(&error) => {
                    let (delivery, attempt) = (answer.answered.delivery, answer.answered.attempt);
                    tracing::error!(%error, delivery, attempt, "a result cannot be settled: it will be tried again");
                }
                Err(_) => {
                    kept.push(answer.clone());
                    continue;
                }
            }
            self.makes_room(std::slice::from_ref(answer));
        }
        (self.pending, self.refusals) = (Arc::new(kept), 0);
    }
    /// These are in the books, or given up: the workers may go on.
    fn makes_room(&self, settled: &[Outcome]) {
        for (place, way) in self.ways.iter().enumerate() {
            way.tray.settled(settled.iter().filter(|answer| answer.leased.way == place).count());
        }
    }
    async fn write(&self, errand: &Errand) -> Result<Done, StorageError> {
        let (pending, contents) = (Arc::clone(&self.pending), Arc::clone(&self.courier.contents));
        let channels: Vec<Channel> = self.ways.iter().map(|way| way.channel).collect();
        let asks: Vec<Ask> = errand.asks.clone();
        let (alive, wanted, idle) = (errand.alive.clone(), errand.wanted.clone(), errand.idle.clone());
        let lease = Id::<of::Lease>::new().uuid();
        let (config, mut letterhead) = (Arc::clone(&self.courier.config), self.courier.letterhead.get().copied());
        let write = move |tx: &mut Tx<'_>| {
            let results = pending.iter().map(|answer| answer.answered.delivery);
            let shown = alive.iter().flat_map(|(_, ids)| ids.iter().copied());
            lock_in_order(tx, &results.chain(shown).collect::<Vec<_>>())?;
            // Asked only now: a stop that was waited for lies before it.
            let now = tx.now()?;
            let results: Vec<Settlement> = pending
                .iter()
                .filter_map(|answer| Some(settlement(*channels.get(answer.leased.way)?, answer, now)))
                .collect();
            settle(tx, &results)?;
            if !results.is_empty() {
                crate::dies_at!("finish.before_commit");
            }
            let mut shown = Vec::with_capacity(alive.len());
            for (lease, ids) in &alive {
                shown.push((*lease, renew(tx, *lease, ids)?));
            }
            let unwanted = no_longer_wanted(tx, &wanted)?;
            for channel in idle {
                expire_pressing(tx, channel)?;
            }
            let mut claimed = Vec::with_capacity(asks.len());
            for (place, ask) in asks.iter().enumerate() {
                let carriers: Vec<Carrier<'_>> = ask.ways.iter().map(Asked::carrier).collect();
                let (limit, patient) = (ask.limit, ask.patient);
                let known = match letterhead {
                    Some(known) => known,
                    None => letterhead::number_of(tx, &Letterhead::of(&config))?,
                };
                letterhead = Some(known);
                let wanted = Wanted {
                    channel: ask.channel,
                    limit,
                    patient,
                    carriers: &carriers,
                    contents: &contents,
                    letterhead: known,
                };
                claimed.push((place, claim(tx, lease, wanted)?));
            }
            Ok(Done { now, claimed, unwanted, alive: shown, letterhead })
        };
        self.courier.database.writing(write).await
    }
    /// Puts what was claimed where it belongs, and takes back what is no longer ours to hand over. Leases are counted from
    /// the moment before the transaction: the commit may have taken its time.
    fn file(&mut self, done: Done, errand: &Errand, begun: Instant) {
        if let Some(written) = done.letterhead {
            // Only now: what a transaction wrote that was taken back is not in the books.
            let _ = self.courier.letterhead.set(written);
        }
        for ((lease, shown), (_, still)) in errand.alive.iter().zip(&done.alive) {
            let still: HashSet<i64> = still.iter().copied().collect();
            let lost: HashSet<i64> = shown.iter().copied().filter(|delivery| !still.contains(delivery)).collect();
            for way in &self.ways {
                way.tray.renewed(&still, begun + LEASE);
                if !lost.is_empty() {
                    way.tray.take_back("the lease was lost", |delivery| lost.contains(&delivery));
                }
            }
            for held in self.held.values_mut().filter(|held| held.lease == *lease) {
                held.shown_alive = begun;
            }
        }
        if !done.unwanted.is_empty() {
            let unwanted: HashSet<i64> = done.unwanted.iter().copied().collect();
            for way in &self.ways {
                way.tray.take_back("stopped", |delivery| unwanted.contains(&delivery));
            }
        }
        for (place, Taken { claimed, cut_short }) in done.claimed {
            let Some(ask) = errand.asks.get(place) else { continue };
            let pressing = claimed.iter().filter(|delivery| delivery.lane != Lane::NonUrgent).count();
            let more = self.more.entry(ask.channel).or_insert(More::ALL);
            more.learn(ask, pressing, claimed.len() - pressing, cut_short);
            let goes_on = more.pressing || more.patient;
            let mut parcels: HashMap<usize, Vec<(Lane, super::channel::Parcel)>> = HashMap::new();
            for delivery in claimed {
                let Some(Asked { way, .. }) = ask.ways.get(delivery.carrier) else { continue };
                let earlier = delivery.round_from.saturating_add(delivery.untried);
                self.held.insert(
                    (delivery.id, delivery.attempt),
                    Leased {
                        way: *way,
                        lease: delivery.lease,
                        attempt: delivery.attempt,
                        lane: delivery.lane,
                        tried: delivery.attempt.saturating_sub(earlier),
                        unanswered: delivery.unanswered,
                        fallen: delivery.fallen,
                        deadline: delivery.deadline,
                        shown_alive: begun,
                    },
                );
                let lane = delivery.lane;
                parcels.entry(*way).or_default().push((lane, self.courier.parcel(delivery)));
            }
            for (way, parcels) in parcels {
                if let Some(way) = self.ways.get_mut(way) {
                    way.load.learn(way.tray.longest_wait(), goes_on && way.tray.laid() == 0);
                    parcels.iter().for_each(|(lane, _)| way.holds(*lane));
                    way.tray.lay(parcels, begun, LEASE);
                }
            }
        }
        let bell = self.courier.database.bell();
        self.ways.iter().for_each(|way| way.probe_beside(done.now, bell));
    }
}

/// The database is there, and says no to what it is given.
fn is_of_a_row(error: &StorageError) -> bool {
    use StorageError::{Corrupt, Refused, Unique, Unstorable};
    matches!(error, Unique(_) | Refused(_) | Unstorable | Corrupt(_))
}
fn settlement(channel: Channel, answer: &Outcome, now: Timestamp) -> Settlement {
    let Outcome { leased, answered, elsewhere } = answer;
    let tried = Tried {
        lane: leased.lane,
        channel,
        attempts: leased.tried,
        unanswered: leased.unanswered,
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
        channel,
        lease: leased.lease,
        outcome,
        reference,
        tried: !matches!(answered.answer, Answer::NotTried { .. }),
        digest: answered.digest,
        verdict: verdict(&tried, &answered.answer, now, spread),
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
