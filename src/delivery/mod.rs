//! The durable queue: one row for each recipient and channel, leased, attempted, settled.
//!
//! **The promise: at least once, never silently lost.** What was enqueued with a committed transaction ends in exactly one
//! final state. An attempt is written down before the provider is called; the call is made outside any transaction; its
//! answer is settled by whoever still holds the lease. When a process dies in the middle, its leases run out after 15
//! seconds and others take over. What was being handed over at that moment may go out twice, never more of it than one
//! process had leased ([`courier::LEASED_MAX`] a channel), and always with the same `Message-ID` or short code, so a
//! duplicate can be recognised. This floor does not know what a message is.

pub mod breaker;
pub mod channel;
mod claim;
mod content;
pub mod courier;
mod desk;
pub mod email;
mod error;
mod letters;
mod lifecycle;
mod links;
mod load;
pub mod outbox;
mod queue;
mod receipts;
pub mod retry;
mod routes;
mod settle;
pub mod sms;
pub mod smtp;
mod stop;
pub mod tray;

pub use claim::{Carrier, Claimed, Contents, Wanted, claim, expire_pressing};
pub use content::{Body, put_content};
pub use courier::{Channels, Courier, Provider};
pub use letters::{LetterTo, enqueue_letter, enqueue_text};
pub use lifecycle::{Channel, Lane, State};
pub use links::{contact_url, leave_url, my_data_url, unsubscribe_url};
pub use queue::{
    DeliveryRow, Fate, LEASE, NewDelivery, deliveries_of, enqueue, forget_settled, may_have_reached, progress, waiting,
};
pub use routes::routes;
pub use settle::{Settlement, renew, settle};
pub use stop::{cancel, cancel_for_membership, no_longer_wanted};
