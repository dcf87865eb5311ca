//! What waits for one: approvals for officers, second thoughts for authors, releases for coordinators.

use diesel::prelude::*;

use super::error::MessageError;
use super::message::Status;
use super::payloads::{InboxFilter, InboxRow, WaitsFor};
use super::store::{Loaded, Row};
use crate::access::Actor;
use crate::access::Reach;
use crate::access::Role;
use crate::http::Listing;
use crate::http::page_limit;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::schema::{approvals, messages, partnerships};
use crate::values::Id;
use crate::values::of;

/// One page of it, oldest first.
pub(super) fn inbox(tx: &mut Tx<'_>, actor: &Actor, filter: &InboxFilter) -> Result<Listing<InboxRow>, MessageError> {
    let limit = page_limit(filter.limit);
    let rows = waiting(tx, actor, filter, limit)?;
    Ok(Listing::cut(rows, limit, |row| row.message.to_string()))
}

/// What waits for an actor, oldest first; one row more than the limit. What waits for an officer is looked for in the zones
/// where they are one, what waits for a coordinator in the partnerships where they are one: no role is carried elsewhere.
fn waiting(tx: &mut Tx<'_>, actor: &Actor, filter: &InboxFilter, limit: i64) -> Result<Vec<InboxRow>, StorageError> {
    let zones: Vec<Id<of::Zone>> = actor
        .grants
        .iter()
        .filter_map(|grant| match grant.reach {
            Reach::Zone(zone) if grant.role == Role::Officer => Some(zone),
            _ => None,
        })
        .collect();
    let kept: Vec<Id<of::Partnership>> = actor
        .grants
        .iter()
        .filter_map(|grant| match grant.reach {
            Reach::Partnership(id) if matches!(grant.role, Role::Coordinator | Role::Deputy) => Some(id),
            _ => None,
        })
        .collect();
    let wants = |what: WaitsFor| filter.waits_for.is_none_or(|wanted| wanted == what);
    let when = |what: WaitsFor, status: Status| if wants(what) { vec![status] } else { Vec::new() };
    let policed = || partnerships::table.filter(partnerships::zone_id.eq_any(zones.clone())).select(partnerships::id);
    let review_due = approvals::table
        .filter(approvals::after_review_due_at.is_not_null())
        .filter(approvals::after_reviewed_at.is_null())
        .filter(approvals::officer_id.ne(actor.account))
        .select(approvals::message_id);
    let reviews = wants(WaitsFor::AfterReview).into_sql::<diesel::sql_types::Bool>();
    let approval = messages::status.eq_any(when(WaitsFor::Approval, Status::Submitted));
    let release = messages::status.eq_any(when(WaitsFor::Release, Status::AwaitingRelease));
    // What was given back waits for its author alone.
    let revision = messages::status.eq_any(when(WaitsFor::Revision, Status::Returned));
    let mut wanted = messages::table
        .filter(
            messages::partnership_id
                .eq_any(policed())
                .and(approval.or(messages::id.eq_any(review_due).and(reviews)))
                .or(messages::partnership_id.eq_any(kept.clone()).and(release))
                .or(messages::author_id
                    .eq(actor.account)
                    .and(revision)
                    .and(messages::partnership_id.eq_any(policed()).or(messages::partnership_id.eq_any(kept)))),
        )
        .order(messages::id)
        .limit(limit + 1)
        .select(Row::as_select())
        .into_boxed();
    if let Some(after) = filter.after {
        wanted = wanted.filter(messages::id.gt(after));
    }
    let rows: Vec<Row> = wanted.load(tx.db())?;
    rows.into_iter().map(|row| Ok(shown(&row.restore()?))).collect()
}
fn shown(loaded: &Loaded) -> InboxRow {
    let facts = loaded.message.facts();
    InboxRow {
        message: facts.id,
        partnership: facts.partnership,
        waits_for: match loaded.message.status() {
            Status::Submitted => WaitsFor::Approval,
            Status::Returned => WaitsFor::Revision,
            Status::AwaitingRelease => WaitsFor::Release,
            _ => WaitsFor::AfterReview,
        },
        class: facts.class,
        kind: facts.kind,
        mode: facts.mode,
        since: loaded.decided_at.or(loaded.submitted_at).unwrap_or(facts.created_at),
    }
}
