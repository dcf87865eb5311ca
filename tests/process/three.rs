//! Three processes on one PostgreSQL: they share the queue, and those who fall or freeze cost nobody a message.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use uuid::Uuid;
use vigie::delivery::courier::LEASED_MAX;
use vigie::delivery::{Channel, DeliveryRow, LEASE, State, deliveries_of};
use vigie::storage::schema::attempts;

use crate::database::Kind;
use crate::house::{House, Process, random_share, until};
use crate::post_office::{Mail, SmtpFeatures, SmtpSink};

/// What M5 grants: from the fall of a node to the end of everything it held.
const RECOVERY: Duration = Duration::from_secs(30);

/// A process with a relay of its own, so that what it handed over is known from the relay's side.
struct Node {
    process: Process,
    relay: SmtpSink,
}
impl Node {
    async fn start(house: &House, command: &str, delay: Duration) -> Self {
        let relay = SmtpSink::open(SmtpFeatures::default()).await;
        relay.behave(|manners| manners.delay = delay);
        let mut settings = house.settings();
        settings.insert("VIGIE__EMAIL__PORT", relay.port().to_string());
        Self { process: Process::start(command, &settings), relay }
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
    const MAILS: usize = 3_000;
    let house = House::build(Kind::Postgres).await;
    let slow = Duration::from_millis(20);
    let first = Node::start(&house, "work", slow).await;
    let second = Node::start(&house, "work", slow).await;
    let third = Node::start(&house, "serve", slow).await;
    // Each is there before there is work, or the first to come would do most of it.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let batch = house.posts(MAILS, 300);
    let shot_at = random_share(MAILS, 25, 50);
    until(Duration::from_secs(60), "all three carry mails", || {
        let carried = [&first, &second, &third].map(Node::carried);
        carried.iter().sum::<usize>() >= shot_at && carried.iter().all(|carried| *carried > 0)
    })
    .await;
    first.process.kill();
    second.process.kill();
    let fell = Instant::now();
    let (left, (open, _)) = (house.states(batch), house.open_and_lost());
    assert!(left.keys().any(|(_, state)| !state.is_final()), "shot in the middle");
    assert!(open <= i64::try_from(3 * 2 * LEASED_MAX).unwrap(), "{open} were under way");
    until(Duration::from_secs(90), "everything is final", || all_final(&house, batch)).await;
    let took = fell.elapsed();
    third.process.terminate();
    assert_eq!(third.process.ends(Duration::from_secs(30)).await.0, Some(0));

    let accepted = |channel, count: usize| ((channel, State::Accepted), i64::try_from(count).unwrap());
    assert_eq!(
        house.states(batch),
        BTreeMap::from([accepted(Channel::Email, MAILS), accepted(Channel::Sms, 300)]),
        "somebody was lost"
    );
    let (open, lost) = house.open_and_lost();
    let shares = [&first.relay, &second.relay, &third.relay].map(|relay| relay.mails().len());
    let mails = reached(&[&first.relay, &second.relay, &third.relay]);
    let sms = house.reached(Channel::Sms);
    let again = |reached: &HashMap<String, usize>| reached.values().map(|times| times - 1).sum::<usize>();
    eprintln!(
        "shares {shares:?}, shot at {shot_at}, final {took:?} later, {lost} attempts lost, {} mails and {} SMS twice",
        again(&mails),
        again(&sms)
    );
    assert_eq!((open, mails.len(), sms.len()), (0, MAILS, 300));
    assert!(took < RECOVERY, "{took:?}");
    for reached in [&mails, &sms] {
        assert!(again(reached) <= 2 * LEASED_MAX, "more than two processes could hold");
        assert!(reached.values().all(|times| *times <= 3));
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
    let carried = zombie.carried();

    zombie.process.signal("-CONT");
    // What it holds it still hands over; then it has nothing more to do, and ends when it is told to.
    until(Duration::from_secs(30), "it said what it had to say", || attempts_with(&house, "lost").len() < lost.len())
        .await;
    zombie.process.terminate();
    assert_eq!(zombie.process.ends(Duration::from_secs(30)).await.0, Some(0));
    let after = rows(&house, batch);
    let told: Vec<_> = before.iter().map(|row| (row.id, row.state, row.attempts, row.settled_at)).collect();
    let tells: Vec<_> = after.iter().map(|row| (row.id, row.state, row.attempts, row.settled_at)).collect();
    assert_eq!(told, tells, "a late answer changed something");
    assert!(after.iter().all(|row| row.state == State::Accepted));
    // Its answers stand with its own attempts, under those of the heir.
    let attempts: HashMap<i64, i32> = after.iter().map(|row| (row.id, row.attempts)).collect();
    let accepted: BTreeSet<(i64, i32)> = attempts_with(&house, "accepted").into_iter().collect();
    let late = lost.iter().filter(|attempt| accepted.contains(attempt)).count();
    assert!(lost.iter().all(|(delivery, number)| attempts[delivery] > *number));

    let again: usize = reached(&[&zombie.relay, &heir.relay]).values().map(|times| times - 1).sum();
    eprintln!(
        "frozen with {} held, final {took:?} later; {late} late answers, {} mails after the thaw, {again} twice",
        lost.len(),
        zombie.relay.mails().len() - carried
    );
    assert_eq!(reached(&[&zombie.relay, &heir.relay]).len(), MAILS);
    assert!(again <= LEASED_MAX, "{again} duplicates: more than one process could hold");
}
