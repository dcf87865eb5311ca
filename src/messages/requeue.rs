//! Another try for what did not arrive, while it is still of use.

use std::collections::{BTreeMap, HashMap};

use super::approvals;
use super::dead_letter_payloads::Requeued;
use super::draft::lock_to_dispatch;
use super::edit::moved;
use super::error::MessageError;
use super::lifecycle::Facts;
use super::message::{Class, Kind};
use super::quiet_hours::after_quiet_hours;
use super::recipient::present_address;
use super::rules::{self, Refusal};
use super::store;
use super::versions::{self, Version};
use crate::delivery;
use crate::delivery::{Channel, DeadLetter};
use crate::members;
use crate::members::Recipient;
use crate::partnerships;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Puts the dead letters of a message, or the one that is named, back into the queue. What may not go out again is left,
/// and counted by reason; when nothing at all may, the reason is the answer.
pub(super) fn requeue(
    tx: &mut Tx<'_>,
    id: Id<of::Message>,
    by: Option<Id<of::Account>>,
    only: Option<i64>,
) -> Result<Requeued, MessageError> {
    let loaded = lock_to_dispatch(tx, id)?;
    let facts = loaded.message.facts();
    let Some(batch) = approvals::approved_version(tx, id)? else {
        return Err(MessageError::WrongState(loaded.message.status()));
    };
    let letters = delivery::dead_letters_of(tx, batch.uuid(), only)?;
    rules::anything_dead(letters.len())?;
    if !loaded.message.status().can_be_requeued() {
        return Err(MessageError::WrongState(loaded.message.status()));
    }
    let partnership = partnerships::find_partnership(tx, facts.partnership)?.ok_or(MessageError::NotFound)?;
    let decided_at = loaded.decided_at.unwrap_or(facts.created_at);
    rules::may_requeue(facts, partnership.status, store::superseded(tx, facts, decided_at)?)?;
    let at = leaves_at(tx, facts)?;
    let version = versions::load_version(tx, id, facts.current_version)?;
    let (again, left) = sorted_out(tx, facts, &version, letters, at)?;
    if again.is_empty() {
        let most = left.iter().max_by_key(|(_, count)| **count).map(|(refusal, _)| *refusal);
        return Err(most.unwrap_or(Refusal::NothingDead).into());
    }
    let requeued = delivery::requeue(tx, batch.uuid(), &again, at)?;
    moved(store::goes_out_again(tx, &loaded.message, &version.hash, (store::REQUEUED, by))?)?;
    let left = left.into_iter().map(|(refusal, count)| (refusal.code().to_owned(), count)).collect();
    Ok(Requeued { message: id, requeued: i64::try_from(requeued).unwrap_or(i64::MAX), left })
}
/// What is not urgent keeps to the quiet hours, the second time too.
fn leaves_at(tx: &mut Tx<'_>, facts: &Facts) -> Result<Timestamp, StorageError> {
    let now = tx.now()?;
    let plan = partnerships::plan_in_force(tx, facts.partnership)?;
    Ok(match plan {
        Some((_, plan)) if facts.class == Class::NonUrgent => {
            after_quiet_hours(now, plan.quiet_from_hour, plan.quiet_until_hour)
        }
        _ => now,
    })
}
type SortedOut = (Vec<(DeadLetter, String)>, BTreeMap<Refusal, i64>);

/// Those that may go out again, each with the address that its owner has now; and why the others may not.
fn sorted_out(
    tx: &mut Tx<'_>,
    facts: &Facts,
    version: &Version,
    letters: Vec<DeadLetter>,
    at: Timestamp,
) -> Result<SortedOut, StorageError> {
    let now = tx.now()?;
    let mut people: HashMap<Id<of::Person>, Recipient> = HashMap::new();
    if facts.kind == Kind::Correction {
        // Who was told something wrong is told so, whatever they are now.
        let ids: Vec<Id<of::Person>> = letters.iter().map(|letter| letter.person).collect();
        let gone = members::former_recipients(tx, facts.partnership, &ids)?;
        people.extend(gone.into_iter().map(|member| (member.person, member)));
    }
    let present = members::recipients(tx, facts.partnership)?;
    people.extend(present.into_iter().map(|member| (member.person, member)));
    let mut given = delivery::given(tx, version.id.uuid())?;
    let (mut again, mut left) = (Vec::new(), BTreeMap::new());
    for letter in letters {
        let others = Channel::ALL.iter().filter(|channel| **channel != letter.channel);
        let has_it_otherwise = others.into_iter().any(|channel| given.contains(&(letter.person, *channel)));
        let kept = rules::is_still_kept(letter.kept, at);
        let lacks = kept.and_then(|()| rules::is_lacking(facts.class, has_it_otherwise));
        let address = lacks.and_then(|()| {
            let member = people.get(&letter.person).ok_or(Refusal::MemberGone)?;
            present_address(member, (facts.class, facts.kind, &version.audience), letter.channel, now)
                .map(str::to_owned)
        });
        match address {
            Ok(address) => {
                // Dead on both channels, it goes out on one: nobody gets twice what is not urgent.
                given.insert((letter.person, letter.channel));
                again.push((letter, address));
            }
            Err(refusal) => *left.entry(refusal).or_insert(0) += 1,
        }
    }
    Ok((again, left))
}

/// The same from the command line of the machine, where nobody is signed in.
///
/// # Errors
/// As words for whoever typed it.
pub fn requeue_from_the_console(
    tx: &mut Tx<'_>,
    id: Id<of::Message>,
) -> Result<(i64, BTreeMap<String, i64>), MessageError> {
    let done = requeue(tx, id, None, None)?;
    Ok((done.requeued, done.left))
}
