//! The promise of the queue, asked of a process that is shot in the middle: at least once, never silently lost.

use std::time::Duration;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use uuid::Uuid;
use vigie::delivery::courier::LEASED_MAX;
use vigie::delivery::{Channel, State};

use crate::database::Kind;
use crate::house::{House, RECOVERY, random_share, until};

const MAILS: usize = 3_000;
const SMS: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_sqlite_that_is_shot_loses_nobody() {
    shot_in_the_middle(Kind::Sqlite).await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_postgres_that_is_shot_loses_nobody() {
    shot_in_the_middle(Kind::Postgres).await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_sqlite_that_cannot_write_hands_over_no_more_than_it_may_forget() {
    shot_with_all_it_may_forget(Kind::Sqlite).await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_postgres_that_cannot_write_hands_over_no_more_than_it_may_forget() {
    shot_with_all_it_may_forget(Kind::Postgres).await;
}

/// Accept M4, M5: shot twice, as the second start may be the one that goes wrong.
async fn shot_in_the_middle(kind: Kind) {
    let house = House::build(kind).await;
    house.post_office.smtp.behave(|relay| relay.delay = Duration::from_millis(10));
    // As slow as the mails, so that the shots meet both.
    house.post_office.gateway.takes(Duration::from_millis(500));
    let batch = house.posts(MAILS, SMS);

    let server = house.starts("serve");
    let first = random_share(MAILS, 15, 40);
    until(Duration::from_secs(60), "mails leave", || house.post_office.mails().len() >= first).await;
    server.kill();
    let left = house.post_office.mails().len();
    assert!(left < MAILS, "shot in the middle");
    for channel in [Channel::Email, Channel::Sms] {
        let (open, _) = house.open_and_lost(channel);
        assert!((1..=LEASED_MAX).contains(&open), "{channel:?}: {open} were under way");
        let unsettled = house.unsettled(channel, batch);
        assert!(unsettled <= House::may_go_out_twice(channel), "{channel:?}: {unsettled} were not settled");
    }

    // Another node takes over where this one fell; it is shot too, while leases of both are open.
    let node = house.starts("work");
    let second = left + random_share(MAILS - left, 20, 60);
    until(Duration::from_secs(60), "mails leave again", || house.post_office.mails().len() >= second).await;
    node.kill();

    let took = brought_to_an_end(&house, batch).await;
    let accepted = |channel, count: usize| ((channel, State::Accepted), i64::try_from(count).unwrap());
    assert_eq!(house.states(batch), [accepted(Channel::Email, MAILS), accepted(Channel::Sms, SMS)].into());
    for (channel, count) in [(Channel::Email, MAILS), (Channel::Sms, SMS)] {
        let reached = house.reached(channel);
        assert_eq!(reached.len(), count, "somebody got nothing");
        let again: usize = reached.values().map(|times| times - 1).sum();
        let most = reached.values().max().copied().unwrap_or_default();
        let (open, lost) = house.open_and_lost(channel);
        eprintln!(
            "{kind:?} {}: shot at {first} and {second} of {MAILS} mails, final {took:?} after the last start, {lost} attempts lost, {again} duplicates",
            channel.as_str()
        );
        assert_eq!(open, 0, "every attempt has an end");
        assert_eq!(house.accepted_attempts(channel), count, "what was accepted was handed over again");
        assert!(again <= lost, "{again} duplicates, only {lost} attempts fell with their process");
        assert!(again <= 2 * House::may_go_out_twice(channel), "{again} duplicates after two shots");
        assert!(most <= 3, "once more than there were shots");
    }
    told_apart(&house);
}

/// The bound on duplicates, where it bites: nothing can be written down, so a process goes on handing over until it holds as
/// many answers as it may lose; then it is shot.
async fn shot_with_all_it_may_forget(kind: Kind) {
    let house = House::build(kind).await;
    let batch = house.posts(MAILS, 0);
    let server = house.starts("work");
    // A relay that answers at once: by now as much lies ready as ever does.
    until(Duration::from_secs(60), "mails leave", || house.post_office.mails().len() >= MAILS / 3).await;
    let release = nobody_can_write(&house);
    let mut left = 0;
    until(Duration::from_secs(12), "nothing more leaves", || {
        std::thread::sleep(Duration::from_secs(1));
        left == std::mem::replace(&mut left, house.post_office.mails().len())
    })
    .await;
    let unsettled = house.unsettled(Channel::Email, batch);
    server.kill();
    release();
    assert!(left < MAILS, "it would have gone on");
    assert!(
        (1..=House::may_go_out_twice(Channel::Email)).contains(&unsettled),
        "{unsettled} were handed over and are not in the books"
    );
    let took = brought_to_an_end(&house, batch).await;
    let reached = house.reached(Channel::Email);
    let again = house.post_office.mails().len() - reached.len();
    eprintln!("{kind:?}: {left} had left, {unsettled} of them unsettled; {again} duplicates, final {took:?} later");
    assert_eq!(reached.len(), MAILS, "somebody got nothing");
    assert!(again <= unsettled, "{again} duplicates for {unsettled} answers that fell with their process");
    told_apart(&house);
}
/// Takes the right to write from everybody until the answer is called.
fn nobody_can_write(house: &House) -> impl FnOnce() {
    let url = house.settings()["VIGIE__DATABASE__URL"].clone();
    let mut held: Box<dyn FnMut(&str) + Send> = match house.kind {
        Kind::Sqlite => {
            let mut c = diesel::SqliteConnection::establish(&url["sqlite:".len()..]).unwrap();
            c.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
            Box::new(move |sentence| c.batch_execute(sentence).unwrap())
        }
        Kind::Postgres => {
            let mut c = diesel::PgConnection::establish(&url).unwrap();
            c.batch_execute("BEGIN; LOCK TABLE attempts IN EXCLUSIVE MODE").unwrap();
            Box::new(move |sentence| c.batch_execute(sentence).unwrap())
        }
    };
    move || held("ROLLBACK")
}

/// A last server, which is not shot, brings all to an end in the time that M5 grants: how long it took.
async fn brought_to_an_end(house: &House, batch: Uuid) -> Duration {
    let server = house.starts("serve");
    let took = until(Duration::from_secs(90), "everything is final", || {
        house.states(batch).keys().all(|(_, state)| state.is_final())
    })
    .await;
    assert!(took < RECOVERY, "final only {took:?} after the last start");
    server.terminate();
    assert_eq!(server.ends(Duration::from_secs(30)).await.0, Some(0));
    took
}
/// A duplicate can be recognised: one Message-ID for each address.
fn told_apart(house: &House) {
    let mails = house.post_office.mails();
    let mut names: Vec<_> = mails.iter().map(|mail| (mail.to().to_owned(), mail.header("Message-ID"))).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), MAILS);
}
