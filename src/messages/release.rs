//! The partnership passes on what the police approved (RELAY), or releases alone what the communication plan leaves to it.

use super::approvals::{self, NewApproval};
use super::approve::dispatch;
use super::approve::leave;
use super::draft::{lock_to_dispatch, surroundings, valid_until, view_now};
use super::error::MessageError;
use super::lifecycle::Message;
use super::message::{ApprovalPolicy, Status};
use super::payloads::{MessageView, Release};
use super::preview::gather_to_send;
use super::rules::Circumstances;
use super::store::{self, Event};
use super::versions;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Passes on, or releases alone.
pub(super) fn release(
    tx: &mut Tx<'_>,
    id: Id<of::Message>,
    by: Id<of::Account>,
    command: &Release,
) -> Result<MessageView, MessageError> {
    let loaded = lock_to_dispatch(tx, id)?;
    let from = loaded.message.status();
    let version = versions::load_version(tx, id, loaded.message.facts().current_version)?;
    let gathered = gather_to_send(tx, loaded.message.facts(), &version)?;
    if version.hash != command.version_hash || gathered.plan_number != command.plan_number {
        return Err(MessageError::VersionChanged);
    }
    let (partnership, zone) = surroundings(tx, loaded.message.facts().partnership)?;
    let editors = versions::editors(tx, id)?;
    let circumstances = Circumstances {
        approver: by,
        now: tx.now()?,
        editors: &editors,
        own_message: zone.own_message,
        plan: &gathered.plan,
        partnership: partnership.status,
        stepped_up: false,
        reason: None,
        checklist_complete: false,
        reached: gathered.audience.going(),
        language_missing: gathered.audience.language_missing,
    };
    let event =
        Event { by: Some(by), event: "released", from, to: Status::Dispatching, hash: &version.hash, reason: None };
    match loaded.message {
        Message::AwaitingRelease(message) => {
            // What the officer approved is what leaves: these bytes, under that plan (ruling 6).
            let approved = approvals::approved_under(tx, id)?.ok_or(MessageError::VersionChanged)?;
            if approved != (version.hash.clone(), gathered.plan_number) {
                return Err(MessageError::VersionChanged);
            }
            let until = valid_until(message.facts(), circumstances.now);
            dispatch(tx, &message.release(&circumstances, until)?, &version, &gathered.audience, &event)?;
        }
        Message::Draft(draft) => {
            let approved = draft.release_alone(&circumstances)?;
            let recorded = NewApproval {
                message: id,
                version: version.id,
                hash: &version.hash,
                plan_number: gathered.plan_number,
                policy: ApprovalPolicy::ReleaseAlone,
                reason: None,
                checklist: serde_json::json!({}),
                audience: serde_json::json!({ "deliveries": gathered.audience.going(), "members": gathered.audience.members_reached() }),
                officer: by,
                at: approved.at(),
                after_review_due_at: None,
            };
            approvals::insert_approval(tx, &recorded)?;
            store::note_submission(tx, id, by)?;
            leave(tx, approved, &version, &gathered, &event)?;
        }
        other => return Err(MessageError::WrongState(other.status())),
    }
    Ok(view_now(tx, id)?.0)
}
