//! The approvals of messages: which version an officer agreed to, under which plan, and who looked back at it.

use std::collections::HashSet;

use diesel::prelude::*;

use super::message::ApprovalPolicy;
use crate::delivery;
use crate::storage::Json;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::approvals;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// An approval to be recorded.
#[derive(Debug)]
pub(super) struct NewApproval<'a> {
    pub(super) message: Id<of::Message>,
    pub(super) version: Id<of::MessageVersion>,
    pub(super) hash: &'a str,
    pub(super) plan_number: i32,
    pub(super) policy: ApprovalPolicy,
    pub(super) reason: Option<&'a str>,
    pub(super) checklist: serde_json::Value,
    pub(super) audience: serde_json::Value,
    pub(super) officer: Id<of::Account>,
    pub(super) at: Timestamp,
    pub(super) after_review_due_at: Option<Timestamp>,
}
pub(super) fn insert_approval(tx: &mut Tx<'_>, new: &NewApproval<'_>) -> Result<(), StorageError> {
    diesel::insert_into(approvals::table)
        .values((
            approvals::id.eq(Id::<of::Approval>::new()),
            approvals::message_id.eq(new.message),
            approvals::version_id.eq(new.version),
            approvals::hash.eq(new.hash),
            approvals::plan_number.eq(new.plan_number),
            approvals::policy.eq(new.policy),
            approvals::reason.eq(new.reason),
            approvals::checklist.eq(Json(new.checklist.clone())),
            approvals::audience.eq(Json(new.audience.clone())),
            approvals::officer_id.eq(new.officer),
            approvals::approved_at.eq(new.at),
            approvals::after_review_due_at.eq(new.after_review_due_at),
        ))
        .execute(tx.db())?;
    crate::dies_at!("approve.mid");
    Ok(())
}
/// The hash and the number of the plan that an approval bound.
pub(super) fn approved_under(tx: &mut Tx<'_>, message: Id<of::Message>) -> Result<Option<(String, i32)>, StorageError> {
    let wanted =
        approvals::table.filter(approvals::message_id.eq(message)).select((approvals::hash, approvals::plan_number));
    Ok(wanted.first(tx.db()).optional()?)
}
/// The approved version of a message, and who approved it.
pub(super) fn approved_version(
    tx: &mut Tx<'_>,
    message: Id<of::Message>,
) -> Result<Option<Id<of::MessageVersion>>, StorageError> {
    Ok(approvals::table
        .filter(approvals::message_id.eq(message))
        .select(approvals::version_id)
        .first(tx.db())
        .optional()?)
}
/// The message to which a delivery belongs, once it has been approved.
pub(super) fn message_of_batch(tx: &mut Tx<'_>, batch: uuid::Uuid) -> Result<Option<Id<of::Message>>, StorageError> {
    Ok(approvals::table
        .filter(approvals::version_id.eq(Id::<of::MessageVersion>::from_uuid(batch)))
        .select(approvals::message_id)
        .first(tx.db())
        .optional()?)
}
/// Whom a message that has left reached, may have reached, or will still reach: whoever is to hear what follows.
pub(super) fn reached_by(tx: &mut Tx<'_>, message: Id<of::Message>) -> Result<HashSet<Id<of::Person>>, StorageError> {
    let Some(version) = approved_version(tx, message)? else { return Ok(HashSet::new()) };
    let people = delivery::may_have_reached(tx, version.uuid())?;
    Ok(people.into_iter().collect())
}

/// Who approved alone what nobody has looked back at yet.
pub(super) fn review_due(tx: &mut Tx<'_>, message: Id<of::Message>) -> Result<Option<Id<of::Account>>, StorageError> {
    Ok(approvals::table
        .filter(approvals::message_id.eq(message))
        .filter(approvals::after_review_due_at.is_not_null())
        .filter(approvals::after_reviewed_at.is_null())
        .select(approvals::officer_id)
        .first(tx.db())
        .optional()?)
}
/// Notes that another officer looked back; `false` when somebody was quicker.
pub(super) fn note_review(
    tx: &mut Tx<'_>,
    message: Id<of::Message>,
    by: Id<of::Account>,
) -> Result<bool, StorageError> {
    let now = tx.now()?;
    let noted = diesel::update(
        approvals::table.filter(approvals::message_id.eq(message)).filter(approvals::after_reviewed_at.is_null()),
    )
    .set((approvals::after_reviewed_by.eq(Some(by)), approvals::after_reviewed_at.eq(Some(now))))
    .execute(tx.db())?;
    Ok(noted > 0)
}
