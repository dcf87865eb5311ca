//! What goes over the wire about what went wrong: dead letters, and alarms.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::message::Class;
use crate::delivery::Channel;
use crate::delivery::alarms::AlarmKind;
use crate::values::Id;
use crate::values::Line;
use crate::values::Timestamp;
use crate::values::of;

// The contract's derive looks into the generics of a field; a name of its own keeps it out.
type MessageId = Id<of::Message>;
type PartnershipId = Id<of::Partnership>;
type AccountId = Id<of::Account>;
type MembershipId = Id<of::Membership>;
type ZoneId = Id<of::Zone>;
type AlarmId = Id<of::Alarm>;

/// A delivery that failed or expired although somebody should have got it. Officers see initials, nobody an address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadLetterRow {
    /// Its number.
    pub delivery: i64,
    /// The message.
    pub message: MessageId,
    /// Its partnership.
    pub partnership: PartnershipId,
    /// The membership; for officers alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<MembershipId>,
    /// Initials; for officers alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How pressing.
    pub class: Class,
    /// The channel.
    pub channel: Channel,
    /// How it ended.
    pub state: DeadState,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// Who was tried last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// Until when it is of use.
    pub valid_until: Timestamp,
    /// It is still of use and still kept; whether it may go out again is looked at when it is put back.
    pub can_be_requeued: bool,
}
crate::words! {
    /// How a delivery ended without arriving.
    pub enum DeadState {
        /// The provider said: never.
        Failed = "failed",
        /// Its time was over.
        Expired = "expired",
    }
}
/// Which dead letters.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct DeadLetterFilter {
    /// Only of this zone.
    pub zone: Option<ZoneId>,
    /// Only of this partnership.
    pub partnership: Option<PartnershipId>,
    /// Only of this message.
    pub message: Option<MessageId>,
    /// Only on this channel.
    pub channel: Option<Channel>,
    /// Only in this state.
    #[param(inline)]
    pub state: Option<DeadState>,
    /// Only for exactly this reason.
    #[param(inline)]
    pub reason: Option<Line<200>>,
    /// Only what ended at or after this.
    pub since: Option<Timestamp>,
    /// Rows on a page.
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u8>,
    /// `next` of the page before.
    #[validate(range(min = 0, message = "must be the `next` of a page"))]
    #[param(minimum = 0)]
    pub after: Option<i64>,
}
/// What was put back into the queue.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Requeued {
    /// The message.
    pub message: MessageId,
    /// How many are on their way again.
    pub requeued: i64,
    /// How many are left where they are, by reason.
    pub left: BTreeMap<String, i64>,
}
/// An alarm.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlarmRow {
    /// Its identifier.
    pub id: AlarmId,
    /// What it is about.
    pub kind: AlarmKind,
    /// The message it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When its cause was gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<Timestamp>,
    /// When somebody took it in hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<AccountId>,
}
/// Which alarms.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct AlarmFilter {
    /// `true` for those whose cause goes on, `false` for the others.
    pub open: Option<bool>,
    /// Rows on a page.
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u8>,
    /// `next` of the page before.
    pub after: Option<AlarmId>,
}
