//! The durable queue: one row for each recipient and channel, leased, attempted, settled.
//!
//! **The promise: at least once, never silently lost.** What was enqueued with a committed transaction ends in exactly one
//! final state. An attempt is written down before the provider is called; the call is made outside any transaction; its
//! answer is settled by whoever still holds the lease. When a process dies in the middle, its leases run out after 15
//! seconds and others take over.
//!
//! **Duplicates.** Without a fault there are none. A hand-over whose answer never came is repeated once. When a process is
//! killed, what the providers had taken from it and it had not yet settled goes out again, and nothing else: for each
//! provider at most [`tray::UNSETTLED_MAX`] (500) answers, and what its workers held: two mails for each of its
//! `connections`, one SMS for each of its `in_flight`. As the settings stand that is 520 mails and 550 SMS a death. What is
//! settled as accepted is never handed over again. A duplicate is recognised by its identity, made of version, person and channel: the same
//! `Message-ID`, the same bytes but for the date, the same short code in an SMS.
//!
//! **The way of a delivery.** `queue` keeps it; the `desk` claims it (`claim`) and lays it into the `tray` of a provider
//! that its `breaker` trusts; a worker of the provider's `channel` (`smtp`, `sms`, `outbox`) pulls it and answers; the desk
//! settles the answer (`settle`) as `retry` decides; a report (`receipts`) may raise it later; `stop` takes back what nobody
//! has begun. `proof` shows afterwards that what was handed over is what was approved. This floor does not know what a
//! message is.

pub mod alarms;
mod batch;
mod blame;
mod bounces;
pub mod breaker;
pub mod channel;
mod claim;
mod content;
pub mod courier;
mod dead_letters;
mod depths;
mod desk;
pub mod email;
mod errand;
mod error;
mod faults;
mod letterhead;
mod letters;
mod lifecycle;
mod line;
mod links;
mod load;
pub mod metrics;
pub mod outbox;
mod outcome;
pub mod pager;
mod proof;
mod queue;
mod receipts;
mod reserve;
pub mod retry;
mod return_path;
mod routes;
mod settle;
pub mod sms;
pub mod smtp;
mod stop;
pub mod tray;
mod trouble;
mod way;

pub use batch::{
    DeliveryRow, deliveries_of, given, may_have_reached, persons_in, persons_reached, progress, suppressed_in,
    without_report,
};
pub use blame::Blame;
pub use claim::{Carrier, Claimed, Contents, Taken, Wanted, claim, expire_pressing};
pub use content::{Body, content_of, put_content};
pub use courier::{Channels, Courier, Provider};
pub use dead_letters::{
    DEAD, DeadByReason, DeadLetter, Kept, batch_of, dead_letters_by_reason, dead_letters_of, requeue,
};
pub use depths::{Depth, depths};
pub use faults::{
    Fault, endpoint_index, failures_of_batch, faults_since, forget_old_faults, forgive_batch, note_faults, open_faults,
    settle_faults,
};
pub use letters::{LetterTo, enqueue_letter, enqueue_text};
pub use lifecycle::{Channel, Lane, State};
pub use links::{AttemptName, contact_url, leave_url, my_data_url, returned_mail_url, unsubscribe_url};
pub use proof::{AttemptsProof, BatchProof, ContentProof, ProofVerdict, prove};
pub use queue::{Fate, LEASE, NewDelivery, enqueue, forget_settled, set_back, waiting};
pub use receipts::{REPORT_WAIT, give_up_reports};
pub use reserve::{InReserve, NOT_CHOSEN, RESERVES_AT_ONCE, batches_with_reserves, call_up, leave_out, reserves_of};
pub use return_path::{attempt_of, return_path};
pub use routes::routes;
pub use settle::{Settlement, lock_in_order, renew, settle};
pub use stop::{cancel, cancel_for_membership, cancel_for_memberships, no_longer_wanted};
pub use trouble::{NO_HANDOVER, STUCK, Standing, Trouble, trouble};
