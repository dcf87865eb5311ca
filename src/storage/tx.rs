//! One transaction. Only `Database` can make one, and it never leaves its closure.

use std::cell::OnceCell;
use std::sync::Arc;

use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Db;
use super::Keyring;
use super::StorageError;
use super::columns::sql;
use crate::values::Clock;
use crate::values::Id;
use crate::values::Timestamp;

/// An open transaction: the connection, the time, and the keys of the sealed columns.
pub struct Tx<'c> {
    db: &'c mut Db,
    clock: &'c Clock,
    keys: Arc<Keyring>,
    now: OnceCell<Timestamp>,
    nudged: bool,
}

#[derive(QueryableByName)]
struct Now {
    #[diesel(sql_type = sql::Moment)]
    now: Timestamp,
}

impl<'c> Tx<'c> {
    pub(super) fn new(db: &'c mut Db, clock: &'c Clock, keys: Arc<Keyring>) -> Self {
        Self { db, clock, keys, now: OnceCell::new(), nudged: false }
    }
    /// The connection, for `store.rs` files.
    pub fn db(&mut self) -> &mut Db {
        self.db
    }
    /// The time of this transaction: the database's clock on PostgreSQL, the process's on SQLite, the test's in tests.
    ///
    /// # Errors
    /// When the database cannot say the time.
    pub fn now(&mut self) -> Result<Timestamp, StorageError> {
        if let Some(now) = self.now.get() {
            return Ok(*now);
        }
        let now = match self.db {
            Db::Postgres(c) if !self.clock.is_driven() => {
                let asked = self.clock.counter();
                let told = diesel::sql_query("SELECT clock_timestamp() AS now").get_result::<Now>(c)?.now;
                self.clock.follow(told, asked);
                told
            }
            _ => self.clock.now(),
        };
        Ok(*self.now.get_or_init(|| now))
    }
    /// Locks one row until the end of the transaction on PostgreSQL; SQLite's writer already holds the only lock.
    ///
    /// # Errors
    /// When the database fails.
    pub fn lock<K: 'static>(&mut self, table: &'static str, id: Id<K>) -> Result<(), StorageError> {
        if let Db::Postgres(c) = self.db {
            diesel::sql_query(format!("SELECT 1 FROM {table} WHERE id = $1 FOR UPDATE"))
                .bind::<sql::Key, _>(id)
                .execute(c)?;
        }
        Ok(())
    }
    /// Keeps one row from being changed until the end of the transaction, while others may hold it too.
    ///
    /// # Errors
    /// When the database fails.
    pub fn hold<K: 'static>(&mut self, table: &'static str, id: Id<K>) -> Result<(), StorageError> {
        if let Db::Postgres(c) = self.db {
            diesel::sql_query(format!("SELECT 1 FROM {table} WHERE id = $1 FOR SHARE"))
                .bind::<sql::Key, _>(id)
                .execute(c)?;
        }
        Ok(())
    }
    /// Rings for the couriers once this transaction has been committed.
    pub fn nudge(&mut self) {
        self.nudged = true;
    }
    /// Where the time comes from.
    pub(super) const fn clock(&self) -> &Clock {
        self.clock
    }
    pub(super) const fn was_nudged(&self) -> bool {
        self.nudged
    }
    /// The keys of the sealed columns and of everything derived from them.
    #[must_use]
    pub fn keys(&self) -> &Arc<Keyring> {
        &self.keys
    }
    /// Seals a value for `column` (`table.column`) of the row `row`; moved to another row it does not open.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn seal<T: Serialize + ?Sized>(
        &self,
        column: &'static str,
        row: impl std::fmt::Display,
        value: &T,
    ) -> Result<Vec<u8>, StorageError> {
        let plain = serde_json::to_vec(value).map_err(|error| StorageError::Broken(error.to_string()))?;
        self.keys.seal(column, &row.to_string(), &plain).map_err(|error| StorageError::Broken(error.to_string()))
    }
    /// Opens what `seal` closed.
    ///
    /// # Errors
    /// `Corrupt` when the bytes are not this row's, or the key is not ours.
    pub fn open<T: DeserializeOwned>(
        &self,
        column: &'static str,
        row: impl std::fmt::Display,
        sealed: &[u8],
    ) -> Result<T, StorageError> {
        self.keys.open_json(column, &row.to_string(), sealed)
    }
    /// The keyed index of a value: equal values give equal bytes, and nobody without the key can guess them.
    #[must_use]
    pub fn index(&self, field: &'static str, value: &str) -> Vec<u8> {
        self.keys.index(field, value)
    }
}
