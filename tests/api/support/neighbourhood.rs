//! A neighbourhood that is at work, made through the slices' own functions: a police zone with two officers, three
//! partnerships with a coordinator each, a communication plan, and members in four languages.

use std::sync::Mutex;

use serde_json::{Value, json};
use vigie::access::{self, Bearer, Flag, NewGrant, Reach, Role};
use vigie::accounts::{self, Invitation};
use vigie::delivery::Channel;
use vigie::members::{self, Basis, NewMember};
use vigie::partnerships::{
    self, ClassPlan, NewPartnership, PartnershipKind, PlanContent, PlanMode, Polygon, ReleaseAlone,
};
use vigie::storage::{StorageError, Tx};
use vigie::territory::{self, NewZone, OpeningHours, OwnMessage};
use vigie::values::{EmailAddress, Id, Language, Line, Localized, PersonName, PhoneNumber, PostalAddress, Prose, of};

use super::client::Reply;
use super::town::Town;

pub const PASSWORD: &str = "drie fietsen op zolder";
/// Waterloo, where the first two partnerships lie.
const HERE: &str = "25110";
/// Soignies, in the other zone.
const THERE: &str = "55040";

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Desk {
    pub account: Id<of::Account>,
    pub grant: Id<of::Grant>,
    pub email: String,
    session: Id<of::Session>,
}
impl Desk {
    /// An access token that is good now.
    pub fn token(&self, town: &Town) -> String {
        Bearer::new(town.database.keys()).token(self.account, self.session, town.clock.now())
    }
    /// Gives the password again: for five minutes identity is proved.
    pub async fn steps_up(&self, town: &Town) {
        town.post("/api/v1/step-up", &self.token(town), json!({ "password": PASSWORD })).await.expect(200);
    }
    pub async fn gets(&self, town: &Town, path: &str) -> Reply {
        town.get(path, &self.token(town)).await
    }
    pub async fn posts(&self, town: &Town, path: &str, body: Value) -> Reply {
        town.post(path, &self.token(town), body).await
    }
}

/// A member as the tests know them.
#[derive(Debug, Clone)]
pub struct Neighbour {
    pub membership: Id<of::Membership>,
    pub language: Language,
    pub email: String,
    pub mobile: String,
}

pub struct Neighbourhood {
    pub zone: Id<of::Zone>,
    pub elsewhere: Id<of::Zone>,
    pub partnership: Id<of::Partnership>,
    /// Another one of the same zone.
    pub second: Id<of::Partnership>,
    /// One of another zone.
    pub third: Id<of::Partnership>,
    pub rules_number: i32,
    pub officer: Desk,
    pub second_officer: Desk,
    pub administrator: Desk,
    pub municipality: Desk,
    pub coordinator: Desk,
    pub deputy: Desk,
    pub steering: Desk,
    pub coordinator_of_second: Desk,
    pub officer_elsewhere: Desk,
    pub members: Vec<Neighbour>,
}

fn localized<const MAX: usize>(french: &str, dutch: &str) -> Localized<Line<MAX>> {
    Localized::new([(Language::Fr, Line::parse(french).unwrap()), (Language::Nl, Line::parse(dutch).unwrap())])
}
fn zone(tx: &mut Tx<'_>, number: &str, nis: &str, name: &str) -> Id<of::Zone> {
    let new = NewZone {
        number: number.to_owned(),
        names: localized(&format!("ZP {name}"), &format!("PZ {name}")),
        languages: vec![Language::Fr, Language::Nl],
        phone: "+3223520000".to_owned(),
        email: None,
        hours: OpeningHours::default(),
        own_message: OwnMessage::Dual,
        municipalities: vec![nis.to_owned()],
    };
    territory::create_zone(tx, &new).unwrap()
}
/// Urgent and other messages go out at once on both channels; a meeting or an administrative note may be released alone.
pub fn plan() -> PlanContent {
    PlanContent {
        urgent: ClassPlan { channels: vec![Channel::Email, Channel::Sms], mode: PlanMode::Direct },
        non_urgent: ClassPlan { channels: vec![Channel::Email, Channel::Sms], mode: PlanMode::Direct },
        fallback_languages: vec![Language::Fr, Language::Nl],
        quiet_from_hour: 21,
        quiet_until_hour: 8,
        sms_per_dwelling: false,
        release_alone: vec![ReleaseAlone::Meeting, ReleaseAlone::Prevention],
        urgent_validity_minutes: 60,
        officer_may_approve_own_non_urgent: false,
    }
}
fn open_desk(
    tx: &mut Tx<'_>,
    town: &vigie::config::Config,
    hash: &str,
    user: &str,
    role: Role,
    reach: Reach,
) -> Result<Desk, StorageError> {
    let email = format!("{user}@desk.example");
    // A number of its own for each user, so that notices can be told apart.
    let number = user.bytes().fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 99_991);
    let invitation = Invitation {
        email: EmailAddress::parse(&email).unwrap(),
        name: PersonName::parse("Dana", "Vos").unwrap(),
        language: if user.contains("second") { Language::Nl } else { Language::Fr },
        mobile: Some(PhoneNumber::parse(&format!("+324709{number:05}")).unwrap()),
        role,
        inviter: "ZP Lion".to_owned(),
    };
    let account = accounts::create_active(tx, town, invitation, hash)?;
    let flags = if role == Role::Officer { vec![Flag::Duty] } else { Vec::new() };
    partnerships::give_mandate_now(tx, account, role, reach, flags, None)?;
    let now = tx.now()?;
    let grant = access::grants_at(tx, account, now)?[0].id;
    let session = access::open_session(tx, account)?.session;
    Ok(Desk { account, grant, email, session })
}
fn partnership(tx: &mut Tx<'_>, zone: Id<of::Zone>, nis: &str, name: &str, west: f64) -> Id<of::Partnership> {
    let new = NewPartnership {
        zone,
        kind: PartnershipKind::Citizen,
        names: localized(&format!("PLP {name}"), &format!("BIN {name}")),
        short_name: Line::parse(name).unwrap(),
        municipalities: vec![nis.to_owned()],
        legal_ref: None,
        registered_ref: None,
        by: None,
    };
    let id = partnerships::create_partnership(tx, &new).unwrap();
    let (east, south, north) = (west + 0.018, 50.70, 50.72);
    let square = json!({ "type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]] });
    partnerships::set_perimeter(tx, id, &Polygon::parse(square).unwrap(), None).unwrap();
    id
}
/// Plan with both signatures, house rules, active; the number of the rules.
fn at_work(
    tx: &mut Tx<'_>,
    config: &vigie::config::Config,
    id: Id<of::Partnership>,
    officer: &Desk,
    coordinator: &Desk,
) -> i32 {
    let number = partnerships::set_plan(tx, id, &plan(), officer.account).unwrap();
    partnerships::sign_plan(tx, id, number, coordinator.account).unwrap();
    let texts = [(Language::Fr, "Appelez le 101."), (Language::Nl, "Bel 101.")];
    let texts = Localized::new(texts.map(|(language, text)| (language, Prose::parse(text).unwrap())));
    let rules = partnerships::lay_down_house_rules(tx, id, texts, Some(officer.account)).unwrap();
    partnerships::activate(tx, config, id).unwrap();
    rules.number
}

static NUMBER: Mutex<u32> = Mutex::new(100_000);
/// Somebody who takes part at once: with e-mail and mobile, in a dwelling of their own, e-mail preferred.
pub fn new_member(partnership: Id<of::Partnership>, rules_number: i32) -> NewMember {
    let number = {
        let mut next = NUMBER.lock().unwrap();
        *next += 1;
        *next
    };
    let street = Line::parse("Rue du Lion").unwrap();
    NewMember {
        partnership,
        name: PersonName::parse("Camille", "Dubois").unwrap(),
        language: Language::ALL[usize::try_from(number).unwrap() % Language::ALL.len()],
        address: PostalAddress {
            street,
            number: Line::parse(&number.to_string()).unwrap(),
            letter_box: None,
            postal_code: 1410,
            locality: Line::parse("Waterloo").unwrap(),
            point: None,
        },
        basis: Basis::Lives,
        email: Some(EmailAddress::parse(&format!("member{number}@lion.example")).unwrap()),
        mobile: Some(PhoneNumber::parse(&format!("+32471{number:06}")).unwrap()),
        preferred_channel: Channel::Email,
        sms_at_night: true,
        exercises: false,
        rules_number,
    }
}
fn enter(tx: &mut Tx<'_>, new: NewMember) -> Result<Neighbour, StorageError> {
    let (language, email, mobile) = (new.language, new.email.clone(), new.mobile.clone());
    let membership = members::enter_active_member(tx, new)?;
    Ok(Neighbour {
        membership,
        language,
        email: email.map(|email| email.for_envelope().to_owned()).unwrap_or_default(),
        mobile: mobile.map(|mobile| mobile.for_dialling().to_owned()).unwrap_or_default(),
    })
}

impl Town {
    /// A neighbourhood with so many members in its first partnership.
    pub async fn neighbourhood(&self, members: u32) -> Neighbourhood {
        let config = self.config.clone();
        self.db(move |tx| {
            let hash = accounts::hash_password(&config.limits, PASSWORD)
                .map_err(|error| StorageError::Broken(error.to_string()))?;
            territory::load_reference(tx)?;
            let (ours, theirs) = (zone(tx, "9998", HERE, "Lion"), zone(tx, "9997", THERE, "Senne"));
            let first = partnership(tx, ours, HERE, "Lion", 4.36);
            let second = partnership(tx, ours, HERE, "Moulin", 4.40);
            let third = partnership(tx, theirs, THERE, "Sart", 4.06);
            let desk = |tx: &mut Tx<'_>, user, role, reach| open_desk(tx, &config, &hash, user, role, reach);
            let officer = desk(tx, "officer", Role::Officer, Reach::Zone(ours))?;
            let second_officer = desk(tx, "second-officer", Role::Officer, Reach::Zone(ours))?;
            let administrator = desk(tx, "zone", Role::ZoneAdministrator, Reach::Zone(ours))?;
            let municipality = desk(tx, "municipality", Role::Municipality, Reach::Municipality(HERE.to_owned()))?;
            desk(tx, "federal", Role::Federal, Reach::Nation)?;
            let coordinator = desk(tx, "coordinator", Role::Coordinator, Reach::Partnership(first))?;
            let deputy = desk(tx, "deputy", Role::Deputy, Reach::Partnership(first))?;
            let steering = desk(tx, "steering", Role::Steering, Reach::Partnership(first))?;
            let coordinator_of_second = desk(tx, "moulin", Role::Coordinator, Reach::Partnership(second))?;
            let officer_elsewhere = desk(tx, "sart-officer", Role::Officer, Reach::Zone(theirs))?;
            let coordinator_of_third = desk(tx, "sart", Role::Coordinator, Reach::Partnership(third))?;
            let rules_number = at_work(tx, &config, first, &officer, &coordinator);
            at_work(tx, &config, second, &officer, &coordinator_of_second);
            at_work(tx, &config, third, &officer_elsewhere, &coordinator_of_third);
            let mut entered = Vec::new();
            for number in 0..members {
                let mut new = new_member(first, rules_number);
                new.language = Language::ALL[usize::try_from(number).unwrap() % Language::ALL.len()];
                entered.push(enter(tx, new)?);
            }
            // The neighbours of the others hear nothing of what the first is told.
            enter(tx, new_member(second, 1))?;
            enter(tx, new_member(third, 1))?;
            Ok(Neighbourhood {
                zone: ours,
                elsewhere: theirs,
                partnership: first,
                second,
                third,
                rules_number,
                officer,
                second_officer,
                administrator,
                municipality,
                coordinator,
                deputy,
                steering,
                coordinator_of_second,
                officer_elsewhere,
                members: entered,
            })
        })
        .await
    }
    /// Signs in over the API; the access token.
    pub async fn signs_in(&self, desk: &Desk) -> String {
        let body = json!({ "email": desk.email, "password": PASSWORD });
        self.open_post("/api/v1/sessions", body).await.expect(201).str("/access_token")
    }
    /// Somebody else who is signed in.
    pub async fn desk(&self, user: &str, role: Role, reach: Reach) -> Desk {
        let (config, user) = (self.config.clone(), user.to_owned());
        self.db(move |tx| {
            let hash = accounts::hash_password(&config.limits, PASSWORD)
                .map_err(|error| StorageError::Broken(error.to_string()))?;
            open_desk(tx, &config, &hash, &user, role, reach)
        })
        .await
    }
}

impl Neighbourhood {
    /// The messages of the first partnership.
    pub fn messages(&self) -> String {
        format!("/api/v1/partnerships/{}/messages", self.partnership)
    }
    /// One more member of the first partnership.
    pub async fn enters(&self, town: &Town, change: impl FnOnce(&mut NewMember)) -> Neighbour {
        let mut new = new_member(self.partnership, self.rules_number);
        new.language = Language::Fr;
        change(&mut new);
        town.db(move |tx| enter(tx, new)).await
    }
    /// Another plan, signed by both; its number.
    pub async fn agrees_on(&self, town: &Town, change: impl FnOnce(&mut PlanContent)) -> i32 {
        let mut content = plan();
        change(&mut content);
        let (partnership, officer, coordinator) = (self.partnership, self.officer.account, self.coordinator.account);
        town.db(move |tx| {
            let number = partnerships::set_plan(tx, partnership, &content, officer).unwrap();
            partnerships::sign_plan(tx, partnership, number, coordinator).unwrap();
            Ok(number)
        })
        .await
    }
    /// The zone lets the officer on duty approve alone.
    pub async fn allows_solo_duty(&self, town: &Town) {
        use diesel::prelude::*;
        use vigie::storage::schema::zones;
        let zone = self.zone;
        town.db(move |tx| {
            diesel::update(zones::table.find(zone))
                .set(zones::own_message.eq(OwnMessage::SoloDuty))
                .execute(tx.db())?;
            Ok(())
        })
        .await;
    }
    /// Gives an account a further role.
    pub async fn gives(&self, town: &Town, to: &Desk, role: Role, reach: Reach) {
        let account = to.account;
        town.db(move |tx| {
            let from_at = tx.now()?;
            let flags = Vec::new();
            access::grant(tx, NewGrant { account, role, reach, flags, from_at, until_at: None, by: None }).map(|_| ())
        })
        .await;
    }
}
