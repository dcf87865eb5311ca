//! What the background does with messages: those whose last delivery is settled are closed, those nobody passed on expire.

use std::time::Duration;

use super::dispatched;
use super::lifecycle::Message;
use super::message::Status;
use super::store::{self, Change, Event};
use crate::delivery::{self, State};
use crate::storage::StorageError;
use crate::storage::Tx;

/// What the police approved waits so long for the coordinator (domain C6).
const RELEASE_WITHIN: Duration = Duration::from_secs(14 * 24 * 3600);

/// Closes every message whose deliveries are all settled. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn close_dispatched(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let done = dispatched::dispatched(tx)?;
    let now = tx.now()?;
    let mut closed = 0;
    for (loaded, version) in &done {
        let Message::Dispatching(message) = &loaded.message else { continue };
        // Whoever calls up another channel, or puts back what is dead, holds it meanwhile.
        tx.lock("messages", message.facts().id)?;
        let progress = delivery::progress(tx, version.uuid())?;
        // Approved between the two looks: it is only beginning to leave.
        if progress.keys().any(|(_, state)| !state.is_final()) {
            continue;
        }
        let missed: i64 = progress
            .iter()
            .filter(|((_, state), _)| matches!(state, State::Failed | State::Expired))
            .map(|(_, count)| *count)
            .sum();
        let to = if missed == 0 { Status::Completed } else { Status::CompletedWithFailures };
        let change = Change { status: Some(to), completed_at: Some(Some(now)), ..Change::default() };
        let event = Event { by: None, event: "completed", from: Status::Dispatching, to, hash: "", reason: None };
        closed += usize::from(store::save(tx, message.facts(), &change, &event)?);
    }
    Ok(closed)
}

/// Ends what the police approved and nobody passed on. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn expire_unreleased(tx: &mut Tx<'_>) -> Result<usize, StorageError> {
    let before = tx.now()?.minus(RELEASE_WITHIN);
    let mut expired = 0;
    for loaded in store::unreleased(tx, before)? {
        let change = Change { status: Some(Status::Expired), ..Change::default() };
        let event = Event {
            by: None,
            event: "expired",
            from: Status::AwaitingRelease,
            to: Status::Expired,
            hash: "",
            reason: None,
        };
        expired += usize::from(store::save(tx, loaded.message.facts(), &change, &event)?);
    }
    Ok(expired)
}
