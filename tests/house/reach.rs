//! The decision, tried with actors and places that nobody thought of, for every permission. A small world, so that things
//! often nearly match.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use vigie::access::{Actor, Decision, Grant, Need, Permission, Place, Reach, Role, StepUp, decide, row};
use vigie::values::{Id, Timestamp, of};

/// Three zones and three partnerships with the same numbers, and codes that serve as NIS codes and provinces alike: what
/// is taken for something of another kind is found out.
fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}
const CODES: [&str; 3] = ["1", "2", "3"];

fn reaches() -> impl Strategy<Value = Reach> {
    let code = || select(&CODES[..]).prop_map(str::to_owned);
    prop_oneof![
        1 => Just(Reach::Nation),
        2 => code().prop_map(Reach::Province),
        2 => code().prop_map(Reach::Municipality),
        3 => (0..3_u128).prop_map(|number| Reach::Zone(id(number))),
        3 => (0..3_u128).prop_map(|number| Reach::Partnership(id(number))),
    ]
}
fn places() -> impl Strategy<Value = Place> {
    let codes = || vec(select(&CODES[..]).prop_map(str::to_owned), 0..3);
    let number = || proptest::option::of(0..3_u128);
    (number(), number(), codes(), codes(), any::<bool>()).prop_map(
        |(partnership, zone, municipalities, provinces, known_to_all)| Place {
            partnership: partnership.map(id),
            zone: zone.map(id),
            municipalities,
            provinces,
            known_to_all,
        },
    )
}
fn grants() -> impl Strategy<Value = Grant> {
    (select(Role::ALL), reaches()).prop_map(|(role, reach)| Grant {
        id: Id::new(),
        account: id(9),
        role,
        reach,
        flags: Vec::new(),
        from_at: Timestamp::from_micros(0),
        until_at: None,
        version: 1,
    })
}
fn actors() -> impl Strategy<Value = Actor> {
    vec(grants(), 0..6).prop_map(actor)
}
fn actor(grants: Vec<Grant>) -> Actor {
    Actor { account: id(9), session: id::<of::Session>(9), stepped_up_at: None, grants }
}
/// The place does not mention what the reach is over, in its own kind.
fn is_elsewhere(reach: &Reach, place: &Place) -> bool {
    match reach {
        Reach::Nation => false,
        Reach::Province(code) => place.provinces.iter().all(|other| other != code),
        Reach::Municipality(nis) => place.municipalities.iter().all(|other| other != nis),
        Reach::Zone(zone) => place.zone.is_none_or(|other| other != *zone),
        Reach::Partnership(partnership) => place.partnership.is_none_or(|other| other != *partnership),
    }
}
const fn is_yes(decision: &Decision) -> bool {
    matches!(decision, Decision::Allowed(_) | Decision::StepUpNeeded)
}
fn needs_a_role(permission: Permission) -> bool {
    matches!(row(permission).need, Need::Roles(_))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A zone administrator of A can do nothing in B, a coordinator nothing next door, a municipality nothing beyond its
    /// border.
    #[test]
    fn a_grant_over_another_place_never_allows(
        actor in vec(grants(), 0..6), place in places(),
        sensitive in any::<bool>(), stepped_up in any::<bool>(),
    ) {
        let elsewhere: Vec<Grant> = actor.into_iter().filter(|grant| is_elsewhere(&grant.reach, &place)).collect();
        let actor = self::actor(elsewhere);
        for permission in Permission::ALL.iter().copied() {
            let decision = decide(&actor, permission, &place, sensitive, stepped_up);
            prop_assert!(!needs_a_role(permission) || !is_yes(&decision), "{permission:?}: {decision:?}");
        }
    }

    #[test]
    fn a_reach_covers_its_own_place_and_no_other(reach in reaches(), place in places()) {
        prop_assert_eq!(reach.covers(&place), !is_elsewhere(&reach, &place));
    }

    /// Whatever many grants allow together, one of them allows alone: roles and reaches are never combined across grants.
    #[test]
    fn the_role_of_one_grant_is_never_combined_with_the_reach_of_another(
        actor in actors(), place in places(),
    ) {
        for permission in Permission::ALL.iter().copied() {
            let together = is_yes(&decide(&actor, permission, &place, true, true));
            let alone = actor.grants.iter().any(|grant| {
                is_yes(&decide(&self::actor(vec![grant.clone()]), permission, &place, true, true))
            });
            prop_assert_eq!(together, alone || !needs_a_role(permission));
        }
    }

    #[test]
    fn the_grant_that_allows_has_the_role_and_covers_the_place(
        actor in actors(), place in places(),
    ) {
        for permission in Permission::ALL.iter().copied() {
            if let Decision::Allowed(by) = decide(&actor, permission, &place, true, true) {
                match (row(permission).need, by) {
                    (Need::SignedIn, by) => prop_assert_eq!(by, None),
                    (Need::Roles(roles), Some(grant)) => {
                        prop_assert!(roles.contains(&grant.role));
                        prop_assert!(!is_elsewhere(&grant.reach, &place));
                        prop_assert!(actor.grants.contains(&grant));
                    }
                    (Need::Roles(_), None) => prop_assert!(false, "allowed by nothing"),
                }
            }
        }
    }

    /// 404 when one may not even know that it exists, 403 when one may.
    #[test]
    fn a_refusal_is_hidden_from_those_who_may_not_see_the_target(
        actor in actors(), place in places(),
        sensitive in any::<bool>(), stepped_up in any::<bool>(),
    ) {
        for permission in Permission::ALL.iter().copied() {
            let sees = row(permission).sees.is_some_and(|sees| is_yes(&decide(&actor, sees, &place, false, true)));
            match decide(&actor, permission, &place, sensitive, stepped_up) {
                Decision::Hidden => prop_assert!(!sees && !place.known_to_all),
                Decision::Forbidden => prop_assert!(sees || place.known_to_all),
                Decision::Allowed(_) | Decision::StepUpNeeded => {}
            }
        }
    }

    #[test]
    fn somebody_without_grants_can_do_what_concerns_themselves_alone(
        place in places(),
    ) {
        for permission in Permission::ALL.iter().copied() {
            let expected = match (needs_a_role(permission), place.known_to_all) {
                (false, _) => Decision::Allowed(None),
                (true, true) => Decision::Forbidden,
                (true, false) => Decision::Hidden,
            };
            prop_assert_eq!(decide(&actor(Vec::new()), permission, &place, true, true), expected);
        }
    }

    /// A fresh proof is asked of those alone who would be allowed with it, and of all of them.
    #[test]
    fn a_fresh_proof_of_identity_is_asked_where_the_policy_says_so(
        actor in actors(), place in places(), sensitive in any::<bool>(),
    ) {
        for permission in Permission::ALL.iter().copied() {
            let (without, with) = (
                decide(&actor, permission, &place, sensitive, false),
                decide(&actor, permission, &place, sensitive, true),
            );
            let asked = match row(permission).step_up {
                StepUp::Never => false,
                StepUp::Always => true,
                StepUp::WhenSensitive => sensitive,
            };
            prop_assert!(with != Decision::StepUpNeeded);
            if asked && is_yes(&with) {
                prop_assert_eq!(without, Decision::StepUpNeeded);
            } else {
                prop_assert_eq!(without, with);
            }
        }
    }

    /// One more grant never takes anything away.
    #[test]
    fn more_power_is_never_less(
        actor in actors(), more in grants(), place in places(),
    ) {
        for permission in Permission::ALL.iter().copied() {
            if is_yes(&decide(&actor, permission, &place, false, true)) {
                let mut grants = actor.grants.clone();
                grants.push(more.clone());
                prop_assert!(is_yes(&decide(&self::actor(grants), permission, &place, false, true)));
            }
        }
    }

    #[test]
    fn a_stored_reach_is_read_back_as_it_was(reach in reaches()) {
        let (kind, reference) = reach.stored();
        prop_assert_eq!(Reach::restore(kind, &reference), Some(reach));
    }

    #[test]
    fn an_unknown_word_is_no_permission_no_role_and_no_reach(word in "[A-Za-z:_-]{0,24}") {
        prop_assert_eq!(Permission::parse(&word).is_some(), Permission::ALL.iter().any(|known| known.as_str() == word));
        prop_assert_eq!(Role::parse(&word).is_some(), Role::ALL.iter().any(|known| known.as_str() == word));
        let known = ["nation", "province", "municipality", "zone", "partnership"].contains(&word.as_str());
        prop_assert!(known || Reach::restore(&word, "x").is_none());
        prop_assert!(Reach::restore("zone", &word).is_none() && Reach::restore("partnership", &word).is_none());
    }
}
