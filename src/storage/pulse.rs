//! Can anything be written just now? Tried by writing: a full or read-only disk still reads, and answers to everything that
//! changes nothing. One small row, however often it is asked; and room for more than that must be left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use tokio::sync::{Mutex, oneshot};

use super::Database;
use super::StorageError;
use super::Tx;
use super::schema::duty_marks;
use crate::on_either;

/// The row, among the marks of the duties.
const MARK: &str = "pulse";
/// What was found counts for so long,
const FRESH: Duration = Duration::from_secs(2);
/// and for so long when it was bad: whoever mends it wants to know.
const FRESH_WHEN_BAD: Duration = Duration::from_millis(500);
/// Whoever asks is not kept waiting for longer: a database that is not written to by then takes no message either.
const PATIENCE: Duration = Duration::from_secs(3);

/// Less room on the disk than a message to ten thousand takes: a small row may still find a place where no message does.
const ROOM: u64 = 8 * 1024 * 1024;

/// What was found last, and when.
type Last = Option<(Instant, Result<(), StorageError>)>;
#[derive(Debug, Default, Clone)]
pub(super) struct Pulse(Arc<Mutex<Last>>);

/// What still counts of what was found before.
fn still_counts(last: &Last) -> Option<Result<(), StorageError>> {
    let (at, found) = last.as_ref()?;
    let fresh = if found.is_ok() { FRESH } else { FRESH_WHEN_BAD };
    (at.elapsed() < fresh).then(|| found.clone())
}
fn touch(tx: &mut Tx<'_>) -> Result<(), StorageError> {
    let now = tx.now()?;
    on_either!(tx, |c| diesel::insert_into(duty_marks::table)
        .values((duty_marks::duty.eq(MARK), duty_marks::reached_at.eq(now)))
        .on_conflict(duty_marks::duty)
        .do_update()
        .set(duty_marks::reached_at.eq(now))
        .execute(c))?;
    Ok(())
}

impl Database {
    /// Bytes that are free on the disk of an embedded database; a server looks after its own.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(self.file.as_deref()?).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
    /// Writes one row, unless that was done a moment ago: then what was found counts. One try at a time; whoever asks
    /// meanwhile waits for it.
    ///
    /// # Errors
    /// What the database says; `Busy` when it says nothing for three seconds.
    pub async fn takes_writes(&self) -> Result<(), StorageError> {
        let database = self.clone();
        let asked = async move {
            let mut last = Arc::clone(&database.pulse.0).lock_owned().await;
            if let Some(found) = still_counts(&last) {
                return found;
            }
            let (tell, told) = oneshot::channel();
            // Goes on when whoever asked has gone, and nobody tries beside it: a stuck database is not asked ever more.
            tokio::spawn(async move {
                let found = match database.free_bytes() {
                    Some(free) if free < ROOM => Err(StorageError::Away(format!("{free} bytes are free on the disk"))),
                    _ => database.writing(touch).await,
                };
                *last = Some((Instant::now(), found.clone()));
                drop(last);
                let _ = tell.send(found);
            });
            told.await.unwrap_or(Err(StorageError::Busy))
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(StorageError::Busy))
    }
}
