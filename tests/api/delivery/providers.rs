//! Two providers for a channel: who carries what when one of them fails (accept M9), and at which pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use diesel::prelude::*;
use tokio::sync::watch;
use uuid::Uuid;
use vigie::config::Config;
use vigie::delivery::breaker::Trust;
use vigie::delivery::channel::{Answer, Channel as Carrier};
use vigie::delivery::tray::Tray;
use vigie::delivery::{Channel, Channels, Courier, LEASE, Lane, Provider, State, cancel};
use vigie::storage::StorageError;
use vigie::storage::schema::{attempts, deliveries};

use super::desk::{HOUR, attempts_of, post, recipients, rows, states, until};
use crate::support::database::Kind;
use crate::support::post_office::{PostOffice, SmsManners};
use crate::support::{Town, logs};

/// A town with a second relay and a second gateway, which are another post office.
async fn with_two(kind: Kind) -> (Town, PostOffice) {
    let second = PostOffice::open().await;
    let (port, url) = (second.smtp.port(), second.gateway.url());
    let settings = move |config: &mut Config| {
        config.email.second.host = "127.0.0.1".to_owned();
        config.email.second.port = port;
        config.email.second.tls = vigie::config::Tls::None;
        config.sms.second.url = url;
        config.sms.second.username = "vigie".to_owned();
        config.sms.second.password = "secret".to_owned().into();
    };
    (Town::start_with(kind, settings).await, second)
}
/// Who carried each attempt, in the order of deliveries and attempts.
async fn carried(town: &Town, batch: Uuid) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for row in rows(town, batch).await {
        let by = move |tx: &mut vigie::storage::Tx<'_>| {
            let of = attempts::table.filter(attempts::delivery_id.eq(row.id)).order(attempts::number);
            Ok(of.select(attempts::provider).load::<String>(tx.db())?)
        };
        all.push(town.db(by).await);
    }
    all
}

/// Accept M9: five members are enough. Nobody waits: the clock of this town does not move.
#[tokio::test(flavor = "multi_thread")]
async fn five_members_are_reached_by_the_second_provider_when_the_first_fails() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (town, second) = with_two(kind).await;
        town.post_office.smtp.behave(|relay| relay.is_busy = true);
        town.post_office.gateway.behave(SmsManners::Says(503, "", String::new()));
        for (channel, first, other) in
            [(Channel::Email, "smtp", "smtp-second"), (Channel::Sms, "kannel", "kannel-second")]
        {
            let batch = post(&town, channel, Lane::Urgent, "member", 5, HOUR).await;
            town.delivers_everything().await;
            assert_eq!(states(&town, batch).await, [(State::Accepted, 5)].into(), "on {kind:?}");
            for by in carried(&town, batch).await {
                assert_eq!(by, [first, other], "on {kind:?}");
            }
            assert_eq!(town.courier.trust(channel), [Trust::None, Trust::Full]);
            // The next ones do not even try.
            let next = post(&town, channel, Lane::Urgent, "next", 5, HOUR).await;
            town.delivers_everything().await;
            assert!(carried(&town, next).await.iter().all(|by| by == &[other]), "on {kind:?}");
        }
        assert_eq!((second.mails().len(), second.sms().len()), (10, 10));
        assert_eq!((town.post_office.mails().len(), town.post_office.sms().len()), (0, 0));
        town.close().await;
    }
}

/// A probe, one parcel, and then everything: the preferred provider is preferred again.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_answers_again_is_tried_with_one_and_then_trusted() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (town, second) = with_two(kind).await;
        town.post_office.smtp.behave(|relay| relay.is_busy = true);
        post(&town, Channel::Email, Lane::Urgent, "first", 5, HOUR).await;
        town.delivers_everything().await;
        assert_eq!(town.courier.trust(Channel::Email), [Trust::None, Trust::Full]);

        // Still away when it is asked; nobody's mail waits for that.
        town.passes(Duration::from_secs(2));
        let during = post(&town, Channel::Email, Lane::Urgent, "during", 5, HOUR).await;
        town.delivers_everything().await;
        assert!(carried(&town, during).await.iter().all(|by| by == &["smtp-second"]), "on {kind:?}");

        town.post_office.smtp.behave(|relay| relay.is_busy = false);
        town.passes(Duration::from_secs(5));
        let after = post(&town, Channel::Email, Lane::Urgent, "after", 5, HOUR).await;
        town.delivers_everything().await;
        let by: Vec<String> = carried(&town, after).await.concat();
        assert_eq!(by.iter().filter(|by| *by == "smtp").count(), 1, "one on trial: {by:?}");
        assert_eq!(town.courier.trust(Channel::Email), [Trust::Full, Trust::Full]);
        let trusted = post(&town, Channel::Email, Lane::Urgent, "trusted", 5, HOUR).await;
        town.delivers_everything().await;
        assert!(carried(&town, trusted).await.iter().all(|by| by == &["smtp"]), "on {kind:?}");
        assert_eq!(second.mails().len(), 5 + 5 + 4);
        town.close().await;
    }
}

/// An answer that never came is repeated with the other provider, and under the same name.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_is_repeated_elsewhere_under_the_same_name() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (town, second) = with_two(kind).await;
        town.post_office.smtp.behave(|relay| {
            relay.after_mail = crate::support::post_office::AfterMail::HangsUp;
        });
        let batch = post(&town, Channel::Email, Lane::Urgent, "member", 1, HOUR).await;
        town.delivers_everything().await;
        assert_eq!(carried(&town, batch).await, [["smtp", "smtp-second"]]);
        assert_eq!(states(&town, batch).await, [(State::Accepted, 1)].into());
        let names: Vec<_> = [town.post_office.mails(), second.mails()]
            .concat()
            .iter()
            .map(|mail| (mail.header("Message-ID"), mail.to().to_owned()))
            .collect();
        assert_eq!(names.len(), 2, "on {kind:?}");
        assert_eq!(names[0], names[1], "on {kind:?}");
        town.close().await;
    }
}

/// The pace that was agreed with a gateway: never faster, whatever waits. A lower bound, so no noise can break it.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_not_given_more_a_second_than_was_agreed() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start_with(kind, |config| config.sms.per_second = 20).await;
        let batch = post(&town, Channel::Sms, Lane::Urgent, "", 42, HOUR).await;
        let (stop, stopping) = watch::channel(false);
        let courier = town.courier.clone();
        let start = Instant::now();
        let running = tokio::spawn(async move { courier.run(stopping).await });
        until("all left", async || town.post_office.sms().len() == 42).await;
        let took = start.elapsed();
        // Two at once at first, and forty more at twenty a second.
        assert!(took >= Duration::from_millis(1_900), "{took:?}");
        until("all are settled", async || states(&town, batch).await == [(State::Accepted, 42)].into()).await;
        stop.send(true).unwrap();
        running.await.unwrap();
        town.close().await;
    }
}

/// What lay ready for a gateway with a slow pace is taken back by a stop, within a moment (accept M12).
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_takes_back_what_lies_ready() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start_with(kind, |config| config.sms.per_second = 10).await;
        let batch = post(&town, Channel::Sms, Lane::Urgent, "", 60, HOUR).await;
        let (stop, stopping) = watch::channel(false);
        let courier = town.courier.clone();
        let running = tokio::spawn(async move { courier.run(stopping).await });
        until("some left", async || town.post_office.sms().len() >= 5).await;
        town.db(move |tx| cancel(tx, batch, "stopped")).await;
        until("nothing is open", async || states(&town, batch).await.keys().all(|state| state.is_final())).await;
        let left = i64::try_from(town.post_office.sms().len()).unwrap();
        assert!(left < 30, "{left} left although it was stopped after five");
        assert_eq!(states(&town, batch).await, [(State::Accepted, left), (State::Cancelled, 60 - left)].into());
        stop.send(true).unwrap();
        running.await.unwrap();
        town.close().await;
    }
}

/// A channel with a name of its own, that fails for as long as it is told to.
struct Limping {
    name: String,
    fails: Arc<AtomicBool>,
}
#[async_trait]
impl Carrier for Limping {
    fn provider(&self) -> &str {
        &self.name
    }
    fn hands(&self) -> usize {
        1
    }
    async fn work(&self, tray: &Tray) {
        while let Some(held) = tray.next().await {
            let fails = self.fails.load(Ordering::SeqCst);
            let taken = Answer::Accepted { reference: None };
            held.answer(if fails { Answer::deferred("451 4.3.1 out of paper") } else { taken }, None);
        }
    }
    async fn probe(&self) -> Result<(), String> {
        if self.fails.load(Ordering::SeqCst) { Err("451".into()) } else { Ok(()) }
    }
}
/// Accept M9: every switch is logged with its reason, and each attempt has its provider and reason in the books.
#[tokio::test(flavor = "multi_thread")]
async fn every_switch_is_logged_with_its_reason() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start(kind).await;
        // Other tests log at the same time: these names are nobody else's.
        let (first, other) = (format!("limping-{kind:?}"), format!("sound-{kind:?}"));
        let (fails, never) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let both = || {
            let limping = Limping { name: first.clone(), fails: Arc::clone(&fails) };
            let sound = Limping { name: other.clone(), fails: Arc::clone(&never) };
            vec![Provider::new(Arc::new(limping), 0), Provider::new(Arc::new(sound), 0)]
        };
        let channels = Channels { email: both(), sms: both() };
        let courier = Courier::new(town.database.clone(), channels, Arc::clone(&town.config));
        let mark = logs::mark();
        let lines = |name: &str, what: &str| -> Vec<String> {
            let said = logs::since(mark);
            let of_it = |line: &&str| line.contains(&format!("\"{name}\"")) && line.contains(what);
            said.lines().filter(of_it).map(str::to_owned).collect()
        };
        let batch = post(&town, Channel::Email, Lane::Urgent, "member", 5, HOUR).await;
        while courier.round(Channel::Email).await.unwrap() > 0 {}
        assert_eq!(states(&town, batch).await, [(State::Accepted, 5)].into(), "on {kind:?}");
        let lost = lines(&first, "the provider fails: it gets only probes until it answers");
        assert_eq!(lost.len(), 1, "once, when trust is lost: {lost:?}");
        assert!(lost[0].contains("ERROR") && lost[0].contains("451 4.3.1 out of paper"), "{lost:?}");
        let by = carried(&town, batch).await;
        assert!(by.iter().filter(|by| **by == [first.clone(), other.clone()]).count() >= 3, "{by:?}");
        for (row, by) in rows(&town, batch).await.iter().zip(&by) {
            let told = attempts_of(&town, row.id).await;
            for (by, (outcome, reason)) in by.iter().zip(told) {
                let expected = match *by == first {
                    // What lay ready when trust was lost went over without being tried.
                    true => ["451 4.3.1 out of paper", "not tried: the provider fails"]
                        .contains(&reason.as_deref().unwrap_or_default()),
                    false => outcome.as_deref() == Some("accepted") && reason.is_none(),
                };
                assert!(expected, "{by}: {outcome:?} {reason:?}");
            }
        }

        fails.store(false, Ordering::SeqCst);
        town.passes(Duration::from_secs(5));
        for name in ["trial", "trusted"] {
            post(&town, Channel::Email, Lane::Urgent, name, 2, HOUR).await;
            while courier.round(Channel::Email).await.unwrap() > 0 {}
        }
        assert_eq!(courier.trust(Channel::Email), [Trust::Full, Trust::Full]);
        assert_eq!(lines(&first, "the provider is trusted again").len(), 1, "on {kind:?}");
        assert_eq!(lines(&other, "the provider").len(), 0, "nothing is said of who did not change");
        town.close().await;
    }
}

/// A channel that falls over one recipient.
struct Clumsy;
#[async_trait]
impl Carrier for Clumsy {
    fn provider(&self) -> &str {
        "clumsy"
    }
    fn hands(&self) -> usize {
        2
    }
    async fn work(&self, tray: &Tray) {
        while let Some(held) = tray.next().await {
            assert!(held.address != "member3@example.be", "poison");
            held.answer(Answer::Accepted { reference: None }, None);
        }
    }
    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }
}
/// A channel that gives two recipients the same name for what it took.
struct Twins;
#[async_trait]
impl Carrier for Twins {
    fn provider(&self) -> &str {
        "twins"
    }
    fn hands(&self) -> usize {
        2
    }
    async fn work(&self, tray: &Tray) {
        while let Some(held) = tray.next().await {
            let twin = ["member1@example.be", "member2@example.be"].contains(&held.address.as_str());
            held.answer(Answer::Accepted { reference: twin.then(|| "twin".to_owned()) }, None);
        }
    }
    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }
}
/// A result that the database will not take keeps nobody else's out of the books, nor its own delivery from being tried
/// again (accept M5).
#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_cannot_be_written_down_costs_no_other_result() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start(kind).await;
        let statement = |town: &Town, sql: &'static str| {
            town.database.write(move |tx| Ok::<_, StorageError>(diesel::sql_query(sql).execute(tx.db())?)).unwrap()
        };
        statement(&town, "CREATE UNIQUE INDEX once ON attempts (reference)");
        let twins = || vec![Provider::new(Arc::new(Twins), 0)];
        let channels = Channels { email: twins(), sms: twins() };
        let courier = Courier::new(town.database.clone(), channels, Arc::clone(&town.config));
        let batch = post(&town, Channel::Email, Lane::Urgent, "member", 20, HOUR).await;
        assert_eq!(courier.round(Channel::Email).await.unwrap(), 20);
        assert_eq!(states(&town, batch).await, [(State::Accepted, 19), (State::Attempting, 1)].into(), "on {kind:?}");
        statement(&town, "DROP INDEX once");
        town.passes(LEASE);
        assert_eq!(courier.round(Channel::Email).await.unwrap(), 1);
        assert_eq!(states(&town, batch).await, [(State::Accepted, 20)].into(), "on {kind:?}");
        town.close().await;
    }
}
/// Security F09: a recipient over whom our own code falls is given up after five attempts, and costs nobody else theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_is_poison_is_given_up_and_holds_nobody_up() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start(kind).await;
        let clumsy = || vec![Provider::new(Arc::new(Clumsy), 0)];
        let channels = Channels { email: clumsy(), sms: clumsy() };
        let courier = Courier::new(town.database.clone(), channels, Arc::clone(&town.config));
        let batch = post(&town, Channel::Email, Lane::Urgent, "member", 20, HOUR).await;
        let (stop, stopping) = watch::channel(false);
        let running = tokio::spawn(async move { courier.run(stopping).await });
        until("it is given up", async || {
            town.passes(Duration::from_millis(200));
            states(&town, batch).await == [(State::Accepted, 19), (State::Failed, 1)].into()
        })
        .await;
        let given_up: (i32, Option<String>) = town
            .db(|tx| {
                let failed = deliveries::table.filter(deliveries::state.eq(State::Failed));
                Ok(failed.select((deliveries::attempts, deliveries::reason)).first(tx.db())?)
            })
            .await;
        assert_eq!(given_up, (5, Some("poison".to_owned())), "on {kind:?}");
        stop.send(true).unwrap();
        running.await.unwrap();
        assert!(recipients(&town).is_empty());
        town.close().await;
    }
}
