//! A fresh database for each test: a file on SQLite, a clone of a migrated template on PostgreSQL.

use std::sync::{Arc, Mutex, OnceLock};

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use vigie::storage::{Database, Durability, Keyring, Target};
use vigie::values::Clock;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// The same keys for every test of this process.
pub fn keys() -> Arc<Keyring> {
    static KEYS: OnceLock<Arc<Keyring>> = OnceLock::new();
    Arc::clone(KEYS.get_or_init(|| Arc::new(Keyring::parse(&Keyring::fresh_file()).unwrap())))
}

/// The server that `scripts/test` started. Without it the tests fail: none passes by being skipped.
#[expect(clippy::disallowed_methods, reason = "where the server listens is decided outside")]
pub fn server_url() -> String {
    std::env::var("VIGIE_TEST_POSTGRES").expect("run the tests with scripts/test: it starts a PostgreSQL of its own")
}
fn at(database: &str) -> String {
    let server = server_url();
    let (base, _) = server.rsplit_once('/').expect("a URL with a database");
    format!("{base}/{database}")
}
fn administer(sql: &str) {
    PgConnection::establish(&server_url())
        .expect("the test server")
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}
fn template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = format!("template_{}", std::process::id());
        administer(&format!("CREATE DATABASE {name}"));
        drop(Database::open(&Target::Postgres(at(&name)), 1, Clock::system(), keys()).expect("the template"));
        // The pool closes its connections on threads of its own.
        administer(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
        name
    })
}

/// A database that is gone when the test is over.
pub struct TestDatabase {
    pub database: Database,
    #[allow(dead_code, reason = "the process tests start a binary on it")]
    pub url: String,
    _folder: Option<tempfile::TempDir>,
    postgres: Option<String>,
}
impl TestDatabase {
    pub fn fresh(kind: Kind, clock: Clock, durability: Durability) -> Self {
        let (url, folder, postgres) = match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                (format!("sqlite:{}", folder.path().join("test.sqlite").display()), Some(folder), None)
            }
            Kind::Postgres => {
                let name = format!("test_{}", uuid::Uuid::from_bytes(vigie::storage::random_bytes()).simple());
                // One at a time: PostgreSQL copies a template only while nobody else does.
                static ONE: Mutex<()> = Mutex::new(());
                let _turn = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                administer(&format!("CREATE DATABASE {name} TEMPLATE {}", template()));
                (at(&name), None, Some(name))
            }
        };
        let target = Target::parse(&url, durability).unwrap();
        let database = Database::open(&target, 6, clock, keys()).expect("a fresh database");
        Self { database, url, _folder: folder, postgres }
    }
}
impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(name) = &self.postgres {
            // The cluster is thrown away after the run; a database that lingers does no harm.
            if let Ok(mut c) = PgConnection::establish(&server_url()) {
                let _ = c.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            }
        }
    }
}
