//! How far a message has come: counts for everybody who may see it, rows without names for those who keep the list.

use std::collections::BTreeMap;

use super::approvals;
use super::error::MessageError;
use super::payloads::{Progress, RecipientFilter, RecipientRow};
use super::store;
use crate::delivery;
use crate::http::Listing;
use crate::http::page_limit;
use crate::members;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// Counts. A message shows as completed only when planned = handed over + left out + failed + expired + cancelled (accept M3).
pub(super) fn progress(tx: &mut Tx<'_>, id: Id<of::Message>) -> Result<Progress, MessageError> {
    let loaded = store::find(tx, id)?.ok_or(MessageError::NotFound)?;
    let mut progress = Progress {
        message: id,
        status: loaded.message.status(),
        members: 0,
        reached: 0,
        planned: 0,
        handed_over: BTreeMap::new(),
        states: BTreeMap::new(),
        suppressed: BTreeMap::new(),
        waiting: 0,
        without_report: 0,
    };
    let Some(version) = approvals::approved_version(tx, id)? else { return Ok(progress) };
    for ((channel, state), count) in delivery::progress(tx, version.uuid())? {
        progress.planned += count;
        if state.was_handed_over() {
            *progress.handed_over.entry(channel.as_str().to_owned()).or_default() += count;
        }
        if !state.is_final() {
            progress.waiting += count;
        }
        progress.states.entry(channel.as_str().to_owned()).or_default().insert(state.as_str().to_owned(), count);
    }
    progress.without_report = delivery::without_report(tx, version.uuid())?;
    progress.members = delivery::persons_in(tx, version.uuid())?;
    progress.reached = delivery::persons_reached(tx, version.uuid())?;
    for (channel, reason, count) in delivery::suppressed_in(tx, version.uuid())? {
        progress.suppressed.insert(format!("{channel}:{}", reason.unwrap_or_default()), count);
    }
    Ok(progress)
}

/// One page of recipients: initials, channel and state; never an address.
pub(super) fn recipients(
    tx: &mut Tx<'_>,
    id: Id<of::Message>,
    filter: &RecipientFilter,
) -> Result<Listing<RecipientRow>, MessageError> {
    let limit = page_limit(filter.limit);
    let Some(version) = approvals::approved_version(tx, id)? else {
        return Ok(Listing { items: Vec::new(), next: None });
    };
    let rows = delivery::deliveries_of(tx, version.uuid(), filter.state, filter.after.unwrap_or(0), limit + 1)?;
    let page = Listing::cut(rows, limit, |row| row.id.to_string());
    let ids: Vec<Id<of::Membership>> = page.items.iter().filter_map(|row| row.membership_id).collect();
    let names = members::members_by_ids(tx, &ids)?;
    Ok(page.map(|row| RecipientRow {
        delivery: row.id,
        membership: row.membership_id,
        name: row.membership_id.and_then(|id| names.get(&id)).map(|member| member.initials.clone()).unwrap_or_default(),
        channel: row.channel,
        state: row.state,
        reason: row.reason,
        attempts: row.attempts,
        settled_at: row.settled_at,
    }))
}
