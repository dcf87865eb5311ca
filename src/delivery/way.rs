//! A provider at work in one process: its tray, its workers, and how much they are given.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::breaker::Trust;
use super::courier::Provider;
use super::lifecycle::{Channel, Lane};
use super::load::Load;
use super::tray::{Answered, Tray};
use crate::values::Timestamp;

/// A provider at work.
pub(super) struct Way {
    pub(super) channel: Channel,
    pub(super) provider: Provider,
    pub(super) tray: Arc<Tray>,
    pub(super) load: Load,
    workers: JoinSet<()>,
    held: usize,
    held_pressing: usize,
    probing: Arc<AtomicBool>,
}
impl Way {
    pub(super) fn open(channel: Channel, provider: Provider, said: mpsc::UnboundedSender<Answered>) -> Self {
        let hands = provider.channel.hands();
        let breaker = Arc::clone(&provider.breaker);
        let tray = Arc::new(Tray::new(provider.name(), hands, provider.pace, breaker, said));
        Self {
            channel,
            provider,
            tray,
            load: Load::new(hands),
            workers: JoinSet::new(),
            held: 0,
            held_pressing: 0,
            probing: Arc::default(),
        }
    }
    /// How many more it may be given of what cannot wait, and of what can.
    pub(super) fn room(&self) -> (usize, usize) {
        match self.provider.trust() {
            Trust::Full => (self.load.pressing(self.held_pressing), self.load.patient(self.held)),
            Trust::Trial => (1_usize.saturating_sub(self.held), 1_usize.saturating_sub(self.held)),
            Trust::None => (0, 0),
        }
    }
    /// It holds one more.
    pub(super) fn holds(&mut self, lane: Lane) {
        self.held += 1;
        self.held_pressing += usize::from(lane != Lane::NonUrgent);
    }
    /// It has answered for one.
    pub(super) fn lets_go(&mut self, lane: Lane) {
        self.held = self.held.saturating_sub(1);
        self.held_pressing = self.held_pressing.saturating_sub(usize::from(lane != Lane::NonUrgent));
    }
    /// Hires workers: as many as the provider has hands, and no more than are needed.
    pub(super) fn hire(&mut self, needed: usize) {
        for _ in 0..self.provider.channel.hands().min(needed) {
            let (channel, tray) = (Arc::clone(&self.provider.channel), Arc::clone(&self.tray));
            self.workers.spawn(async move { channel.work(&tray).await });
        }
    }
    pub(super) fn held(&self) -> usize {
        self.held
    }
    /// Whoever ended although there is work has fallen over it, and is replaced.
    pub(super) fn replace_the_fallen(&mut self) {
        while let Some(ended) = self.workers.try_join_next() {
            let panicked = ended.is_err_and(|error| error.is_panic());
            tracing::error!(provider = self.provider.name(), panicked, "a worker ended and is replaced");
            self.hire(1);
        }
    }
    /// Waits until the last worker has gone home.
    pub(super) async fn ends(&mut self) {
        while self.workers.join_next().await.is_some() {}
    }
    /// What lies ready for a provider that is not trusted any more goes back.
    pub(super) fn look_after_trust(&self) {
        if self.provider.trust() == Trust::None {
            self.tray.take_back("the provider fails", |_| true);
        }
    }
    /// Asks a provider that failed whether it is back, if it is time to, beside the work; rings when it has answered.
    pub(super) fn probe_beside(&self, now: Timestamp, bell: &Arc<Notify>) {
        if !self.provider.probe_is_due(now) || self.probing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (provider, tray, probing) = (self.provider.clone(), Arc::clone(&self.tray), Arc::clone(&self.probing));
        let told = Told { probing, tray, bell: Arc::clone(bell) };
        tokio::spawn(async move {
            provider.probe(now).await;
            drop(told);
        });
    }
}

/// Says that a probe is over, however it ended: a probe that fell over must not be the last.
struct Told {
    probing: Arc<AtomicBool>,
    tray: Arc<Tray>,
    bell: Arc<Notify>,
}
impl Drop for Told {
    fn drop(&mut self) {
        self.probing.store(false, Ordering::Release);
        self.tray.look_again();
        self.bell.notify_waiters();
    }
}

impl Provider {
    /// It failed, and it is time to ask whether it is back.
    pub(super) fn probe_is_due(&self, now: Timestamp) -> bool {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).probe_is_due(now)
    }
    /// Asks it, from now on.
    pub(super) async fn probe(&self, now: Timestamp) {
        let asked = Instant::now();
        let answered = self.channel.probe().await;
        tracing::info!(provider = self.name(), ?answered, "a provider that failed was probed");
        let over = now.plus(asked.elapsed());
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).probed(answered.is_ok(), over);
    }
}
