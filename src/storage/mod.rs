//! The database, without any domain word: one connection type over SQLite and PostgreSQL, transactions as synchronous
//! closures, sealed columns, migrations.

mod bearings;
pub mod columns;
mod database;
mod db;
mod error;
mod migrations;
pub mod personal;
mod pulse;
pub mod schema;
mod sealed;
mod together;
mod tx;

pub use bearings::{keep_time, time_doubted_until, trust_the_machine};
pub use columns::{Json, sql};
pub use database::{Database, Durability, Target};
pub use db::Db;
pub(crate) use db::{MultiBackend, MultiRawValue};
pub use error::{Constraint, StorageError};
pub use sealed::{Keyring, KeyringError, Mac, random_bytes, random_code, same_bytes, token_hash};
pub use tx::Tx;

/// Runs the same expression against the concrete connection of either database: for what the derive cannot type
/// (upserts, batch inserts, unions). The query is written once and compiled twice.
#[macro_export]
macro_rules! on_either {
    ($tx:expr, |$c:ident| $body:expr) => {
        match $tx.db() {
            $crate::storage::Db::Sqlite($c) => $body,
            $crate::storage::Db::Postgres($c) => $body,
        }
    };
}
