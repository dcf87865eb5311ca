//! The communication plan: what goes out how, agreed between the police and the coordinator (duties C19, P6).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::delivery::Channel;
use crate::values::Id;
use crate::values::Language;
use crate::values::Timestamp;
use crate::values::of;

crate::words! {
    /// Who spreads.
    pub enum PlanMode {
        /// The system, to every member.
        Direct = "direct",
        /// The coordinator, who passes it on.
        Relay = "relay",
    }
}
crate::words! {
    /// What the partnership may release without the police: never facts.
    pub enum ReleaseAlone {
        /// An invitation to a meeting.
        Meeting = "meeting",
        /// How the partnership itself is run.
        Admin = "admin",
        /// Prevention advice that the police made.
        Prevention = "prevention",
    }
}

fn each_once<T: PartialEq>(items: &[T]) -> Result<(), ValidationError> {
    if items.iter().enumerate().any(|(at, item)| items.iter().skip(at.saturating_add(1)).any(|other| other == item)) {
        return Err(ValidationError::new("twice").with_message("must name each once".into()));
    }
    Ok(())
}
fn channels_once(items: &[Channel]) -> Result<(), ValidationError> {
    each_once(items)
}
fn languages_once(items: &[Language]) -> Result<(), ValidationError> {
    each_once(items)
}
fn kinds_once(items: &[ReleaseAlone]) -> Result<(), ValidationError> {
    each_once(items)
}

/// What is agreed for one class of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ClassPlan {
    /// On which channels.
    #[validate(length(min = 1, max = 2), custom(function = "channels_once"))]
    #[schema(min_items = 1, max_items = 2)]
    pub channels: Vec<Channel>,
    /// Who spreads.
    pub mode: PlanMode,
}
/// What is agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PlanContent {
    /// Urgent messages: direct, always, at any hour.
    #[validate(nested)]
    pub urgent: ClassPlan,
    /// All others.
    #[validate(nested)]
    pub non_urgent: ClassPlan,
    /// The language of a text, in this order, for a member in whose own there is none.
    #[validate(length(min = 1, max = 4), custom(function = "languages_once"))]
    #[schema(min_items = 1, max_items = 4)]
    pub fallback_languages: Vec<Language>,
    /// From this hour non-urgent messages wait.
    #[validate(range(max = 23))]
    #[schema(minimum = 0, maximum = 23)]
    pub quiet_from_hour: u8,
    /// Until this hour.
    #[validate(range(max = 23))]
    #[schema(minimum = 0, maximum = 23)]
    pub quiet_until_hour: u8,
    /// One SMS for each dwelling.
    pub sms_per_dwelling: bool,
    /// What the partnership may release without the police.
    #[validate(length(max = 3), custom(function = "kinds_once"))]
    #[schema(max_items = 3)]
    pub release_alone: Vec<ReleaseAlone>,
    /// How long an urgent message is of use, in minutes.
    #[validate(range(min = 10, max = 120))]
    #[schema(minimum = 10, maximum = 120)]
    pub urgent_validity_minutes: u16,
    /// May an officer approve a non-urgent message of his own?
    pub officer_may_approve_own_non_urgent: bool,
}
impl PlanContent {
    /// Urgent messages never wait for somebody to pass them on.
    #[must_use]
    pub fn is_urgent_direct(&self) -> bool {
        self.urgent.mode == PlanMode::Direct
    }
}

/// A version of the plan with its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Its number, from one.
    pub number: i32,
    /// What it says.
    pub content: PlanContent,
    /// Who signed it for the police.
    pub signed_by_officer: Id<of::Account>,
    /// When.
    pub officer_signed_at: Timestamp,
    /// Who signed it for the partnership: only then is it in force.
    pub signed_by_coordinator: Option<Id<of::Account>>,
    /// When.
    pub coordinator_signed_at: Option<Timestamp>,
}
