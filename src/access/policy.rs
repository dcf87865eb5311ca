//! The policy: one row for each permission, and one pure decision. Deny by default.

use super::actor::Actor;
use super::grant::Grant;
use super::permission::Permission;
use super::place::Place;
use super::role::Role;

/// Who holds a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Anybody who is signed in, about themselves.
    SignedIn,
    /// Whoever holds one of these roles in a grant that covers the place.
    Roles(&'static [Role]),
}

/// Whether a fresh proof of identity is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepUp {
    /// Never.
    Never,
    /// Always.
    Always,
    /// When the target is sensitive: an urgent message.
    WhenSensitive,
}

/// A row of the policy.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Who holds it.
    pub need: Need,
    /// The permission that lets one see that the target exists: without it a refusal is 404.
    pub sees: Option<Permission>,
    /// Whether a fresh proof of identity is asked for.
    pub step_up: StepUp,
    /// Whether reading is recorded too (writing always is).
    pub audited: bool,
}

const fn anyone() -> Row {
    Row { need: Need::SignedIn, sees: None, step_up: StepUp::Never, audited: false }
}
const fn by(roles: &'static [Role], sees: Permission) -> Row {
    Row { need: Need::Roles(roles), sees: Some(sees), step_up: StepUp::Never, audited: false }
}
impl Row {
    const fn stepped_up(self) -> Self {
        Self { step_up: StepUp::Always, ..self }
    }
    const fn stepped_up_when_sensitive(self) -> Self {
        Self { step_up: StepUp::WhenSensitive, ..self }
    }
    const fn audited(self) -> Self {
        Self { audited: true, ..self }
    }
}

/// Who holds this permission. Every permission has an answer for every role, or this does not compile.
#[must_use]
pub const fn row(permission: Permission) -> Row {
    use Permission as P;
    use Role::{
        Coordinator, Deputy, Expertise, Federal, Member, Municipality, Officer, Province, Steering, ZoneAdministrator,
    };
    const ALL: &[Role] = &[
        Member,
        Steering,
        Deputy,
        Coordinator,
        Officer,
        ZoneAdministrator,
        Municipality,
        Province,
        Expertise,
        Federal,
    ];
    const MANDATED: &[Role] =
        &[Steering, Deputy, Coordinator, Officer, ZoneAdministrator, Municipality, Province, Expertise, Federal];
    const LIST_KEEPERS: &[Role] = &[Deputy, Coordinator, Officer];
    const WRITERS: &[Role] = &[Steering, Deputy, Coordinator, Officer];
    const ZONE: &[Role] = &[Officer, ZoneAdministrator];
    const POLICE: &[Role] = &[Officer];
    match permission {
        P::ReadMe | P::StepUp | P::ListSessions | P::EndSession | P::EndSessions | P::ChangePassword => anyone(),
        P::CreateZone | P::ImportZones => by(&[Federal], P::ReadPartnership),
        P::AppointInstitution => by(&[Federal], P::ReadPartnership).stepped_up(),
        // Who may approve an own message alone is one of its policies.
        P::UpdateZone => by(&[ZoneAdministrator], P::ReadPartnership).stepped_up(),
        P::AppointOfficer => by(&[ZoneAdministrator], P::ListZoneMandates).stepped_up(),
        P::ListZoneMandates => by(ZONE, P::ListZoneMandates),
        P::CreatePartnership => by(&[Officer, ZoneAdministrator, Municipality], P::ReadPartnership),
        P::ListPartnerships | P::ReadPartnership | P::ReadPlan => by(ALL, P::ReadPartnership),
        P::UpdatePartnership | P::SetPerimeter => by(ZONE, P::ReadPartnership),
        P::SetPlan => by(ZONE, P::ReadPartnership).stepped_up(),
        P::SignPlan => by(&[Coordinator], P::ReadPartnership).stepped_up(),
        P::SetHouseRules => by(&[Coordinator, Officer, ZoneAdministrator], P::ReadPartnership),
        P::ActivatePartnership => by(POLICE, P::ReadPartnership),
        P::SuspendPartnership => by(&[ZoneAdministrator, Municipality], P::ReadPartnership).stepped_up(),
        P::NominateInPartnership => by(&[Steering, Coordinator, Officer], P::ReadPartnership),
        P::RecordScreening => by(POLICE, P::ListPartnershipMandates).stepped_up(),
        P::ConfirmMandate => by(POLICE, P::ListPartnershipMandates).stepped_up(),
        // Everybody may give back their own; whose else they may end is a rule of the slice.
        P::EndMandate => by(MANDATED, P::ListPartnershipMandates),
        P::ListPartnershipMandates => {
            by(&[Steering, Deputy, Coordinator, Officer, ZoneAdministrator], P::ReadPartnership)
        }
        P::ListMembers => by(LIST_KEEPERS, P::ReadPartnership).audited(),
        P::ReadMember => by(LIST_KEEPERS, P::ListMembers).audited(),
        P::EnterMember => by(LIST_KEEPERS, P::ReadPartnership),
        P::UpdateMember
        | P::AdmitMember
        | P::RefuseMember
        | P::EndMembership
        | P::ClearSuspension
        | P::RevealContacts => by(LIST_KEEPERS, P::ListMembers),
        P::DraftMessage => by(&[Steering, Deputy, Coordinator, Officer, Municipality], P::ReadPartnership),
        P::ListMessages => by(WRITERS, P::ReadPartnership),
        P::ReadMessage | P::PreviewMessage => by(WRITERS, P::ReadMessage),
        P::EditMessage | P::SubmitMessage | P::DiscardMessage => by(WRITERS, P::ReadMessage),
        P::ApproveMessage => by(POLICE, P::ReadMessage).stepped_up_when_sensitive(),
        P::ReturnMessage | P::RejectMessage | P::ReviewMessage => by(POLICE, P::ReadMessage),
        P::ReleaseMessage | P::StopMessage | P::FollowUpMessage => by(LIST_KEEPERS, P::ReadMessage),
        P::ReadProgress => by(&[Steering, Deputy, Coordinator, Officer, ZoneAdministrator], P::ReadMessage),
        P::ListRecipients => by(LIST_KEEPERS, P::ReadMessage).audited(),
        // Whoever runs a zone: counts and states for all of them, initials for officers, addresses for nobody.
        P::ListDeadLetters => by(ZONE, P::ListDeadLetters).audited(),
        P::RequeueDeadLetter | P::RequeueDeadLetters => by(ZONE, P::ReadProgress),
        P::ListAlarms => by(ZONE, P::ListAlarms),
        P::AcknowledgeAlarm => by(ZONE, P::ReadProgress),
        P::ReadInbox => by(LIST_KEEPERS, P::ReadInbox),
    }
}

/// The answer of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Yes; by this grant, where one was needed.
    Allowed(Option<Grant>),
    /// No, and the actor may not even know that the target exists.
    Hidden,
    /// No.
    Forbidden,
    /// Yes, after a fresh proof of identity.
    StepUpNeeded,
}

/// May this actor do this at this place? One single grant must allow it: the role of one is never combined with the
/// reach of another.
#[must_use]
pub fn decide(actor: &Actor, permission: Permission, place: &Place, sensitive: bool, stepped_up: bool) -> Decision {
    let asked = row(permission);
    let allowed = match asked.need {
        Need::SignedIn => Decision::Allowed(None),
        Need::Roles(_) => match actor.grant_for(permission, place) {
            Some(grant) => Decision::Allowed(Some(grant.clone())),
            None if place.known_to_all || asked.sees.is_some_and(|sees| actor.grant_for(sees, place).is_some()) => {
                Decision::Forbidden
            }
            None => Decision::Hidden,
        },
    };
    let fresh_proof = match asked.step_up {
        StepUp::Never => false,
        StepUp::Always => true,
        StepUp::WhenSensitive => sensitive,
    };
    if matches!(allowed, Decision::Allowed(_)) && fresh_proof && !stepped_up { Decision::StepUpNeeded } else { allowed }
}
