//! The police approve exactly what they saw, and it leaves: state, approval, contents and every delivery in one transaction
//! (accept M1 to M4).

use std::collections::HashMap;
use std::time::Duration;

use super::approvals::{self, NewApproval};
use super::audience::{Audience, PlannedFate};
use super::draft::{lock_to_dispatch, surroundings, valid_until, view_now};
use super::edit::moved;
use super::error::MessageError;
use super::lifecycle::{Approved, Dispatching, Facts, Message};
use super::message::{ApprovalPolicy, Class, Kind, Mode, Status, lane};
use super::notify;
use super::payloads::{Approval, ApprovalView};
use super::preview::{Gathered, gather_to_send};
use super::rules::Circumstances;
use super::store::{self, Change, Event};
use super::versions::{self, Version};
use crate::access::Throttle;
use crate::access::take;
use crate::config::Config;
use crate::delivery::{self, Channel, Fate, NewDelivery};
use crate::partnerships::PlanMode;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::Language;
use crate::values::of;

/// Within this another officer looks back at what its author approved alone.
const AFTER_REVIEW: Duration = Duration::from_secs(24 * 3600);

/// Who approves, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Approver {
    pub(super) account: Id<of::Account>,
    pub(super) stepped_up: bool,
}

/// Approves.
pub(super) fn approve(
    tx: &mut Tx<'_>,
    config: &Config,
    id: Id<of::Message>,
    by: Approver,
    command: &Approval,
) -> Result<ApprovalView, MessageError> {
    // Gather.
    let loaded = lock_to_dispatch(tx, id)?;
    let Message::Submitted(message) = loaded.message else {
        return Err(MessageError::WrongState(loaded.message.status()));
    };
    let version = versions::load_version(tx, id, message.facts().current_version)?;
    let gathered = gather_to_send(tx, message.facts(), &version)?;
    if version.hash != command.version_hash || gathered.plan_number != command.plan_number {
        return Err(MessageError::VersionChanged);
    }
    let (partnership, zone) = surroundings(tx, message.facts().partnership)?;
    let editors = versions::editors(tx, id)?;
    let circumstances = Circumstances {
        approver: by.account,
        now: tx.now()?,
        editors: &editors,
        own_message: zone.own_message,
        plan: &gathered.plan,
        partnership: partnership.status,
        stepped_up: by.stepped_up,
        reason: command.reason.as_ref().map(crate::values::Prose::as_str),
        checklist_complete: command.checklist.is_complete(),
        reached: gathered.audience.going(),
        language_missing: gathered.audience.language_missing,
    };
    // Decide.
    let approved = message.approve(&circumstances)?;
    urgent_budget(tx, config, approved.facts(), zone.id)?;
    // Act.
    let (policy, facts) = (approved.policy(), approved.facts().clone());
    let after_review_due_at = (policy == ApprovalPolicy::SoloDuty).then(|| approved.at().plus(AFTER_REVIEW));
    let (going, members) = (gathered.audience.going(), gathered.audience.members_reached());
    let recorded = NewApproval {
        message: id,
        version: version.id,
        hash: &version.hash,
        plan_number: gathered.plan_number,
        policy,
        reason: command.reason.as_ref().map(crate::values::Prose::as_str),
        checklist: serde_json::to_value(command.checklist).unwrap_or_default(),
        audience: serde_json::json!({ "deliveries": going, "members": members }),
        officer: by.account,
        at: approved.at(),
        after_review_due_at,
    };
    approvals::insert_approval(tx, &recorded)?;
    let relayed = facts.class == Class::NonUrgent
        && gathered.plan.non_urgent.mode == PlanMode::Relay
        && facts.kind != Kind::Correction;
    let event = |to| Event {
        by: Some(by.account),
        event: "approved",
        from: Status::Submitted,
        to,
        hash: &version.hash,
        reason: None,
    };
    if relayed {
        let waiting = approved.await_release();
        let (officer, at) = waiting.decided();
        let change = Change {
            status: Some(Status::AwaitingRelease),
            decided_by: Some(Some(officer)),
            decided_at: Some(Some(at)),
            valid_until: Some(Some(valid_until(&facts, at))),
            ..Change::default()
        };
        moved(store::save(tx, waiting.facts(), &change, &event(Status::AwaitingRelease))?)?;
    } else {
        leave(tx, approved, &version, &gathered, &event(Status::Dispatching))?;
    }
    if facts.class == Class::Urgent {
        notify::release_of_urgent(tx, config, &facts)?;
    }
    if policy == ApprovalPolicy::SoloDuty {
        notify::officers_that_a_review_is_due(tx, config, &facts, by.account)?;
    }
    let (message, _) = view_now(tx, id)?;
    Ok(ApprovalView {
        message,
        policy,
        recipients: i64::try_from(going).unwrap_or(i64::MAX),
        members: i64::try_from(members).unwrap_or(i64::MAX),
        after_review_due_at,
    })
}

/// So many urgent messages a zone and hour (T01); what follows one is not counted, nor is an exercise.
fn urgent_budget(tx: &mut Tx<'_>, config: &Config, facts: &Facts, zone: Id<of::Zone>) -> Result<(), MessageError> {
    if facts.class != Class::Urgent || facts.kind != Kind::Start || facts.mode == Mode::Exercise {
        return Ok(());
    }
    let throttle =
        Throttle { name: "urgent", most: config.limits.urgent_per_zone_hour, window: Duration::from_secs(3600) };
    take(tx, throttle, &zone.to_string())?.map_err(MessageError::TooManyUrgent)
}

/// It leaves: the state moves on and every delivery is written down.
pub(super) fn leave(
    tx: &mut Tx<'_>,
    approved: Approved,
    version: &Version,
    gathered: &Gathered,
    event: &Event<'_>,
) -> Result<(), MessageError> {
    let until = valid_until(approved.facts(), approved.at());
    dispatch(tx, &approved.dispatch(until), version, &gathered.audience, event)
}
/// Makes the deliveries of a message that is going out, and of no other.
pub(super) fn dispatch(
    tx: &mut Tx<'_>,
    message: &Dispatching,
    version: &Version,
    audience: &Audience,
    event: &Event<'_>,
) -> Result<(), MessageError> {
    let facts = message.facts();
    let (officer, at) = message.decided();
    let change = Change {
        status: Some(Status::Dispatching),
        decided_by: Some(Some(officer)),
        decided_at: Some(Some(at)),
        valid_until: Some(Some(message.valid_until())),
        ..Change::default()
    };
    moved(store::save(tx, facts, &change, event)?)?;
    let batch = version.id.uuid();
    let contents = put_contents(tx, version, audience)?;
    let mut deliveries = Vec::with_capacity(audience.planned.len());
    for planned in &audience.planned {
        let (address, fate) = match &planned.fate {
            PlannedFate::LeftOut(reason) => (None, Fate::Suppressed(reason)),
            PlannedFate::Goes { address, language, at } => {
                let content = contents.get(&(*language, planned.channel)).copied();
                let content = content.ok_or_else(|| {
                    StorageError::Corrupt(format!("version {} is not rendered in {}", version.id, language.as_str()))
                })?;
                (Some(address.clone()), Fate::Due { content, at: *at })
            }
        };
        deliveries.push(NewDelivery {
            person: planned.person,
            channel: planned.channel,
            lane: lane(facts.class, facts.kind),
            membership: Some(planned.membership),
            address,
            fate,
            deadline: message.valid_until(),
        });
    }
    delivery::enqueue(tx, batch, deliveries)?;
    tx.nudge();
    Ok(())
}
/// The approved bytes, once for each language and channel in use.
fn put_contents(
    tx: &mut Tx<'_>,
    version: &Version,
    audience: &Audience,
) -> Result<HashMap<(Language, Channel), Id<of::Content>>, StorageError> {
    let mut contents = HashMap::new();
    for planned in &audience.planned {
        let PlannedFate::Goes { language, .. } = planned.fate else { continue };
        if contents.contains_key(&(language, planned.channel)) {
            continue;
        }
        if let Some(bodies) = version.rendered.get(&language) {
            let id =
                delivery::put_content(tx, version.id.uuid(), language, planned.channel, bodies.body(planned.channel))?;
            contents.insert((language, planned.channel), id);
        }
    }
    Ok(contents)
}
