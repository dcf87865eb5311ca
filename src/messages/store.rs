//! The queries of messages: one by one, their trail, and the lists. Versions, approvals, dead letters and the
//! inbox have files of their own.

use diesel::prelude::*;

use super::lifecycle::{self, Draft, Facts, Message, Stored};
use super::message::{Class, InformationSource, Kind, Mode, Status};
use super::payloads::{MessageFilter, MessageRow};
use crate::access::Role;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{message_events, messages};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// A message as it is stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = messages)]
pub(super) struct Row {
    id: Id<of::Message>,
    partnership_id: Id<of::Partnership>,
    thread_id: Id<of::Message>,
    class: Class,
    kind: Kind,
    mode: Mode,
    source: InformationSource,
    status: Status,
    corrects_id: Option<Id<of::Message>>,
    short_code: String,
    validity_minutes: i32,
    author_id: Id<of::Account>,
    author_role: Role,
    current_version: i32,
    submitted_by: Option<Id<of::Account>>,
    submitted_at: Option<Timestamp>,
    decided_by: Option<Id<of::Account>>,
    decided_at: Option<Timestamp>,
    reason: Option<String>,
    valid_until: Option<Timestamp>,
    version: i64,
    created_at: Timestamp,
}
/// A message with the moments that its view shows beside its state.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) message: Message,
    pub(super) submitted_at: Option<Timestamp>,
    pub(super) decided_at: Option<Timestamp>,
    pub(super) reason: Option<String>,
    pub(super) valid_until: Option<Timestamp>,
}
impl Row {
    pub(super) fn restore(self) -> Result<Loaded, StorageError> {
        let facts = Facts {
            id: self.id,
            partnership: self.partnership_id,
            thread: self.thread_id,
            class: self.class,
            kind: self.kind,
            mode: self.mode,
            source: self.source,
            corrects: self.corrects_id,
            short_code: self.short_code,
            validity_minutes: self.validity_minutes,
            author: self.author_id,
            author_role: self.author_role,
            current_version: self.current_version,
            version: self.version,
            created_at: self.created_at,
        };
        let stored = Stored {
            status: self.status,
            submitted: self.submitted_by.zip(self.submitted_at),
            decided: self.decided_by.zip(self.decided_at),
            reason: self.reason.clone(),
            valid_until: self.valid_until,
        };
        let message =
            lifecycle::restore(facts, stored).ok_or_else(|| StorageError::Corrupt(format!("message {}", self.id)))?;
        Ok(Loaded {
            message,
            submitted_at: self.submitted_at,
            decided_at: self.decided_at,
            reason: self.reason,
            valid_until: self.valid_until,
        })
    }
}

/// What the gate asks of a message before anything is read from it.
#[derive(Debug)]
pub(super) struct Whose {
    pub(super) partnership: Id<of::Partnership>,
    pub(super) urgent: bool,
    /// Facts that the police have not let out: an urgent message of their own that has not left (security A7).
    pub(super) for_the_police: bool,
}
/// Whose message it is.
pub(super) fn whose(tx: &mut Tx<'_>, id: Id<of::Message>) -> Result<Option<Whose>, StorageError> {
    let found: Option<(Id<of::Partnership>, Class, Role, Status)> = messages::table
        .find(id)
        .select((messages::partnership_id, messages::class, messages::author_role, messages::status))
        .first(tx.db())
        .optional()?;
    Ok(found.map(|(partnership, class, author, status)| {
        let urgent = class == Class::Urgent;
        Whose { partnership, urgent, for_the_police: urgent && author == Role::Officer && !status.has_left() }
    }))
}
pub(super) fn find(tx: &mut Tx<'_>, id: Id<of::Message>) -> Result<Option<Loaded>, StorageError> {
    messages::table.find(id).select(Row::as_select()).first(tx.db()).optional()?.map(Row::restore).transpose()
}
pub(super) fn find_by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<Loaded>, StorageError> {
    messages::table
        .filter(messages::short_code.eq(code))
        .select(Row::as_select())
        .first(tx.db())
        .optional()?
        .map(Row::restore)
        .transpose()
}
/// Has a correction of it left?
pub(super) fn was_corrected(tx: &mut Tx<'_>, id: Id<of::Message>) -> Result<bool, StorageError> {
    let count: i64 = messages::table
        .filter(messages::corrects_id.eq(Some(id)))
        .filter(messages::kind.eq(Kind::Correction))
        .filter(messages::status.eq_any(Status::left()))
        .count()
        .get_result(tx.db())?;
    Ok(count > 0)
}

pub(super) fn insert(tx: &mut Tx<'_>, draft: &Draft) -> Result<(), StorageError> {
    let facts = draft.facts();
    diesel::insert_into(messages::table)
        .values((
            messages::id.eq(facts.id),
            messages::partnership_id.eq(facts.partnership),
            messages::thread_id.eq(facts.thread),
            messages::class.eq(facts.class),
            messages::kind.eq(facts.kind),
            messages::mode.eq(facts.mode),
            messages::source.eq(facts.source),
            messages::status.eq(Status::Draft),
            messages::corrects_id.eq(facts.corrects),
            messages::short_code.eq(&facts.short_code),
            messages::validity_minutes.eq(facts.validity_minutes),
            messages::author_id.eq(facts.author),
            messages::author_role.eq(facts.author_role),
            messages::current_version.eq(facts.current_version),
            messages::version.eq(facts.version),
            messages::created_at.eq(facts.created_at),
        ))
        .execute(tx.db())?;
    Ok(())
}

/// What changes with a state.
#[derive(Debug, Default, AsChangeset)]
#[diesel(table_name = messages)]
pub(super) struct Change {
    pub(super) status: Option<Status>,
    pub(super) current_version: Option<i32>,
    pub(super) submitted_by: Option<Option<Id<of::Account>>>,
    pub(super) submitted_at: Option<Option<Timestamp>>,
    pub(super) decided_by: Option<Option<Id<of::Account>>>,
    pub(super) decided_at: Option<Option<Timestamp>>,
    pub(super) reason: Option<Option<String>>,
    pub(super) valid_until: Option<Option<Timestamp>>,
    pub(super) stopped_at: Option<Option<Timestamp>>,
    pub(super) completed_at: Option<Option<Timestamp>>,
}
/// What happened, for the trail of a message.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) by: Option<Id<of::Account>>,
    pub(super) event: &'static str,
    pub(super) from: Status,
    pub(super) to: Status,
    pub(super) hash: &'a str,
    pub(super) reason: Option<&'a str>,
}
/// The event under which the trail says that what failed was put back into the queue.
pub(super) const REQUEUED: &str = "requeued";
/// The event under which it says that the other channel took over.
pub(super) const OTHER_CHANNEL: &str = "other_channel";
/// Moves a message on: its row and its trail together (accept M20). The version is compared and raised, so of two at once
/// one wins and the other finds `false`.
pub(super) fn save(tx: &mut Tx<'_>, facts: &Facts, change: &Change, event: &Event<'_>) -> Result<bool, StorageError> {
    let moved =
        diesel::update(messages::table.filter(messages::id.eq(facts.id)).filter(messages::version.eq(facts.version)))
            .set((change, messages::version.eq(messages::version + 1)))
            .execute(tx.db())?;
    if moved == 0 {
        return Ok(false);
    }
    record(tx, facts.id, change.current_version.unwrap_or(facts.current_version), event)?;
    Ok(true)
}
pub(super) fn record(
    tx: &mut Tx<'_>,
    message: Id<of::Message>,
    version: i32,
    event: &Event<'_>,
) -> Result<(), StorageError> {
    let now = tx.now()?;
    diesel::insert_into(message_events::table)
        .values((
            message_events::message_id.eq(message),
            message_events::happened_at.eq(now),
            message_events::account_id.eq(event.by),
            message_events::event.eq(event.event),
            message_events::from_status.eq(event.from.as_str()),
            message_events::to_status.eq(event.to.as_str()),
            message_events::version_number.eq(version),
            message_events::hash.eq(event.hash),
            message_events::reason.eq(event.reason),
        ))
        .execute(tx.db())?;
    Ok(())
}
/// A message that has left is going out again, or goes on: its trail says why, and who did it.
pub(super) fn goes_out_again(
    tx: &mut Tx<'_>,
    message: &Message,
    hash: &str,
    (event, by): (&'static str, Option<Id<of::Account>>),
) -> Result<bool, StorageError> {
    let (facts, from, to) = (message.facts(), message.status(), Status::Dispatching);
    let event = Event { by, event, from, to, hash, reason: None };
    if from == to {
        record(tx, facts.id, facts.current_version, &event)?;
        return Ok(true);
    }
    save(tx, facts, &Change { status: Some(to), completed_at: Some(None), ..Change::default() }, &event)
}
/// What its trail said last.
pub(super) fn last_event(tx: &mut Tx<'_>, message: Id<of::Message>) -> Result<Option<String>, StorageError> {
    Ok(message_events::table
        .filter(message_events::message_id.eq(message))
        .order(message_events::id.desc())
        .select(message_events::event)
        .first(tx.db())
        .optional()?)
}

/// Notes who stands for a message that was released without the police.
pub(super) fn note_submission(
    tx: &mut Tx<'_>,
    message: Id<of::Message>,
    by: Id<of::Account>,
) -> Result<(), StorageError> {
    let now = tx.now()?;
    diesel::update(messages::table.find(message))
        .set((messages::submitted_by.eq(Some(by)), messages::submitted_at.eq(Some(now))))
        .execute(tx.db())?;
    Ok(())
}

/// Has a correction of it, or an end of its thread, left that was decided since? When each was begun says nothing.
pub(super) fn superseded(tx: &mut Tx<'_>, facts: &Facts, decided_at: Timestamp) -> Result<bool, StorageError> {
    let corrected = messages::kind.eq(Kind::Correction).and(messages::corrects_id.eq(Some(facts.id)));
    let ended = messages::kind.eq(Kind::End).and(messages::decided_at.ge(Some(decided_at)));
    let later: i64 = messages::table
        .filter(messages::thread_id.eq(facts.thread))
        .filter(messages::id.ne(facts.id))
        .filter(corrected.or(ended))
        .filter(messages::status.eq_any(Status::left()))
        .count()
        .get_result(tx.db())?;
    Ok(later > 0)
}
/// Approved messages that nobody passed on since `before`.
pub(super) fn unreleased(tx: &mut Tx<'_>, before: Timestamp) -> Result<Vec<Loaded>, StorageError> {
    let rows: Vec<Row> = messages::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("messages.status = 'awaiting_release'"))
        .filter(messages::decided_at.lt(Some(before)))
        .limit(100)
        .select(Row::as_select())
        .load(tx.db())?;
    rows.into_iter().map(Row::restore).collect()
}

/// One page of the messages of a partnership, newest first; one row more than the limit. Only officers see the urgent
/// messages of the police before they leave.
pub(super) fn list(
    tx: &mut Tx<'_>,
    partnership: Id<of::Partnership>,
    is_officer: bool,
    filter: &MessageFilter,
    limit: i64,
) -> Result<Vec<MessageRow>, StorageError> {
    let mut wanted = messages::table
        .filter(messages::partnership_id.eq(partnership))
        .order(messages::id.desc())
        .limit(limit + 1)
        .select(Row::as_select())
        .into_boxed();
    if !is_officer {
        wanted = wanted.filter(
            messages::class
                .ne(Class::Urgent)
                .or(messages::author_role.ne(Role::Officer))
                .or(messages::status.ne_all(Status::not_left())),
        );
    }
    if let Some(class) = filter.class {
        wanted = wanted.filter(messages::class.eq(class));
    }
    if let Some(kind) = filter.kind {
        wanted = wanted.filter(messages::kind.eq(kind));
    }
    if let Some(status) = filter.status {
        wanted = wanted.filter(messages::status.eq(status));
    }
    if let Some(mode) = filter.mode {
        wanted = wanted.filter(messages::mode.eq(mode));
    }
    if let Some(thread) = filter.thread {
        wanted = wanted.filter(messages::thread_id.eq(thread));
    }
    if let Some(after) = filter.after {
        wanted = wanted.filter(messages::id.lt(after));
    }
    Ok(wanted.load(tx.db())?.into_iter().map(row_view).collect())
}
fn row_view(row: Row) -> MessageRow {
    MessageRow {
        id: row.id,
        partnership: row.partnership_id,
        thread: row.thread_id,
        class: row.class,
        kind: row.kind,
        mode: row.mode,
        status: row.status,
        short_code: row.short_code,
        created_at: row.created_at,
        submitted_at: row.submitted_at,
        decided_at: row.decided_at,
    }
}
