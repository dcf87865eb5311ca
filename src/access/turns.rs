//! Turns for those who read: however many ask at once, some connections are left for those who write. So an urgent message
//! is approved while everybody looks at lists (promise R9).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::storage::StorageError;

/// Connections that no reader of the API takes.
const FOR_WRITERS: usize = 2;
/// So many read at once for each core: more would only take the cores from those who write.
const EACH_CORE: usize = 2;
/// Whoever waits longer for a turn is told to come back.
const PATIENCE: Duration = Duration::from_secs(2);

/// The turns of one process.
#[derive(Debug, Clone)]
pub(super) struct Turns(Arc<Semaphore>);
/// A turn; over when it is dropped.
pub(super) type Turn = OwnedSemaphorePermit;

impl Turns {
    /// For a pool of so many connections.
    pub(super) fn of(connections: u32) -> Self {
        let connections = usize::try_from(connections).unwrap_or(usize::MAX);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let turns = connections.saturating_sub(FOR_WRITERS).min(cores.saturating_mul(EACH_CORE)).max(1);
        Self(Arc::new(Semaphore::new(turns)))
    }
    /// Waits for a turn, in the order of coming.
    pub(super) async fn wait(&self) -> Result<Turn, StorageError> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(StorageError::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_too_long_is_told_to_come_back() {
        let turns = Turns::of(3);
        let first = turns.wait().await.unwrap();
        assert!(matches!(turns.wait().await, Err(StorageError::Busy)), "two of three are for those who write");
        drop(first);
        assert!(turns.wait().await.is_ok());
        assert!(Turns::of(1).wait().await.is_ok(), "one at least");
    }
}
