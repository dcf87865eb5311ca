//! The other channel takes over: where what is not urgent was refused or came too late on the channel that a member prefers,
//! it goes out on the other one, under the rules of a release. Decided from the rows alone, so a restart loses nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::approvals;
use super::audience::{PlannedFate, reckon_reserves};
use super::lifecycle::Message;
use super::message::{Class, Status};
use super::preview::Listeners;
use super::rules;
use super::store::{self, Change, Event, Loaded};
use super::versions::{self, Version};
use crate::delivery::{self, Channel, InReserve};
use crate::partnerships;
use crate::storage::Database;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Language;
use crate::values::Timestamp;
use crate::values::of;

/// How far back one looks for what failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// What has just failed: for every second.
    Recent,
    /// A week, as long as addresses are kept: for every minute, for what a node that died left behind.
    All,
}
impl Look {
    const fn back(self) -> Duration {
        match self {
            Self::Recent => Duration::from_secs(120),
            Self::All => Duration::from_secs(7 * 24 * 3600),
        }
    }
}

/// Calls up the other channel of everybody whom the first one failed; each batch in a transaction of its own, so many rows
/// at most in one, and all of them whatever becomes of the others. Returns how many deliveries were called up.
///
/// # Errors
/// The first fault, after all have had their turn.
pub async fn take_over(database: &Database, look: Look) -> Result<usize, StorageError> {
    let batches = database
        .reading(move |tx| {
            let since = tx.now()?.minus(look.back());
            delivery::batches_with_reserves(tx, since)
        })
        .await?;
    let (mut called, mut outcome) = (0, Ok(()));
    for batch in batches {
        match database.writing(move |tx| take_over_in(tx, batch)).await {
            Ok(of_batch) => called += of_batch,
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    outcome.map(|()| called)
}

/// One batch. Of two nodes at once the second waits for the row of the message, and finds nothing left to do.
fn take_over_in(tx: &mut Tx<'_>, batch: Uuid) -> Result<usize, StorageError> {
    let Some(id) = approvals::message_of_batch(tx, batch)? else { return Ok(0) };
    tx.lock("messages", id)?;
    let missing = || StorageError::Corrupt(format!("message {id} is missing"));
    let loaded = store::find(tx, id)?.ok_or_else(missing)?;
    let missed = delivery::reserves_of(tx, batch)?;
    if missed.is_empty() {
        return Ok(0);
    }
    let version = versions::load_version(tx, id, loaded.message.facts().current_version)?;
    // What the police approved is what leaves: these bytes and no others (ruling 6).
    let approved = approvals::approved_under(tx, id)?.is_some_and(|(hash, _)| hash == version.hash);
    if !approved || version.id.uuid() != batch {
        return Err(StorageError::Corrupt(format!("message {id} is not what was approved")));
    }
    let fates = decide(tx, &loaded, &version, &missed)?;
    act(tx, &loaded, &version, fates)
}

/// What becomes of each.
fn decide(
    tx: &mut Tx<'_>,
    loaded: &Loaded,
    version: &Version,
    missed: &[InReserve],
) -> Result<Vec<(InReserve, PlannedFate)>, StorageError> {
    let facts = loaded.message.facts();
    let nobody = |reason| missed.iter().map(|row| (*row, PlannedFate::LeftOut(reason))).collect();
    if !loaded.message.status().can_be_requeued() {
        return Ok(nobody("message_stopped"));
    }
    let Some(until) = loaded.valid_until.filter(|_| facts.class == Class::NonUrgent) else {
        return Ok(nobody("not_non_urgent"));
    };
    let status = partnerships::find_partnership(tx, facts.partnership)?.map(|partnership| partnership.status);
    let plan = partnerships::plan_in_force(tx, facts.partnership)?;
    let (Some(status), Some((_, plan))) = (status, plan) else { return Ok(nobody("not_in_plan")) };
    let decided_at = loaded.decided_at.unwrap_or(facts.created_at);
    if let Err(refusal) = rules::may_requeue(facts, status, store::superseded(tx, facts, decided_at)?) {
        return Ok(nobody(refusal.code()));
    }
    let listeners = Listeners::of(tx, facts, version)?;
    let setting = listeners.setting(facts, version, &plan, (tx.now()?, until));
    let given = delivery::given(tx, version.id.uuid())?;
    Ok(reckon_reserves(&listeners.members, &setting, &given, missed))
}

/// Writes it down.
fn act(
    tx: &mut Tx<'_>,
    loaded: &Loaded,
    version: &Version,
    fates: Vec<(InReserve, PlannedFate)>,
) -> Result<usize, StorageError> {
    let batch = version.id.uuid();
    let (mut called, mut left_out) = (0, BTreeMap::<&str, Vec<i64>>::new());
    for (row, fate) in fates {
        match fate {
            PlannedFate::LeftOut(reason) => left_out.entry(reason).or_default().push(row.id),
            PlannedFate::Goes { address, language, at } => {
                let content = approved_content(tx, version, language, row.channel)?;
                called += usize::from(delivery::call_up(tx, batch, row, content, (&address, at))?);
            }
        }
    }
    for (reason, rows) in left_out {
        delivery::leave_out(tx, &rows, reason)?;
    }
    if called > 0 {
        goes_on(tx, &loaded.message, version)?;
    }
    Ok(called)
}
/// The approved bytes of a language and channel, kept already or from now on.
fn approved_content(
    tx: &mut Tx<'_>,
    version: &Version,
    language: Language,
    channel: Channel,
) -> Result<Id<of::Content>, StorageError> {
    let batch = version.id.uuid();
    if let Some(id) = delivery::content_of(tx, batch, language, channel)? {
        return Ok(id);
    }
    let bodies = version.rendered.get(&language).ok_or_else(|| {
        StorageError::Corrupt(format!("version {} is not rendered in {}", version.id, language.as_str()))
    })?;
    delivery::put_content(tx, batch, language, channel, bodies.body(channel))
}
/// A message that was complete is going out again; its trail says why.
fn goes_on(tx: &mut Tx<'_>, message: &Message, version: &Version) -> Result<(), StorageError> {
    let (from, to) = (message.status(), Status::Dispatching);
    if from == to {
        return Ok(());
    }
    let change = Change { status: Some(to), completed_at: Some(None::<Timestamp>), ..Change::default() };
    let event = Event { by: None, event: "other_channel", from, to, hash: &version.hash, reason: None };
    if store::save(tx, message.facts(), &change, &event)? {
        Ok(())
    } else {
        Err(StorageError::Broken(format!("message {} moved under its lock", message.facts().id)))
    }
}
