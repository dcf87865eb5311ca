//! Stops, claims, answers, reports and signs of life at the same moment: none escapes, and none waits for the other in a
//! circle. Whoever locks several deliveries locks them in the order of their numbers, before anything of theirs.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;
use vigie::delivery::retry::Verdict;
use vigie::delivery::{
    Channel, Claimed, LEASE, Lane, Settlement, State, cancel, cancel_for_membership, lock_in_order, renew, settle,
};
use vigie::storage::schema::deliveries;
use vigie::storage::{Db, StorageError, Tx};
use vigie::values::{Id, of};

use super::desk::{
    HOUR, claims, held_up, holds, locks, mail, meanwhile, post, row, rows, settled_as, states, takes, text,
    to_one_member, until, until_held_up,
};
use super::reports::asked;
use crate::support::Town;
use crate::support::database::Kind;
use crate::support::post_office::SmsManners;

fn two(tx: &mut Tx<'_>, lease: Uuid) -> Result<Vec<Claimed>, StorageError> {
    takes(tx, lease, Channel::Email, 2, "other")
}

/// Accept M12: a claim that commits in the middle of a stop comes before it or after it, whoever stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_catches_what_a_claim_is_taking_at_that_moment() {
    for (kind, leaves) in [Kind::Sqlite, Kind::Postgres].into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let town = Town::start(kind).await;
        // Three of one message, or of three messages to one member.
        let (membership, person, batches) = match leaves {
            true => to_one_member(&town, 3).await,
            false => (Id::new(), Id::new(), vec![post(&town, Channel::Email, Lane::Urgent, "member", 3, HOUR).await]),
        };
        let batch = batches[0];
        let lease = Uuid::from_u128(7);
        let (held, commits): (Vec<Claimed>, _) = holds(&town, move |tx| two(tx, lease));
        let stop = meanwhile(&town, move |tx| match leaves {
            false => cancel(tx, batch, "stopped"),
            true => cancel_for_membership(tx, membership, person, None, "stopped"),
        });
        until_held_up(&town, 1).await;
        commits();
        assert_eq!(stop.await.unwrap().unwrap(), 1, "on {kind:?}");
        let soon = town.clock.now().plus(Duration::from_secs(1));
        let answers = [
            settled_as(&held[0], Verdict::Again(State::Deferred, soon, "451".into())),
            settled_as(&held[1], Verdict::Again(State::Unknown, soon, "mail sent".into())),
        ];
        assert_eq!(town.db(move |tx| settle(tx, &answers)).await, 2);
        let mut stand = BTreeMap::new();
        for batch in batches {
            for (state, count) in states(&town, batch).await {
                *stand.entry(state).or_default() += count;
            }
        }
        assert_eq!(stand, [(State::Accepted, 1), (State::Cancelled, 2)].into(), "on {kind:?}");
        town.passes(HOUR / 2);
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), 0, "on {kind:?}");
        town.close().await;
    }
}

/// Accept M5: the answer of a lease that ran out this moment, while somebody takes the delivery over.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_and_a_take_over_do_not_wait_for_each_other() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start(kind).await;
        let batch = mail(&town).await;
        let (_, held) = claims(&town, Channel::Email, 1).await;
        town.passes(LEASE);
        let release = locks(&town, format!("SELECT 1 FROM attempts WHERE delivery_id = {}", held[0].id));
        let answers: [Settlement; 1] = [settled_as(&held[0], Verdict::Final(State::Accepted, None))];
        let late = meanwhile(&town, move |tx| {
            lock_in_order(tx, &[answers[0].delivery])?;
            settle(tx, &answers)
        });
        if kind == Kind::Postgres {
            until("the answer is being settled", async || held_up(&town).await == 1).await;
        }
        let heir = meanwhile(&town, |tx| two(tx, Uuid::nil()));
        if kind == Kind::Postgres {
            until("somebody takes it over", async || heir.is_finished() || held_up(&town).await == 2).await;
        }
        release();
        let (settled, taken): (Result<usize, StorageError>, Result<Vec<Claimed>, StorageError>) =
            (late.await.unwrap(), heir.await.unwrap());
        let (settled, taken) = (settled.unwrap(), taken.unwrap());
        assert_eq!(settled + taken.len(), 1, "one of the two has it, on {kind:?}");
        if kind == Kind::Postgres {
            assert_eq!((settled, row(&town, batch).await.state), (1, State::Accepted));
        }
        town.close().await;
    }
}

/// A sign of life for many waits for the first without holding the second: a stop that wants both gets on.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_of_life_takes_its_deliveries_in_their_order() {
    let town = Town::start(Kind::Postgres).await;
    let batch = post(&town, Channel::Email, Lane::Urgent, "member", 2, HOUR).await;
    let (lease, held) = claims(&town, Channel::Email, 2).await;
    let ids: Vec<i64> = rows(&town, batch).await.iter().map(|row| row.id).collect();
    let (first, second) = (ids[0], ids[1]);
    assert_eq!(held.len(), 2);
    // Now the first lies behind the second in the table.
    town.db(move |tx| renew(tx, lease, &[first])).await;
    let release = locks(&town, format!("SELECT 1 FROM deliveries WHERE id = {first}"));
    let sign = meanwhile(&town, move |tx| {
        lock_in_order(tx, &[second, first])?;
        renew(tx, lease, &[second, first])
    });
    until("the sign of life waits", async || held_up(&town).await == 1).await;
    let free: Vec<i64> = town
        .db(move |tx| {
            let second = deliveries::table.filter(deliveries::id.eq(second)).select(deliveries::id);
            match tx.db() {
                Db::Postgres(c) => Ok(second.for_update().skip_locked().load(c)?),
                Db::Sqlite(_) => Ok(Vec::new()),
            }
        })
        .await;
    release();
    assert_eq!(sign.await.unwrap().unwrap().len(), 2);
    assert_eq!(free, [second]);
    town.close().await;
}

/// Accept M10, M12: a report holds one delivery and nothing else, so a stop in progress can only be before or behind it;
/// and what it says stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_during_a_stop_gets_through_and_is_not_undone_by_it() {
    let town = Town::start(Kind::Postgres).await;
    let first = row(&town, mail(&town).await).await.id;
    town.post_office.gateway.behave(SmsManners::HangsUp);
    let batch = text(&town).await;
    town.courier.round(Channel::Sms).await.unwrap();
    assert_eq!(row(&town, batch).await.state, State::Unknown);
    // The mail and the SMS are of one message.
    town.db(move |tx| {
        let one = diesel::update(deliveries::table.filter(deliveries::id.eq(first)));
        Ok(one.set(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch))).execute(tx.db())?)
    })
    .await;
    let release = locks(&town, format!("SELECT 1 FROM deliveries WHERE id = {first}"));
    let stop = meanwhile(&town, move |tx| cancel(tx, batch, "stopped"));
    until("the stop is under way", async || held_up(&town).await == 1).await;
    assert_eq!(town.post_office.gateway.reports(&asked(&town), 1, "F").await, 200);
    release();
    assert_eq!(stop.await.unwrap().unwrap(), 1);
    assert_eq!(states(&town, batch).await, [(State::AtHandset, 1), (State::Cancelled, 1)].into());
    town.close().await;
}
