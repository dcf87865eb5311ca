//! The pool, and the only two ways to the database: `read` and `write`, each a synchronous closure in one transaction.
//! As the closure is synchronous, nobody can await a mail server inside a transaction.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::pg::PgConnection;
use diesel::r2d2::{ManageConnection, Pool, R2D2Connection};
use diesel::sqlite::SqliteConnection;
use tokio::sync::Notify;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Db;
use super::Keyring;
use super::StorageError;
use super::Tx;
use super::migrations;
use super::pulse::Pulse;
use super::together::Together;
use crate::values::Clock;

/// What a commit means on SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Acknowledged means on the disk: `synchronous=FULL`, the only setting for real data.
    Full,
    /// Fast and forgetful: `synchronous=OFF`, for tests.
    Off,
}

/// Which database, parsed from its URL.
#[derive(Clone)]
pub enum Target {
    /// A file, by `sqlite:PATH`.
    Sqlite {
        /// Path of the file.
        path: String,
        /// What a commit means.
        durability: Durability,
    },
    /// A server, by `postgres://…`.
    Postgres(String),
}
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
impl Target {
    /// Reads `sqlite:PATH` or `postgres://…`. Anything else is refused: SQLite would open any text as a file.
    ///
    /// # Errors
    /// Says which forms exist.
    pub fn parse(url: &str, durability: Durability) -> Result<Self, String> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => {
                Ok(Self::Sqlite { path: path.trim_start_matches("//").to_owned(), durability })
            }
            _ => Err("the database URL must begin with sqlite: or postgres://".to_owned()),
        }
    }
    /// `sqlite` or `postgres`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

/// How long a writer of SQLite waits: for its turn in this process, and for the lock of another one with what is left of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// The least that is left for the lock of another process.
const PATIENCE_LEFT: Duration = Duration::from_secs(1);

/// What the way to the server must not do: swallow everything without a word. The kernel would wait a quarter of an hour,
/// and the server's own `statement_timeout` is of no use when its answer does not come through. Seconds, but for the
/// last, which are milliseconds. Whoever names one of them in the URL knows better.
const IMPATIENCE: [(&str, u32); 5] = [
    ("connect_timeout", 5),
    ("keepalives_idle", 5),
    ("keepalives_interval", 2),
    ("keepalives_count", 3),
    ("tcp_user_timeout", 10_000),
];
fn impatient(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in IMPATIENCE {
        if !url.contains(name) {
            let sign = if url.contains('?') { '&' } else { '?' };
            url.push_str(&format!("{sign}{name}={value}"));
        }
    }
    url
}

struct Manager(Target);
impl ManageConnection for Manager {
    type Connection = Db;
    type Error = diesel::r2d2::Error;
    fn connect(&self) -> Result<Db, Self::Error> {
        use diesel::r2d2::Error::{ConnectionError, QueryError};
        match &self.0 {
            Target::Sqlite { path, durability } => {
                let mut c = SqliteConnection::establish(path).map_err(ConnectionError)?;
                let synchronous = match durability {
                    Durability::Full => "FULL",
                    Durability::Off => "OFF",
                };
                // busy_timeout first: switching to WAL itself needs a lock.
                c.batch_execute(&format!(
                    "{}; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};
                     PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY;",
                    waits_for(PATIENCE),
                ))
                .map_err(QueryError)?;
                Ok(Db::Sqlite(c))
            }
            Target::Postgres(url) => {
                let mut c = PgConnection::establish(&impatient(url)).map_err(ConnectionError)?;
                // A process that froze in the middle of a transaction holds its rows no longer than a lease (accept M5).
                c.batch_execute("SET statement_timeout = '60s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '10s'; SET timezone = 'UTC'")
                    .map_err(QueryError)?;
                Ok(Db::Postgres(c))
            }
        }
    }
    fn is_valid(&self, db: &mut Db) -> Result<(), Self::Error> {
        db.ping().map_err(diesel::r2d2::Error::QueryError)
    }
    fn has_broken(&self, db: &mut Db) -> bool {
        std::thread::panicking() || db.is_broken()
    }
}

/// The database of this installation: cheap to clone, shared by all threads.
#[derive(Clone)]
pub struct Database {
    pool: Pool<Manager>,
    clock: Clock,
    keys: Arc<Keyring>,
    bell: Arc<Notify>,
    pub(super) together: Arc<Together>,
    pub(super) pulse: Pulse,
    /// The embedded database has one writer, and whoever waits there is served by chance: a courier that begins anew at once
    /// would keep an approval waiting for seconds. So its writers queue here, first come, first served.
    turn: Option<Arc<Semaphore>>,
    /// The file of an embedded one.
    pub(super) file: Option<Arc<Path>>,
    name: &'static str,
}
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.name).finish()
    }
}

/// Carries an error of the work or of the database out of diesel's transaction.
enum Either<E> {
    Work(E),
    Diesel(diesel::result::Error),
}
impl<E> From<diesel::result::Error> for Either<E> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Diesel(error)
    }
}

impl Database {
    /// Opens the pool and brings the schema up to date.
    ///
    /// # Errors
    /// When the database cannot be reached, migrated, or was made by a newer version.
    pub fn open(
        target: &Target,
        connections: u32,
        clock: Clock,
        keys: Arc<Keyring>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let pool = Pool::builder()
            .max_size(connections)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(2))
            // A connection found dead is replaced before it is handed out, so an outage ends by itself.
            .test_on_check_out(matches!(target, Target::Postgres(_)))
            .build(Manager(target.clone()))?;
        migrations::migrate(&mut *pool.get()?)?;
        let bell = Arc::new(Notify::new());
        let file = match target {
            Target::Sqlite { path, .. } => Some(Arc::from(Path::new(path))),
            Target::Postgres(_) => None,
        };
        let database = Self {
            pool,
            clock,
            keys,
            bell,
            together: Arc::default(),
            turn: matches!(target, Target::Sqlite { .. }).then(|| Arc::new(Semaphore::new(1))),
            pulse: Pulse::default(),
            file,
            name: target.name(),
        };
        database.take_bearings()?;
        Ok(database)
    }
    /// `sqlite` or `postgres`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
    /// Whether two transactions that change different rows gain by running at once: a server has a process for each.
    #[must_use]
    pub fn writes_side_by_side(&self) -> bool {
        self.name == "postgres"
    }
    /// The clock of this installation.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }
    /// The keys of the sealed columns.
    #[must_use]
    pub const fn keys(&self) -> &Arc<Keyring> {
        &self.keys
    }
    /// Connections that are open, and how many of them nobody uses.
    #[must_use]
    pub fn connections(&self) -> (u32, u32) {
        let state = self.pool.state();
        (state.connections, state.idle_connections)
    }
    /// Connections that may be open at once.
    #[must_use]
    pub fn connections_most(&self) -> u32 {
        self.pool.max_size()
    }
    /// Rings after every committed transaction that asked for it (`Tx::nudge`).
    #[must_use]
    pub const fn bell(&self) -> &Arc<Notify> {
        &self.bell
    }
    /// Work that only reads, in one transaction. SQLite shows all of it the same moment; PostgreSQL shows each statement
    /// what was committed when it began. Blocks: call `reading` from async code.
    ///
    /// # Errors
    /// The work's own, or what the database says.
    #[expect(clippy::disallowed_methods, reason = "with `in_writing_transaction` the only place where one is opened")]
    pub fn read<T, E: From<StorageError>>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut db = self.pool.get().map_err(|_| StorageError::Busy)?;
        db.transaction(|db| work(&mut Tx::new(db, &self.clock, Arc::clone(&self.keys))).map_err(Either::Work)).map_err(
            |error| match error {
                Either::Work(error) => error,
                Either::Diesel(error) => StorageError::from(error).into(),
            },
        )
    }
    /// Work that writes, in one transaction: all of it or nothing. Blocks: call `writing` from async code.
    ///
    /// # Errors
    /// The work's own, or what the database says.
    pub fn write<T, E: From<StorageError>>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.write_within(PATIENCE, work)
    }
    fn write_within<T, E: From<StorageError>>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut db = self.pool.get().map_err(|_| StorageError::Busy)?;
        let mut nudged = false;
        let done = in_writing_transaction(&mut db, patience, |db| {
            let mut tx = Tx::new(db, &self.clock, Arc::clone(&self.keys));
            let done = work(&mut tx).map_err(Either::Work);
            nudged = tx.was_nudged();
            done
        });
        match done {
            Ok(done) => {
                if nudged {
                    self.bell.notify_waiters();
                }
                Ok(done)
            }
            Err(Either::Work(error)) => Err(error),
            Err(Either::Diesel(error)) => Err(StorageError::from(error).into()),
        }
    }
    /// `read` on a thread of its own.
    ///
    /// # Errors
    /// As `read`; a panic inside is `Broken`.
    pub async fn reading<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let database = self.clone();
        joined(tokio::task::spawn_blocking(move || database.read(work)).await)
    }
    /// `write` on a thread of its own.
    ///
    /// # Errors
    /// As `write`; a panic inside is `Broken`, and nothing was written. `Busy` when others wrote all the time.
    pub async fn writing<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let begun = Instant::now();
        let turn = match &self.turn {
            Some(turn) => match timeout(PATIENCE, Arc::clone(turn).acquire_owned()).await {
                Ok(Ok(turn)) => Some(turn),
                Ok(Err(_)) | Err(_) => return Err(StorageError::Busy.into()),
            },
            None => None,
        };
        let database = self.clone();
        let work = move || {
            // Held to the end, even if nobody waits for it any more.
            let _turn = turn;
            database.write_within(PATIENCE.saturating_sub(begun.elapsed()).max(PATIENCE_LEFT), work)
        };
        joined(tokio::task::spawn_blocking(work).await)
    }
}

fn joined<T, E: From<StorageError>>(outcome: Result<Result<T, E>, tokio::task::JoinError>) -> Result<T, E> {
    outcome.unwrap_or_else(|_| Err(StorageError::Broken("the work stopped in the middle".to_owned()).into()))
}

fn waits_for(patience: Duration) -> String {
    format!("PRAGMA busy_timeout = {}", patience.as_millis())
}
/// SQLite takes the write lock at once (BEGIN IMMEDIATE): a deferred transaction that reads first and writes later
/// fails with "database is locked" without waiting for the busy timeout.
#[expect(clippy::disallowed_methods, reason = "the one place where a transaction is opened")]
fn in_writing_transaction<T, E>(
    db: &mut Db,
    patience: Duration,
    work: impl FnOnce(&mut Db) -> Result<T, Either<E>>,
) -> Result<T, Either<E>> {
    if let Db::Sqlite(c) = db {
        let is_pressed = patience < PATIENCE.saturating_sub(PATIENCE_LEFT);
        if is_pressed {
            c.batch_execute(&waits_for(patience))?;
        }
        let begun = AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE");
        if is_pressed {
            c.batch_execute(&waits_for(PATIENCE))?;
        }
        begun?;
        return match work(db) {
            Ok(done) => {
                <Db as TransactionManager<Db>>::commit_transaction(db)?;
                Ok(done)
            }
            Err(error) => match <Db as TransactionManager<Db>>::rollback_transaction(db) {
                Ok(()) | Err(diesel::result::Error::BrokenTransactionManager) => Err(error),
                Err(rollback) => Err(rollback.into()),
            },
        };
    }
    db.transaction(work)
}
