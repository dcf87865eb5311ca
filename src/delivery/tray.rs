//! The tray between the desk and the workers of one provider. The desk lays parcels in, the most pressing on top; workers
//! pull them one by one and answer each at once. What still lies here can be taken back: when the message is stopped, when
//! the provider is no longer trusted, when the process is told to end.

use std::collections::{HashSet, VecDeque};
use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use governor::DefaultDirectRateLimiter;
use governor::Quota;
use governor::RateLimiter;
use governor::clock::Clock;
use governor::clock::DefaultClock;
use tokio::sync::Notify;
use tokio::sync::mpsc;

use super::breaker::{Breaker, Trust};
use super::channel::{Answer, Channel, Parcel};
use super::lifecycle::Lane;

/// Answers that are not settled yet, at most, for each provider: beyond them workers pause. With what they hold themselves
/// it is the bound on what goes out twice when the process is killed.
pub const UNSETTLED_MAX: usize = 500;

/// How long a trial may take.
const TRIAL: Duration = Duration::from_secs(3_600);

/// SHA-256 of the bytes that were handed over.
pub type Digest = [u8; 32];

/// What came of a parcel.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The delivery.
    pub delivery: i64,
    /// The attempt: a delivery whose lease ran out may be held twice for a while.
    pub attempt: i32,
    /// What came of it.
    pub answer: Answer,
    /// What was handed over; none where nothing was.
    pub digest: Option<Digest>,
}

struct Laid {
    parcel: Parcel,
    lane: Lane,
    since: Instant,
    /// The end of the message's use.
    over_at: Instant,
    /// The end of our right to hand it over.
    leased_until: Instant,
}

#[derive(Default)]
struct Inner {
    lanes: [VecDeque<Laid>; Lane::ALL.len()],
    in_hand: usize,
    in_hand_patient: usize,
    unsettled: usize,
    closed: bool,
    longest_wait: Duration,
}
impl Inner {
    fn laid(&self) -> usize {
        self.lanes.iter().map(VecDeque::len).sum()
    }
}

/// The tray of one provider.
pub struct Tray {
    inner: Mutex<Inner>,
    breaker: Arc<Mutex<Breaker>>,
    /// Rung when something was laid in, room was made, or the tray was closed.
    wake: Notify,
    answers: mpsc::UnboundedSender<Answered>,
    pace: Option<DefaultDirectRateLimiter>,
    provider: String,
    /// So many workers may hold what can wait: three in four, and always one. The others are kept for what cannot
    /// (accept M8).
    patient_max: usize,
}
impl std::fmt::Debug for Tray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tray").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// What a worker holds: a parcel that must be answered. Dropped without an answer it answers for itself.
pub struct Held<'t> {
    tray: &'t Tray,
    parcel: Option<Parcel>,
    lane: Lane,
    over_at: Instant,
    leased_until: Instant,
}
impl Held<'_> {
    /// How long the message is still of use.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.over_at.saturating_duration_since(Instant::now())
    }
    /// Says what came of it, and what was handed over: none where nothing was.
    pub fn answer(mut self, answer: Answer, digest: Option<Digest>) {
        self.say(answer, digest);
    }
    /// Lays it back on top, for a worker who can carry it. How long it may still be handed over is as it was when it was
    /// pulled: a renewal meanwhile did not find it here.
    pub fn lay_back(mut self) {
        if let Some(parcel) = self.parcel.take() {
            let (lane, over_at, leased_until) = (self.lane, self.over_at, self.leased_until);
            self.tray.lay_back(Laid { parcel, lane, since: Instant::now(), over_at, leased_until });
        }
    }
    fn say(&mut self, answer: Answer, digest: Option<Digest>) {
        if let Some(parcel) = self.parcel.take() {
            self.tray.take_answer(
                self.lane,
                Answered { delivery: parcel.delivery, attempt: parcel.attempt, answer, digest },
            );
        }
    }
}
impl Deref for Held<'_> {
    type Target = Parcel;
    #[expect(clippy::expect_used, reason = "only `say` takes it out, and whoever says gives the whole away")]
    fn deref(&self) -> &Parcel {
        self.parcel.as_ref().expect("held until answered")
    }
}
impl Drop for Held<'_> {
    fn drop(&mut self) {
        let answer = if std::thread::panicking() { Answer::FellOver } else { Answer::unknown("the worker stopped") };
        self.say(answer, None);
    }
}

impl Tray {
    /// An empty tray of a provider with so many workers; `per_second` is its agreed pace, none for as fast as it can.
    #[must_use]
    pub fn new(
        provider: &str,
        hands: usize,
        per_second: Option<NonZeroU32>,
        breaker: Arc<Mutex<Breaker>>,
        answers: mpsc::UnboundedSender<Answered>,
    ) -> Self {
        Self {
            inner: Mutex::default(),
            breaker,
            wake: Notify::new(),
            answers,
            // A burst of a tenth of a second: the pace is what the provider counts, whatever its window.
            pace: per_second.map(|rate| {
                let burst = NonZeroU32::new(rate.get() / 10).unwrap_or(NonZeroU32::MIN);
                RateLimiter::direct(Quota::per_second(rate).allow_burst(burst))
            }),
            provider: provider.to_owned(),
            patient_max: hands.saturating_sub(hands / 4).max(1),
        }
    }
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next parcel, waited for. `None` when the tray is closed and empty.
    pub async fn next(&self) -> Option<Held<'_>> {
        loop {
            // Registered before the look: what is laid in between is not missed.
            let wake = self.wake.notified();
            tokio::pin!(wake);
            wake.as_mut().enable();
            match self.pull() {
                Pull::Parcel(held) => return Some(held),
                Pull::Done => return None,
                Pull::Nothing => wake.await,
                Pull::Wait(pause) => {
                    tokio::select! {
                        () = wake => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                }
            }
        }
    }
    /// The next parcel if one may be pulled at once.
    #[must_use]
    pub fn try_next(&self) -> Option<Held<'_>> {
        match self.pull() {
            Pull::Parcel(held) => Some(held),
            Pull::Nothing | Pull::Wait(_) | Pull::Done => None,
        }
    }
    fn pull(&self) -> Pull<'_> {
        let now = Instant::now();
        let mut stale = Vec::new();
        let pulled = {
            let mut inner = self.inner();
            loop {
                if inner.closed && inner.laid() == 0 {
                    break Pull::Done;
                }
                let trust = self.breaker().trust();
                if inner.closed && trust == Trust::None {
                    break Pull::Done;
                }
                if trust == Trust::None
                    || (trust == Trust::Trial && inner.in_hand > 0)
                    || inner.unsettled >= UNSETTLED_MAX
                {
                    break Pull::Nothing;
                }
                let patience = inner.in_hand_patient < self.patient_max;
                let top = Lane::ALL.into_iter().zip(&mut inner.lanes).find_map(|(lane, laid)| {
                    let may = lane != Lane::NonUrgent || patience;
                    laid.front().filter(|_| may).map(|laid| (lane, laid.over_at.min(laid.leased_until) <= now))
                });
                let Some((lane, is_stale)) = top else { break Pull::Nothing };
                if !is_stale
                    && let Some(pace) = &self.pace
                    && let Err(not_yet) = pace.check()
                {
                    break Pull::Wait(not_yet.wait_time_from(DefaultClock::default().now()));
                }
                let Some(laid) = inner.lanes.get_mut(lane.index()).and_then(VecDeque::pop_front) else {
                    break Pull::Nothing;
                };
                inner.in_hand += 1;
                inner.in_hand_patient += usize::from(lane == Lane::NonUrgent);
                inner.longest_wait = inner.longest_wait.max(now.duration_since(laid.since));
                let over = laid.over_at <= now;
                let (over_at, leased_until) = (laid.over_at, laid.leased_until);
                let held = Held { tray: self, parcel: Some(laid.parcel), lane, over_at, leased_until };
                if !is_stale {
                    break Pull::Parcel(held);
                }
                stale.push((held, over));
            }
        };
        for (held, over) in stale {
            held.answer(
                Answer::NotTried { reason: if over { "its time was over" } else { "the lease ran out" } },
                None,
            );
        }
        pulled
    }
    fn take_answer(&self, lane: Lane, answered: Answered) {
        let switched = self.breaker().heard(&answered.answer);
        if let Some(trust) = switched {
            match trust {
                Trust::Full => tracing::warn!(provider = self.provider, "the provider is trusted again"),
                _ => tracing::error!(
                    provider = self.provider,
                    last = ?answered.answer,
                    "the provider fails: it gets only probes until it answers"
                ),
            }
        }
        {
            let mut inner = self.inner();
            inner.in_hand = inner.in_hand.saturating_sub(1);
            inner.in_hand_patient = inner.in_hand_patient.saturating_sub(usize::from(lane == Lane::NonUrgent));
            inner.unsettled += 1;
        }
        // Nobody listens any more only when everything ends; then the lease runs out.
        let _ = self.answers.send(answered);
        if switched.is_some() {
            self.wake.notify_waiters();
        } else if lane == Lane::NonUrgent {
            self.wake.notify_one();
        }
    }

    /// Lays parcels in that were claimed at a moment, or a little later, and may be handed over under their lease for so
    /// long.
    pub fn lay(&self, parcels: Vec<(Lane, Parcel)>, claimed_at: Instant, lease: Duration) {
        if parcels.is_empty() {
            return;
        }
        let now = Instant::now();
        {
            let mut inner = self.inner();
            for (lane, parcel) in parcels {
                let (over_at, leased_until) = (claimed_at + parcel.deadline_in, claimed_at + lease);
                if let Some(laid) = inner.lanes.get_mut(lane.index()) {
                    laid.push_back(Laid { parcel, lane, since: now, over_at, leased_until });
                }
            }
        }
        self.wake.notify_waiters();
    }
    fn lay_back(&self, laid: Laid) {
        {
            let mut inner = self.inner();
            inner.in_hand = inner.in_hand.saturating_sub(1);
            inner.in_hand_patient = inner.in_hand_patient.saturating_sub(usize::from(laid.lane == Lane::NonUrgent));
            if let Some(lane) = inner.lanes.get_mut(laid.lane.index()) {
                lane.push_front(laid);
            }
        }
        self.wake.notify_one();
    }
    /// So many answers are settled: as much room is made.
    pub(super) fn settled(&self, count: usize) {
        let was_full = {
            let mut inner = self.inner();
            let was_full = inner.unsettled >= UNSETTLED_MAX;
            inner.unsettled = inner.unsettled.saturating_sub(count);
            was_full
        };
        if was_full {
            self.wake.notify_waiters();
        }
    }
    /// The deliveries that nobody has pulled yet.
    pub(super) fn waiting(&self) -> Vec<i64> {
        self.inner().lanes.iter().flatten().map(|laid| laid.parcel.delivery).collect()
    }
    /// How many nobody has pulled yet.
    pub(super) fn laid(&self) -> usize {
        self.inner().laid()
    }
    /// The leases of these were renewed.
    pub(super) fn renewed(&self, deliveries: &HashSet<i64>, leased_until: Instant) {
        for laid in self.inner().lanes.iter_mut().flatten() {
            if deliveries.contains(&laid.parcel.delivery) {
                laid.leased_until = leased_until;
            }
        }
    }
    /// Takes parcels back that nobody has pulled yet; they are answered as not tried.
    pub(super) fn take_back(&self, reason: &'static str, which: impl Fn(i64) -> bool) {
        let mut taken = Vec::new();
        {
            let mut inner = self.inner();
            for lane in &mut inner.lanes {
                let (back, stay): (VecDeque<Laid>, VecDeque<Laid>) =
                    std::mem::take(lane).into_iter().partition(|laid| which(laid.parcel.delivery));
                *lane = stay;
                taken.extend(back);
            }
            inner.in_hand += taken.len();
            inner.in_hand_patient += taken.iter().filter(|laid| laid.lane == Lane::NonUrgent).count();
        }
        for laid in taken {
            let (over_at, leased_until) = (laid.over_at, laid.leased_until);
            Held { tray: self, lane: laid.lane, over_at, leased_until, parcel: Some(laid.parcel) }
                .answer(Answer::NotTried { reason }, None);
        }
    }
    /// Nothing more will be laid in.
    pub fn close(&self) {
        self.inner().closed = true;
        self.wake.notify_waiters();
    }
    /// Those who wait look again: trust has changed.
    pub(super) fn look_again(&self) {
        self.wake.notify_waiters();
    }
    /// The longest that a parcel lay here since the last time this was asked.
    pub(super) fn longest_wait(&self) -> Duration {
        std::mem::take(&mut self.inner().longest_wait)
    }
}

#[expect(clippy::large_enum_variant, reason = "a parcel is what is nearly always pulled")]
enum Pull<'t> {
    Parcel(Held<'t>),
    Nothing,
    Wait(Duration),
    Done,
}

/// Hands a few parcels over without a desk, as urgent: for trials of a channel by itself.
pub async fn hand_over(channel: &dyn Channel, parcels: Vec<Parcel>) -> Vec<Answered> {
    let (said, mut heard) = mpsc::unbounded_channel();
    let tray = Tray::new(channel.provider(), channel.hands(), None, Arc::default(), said);
    tray.lay(parcels.into_iter().map(|parcel| (Lane::Urgent, parcel)).collect(), Instant::now(), TRIAL);
    tray.close();
    let mut answers = Vec::new();
    let mut work = std::pin::pin!(futures_util::future::join_all((0..channel.hands()).map(|_| channel.work(&tray))));
    loop {
        tokio::select! {
            Some(answered) = heard.recv() => {
                tray.settled(1);
                answers.push(answered);
            }
            _ = &mut work => break,
        }
    }
    while let Ok(answered) = heard.try_recv() {
        answers.push(answered);
    }
    // What nobody would take any more.
    tray.take_back("the provider fails", |_| true);
    answers.extend(std::iter::from_fn(|| heard.try_recv().ok()));
    answers
}
