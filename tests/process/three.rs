//! Three processes on one PostgreSQL: they share the queue, and those who fall or freeze cost nobody a message.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use uuid::Uuid;
use vigie::delivery::courier::LEASED_MAX;
use vigie::delivery::{Channel, DeliveryRow, LEASE, State, deliveries_of};
use vigie::storage::schema::attempts;

use crate::database::Kind;
use crate::house::{House, Process, RECOVERY, Scrape, free_address, random_share, until};
use crate::post_office::{Mail, SmtpFeatures, SmtpSink};

/// A process with a relay of its own, so that what it handed over is known from the relay's side.
struct Node {
    process: Process,
    relay: SmtpSink,
    metrics: String,
}
impl Node {
    async fn start(house: &House, command: &str, delay: Duration) -> Self {
        let relay = SmtpSink::open(SmtpFeatures::default()).await;
        relay.behave(|manners| manners.delay = delay);
        let mut settings = house.settings();
        settings.insert("VIGIE__EMAIL__PORT", relay.port().to_string());
        settings.insert("VIGIE_LOG", "info".to_owned());
        let metrics = free_address();
        settings.insert("VIGIE__SERVER__METRICS_LISTEN", metrics.clone());
        Self { process: Process::start(command, &settings), relay, metrics }
    }
    /// It has opened the database, and its couriers are at work.
    async fn is_there(&self) {
        until(Duration::from_secs(30), "a node is there", || {
            let said = self.process.said();
            [r#""message":"serving""#, r#""message":"delivering""#].iter().any(|word| said.contains(word))
        })
        .await;
    }
    /// One of its figures.
    async fn counted(&self, name: &str) -> usize {
        Scrape::of(&self.metrics).await.value(name).unwrap_or_default() as usize
    }
    fn carried(&self) -> usize {
        self.relay.mails().len()
    }
}

fn all_final(house: &House, batch: Uuid) -> bool {
    house.states(batch).keys().all(|(_, state)| state.is_final())
}
fn rows(house: &House, batch: Uuid) -> Vec<DeliveryRow> {
    house.database.read(|tx| deliveries_of(tx, batch, None, 0, 100_000)).unwrap()
}
/// Deliveries by outcome of one of their attempts, and how many such attempts there are.
fn attempts_with(house: &House, outcome: &'static str) -> Vec<(i64, i32)> {
    house
        .database
        .read::<_, vigie::storage::StorageError>(|tx| {
            let those = attempts::table.filter(attempts::outcome.eq(Some(outcome)));
            Ok(those.select((attempts::delivery_id, attempts::number)).load(tx.db())?)
        })
        .unwrap()
}
/// How often each address was reached, whoever carried it; falls over if a repeat could not be recognised.
fn reached(relays: &[&SmtpSink]) -> HashMap<String, usize> {
    let mails: Vec<Mail> = relays.iter().flat_map(|relay| relay.mails()).collect();
    let mut reached = HashMap::new();
    let mut names = BTreeSet::new();
    for mail in &mails {
        *reached.entry(mail.to().to_owned()).or_default() += 1;
        names.insert((mail.to().to_owned(), mail.header("Message-ID").unwrap()));
    }
    assert_eq!(names.len(), reached.len(), "one Message-ID for each address");
    reached
}

/// Accept M4, M5: three share the work; two are shot in the middle; the third brings it to an end, alone and in time.
#[tokio::test(flavor = "multi_thread")]
async fn three_processes_share_the_queue_and_two_may_be_shot() {
    const MAILS: usize = 10_000;
    const SMS: usize = 900;
    let house = House::build(Kind::Postgres).await;
    let slow = Duration::from_millis(20);
    // Slower still, so that the shots meet both channels.
    house.post_office.gateway.takes(Duration::from_secs(1));
    let first = Node::start(&house, "work", slow).await;
    let second = Node::start(&house, "work", slow).await;
    let third = Node::start(&house, "serve", slow).await;
    // Each is there before there is work, or the first to come would do most of it.
    for node in [&first, &second, &third] {
        node.is_there().await;
    }
    let batch = house.posts(MAILS, SMS);
    let shot_at = random_share(MAILS, 25, 50);
    until(Duration::from_secs(60), "all three carry mails", || {
        let carried = [&first, &second, &third].map(Node::carried);
        carried.iter().sum::<usize>() >= shot_at && carried.iter().all(|carried| *carried > 0)
    })
    .await;
    first.process.kill();
    second.process.kill();
    let fell = Instant::now();
    let (left, (open, _)) = (house.states(batch), house.open_and_lost(Channel::Email));
    assert!(left.keys().any(|(_, state)| !state.is_final()), "shot in the middle");
    assert!((1..=3 * LEASED_MAX).contains(&open), "{open} mails were under way");
    until(Duration::from_secs(90), "everything is final", || all_final(&house, batch)).await;
    let took = fell.elapsed();
    third.process.terminate();
    assert_eq!(third.process.ends(Duration::from_secs(30)).await.0, Some(0));

    let accepted = |channel, count: usize| ((channel, State::Accepted), i64::try_from(count).unwrap());
    assert_eq!(
        house.states(batch),
        BTreeMap::from([accepted(Channel::Email, MAILS), accepted(Channel::Sms, SMS)]),
        "somebody was lost"
    );
    let relays = [&first.relay, &second.relay, &third.relay];
    let mails = reached(&relays);
    let sms = house.reached(Channel::Sms);
    let again = |reached: &HashMap<String, usize>| reached.values().map(|times| times - 1).sum::<usize>();
    eprintln!("shares {:?}, shot at {shot_at}, final {took:?} later", relays.map(|relay| relay.mails().len()));
    assert!(took < RECOVERY, "{took:?}");
    for (channel, reached, count) in [(Channel::Email, &mails, MAILS), (Channel::Sms, &sms, SMS)] {
        let (again, (open, lost)) = (again(reached), house.open_and_lost(channel));
        eprintln!("{}: {lost} attempts lost, {again} duplicates", channel.as_str());
        assert_eq!((open, reached.len()), (0, count));
        assert_eq!(house.accepted_attempts(channel), count, "what was accepted was handed over again");
        assert!(again <= lost, "{again} duplicates, only {lost} attempts fell with their process");
        assert!(again <= 2 * House::may_go_out_twice(channel), "more than two processes could forget");
        assert!(reached.values().all(|times| *times <= 3));
    }
    for relay in relays {
        assert_eq!(self::reached(&[relay]).len(), relay.mails().len(), "nobody repeats what is its own");
    }
}

/// Accept M5; F07: a process freezes for longer than a lease and comes back. What others did meanwhile stands; what it
/// still had to say is kept with its attempts and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_frozen_changes_nothing_when_it_comes_back() {
    const MAILS: usize = 600;
    let house = House::build(Kind::Postgres).await;
    let zombie = Node::start(&house, "work", Duration::from_millis(300)).await;
    let batch = house.posts(MAILS, 0);
    until(Duration::from_secs(60), "the first carries mails", || zombie.carried() >= 15).await;
    zombie.process.signal("-STOP");
    let froze = Instant::now();
    let heir = Node::start(&house, "work", Duration::from_millis(5)).await;
    until(Duration::from_secs(90), "the others have brought it to an end", || all_final(&house, batch)).await;
    let took = froze.elapsed();
    assert!(took > LEASE - Duration::from_secs(6) && took < RECOVERY, "{took:?}");
    let before = rows(&house, batch);
    let lost = attempts_with(&house, "lost");
    assert!(!lost.is_empty(), "it held something");
    assert_eq!(heir.counted("vigie_delivery_leases_lost_total").await, lost.len());
    let carried = zombie.carried();

    zombie.process.signal("-CONT");
    // What it holds it still hands over; then it has nothing more to do, and ends when it is told to.
    let late = || {
        let said: BTreeSet<(i64, i32)> =
            ["accepted", "unknown"].iter().flat_map(|outcome| attempts_with(&house, outcome)).collect();
        lost.iter().filter(|attempt| said.contains(attempt)).count()
    };
    until(Duration::from_secs(30), "late answers are kept with their attempts", || late() > 0).await;
    let counted = zombie.counted("vigie_delivery_late_answers_total").await;
    zombie.process.terminate();
    let (status, said) = zombie.process.ends(Duration::from_secs(30)).await;
    assert_eq!(status, Some(0));
    let after = rows(&house, batch);
    let told: Vec<_> = before.iter().map(|row| (row.id, row.state, row.attempts, row.settled_at)).collect();
    let tells: Vec<_> = after.iter().map(|row| (row.id, row.state, row.attempts, row.settled_at)).collect();
    assert_eq!(told, tells, "a late answer changed something");
    assert!(after.iter().all(|row| row.state == State::Accepted));
    // It was told that they change nothing: once for each, and for what it held and had not tried.
    let (late, refused) = (late(), said.matches("a late answer: the lease was lost").count());
    assert!((1..=refused).contains(&counted), "{counted} late answers were counted, {refused} said aloud");
    assert!(late <= refused && refused <= lost.len(), "{late} late answers, {refused} refused, {} held", lost.len());
    // Its answers stand with its own attempts, under those of the heir.
    let attempts: HashMap<i64, i32> = after.iter().map(|row| (row.id, row.attempts)).collect();
    assert!(lost.iter().all(|(delivery, number)| attempts[delivery] > *number));

    let again: usize = reached(&[&zombie.relay, &heir.relay]).values().map(|times| times - 1).sum();
    eprintln!(
        "frozen with {} held, final {took:?} later; {late} late answers, {refused} refused, {} mails after the thaw, {again} twice",
        lost.len(),
        zombie.relay.mails().len() - carried
    );
    assert_eq!(reached(&[&zombie.relay, &heir.relay]).len(), MAILS);
    assert!(again <= lost.len(), "{again} duplicates, only {} attempts were under way", lost.len());
    assert!(again <= House::may_go_out_twice(Channel::Email), "{again} duplicates: more than one process could forget");
}
