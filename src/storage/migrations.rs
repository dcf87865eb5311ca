//! Migrations of both databases, embedded; a binary refuses to serve a schema it does not know.

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Db;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// The key of the advisory lock under which one node migrates while the others wait.
const MIGRATING: i64 = 0x0056_4947_4945;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Brings the schema up to date; the same on every node, one at a time.
pub(super) fn migrate(db: &mut Db) -> Result<(), Failure> {
    match db {
        Db::Sqlite(c) => step_by_step(c, SQLITE)?,
        Db::Postgres(c) => {
            c.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATING})"))?;
            let done = step_by_step(c, POSTGRES);
            c.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATING})"))?;
            done?;
        }
    }
    refuse_a_future(db)
}

/// Each in a transaction of its own: whoever dies in the middle leaves whole steps, and the next start goes on behind them.
fn step_by_step<B: Backend>(db: &mut impl MigrationHarness<B>, source: EmbeddedMigrations) -> Result<(), Failure> {
    for step in db.pending_migrations(source)? {
        db.run_migration(&step)?;
        crate::dies_at!("migrate.mid");
    }
    Ok(())
}

/// A schema with a migration this binary does not hold was made by a newer one.
fn refuse_a_future(db: &mut Db) -> Result<(), Failure> {
    let (applied, known) = match db {
        Db::Sqlite(c) => (
            c.applied_migrations()?.iter().map(ToString::to_string).collect::<Vec<_>>(),
            names::<diesel::sqlite::Sqlite>(&SQLITE)?,
        ),
        Db::Postgres(c) => (
            c.applied_migrations()?.iter().map(ToString::to_string).collect::<Vec<_>>(),
            names::<diesel::pg::Pg>(&POSTGRES)?,
        ),
    };
    match applied.iter().find(|version| !known.contains(version)) {
        Some(version) => Err(format!(
            "the database has migration {version}, which this version of Vigie does not know: start the newer version"
        )
        .into()),
        None => Ok(()),
    }
}
fn names<B: Backend>(source: &EmbeddedMigrations) -> Result<Vec<String>, Failure> {
    let migrations: Vec<Box<dyn Migration<B>>> = source.migrations()?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}
