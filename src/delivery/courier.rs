//! The couriers: claim, hand over outside any transaction, settle in groups. One loop for each channel, so that a slow
//! mail server never holds up an SMS.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use super::channel;
use super::channel::{Answer, Parcel};
use super::content::Body;
use super::lifecycle::Channel;
use super::links::{leave_url, receipt_url, unsubscribe_url};
use super::queue::{self, Claimed, Settlement};
use super::retry::verdict;
use crate::config::Config;
use crate::storage::Database;
use crate::storage::Keyring;
use crate::storage::StorageError;
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
    async fn serve(&self, channel: Channel, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            // Registered before the look: a bell that rings in between is not missed.
            let bell = self.database.bell().notified();
            tokio::pin!(bell);
            bell.as_mut().enable();
            match self.round(channel).await {
                Ok(0) => {
                    tokio::select! {
                        () = bell => {}
                        () = tokio::time::sleep(POLL) => {}
                        _ = stop.changed() => {}
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, channel = channel.as_str(), "the queue cannot be read; trying again");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }
    /// One round for one channel: how many were claimed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn round(&self, channel: Channel) -> Result<usize, StorageError> {
        let lease = Id::<of::Lease>::new().uuid();
        let way = Arc::clone(self.channels.of(channel));
        let provider = way.provider().to_owned();
        let limit = i64::try_from(LEASED_MAX).unwrap_or(i64::MAX);
        let claimed = self.database.writing(move |tx| queue::claim(tx, channel, lease, &provider, limit)).await?;
        if claimed.is_empty() {
            return Ok(0);
        }
        let count = claimed.len();
        let ids: Vec<i64> = claimed.iter().map(|delivery| delivery.id).collect();
        let now = self.database.clock().now();
        let parcels = claimed.iter().map(|delivery| self.parcel(channel, delivery, now)).collect();
        let answers = self.kept_alive(lease, ids, way.hand_over(parcels)).await;
        let now = self.database.clock().now();
        let mut answers: std::collections::HashMap<i64, Answer> = answers.into_iter().collect();
        let settlements: Vec<Settlement> = claimed
            .iter()
            .map(|delivery| {
                let answer = answers
                    .remove(&delivery.id)
                    .unwrap_or_else(|| Answer::Unknown { reason: "the channel gave no answer".to_owned() });
                settlement(channel, delivery, answer, now)
            })
            .collect();
        self.settled(lease, settlements).await;
        Ok(count)
    }
    /// Renews the leases as long as the hand-over takes.
    async fn kept_alive<T>(&self, lease: Uuid, ids: Vec<i64>, hand_over: impl Future<Output = T>) -> T {
        tokio::pin!(hand_over);
        loop {
            tokio::select! {
                done = &mut hand_over => return done,
                () = tokio::time::sleep(RENEWAL) => {
                    let ids = ids.clone();
                    if let Err(error) = self.database.writing(move |tx| queue::renew(tx, lease, &ids)).await {
                        tracing::warn!(%error, "leases could not be renewed");
                    }
                }
            }
        }
    }
    /// Writes the results; while the database is away it tries again as long as the leases would have lived.
    async fn settled(&self, lease: Uuid, settlements: Vec<Settlement>) {
        let settlements = Arc::new(settlements);
        for pause_ms in [0_u64, 50, 200, 1_000, 3_000, 8_000] {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            let group = Arc::clone(&settlements);
            match self.database.writing(move |tx| queue::settle(tx, lease, &group)).await {
                Ok(_) => return,
                Err(error) => tracing::warn!(%error, "results could not be settled yet"),
            }
        }
        tracing::error!(count = settlements.len(), "results were not settled: these deliveries will be tried again");
    }
    fn parcel(&self, channel: Channel, delivery: &Claimed, now: Timestamp) -> Parcel {
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
            deadline_in: delivery.deadline.since(now),
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

fn settlement(channel: Channel, delivery: &Claimed, answer: Answer, now: Timestamp) -> Settlement {
    let spread = u64::try_from(delivery.id.rem_euclid(100)).unwrap_or(0);
    let verdict = verdict(delivery.lane, channel, delivery.attempt, &answer, now, delivery.deadline, spread);
    let (outcome, reference) = match answer {
        Answer::Accepted { reference } => ("accepted", reference),
        Answer::Deferred { .. } => ("deferred", None),
        Answer::Refused { .. } => ("refused", None),
        Answer::Unknown { .. } => ("unknown", None),
    };
    Settlement { delivery: delivery.id, attempt: delivery.attempt, outcome, reference, verdict }
}
