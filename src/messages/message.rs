//! The words of a message.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::delivery::Lane;
use crate::values::Id;
use crate::values::Line;
use crate::values::Localized;
use crate::values::Prose;
use crate::values::of;

crate::words! {
    /// How pressing it is.
    pub enum Class {
        /// Something is happening now: every channel at once, at any hour.
        Urgent = "urgent",
        /// Everything else: the preferred channel, and the other one where that fails, within quiet hours.
        NonUrgent = "non_urgent",
    }
}
crate::words! {
    /// What it is in its thread.
    pub enum Kind {
        /// Something has begun.
        Start = "start",
        /// More is known.
        Update = "update",
        /// It is over.
        End = "end",
        /// What became of it (duty P7).
        Feedback = "feedback",
        /// An earlier message was wrong.
        Correction = "correction",
        /// Advice (duty P10).
        Prevention = "prevention",
        /// A meeting.
        Meeting = "meeting",
        /// About the partnership itself.
        Admin = "admin",
        /// A question to the members.
        Survey = "survey",
    }
}
crate::words! {
    /// Whether it is meant.
    pub enum Mode {
        /// It is meant.
        Live = "live",
        /// It is an exercise: another label, and only those who take part in exercises.
        Exercise = "exercise",
    }
}
crate::words! {
    /// Where the information comes from (duty C8).
    pub enum InformationSource {
        /// The police.
        Police = "police",
        /// A member reported it.
        MemberReport = "member_report",
        /// Somebody else.
        Other = "other",
    }
}
crate::words! {
    /// Where it stands.
    pub enum Status {
        /// Being written.
        Draft = "draft",
        /// With the police.
        Submitted = "submitted",
        /// Given back to its author.
        Returned = "returned",
        /// Refused.
        Rejected = "rejected",
        /// Agreed.
        Approved = "approved",
        /// Agreed; the coordinator passes it on.
        AwaitingRelease = "awaiting_release",
        /// Going out.
        Dispatching = "dispatching",
        /// Gone out to everybody.
        Completed = "completed",
        /// Gone out, but not to everybody.
        CompletedWithFailures = "completed_with_failures",
        /// Stopped while going out.
        Stopped = "stopped",
        /// Thrown away.
        Discarded = "discarded",
        /// Not passed on in time.
        Expired = "expired",
    }
}
impl Status {
    /// Has a message in this state begun to leave?
    #[must_use]
    pub const fn has_left(self) -> bool {
        match self {
            Self::Dispatching | Self::Completed | Self::CompletedWithFailures | Self::Stopped => true,
            Self::Draft
            | Self::Submitted
            | Self::Returned
            | Self::Rejected
            | Self::Approved
            | Self::AwaitingRelease
            | Self::Discarded
            | Self::Expired => false,
        }
    }
    /// May what did not arrive of it be tried again? It has begun to leave, and nobody stopped it.
    #[must_use]
    pub const fn can_be_requeued(self) -> bool {
        self.has_left() && !matches!(self, Self::Stopped)
    }
    /// The states in which a message has left.
    pub(super) fn left() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|status| status.has_left())
    }
    /// The states in which a message has not left.
    pub(super) fn not_left() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|status| !status.has_left())
    }
}
crate::words! {
    /// Why one approval was enough, or that two people were at work.
    pub enum ApprovalPolicy {
        /// Somebody else wrote it.
        Dual = "dual",
        /// The officer on duty wrote and approved it; another looks back within a day.
        SoloDuty = "solo_duty",
        /// A correction: one person, at once.
        Correction = "correction",
        /// A non-urgent text of the police that the plan lets its author approve.
        OwnNonUrgent = "own_non_urgent",
        /// The partnership released alone what the plan leaves to it.
        ReleaseAlone = "release_alone",
    }
}

/// What it says in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageText {
    /// Title; the subject of the mail.
    #[schema(inline)]
    pub title: Line<100>,
    /// The text of the mail.
    #[schema(inline)]
    pub body: Prose<4000>,
    /// The text of the SMS; the title when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub sms: Option<Line<400>>,
}
impl MessageText {
    /// What the SMS says.
    #[must_use]
    pub fn sms_text(&self) -> &str {
        self.sms.as_ref().map_or(self.title.as_str(), Line::as_str)
    }
}
/// What it says.
pub(super) type Texts = Localized<MessageText>;

// The contract's derive looks into the generics of a field; a name of its own keeps it out.
type MessageId = Id<of::Message>;

/// For whom it is meant. Bound by the approval; the number of people is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AudienceRule {
    /// Everybody in the partnership.
    Partnership,
    /// Exactly those whom an earlier message reached, whatever they are now.
    RecipientsOf(MessageId),
}

impl Kind {
    /// Belongs to this class?
    #[must_use]
    pub const fn fits(self, class: Class) -> bool {
        match self {
            Self::Start | Self::Update | Self::End => matches!(class, Class::Urgent),
            Self::Correction => true,
            Self::Feedback | Self::Prevention | Self::Meeting | Self::Admin | Self::Survey => {
                matches!(class, Class::NonUrgent)
            }
        }
    }
    /// Speaks of an earlier message?
    #[must_use]
    pub const fn follows(self) -> bool {
        matches!(self, Self::Update | Self::End | Self::Feedback | Self::Correction)
    }
}
/// In which lane of the queue it travels: corrections and ends overtake what they speak of.
#[must_use]
pub(super) const fn lane(class: Class, kind: Kind) -> Lane {
    match (class, kind) {
        (_, Kind::Correction) | (Class::Urgent, Kind::End) => Lane::Correction,
        (Class::Urgent, _) => Lane::Urgent,
        (Class::NonUrgent, _) => Lane::NonUrgent,
    }
}
