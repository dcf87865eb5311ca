//! Dead letters of messages: what did not arrive, for those who run a zone.

use diesel::prelude::*;

use super::dead_letter_payloads::{DeadLetterFilter, DeadLetterRow, DeadState};
use super::error::MessageError;
use super::message::{Class, Status};
use super::rules;
use crate::access::Actor;
use crate::access::Reach;
use crate::access::Role;
use crate::access::Visible;
use crate::delivery;
use crate::delivery::Channel;
use crate::delivery::Kept;
use crate::http::Listing;
use crate::http::page_limit;
use crate::members;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{approvals, contents, deliveries, messages, partnerships};
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// One page, newest first. Only officers see whose they are, and then initials; nobody sees an address.
pub(super) fn dead_letters(
    tx: &mut Tx<'_>,
    actor: &Actor,
    visible: &Visible,
    filter: &DeadLetterFilter,
) -> Result<Listing<DeadLetterRow>, MessageError> {
    let limit = page_limit(filter.limit);
    let zones = visible.zones();
    let rows = found(tx, &zones, filter, limit)?;
    let is_officer = |zone: Id<of::Zone>| {
        actor.grants.iter().any(|grant| grant.role == Role::Officer && grant.reach == Reach::Zone(zone))
    };
    let now = tx.now()?;
    let page = Listing::cut(rows, limit, |found| found.row.delivery.to_string());
    let named = page.items.iter().filter(|found| is_officer(found.zone)).filter_map(|found| found.row.membership);
    let names = members::members_by_ids(tx, &named.collect::<Vec<_>>())?;
    Ok(page.map(|FoundDead { row, zone, status, kept }| {
        let membership = row.membership.filter(|_| is_officer(zone));
        let name = membership.and_then(|id| names.get(&id)).map(|member| member.initials.clone());
        let can_be_requeued = status.can_be_requeued() && rules::is_still_kept(kept, now).is_ok();
        DeadLetterRow { membership, name, can_be_requeued, ..row }
    }))
}

type DeadColumns = (
    (i64, Id<of::Message>, Id<of::Partnership>, Id<of::Zone>, Class),
    (Option<Id<of::Membership>>, Channel, DeadState, Option<String>, i32, Option<String>),
    (Option<Timestamp>, Timestamp, bool, Option<bool>, Status),
);
/// A dead letter, with what decides whether it may go out again.
struct FoundDead {
    row: DeadLetterRow,
    zone: Id<of::Zone>,
    status: Status,
    kept: Kept,
}
/// One page of the dead letters of some zones, newest first, each with its zone; one row more than the limit.
fn found(
    tx: &mut Tx<'_>,
    zones: &[Id<of::Zone>],
    filter: &DeadLetterFilter,
    limit: i64,
) -> Result<Vec<FoundDead>, StorageError> {
    let mut wanted = deliveries::table
        .inner_join(approvals::table.on(approvals::version_id.eq(deliveries::batch_id)))
        .inner_join(messages::table.on(messages::id.eq(approvals::message_id)))
        .inner_join(partnerships::table.on(partnerships::id.eq(messages::partnership_id)))
        .left_join(contents::table.on(deliveries::content_id.eq(contents::id.nullable())))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(delivery::DEAD))
        .filter(partnerships::zone_id.eq_any(zones))
        .order(deliveries::id.desc())
        .limit(limit.saturating_add(1))
        .select((
            (deliveries::id, messages::id, partnerships::id, partnerships::zone_id, messages::class),
            (
                deliveries::membership_id,
                deliveries::channel,
                deliveries::state,
                deliveries::reason,
                deliveries::attempts,
                deliveries::provider,
            ),
            (
                deliveries::settled_at,
                deliveries::deadline,
                deliveries::address.is_not_null(),
                contents::body.nullable().is_not_null().nullable(),
                messages::status,
            ),
        ))
        .into_boxed();
    if let Some(zone) = filter.zone {
        wanted = wanted.filter(partnerships::zone_id.eq(zone));
    }
    if let Some(partnership) = filter.partnership {
        wanted = wanted.filter(partnerships::id.eq(partnership));
    }
    if let Some(message) = filter.message {
        wanted = wanted.filter(messages::id.eq(message));
    }
    if let Some(channel) = filter.channel {
        wanted = wanted.filter(deliveries::channel.eq(channel));
    }
    if let Some(state) = filter.state {
        wanted = wanted.filter(deliveries::state.eq(state.as_str()));
    }
    if let Some(reason) = &filter.reason {
        wanted = wanted.filter(deliveries::reason.eq(Some(reason.as_str().to_owned())));
    }
    if let Some(since) = filter.since {
        wanted = wanted.filter(deliveries::settled_at.ge(Some(since)));
    }
    if let Some(after) = filter.after {
        wanted = wanted.filter(deliveries::id.lt(after));
    }
    let rows: Vec<DeadColumns> = wanted.load(tx.db())?;
    let row = |(whose, what, when): DeadColumns| {
        let (delivery, message, partnership, zone, class) = whose;
        let (membership, channel, state, reason, attempts, provider) = what;
        let (settled_at, valid_until, has_address, has_content, status) = when;
        let kept = Kept { deadline: valid_until, has_address, has_content: has_content == Some(true) };
        let row = DeadLetterRow {
            delivery,
            message,
            partnership,
            membership,
            name: None,
            class,
            channel,
            state,
            reason,
            attempts,
            provider,
            settled_at,
            valid_until,
            can_be_requeued: false,
        };
        FoundDead { row, zone, status, kept }
    };
    Ok(rows.into_iter().map(row).collect())
}
