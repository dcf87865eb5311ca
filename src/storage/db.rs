//! A connection to either database.
#![allow(missing_docs, reason = "diesel's derive writes items without documentation")]

use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Db {
    /// The embedded database of one municipality.
    Sqlite(SqliteConnection),
    /// The database of a country, shared by several nodes.
    Postgres(PgConnection),
}
