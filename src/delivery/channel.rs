//! What every way of handing a message over has in common: a worker pulls one parcel after another from a tray and answers
//! each of them. Who waits, repeats, gives up or goes elsewhere is decided elsewhere.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::content::Body;
use super::tray::Tray;
use crate::texts::{LEAVE_PLACEHOLDER, UNSUBSCRIBE_PLACEHOLDER};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// The links that are a recipient's own; everything else of a message is the same for all.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalLinks {
    /// Where the member leaves.
    pub leave_url: String,
    /// Where one POST ends these messages (RFC 8058).
    pub unsubscribe_url: String,
}

/// What is handed over for one recipient on one channel. Its `Debug` shows no address and no content.
#[derive(Clone)]
pub struct Parcel {
    /// The delivery this parcel is for.
    pub delivery: i64,
    /// The same at every attempt, made of version, person and channel: `Message-ID` and the gateway's reference are
    /// made of it, so that a repeat can be recognised. Letters, digits, `-`, `.` and `_`, 64 at most.
    pub key: String,
    /// Which attempt this is, from one.
    pub attempt: i32,
    /// Where it goes: an e-mail address or a telephone number.
    pub address: String,
    /// Which content it is; equal numbers are equal bodies.
    pub content: Id<of::Content>,
    /// The approved bytes, shared by all recipients of a language.
    pub body: Arc<Body>,
    /// What is filled into them; letters of the system have their links in the body.
    pub links: Option<PersonalLinks>,
    /// To whom the relay returns what it cannot deliver (VERP); none means the sender's address.
    pub return_path: Option<String>,
    /// Where the provider reports on this delivery: a signed link of its own.
    pub receipt_url: Option<String>,
    /// When this attempt began: a mail's `Date`, so that its bytes can be made again.
    pub at: Timestamp,
    /// How long the message is still of use, counted from the claim. Past it nothing is sent any more.
    pub deadline_in: Duration,
}

impl Parcel {
    /// The text with the recipient's own links.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.links {
            Some(links) if self.body.text.contains("{{") => Cow::Owned(
                self.body
                    .text
                    .replace(LEAVE_PLACEHOLDER, &links.leave_url)
                    .replace(UNSUBSCRIBE_PLACEHOLDER, &links.unsubscribe_url),
            ),
            _ => Cow::Borrowed(&self.body.text),
        }
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel")
            .field("delivery", &self.delivery)
            .field("key", &self.key)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// What came of one parcel. No reason ever holds an address, a number or a word of the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The other side has taken it over.
    Accepted {
        /// What the other side calls it, where it says so.
        reference: Option<String>,
    },
    /// It was certainly not taken, and a later attempt may succeed.
    Deferred {
        /// Why, in codes.
        reason: String,
        /// How long the other side asked to be left alone.
        retry_after: Option<Duration>,
        /// The fault lies with the provider and not with this recipient: others would fare no better.
        of_provider: bool,
    },
    /// It was certainly not taken, and the same attempt will not succeed later.
    Refused {
        /// Why, in codes.
        reason: String,
        /// The fault is not this recipient's: nothing passes by this channel until somebody mends it.
        channel_down: bool,
    },
    /// The request was written and the answer never came: it may have been taken, or not.
    Unknown {
        /// What was last seen.
        reason: String,
    },
    /// Nobody was called: the parcel comes back as it was.
    NotTried {
        /// Why not.
        reason: &'static str,
    },
    /// Our own worker fell over it.
    FellOver,
}

impl Answer {
    /// Not taken now, and the fault lies with the provider.
    pub fn deferred(reason: impl Into<String>) -> Self {
        Self::Deferred { reason: reason.into(), retry_after: None, of_provider: true }
    }

    /// Not taken now, and the fault lies with this recipient's side: greylisting, a full mailbox.
    pub fn not_yet(reason: impl Into<String>) -> Self {
        Self::Deferred { reason: reason.into(), retry_after: None, of_provider: false }
    }

    /// Not taken, and the fault lies with this parcel.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into(), channel_down: false }
    }

    /// Not taken, and the fault lies with the channel.
    pub fn channel_down(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into(), channel_down: true }
    }

    /// Taken or not: nobody can tell.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown { reason: reason.into() }
    }

    /// Whether the provider did its part badly, whoever the recipient was. `None`: this says nothing about it.
    #[must_use]
    pub const fn blames_provider(&self) -> Option<bool> {
        match self {
            Self::Accepted { .. }
            | Self::Refused { channel_down: false, .. }
            | Self::Deferred { of_provider: false, .. } => Some(false),
            Self::Deferred { of_provider: true, .. }
            | Self::Refused { channel_down: true, .. }
            | Self::Unknown { .. } => Some(true),
            Self::NotTried { .. } | Self::FellOver => None,
        }
    }
}

/// A way of handing parcels over to somebody who brings them to people.
#[async_trait]
pub trait Channel: Send + Sync {
    /// The name by which attempts, metrics and logs know the other side.
    fn provider(&self) -> &str;

    /// How many workers it has: so many hand over at once.
    fn hands(&self) -> usize {
        10
    }

    /// One worker: pulls parcels from the tray and answers each, until the tray is closed and empty.
    ///
    /// Dropping the future half-way is safe for the channel; what was on its way then is as uncertain as after a crash.
    async fn work(&self, tray: &Tray);

    /// Asks the other side whether it would take anything, without handing over: how a provider that failed comes back.
    ///
    /// # Errors
    /// Says in codes why not.
    async fn probe(&self) -> Result<(), String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_debug_of_a_parcel_shows_neither_address_nor_content() {
        let parcel = Parcel {
            delivery: 7,
            key: "abc".into(),
            attempt: 2,
            address: "an@example.be".into(),
            content: Id::new(),
            body: Arc::new(Body { subject: "white van".into(), text: "white van".into(), html: None }),
            links: Some(PersonalLinks {
                leave_url: "https://example.be/secret".into(),
                unsubscribe_url: String::new(),
            }),
            return_path: None,
            receipt_url: None,
            at: Timestamp::from_micros(0),
            deadline_in: Duration::from_secs(1),
        };
        assert_eq!(format!("{parcel:?}"), r#"Parcel { delivery: 7, key: "abc", attempt: 2, .. }"#);
    }
}
