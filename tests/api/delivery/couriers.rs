//! Several couriers at once, in real time: nothing twice, nothing lost, and an end when told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vigie::app;
use vigie::delivery::{Channel, Courier, LEASE, Lane, State, cancel};
use vigie::on_either;
use vigie::storage::schema::{attempts, deliveries};
use vigie::values::Timestamp;
use vigie::worker;

use super::desk::{HOUR, attempts_of, mail, post, recipients, row, states, until};
use crate::support::database::Kind;
use crate::support::{Town, on_both};

struct Running {
    stop: watch::Sender<bool>,
    couriers: Vec<JoinHandle<()>>,
}
impl Running {
    fn start(town: &Town, count: usize) -> Self {
        let (stop, stopping) = watch::channel(false);
        let courier = || {
            let channels = worker::channels(&town.config).unwrap();
            let courier = Courier::new(town.database.clone(), channels, town.config.clone());
            let stopping = stopping.clone();
            tokio::spawn(async move { courier.run(stopping).await })
        };
        let couriers = (0..count).map(|_| courier()).collect();
        Self { stop, couriers }
    }
    async fn stop(self) {
        self.stop.send(true).unwrap();
        for courier in self.couriers {
            courier.await.unwrap();
        }
    }
}
async fn all_settled(town: &Town, batch: uuid::Uuid) -> bool {
    states(town, batch).await.keys().all(|state| state.is_final())
}

/// PostgreSQL shares by SKIP LOCKED, SQLite by its one writer.
#[tokio::test(flavor = "multi_thread")]
async fn two_couriers_share_the_work_and_hand_nothing_over_twice() {
    on_both(async |town| {
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 600, HOUR).await;
        let running = Running::start(town, 2);
        until("all are settled", async || all_settled(town, batch).await).await;
        running.stop().await;
        assert_eq!(states(town, batch).await, [(State::Accepted, 600)].into());
        assert_eq!((town.post_office.mails().len(), recipients(town).len()), (600, 600));
        let made: i64 = town.db(|tx| Ok(attempts::table.count().get_result(tx.db())?)).await;
        assert_eq!(made, 600);
    })
    .await;
}

/// Ruling 16, accept M12: a stop takes effect within a second, even with a relay that is slow.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_after_a_stop_nothing_more_leaves() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| relay.delay = Duration::from_millis(700));
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 200, HOUR).await;
        let running = Running::start(town, 1);
        until("some have left", async || town.post_office.mails().len() >= 8).await;
        let stopped = town.db(move |tx| cancel(tx, batch, "stopped")).await;
        let at_stop = Instant::now();
        until("what was on its way is settled", async || all_settled(town, batch).await).await;
        let took = at_stop.elapsed();
        running.stop().await;
        let left = town.post_office.mails().len();
        // What lay ready with the courier was taken back; only what was in a hand went out.
        let cancelled = 200 - left;
        assert!(stopped <= cancelled && cancelled >= 200 - 8 - 2 * 4, "{stopped} waited, {cancelled} were not sent");
        assert_eq!(
            states(town, batch).await,
            [(State::Accepted, i64::try_from(left).unwrap()), (State::Cancelled, i64::try_from(cancelled).unwrap())]
                .into()
        );
        eprintln!("{:?}: the last hand-over was settled {took:?} after the stop, at 700 ms a mail", town.kind);
        // What was being carried when the stop came ends; nothing waited behind it.
        assert!(took < Duration::from_millis(700 + 600), "{took:?}");
    })
    .await;
}

/// Ruling 16: a correction's first hand-over within a second, while a slow relay is busy with what is not urgent.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_does_not_wait_behind_a_newsletter() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| relay.delay = Duration::from_millis(500));
        let news = post(town, Channel::Email, Lane::NonUrgent, "news", 200, HOUR).await;
        let running = Running::start(town, 1);
        until("the newsletter is under way", async || !town.post_office.mails().is_empty()).await;
        post(town, Channel::Email, Lane::Correction, "correction", 1, HOUR).await;
        let start = Instant::now();
        until("the correction left", async || recipients(town).contains("correction1@example.be")).await;
        let took = start.elapsed();
        eprintln!("{:?}: the correction was taken after {took:?}, of which the relay's own time is 500 ms", town.kind);
        assert!(took < Duration::from_millis(500 + 1_000), "{took:?}");
        town.db(move |tx| cancel(tx, news, "enough")).await;
        running.stop().await;
    })
    .await;
}

/// The answer is known and the database is not there to be told: it is told later, and nothing goes out twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_cannot_be_written_is_written_later() {
    on_both(async |town| {
        town.post_office.smtp.behave(|relay| relay.delay = Duration::from_millis(300));
        let batch = mail(town).await;
        let courier = town.courier.clone();
        let round = tokio::spawn(async move { courier.round(Channel::Email).await });
        until("the relay was called", async || town.post_office.smtp.commands("DATA") > 0).await;
        let sql = |text: &'static str| town.db(move |tx| Ok(on_either!(tx, |c| c.batch_execute(text))?));
        sql("ALTER TABLE attempts RENAME TO attempts_away").await;
        until("the relay took it", async || town.post_office.mails().len() == 1).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert!(!round.is_finished(), "it does not give up");
        sql("ALTER TABLE attempts_away RENAME TO attempts").await;
        assert_eq!(round.await.unwrap().unwrap(), 1);
        assert_eq!((row(town, batch).await.state, row(town, batch).await.attempts), (State::Accepted, 1));
        town.passes(HOUR / 2);
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), 1);
    })
    .await;
}

/// The database server throws everybody out, again and again: nothing is lost, nothing goes out twice.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_database_loses_nothing() {
    let town = Town::start(Kind::Postgres).await;
    town.post_office.smtp.behave(|relay| relay.delay = Duration::from_millis(10));
    let batch = post(&town, Channel::Email, Lane::Urgent, "member", 600, HOUR).await;
    let running = Running::start(&town, 2);
    for round in 1..=4 {
        until("mails leave", async || town.post_office.mails().len() >= round * 100).await;
        let out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        town.db(move |tx| Ok(on_either!(tx, |c| c.batch_execute(out))?)).await;
    }
    until("nothing waits", async || {
        let open = |state: &State| !state.is_final() && *state != State::Attempting;
        !states(&town, batch).await.keys().any(open)
    })
    .await;
    running.stop().await;
    // A claim whose commit was not heard of was never handed over: it waits for its lease to end.
    town.passes(LEASE);
    town.delivers_everything().await;
    assert_eq!(states(&town, batch).await, [(State::Accepted, 600)].into());
    assert_eq!((town.post_office.mails().len(), recipients(&town).len()), (600, 600));
    town.close().await;
}

/// A hand-over that takes longer than a lease: the holder shows that it is alive, beside the hand-over.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_hand_over_keeps_its_lease() {
    on_both(async |town| {
        town.post_office.gateway.takes(Duration::from_secs(7));
        let batch = super::desk::text(town).await;
        let courier = town.courier.clone();
        let round = tokio::spawn(async move { courier.round(Channel::Sms).await });
        until("the gateway was asked", async || town.post_office.gateway.targets().len() == 1).await;
        // Just short of the lease's end when the sign of life comes (after 5 s), and again after it.
        let leased_until = async || -> Option<Timestamp> {
            let of_all = deliveries::table.select(deliveries::due_at);
            town.db(move |tx| Ok(of_all.first(tx.db())?)).await
        };
        town.passes(Duration::from_secs(14));
        let before = leased_until().await;
        until("it shows that it is alive", async || leased_until().await > before).await;
        town.passes(Duration::from_secs(14));
        assert_eq!(town.courier.round(Channel::Sms).await.unwrap(), 0, "nobody takes it over");
        round.await.unwrap().unwrap();
        assert_eq!((row(town, batch).await.state, town.post_office.sms().len()), (State::Accepted, 1));
    })
    .await;
}

/// Accept M5: one process may hold a delivery twice, when its own lease ran out while the provider was slow. Each answer
/// goes to the attempt it is about.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_belongs_to_its_attempt_and_to_no_other() {
    on_both(async |town| {
        town.post_office.gateway.takes(Duration::from_secs(3));
        let batch = super::desk::text(town).await;
        let running = Running::start(town, 1);
        until("the gateway was asked", async || town.post_office.gateway.targets().len() == 1).await;
        town.passes(LEASE);
        until("it was asked again", async || town.post_office.gateway.targets().len() == 2).await;
        until("both have answered", async || town.post_office.sms().len() == 2).await;
        until("it is settled", async || all_settled(town, batch).await).await;
        running.stop().await;
        let row = row(town, batch).await;
        assert_eq!((row.state, row.attempts), (State::Accepted, 2));
        let outcomes: Vec<_> = attempts_of(town, row.id).await.into_iter().map(|(outcome, _)| outcome).collect();
        assert_eq!(outcomes, [Some("accepted".to_owned()), Some("accepted".to_owned())]);
    })
    .await;
}

/// Each once, and none twice; the figure is no promise: a debug build, a relay that answers at once, both databases without
/// fsync.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_mails_leave_once_each() {
    on_both(async |town| {
        let batch = post(town, Channel::Email, Lane::Urgent, "member", 2_000, HOUR).await;
        let start = Instant::now();
        let running = Running::start(town, 1);
        until("all are settled", async || all_settled(town, batch).await).await;
        let took = start.elapsed();
        running.stop().await;
        assert_eq!((town.post_office.mails().len(), recipients(town).len()), (2_000, 2_000));
        assert_eq!(states(town, batch).await, [(State::Accepted, 2_000)].into());
        eprintln!(
            "{:?}: {:.0} mails a second (2,000 in {took:?}, debug build)",
            town.kind,
            2_000.0 / took.as_secs_f64()
        );
    })
    .await;
}

/// Nobody left who could say "stop": no duty goes on for ever, and none without a pause.
#[tokio::test(flavor = "multi_thread")]
async fn a_background_that_nobody_can_stop_any_more_stops_by_itself() {
    on_both(async |town| {
        let (stop, stopping) = watch::channel(false);
        let channels = worker::channels(&town.config).unwrap();
        let (config, rates) = (Arc::clone(&town.config), app::rates(&town.config));
        let running = tokio::spawn(worker::run(town.database.clone(), channels, config, rates, stopping));
        drop(stop);
        tokio::time::timeout(Duration::from_secs(20), running).await.expect("it ends").unwrap().unwrap();
    })
    .await;
}
