//! The real binary, as a process that is killed, stopped and misconfigured.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests say what they expect and stop where it is not so; not all of the shared support is used"
)]

#[path = "../api/support/database.rs"]
mod database;
#[path = "../api/support/post_office.rs"]
mod post_office;

mod counting;
mod crashing;
mod doctor;
mod house;
mod starting;
mod stopping;
mod three;
mod trusting;
