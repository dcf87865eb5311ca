//! What every test stands on: a database of either kind, the real application on a port of its own, the real channels
//! talking to a post office in this process, and a clock that the test moves.

pub mod client;
pub mod database;
pub mod kannel;
pub mod logs;
pub mod neighbourhood;
pub mod post_office;
pub mod returned;
pub mod town;

pub use client::Reply;
pub use neighbourhood::{Desk, Neighbourhood};
pub use town::{Town, on_both};
