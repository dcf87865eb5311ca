//! A town with one of everything a path can name, and somebody for every role over the right place and over another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::json;
use vigie::access::{self, Bearer, NewGrant, Permission, Place, Purpose, Reach, Role, link_token};
use vigie::accounts::{Invitation, create_active, hash_password};
use vigie::partnerships;
use vigie::storage::StorageError;
use vigie::storage::schema::{mandates, memberships};
use vigie::values::{EmailAddress, Id, Language, PersonName, of};

use crate::support::{Neighbourhood, Town};

pub const HERE: &str = "25110";
pub const THERE: &str = "55040";
pub const PASSWORD: &str = "vier ladders in de schuur";

/// Over the place of the things in the paths, or over another of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Where {
    Here,
    Elsewhere,
}

/// Somebody who holds one role and nothing else.
#[derive(Debug, Clone)]
pub struct Holder {
    pub role: Role,
    pub reach: Reach,
    pub account: Id<of::Account>,
    pub session: Id<of::Session>,
    /// A second sign-in, in which identity was proved afresh.
    pub fresh: Id<of::Session>,
}

pub struct Stage {
    pub near: Neighbourhood,
    pub place: Place,
    /// An urgent message of the police that has not left.
    pub of_the_police: String,
    ids: BTreeMap<&'static str, String>,
}

impl Stage {
    pub async fn set(town: &Town) -> Self {
        let near = town.neighbourhood(3).await;
        let body = |source: &str| {
            json!({
                "class": "urgent", "kind": "start", "source": source,
                "texts": {"fr": {"title": "Essai", "body": "Essai."}, "nl": {"title": "Proef", "body": "Proef."}},
            })
        };
        let message = near.coordinator.posts(town, &near.messages(), body("member_report")).await.expect(201).id();
        let of_the_police = near.officer.posts(town, &near.messages(), body("police")).await.expect(201).id();
        let (delivery, alarm) = left_behind(town, &near).await;
        let first = near.partnership;
        let member = near.members[0].membership;
        let (place, mandate, contact) = town
            .db(move |tx| {
                let mandate: Id<of::Mandate> = mandates::table
                    .filter(mandates::place_ref.eq(first.to_string()))
                    .select(mandates::id)
                    .first(tx.db())?;
                let person: Id<of::Person> =
                    memberships::table.find(member).select(memberships::person_id).first(tx.db())?;
                let contacts = vigie::people::contacts_of(tx, &[person])?.remove(&person).unwrap();
                Ok((partnerships::place_of(tx, first)?.unwrap(), mandate, contacts[0].id))
            })
            .await;
        let ids = BTreeMap::from([
            ("partnership", near.partnership.to_string()),
            ("zone", near.zone.to_string()),
            ("message", message),
            ("member", member.to_string()),
            ("contact", contact.to_string()),
            ("mandate", mandate.to_string()),
            ("code", "ABCDEFGH".to_owned()),
            ("delivery", delivery.to_string()),
            ("alarm", alarm),
        ]);
        Self { near, place, of_the_police, ids }
    }
    /// Over what a role is held, on the stage or away from it. The nation has no other.
    pub fn reach(&self, role: Role, place: Where) -> Option<Reach> {
        let here = place == Where::Here;
        match role {
            Role::Member | Role::Steering | Role::Deputy | Role::Coordinator => {
                Some(Reach::Partnership(if here { self.near.partnership } else { self.near.third }))
            }
            Role::Officer | Role::ZoneAdministrator => {
                Some(Reach::Zone(if here { self.near.zone } else { self.near.elsewhere }))
            }
            Role::Municipality => Some(Reach::Municipality(if here { HERE } else { THERE }.to_owned())),
            Role::Province => {
                let own = self.place.provinces.first().expect("the stage lies in a province");
                Some(Reach::Province(if here { own.clone() } else { "VAN".to_owned() }))
            }
            Role::Expertise | Role::Federal => here.then_some(Reach::Nation),
        }
    }
    /// Somebody with this one role.
    pub async fn holder(&self, town: &Town, role: Role, place: Where) -> Option<Holder> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let reach = self.reach(role, place)?;
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let invitation = Invitation {
            email: EmailAddress::parse(&format!("holder{number}@desk.example")).unwrap(),
            name: PersonName::parse("Dana", "Vos").unwrap(),
            language: Language::Fr,
            mobile: None,
            role,
            inviter: "ZP Lion".to_owned(),
        };
        let (config, held) = (town.config.clone(), reach.clone());
        let (account, session, fresh) = town
            .db(move |tx| {
                let hash =
                    hash_password(&config.limits, PASSWORD).map_err(|error| StorageError::Broken(error.to_string()))?;
                let account = create_active(tx, &config, invitation, &hash)?;
                let (from_at, flags) = (tx.now()?, Vec::new());
                let new = NewGrant { account, role, reach: held, flags, from_at, until_at: None, by: None };
                access::grant(tx, new)?;
                let session = access::open_session(tx, account)?.session;
                let fresh = access::open_session(tx, account)?.session;
                access::step_up(tx, fresh)?;
                Ok((account, session, fresh))
            })
            .await;
        Some(Holder { role, reach, account, session, fresh })
    }
    /// The names of the parameters of a path.
    pub fn parameters(path: &str) -> Vec<&str> {
        path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }
    /// A path with something that exists for every parameter; `session` is the actor's own.
    #[track_caller]
    pub fn path(&self, town: &Town, pattern: &str, session: Id<of::Session>) -> String {
        let mut path = pattern.to_owned();
        for name in Self::parameters(pattern) {
            let value = match name {
                "session" => session.to_string(),
                "token" => token(town, pattern),
                name => self
                    .ids
                    .get(name)
                    .unwrap_or_else(|| panic!("{pattern}: put a {name} on the stage, this test cannot fill it in"))
                    .clone(),
            };
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        path
    }
    /// Where the thing that a path names belongs, as the design says it (not as the code finds it).
    #[track_caller]
    pub fn place_of(&self, pattern: &str) -> Place {
        match Self::parameters(pattern).first().copied() {
            Some("partnership" | "message" | "member" | "mandate" | "delivery" | "alarm") => self.place.clone(),
            Some("zone") => Place::zone(self.near.zone, vec![HERE.to_owned()]),
            Some("session") | None => Place::nation(),
            Some(name) => panic!("{pattern}: where does a {name} belong?"),
        }
    }
    /// Is it a list of what one may see, wherever that is?
    pub fn is_list(permission: Permission) -> bool {
        matches!(
            permission,
            Permission::ListPartnerships | Permission::ReadInbox | Permission::ListDeadLetters | Permission::ListAlarms
        )
    }
}

/// A delivery of a message that left, dead since, and an alarm about that message.
async fn left_behind(town: &Town, near: &Neighbourhood) -> (i64, String) {
    use vigie::delivery::alarms::{AlarmKind, raise};
    use vigie::storage::schema::deliveries;
    let left = crate::messages::sent(town, near, crate::messages::burglary()).await;
    let (subject, zone) = (format!("message:{left}"), near.zone);
    town.db(move |tx| {
        let delivery: i64 = deliveries::table
            .filter(deliveries::lane.eq(1_i16))
            .order(deliveries::id)
            .select(deliveries::id)
            .first(tx.db())?;
        diesel::update(deliveries::table.find(delivery)).set(deliveries::state.eq("failed")).execute(tx.db())?;
        let alarm = raise(tx, AlarmKind::UrgentStuck, &subject, Some(zone))?.unwrap();
        Ok((delivery, alarm.id.to_string()))
    })
    .await
}

/// A token that opens the route: signed for its purpose, or any where the route looks for it in the database.
#[track_caller]
fn token(town: &Town, pattern: &str) -> String {
    let purpose = match pattern {
        "/p/contact/{token}" | "/api/v1/public/contacts/{token}/confirmation" => Purpose::ConfirmContact,
        "/p/leave/{token}" => Purpose::Leave,
        "/p/unsubscribe/{token}" => Purpose::UnsubscribeEmail,
        "/p/my-data/{token}" => Purpose::MyData,
        "/hooks/sms/{token}" => Purpose::Receipt,
        "/hooks/sms/inbound/{token}" => Purpose::InboundSms,
        "/hooks/mail/{token}" => Purpose::ReturnedMail,
        "/p/invitation/{token}" | "/p/reset/{token}" => return "nobody-has-this-token".to_owned(),
        _ => panic!("{pattern}: say here what its link is for"),
    };
    link_token(town.database.keys(), purpose, 7)
}

/// An access token of a session that is good now.
pub fn access_token(town: &Town, account: Id<of::Account>, session: Id<of::Session>) -> String {
    Bearer::new(town.database.keys()).token(account, session, town.clock.now())
}

/// How many rows each table has, but for those that every request may fill: the record of decisions, tries, sessions
/// and kept answers.
pub async fn rows(town: &Town) -> BTreeMap<String, i64> {
    const LEFT_OUT: [&str; 5] = ["decisions", "throttles", "sessions", "refresh_tokens", "answers"];
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let schema = include_str!("../../../src/storage/schema.rs");
    let tables: Vec<String> = schema
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split_once(" (")?.0.split_whitespace().next())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .filter(|name| !LEFT_OUT.contains(name))
        .map(str::to_owned)
        .collect();
    assert!(tables.len() >= 26, "{tables:?}");
    town.db(move |tx| {
        tables
            .into_iter()
            .map(|table| {
                let sql = format!("SELECT COUNT(*) AS n FROM {table}");
                let count: Count = diesel::sql_query(sql).get_result(tx.db())?;
                Ok((table, count.n))
            })
            .collect()
    })
    .await
}

/// The answer without the id of its request.
pub fn without_instance(json: &serde_json::Value) -> serde_json::Value {
    let mut json = json.clone();
    json.as_object_mut().map(|object| object.remove("instance"));
    json
}
