//! What waits for one: approvals for officers, second thoughts for authors, releases for coordinators.

use super::error::MessageError;
use super::payloads::{InboxFilter, InboxRow};
use super::store;
use crate::access::Actor;
use crate::http::Listing;
use crate::http::page_limit;
use crate::storage::Tx;

/// One page of it, oldest first.
pub(super) fn inbox(tx: &mut Tx<'_>, actor: &Actor, filter: &InboxFilter) -> Result<Listing<InboxRow>, MessageError> {
    let limit = page_limit(filter.limit);
    let rows = store::inbox(tx, actor, filter, limit)?;
    Ok(Listing::cut(rows, limit, |row| row.message.to_string()))
}
