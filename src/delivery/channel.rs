//! What every way of handing a message over has in common: a parcel for one recipient goes in, an answer about that
//! parcel comes out. Who waits, repeats or gives up is decided elsewhere.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

/// What is handed over for one recipient on one channel. Its `Debug` shows no address and no content.
#[derive(Clone)]
pub struct Parcel {
    /// The delivery this parcel is for; the answer carries it back.
    pub delivery: i64,
    /// The same at every attempt, made of version, person and channel: `Message-ID` and the gateway's reference are
    /// made of it, so that a repeat can be recognised. Letters, digits, `-`, `.` and `_`, 64 at most.
    pub key: String,
    /// Which attempt this is, from one.
    pub attempt: i32,
    /// Where it goes: an e-mail address or a telephone number.
    pub address: String,
    /// The subject; channels that know none leave it out.
    pub subject: String,
    /// The approved text.
    pub text: String,
    /// The approved text as HTML, where the channel can carry it.
    pub html: Option<String>,
    /// Where one POST ends these messages (RFC 8058).
    pub unsubscribe_url: Option<String>,
    /// Where the provider reports on this delivery: a signed link of its own.
    pub receipt_url: Option<String>,
    /// How long the message is still of use, counted from the hand-over. Past it nothing is sent any more.
    pub deadline_in: Duration,
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
}

impl Answer {
    /// Not taken now, without a wish about when to come again.
    pub fn deferred(reason: impl Into<String>) -> Self {
        Self::Deferred { reason: reason.into(), retry_after: None }
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
}

/// A way of handing parcels over to somebody who brings them to people.
#[async_trait]
pub trait Channel: Send + Sync {
    /// The name by which attempts, metrics and logs know the other side.
    fn provider(&self) -> &str;

    /// How many parcels it carries at once. Whoever lays in more makes them wait, and what waits cannot be stopped.
    fn hands(&self) -> usize {
        10
    }

    /// Hands the parcels over, several at once where the channel can. Exactly one answer a parcel, in any order.
    ///
    /// Dropping the future half-way is safe for the channel; what was on its way then is as uncertain as after a crash.
    async fn hand_over(&self, parcels: Vec<Parcel>) -> Vec<(i64, Answer)>;
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
            subject: "white van".into(),
            text: "white van".into(),
            html: Some("white van".into()),
            unsubscribe_url: Some("https://example.be/secret".into()),
            receipt_url: None,
            deadline_in: Duration::from_secs(1),
        };
        assert_eq!(format!("{parcel:?}"), r#"Parcel { delivery: 7, key: "abc", attempt: 2, .. }"#);
    }
}
