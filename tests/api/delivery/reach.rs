//! Whom a message reached, may have reached or will reach: they get its correction, and nobody else does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;
use vigie::delivery::retry::Verdict;
use vigie::delivery::{
    Body, Channel, Claimed, Fate, LEASE, Lane, NewDelivery, Settlement, State, cancel, enqueue, may_have_reached,
    put_content, settle,
};
use vigie::storage::schema::deliveries;
use vigie::values::{Id, Language, of};

use super::desk::{HOUR, TEXT, claims};
use crate::support::{Town, on_both};

type Persons = BTreeMap<&'static str, Id<of::Person>>;

/// Due now, one mail each; the names say what becomes of it.
const DUE: [&str; 11] = [
    "lost, then refused",
    "lost, then refused, and taken after all",
    "taken",
    "read",
    "no answer yet",
    "no answer, then refused",
    "refused",
    "deferred",
    "under way",
    "undelivered",
    "on both channels",
];

async fn posted(town: &Town) -> (Uuid, Persons) {
    let names = DUE.into_iter().chain(["planned", "left out"]);
    let persons: Persons = names.map(|name| (name, Id::new())).collect();
    let theirs = persons.clone();
    let batch = town
        .db(move |tx| {
            let (batch, now) = (Id::<of::Batch>::new().uuid(), tx.now()?);
            let body = Body { subject: "Alert".into(), text: TEXT.into(), html: None };
            let content = put_content(tx, batch, Language::En, Channel::Email, &body)?;
            let to = |name: &str, channel, fate| NewDelivery {
                person: theirs[name],
                channel,
                lane: Lane::Urgent,
                membership: None,
                address: Some("member@example.be".to_owned()),
                fate,
                deadline: now.plus(HOUR),
            };
            let mut new: Vec<NewDelivery> =
                DUE.iter().map(|name| to(name, Channel::Email, Fate::Due { content, at: now })).collect();
            new.push(to("on both channels", Channel::Sms, Fate::Due { content, at: now }));
            new.push(to("planned", Channel::Email, Fate::Due { content, at: now.plus(HOUR / 2) }));
            new.push(to("left out", Channel::Email, Fate::Suppressed("no_contact")));
            enqueue(tx, batch, new)?;
            Ok(batch)
        })
        .await;
    (batch, persons)
}
/// The names of whom it may have reached, each once.
async fn reached(town: &Town, batch: Uuid, persons: &Persons) -> BTreeSet<&'static str> {
    let found = town.db(move |tx| may_have_reached(tx, batch)).await;
    let names: BTreeSet<&'static str> =
        persons.iter().filter(|(_, person)| found.contains(person)).map(|(name, _)| *name).collect();
    assert_eq!(names.len(), found.len(), "nobody twice, and no strangers");
    names
}
fn answers(held: &[Claimed], persons: &Persons, of: &[(&str, &'static str, Verdict)]) -> Vec<Settlement> {
    let of_whom = |name: &str| held.iter().find(|claimed| claimed.person == persons[name]).unwrap();
    of.iter()
        .map(|(name, outcome, verdict)| Settlement {
            delivery: of_whom(name).id,
            attempt: of_whom(name).attempt,
            lease: of_whom(name).lease,
            outcome,
            reference: None,
            tried: true,
            digest: None,
            verdict: verdict.clone(),
        })
        .collect()
}

/// Accept M12; ruling 16: the correction goes to everybody who got the message, may have got it, or will get it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_have_got_it_is_named_and_whoever_cannot_have_is_not() {
    on_both(async |town| {
        let (batch, persons) = posted(town).await;
        let taken = || Verdict::Final(State::Accepted, None);
        let refused = || Verdict::Final(State::Failed, Some("550".into()));
        let again = |state, minutes: u64| {
            Verdict::Again(state, town.clock.now().plus(Duration::from_secs(60 * minutes)), "451".into())
        };
        let (_, lost) = claims(town, Channel::Email, 2).await;
        town.passes(LEASE);
        let (_, held) = claims(town, Channel::Email, 100).await;
        assert_eq!((lost.len(), held.len()), (2, DUE.len()));
        let settlements = answers(
            &held,
            &persons,
            &[
                ("lost, then refused", "refused", refused()),
                ("lost, then refused, and taken after all", "refused", refused()),
                ("taken", "accepted", taken()),
                ("read", "accepted", taken()),
                ("no answer yet", "unknown", again(State::Unknown, 30)),
                ("no answer, then refused", "unknown", again(State::Unknown, 0)),
                ("refused", "refused", refused()),
                ("deferred", "deferred", again(State::Deferred, 30)),
                ("undelivered", "accepted", taken()),
                ("on both channels", "accepted", taken()),
            ],
        );
        town.db(move |tx| settle(tx, &settlements)).await;
        let late = answers(&lost, &persons, &[("lost, then refused, and taken after all", "accepted", taken())]);
        assert_eq!(town.db(move |tx| settle(tx, &late)).await, 0);
        let (_, held) = claims(town, Channel::Email, 100).await;
        let second = answers(&held, &persons, &[("no answer, then refused", "refused", refused())]);
        assert_eq!((held.len(), town.db(move |tx| settle(tx, &second)).await), (1, 1));
        let (read, undelivered) = (persons["read"], persons["undelivered"]);
        town.db(move |tx| {
            for (person, state) in [(read, State::Acknowledged), (undelivered, State::Failed)] {
                diesel::update(deliveries::table.filter(deliveries::person_id.eq(person)))
                    .set(deliveries::state.eq(state))
                    .execute(tx.db())?;
            }
            Ok(())
        })
        .await;

        let mut named: BTreeSet<&str> = persons.keys().copied().collect();
        for not in ["refused", "undelivered", "left out"] {
            named.remove(not);
        }
        assert_eq!(reached(town, batch, &persons).await, named, "while it goes out");
        town.db(move |tx| cancel(tx, batch, "stopped")).await;
        for not in ["deferred", "planned"] {
            named.remove(not);
        }
        assert_eq!(reached(town, batch, &persons).await, named, "after a stop");
        town.passes(2 * HOUR);
        town.delivers_everything().await;
        assert_eq!(reached(town, batch, &persons).await, named, "when all is over");
        assert!(town.db(|tx| may_have_reached(tx, Uuid::nil())).await.is_empty());
    })
    .await;
}
