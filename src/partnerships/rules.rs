//! The rules of partnerships and mandates, as pure functions, and every refusal by its name.

use super::mandate::{Mandate, Screening, ScreeningOutcome, is_nominated};
use crate::access::Reach;
use crate::access::Role;
use crate::values::Id;
use crate::values::Timestamp;
use crate::values::of;

/// Why a rule said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody coordinates it.
    NoCoordinator,
    /// No officer holds a mandate in its zone.
    NoOfficer,
    /// No communication plan has both signatures.
    NoPlanInForce,
    /// No perimeter is drawn.
    NoPerimeter,
    /// No house rules are laid down.
    NoHouseRules,
    /// Others cannot tell our mail from forgeries.
    MailNotVerified,
    /// Not possible in its present state.
    WrongStatus,
    /// Another of the zone has this short name.
    ShortNameTaken,
    /// The plan to be signed is not the newest.
    PlanChanged,
    /// The plan has both signatures.
    PlanSigned,
    /// Both signatures would be of one person.
    OneSignatory,
    /// The role is not theirs to give.
    NotYoursToGive,
    /// The mandate is not theirs to end.
    NotYoursToEnd,
    /// It is about their own mandate.
    OwnMandate,
    /// They hold this mandate, or are nominated for it.
    AlreadyMandated,
    /// This role is not screened.
    NotForScreening,
    /// No screening is recorded.
    NotScreened,
    /// The screening was not favourable.
    ScreeningRefused,
    /// The screening is too old.
    ScreeningExpired,
    /// The members did not approve.
    NoMembersApproval,
    /// It is not a nomination any more.
    NotNominated,
    /// It is over.
    MandateOver,
}
/// What a partnership has, to become active.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readiness {
    /// Is its status one that leads to active?
    pub status: bool,
    /// Somebody coordinates it.
    pub coordinator: bool,
    /// An officer holds a mandate in its zone.
    pub officer: bool,
    /// A plan has both signatures.
    pub plan: bool,
    /// A perimeter is drawn.
    pub perimeter: bool,
    /// House rules are laid down.
    pub house_rules: bool,
    /// Others can tell our mail from forgeries, or none leaves here (accept M19).
    pub mail: bool,
}
/// May it become active?
///
/// # Errors
/// The first guard that does not hold.
pub(super) const fn may_activate(ready: Readiness) -> Result<(), Refusal> {
    match ready {
        Readiness { status: false, .. } => Err(Refusal::WrongStatus),
        Readiness { coordinator: false, .. } => Err(Refusal::NoCoordinator),
        Readiness { officer: false, .. } => Err(Refusal::NoOfficer),
        Readiness { plan: false, .. } => Err(Refusal::NoPlanInForce),
        Readiness { perimeter: false, .. } => Err(Refusal::NoPerimeter),
        Readiness { house_rules: false, .. } => Err(Refusal::NoHouseRules),
        Readiness { mail: false, .. } => Err(Refusal::MailNotVerified),
        _ => Ok(()),
    }
}

/// May somebody with these roles at the partnership nominate somebody for this one?
///
/// # Errors
/// `NotYoursToGive`.
pub(super) fn may_nominate(giver: &[Role], role: Role) -> Result<(), Refusal> {
    let givers: &[Role] = match role {
        Role::Coordinator => &[Role::Officer],
        Role::Deputy | Role::Steering => &[Role::Officer, Role::Coordinator],
        _ => &[],
    };
    if giver.iter().any(|role| givers.contains(role)) { Ok(()) } else { Err(Refusal::NotYoursToGive) }
}
/// May somebody with these roles at the mandate's place end it? Everybody may give back their own.
///
/// # Errors
/// `NotYoursToEnd`.
pub(super) fn may_end(ender: &[Role], is_own: bool, role: Role) -> Result<(), Refusal> {
    let enders: &[Role] = match role {
        Role::Coordinator => &[Role::Officer],
        Role::Deputy | Role::Steering => &[Role::Officer, Role::Coordinator],
        Role::Officer => &[Role::ZoneAdministrator],
        Role::ZoneAdministrator | Role::Municipality | Role::Province | Role::Expertise | Role::Federal => {
            &[Role::Federal]
        }
        Role::Member => &[],
    };
    if is_own || ender.iter().any(|role| enders.contains(role)) { Ok(()) } else { Err(Refusal::NotYoursToEnd) }
}

/// May this nomination become active now (duty C4)? The moment at which the screening ends the mandate.
///
/// # Errors
/// What stands against it.
pub(super) fn may_confirm(
    role: Role,
    screening: Option<Screening>,
    members_approval: bool,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    if !is_nominated(role) {
        return Err(Refusal::NotNominated);
    }
    let screening = screening.ok_or(Refusal::NotScreened)?;
    if screening.outcome == ScreeningOutcome::Refused {
        return Err(Refusal::ScreeningRefused);
    }
    if screening.valid_until <= now {
        return Err(Refusal::ScreeningExpired);
    }
    if role == Role::Coordinator && !members_approval {
        return Err(Refusal::NoMembersApproval);
    }
    Ok(screening.valid_until)
}

/// Is somebody acting on their own mandate?
///
/// # Errors
/// `OwnMandate`.
pub(super) fn not_own(actor: Id<of::Account>, mandate: &Mandate) -> Result<(), Refusal> {
    if actor == mandate.account { Err(Refusal::OwnMandate) } else { Ok(()) }
}
/// Over which reach an institution's role stands, from what the body names; `Err` names the field at fault.
///
/// # Errors
/// The field that is missing, or that does not belong.
pub(super) fn institution_reach(
    role: Role,
    zone: Option<Id<of::Zone>>,
    municipality: Option<String>,
    province: Option<String>,
) -> Result<Reach, (&'static str, &'static str)> {
    let wanted = match role {
        Role::ZoneAdministrator => "zone",
        Role::Municipality => "municipality",
        Role::Province => "province",
        _ => "",
    };
    let given = [("zone", zone.is_some()), ("municipality", municipality.is_some()), ("province", province.is_some())];
    if let Some((field, _)) = given.into_iter().find(|(field, is_given)| *is_given && *field != wanted) {
        return Err((field, "unwanted"));
    }
    match (role, zone, municipality, province) {
        (Role::ZoneAdministrator, Some(zone), ..) => Ok(Reach::Zone(zone)),
        (Role::Municipality, _, Some(nis), _) => Ok(Reach::Municipality(nis)),
        (Role::Province, .., Some(code)) => Ok(Reach::Province(code)),
        (Role::Expertise | Role::Federal, ..) => Ok(Reach::Nation),
        (Role::ZoneAdministrator | Role::Municipality | Role::Province, ..) => Err((wanted, "missing")),
        _ => Err(("role", "not_an_institution")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role as R;

    const READY: Readiness = Readiness {
        status: true,
        coordinator: true,
        officer: true,
        plan: true,
        perimeter: true,
        house_rules: true,
        mail: true,
    };

    #[test]
    fn each_guard_of_activation_has_its_own_refusal() {
        assert_eq!(may_activate(READY), Ok(()));
        let table = [
            (Readiness { status: false, ..READY }, Refusal::WrongStatus),
            (Readiness { coordinator: false, ..READY }, Refusal::NoCoordinator),
            (Readiness { officer: false, ..READY }, Refusal::NoOfficer),
            (Readiness { plan: false, ..READY }, Refusal::NoPlanInForce),
            (Readiness { perimeter: false, ..READY }, Refusal::NoPerimeter),
            (Readiness { house_rules: false, ..READY }, Refusal::NoHouseRules),
            (Readiness { mail: false, ..READY }, Refusal::MailNotVerified),
        ];
        for (ready, refusal) in table {
            assert_eq!(may_activate(ready), Err(refusal));
        }
    }
    #[test]
    fn who_may_nominate_whom() {
        for role in R::ALL.iter().copied() {
            for giver in R::ALL.iter().copied() {
                let allowed = matches!(
                    (giver, role),
                    (R::Officer, R::Coordinator | R::Deputy | R::Steering) | (R::Coordinator, R::Deputy | R::Steering)
                );
                assert_eq!(may_nominate(&[giver], role).is_ok(), allowed, "{giver:?} {role:?}");
            }
        }
    }
    #[test]
    fn who_may_end_what() {
        for role in R::ALL.iter().copied() {
            assert_eq!(may_end(&[], true, role), Ok(()), "one's own");
            for ender in R::ALL.iter().copied() {
                let allowed = matches!(
                    (ender, role),
                    (R::Officer, R::Coordinator | R::Deputy | R::Steering)
                        | (R::Coordinator, R::Deputy | R::Steering)
                        | (R::ZoneAdministrator, R::Officer)
                        | (
                            R::Federal,
                            R::ZoneAdministrator | R::Municipality | R::Province | R::Expertise | R::Federal
                        )
                );
                assert_eq!(may_end(&[ender], false, role).is_ok(), allowed, "{ender:?} {role:?}");
            }
        }
    }
    /// duty C4
    #[test]
    fn only_a_favourable_screening_that_still_counts_lets_a_mandate_begin() {
        let at = Timestamp::from_micros;
        let cleared = Screening { outcome: ScreeningOutcome::Cleared, screened_at: at(0), valid_until: at(100) };
        let refused = Screening { outcome: ScreeningOutcome::Refused, ..cleared };
        let table = [
            (R::Coordinator, Some(cleared), true, 99, Ok(at(100))),
            (R::Coordinator, Some(cleared), true, 100, Err(Refusal::ScreeningExpired)),
            (R::Coordinator, Some(cleared), false, 99, Err(Refusal::NoMembersApproval)),
            (R::Coordinator, Some(refused), true, 99, Err(Refusal::ScreeningRefused)),
            (R::Coordinator, None, true, 99, Err(Refusal::NotScreened)),
            (R::Deputy, Some(cleared), false, 99, Ok(at(100))),
            (R::Deputy, None, true, 99, Err(Refusal::NotScreened)),
            (R::Steering, Some(refused), true, 99, Err(Refusal::ScreeningRefused)),
            (R::Officer, Some(cleared), true, 99, Err(Refusal::NotNominated)),
        ];
        for (role, screening, approval, now, wanted) in table {
            assert_eq!(may_confirm(role, screening, approval, at(now)), wanted, "{role:?} {screening:?} {now}");
        }
    }
    #[test]
    fn an_institution_stands_over_its_own_kind_of_place() {
        let zone = Id::new();
        let nis = || Some("53053".to_owned());
        let wht = || Some("WHT".to_owned());
        assert_eq!(institution_reach(R::ZoneAdministrator, Some(zone), None, None), Ok(Reach::Zone(zone)));
        assert_eq!(institution_reach(R::Municipality, None, nis(), None), Ok(Reach::Municipality("53053".into())));
        assert_eq!(institution_reach(R::Province, None, None, wht()), Ok(Reach::Province("WHT".into())));
        assert_eq!(institution_reach(R::Federal, None, None, None), Ok(Reach::Nation));
        assert_eq!(institution_reach(R::Municipality, None, None, None), Err(("municipality", "missing")));
        assert_eq!(institution_reach(R::Municipality, Some(zone), nis(), None), Err(("zone", "unwanted")));
        assert_eq!(institution_reach(R::Federal, None, nis(), None), Err(("municipality", "unwanted")));
        for role in [R::Member, R::Steering, R::Deputy, R::Coordinator, R::Officer] {
            assert_eq!(institution_reach(role, None, None, None), Err(("role", "not_an_institution")), "{role:?}");
        }
    }
}
