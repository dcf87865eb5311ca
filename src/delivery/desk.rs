//! The desk of one process: it claims, lays parcels into the trays of the providers, takes their answers and writes them
//! down, many at once, so that a disk that is slow to say "written" is asked as seldom as may be: whatever was answered
//! during one commit is settled by the next. On SQLite answers and new claims share a transaction; on PostgreSQL one
//! settles while the other claims, as long as our leases are fresh.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::sync::watch;
use uuid::Uuid;

use super::breaker::Trust;
use super::channel::Answer;
use super::claim::Taken;
use super::courier::Courier;
use super::errand::{Ask, Asked, Done, Errand, More};
use super::lifecycle::{Channel, Lane};
use super::metrics;
use super::outcome::{Leased, Outcome, RENEWAL};
use super::queue::LEASE;
use super::tray::Answered;
use super::way::Way;
use crate::storage::StorageError;

/// How often the queue is looked at when no bell rings.
const POLL: Duration = Duration::from_millis(500);
/// Answers are waited for so long before they are written down, while nobody waits for the next parcel.
const LINGER: Duration = Duration::from_millis(4);
/// So many are written down at once.
const GROUP: usize = 1_000;
/// Between two tries to write results down.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries when it is not the database that is away but something about the results.
const TRIES: u32 = 6;

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
        let mut done = self.write(Arc::default(), &errand).await?;
        // What was put out of the way on the way is no round.
        while done.claimed.iter().any(|taken| taken.cut_short && taken.claimed.is_empty()) {
            done = self.write(Arc::default(), &errand).await?;
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
                    let begun = Instant::now();
                    if let Ok(done) = self.write(Arc::default(), &alive).await {
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
    /// Results first, then the errand. While the database is away the results are kept: nobody else can claim meanwhile
    /// either, and what we know must not be forgotten, or it goes out twice.
    async fn turn(&mut self, errand: Errand) {
        let mut errand = self.lighter(errand);
        let begun = Instant::now();
        let gains = self.courier.database.writes_side_by_side() && !self.pending.is_empty() && !errand.asks.is_empty();
        if !gains || self.may_run_out(begun) {
            let done = self.write(Arc::clone(&self.pending), &errand).await;
            return self.wrote(done, &errand, begun, true).await;
        }
        // A server has a process for each: one settles while the other claims. The embedded database has one writer, and
        // there the two share a commit, as they do where our own claim could take what we are about to settle.
        let claims = Errand { asks: std::mem::take(&mut errand.asks), ..Errand::default() };
        let pending = Arc::clone(&self.pending);
        let (settled, claimed) = tokio::join!(self.write(pending, &errand), self.write(Arc::default(), &claims));
        self.wrote(settled, &errand, begun, true).await;
        self.wrote(claimed, &claims, begun, false).await;
    }
    /// Whether a lease of ours may run out before it is settled or renewed: after a halt of the machine, or of the database.
    fn may_run_out(&self, now: Instant) -> bool {
        let pending = self.pending.iter().map(|answer| &answer.leased);
        self.held.values().chain(pending).any(|leased| leased.may_run_out(now))
    }
    /// What follows from a transaction, with the results that wait or without them.
    async fn wrote(&mut self, done: Result<Done, StorageError>, errand: &Errand, begun: Instant, with_results: bool) {
        match done {
            Ok(done) => {
                if done.claimed.iter().any(|taken| !taken.claimed.is_empty()) {
                    crate::dies_at!("claim.after");
                }
                if with_results {
                    if !self.pending.is_empty() {
                        crate::dies_at!("finish.after_commit");
                    }
                    let settled = std::mem::take(&mut self.pending);
                    settled.iter().for_each(|answer| self.counts(answer));
                    self.makes_room(&settled);
                    (self.failures, self.refusals) = (0, 0);
                }
                self.file(done, errand, begun);
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                metrics::settle_failed();
                self.look = true;
                let results = self.pending.len();
                tracing::warn!(%error, tries = self.failures, results, with_results, "the queue cannot be written");
                if with_results {
                    self.refusals = if is_of_a_row(&error) { self.refusals.saturating_add(1) } else { 0 };
                }
                if self.refusals >= TRIES {
                    self.write_one_by_one().await;
                }
                if self.pending.is_empty() || !with_results {
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
            match self.write(Arc::new(vec![answer.clone()]), &Errand::default()).await {
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
    async fn write(&self, pending: Arc<Vec<Outcome>>, errand: &Errand) -> Result<Done, StorageError> {
        let (courier, errand) = (self.courier.clone(), errand.clone());
        self.courier.database.writing(move |tx| errand.run(tx, &courier, &pending)).await
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
        for (ask, Taken { claimed, cut_short }) in errand.asks.iter().zip(done.claimed) {
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
                        channel: delivery.channel,
                        lane: delivery.lane,
                        tried: delivery.attempt.saturating_sub(earlier),
                        unanswered: delivery.unanswered,
                        lost: delivery.lost,
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
