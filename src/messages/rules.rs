//! When the answer is no. Pure: no clock, no database, no network.

use super::lifecycle::{Facts, Submitted};
use super::message::{ApprovalPolicy, Class, InformationSource, Kind};
use crate::access::Role;
use crate::partnerships::PartnershipStatus;
use crate::partnerships::PlanContent;
use crate::partnerships::ReleaseAlone;
use crate::territory::OwnMessage;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

macro_rules! refusals { ($($(#[$meta:meta])* $name:ident = $code:literal, $detail:literal;)+) => {
    /// Why the answer is no. A refusal is an answer; it is not an accident. One for each rule.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Refusal { $($(#[$meta])* $name),+ }
    impl Refusal {
        /// Every refusal.
        pub const ALL: &'static [Self] = &[$(Self::$name),+];
        /// Its fixed word.
        #[must_use]
        pub const fn code(self) -> &'static str { match self { $(Self::$name => $code),+ } }
        /// What to do next.
        #[must_use]
        pub const fn detail(self) -> &'static str { match self { $(Self::$name => $detail),+ } }
    }
} }
refusals! {
    /// Who wrote, changed or submitted it may not approve it (accept M2).
    OwnMessage = "own_message", "you wrote, changed or submitted this message; ask another officer of the zone to approve it";
    /// Alone, a reason is needed.
    SoloNeedsReason = "solo_needs_reason", "say in `reason` why no second officer can approve; another will look back within a day";
    /// Alone, a fresh proof of identity is needed.
    SoloNeedsStepUp = "solo_needs_step_up", "give your password again at POST /api/v1/step-up, then repeat this";
    /// The partnership is not active.
    PartnershipCannotAct = "partnership_cannot_act", "the partnership is not active; only an active one sends messages (a dormant one non-urgent ones)";
    /// Nobody would be reached.
    NobodyToReach = "nobody_to_reach", "no member can be reached with this; look at the preview for the reason of each";
    /// A language of the members has no text, and no fallback is agreed.
    LanguageMissing = "language_missing", "write the text in every language of the members, or agree on a fallback in the communication plan";
    /// Not all points of the checklist are confirmed.
    ChecklistIncomplete = "checklist_incomplete", "confirm every point of the checklist, or give the message back to its author";
    /// Somebody who may only propose wrote it as urgent.
    UrgentNotYours = "urgent_not_yours", "an urgent message is written by an officer, a coordinator or a deputy; call 101 first, then tell one of them";
    /// Information of the police is written by the police.
    SourceNotYours = "source_not_yours", "choose member_report or other as the source; only an officer writes for the police";
    /// This kind does not go with this class.
    KindDoesNotFit = "kind_does_not_fit", "start, update and end are urgent; feedback, prevention, meeting, admin and survey are not";
    /// This kind speaks of an earlier message.
    NeedsThread = "needs_thread", "write it as a follow-up of the message it speaks of";
    /// The earlier message never left.
    NothingToFollow = "nothing_to_follow", "the message has not left, so there is nothing to follow up; change it instead";
    /// A correction is the police's.
    CorrectionNotYours = "correction_not_yours", "ask an officer of the zone: a correction is written and approved by the police";
    /// The plan does not let the partnership release this alone.
    NotLeftToThePartnership = "not_left_to_the_partnership", "the communication plan leaves this kind to the police; submit the message for approval";
    /// An urgent message is stopped by the police.
    StopNotYours = "stop_not_yours", "ask an officer of the zone: an urgent message is stopped by the police";
    /// Nobody looks back at their own approval.
    ReviewOwn = "review_own", "another officer looks back at this approval";
}

/// The facts under which somebody approves or releases.
#[derive(Debug)]
pub struct Circumstances<'a> {
    /// Who.
    pub approver: Id<of::Account>,
    /// Now.
    pub now: Timestamp,
    /// Everybody who wrote or changed a version.
    pub editors: &'a [Id<of::Account>],
    /// The zone's policy about one's own message.
    pub own_message: OwnMessage,
    /// The plan in force.
    pub plan: &'a PlanContent,
    /// Where the partnership stands.
    pub partnership: PartnershipStatus,
    /// Has proved their identity afresh.
    pub stepped_up: bool,
    /// Why alone.
    pub reason: Option<&'a str>,
    /// Every point of the checklist is confirmed (duty P3).
    pub checklist_complete: bool,
    /// How many deliveries would go out.
    pub reached: usize,
    /// A member's language has neither a text nor an agreed fallback.
    pub language_missing: bool,
}

/// May this message be approved? Every rule in the order in which a reader would ask; then, why this one approval is enough.
///
/// # Errors
/// The first rule that says no.
pub fn may_approve(message: &Submitted, by: &Circumstances<'_>) -> Result<ApprovalPolicy, Refusal> {
    let facts = message.facts();
    partnership_can_act(facts, by)?;
    checklist_is_complete(by)?;
    somebody_is_reached(by)?;
    every_language_is_served(by)?;
    let own = facts.author == by.approver || message.by() == by.approver || by.editors.contains(&by.approver);
    if own { own_message(facts, by) } else { Ok(ApprovalPolicy::Dual) }
}
/// One's own message: a correction at once; a non-urgent one where the plan says so; an urgent one alone at night where the
/// zone says so, with a fresh proof and a reason. What a coordinator wrote is never approved by its writer.
fn own_message(facts: &Facts, by: &Circumstances<'_>) -> Result<ApprovalPolicy, Refusal> {
    if facts.author_role != Role::Officer {
        return Err(Refusal::OwnMessage);
    }
    if facts.kind == Kind::Correction {
        return Ok(ApprovalPolicy::Correction);
    }
    if facts.class == Class::NonUrgent && by.plan.officer_may_approve_own_non_urgent {
        return Ok(ApprovalPolicy::OwnNonUrgent);
    }
    match by.own_message {
        OwnMessage::Dual => Err(Refusal::OwnMessage),
        OwnMessage::SoloDuty if !by.stepped_up => Err(Refusal::SoloNeedsStepUp),
        OwnMessage::SoloDuty if by.reason.is_none() => Err(Refusal::SoloNeedsReason),
        OwnMessage::SoloDuty => Ok(ApprovalPolicy::SoloDuty),
    }
}
fn partnership_can_act(facts: &Facts, by: &Circumstances<'_>) -> Result<(), Refusal> {
    match (by.partnership, facts.class) {
        (PartnershipStatus::Active, _) | (PartnershipStatus::Dormant, Class::NonUrgent) => Ok(()),
        // Who was told something wrong is told that it was wrong, whatever became of the partnership.
        _ if facts.kind == Kind::Correction => Ok(()),
        _ => Err(Refusal::PartnershipCannotAct),
    }
}
const fn checklist_is_complete(by: &Circumstances<'_>) -> Result<(), Refusal> {
    if by.checklist_complete { Ok(()) } else { Err(Refusal::ChecklistIncomplete) }
}
const fn somebody_is_reached(by: &Circumstances<'_>) -> Result<(), Refusal> {
    if by.reached > 0 { Ok(()) } else { Err(Refusal::NobodyToReach) }
}
const fn every_language_is_served(by: &Circumstances<'_>) -> Result<(), Refusal> {
    if by.language_missing { Err(Refusal::LanguageMissing) } else { Ok(()) }
}

/// May the partnership release this alone? Only what the plan leaves to it, never facts, never what is urgent (duty C19).
///
/// # Errors
/// The first rule that says no.
pub fn may_release_alone(facts: &Facts, by: &Circumstances<'_>) -> Result<(), Refusal> {
    partnership_can_act(facts, by)?;
    let left = match facts.kind {
        Kind::Meeting => by.plan.release_alone.contains(&ReleaseAlone::Meeting),
        Kind::Admin => by.plan.release_alone.contains(&ReleaseAlone::Admin),
        // Only advice that the police made.
        Kind::Prevention => {
            by.plan.release_alone.contains(&ReleaseAlone::Prevention) && facts.source == InformationSource::Police
        }
        Kind::Start | Kind::Update | Kind::End | Kind::Feedback | Kind::Correction | Kind::Survey => false,
    };
    if !left || facts.class == Class::Urgent {
        return Err(Refusal::NotLeftToThePartnership);
    }
    somebody_is_reached(by)?;
    every_language_is_served(by)
}

/// May somebody in this role write this? Urgent texts come from officers, coordinators and deputies; the steering group and
/// the municipality may propose non-urgent ones; only the police write for the police (duties C8, L9).
///
/// # Errors
/// The rule that says no.
pub fn may_write(role: Role, class: Class, kind: Kind, source: InformationSource) -> Result<(), Refusal> {
    if !kind.fits(class) {
        return Err(Refusal::KindDoesNotFit);
    }
    if class == Class::Urgent && !matches!(role, Role::Officer | Role::Coordinator | Role::Deputy) {
        return Err(Refusal::UrgentNotYours);
    }
    if source == InformationSource::Police && role != Role::Officer {
        return Err(Refusal::SourceNotYours);
    }
    if kind == Kind::Correction && role != Role::Officer {
        return Err(Refusal::CorrectionNotYours);
    }
    Ok(())
}

/// May somebody in this role stop it? An urgent message is stopped by the police, another by its coordinator too.
///
/// # Errors
/// The rule that says no.
pub const fn may_stop(role: Role, class: Class) -> Result<(), Refusal> {
    match (class, role) {
        (Class::Urgent, Role::Officer) | (Class::NonUrgent, _) => Ok(()),
        (Class::Urgent, _) => Err(Refusal::StopNotYours),
    }
}
