//! Dead letters of messages: what did not arrive, for those who run a zone.

use super::error::MessageError;
use super::payloads::{DeadLetterFilter, DeadLetterRow};
use super::rules;
use super::store::{self, FoundDead};
use crate::access::Actor;
use crate::access::Reach;
use crate::access::Role;
use crate::access::Visible;
use crate::http::Listing;
use crate::http::page_limit;
use crate::members;
use crate::storage::Tx;
use crate::values::Id;
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
    let rows = store::dead_letters(tx, &zones, filter, limit)?;
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
