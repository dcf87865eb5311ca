//! Small writes of many at once, such as the reports of a gateway: whatever came while one commit ran shares the next.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::sync::oneshot;

use super::Database;
use super::StorageError;
use super::Tx;

/// Pieces of work in one transaction at most.
const GROUP: usize = 500;

/// Work, and how its author is told once it is committed.
type Told = Box<dyn FnOnce() + Send>;
type Job = Box<dyn FnOnce(&mut Tx<'_>) -> Result<Told, StorageError> + Send>;

/// What waits for the next commit, and whose turn it is to make it.
#[derive(Default)]
pub(super) struct Together {
    waiting: Mutex<Vec<(i64, Job)>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Database {
    /// As `writing`, in one transaction with whatever else waits at this moment. For work that refuses nothing: where one
    /// piece fails, none of its neighbours is kept either, and all of them may come again. The pieces of a group are done in
    /// the order of the rows they lock, as everybody does it, so that nobody waits in a circle. What a piece locks besides
    /// its row (the faults that a report forgives) has no order: should two nodes meet there, PostgreSQL ends one group.
    ///
    /// # Errors
    /// What the database says; `Busy` when a neighbour failed.
    pub async fn writing_together<T: Send + 'static>(
        &self,
        row: i64,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (tell, mut told) = oneshot::channel();
        let together = Arc::clone(&self.together);
        let job: Job = Box::new(move |tx| {
            let done = work(tx)?;
            // Whoever asked may have gone; what was written stays.
            let told: Told = Box::new(move || drop(tell.send(done)));
            Ok(told)
        });
        together.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((row, job));
        loop {
            tokio::select! {
                biased;
                done = &mut told => return done.map_err(|_| StorageError::Busy),
                turn = Arc::clone(&together.turn).lock_owned() => {
                    // In a task of its own: whoever makes the commit may hang up, and the others still wait for it.
                    let database = self.clone();
                    let commit = tokio::spawn(async move {
                        let _turn = turn;
                        database.commit_together().await;
                    });
                    commit.await.map_err(|_| StorageError::Busy)?;
                }
            }
        }
    }
    async fn commit_together(&self) {
        let mut jobs: Vec<(i64, Job)> = {
            let mut waiting = self.together.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let many = waiting.len().min(GROUP);
            waiting.drain(..many).collect()
        };
        if jobs.is_empty() {
            return;
        }
        let count = jobs.len();
        jobs.sort_by_key(|(row, _)| *row);
        let all = move |tx: &mut Tx<'_>| {
            jobs.into_iter().map(|(_, job)| job(tx)).collect::<Result<Vec<Told>, StorageError>>()
        };
        match self.writing(all).await {
            Ok(done) => done.into_iter().for_each(|told| told()),
            Err(error) => tracing::warn!(%error, count, "a group of small writes was not kept"),
        }
    }
}
