//! Every query of stopped channels: who hears less from now on, what their SMS said, and what it was answered.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::member::Membership;
use super::store::{find_locked, partnership_of};
use super::word::Word;
use crate::on_either;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{inbound_sms, memberships};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// A membership that will hear less from now on: kept from being changed once no message to its partnership is being
/// written down any more, so that what must not reach it can be seen, and stopped. The partnership is always locked before
/// its members.
pub(super) fn find_to_silence(tx: &mut Tx<'_>, id: Id<of::Membership>) -> Result<Option<Membership>, StorageError> {
    let Some(partnership) = partnership_of(tx, id)? else { return Ok(None) };
    tx.lock("partnerships", partnership)?;
    find_locked(tx, id)
}
/// All memberships of some persons, past ones too, in their order; kept as `find_to_silence` keeps one.
pub(super) fn of_persons_to_silence(
    tx: &mut Tx<'_>,
    people: &[Id<of::Person>],
) -> Result<Vec<Membership>, StorageError> {
    let theirs: Vec<(Id<of::Membership>, Id<of::Partnership>)> = memberships::table
        .filter(memberships::person_id.eq_any(people))
        .order(memberships::id)
        .select((memberships::id, memberships::partnership_id))
        .load(tx.db())?;
    let partnerships: BTreeSet<Id<of::Partnership>> = theirs.iter().map(|(_, partnership)| *partnership).collect();
    for partnership in partnerships {
        tx.lock("partnerships", partnership)?;
    }
    let mut found = Vec::with_capacity(theirs.len());
    for (id, _) in theirs {
        found.extend(find_locked(tx, id)?);
    }
    Ok(found)
}
/// Keeps everybody of a partnership as they are, as far as they hear of it, while a message to them is written down: who
/// stops or leaves at this moment waits, and then finds what was written.
///
/// # Errors
/// When the database fails.
pub fn hold_recipients(tx: &mut Tx<'_>, partnership: Id<of::Partnership>) -> Result<(), StorageError> {
    tx.hold("partnerships", partnership)
}
/// Stops e-mail to a membership; a second time changes nothing.
pub(super) fn stop_email(tx: &mut Tx<'_>, id: Id<of::Membership>) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let stopped = diesel::update(
        memberships::table.filter(memberships::id.eq(id)).filter(memberships::email_stopped_at.is_null()),
    )
    .set((memberships::email_stopped_at.eq(Some(now)), memberships::version.eq(memberships::version + 1)))
    .execute(tx.db())?;
    Ok(stopped > 0)
}
/// Stops SMS to a membership, and keeps by which number that was asked; a second time changes nothing.
pub(super) fn stop_sms(tx: &mut Tx<'_>, id: Id<of::Membership>, sender: &[u8]) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let stopped =
        diesel::update(memberships::table.filter(memberships::id.eq(id)).filter(memberships::sms_stopped_at.is_null()))
            .set((
                memberships::sms_stopped_at.eq(Some(now)),
                memberships::sms_stopped_index.eq(Some(sender)),
                memberships::version.eq(memberships::version + 1),
            ))
            .execute(tx.db())?;
    Ok(stopped > 0)
}
/// Did this number stop SMS to a membership of these persons that goes on?
pub(super) fn is_stopped_by(tx: &mut Tx<'_>, people: &[Id<of::Person>], sender: &[u8]) -> Result<bool, StorageError> {
    let stopped = memberships::table
        .filter(memberships::person_id.eq_any(people))
        .filter(memberships::ended_at.is_null())
        .filter(memberships::sms_stopped_index.eq(Some(sender)));
    Ok(diesel::select(diesel::dsl::exists(stopped)).get_result(tx.db())?)
}
/// Lets SMS go to a membership again, if this number stopped them and the membership goes on.
pub(super) fn resume_sms(tx: &mut Tx<'_>, id: Id<of::Membership>, sender: &[u8]) -> Result<bool, StorageError> {
    let resumed = diesel::update(
        memberships::table
            .filter(memberships::id.eq(id))
            .filter(memberships::ended_at.is_null())
            .filter(memberships::sms_stopped_index.eq(Some(sender))),
    )
    .set((
        memberships::sms_stopped_at.eq(None::<Timestamp>),
        memberships::sms_stopped_index.eq(None::<Vec<u8>>),
        memberships::version.eq(memberships::version + 1),
    ))
    .execute(tx.db())?;
    Ok(resumed > 0)
}
/// Notes that an SMS came; not when it came before.
pub(super) fn note_inbound(tx: &mut Tx<'_>, message: &[u8], sender: &[u8], word: Word) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let noted = on_either!(tx, |c| diesel::insert_into(inbound_sms::table)
        .values((
            inbound_sms::message_index.eq(message),
            inbound_sms::sender_index.eq(sender),
            inbound_sms::word.eq(word),
            inbound_sms::changed.eq(0),
            inbound_sms::received_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(noted > 0)
}
/// Notes what became of an SMS.
pub(super) fn note_outcome(
    tx: &mut Tx<'_>,
    message: &[u8],
    changed: usize,
    answer: Option<Word>,
) -> Result<(), StorageError> {
    let changed = i32::try_from(changed).unwrap_or(i32::MAX);
    diesel::update(inbound_sms::table.find(message))
        .set((inbound_sms::changed.eq(changed), inbound_sms::answer.eq(answer)))
        .execute(tx.db())?;
    Ok(())
}
/// What a number was answered since.
pub(super) fn answers_since(tx: &mut Tx<'_>, sender: &[u8], since: Timestamp) -> Result<Vec<Word>, StorageError> {
    Ok(inbound_sms::table
        .filter(inbound_sms::sender_index.eq(sender))
        .filter(inbound_sms::received_at.gt(since))
        .filter(inbound_sms::answer.is_not_null())
        .select(inbound_sms::answer.assume_not_null())
        .load(tx.db())?)
}
/// Forgets what came before.
pub(super) fn forget_inbound(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StorageError> {
    Ok(diesel::delete(inbound_sms::table.filter(inbound_sms::received_at.lt(before))).execute(tx.db())?)
}
