//! The couriers: claim, hand over outside any transaction, settle in groups. Each channel for itself, so that a slow mail
//! server never holds up an SMS.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::channel;
use super::channel::{Answer, Parcel};
use super::content::Body;
use super::lifecycle::{Channel, Lane};
use super::links::{leave_url, receipt_url, unsubscribe_url};
use super::metrics;
use super::queue::{self, Claimed, Settlement, Wanted};
use super::retry::{Tried, verdict};
use crate::config::Config;
use crate::storage::Database;
use crate::storage::Keyring;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::{LEAVE_PLACEHOLDER, UNSUBSCRIBE_PLACEHOLDER};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Deliveries one process holds at most for each channel: the bound on duplicates when it is killed.
pub const LEASED_MAX: usize = 100;
/// How often the queue is looked at when no bell rings.
const POLL: Duration = Duration::from_millis(500);
/// How often the holder of a lease shows that it is alive.
const RENEWAL: Duration = Duration::from_secs(5);
/// Between two tries to write results down.
const SETTLE_PAUSE: Duration = Duration::from_millis(500);
/// Tries when it is not the database that is away but something about the results.
const SETTLE_TRIES: u32 = 6;

/// What one round holds.
struct Taken {
    lease: Uuid,
    claimed: Vec<Claimed>,
}

/// The ways out, one for each channel.
#[derive(Clone)]
pub struct Channels {
    /// Mail.
    pub email: Arc<dyn channel::Channel>,
    /// SMS.
    pub sms: Arc<dyn channel::Channel>,
}
impl std::fmt::Debug for Channels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channels").field("email", &self.email.provider()).field("sms", &self.sms.provider()).finish()
    }
}
impl Channels {
    fn of(&self, channel: Channel) -> &Arc<dyn channel::Channel> {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
        }
    }
}

/// Carries deliveries from the queue to the providers.
#[derive(Debug, Clone)]
pub struct Courier {
    database: Database,
    channels: Channels,
    config: Arc<Config>,
}
impl Courier {
    /// A courier for all channels.
    #[must_use]
    pub const fn new(database: Database, channels: Channels, config: Arc<Config>) -> Self {
        Self { database, channels, config }
    }
    /// Runs until `stop` says so; what is being handed over then is still settled.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        futures_util::future::join_all(Channel::ALL.iter().map(|channel| self.serve(*channel, stop.clone()))).await;
    }
    /// Claims one share after another and lets several be carried at once: while one is settled the others are on their
    /// way, and one recipient's slow server does not hold up the rest.
    async fn serve(&self, channel: Channel, mut stop: watch::Receiver<bool>) {
        let mut load = Load::new(self.channels.of(channel).hands());
        let held = Arc::new(Semaphore::new(LEASED_MAX));
        let mut rounds = JoinSet::new();
        // Nobody left who could say "stop" is a stop too.
        while !*stop.borrow() && stop.has_changed().is_ok() {
            // Registered before the look: a bell that rings in between is not missed.
            let bell = self.database.bell().notified();
            tokio::pin!(bell);
            bell.as_mut().enable();
            if let Some((limit, down_to)) = load.share(LEASED_MAX.saturating_sub(held.available_permits())) {
                match self.take(channel, limit, down_to).await {
                    Ok(taken) if taken.claimed.is_empty() => {}
                    Ok(taken) => {
                        let count = u32::try_from(taken.claimed.len()).unwrap_or(u32::MAX);
                        // Given back when the round is over, however it ends.
                        let place = Arc::clone(&held).try_acquire_many_owned(count);
                        let courier = self.clone();
                        rounds.spawn(async move {
                            let took = courier.carry(channel, taken).await;
                            drop(place);
                            took
                        });
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(%error, channel = channel.as_str(), "the queue cannot be read; trying again");
                    }
                }
            }
            tokio::select! {
                Some(done) = rounds.join_next() => match done {
                    Ok(took) => load.learn(took),
                    Err(error) => tracing::error!(%error, "a round fell over: its leases run out"),
                },
                () = bell => {}
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => {}
            }
        }
        while rounds.join_next().await.is_some() {}
    }
    /// One round for one channel, as large as may be: how many were claimed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn round(&self, channel: Channel) -> Result<usize, StorageError> {
        let taken = self.take(channel, LEASED_MAX, Lane::NonUrgent).await?;
        let count = taken.claimed.len();
        if count > 0 {
            self.carry(channel, taken).await;
        }
        Ok(count)
    }
    async fn take(&self, channel: Channel, limit: usize, down_to: Lane) -> Result<Taken, StorageError> {
        let lease = Id::<of::Lease>::new().uuid();
        let provider = self.channels.of(channel).provider().to_owned();
        let wanted =
            move |tx: &mut Tx<'_>| queue::claim(tx, lease, Wanted { channel, down_to, limit, provider: &provider });
        Ok(Taken { lease, claimed: self.database.writing(wanted).await? })
    }
    /// Hands over and settles: how long the hand-over took.
    async fn carry(&self, channel: Channel, taken: Taken) -> Duration {
        let Taken { lease, claimed } = taken;
        let ids: Vec<i64> = claimed.iter().map(|delivery| delivery.id).collect();
        let parcels = claimed.iter().map(|delivery| self.parcel(channel, delivery)).collect();
        let start = Instant::now();
        let answers = tokio::select! {
            answers = self.channels.of(channel).hand_over(parcels) => answers,
            never = self.keeps_alive(lease, ids) => match never {},
        };
        let took = start.elapsed();
        let mut answers: HashMap<i64, Answer> = answers.into_iter().collect();
        let answered = claimed
            .into_iter()
            .map(|delivery| {
                let answer = answers.remove(&delivery.id);
                (delivery, answer.unwrap_or_else(|| Answer::unknown("the channel gave no answer")))
            })
            .collect();
        self.settles(channel, lease, answered).await;
        took
    }
    /// Renews the leases for as long as it is polled, beside the hand-over and not instead of it.
    async fn keeps_alive(&self, lease: Uuid, ids: Vec<i64>) -> Infallible {
        loop {
            tokio::time::sleep(RENEWAL).await;
            let ids = ids.clone();
            if let Err(error) = self.database.writing(move |tx| queue::renew(tx, lease, &ids)).await {
                tracing::warn!(%error, "leases could not be renewed");
            }
        }
    }
    /// Writes the results. While the database is away it tries again without end: nobody else can claim meanwhile either,
    /// and what we know must not be forgotten, or it goes out twice.
    async fn settles(&self, channel: Channel, lease: Uuid, answered: Vec<(Claimed, Answer)>) {
        let answered = Arc::new(answered);
        for tries in 1_u32.. {
            let group = Arc::clone(&answered);
            let settling = self.database.writing(move |tx| {
                let now = tx.now()?;
                let results: Vec<Settlement> =
                    group.iter().map(|(delivery, answer)| settlement(channel, delivery, answer, now)).collect();
                queue::settle(tx, lease, &results)
            });
            match settling.await {
                Ok(_) => return self.counts(channel, &answered),
                Err(error @ (StorageError::Busy | StorageError::Away(_))) => {
                    tracing::warn!(%error, tries, "results could not be settled yet");
                }
                Err(error) if tries < SETTLE_TRIES => tracing::warn!(%error, tries, "results could not be settled yet"),
                Err(error) => {
                    tracing::error!(%error, count = answered.len(), "results not settled: these will be tried again");
                    return;
                }
            }
            metrics::settle_failed();
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }
    fn counts(&self, channel: Channel, answered: &[(Claimed, Answer)]) {
        for (_, answer) in answered {
            metrics::attempt(channel, self.channels.of(channel).provider(), outcome_of(answer));
        }
    }
    fn parcel(&self, channel: Channel, delivery: &Claimed) -> Parcel {
        let keys = self.database.keys();
        let body = personal(&self.config, keys, delivery.membership, &delivery.body);
        let unsubscribe_url = match (channel, delivery.membership) {
            (Channel::Email, Some(membership)) => Some(unsubscribe_url(&self.config, keys, membership)),
            _ => None,
        };
        Parcel {
            delivery: delivery.id,
            key: key_of(keys, delivery.batch, delivery.person, channel),
            attempt: delivery.attempt,
            address: delivery.address.clone(),
            subject: body.subject,
            text: body.text,
            html: body.html,
            unsubscribe_url,
            receipt_url: (channel == Channel::Sms).then(|| receipt_url(&self.config, keys, delivery.id)),
            deadline_in: delivery.deadline_in,
        }
    }
}

/// The identity of a delivery, the same at every attempt: `Message-ID` and gateway reference are made of it.
fn key_of(keys: &Keyring, batch: Uuid, person: Id<of::Person>, channel: Channel) -> String {
    let mac = keys.sign("delivery", &[batch.as_bytes(), person.uuid().as_bytes(), channel.as_str().as_bytes()]);
    mac.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Fills the personal links into the approved bytes; nothing else of them is touched.
fn personal(config: &Config, keys: &Keyring, membership: Option<Id<of::Membership>>, body: &Body) -> Body {
    let Some(membership) = membership else { return body.clone() };
    let (leave, unsubscribe) = (leave_url(config, keys, membership), unsubscribe_url(config, keys, membership));
    let filled = |text: &str| text.replace(LEAVE_PLACEHOLDER, &leave).replace(UNSUBSCRIBE_PLACEHOLDER, &unsubscribe);
    Body { subject: body.subject.clone(), text: filled(&body.text), html: body.html.as_deref().map(filled) }
}

fn settlement(channel: Channel, delivery: &Claimed, answer: &Answer, now: Timestamp) -> Settlement {
    let tried = Tried {
        lane: delivery.lane,
        channel,
        attempts: delivery.attempt.saturating_sub(delivery.round_from),
        unanswered: delivery.unanswered,
        deadline: delivery.deadline,
    };
    let spread = u64::try_from(delivery.id.rem_euclid(100)).unwrap_or(0);
    let verdict = verdict(&tried, answer, now, spread);
    let reference = if let Answer::Accepted { reference } = answer { reference.clone() } else { None };
    let outcome = outcome_of(answer);
    Settlement { delivery: delivery.id, attempt: delivery.attempt, outcome, reference, verdict }
}
/// As it stands in the row of the attempt.
const fn outcome_of(answer: &Answer) -> &'static str {
    match answer {
        Answer::Accepted { .. } => "accepted",
        Answer::Deferred { .. } => "deferred",
        Answer::Refused { .. } => "refused",
        Answer::Unknown { .. } => "unknown",
    }
}

/// How many deliveries of a channel are held at once. What is held cannot be stopped any more, so it is little more than
/// what the other side takes within a blink: as many as the channel has hands, doubled while rounds are short.
#[derive(Debug)]
struct Load {
    hands: usize,
    most: usize,
}
impl Load {
    /// Rounds shorter than this let the load grow, rounds longer than the next make it shrink.
    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_millis(400);

    fn new(hands: usize) -> Self {
        let hands = hands.clamp(1, LEASED_MAX);
        Self { hands, most: hands }
    }
    /// How many may be claimed now, and down to which lane: the last quarter is kept for what cannot wait (accept M8).
    fn share(&self, held: usize) -> Option<(usize, Lane)> {
        let free = self.most.checked_sub(held).filter(|free| *free > 0)?;
        let quarter = self.most / 4;
        if free <= quarter {
            return Some((free, Lane::Letter));
        }
        Some((free.saturating_sub(quarter).min(quarter.max(1)), Lane::NonUrgent))
    }
    fn learn(&mut self, took: Duration) {
        if took < Self::SHORT {
            self.most = self.most.saturating_mul(2).min(LEASED_MAX);
        } else if took > Self::LONG {
            self.most = (self.most / 2).max(self.hands);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LEASED_MAX, Lane, Load};

    #[test]
    fn a_slow_relay_is_given_no_more_than_it_has_hands_and_a_fast_one_much_more() {
        let mut load = Load::new(8);
        assert_eq!(load.share(0), Some((2, Lane::NonUrgent)));
        assert_eq!(load.share(8), None);
        for _ in 0..10 {
            load.learn(Duration::from_millis(20));
        }
        assert_eq!(load.share(0), Some((LEASED_MAX / 4, Lane::NonUrgent)));
        assert_eq!(load.share(LEASED_MAX), None);
        for _ in 0..10 {
            load.learn(Duration::from_secs(5));
        }
        assert_eq!((load.share(0), load.share(8)), (Some((2, Lane::NonUrgent)), None));
    }
    #[test]
    fn the_last_quarter_is_kept_for_what_cannot_wait() {
        let load = Load::new(8);
        assert_eq!(load.share(5), Some((1, Lane::NonUrgent)));
        assert_eq!(load.share(6), Some((2, Lane::Letter)));
        assert_eq!(Load::new(1).share(0), Some((1, Lane::NonUrgent)));
    }
}
