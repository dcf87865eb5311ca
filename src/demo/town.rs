//! The town of the demonstration: Waterloo, an invented police zone, three partnerships, and invented people.

use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::names;
use crate::access::{Flag, Reach, Role};
use crate::accounts::{self, Invitation};
use crate::config::Config;
use crate::delivery::Channel;
use crate::members::{self, Basis, NewMember};
use crate::partnerships::{
    self, ClassPlan, NewPartnership, PartnershipKind, PlanContent, PlanMode, Polygon, ReleaseAlone,
};
use crate::storage::Database;
use crate::storage::Tx;
use crate::storage::random_code;
use crate::territory::{self, NewZone, OpeningHours, OwnMessage};
use crate::values::EmailAddress;
use crate::values::Id;
use crate::values::Language;
use crate::values::Line;
use crate::values::Localized;
use crate::values::PersonName;
use crate::values::PhoneNumber;
use crate::values::PostalAddress;
use crate::values::Prose;
use crate::values::of;

/// Waterloo, NIS 25110: a real municipality; everything in it here is invented.
const NIS: &str = "25110";
/// A number that no zone has.
const ZONE_NUMBER: &str = "9999";

/// What the story and the guide need to know, kept beside the database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DemoTown {
    pub(super) municipality: String,
    pub(super) password: String,
    pub(super) members: u32,
    pub(super) partnerships: Vec<DemoPartnership>,
    pub(super) officer: String,
    pub(super) accounts: Vec<(String, String)>,
}
/// A partnership of the demonstration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DemoPartnership {
    pub(super) id: Id<of::Partnership>,
    pub(super) plan_number: i32,
    pub(super) coordinator: String,
}

/// An account of the demonstration.
struct Persona {
    given: &'static str,
    family: &'static str,
    user: &'static str,
    language: Language,
    role: Role,
    label: &'static str,
}
const fn persona(
    given: &'static str,
    family: &'static str,
    user: &'static str,
    language: Language,
    role: Role,
    label: &'static str,
) -> Persona {
    Persona { given, family, user, language, role, label }
}
const ZONE_PEOPLE: [Persona; 5] = [
    persona(
        "Claire",
        "Fédérale",
        "federal",
        Language::Fr,
        Role::Federal,
        "federal service: enters zones, appoints zone administrators",
    ),
    persona(
        "Anouk",
        "Zonneveld",
        "zone",
        Language::Nl,
        Role::ZoneAdministrator,
        "zone administrator: appoints officers, sets the zone's policies",
    ),
    persona("Marc", "Delvaux", "officer", Language::Fr, Role::Officer, "police officer: approves what leaves"),
    persona("Lieve", "Vermeulen", "officer2", Language::Nl, Role::Officer, "second police officer"),
    persona(
        "Paul",
        "Maire",
        "municipality",
        Language::Fr,
        Role::Municipality,
        "municipality: figures and partnerships, no personal data",
    ),
];
const PARTNERSHIP_PEOPLE: [Persona; 2] = [
    persona(
        "Jeanne",
        "Coord",
        "coordinator",
        Language::Fr,
        Role::Coordinator,
        "coordinator: keeps the list, drafts messages",
    ),
    persona("Tom", "Adjunct", "deputy", Language::Nl, Role::Deputy, "deputy coordinator"),
];
/// Names, short name, kind, and the share of the members in twentieths.
const PARTNERSHIPS: [(&str, &str, &str, PartnershipKind, u32); 3] = [
    ("PLP Quartier du Lion", "BIN Leeuwwijk", "PLP Lion", PartnershipKind::Citizen, 12),
    ("PLP Mont-Saint-Jean", "BIN Mont-Saint-Jean", "PLP Mont-St-Jean", PartnershipKind::Citizen, 5),
    ("PLP-I Chaussée de Bruxelles", "BIN-Z Brusselsesteenweg", "PLP-I Chaussee", PartnershipKind::Independent, 3),
];

fn email_of(user: &str) -> String {
    format!("{user}@waterloo.example")
}

/// Makes the town, or finds the one that an earlier start made.
pub(super) async fn make(database: &Database, config: &Arc<Config>, members: u32) -> anyhow::Result<DemoTown> {
    let notes = std::path::Path::new(&config.data_dir).join("demo.json");
    if let Ok(text) = std::fs::read_to_string(&notes) {
        return serde_json::from_str(&text).context("demo.json cannot be read; begin anew with --fresh");
    }
    let password = format!("Lion-{}", random_code(10, b"abcdefghjkmnpqrstuvwxyz23456789"));
    let (limits, clear) = (config.limits.clone(), password.clone());
    let hash = tokio::task::spawn_blocking(move || accounts::hash_password(&limits, &clear))
        .await?
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let settings = Arc::clone(config);
    let town = database
        .writing(move |tx| fill(tx, &settings, &password, &hash, members).map_err(Unfilled))
        .await
        .map_err(|Unfilled(error)| error)?;
    std::fs::write(&notes, serde_json::to_string_pretty(&town)?)?;
    Ok(town)
}
/// Carries any failure out of the transaction.
struct Unfilled(anyhow::Error);
impl From<crate::storage::StorageError> for Unfilled {
    fn from(error: crate::storage::StorageError) -> Self {
        Self(error.into())
    }
}

fn localized<const MAX: usize>(texts: &[(Language, &str)]) -> anyhow::Result<Localized<Line<MAX>>> {
    let lines: Result<Vec<_>, _> =
        texts.iter().map(|(language, text)| Line::parse(text).map(|line| (*language, line))).collect();
    Ok(Localized::new(lines?))
}

fn fill(tx: &mut Tx<'_>, config: &Config, password: &str, hash: &str, members: u32) -> anyhow::Result<DemoTown> {
    let zone = territory::create_zone(
        tx,
        &NewZone {
            number: ZONE_NUMBER.to_owned(),
            names: localized(&[
                (Language::Fr, "ZP Waterloo (démonstration)"),
                (Language::Nl, "PZ Waterloo (demonstratie)"),
            ])?,
            languages: vec![Language::Fr, Language::Nl],
            phone: "+3223520000".to_owned(),
            email: Some("accueil@zone.example".to_owned()),
            hours: OpeningHours::default(),
            own_message: OwnMessage::SoloDuty,
            municipalities: vec![NIS.to_owned()],
        },
    )?;
    let mut signed_in = Vec::new();
    let mut officer = None;
    for (number, someone) in ZONE_PEOPLE.iter().enumerate() {
        let account = account(tx, config, someone, someone.user, number, hash)?;
        let reach = match someone.role {
            Role::Federal => Reach::Nation,
            Role::Municipality => Reach::Municipality(NIS.to_owned()),
            _ => Reach::Zone(zone),
        };
        let flags = if someone.role == Role::Officer { vec![Flag::Duty] } else { Vec::new() };
        partnerships::give_mandate_now(tx, account, someone.role, reach, flags, None)?;
        if someone.role == Role::Officer {
            officer.get_or_insert(account);
        }
        signed_in.push((email_of(someone.user), someone.label.to_owned()));
    }
    let officer = officer.context("the town has no officer")?;
    let mut founded = Vec::new();
    let mut begun = 0;
    for (index, described) in PARTNERSHIPS.iter().enumerate() {
        let partnership = found(tx, zone, index, described)?;
        let (mut coordinator, mut coordinator_email) = (None, String::new());
        for (number, someone) in PARTNERSHIP_PEOPLE.iter().enumerate() {
            let user = if index == 0 { someone.user.to_owned() } else { format!("{}{}", someone.user, index + 1) };
            let account = account(tx, config, someone, &user, 10 + index * 2 + number, hash)?;
            partnerships::give_mandate_now(
                tx,
                account,
                someone.role,
                Reach::Partnership(partnership),
                Vec::new(),
                Some(officer),
            )?;
            if coordinator.is_none() {
                (coordinator, coordinator_email) = (Some(account), email_of(&user));
            }
            signed_in.push((email_of(&user), format!("{} of {}", someone.label, described.2)));
        }
        let plan_number = partnerships::set_plan(tx, partnership, &plan(), officer)?;
        partnerships::sign_plan(tx, partnership, plan_number, coordinator.context("no coordinator")?)?;
        let rules = partnerships::lay_down_house_rules(tx, partnership, house_rules()?, Some(officer))?;
        partnerships::activate(tx, config, partnership)?;
        let last = index + 1 == PARTNERSHIPS.len();
        let until = if last { members } else { begun + (members * described.4) / 20 };
        let new: anyhow::Result<Vec<NewMember>> =
            (begun..until.max(begun + 1)).map(|number| member(partnership, number, rules.number)).collect();
        members::enter_active_members(tx, new?)?;
        begun = until.max(begun + 1);
        founded.push(DemoPartnership { id: partnership, plan_number, coordinator: coordinator_email });
    }
    Ok(DemoTown {
        municipality: "Waterloo".to_owned(),
        password: password.to_owned(),
        members,
        partnerships: founded,
        officer: email_of("officer"),
        accounts: signed_in,
    })
}

fn account(
    tx: &mut Tx<'_>,
    config: &Config,
    someone: &Persona,
    user: &str,
    number: usize,
    hash: &str,
) -> anyhow::Result<Id<of::Account>> {
    let mobile = format!("+32470{:06}", 900_000 + number);
    let invitation = Invitation {
        email: EmailAddress::parse(&email_of(user))?,
        name: PersonName::parse(someone.given, someone.family)?,
        language: someone.language,
        mobile: Some(PhoneNumber::parse(&mobile)?),
        role: someone.role,
        inviter: "ZP Waterloo".to_owned(),
    };
    Ok(accounts::create_active(tx, config, invitation, hash)?)
}

type Described = (&'static str, &'static str, &'static str, PartnershipKind, u32);
fn found(
    tx: &mut Tx<'_>,
    zone: Id<of::Zone>,
    index: usize,
    described: &Described,
) -> anyhow::Result<Id<of::Partnership>> {
    let (french, dutch, short, kind, _) = described;
    let new = NewPartnership {
        zone,
        kind: *kind,
        names: localized(&[(Language::Fr, french), (Language::Nl, dutch)])?,
        short_name: Line::parse(short)?,
        municipalities: vec![NIS.to_owned()],
        legal_ref: Some(Line::parse("BIN/PLP 2019")?),
        registered_ref: Some(Line::parse(&format!("DEMO-{}", index + 1))?),
        by: None,
    };
    let partnership = partnerships::create_partnership(tx, &new)?;
    // Three squares side by side in Waterloo, longitude and latitude.
    let west = 4.36 + 0.02 * f64::from(u32::try_from(index)?);
    let (east, south, north) = (west + 0.018, 50.70, 50.72);
    let polygon = serde_json::json!({ "type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]] });
    let polygon = Polygon::parse(polygon).map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    partnerships::set_perimeter(tx, partnership, &polygon, None)?;
    Ok(partnership)
}
/// The communication plan of the demonstration: every channel, quiet nights.
#[must_use]
pub fn plan() -> PlanContent {
    PlanContent {
        urgent: ClassPlan { channels: vec![Channel::Email, Channel::Sms], mode: PlanMode::Direct },
        non_urgent: ClassPlan { channels: vec![Channel::Email, Channel::Sms], mode: PlanMode::Direct },
        fallback_languages: vec![Language::Fr, Language::Nl],
        quiet_from_hour: 21,
        quiet_until_hour: 8,
        sms_per_dwelling: false,
        release_alone: vec![ReleaseAlone::Meeting, ReleaseAlone::Admin],
        urgent_validity_minutes: 60,
        officer_may_approve_own_non_urgent: true,
    }
}
/// House rules in two languages.
///
/// # Errors
/// Never, unless the texts themselves are wrong.
pub fn house_rules() -> anyhow::Result<Localized<Prose<20000>>> {
    Ok(Localized::new([
        (
            Language::Fr,
            Prose::parse(
                "Le membre signale tout fait suspect directement à la police (101).\nIl ne patrouille pas et ne joue pas à la police.\nIl peut partir à tout moment.",
            )?,
        ),
        (
            Language::Nl,
            Prose::parse(
                "Het lid meldt elk verdacht feit rechtstreeks aan de politie (101).\nHet patrouilleert niet en speelt geen politie.\nHet kan op elk moment vertrekken.",
            )?,
        ),
    ]))
}
/// An invented member: the same number gives the same person.
///
/// # Errors
/// For a number that gives no valid telephone number: beyond 899,999.
pub fn member(partnership: Id<of::Partnership>, number: u32, rules_number: i32) -> anyhow::Result<NewMember> {
    let (given, family) = names::name(number);
    let street =
        names::STREETS.get(usize::try_from(number)? % names::STREETS.len().max(1)).copied().unwrap_or("Rue du Lion");
    // One in eleven has no mobile, one in thirteen no e-mail; nobody has neither.
    let (no_mobile, no_email) = (number % 11 == 10, number % 13 == 12);
    Ok(NewMember {
        partnership,
        name: PersonName::parse(given, family)?,
        language: names::language(number),
        address: PostalAddress {
            street: Line::parse(street)?,
            number: Line::parse(&(number / 6 + 1).to_string())?,
            letter_box: None,
            postal_code: 1410,
            locality: Line::parse("Waterloo")?,
            point: None,
        },
        basis: if number.is_multiple_of(9) { Basis::Works } else { Basis::Lives },
        email: if no_email { None } else { Some(EmailAddress::parse(&names::email(number))?) },
        mobile: if no_mobile && !no_email { None } else { Some(PhoneNumber::parse(&names::mobile(number))?) },
        preferred_channel: if number.is_multiple_of(4) { Channel::Sms } else { Channel::Email },
        sms_at_night: !number.is_multiple_of(5),
        exercises: number.is_multiple_of(10),
        rules_number,
    })
}
