//! A town with one partnership, written straight into the database: a zone, its officer, a coordinator, and members.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::ValueEnum;
use serde_json::{Value, json};
use vigie::access::{Flag, Reach, Role};
use vigie::accounts::{self, Invitation};
use vigie::app;
use vigie::config::Config;
use vigie::delivery::Channel;
use vigie::demo;
use vigie::members::{self, NewMember};
use vigie::partnerships::{self, ClassPlan, NewPartnership, PartnershipKind, PlanContent, PlanMode, Polygon};
use vigie::storage::{Durability, Tx, random_code};
use vigie::territory::{self, NewZone, OpeningHours, OwnMessage};
use vigie::values::{Clock, EmailAddress, Id, Language, Line, Localized, PersonName, PhoneNumber, of};

use crate::stock::{Failed, Town, millis, now};

/// Waterloo: a real municipality; everything in it here is invented.
const NIS: &str = "25110";
/// Members in one transaction: large enough for speed, small enough for the memory of a large town.
const AT_ONCE: usize = 5_000;

/// By what the members are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Channels {
    /// Only by mail.
    Email,
    /// Only by SMS.
    Sms,
    /// By mail and by SMS.
    Both,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many members.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=800_000))]
    members: u32,
    /// By what they are reached.
    #[arg(long, value_enum, default_value_t = Channels::Both)]
    channels: Channels,
    /// The file for identifiers and credentials.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) async fn make(config: Config, told: Arguments) -> anyhow::Result<Value> {
    let started = now();
    let config = Arc::new(config);
    let database = app::open(&config, Clock::system(), Durability::Full)?;
    let password = format!("Drill-{}", random_code(12, b"abcdefghjkmnpqrstuvwxyz23456789"));
    let hash = accounts::hash_password(&config.limits, &password).map_err(|error| anyhow::anyhow!("{error}"))?;
    let (settings, channels) = (Arc::clone(&config), told.channels);
    let (partnership, plan_number, rules_number) = database
        .writing(move |tx| found(tx, &settings, &hash, channels).map_err(Failed))
        .await
        .map_err(|Failed(error)| error)?;
    let numbers: Vec<u32> = (0..told.members).collect();
    for some in numbers.chunks(AT_ONCE) {
        let new: anyhow::Result<Vec<NewMember>> =
            some.iter().map(|number| member(partnership, *number, rules_number, channels)).collect();
        let new = new?;
        database.writing(move |tx| members::enter_active_members(tx, new)).await?;
    }
    let town = Town {
        partnership,
        plan_number,
        members: told.members,
        coordinator: email_of("coordinator"),
        officer: email_of("officer"),
        password,
    };
    town.write(&told.out)?;
    Ok(json!({ "partnership": partnership, "members": told.members, "took_ms": millis(now() - started) }))
}

fn email_of(user: &str) -> String {
    format!("{user}@waterloo.example")
}
fn lines<const MAX: usize>(fr: &str, nl: &str) -> anyhow::Result<Localized<Line<MAX>>> {
    Ok(Localized::new([(Language::Fr, Line::parse(fr)?), (Language::Nl, Line::parse(nl)?)]))
}

type Founded = (Id<of::Partnership>, i32, i32);
fn found(tx: &mut Tx<'_>, config: &Config, hash: &str, channels: Channels) -> anyhow::Result<Founded> {
    let zone = territory::create_zone(
        tx,
        &NewZone {
            number: "9998".to_owned(),
            names: lines("ZP Essai", "PZ Proef")?,
            languages: vec![Language::Fr, Language::Nl],
            phone: "+3223520000".to_owned(),
            email: Some("accueil@zone.example".to_owned()),
            hours: OpeningHours::default(),
            own_message: OwnMessage::SoloDuty,
            municipalities: vec![NIS.to_owned()],
        },
    )?;
    let officer = account(tx, config, "officer", Role::Officer, Language::Fr, hash)?;
    partnerships::give_mandate_now(tx, officer, Role::Officer, Reach::Zone(zone), vec![Flag::Duty], None)?;
    let partnership = partnerships::create_partnership(
        tx,
        &NewPartnership {
            zone,
            kind: PartnershipKind::Citizen,
            names: lines("PLP Essai", "BIN Proef")?,
            short_name: Line::parse("PLP Essai")?,
            municipalities: vec![NIS.to_owned()],
            legal_ref: Some(Line::parse("BIN/PLP 2019")?),
            registered_ref: Some(Line::parse("DRILL-1")?),
            by: None,
        },
    )?;
    let square = json!({ "type": "Polygon", "coordinates": [[[4.36, 50.70], [4.38, 50.70], [4.38, 50.72], [4.36, 50.72], [4.36, 50.70]]] });
    let polygon = Polygon::parse(square).map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    partnerships::set_perimeter(tx, partnership, &polygon, None)?;
    let coordinator = account(tx, config, "coordinator", Role::Coordinator, Language::Nl, hash)?;
    let reach = Reach::Partnership(partnership);
    partnerships::give_mandate_now(tx, coordinator, Role::Coordinator, reach, Vec::new(), Some(officer))?;
    let plan_number = partnerships::set_plan(tx, partnership, &plan(channels), officer)?;
    partnerships::sign_plan(tx, partnership, plan_number, coordinator)?;
    let rules = partnerships::lay_down_house_rules(tx, partnership, demo::house_rules()?, Some(officer))?;
    partnerships::activate(tx, config, partnership)?;
    Ok((partnership, plan_number, rules.number))
}
/// The plan names only the ways by which members are reached, and no quiet hours: a benchmark at night is one at noon.
fn plan(channels: Channels) -> PlanContent {
    let channels = match channels {
        Channels::Email => vec![Channel::Email],
        Channels::Sms => vec![Channel::Sms],
        Channels::Both => vec![Channel::Email, Channel::Sms],
    };
    let class = ClassPlan { channels, mode: PlanMode::Direct };
    PlanContent {
        urgent: class.clone(),
        non_urgent: class,
        quiet_from_hour: 3,
        quiet_until_hour: 3,
        urgent_validity_minutes: 120,
        ..demo::plan()
    }
}
fn account(
    tx: &mut Tx<'_>,
    config: &Config,
    user: &str,
    role: Role,
    language: Language,
    hash: &str,
) -> anyhow::Result<Id<of::Account>> {
    let invitation = Invitation {
        email: EmailAddress::parse(&email_of(user))?,
        name: PersonName::parse("Dominique", "Essai")?,
        language,
        // No number: what officers are told goes by mail, and no count of SMS is disturbed.
        mobile: None::<PhoneNumber>,
        role,
        inviter: "ZP Essai".to_owned(),
    };
    Ok(accounts::create_active(tx, config, invitation, hash)?)
}
/// The invented person of this number, reached by all that the town knows, at every hour.
fn member(
    partnership: Id<of::Partnership>,
    number: u32,
    rules_number: i32,
    channels: Channels,
) -> anyhow::Result<NewMember> {
    let invented = demo::member(partnership, number, rules_number)?;
    let email = (channels != Channels::Sms)
        .then(|| EmailAddress::parse(&format!("member{number}@waterloo.example")))
        .transpose()
        .context("an address")?;
    let mobile = (channels != Channels::Email)
        .then(|| PhoneNumber::parse(&format!("+32470{:06}", 100_000 + number)))
        .transpose()
        .context("a number")?;
    let preferred_channel = if channels == Channels::Sms { Channel::Sms } else { Channel::Email };
    Ok(NewMember { email, mobile, preferred_channel, sms_at_night: true, ..invented })
}
