//! The couriers: what is due goes to the providers of its channel, and what they say goes into the books.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::watch;

use super::breaker::{Breaker, Trust};
use super::channel::{self, Parcel, PersonalLinks};
use super::claim::{Claimed, Contents};
use super::content::Body;
use super::desk::Desk;
use super::lifecycle::Channel;
use super::links::{AttemptName, leave_url, receipt_url, unsubscribe_url};
use super::return_path::return_path;
use crate::config::Config;
use crate::storage::Database;
use crate::storage::Keyring;
use crate::storage::StorageError;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::hex;
use crate::values::of;

/// Deliveries that one process holds at most for each provider of what can wait, and as many again of what cannot: that has
/// a room of its own.
pub const LEASED_MAX: usize = 1_000;
/// Deliveries of one round.
const ROUND: usize = 100;

/// Somebody who hands over: a relay, a gateway.
#[derive(Clone)]
pub struct Provider {
    pub(super) channel: Arc<dyn channel::Channel>,
    pub(super) pace: Option<NonZeroU32>,
    pub(super) breaker: Arc<Mutex<Breaker>>,
}
impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Provider").field(&self.channel.provider()).finish()
    }
}
impl Provider {
    /// A provider, with the hand-overs a second agreed with it; zero for as many as it takes.
    #[must_use]
    pub fn new(channel: Arc<dyn channel::Channel>, per_second: u32) -> Self {
        Self { channel, pace: NonZeroU32::new(per_second), breaker: Arc::default() }
    }
    /// How far it is trusted now.
    #[must_use]
    pub fn trust(&self) -> Trust {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).trust()
    }
    /// The name by which attempts, metrics and logs know it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.channel.provider()
    }
}

/// The ways out: for each channel its providers, the preferred first.
#[derive(Debug, Clone)]
pub struct Channels {
    /// Mail.
    pub email: Vec<Provider>,
    /// SMS.
    pub sms: Vec<Provider>,
}
impl Channels {
    /// The providers of a channel.
    #[must_use]
    pub fn of(&self, channel: Channel) -> &[Provider] {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
        }
    }
}

/// Carries deliveries from the queue to the providers.
#[derive(Debug, Clone)]
pub struct Courier {
    pub(super) database: Database,
    pub(super) channels: Channels,
    pub(super) contents: Arc<Contents>,
    /// As whom it writes, once that is in the books.
    pub(super) letterhead: Arc<OnceLock<i64>>,
    pub(super) config: Arc<Config>,
}
impl Courier {
    /// A courier for all channels.
    #[must_use]
    pub fn new(database: Database, channels: Channels, config: Arc<Config>) -> Self {
        Self { database, channels, contents: Arc::default(), letterhead: Arc::default(), config }
    }
    /// How far each provider of a channel is trusted, the preferred first.
    #[must_use]
    pub fn trust(&self, channel: Channel) -> Vec<Trust> {
        self.channels.of(channel).iter().map(Provider::trust).collect()
    }
    /// Runs until `stop` says so; what is being handed over then is still settled, what nobody has begun goes back.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        Desk::open(self.clone(), Channel::ALL).run(stop).await;
    }
    /// One round for one channel: how many were claimed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn round(&self, channel: Channel) -> Result<usize, StorageError> {
        Desk::open(self.clone(), &[channel]).round(ROUND).await
    }
    /// What a worker gets.
    pub(super) fn parcel(&self, delivery: Claimed) -> Parcel {
        let written = Written {
            delivery: delivery.id,
            batch: delivery.batch,
            person: delivery.person,
            channel: delivery.channel,
            membership: delivery.membership,
            attempt: delivery.attempt,
            named: delivery
                .round_from
                .saturating_add(delivery.unanswered)
                .saturating_add(delivery.lost)
                .saturating_add(1),
            address: delivery.address,
            content: delivery.content,
            body: delivery.body,
            at: delivery.at,
            deadline_in: delivery.deadline_in,
        };
        parcel(&self.config, self.database.keys(), written)
    }
}

/// What the books say of an attempt: enough to make its parcel, now or when it is proved.
pub(super) struct Written {
    pub(super) delivery: i64,
    pub(super) batch: uuid::Uuid,
    pub(super) person: Id<of::Person>,
    pub(super) channel: Channel,
    pub(super) membership: Option<Id<of::Membership>>,
    pub(super) attempt: i32,
    /// By which number links and return addresses name it (`AttemptName`).
    pub(super) named: i32,
    pub(super) address: String,
    pub(super) content: Id<of::Content>,
    pub(super) body: Arc<Body>,
    pub(super) at: Timestamp,
    pub(super) deadline_in: Duration,
}
/// The parcel of an attempt: from the same books always the same.
pub(super) fn parcel(config: &Config, keys: &Keyring, written: Written) -> Parcel {
    let links = written.membership.filter(|_| written.channel == Channel::Email).map(|membership| PersonalLinks {
        leave_url: leave_url(config, keys, membership),
        unsubscribe_url: unsubscribe_url(config, keys, membership),
    });
    Parcel {
        delivery: written.delivery,
        key: key_of(keys, written.batch, written.person, written.channel),
        attempt: written.attempt,
        address: written.address,
        content: written.content,
        body: written.body,
        links,
        return_path: (written.channel == Channel::Email)
            .then(|| return_path(config, keys, written.delivery, written.named))
            .flatten(),
        receipt_url: (written.channel == Channel::Sms)
            .then(|| receipt_url(config, keys, AttemptName::of(written.delivery, written.named))),
        at: written.at,
        deadline_in: written.deadline_in,
    }
}

/// The identity of a delivery, the same at every attempt: `Message-ID` and gateway reference are made of it.
fn key_of(keys: &Keyring, batch: uuid::Uuid, person: Id<of::Person>, channel: Channel) -> String {
    let mac = keys.sign("delivery", &[batch.as_bytes(), person.uuid().as_bytes(), channel.as_str().as_bytes()]);
    hex(mac.iter().take(16))
}
