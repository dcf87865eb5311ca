//! The desk of one process: it claims, lays parcels into the trays of the providers, takes their answers and writes them
//! down. Answers and new claims share a transaction, so that a disk that is slow to say "written" is asked as seldom as
//! may be: whatever was answered during one commit is settled by the next.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::breaker::Trust;
use super::channel::Answer;
use super::claim::{Carrier, Claimed, Wanted, claim, expire_pressing};
use super::courier::{Courier, Provider};
use super::lifecycle::{Channel, Lane};
use super::load::Load;
use super::metrics;
use super::queue::LEASE;
use super::retry::{Tried, verdict};
use super::settle::{Settlement, renew, settle};
use super::stop::no_longer_wanted;
use super::tray::{Answered, Tray};
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

/// A provider at work.
struct Way {
    channel: Channel,
    provider: Provider,
    tray: Arc<Tray>,
    workers: JoinSet<()>,
    load: Load,
    held: usize,
    held_pressing: usize,
    probing: Arc<AtomicBool>,
}
impl Way {
    /// How many more it may be given of what cannot wait, and of what can.
    fn room(&self) -> (usize, usize) {
        match self.provider.trust() {
            Trust::Full => (self.load.pressing(self.held_pressing), self.load.patient(self.held)),
            Trust::Trial => (1_usize.saturating_sub(self.held), 1_usize.saturating_sub(self.held)),
            Trust::None => (0, 0),
        }
    }
    fn hire(&mut self) {
        let (channel, tray) = (Arc::clone(&self.provider.channel), Arc::clone(&self.tray));
        self.workers.spawn(async move { channel.work(&tray).await });
    }
}

/// A delivery that this process holds.
struct Held {
    way: usize,
    lease: Uuid,
    attempt: i32,
    lane: Lane,
    round_from: i32,
    unanswered: i32,
    deadline: Timestamp,
    shown_alive: Instant,
}

/// An answer, with what is needed to settle it.
struct Outcome {
    held: Held,
    answered: Answered,
    elsewhere: bool,
}

/// What is claimed for one channel.
#[derive(Clone)]
struct Ask {
    channel: Channel,
    limit: usize,
    patient: usize,
    ways: Vec<(usize, String, usize)>,
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
    claimed: Vec<(usize, Vec<Claimed>)>,
    unwanted: Vec<i64>,
    alive: Vec<(Uuid, bool)>,
}

pub(super) struct Desk {
    courier: Courier,
    ways: Vec<Way>,
    answers: mpsc::UnboundedReceiver<Answered>,
    held: HashMap<i64, Held>,
    pending: Arc<Vec<Outcome>>,
    /// Channels of which more may be due than was claimed.
    more: BTreeSet<Channel>,
    ticked: Instant,
    failures: u32,
}

impl Desk {
    pub(super) fn open(courier: Courier, channels: &[Channel]) -> Self {
        let (said, answers) = mpsc::unbounded_channel();
        let mut ways = Vec::new();
        for channel in channels {
            for provider in courier.channels.of(*channel) {
                let hands = provider.channel.hands();
                let breaker = Arc::clone(&provider.breaker);
                let tray = Tray::new(provider.name(), hands, provider.pace, breaker, said.clone());
                ways.push(Way {
                    channel: *channel,
                    provider: provider.clone(),
                    tray: Arc::new(tray),
                    workers: JoinSet::new(),
                    load: Load::new(hands),
                    held: 0,
                    held_pressing: 0,
                    probing: Arc::default(),
                });
            }
        }
        Self {
            courier,
            ways,
            answers,
            held: HashMap::new(),
            pending: Arc::default(),
            more: Channel::ALL.iter().copied().collect(),
            ticked: Instant::now(),
            failures: 0,
        }
    }

    /// Until told to stop: then what lies ready goes back, what is in a worker's hands is waited for and settled.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        for way in &mut self.ways {
            (0..way.provider.channel.hands()).for_each(|_| way.hire());
        }
        let bell = Arc::clone(self.courier.database.bell());
        let mut rung = std::pin::pin!(bell.notified());
        loop {
            // Registered before the look and kept until it rings: a bell that rings in between is not missed.
            if rung.as_mut().enable() {
                rung.set(bell.notified());
                rung.as_mut().enable();
                self.tick();
            }
            if self.ticked.elapsed() >= POLL {
                self.tick();
            }
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
                    self.tick();
                }
                () = tokio::time::sleep(POLL.saturating_sub(self.ticked.elapsed())) => {}
                _ = stop.changed(), if !stopping => {}
            }
        }
        for way in &mut self.ways {
            while way.workers.join_next().await.is_some() {}
        }
    }
    fn tick(&mut self) {
        self.more = Channel::ALL.iter().copied().collect();
        self.ticked = Instant::now().checked_sub(POLL).unwrap_or_else(Instant::now);
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
        for way in &self.ways {
            self.probe(way, self.courier.database.clock().now()).await;
        }
        self.tick();
        let mut errand = self.errand(false);
        for ask in &mut errand.asks {
            (ask.limit, ask.patient) = (limit, limit);
            for (way, _, room) in &mut ask.ways {
                let trusted = self.ways.get(*way).is_some_and(|way| way.provider.trust() == Trust::Full);
                *room = if trusted { limit } else { 1 };
            }
            ask.limit = ask.limit.min(ask.ways.iter().map(|(.., room)| *room).sum());
            ask.patient = ask.limit;
        }
        let done = self.write(&errand).await?;
        self.file(done, &errand);
        let count = self.held.len();
        for way in &mut self.ways {
            way.tray.close();
            (0..way.provider.channel.hands().min(way.held)).for_each(|_| way.hire());
        }
        while self.pending.len() < count {
            tokio::select! {
                Some(answered) = self.answers.recv() => self.take(answered),
                () = tokio::time::sleep(POLL) => {
                    self.ticked = Instant::now().checked_sub(POLL).unwrap_or_else(Instant::now);
                    let alive = Errand { alive: self.to_show_alive(), ..Errand::default() };
                    let pending = std::mem::take(&mut self.pending);
                    let shown = self.write(&alive).await;
                    self.pending = pending;
                    if let Ok(done) = shown {
                        self.file(done, &alive);
                    }
                }
            }
            self.look_after_trust();
        }
        while !self.pending.is_empty() {
            self.turn(Errand::default()).await;
            if !self.pending.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(count)
    }

    /// More is due, and there is room for it.
    fn has_room(&self) -> bool {
        let ways = self.ways.iter().filter(|way| self.more.contains(&way.channel));
        ways.map(Way::room).any(|(pressing, patient)| pressing + patient > 0)
    }
    fn take(&mut self, answered: Answered) {
        let Some(held) = self.held.remove(&answered.delivery) else { return };
        let Some(way) = self.ways.get_mut(held.way) else { return };
        way.held = way.held.saturating_sub(1);
        way.held_pressing = way.held_pressing.saturating_sub(usize::from(held.lane != Lane::NonUrgent));
        let channel = way.channel;
        let elsewhere = self.ways.iter().enumerate().any(|(place, other)| {
            place != held.way && other.channel == channel && other.provider.trust() == Trust::Full
        });
        let answer = Outcome { held, answered, elsewhere };
        match Arc::get_mut(&mut self.pending) {
            Some(pending) => pending.push(answer),
            None => self.pending = Arc::new(vec![answer]),
        }
    }
    fn collect(&mut self) {
        while let Ok(answered) = self.answers.try_recv() {
            self.take(answered);
        }
    }
    /// What lies ready for a provider that is not trusted any more goes back.
    fn look_after_trust(&self) {
        for way in self.ways.iter().filter(|way| way.provider.trust() == Trust::None) {
            way.tray.take_back("the provider fails", |_| true);
        }
    }
    fn look_after_workers(&mut self, stopping: bool) {
        self.look_after_trust();
        for way in &mut self.ways {
            if stopping {
                way.tray.take_back("the process stops", |_| true);
                way.tray.close();
                continue;
            }
            while let Some(ended) = way.workers.try_join_next() {
                let panicked = ended.is_err_and(|error| error.is_panic());
                tracing::error!(provider = way.provider.name(), panicked, "a worker ended and is replaced");
                way.hire();
            }
        }
    }
    /// Asks a provider that failed whether it is back, if it is time to.
    async fn probe(&self, way: &Way, now: Timestamp) {
        let breaker = &way.provider.breaker;
        if !breaker.lock().unwrap_or_else(PoisonError::into_inner).probe_is_due(now) {
            return;
        }
        let answered = way.provider.channel.probe().await;
        tracing::info!(provider = way.provider.name(), ?answered, "a provider that failed was probed");
        breaker.lock().unwrap_or_else(PoisonError::into_inner).probed(answered.is_ok(), now);
    }
    /// The same beside the work.
    fn probe_beside(&self, now: Timestamp) {
        for way in &self.ways {
            let breaker = Arc::clone(&way.provider.breaker);
            let due = breaker.lock().unwrap_or_else(PoisonError::into_inner).probe_is_due(now);
            if !due || way.probing.swap(true, Ordering::AcqRel) {
                continue;
            }
            let (provider, tray, probing) = (way.provider.clone(), Arc::clone(&way.tray), Arc::clone(&way.probing));
            let bell = Arc::clone(self.courier.database.bell());
            tokio::spawn(async move {
                let answered = provider.channel.probe().await;
                tracing::info!(provider = provider.name(), ?answered, "a provider that failed was probed");
                breaker.lock().unwrap_or_else(PoisonError::into_inner).probed(answered.is_ok(), now);
                probing.store(false, Ordering::Release);
                tray.look_again();
                bell.notify_waiters();
            });
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
        if let Some(way) = self.ways.get(answer.held.way) {
            metrics::attempt(way.channel, way.provider.name(), outcome);
        }
    }
    /// What is to be done in the next transaction.
    fn errand(&mut self, stopping: bool) -> Errand {
        let ticked = self.ticked.elapsed() >= POLL;
        let mut errand = Errand::default();
        if ticked {
            self.ticked = Instant::now();
            let is_down = |way: &Way| way.provider.trust() != Trust::Full;
            self.ways.iter().for_each(|way| metrics::breaker(way.channel, way.provider.name(), is_down(way)));
            errand.alive = self.to_show_alive();
            errand.wanted = self.ways.iter().flat_map(|way| way.tray.waiting()).collect();
        }
        if stopping {
            return errand;
        }
        for channel in Channel::ALL.iter().filter(|channel| self.more.contains(channel)) {
            let ways = self.ways.iter().enumerate().filter(|(_, way)| way.channel == *channel);
            let (mut limit, mut patient, mut carriers, mut some) = (0, 0, Vec::new(), false);
            for (place, way) in ways {
                some = true;
                let (pressing, of_patient) = way.room();
                let room = pressing.max(of_patient);
                if room > 0 {
                    carriers.push((place, way.provider.name().to_owned(), room));
                    (limit, patient) = (limit + pressing, patient + of_patient);
                }
            }
            if limit + patient > 0 {
                errand.asks.push(Ask { channel: *channel, limit, patient, ways: carriers });
            } else if some && ticked {
                errand.idle.push(*channel);
            }
        }
        errand
    }
    fn to_show_alive(&self) -> Vec<(Uuid, Vec<i64>)> {
        let mut alive: HashMap<Uuid, Vec<i64>> = HashMap::new();
        for (id, held) in &self.held {
            if held.shown_alive.elapsed() >= RENEWAL {
                alive.entry(held.lease).or_default().push(*id);
            }
        }
        alive.into_iter().collect()
    }
    /// One transaction: results first, then the errand. While the database is away the results are kept: nobody else can
    /// claim meanwhile either, and what we know must not be forgotten, or it goes out twice.
    async fn turn(&mut self, errand: Errand) {
        // After a failure the results alone: it must not be the claim that keeps them from being written.
        let errand = if self.failures > 0 && !self.pending.is_empty() { Errand::default() } else { errand };
        match self.write(&errand).await {
            Ok(done) => {
                if !self.pending.is_empty() {
                    crate::dies_at!("finish.after_commit");
                }
                if done.claimed.iter().any(|(_, claimed)| !claimed.is_empty()) {
                    crate::dies_at!("claim.after");
                }
                let mut settled = vec![0; self.ways.len()];
                for answer in self.pending.iter() {
                    self.counts(answer);
                    if let Some(count) = settled.get_mut(answer.held.way) {
                        *count += 1;
                    }
                }
                self.ways.iter().zip(settled).for_each(|(way, count)| way.tray.settled(count));
                (self.pending, self.failures) = (Arc::default(), 0);
                self.file(done, &errand);
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                metrics::settle_failed();
                self.more = Channel::ALL.iter().copied().collect();
                let away = matches!(error, StorageError::Busy | StorageError::Away(_));
                tracing::warn!(%error, tries = self.failures, results = self.pending.len(), "the queue cannot be written");
                if !away && self.failures >= TRIES && !self.pending.is_empty() {
                    tracing::error!(%error, count = self.pending.len(), "results not settled: these will be tried again");
                    let lost = std::mem::take(&mut self.pending);
                    for answer in lost.iter() {
                        if let Some(way) = self.ways.get(answer.held.way) {
                            way.tray.settled(1);
                        }
                    }
                }
                if self.pending.is_empty() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
    async fn write(&self, errand: &Errand) -> Result<Done, StorageError> {
        let (pending, contents) = (Arc::clone(&self.pending), Arc::clone(&self.courier.contents));
        let channels: Vec<Channel> = self.ways.iter().map(|way| way.channel).collect();
        let asks: Vec<Ask> = errand.asks.clone();
        let (alive, wanted, idle) = (errand.alive.clone(), errand.wanted.clone(), errand.idle.clone());
        let lease = Id::<of::Lease>::new().uuid();
        let write = move |tx: &mut Tx<'_>| {
            let now = tx.now()?;
            let results: Vec<Settlement> = pending
                .iter()
                .filter_map(|answer| Some(settlement(*channels.get(answer.held.way)?, answer, now)))
                .collect();
            settle(tx, &results)?;
            if !results.is_empty() {
                crate::dies_at!("finish.before_commit");
            }
            let mut shown = Vec::with_capacity(alive.len());
            for (lease, ids) in &alive {
                shown.push((*lease, renew(tx, *lease, ids)? == ids.len()));
            }
            let unwanted = no_longer_wanted(tx, &wanted)?;
            for channel in idle {
                expire_pressing(tx, channel)?;
            }
            let mut claimed = Vec::with_capacity(asks.len());
            for (place, ask) in asks.iter().enumerate() {
                let carriers: Vec<Carrier<'_>> =
                    ask.ways.iter().map(|(_, provider, room)| Carrier { provider, room: *room }).collect();
                let (limit, patient) = (ask.limit, ask.patient);
                let wanted = Wanted { channel: ask.channel, limit, patient, carriers: &carriers, contents: &contents };
                claimed.push((place, claim(tx, lease, wanted)?));
            }
            Ok(Done { now, claimed, unwanted, alive: shown })
        };
        self.courier.database.writing(write).await
    }
    /// Puts what was claimed where it belongs, and takes back what is no longer ours to hand over.
    fn file(&mut self, done: Done, errand: &Errand) {
        let leased_until = Instant::now() + LEASE;
        let held_under: HashMap<Uuid, &Vec<i64>> = errand.alive.iter().map(|(lease, ids)| (*lease, ids)).collect();
        for (lease, all) in &done.alive {
            let ids: HashSet<i64> = held_under.get(lease).into_iter().flat_map(|ids| ids.iter().copied()).collect();
            for way in &self.ways {
                if *all {
                    way.tray.renewed(&ids, leased_until);
                } else {
                    way.tray.take_back("the lease was lost", |delivery| ids.contains(&delivery));
                }
            }
            for id in ids {
                if let Some(held) = self.held.get_mut(&id) {
                    held.shown_alive = Instant::now();
                }
            }
        }
        if !done.unwanted.is_empty() {
            let unwanted: HashSet<i64> = done.unwanted.iter().copied().collect();
            for way in &self.ways {
                way.tray.take_back("stopped", |delivery| unwanted.contains(&delivery));
            }
        }
        for (place, claimed) in done.claimed {
            let Some(ask) = errand.asks.get(place) else { continue };
            let pressing = claimed.iter().filter(|delivery| delivery.lane != Lane::NonUrgent).count();
            // As many as were asked for of one kind: there may be more of it.
            let filled =
                (pressing > 0 && pressing >= ask.limit) || claimed.len() - pressing > 0 && claimed.len() >= ask.patient;
            if !filled {
                self.more.remove(&ask.channel);
            }
            let mut parcels: HashMap<usize, Vec<(Lane, super::channel::Parcel)>> = HashMap::new();
            for delivery in claimed {
                let Some((way, ..)) = ask.ways.get(delivery.carrier) else { continue };
                self.held.insert(
                    delivery.id,
                    Held {
                        way: *way,
                        lease: delivery.lease,
                        attempt: delivery.attempt,
                        lane: delivery.lane,
                        round_from: delivery.round_from,
                        unanswered: delivery.unanswered,
                        deadline: delivery.deadline,
                        shown_alive: Instant::now(),
                    },
                );
                let lane = delivery.lane;
                parcels.entry(*way).or_default().push((lane, self.courier.parcel(delivery)));
            }
            for (way, parcels) in parcels {
                if let Some(way) = self.ways.get_mut(way) {
                    way.load.learn(way.tray.longest_wait(), filled && way.tray.laid() == 0);
                    way.held += parcels.len();
                    way.held_pressing += parcels.iter().filter(|(lane, _)| *lane != Lane::NonUrgent).count();
                    way.tray.lay(parcels, leased_until);
                }
            }
        }
        self.probe_beside(done.now);
    }
}

fn settlement(channel: Channel, answer: &Outcome, now: Timestamp) -> Settlement {
    let Outcome { held, answered, elsewhere } = answer;
    let tried = Tried {
        lane: held.lane,
        channel,
        attempts: held.attempt.saturating_sub(held.round_from),
        unanswered: held.unanswered,
        elsewhere: *elsewhere,
        deadline: held.deadline,
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
        attempt: held.attempt,
        channel,
        lease: held.lease,
        outcome,
        reference,
        digest: answered.digest,
        verdict: verdict(&tried, &answered.answer, now, spread),
    }
}
