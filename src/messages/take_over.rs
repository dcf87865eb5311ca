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
use super::store::{self, Loaded};
use super::versions::{self, Version};
use crate::delivery::{self, Channel, InReserve};
use crate::members;
use crate::partnerships;
use crate::storage::Database;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Language;
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
        // As long as there may be more of it: after a night without couriers everybody has their turn at once.
        loop {
            match database.writing(move |tx| take_over_in(tx, batch)).await {
                Ok(done) => {
                    called += done.called;
                    if done.decided < delivery::RESERVES_AT_ONCE {
                        break;
                    }
                }
                Err(error) => {
                    outcome = outcome.and(Err(error));
                    break;
                }
            }
        }
    }
    outcome.map(|()| called)
}

/// What one transaction did.
#[derive(Debug, Default)]
struct Done {
    /// How many it decided about.
    decided: usize,
    /// How many of them it called up.
    called: usize,
}

/// One batch. Of two nodes at once the second waits for the row of the message, and finds nothing left to do. Who stops or
/// leaves at this moment waits too, or is known here: the message first, then the partnership, as where one is approved.
fn take_over_in(tx: &mut Tx<'_>, batch: Uuid) -> Result<Done, StorageError> {
    let Some(id) = approvals::message_of_batch(tx, batch)? else { return Ok(Done::default()) };
    tx.lock("messages", id)?;
    let missing = || StorageError::Corrupt(format!("message {id} is missing"));
    let loaded = store::find(tx, id)?.ok_or_else(missing)?;
    members::hold_recipients(tx, loaded.message.facts().partnership)?;
    let missed = delivery::reserves_of(tx, batch)?;
    if missed.is_empty() {
        return Ok(Done::default());
    }
    let version = versions::load_version(tx, id, loaded.message.facts().current_version)?;
    // What the police approved is what leaves: these bytes and no others (ruling 6).
    let approved = approvals::approved_under(tx, id)?.is_some_and(|(hash, _)| hash == version.hash);
    if !approved || version.id.uuid() != batch {
        return Err(StorageError::Corrupt(format!("message {id} is not what was approved")));
    }
    let fates = decide(tx, &loaded, &version, &missed)?;
    let called = act(tx, &loaded, &version, fates)?;
    Ok(Done { decided: missed.len(), called })
}

/// What becomes of each.
fn decide(
    tx: &mut Tx<'_>,
    loaded: &Loaded,
    version: &Version,
    missed: &[InReserve],
) -> Result<Vec<(InReserve, PlannedFate)>, StorageError> {
    let facts = loaded.message.facts();
    let corrupt = |what| StorageError::Corrupt(format!("message {} {what}", facts.id));
    let quiet = loaded.valid_until.filter(|_| facts.class == Class::NonUrgent);
    let until = quiet.ok_or_else(|| corrupt("is urgent, and has a channel in reserve"))?;
    let partnership = partnerships::find_partnership(tx, facts.partnership)?;
    let acts = partnership.ok_or_else(|| corrupt("is of no partnership"))?.status;
    let plan = partnerships::plan_in_force(tx, facts.partnership)?.map(|(_, plan)| plan);
    let superseded = store::superseded(tx, facts, loaded.decided_at.unwrap_or(facts.created_at))?;
    let plan = match rules::may_take_over((facts, loaded.message.status()), acts, plan.as_ref(), superseded) {
        Ok(plan) => plan,
        Err(no) => return Ok(missed.iter().map(|row| (*row, PlannedFate::LeftOut(no.code()))).collect()),
    };
    let listeners = Listeners::of(tx, facts, version)?;
    let setting = listeners.setting(facts, version, plan, (tx.now()?, until));
    let given = delivery::given(tx, version.id.uuid())?;
    Ok(reckon_reserves(&listeners.members, &setting, &given, missed))
}

/// Writes it down. Returns how many were called up.
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
/// Its trail says that another channel takes over: once while it goes out, as failures trickle in.
fn goes_on(tx: &mut Tx<'_>, message: &Message, version: &Version) -> Result<(), StorageError> {
    let id = message.facts().id;
    let is_said = store::last_event(tx, id)?.as_deref() == Some(store::OTHER_CHANNEL);
    if is_said && message.status() == Status::Dispatching {
        return Ok(());
    }
    if store::goes_out_again(tx, message, &version.hash, (store::OTHER_CHANNEL, None))? {
        Ok(())
    } else {
        Err(StorageError::Broken(format!("message {id} moved under its lock")))
    }
}
