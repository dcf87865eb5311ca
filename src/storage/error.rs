//! What can go wrong below the domain: broken, busy, or a constraint said no.

use diesel::result::{DatabaseErrorKind, Error};

/// A named promise of the schema that a write would have broken. Mapped here once, as SQLite names columns and
/// PostgreSQL names constraints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint(String);

impl Constraint {
    /// Is it the unique index or constraint of this name over these columns?
    ///
    /// `name` is what PostgreSQL reports; `columns` is what SQLite reports, such as
    /// `memberships.partnership_id, memberships.person_id`.
    #[must_use]
    pub fn is(&self, name: &str, columns: &str) -> bool {
        self.0 == name
            || self.0 == format!("UNIQUE constraint failed: {columns}")
            || self.0 == format!("UNIQUE constraint failed: index '{name}'")
    }
}

/// What the databases say when they, their disk or the way to them are at fault and not what was asked: an operator must
/// do something, and then the same request succeeds. The disk's own words come through from the operating system.
const AWAY: [&str; 15] = [
    "disk is full",
    "No space left",
    "readonly database",
    "disk I/O",
    "unable to open database file",
    "Read-only file system",
    "Input/output error",
    "Disk quota exceeded",
    "Too many open files",
    "could not fsync",
    "the database system is",
    "too many clients",
    "server closed the connection",
    "terminating connection",
    "connection to server",
];

/// Why the database did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// No connection came free in time, or another transaction was in the way: try again.
    #[error("the database is busy")]
    Busy,
    /// The database cannot be reached, is full or is read-only: try again later.
    #[error("the database is away: {0}")]
    Away(String),
    /// Something with this unique value exists already.
    #[error("a unique constraint said no")]
    Unique(Constraint),
    /// A row refers to something that does not exist, or a check failed.
    #[error("a constraint said no: {0}")]
    Refused(String),
    /// A text holds what the database cannot store, such as a zero byte.
    #[error("a text cannot be stored")]
    Unstorable,
    /// A row cannot be read as what it should be.
    #[error("corrupt row: {0}")]
    Corrupt(String),
    /// Anything else: a fault of ours.
    #[error("the database failed: {0}")]
    Broken(String),
}

impl From<Error> for StorageError {
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseError(kind, information) => {
                let message = information.message();
                match kind {
                    DatabaseErrorKind::UniqueViolation => {
                        Self::Unique(Constraint(information.constraint_name().unwrap_or(message).to_owned()))
                    }
                    DatabaseErrorKind::SerializationFailure => Self::Busy,
                    DatabaseErrorKind::ForeignKeyViolation
                    | DatabaseErrorKind::NotNullViolation
                    | DatabaseErrorKind::CheckViolation => {
                        Self::Refused(information.constraint_name().unwrap_or(message).to_owned())
                    }
                    DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::ReadOnlyTransaction
                    | DatabaseErrorKind::UnableToSendCommand => Self::Away(message.to_owned()),
                    _ if [
                        "database is locked",
                        "deadlock",
                        "canceling statement due to lock timeout",
                        "canceling statement due to statement timeout",
                    ]
                    .iter()
                    .any(|said| message.contains(said)) =>
                    {
                        Self::Busy
                    }
                    _ if message.contains("invalid byte sequence") => Self::Unstorable,
                    _ if AWAY.iter().any(|said| message.contains(said)) => Self::Away(message.to_owned()),
                    _ => Self::Broken(message.to_owned()),
                }
            }
            Error::DeserializationError(reason) => Self::Corrupt(reason.to_string()),
            Error::BrokenTransactionManager => Self::Away("the connection broke inside a transaction".to_owned()),
            other => Self::Broken(other.to_string()),
        }
    }
}
