//! Who may become a member: every condition by name, and nothing else. Nobody is kept out for a reason that is not here or
//! on the list of lawful reasons (duty M1).

use super::member::AdhesionMode;
use crate::partnerships::PartnershipStatus;

/// What is known of somebody who wishes to join.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Declared to be an adult.
    pub(super) is_adult: bool,
    /// Does the address lie inside the perimeter? Nobody knows without a point on the map.
    pub(super) is_inside: Option<bool>,
    /// How the house rules were acknowledged, and which.
    pub(super) adhesion: Option<(AdhesionMode, i32)>,
    /// Ways to reach them that work, or that they gave a moment ago.
    pub(super) contacts: usize,
}
/// What else matters.
#[derive(Debug, Clone)]
pub(super) struct Circumstances {
    /// Where the partnership stands.
    pub(super) partnership: PartnershipStatus,
    /// The number of the house rules in force.
    pub(super) rules_in_force: Option<i32>,
    /// The police decide: they may confirm a link that the map does not show.
    pub(super) by_police: bool,
}

/// The condition that is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// See [`partnership_takes_members`].
    #[error("the partnership takes no members")]
    PartnershipClosed,
    /// See [`is_adult`].
    #[error("not declared to be an adult")]
    NotAdult,
    /// See [`lives_or_works_inside`].
    #[error("the address lies outside the perimeter")]
    OutsidePerimeter,
    /// See [`acknowledges_the_rules`].
    #[error("the house rules in force were not acknowledged")]
    RulesNotAcknowledged,
    /// See [`can_be_reached`].
    #[error("no contact works")]
    NoUsableContact,
}

type Rule = fn(&Candidate, &Circumstances) -> Result<(), Refusal>;
/// Every rule, in the order in which a reader would ask.
pub(super) const JOINING: &[Rule] =
    &[partnership_takes_members, is_adult, lives_or_works_inside, acknowledges_the_rules, can_be_reached];

/// Asks every rule, for an application as for the admission.
pub(super) fn may_join(candidate: &Candidate, circumstances: &Circumstances) -> Result<(), Refusal> {
    JOINING.iter().try_for_each(|rule| rule(candidate, circumstances))
}

const fn demand(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal) }
}
/// What is being dissolved, or is gone, takes nobody in.
fn partnership_takes_members(_: &Candidate, circumstances: &Circumstances) -> Result<(), Refusal> {
    use PartnershipStatus::{Abandoned, Dissolved, Dissolving, MergedInto};
    demand(
        !matches!(circumstances.partnership, Dissolving | Dissolved | MergedInto | Abandoned),
        Refusal::PartnershipClosed,
    )
}
/// Members are adults; they say so, and nobody asks for a date (duty M2).
fn is_adult(candidate: &Candidate, _: &Circumstances) -> Result<(), Refusal> {
    demand(candidate.is_adult, Refusal::NotAdult)
}
/// Members live or work inside the perimeter; outside it the police may confirm a link (duty M3).
fn lives_or_works_inside(candidate: &Candidate, circumstances: &Circumstances) -> Result<(), Refusal> {
    demand(candidate.is_inside != Some(false) || circumstances.by_police, Refusal::OutsidePerimeter)
}
/// The house rules (ROI) are acknowledged, in the version in force (duty M5).
fn acknowledges_the_rules(candidate: &Candidate, circumstances: &Circumstances) -> Result<(), Refusal> {
    let acknowledged = candidate.adhesion.map(|(_, number)| number);
    demand(acknowledged.is_some() && acknowledged == circumstances.rules_in_force, Refusal::RulesNotAcknowledged)
}
/// At least one contact works.
fn can_be_reached(candidate: &Candidate, _: &Circumstances) -> Result<(), Refusal> {
    demand(candidate.contacts > 0, Refusal::NoUsableContact)
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Candidate, Circumstances, JOINING, Refusal, may_join};
    use crate::members::AdhesionMode;
    use crate::partnerships::PartnershipStatus;

    pub(in crate::members) fn welcome() -> (Candidate, Circumstances) {
        (
            Candidate {
                is_adult: true,
                is_inside: None,
                adhesion: Some((AdhesionMode::FormReference, 2)),
                contacts: 1,
            },
            Circumstances { partnership: PartnershipStatus::Active, rules_in_force: Some(2), by_police: false },
        )
    }
    type Change = fn(&mut Candidate, &mut Circumstances);

    #[test]
    fn each_rule_refuses_what_it_is_named_for() {
        let cases: &[(Change, Result<(), Refusal>)] = &[
            (|_, _| {}, Ok(())),
            (|c, _| c.is_inside = Some(true), Ok(())),
            (|_, c| c.partnership = PartnershipStatus::Registered, Ok(())),
            (|_, c| c.partnership = PartnershipStatus::Dissolved, Err(Refusal::PartnershipClosed)),
            (|_, c| c.partnership = PartnershipStatus::Dissolving, Err(Refusal::PartnershipClosed)),
            (|_, c| c.partnership = PartnershipStatus::MergedInto, Err(Refusal::PartnershipClosed)),
            (|_, c| c.partnership = PartnershipStatus::Abandoned, Err(Refusal::PartnershipClosed)),
            (|c, _| c.is_adult = false, Err(Refusal::NotAdult)),
            (|c, _| c.is_inside = Some(false), Err(Refusal::OutsidePerimeter)),
            (
                |c, o| {
                    c.is_inside = Some(false);
                    o.by_police = true;
                },
                Ok(()),
            ),
            (|c, _| c.adhesion = None, Err(Refusal::RulesNotAcknowledged)),
            (|c, _| c.adhesion = Some((AdhesionMode::SignedCopy, 1)), Err(Refusal::RulesNotAcknowledged)),
            (|_, c| c.rules_in_force = Some(3), Err(Refusal::RulesNotAcknowledged)),
            (|_, c| c.rules_in_force = None, Err(Refusal::RulesNotAcknowledged)),
            (|c, _| c.contacts = 0, Err(Refusal::NoUsableContact)),
        ];
        let mut refusals = Vec::new();
        for (number, (change, expected)) in cases.iter().enumerate() {
            let (mut candidate, mut circumstances) = welcome();
            change(&mut candidate, &mut circumstances);
            assert_eq!(may_join(&candidate, &circumstances), *expected, "case {number}");
            refusals.extend(expected.err().map(|refusal| format!("{refusal:?}")));
        }
        refusals.sort();
        refusals.dedup();
        assert_eq!(refusals.len(), JOINING.len(), "one refusal for each rule, each shown");
    }
}
