//! When the answer is no. Pure: no clock, no database, no network.

use super::lifecycle::{Facts, Submitted};
use super::message::{ApprovalPolicy, Class, InformationSource, Kind, Status};
use crate::access::Role;
use crate::delivery::Kept;
use crate::partnerships::PartnershipStatus;
use crate::partnerships::PlanContent;
use crate::partnerships::ReleaseAlone;
use crate::territory::OwnMessage;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

macro_rules! refusals { ($($(#[$meta:meta])* $name:ident = $code:literal, $detail:literal;)+) => {
    /// Why the answer is no. A refusal is an answer; it is not an accident. One for each rule.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// No delivery of it failed or expired.
    NothingDead = "nothing_dead", "nothing of it failed or expired, or somebody has already put it back; look at its progress";
    /// It is no longer of use.
    ValidityOver = "validity_over", "its validity is over, and late is worse than never; write a new message if it still matters";
    /// The address is no longer kept.
    AddressGone = "address_gone", "addresses are kept for seven days; write a new message";
    /// The approved bytes are no longer kept.
    ContentGone = "content_gone", "the approved text is no longer kept for sending; write a new message";
    /// A correction or an end has left since.
    Superseded = "superseded", "a correction or an end of it has left since; write a new message for those who still need one";
    /// They are no longer a member, or do not wish to hear anything now.
    MemberGone = "member_gone", "they left, paused or are suspended since; there is nothing to send any more";
    /// They stopped this channel.
    ChannelStopped = "channel_stopped", "they stopped this channel since; other channels still reach them";
    /// They chose so.
    NightChoice = "night_choice", "they chose to have no SMS at night; other channels still reach them";
    /// The other channel took over.
    ReachedOtherwise = "reached_otherwise", "the other channel took over and reached them, or is about to; nobody needs it twice";
    /// Nothing usable to reach them by.
    NoUsableContact = "no_usable_contact", "correct and confirm their address or number first, then put it back";
    /// Somebody stopped it.
    MessageStopped = "message_stopped", "the message was stopped; write a new one if it matters after all";
    /// No plan, or none that names this channel.
    NotInPlan = "not_in_plan", "the communication plan in force does not name this channel; agree on one that does";
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
    partnership_can_act(facts, by.partnership)?;
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
/// May this leave a partnership in this state?
fn partnership_can_act(facts: &Facts, partnership: PartnershipStatus) -> Result<(), Refusal> {
    match (partnership, facts.class) {
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
    partnership_can_act(facts, by.partnership)?;
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

/// May what did not arrive of a message be sent again? Never what is out of date by a later word, never for a partnership
/// that may not act.
///
/// # Errors
/// The first rule that says no.
pub fn may_requeue(facts: &Facts, partnership: PartnershipStatus, superseded: bool) -> Result<(), Refusal> {
    partnership_can_act(facts, partnership)?;
    if superseded { Err(Refusal::Superseded) } else { Ok(()) }
}
/// May the other channel take over what failed of a message? Where it may be put back, and under the plan in force, which
/// is the answer.
///
/// # Errors
/// The first rule that says no.
pub fn may_take_over<'plan>(
    (facts, status): (&Facts, Status),
    partnership: PartnershipStatus,
    plan: Option<&'plan PlanContent>,
    superseded: bool,
) -> Result<&'plan PlanContent, Refusal> {
    if !status.can_be_requeued() {
        return Err(Refusal::MessageStopped);
    }
    let plan = plan.ok_or(Refusal::NotInPlan)?;
    may_requeue(facts, partnership, superseded)?;
    Ok(plan)
}
/// Is there anything to put back?
///
/// # Errors
/// `NothingDead`.
pub fn anything_dead(letters: usize) -> Result<(), Refusal> {
    if letters == 0 { Err(Refusal::NothingDead) } else { Ok(()) }
}
/// Does somebody lack it who was to get it once, on one channel or the other?
///
/// # Errors
/// `ReachedOtherwise`.
pub fn is_lacking(class: Class, has_it_otherwise: bool) -> Result<(), Refusal> {
    // What is urgent goes to every channel, each for itself.
    if class == Class::NonUrgent && has_it_otherwise { Err(Refusal::ReachedOtherwise) } else { Ok(()) }
}
/// Is everything that one dead letter needs still there, and is it still of use? Urgent or not, nothing leaves late.
///
/// # Errors
/// The first rule that says no.
pub fn is_still_kept(kept: Kept, now: Timestamp) -> Result<(), Refusal> {
    if kept.deadline <= now {
        return Err(Refusal::ValidityOver);
    }
    if !kept.has_address {
        return Err(Refusal::AddressGone);
    }
    if kept.has_content { Ok(()) } else { Err(Refusal::ContentGone) }
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

/// May what the police approved be passed on now? What held for the approval may no longer hold.
///
/// # Errors
/// The first rule that says no.
pub fn may_pass_on(facts: &Facts, by: &Circumstances<'_>) -> Result<(), Refusal> {
    partnership_can_act(facts, by.partnership)?;
    somebody_is_reached(by)?;
    every_language_is_served(by)
}

/// Does it name the message it speaks of, where its kind speaks of one?
///
/// # Errors
/// The rule that said no.
pub const fn names_what_it_follows(kind: Kind, follows: bool) -> Result<(), Refusal> {
    if kind.follows() && !follows { Err(Refusal::NeedsThread) } else { Ok(()) }
}

/// May this kind follow a message that has left, or has not?
///
/// # Errors
/// The rule that said no.
pub const fn may_follow(kind: Kind, has_left: bool) -> Result<(), Refusal> {
    match (kind.follows(), has_left) {
        (false, _) => Err(Refusal::KindDoesNotFit),
        (true, false) => Err(Refusal::NothingToFollow),
        (true, true) => Ok(()),
    }
}

/// May somebody look back at what another approved alone?
///
/// # Errors
/// The rule that said no.
pub fn may_review(approver: Id<of::Account>, reviewer: Id<of::Account>) -> Result<(), Refusal> {
    if approver == reviewer { Err(Refusal::ReviewOwn) } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::audience;
    use super::super::lifecycle::Draft;
    use super::super::message::{AudienceRule, Mode};
    use super::super::recipient;
    use super::*;
    use crate::delivery::Channel;
    use crate::members::{MembershipStatus, Recipient};
    use crate::partnerships::ClassPlan;
    use crate::partnerships::PlanMode;
    use crate::values::Language;

    fn plan() -> PlanContent {
        let class = ClassPlan { channels: vec![Channel::Email, Channel::Sms], mode: PlanMode::Direct };
        PlanContent {
            urgent: class.clone(),
            non_urgent: class,
            fallback_languages: vec![Language::Fr],
            quiet_from_hour: 21,
            quiet_until_hour: 8,
            sms_per_dwelling: false,
            release_alone: vec![ReleaseAlone::Meeting],
            urgent_validity_minutes: 60,
            officer_may_approve_own_non_urgent: false,
        }
    }
    /// Somebody else approves, and nothing stands against it.
    fn fine(plan: &PlanContent) -> Circumstances<'_> {
        Circumstances {
            approver: Id::new(),
            now: Timestamp::from_micros(0),
            editors: &[],
            own_message: OwnMessage::Dual,
            plan,
            partnership: PartnershipStatus::Active,
            stepped_up: true,
            reason: None,
            checklist_complete: true,
            reached: 1,
            language_missing: false,
        }
    }
    fn quiet(kind: Kind) -> Facts {
        Facts { class: Class::NonUrgent, kind, ..Facts::example() }
    }
    fn of_an_officer() -> Facts {
        Facts { author_role: Role::Officer, source: InformationSource::Police, ..Facts::example() }
    }
    fn approving(facts: Facts, by: &Circumstances<'_>) -> Result<ApprovalPolicy, Refusal> {
        let submitter = Id::new();
        may_approve(&Draft::begin(facts).submit(submitter, by.now), by)
    }

    /// May an urgent SMS that did not arrive go out again, at night, after this change?
    fn still_kept(change: &dyn Fn(&mut Kept, &mut Recipient)) -> Result<(), Refusal> {
        let (night, mut member) =
            (audience::tests::noon().plus(Duration::from_secs(12 * 3_600)), audience::tests::member(1));
        let mut kept = Kept { deadline: night.plus(Duration::from_secs(60)), has_address: true, has_content: true };
        change(&mut kept, &mut member);
        is_still_kept(kept, night)?;
        recipient::present_address(
            &member,
            (Class::Urgent, Kind::Start, &AudienceRule::Partnership),
            Channel::Sms,
            night,
        )
        .map(drop)
    }

    /// One row for each refusal: the least that makes the answer no.
    fn refused() -> Vec<(Refusal, Result<(), Refusal>)> {
        let plan = plan();
        let of = |facts: Facts, change: &dyn Fn(&mut Circumstances<'_>)| {
            let mut by = fine(&plan);
            change(&mut by);
            approving(facts, &by).map(|_| ())
        };
        let (own, officer) = (of_an_officer(), Role::Officer);
        let author = own.author;
        let alone = |by: &mut Circumstances<'_>| {
            by.approver = author;
            by.own_message = OwnMessage::SoloDuty;
        };
        let write = |role, class, kind, source| may_write(role, class, kind, source);
        let (urgent, other) = (Class::Urgent, InformationSource::Other);
        let take_over = |status, partnership, plan, superseded| {
            may_take_over((&quiet(Kind::Meeting), status), partnership, plan, superseded).map(drop)
        };
        vec![
            (Refusal::OwnMessage, of(own.clone(), &|by| by.approver = author)),
            (Refusal::SoloNeedsReason, of(own.clone(), &alone)),
            (
                Refusal::SoloNeedsStepUp,
                of(own, &|by| {
                    alone(by);
                    by.stepped_up = false;
                    by.reason = Some("alone tonight");
                }),
            ),
            (Refusal::PartnershipCannotAct, of(Facts::example(), &|by| by.partnership = PartnershipStatus::Suspended)),
            (Refusal::PartnershipCannotAct, of(Facts::example(), &|by| by.partnership = PartnershipStatus::Dormant)),
            (Refusal::NobodyToReach, of(Facts::example(), &|by| by.reached = 0)),
            (Refusal::LanguageMissing, of(Facts::example(), &|by| by.language_missing = true)),
            (Refusal::ChecklistIncomplete, of(Facts::example(), &|by| by.checklist_complete = false)),
            (Refusal::UrgentNotYours, write(Role::Steering, urgent, Kind::Start, other)),
            (Refusal::UrgentNotYours, write(Role::Municipality, urgent, Kind::Start, other)),
            (Refusal::SourceNotYours, write(Role::Coordinator, urgent, Kind::Start, InformationSource::Police)),
            (Refusal::KindDoesNotFit, write(officer, urgent, Kind::Meeting, other)),
            (Refusal::KindDoesNotFit, write(officer, Class::NonUrgent, Kind::End, other)),
            (Refusal::KindDoesNotFit, may_follow(Kind::Start, true)),
            (Refusal::CorrectionNotYours, write(Role::Coordinator, urgent, Kind::Correction, other)),
            (Refusal::NeedsThread, names_what_it_follows(Kind::Feedback, false)),
            (Refusal::NothingToFollow, may_follow(Kind::End, false)),
            (Refusal::NotLeftToThePartnership, may_release_alone(&quiet(Kind::Admin), &fine(&plan))),
            (
                Refusal::NotLeftToThePartnership,
                may_release_alone(&Facts { class: urgent, ..quiet(Kind::Meeting) }, &fine(&plan)),
            ),
            (
                Refusal::PartnershipCannotAct,
                may_pass_on(
                    &quiet(Kind::Admin),
                    &Circumstances { partnership: PartnershipStatus::Suspended, ..fine(&plan) },
                ),
            ),
            (Refusal::NobodyToReach, may_pass_on(&quiet(Kind::Admin), &Circumstances { reached: 0, ..fine(&plan) })),
            (
                Refusal::LanguageMissing,
                may_pass_on(&quiet(Kind::Admin), &Circumstances { language_missing: true, ..fine(&plan) }),
            ),
            (Refusal::StopNotYours, may_stop(Role::Coordinator, urgent)),
            (Refusal::ReviewOwn, may_review(author, author)),
            (Refusal::NothingDead, anything_dead(0)),
            (Refusal::ReachedOtherwise, is_lacking(Class::NonUrgent, true)),
            (Refusal::Superseded, may_requeue(&Facts::example(), PartnershipStatus::Active, true)),
            (Refusal::MessageStopped, take_over(Status::Stopped, PartnershipStatus::Active, Some(&plan), false)),
            (Refusal::NotInPlan, take_over(Status::Dispatching, PartnershipStatus::Active, None, false)),
            (
                Refusal::PartnershipCannotAct,
                take_over(Status::Completed, PartnershipStatus::Suspended, Some(&plan), false),
            ),
            (Refusal::Superseded, take_over(Status::Completed, PartnershipStatus::Active, Some(&plan), true)),
            (Refusal::ValidityOver, still_kept(&|kept, _| kept.deadline = Timestamp::from_micros(0))),
            (Refusal::AddressGone, still_kept(&|kept, _| kept.has_address = false)),
            (Refusal::ContentGone, still_kept(&|kept, _| kept.has_content = false)),
            (Refusal::MemberGone, still_kept(&|_, member| member.status = MembershipStatus::Left)),
            (Refusal::ChannelStopped, still_kept(&|_, member| member.sms_stopped = true)),
            (Refusal::NightChoice, still_kept(&|_, member| member.sms_at_night = false)),
            (Refusal::NoUsableContact, still_kept(&|_, member| member.mobile = None)),
        ]
    }
    #[test]
    fn every_rule_says_no_for_its_own_reason() {
        for (expected, answer) in refused() {
            assert_eq!(answer, Err(expected));
        }
    }
    #[test]
    fn no_rule_is_without_its_row() {
        let rows = refused();
        for refusal in Refusal::ALL {
            assert!(rows.iter().any(|(expected, _)| expected == refusal), "{refusal:?} has no row");
        }
    }
    #[test]
    fn each_refusal_has_a_word_of_its_own_and_says_what_to_do() {
        for (at, refusal) in Refusal::ALL.iter().enumerate() {
            let word = refusal.code();
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
            assert!(Refusal::ALL.iter().skip(at + 1).all(|other| other.code() != word), "{word} twice");
            assert!(refusal.detail().len() > 20, "{word}");
        }
    }
    /// Accept M2 and ruling 5: which one approval is enough, and why.
    #[test]
    fn why_one_approval_is_enough() {
        let plain = plan();
        let leaves = PlanContent { officer_may_approve_own_non_urgent: true, ..plan() };
        let alone = Circumstances { own_message: OwnMessage::SoloDuty, reason: Some("alone tonight"), ..fine(&plain) };
        let own = |facts: Facts| (facts.author, facts);
        let cases = [
            (own(of_an_officer()), &alone, Ok(ApprovalPolicy::SoloDuty)),
            (own(Facts { kind: Kind::Correction, ..of_an_officer() }), &fine(&plain), Ok(ApprovalPolicy::Correction)),
            (
                own(Facts { author_role: Role::Officer, ..quiet(Kind::Admin) }),
                &fine(&leaves),
                Ok(ApprovalPolicy::OwnNonUrgent),
            ),
            (own(Facts { author_role: Role::Officer, ..quiet(Kind::Admin) }), &fine(&plain), Err(Refusal::OwnMessage)),
            (own(of_an_officer()), &fine(&leaves), Err(Refusal::OwnMessage)),
            // What a coordinator wrote is never approved by its writer, whatever zone and plan say.
            (own(Facts::example()), &alone, Err(Refusal::OwnMessage)),
            (own(quiet(Kind::Admin)), &fine(&leaves), Err(Refusal::OwnMessage)),
        ];
        for ((author, facts), by, expected) in cases {
            let kind = facts.kind;
            let by = Circumstances { approver: author, editors: &[], plan: by.plan, ..*by };
            assert_eq!(approving(facts, &by), expected, "{kind:?}");
        }
        assert_eq!(approving(of_an_officer(), &fine(&plain)), Ok(ApprovalPolicy::Dual));
    }
    /// Accept M2: author, editor and submitter are one's own hands all three.
    #[test]
    fn a_hand_in_it_is_a_hand_in_it() {
        let plan = plan();
        let (me, somebody) = (Id::new(), Id::new());
        let (mine, theirs) = ([me], [somebody]);
        let by = |editors| Circumstances { approver: me, editors, ..fine(&plan) };
        let now = Timestamp::from_micros(0);
        let wrote = Draft::begin(Facts { author: me, ..of_an_officer() }).submit(Id::new(), now);
        let submitted = Draft::begin(of_an_officer()).submit(me, now);
        let edited = Draft::begin(of_an_officer()).submit(Id::new(), now);
        assert_eq!(may_approve(&wrote, &by(&[])), Err(Refusal::OwnMessage));
        assert_eq!(may_approve(&submitted, &by(&[])), Err(Refusal::OwnMessage));
        assert_eq!(may_approve(&edited, &by(&mine)), Err(Refusal::OwnMessage));
        assert_eq!(may_approve(&edited, &by(&theirs)), Ok(ApprovalPolicy::Dual));
    }
    /// Duty C19: every kind the plan could name, and what stays the police's whatever the plan says.
    #[test]
    fn what_is_left_to_the_partnership() {
        let generous = PlanContent { release_alone: ReleaseAlone::ALL.to_vec(), ..plan() };
        for kind in Kind::ALL {
            for source in InformationSource::ALL {
                let facts = Facts { source: *source, ..quiet(*kind) };
                let left = match kind {
                    Kind::Meeting | Kind::Admin => true,
                    Kind::Prevention => *source == InformationSource::Police,
                    _ => false,
                };
                assert_eq!(may_release_alone(&facts, &fine(&generous)).is_ok(), left, "{kind:?} {source:?}");
            }
        }
        let meeting = Facts { mode: Mode::Exercise, ..quiet(Kind::Meeting) };
        let nobody = Circumstances { reached: 0, ..fine(&generous) };
        assert_eq!(may_release_alone(&meeting, &nobody), Err(Refusal::NobodyToReach));
        let missing = Circumstances { language_missing: true, ..fine(&generous) };
        assert_eq!(may_release_alone(&meeting, &missing), Err(Refusal::LanguageMissing));
        let suspended = Circumstances { partnership: PartnershipStatus::Suspended, ..fine(&generous) };
        assert_eq!(may_release_alone(&meeting, &suspended), Err(Refusal::PartnershipCannotAct));
    }
    /// Who was told something wrong is told that it was wrong, whatever became of the partnership.
    #[test]
    fn a_correction_leaves_a_suspended_partnership_and_nothing_else_does() {
        let plan = plan();
        for status in PartnershipStatus::ALL {
            for kind in Kind::ALL {
                for class in Class::ALL.iter().filter(|class| kind.fits(**class)) {
                    let facts = Facts { kind: *kind, class: *class, ..Facts::example() };
                    let by = Circumstances { partnership: *status, ..fine(&plan) };
                    let may = *kind == Kind::Correction
                        || *status == PartnershipStatus::Active
                        || (*status == PartnershipStatus::Dormant && *class == Class::NonUrgent);
                    assert_eq!(approving(facts, &by).is_ok(), may, "{status:?} {kind:?} {class:?}");
                }
            }
        }
    }
    /// Duties C8, L9: who writes what, as one table over every role.
    #[test]
    fn who_writes_what() {
        for role in Role::ALL {
            let writes = |class, kind, source| may_write(*role, class, kind, source).is_ok();
            let (police, other) = (InformationSource::Police, InformationSource::Other);
            let presses = matches!(role, Role::Officer | Role::Coordinator | Role::Deputy);
            let is_police = *role == Role::Officer;
            assert_eq!(writes(Class::Urgent, Kind::Start, other), presses, "{role:?}");
            assert!(writes(Class::NonUrgent, Kind::Prevention, other), "{role:?}: the door decides who may propose");
            assert_eq!(writes(Class::NonUrgent, Kind::Prevention, police), is_police, "{role:?}");
            assert_eq!(writes(Class::Urgent, Kind::Correction, other), is_police, "{role:?}");
            assert_eq!(may_stop(*role, Class::Urgent).is_ok(), is_police, "{role:?}");
            assert!(may_stop(*role, Class::NonUrgent).is_ok(), "{role:?}: the door decides");
        }
    }
    #[test]
    fn what_follows_names_what_it_follows() {
        for kind in Kind::ALL {
            assert_eq!(names_what_it_follows(*kind, false).is_ok(), !kind.follows(), "{kind:?}");
            assert_eq!(may_follow(*kind, true).is_ok(), kind.follows(), "{kind:?}");
            assert_eq!(names_what_it_follows(*kind, true), Ok(()));
        }
        assert_eq!(may_review(Id::new(), Id::new()), Ok(()));
    }
}
