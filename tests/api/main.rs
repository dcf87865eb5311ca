//! The API, in the words of the domain, on both databases, over the wire.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests say what they expect and stop where it is not so"
)]

mod support;

mod accounts;
mod contract;
mod delivery;
mod members;
mod messages;
mod partnerships;
mod territory;
