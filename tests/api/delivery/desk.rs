//! A sender's desk: batches in the queue, and what became of them.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;
use vigie::delivery::{
    Body, Carrier, Channel, Claimed, Contents, DeliveryRow, Fate, Lane, NewDelivery, Settlement, State, Wanted, claim,
    deliveries_of, enqueue, progress, put_content,
};
use vigie::storage::schema::{attempts, deliveries, receipts};
use vigie::storage::{Db, StorageError, Tx};
use vigie::values::{Id, Language, of};

use crate::support::Town;
use crate::support::database::Kind;

pub(super) const HOUR: Duration = Duration::from_secs(3_600);
/// What every mail and SMS of these tests says.
pub(super) const TEXT: &str = "White van in the Rue Haute";

/// So many deliveries in one batch, to `<name>1@example.be` or `+3247…1` and so on, due now.
pub(super) async fn post(
    town: &Town,
    channel: Channel,
    lane: Lane,
    name: &'static str,
    count: usize,
    validity: Duration,
) -> Uuid {
    town.db(move |tx| {
        let (batch, now) = (Id::<of::Batch>::new().uuid(), tx.now()?);
        let body = Body { subject: "Alert".into(), text: TEXT.into(), html: None };
        let content = put_content(tx, batch, Language::En, channel, &body)?;
        let delivery = |number: usize| NewDelivery {
            person: Id::new(),
            channel,
            lane,
            membership: None,
            address: Some(match channel {
                Channel::Email => format!("{name}{number}@example.be"),
                Channel::Sms => format!("+32470{number:06}"),
            }),
            fate: Fate::Due { content, at: now },
            deadline: now.plus(validity),
        };
        enqueue(tx, batch, (1..=count).map(delivery).collect())?;
        tx.nudge();
        Ok(batch)
    })
    .await
}
/// One urgent mail.
pub(super) async fn mail(town: &Town) -> Uuid {
    post(town, Channel::Email, Lane::Urgent, "member", 1, HOUR).await
}
/// One urgent mail in each of so many batches, all to the same member.
pub(super) async fn to_one_member(town: &Town, batches: usize) -> (Id<of::Membership>, Id<of::Person>, Vec<Uuid>) {
    let (membership, person) = (Id::<of::Membership>::new(), Id::<of::Person>::new());
    let batches = town
        .db(move |tx| {
            let now = tx.now()?;
            let body = Body { subject: "Alert".into(), text: TEXT.into(), html: None };
            let mut all = Vec::new();
            for _ in 0..batches {
                let batch = Id::<of::Batch>::new().uuid();
                let content = put_content(tx, batch, Language::En, Channel::Email, &body)?;
                let delivery = NewDelivery {
                    person,
                    channel: Channel::Email,
                    lane: Lane::Urgent,
                    membership: Some(membership),
                    address: Some("member1@example.be".into()),
                    fate: Fate::Due { content, at: now },
                    deadline: now.plus(HOUR),
                };
                enqueue(tx, batch, vec![delivery])?;
                all.push(batch);
            }
            tx.nudge();
            Ok(all)
        })
        .await;
    (membership, person, batches)
}
/// One urgent SMS.
pub(super) async fn text(town: &Town) -> Uuid {
    post(town, Channel::Sms, Lane::Urgent, "member", 1, HOUR).await
}
/// The deliveries of a batch.
pub(super) async fn rows(town: &Town, batch: Uuid) -> Vec<DeliveryRow> {
    town.db(move |tx| deliveries_of(tx, batch, None, 0, 10_000)).await
}
/// The only delivery of a batch.
pub(super) async fn row(town: &Town, batch: Uuid) -> DeliveryRow {
    let mut rows = rows(town, batch).await;
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}
/// How many stand where.
pub(super) async fn states(town: &Town, batch: Uuid) -> BTreeMap<State, i64> {
    let counts = town.db(move |tx| progress(tx, batch)).await;
    counts.into_iter().map(|((_, state), count)| (state, count)).collect()
}
/// Attempts as they stand in the books: outcome and reason, in their order.
pub(super) async fn attempts_of(town: &Town, delivery: i64) -> Vec<(Option<String>, Option<String>)> {
    town.db(move |tx| {
        Ok(attempts::table
            .filter(attempts::delivery_id.eq(delivery))
            .order(attempts::number)
            .select((attempts::outcome, attempts::reason))
            .load(tx.db())?)
    })
    .await
}
/// Reports as they are kept, in their order: level and code.
pub(super) async fn kept(town: &Town, delivery: i64) -> Vec<(String, String)> {
    town.db(move |tx| {
        Ok(receipts::table
            .filter(receipts::delivery_id.eq(delivery))
            .order(receipts::id)
            .select((receipts::level, receipts::code))
            .load(tx.db())?)
    })
    .await
}
/// A courier of another node, which claims by hand.
pub(super) async fn claims(town: &Town, channel: Channel, limit: usize) -> (Uuid, Vec<Claimed>) {
    let lease = Id::<of::Lease>::new().uuid();
    (lease, town.db(move |tx| takes(tx, lease, channel, limit, "other")).await)
}
/// The claim of a courier with one provider.
pub(super) fn takes(
    tx: &mut Tx<'_>,
    lease: Uuid,
    channel: Channel,
    limit: usize,
    provider: &str,
) -> Result<Vec<Claimed>, StorageError> {
    let carriers = [Carrier { provider, pressing: limit, patient: limit }];
    let contents = Contents::default();
    let wanted = Wanted { channel, limit, patient: limit, carriers: &carriers, contents: &contents, letterhead: 0 };
    Ok(claim(tx, lease, wanted)?.claimed)
}
pub(super) fn settled_as(claimed: &Claimed, verdict: vigie::delivery::retry::Verdict) -> Settlement {
    Settlement {
        delivery: claimed.id,
        attempt: claimed.attempt,
        lease: claimed.lease,
        outcome: "accepted",
        reference: None,
        tried: true,
        digest: None,
        verdict,
    }
}
/// No address and no word of a text stands in any reason (house rule; security 3.2).
pub(super) async fn reasons_name_nobody(town: &Town) {
    let (mut reasons, of_attempts): (Vec<Option<String>>, Vec<Option<String>>) = town
        .db(|tx| {
            Ok((
                deliveries::table.select(deliveries::reason).load(tx.db())?,
                attempts::table.select(attempts::reason).load(tx.db())?,
            ))
        })
        .await;
    reasons.extend(of_attempts);
    for reason in reasons.into_iter().flatten() {
        let tells = ["@", "example", "member", "+32", "van", "Haute"].into_iter().find(|word| reason.contains(word));
        assert_eq!(tells, None, "{reason}");
    }
}
/// Waits until something is so; falls over when it takes too long.
pub(super) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = std::time::Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
/// Work of another node whose transaction stays open until the second answer is called.
pub(super) fn holds<T: Send + 'static>(
    town: &Town,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, StorageError> + Send + 'static,
) -> (T, impl FnOnce()) {
    let (database, (done, is_done), (go_on, may_go_on)) =
        (town.database.clone(), std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let holder = std::thread::spawn(move || {
        database.write(|tx| {
            done.send(work(tx)?).unwrap();
            may_go_on.recv().unwrap();
            Ok::<_, StorageError>(())
        })
    });
    let result = is_done.recv().unwrap();
    (result, move || {
        go_on.send(()).unwrap();
        holder.join().unwrap().unwrap();
    })
}
/// Work that goes on beside the test.
pub(super) fn meanwhile<T: Send + 'static>(
    town: &Town,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, StorageError> + Send + 'static,
) -> tokio::task::JoinHandle<Result<T, StorageError>> {
    let database = town.database.clone();
    tokio::spawn(async move { database.writing(work).await })
}
/// Locks the rows that a sentence selects, as somebody who changes them would.
pub(super) fn locks(town: &Town, sentence: String) -> impl FnOnce() {
    let (found, release) = holds(town, move |tx| match tx.db() {
        Db::Postgres(c) => Ok(diesel::sql_query(format!("{sentence} FOR UPDATE")).execute(c)?),
        Db::Sqlite(_) => Ok(1), // the writer's lock is on everything
    });
    assert_eq!(found, 1);
    release
}
#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}
/// How many transactions wait for a lock of another; PostgreSQL only.
pub(super) async fn held_up(town: &Town) -> i64 {
    let waiting = "SELECT count(*) AS count FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    town.db(move |tx| Ok(diesel::sql_query(waiting).get_result::<Count>(tx.db())?.count)).await
}
/// Waits until so many transactions wait for a lock. SQLite cannot be asked: there it is only given the time to get so far,
/// and what the test proves does not depend on it.
pub(super) async fn until_held_up(town: &Town, count: i64) {
    match town.kind {
        Kind::Postgres => until("it waits for a lock", async || held_up(town).await == count).await,
        Kind::Sqlite => tokio::time::sleep(Duration::from_millis(50)).await,
    }
}
/// The different recipients so far.
pub(super) fn recipients(town: &Town) -> HashSet<String> {
    town.post_office.mails().iter().map(|mail| mail.to().to_owned()).collect()
}
/// How many wait for a first or a further attempt, with nothing in the dark. With a provider that is not trusted, most are
/// not even tried.
pub(super) async fn waiting(town: &Town, batch: Uuid) -> i64 {
    let states = states(town, batch).await;
    [State::Queued, State::Deferred].iter().filter_map(|state| states.get(state)).sum()
}
