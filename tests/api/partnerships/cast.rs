//! Who plays in these tests: two zones in Hainaut, a partnership in each, and people with mandates.

use serde_json::{Value, json};
use vigie::access::{Bearer, NewGrant, Reach, Role, grant, open_session, step_up};
use vigie::accounts::{self, Invitation};
use vigie::partnerships::{NewPartnership, PartnershipKind, create_partnership, give_mandate_now};
use vigie::storage::{StorageError, Tx};
use vigie::territory::{self, NewZone, OpeningHours, OwnMessage};
use vigie::values::{EmailAddress, Id, Language, Line, Localized, PersonName, of};

use crate::support::{Reply, Town};

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct Someone {
    pub account: Id<of::Account>,
    pub session: Id<of::Session>,
    pub token: String,
}

pub fn broken<E: std::fmt::Debug>(error: E) -> StorageError {
    StorageError::Broken(format!("{error:?}"))
}
pub fn called(name: &str) -> Localized<Line<120>> {
    Localized::new([(Language::Fr, Line::parse(name).unwrap())])
}
/// An account without any power, signed in, identity proved just now.
pub async fn somebody(town: &Town, email: &'static str) -> Someone {
    let config = town.config.clone();
    let (account, session) = town
        .db(move |tx| {
            let invitation = Invitation {
                email: EmailAddress::parse(email).unwrap(),
                name: PersonName::parse("Jeanne", "Dupont").unwrap(),
                language: Language::Fr,
                mobile: None,
                role: Role::Officer,
                inviter: "Vigie".to_owned(),
            };
            let account = accounts::create_active(tx, &config, invitation, "$argon2id$none")?;
            let opened = open_session(tx, account)?;
            step_up(tx, opened.session)?;
            Ok((account, opened.session))
        })
        .await;
    let token = Bearer::new(town.database.keys()).token(account, session, town.clock.now());
    Someone { account, session, token }
}
/// Somebody with a mandate.
pub async fn mandated(town: &Town, email: &'static str, role: Role, reach: Reach) -> Someone {
    let someone = somebody(town, email).await;
    let account = someone.account;
    town.db(move |tx| give_mandate_now(tx, account, role, reach, Vec::new(), None)).await;
    someone
}
/// A member: a grant without a mandate.
pub async fn member(town: &Town, email: &'static str, partnership: Id<of::Partnership>) -> Someone {
    let someone = somebody(town, email).await;
    let account = someone.account;
    town.db(move |tx| {
        let new = NewGrant {
            account,
            role: Role::Member,
            reach: Reach::Partnership(partnership),
            flags: Vec::new(),
            from_at: tx.now()?,
            until_at: None,
            by: None,
        };
        grant(tx, new)
    })
    .await;
    someone
}

pub fn zone_at(tx: &mut Tx<'_>, number: &str, codes: &[&str]) -> Result<Id<of::Zone>, StorageError> {
    territory::create_zone(
        tx,
        &NewZone {
            number: number.to_owned(),
            names: called("Zone des Hauts-Pays"),
            languages: vec![Language::Fr],
            phone: "+3265753811".to_owned(),
            email: Some("zp@example.be".to_owned()),
            hours: OpeningHours::default(),
            own_message: OwnMessage::Dual,
            municipalities: codes.iter().map(|nis| (*nis).to_owned()).collect(),
        },
    )
    .map_err(broken)
}
pub fn partnership_at(
    tx: &mut Tx<'_>,
    zone: Id<of::Zone>,
    short_name: &str,
    codes: &[&str],
) -> Result<Id<of::Partnership>, StorageError> {
    let new = NewPartnership {
        zone,
        kind: PartnershipKind::Citizen,
        names: called(short_name),
        short_name: Line::parse(short_name).unwrap(),
        municipalities: codes.iter().map(|nis| (*nis).to_owned()).collect(),
        legal_ref: None,
        registered_ref: None,
        by: None,
    };
    create_partnership(tx, &new).map_err(broken)
}

/// The scene: Mons (53053) and its neighbour Quévy (53084) in zone 5324; Tournai (57081) in zone 5316.
pub struct Scene {
    pub zone: Id<of::Zone>,
    pub other_zone: Id<of::Zone>,
    pub partnership: Id<of::Partnership>,
    pub neighbour: Id<of::Partnership>,
    pub elsewhere: Id<of::Partnership>,
    pub officer: Someone,
    pub other_officer: Someone,
    pub administrator: Someone,
}
pub const MONS: &str = "53053";
pub const QUEVY: &str = "53084";
pub const TOURNAI: &str = "57081";

pub async fn scene(town: &Town) -> Scene {
    let (zone, other_zone, partnership, neighbour, elsewhere) = town
        .db(|tx| {
            territory::load_reference(tx)?;
            let zone = zone_at(tx, "5324", &[MONS, QUEVY])?;
            let other = zone_at(tx, "5316", &[TOURNAI])?;
            let here = partnership_at(tx, zone, "PLP Mons", &[MONS])?;
            let near = partnership_at(tx, zone, "PLP Quevy", &[QUEVY])?;
            let far = partnership_at(tx, other, "PLP Tournai", &[TOURNAI])?;
            Ok((zone, other, here, near, far))
        })
        .await;
    Scene {
        zone,
        other_zone,
        partnership,
        neighbour,
        elsewhere,
        officer: mandated(town, "officer@example.be", Role::Officer, Reach::Zone(zone)).await,
        other_officer: mandated(town, "other@example.be", Role::Officer, Reach::Zone(other_zone)).await,
        administrator: mandated(town, "zad@example.be", Role::ZoneAdministrator, Reach::Zone(zone)).await,
    }
}

/// What an answer says, but for which request it was.
pub fn but_for_instance(reply: &Reply) -> Value {
    let mut json = reply.json.clone();
    json.as_object_mut().unwrap().remove("instance");
    json
}
pub fn holder(email: &str) -> Value {
    json!({"email": email, "name": {"given": "Paul", "family": "Durand"}, "language": "fr"})
}
pub fn declared() -> Value {
    json!({"neutral": true, "no_gain": true, "adult": true, "accepts_screening": true, "no_trauma": true})
}
pub fn square() -> Value {
    json!({"type": "Polygon", "coordinates": [
        [[3.94, 50.45], [3.96, 50.45], [3.96, 50.46], [3.94, 50.46], [3.94, 50.45]]
    ]})
}
pub fn plan() -> Value {
    json!({
        "urgent": {"channels": ["sms", "email"], "mode": "direct"},
        "non_urgent": {"channels": ["email"], "mode": "relay"},
        "fallback_languages": ["fr", "nl"],
        "quiet_from_hour": 22,
        "quiet_until_hour": 7,
        "sms_per_dwelling": true,
        "release_alone": ["meeting"],
        "urgent_validity_minutes": 60,
        "officer_may_approve_own_non_urgent": false,
    })
}
