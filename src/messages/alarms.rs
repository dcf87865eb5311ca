//! Alarms of a zone: read, and taken in hand.

use super::dead_letter_payloads::{AlarmFilter, AlarmRow};
use super::error::MessageError;
use super::watch::message_of;
use crate::access::Visible;
use crate::delivery::alarms::{self, Alarm};
use crate::http::Listing;
use crate::http::page_limit;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

fn row(alarm: Alarm) -> AlarmRow {
    AlarmRow {
        id: alarm.id,
        kind: alarm.kind,
        message: message_of(&alarm.subject),
        raised_at: alarm.raised_at,
        cleared_at: alarm.cleared_at,
        acknowledged_at: alarm.acknowledged_at,
        acknowledged_by: alarm.acknowledged_by,
    }
}

/// One page of them, newest first.
pub(super) fn list(
    tx: &mut Tx<'_>,
    visible: &Visible,
    filter: &AlarmFilter,
) -> Result<Listing<AlarmRow>, MessageError> {
    let limit = page_limit(filter.limit);
    let rows = alarms::alarms_of(tx, &visible.zones(), filter.open, filter.after, limit)?;
    Ok(Listing::cut(rows, limit, |alarm| alarm.id.to_string()).map(row))
}
/// Somebody takes it in hand. Who was first stays.
pub(super) fn acknowledge(tx: &mut Tx<'_>, id: Id<of::Alarm>, by: Id<of::Account>) -> Result<AlarmRow, MessageError> {
    alarms::acknowledge(tx, id, by)?;
    alarms::find_alarm(tx, id)?.map(row).ok_or(MessageError::NotFound)
}
