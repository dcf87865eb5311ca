//! Two partnerships of one zone, those who keep their lists, and those who may not see them.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::prelude::*;
use serde_json::{Value, json};
use vigie::access::{self, Bearer, Flag, NewGrant, Reach, Role};
use vigie::members::{Basis, NewMember};
use vigie::people::{self, NewPerson};
use vigie::storage::schema::{accounts, house_rules, partnership_municipalities, partnerships, zones};
use vigie::storage::{Json, StorageError, Tx};
use vigie::values::{EmailAddress, Id, Language, PersonName, PhoneNumber, PostalAddress, of};

use crate::support::{Reply, Town};

/// Somebody who is signed in.
#[derive(Debug, Clone, Copy)]
pub struct Desk {
    pub account: Id<of::Account>,
    session: Id<of::Session>,
}
impl Desk {
    /// An access token that is good now.
    pub fn token(&self, town: &Town) -> String {
        Bearer::new(town.database.keys()).token(self.account, self.session, town.clock.now())
    }
}

pub struct Neighbourhood {
    pub partnership: Id<of::Partnership>,
    pub other: Id<of::Partnership>,
    pub coordinator: Desk,
    pub deputy: Desk,
    pub officer: Desk,
    pub coordinator_of_other: Desk,
    pub municipality: Desk,
    pub administrator: Desk,
}

fn zone(tx: &mut Tx<'_>, number: &str) -> Result<Id<of::Zone>, StorageError> {
    let (id, now) = (Id::new(), tx.now()?);
    diesel::insert_into(zones::table)
        .values((
            zones::id.eq(id),
            zones::number.eq(number),
            zones::names.eq(Json(json!({"fr": "Zone des Collines"}))),
            zones::languages.eq(Json(json!(["fr"]))),
            zones::phone.eq("+3222742111"),
            zones::hours.eq(Json(json!({}))),
            zones::own_message.eq("dual"),
            zones::version.eq(1),
            zones::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(id)
}
fn partnership(tx: &mut Tx<'_>, zone: Id<of::Zone>, name: &str) -> Result<Id<of::Partnership>, StorageError> {
    let (id, now) = (Id::new(), tx.now()?);
    diesel::insert_into(partnerships::table)
        .values((
            partnerships::id.eq(id),
            partnerships::zone_id.eq(zone),
            partnerships::kind.eq("citizen"),
            partnerships::names.eq(Json(json!({"fr": name, "nl": format!("{name} NL")}))),
            partnerships::short_name.eq(name),
            partnerships::status.eq("active"),
            partnerships::version.eq(1),
            partnerships::created_at.eq(now),
        ))
        .execute(tx.db())?;
    diesel::insert_into(partnership_municipalities::table)
        .values((partnership_municipalities::partnership_id.eq(id), partnership_municipalities::nis_code.eq("53053")))
        .execute(tx.db())?;
    lay_down_rules(tx, id, 1)?;
    Ok(id)
}
/// A further version of the house rules.
pub fn lay_down_rules(tx: &mut Tx<'_>, partnership: Id<of::Partnership>, number: i32) -> Result<(), StorageError> {
    let now = tx.now()?;
    diesel::insert_into(house_rules::table)
        .values((
            house_rules::id.eq(Id::<of::HouseRules>::new()),
            house_rules::partnership_id.eq(partnership),
            house_rules::number.eq(number),
            house_rules::texts.eq(Json(json!({"fr": "Respect."}))),
            house_rules::hash.eq("h"),
            house_rules::created_at.eq(now),
        ))
        .execute(tx.db())?;
    Ok(())
}
fn desk(tx: &mut Tx<'_>, role: Role, reach: Reach) -> Result<Desk, StorageError> {
    let name = PersonName::parse("Dana", "Vos").unwrap();
    let person = people::create_person(tx, &NewPerson { name, language: Language::Fr })?;
    let (account, now) = (Id::new(), tx.now()?);
    let email = format!("{account}@desk.example");
    diesel::insert_into(accounts::table)
        .values((
            accounts::id.eq(account),
            accounts::person_id.eq(person),
            accounts::email.eq(Some(tx.seal("accounts.email", account, &email)?)),
            accounts::email_index.eq(Some(tx.index("email", &email))),
            accounts::password_hash.eq(Some("-")),
            accounts::status.eq("active"),
            accounts::version.eq(1),
            accounts::created_at.eq(now),
        ))
        .execute(tx.db())?;
    let flags: Vec<Flag> = Vec::new();
    access::grant(tx, NewGrant { account, role, reach, flags, from_at: now, until_at: None, by: None })?;
    let session = access::open_session(tx, account)?.session;
    Ok(Desk { account, session })
}

impl Neighbourhood {
    pub async fn found(town: &Town) -> Self {
        town.db(|tx| {
            vigie::territory::load_reference(tx)?;
            let (ours, elsewhere) = (zone(tx, "5324")?, zone(tx, "5325")?);
            let (partnership, other) = (partnership(tx, ours, "Le Sart")?, partnership(tx, elsewhere, "La Haie")?);
            Ok(Self {
                partnership,
                other,
                coordinator: desk(tx, Role::Coordinator, Reach::Partnership(partnership))?,
                deputy: desk(tx, Role::Deputy, Reach::Partnership(partnership))?,
                officer: desk(tx, Role::Officer, Reach::Zone(ours))?,
                coordinator_of_other: desk(tx, Role::Coordinator, Reach::Partnership(other))?,
                municipality: desk(tx, Role::Municipality, Reach::Municipality("53053".to_owned()))?,
                administrator: desk(tx, Role::ZoneAdministrator, Reach::Zone(ours))?,
            })
        })
        .await
    }
    pub fn applications(&self) -> String {
        format!("/api/v1/public/partnerships/{}/applications", self.partnership)
    }
    pub fn members(&self) -> String {
        format!("/api/v1/partnerships/{}/members", self.partnership)
    }
    /// The list as the coordinator sees it.
    pub async fn list(&self, town: &Town, query: &str) -> Reply {
        town.get(&format!("{}{query}", self.members()), &self.coordinator.token(town)).await.expect(200)
    }
    /// Somebody applies on the web and gives the code back.
    pub async fn applicant(&self, town: &Town, given: &str) -> String {
        let mut body = application(given);
        let email = body["contacts"]["email"].as_str().unwrap().to_owned();
        body["contacts"]["mobile"] = Value::Null;
        town.open_post(&self.applications(), body).await.expect(202);
        town.delivers_everything().await;
        let letter = last_letter(town, &email);
        town.post_form(&path_in(&letter, "/p/contact/"), &format!("code={}", code_in(&letter))).await.expect(200);
        town.delivers_everything().await;
        let rows = self.list(town, &format!("?name={given}")).await;
        rows.items()[0]["id"].as_str().unwrap().to_owned()
    }
    /// A member from the beginning.
    pub async fn member(&self, town: &Town, given: &str) -> Id<of::Membership> {
        let new = new_member(self.partnership, given);
        town.db(move |tx| vigie::members::enter_active_member(tx, new)).await
    }
    /// What can be done with a member.
    pub async fn does(&self, town: &Town, member: &str, verb: &str, body: Value) -> Reply {
        town.post(&format!("/api/v1/members/{member}/{verb}"), &self.coordinator.token(town), body).await
    }
}

static NUMBER: AtomicU32 = AtomicU32::new(100_000);
pub fn new_member(partnership: Id<of::Partnership>, given: &str) -> NewMember {
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    NewMember {
        partnership,
        name: PersonName::parse(given, "Canari").unwrap(),
        language: Language::Fr,
        address: serde_json::from_value::<PostalAddress>(address()).unwrap(),
        basis: Basis::Lives,
        email: Some(EmailAddress::parse(&format!("{}@canari.example", given.to_lowercase())).unwrap()),
        mobile: Some(PhoneNumber::parse(&format!("+32470{number}")).unwrap()),
        preferred_channel: vigie::delivery::Channel::Email,
        sms_at_night: true,
        exercises: true,
        rules_number: 1,
    }
}
pub fn address() -> Value {
    json!({"street": "Rue du Sart", "number": "12", "postal_code": 7060, "locality": "Soignies"})
}
/// What somebody fills in on the web.
pub fn application(given: &str) -> Value {
    json!({
        "name": {"given": given, "family": "Canari"},
        "language": "fr",
        "address": address(),
        "basis": "lives",
        "adult_declared": true,
        "house_rules": {"version": 1},
        "contacts": {"email": format!("{}@canari.example", given.to_lowercase()), "mobile": "0470 55 66 77"},
        "preferred_channel": "email",
        "sms_at_night": false,
    })
}
/// What the coordinator copies from paper.
pub fn paper(given: &str) -> Value {
    json!({
        "name": {"given": given, "family": "Canari"},
        "language": "nl",
        "address": address(),
        "basis": "both",
        "adult_declared": true,
        "adhesion": {"mode": "signed_copy", "rules_number": 1, "signed_on": "2026-02-27", "form_reference": "map 3, 17"},
        "contacts": {"email": format!("{}@canari.example", given.to_lowercase())},
    })
}
/// The text of every mail to an address, first to last.
pub fn letters(town: &Town, to: &str) -> Vec<String> {
    let mails = town.post_office.mails();
    let parse = |bytes: &[u8]| {
        let parsed = mail_parser::MessageParser::default().parse(bytes).unwrap();
        parsed.body_text(0).unwrap().into_owned()
    };
    mails.iter().filter(|mail| mail.to() == to).map(|mail| parse(&mail.bytes)).collect()
}
#[track_caller]
pub fn last_letter(town: &Town, to: &str) -> String {
    letters(town, to).pop().unwrap_or_else(|| panic!("no letter to {to}"))
}
/// The six digits.
#[track_caller]
pub fn code_in(text: &str) -> String {
    let before_links: Vec<&str> = text.split_whitespace().filter(|word| !word.contains("http")).collect();
    before_links
        .join(" ")
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()))
        .unwrap_or_else(|| panic!("no code in {text}"))
        .to_owned()
}
/// The path of the link that begins so.
#[track_caller]
pub fn path_in(text: &str, begins: &str) -> String {
    let at = text.find(begins).unwrap_or_else(|| panic!("no {begins} in {text}"));
    text[at..].split(|c: char| c.is_whitespace() || c == '>' || c == ')').next().unwrap().to_owned()
}
