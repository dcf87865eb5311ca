//! The record of what was allowed and what was refused: in the work's own transaction for a write, by a writer that
//! commits in groups for refusals and for reads marked for audit.

use diesel::prelude::*;
use tokio::sync::{mpsc, oneshot};

use super::permission::Permission;
use crate::on_either;
use crate::storage::Database;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::decisions;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

crate::words! {
    /// What was decided.
    pub enum Outcome {
        /// Yes.
        Allowed = "allowed",
        /// No; the target was not shown to exist.
        Hidden = "hidden",
        /// No.
        Forbidden = "forbidden",
        /// A fresh proof of identity was asked for.
        StepUp = "step_up",
    }
}

/// One decision to be recorded. Holds no personal data: who (pseudonymous id), what, where, outcome.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = decisions, treat_none_as_default_value = false)]
pub(super) struct NewDecision {
    pub(super) decided_at: Timestamp,
    pub(super) request_id: String,
    pub(super) account_id: Option<Id<of::Account>>,
    pub(super) session_id: Option<Id<of::Session>>,
    pub(super) grant_id: Option<Id<of::Grant>>,
    pub(super) permission: Permission,
    pub(super) place: String,
    pub(super) target: String,
    pub(super) outcome: Outcome,
}

pub(super) fn record(tx: &mut Tx<'_>, decision: &NewDecision) -> Result<(), StorageError> {
    on_either!(tx, |c| diesel::insert_into(decisions::table).values(decision).execute(c))?;
    Ok(())
}

enum Entry {
    Decision(Box<NewDecision>),
    Flush(oneshot::Sender<()>),
}

/// The group-committing writer. Cheap to clone.
#[derive(Clone)]
pub struct Recorder(mpsc::Sender<Entry>);
impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}
/// So many may wait to be written before askers wait too.
const WAITING_MAX: usize = 10_000;
/// So many go into one commit.
const GROUP_MAX: usize = 500;

impl Recorder {
    /// Starts the writer on the current runtime.
    #[must_use]
    pub fn start(database: Database) -> Self {
        let (sender, mut receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            let mut group = Vec::new();
            while receiver.recv_many(&mut group, GROUP_MAX).await > 0 {
                let (mut rows, mut waiting) = (Vec::new(), Vec::new());
                for entry in group.drain(..) {
                    match entry {
                        Entry::Decision(decision) => rows.push(*decision),
                        Entry::Flush(done) => waiting.push(done),
                    }
                }
                write(&database, rows).await;
                for done in waiting {
                    let _ = done.send(());
                }
            }
        });
        Self(sender)
    }
    pub(super) async fn record(&self, decision: NewDecision) {
        // Only fails when the writer is gone, which is at the end of the process.
        let _ = self.0.send(Entry::Decision(Box::new(decision))).await;
    }
    /// Waits until everything recorded so far is in the database.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.0.send(Entry::Flush(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

/// Writes a group; while the database is away the group waits, a few times, and is then named in the log.
async fn write(database: &Database, rows: Vec<NewDecision>) {
    if rows.is_empty() {
        return;
    }
    for pause_ms in [0_u64, 100, 1_000, 5_000, 15_000] {
        tokio::time::sleep(std::time::Duration::from_millis(pause_ms)).await;
        let group = rows.clone();
        let written = database
            .writing(move |tx| {
                on_either!(tx, |c| diesel::insert_into(decisions::table).values(&group).execute(c))
                    .map_err(StorageError::from)
            })
            .await;
        match written {
            Ok(_) => return,
            Err(error) => tracing::warn!(%error, "decisions could not be recorded yet"),
        }
    }
    tracing::error!(count = rows.len(), "decisions were not recorded");
}
