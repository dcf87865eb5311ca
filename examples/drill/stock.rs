//! What the other parts share: the database behind the settings, the time, and the town's file.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vigie::config::Config;
use vigie::storage::{Database, Durability, Keyring, StorageError, Target};
use vigie::values::{Clock, Id, of};

/// What is needed to drive a town; readable by its owner only, as it holds the password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Town {
    pub(crate) partnership: Id<of::Partnership>,
    pub(crate) plan_number: i32,
    pub(crate) members: u32,
    pub(crate) coordinator: String,
    pub(crate) officer: String,
    pub(crate) password: String,
}
impl Town {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not the file of a town", path.display()))
    }
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .with_context(|| format!("{}", path.display()))?;
        Ok(file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?)
    }
}

/// Microseconds since 1970, by the clock that the server on this machine reads too.
pub(crate) fn now() -> i64 {
    Clock::system().now().micros()
}
/// Microseconds as milliseconds, to the microsecond.
#[expect(clippy::cast_precision_loss, reason = "spans of minutes, not of centuries")]
pub(crate) fn millis(micros: i64) -> f64 {
    micros as f64 / 1000.0
}

/// The database of the settings, with the keys that the server made or was given. Nothing is written to it here, so that
/// looking on does not disturb what is measured; it must have been made by `town` or by the server.
pub(crate) fn open(config: &Config) -> anyhow::Result<Database> {
    let file = if config.keys_file.is_empty() {
        Path::new(&config.data_dir).join("keys")
    } else {
        Path::new(&config.keys_file).to_owned()
    };
    let text = std::fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
    let keys = Arc::new(Keyring::parse(&text)?);
    let url = config.database.url.replace("{data_dir}", &config.data_dir);
    let target = Target::parse(&url, Durability::Full).map_err(anyhow::Error::msg)?;
    Database::open(&target, 2, Clock::system(), keys).map_err(|error| anyhow::anyhow!("the database: {error}"))
}

/// Carries any failure out of a transaction.
pub(crate) struct Failed(pub(crate) anyhow::Error);
impl From<StorageError> for Failed {
    fn from(error: StorageError) -> Self {
        Self(error.into())
    }
}
impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}
impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self(StorageError::from(error).into())
    }
}

/// The name that a delivery's seal is bound to, and that its identity is made of.
pub(crate) fn row_name(batch: Uuid, person: Id<of::Person>, channel: &str) -> String {
    format!("{batch}/{person}/{channel}")
}
