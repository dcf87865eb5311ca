//! The promise of the queue, asked of a process that is shot in the middle: at least once, never silently lost.

use std::time::Duration;

use vigie::delivery::courier::LEASED_MAX;
use vigie::delivery::tray::UNSETTLED_MAX;
use vigie::delivery::{Channel, State};

use crate::database::Kind;
use crate::house::{House, random_share, until};

const MAILS: usize = 2_000;
const SMS: usize = 300;
/// What workers hold beside what they have answered: two each, for fifty at most.
const HANDS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_sqlite_that_is_shot_loses_nobody() {
    shot_in_the_middle(Kind::Sqlite).await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_postgres_that_is_shot_loses_nobody() {
    shot_in_the_middle(Kind::Postgres).await;
}

/// Accept M4, M5: shot twice, as the second start may be the one that goes wrong.
async fn shot_in_the_middle(kind: Kind) {
    let house = House::build(kind).await;
    house.post_office.smtp.behave(|relay| relay.delay = Duration::from_millis(5));
    house.post_office.gateway.takes(Duration::from_millis(50));
    let batch = house.posts(MAILS, SMS);

    let server = house.starts("serve");
    let first = random_share(MAILS, 30, 50);
    until(Duration::from_secs(60), "mails leave", || house.post_office.mails().len() >= first).await;
    server.kill();
    let (left, (open, _)) = (house.post_office.mails().len(), house.open_and_lost());
    assert!(left < MAILS, "shot in the middle");
    assert!(open <= i64::try_from(2 * LEASED_MAX).unwrap(), "{open} were under way");

    // Another node takes over where this one fell; it is shot too, while leases of both are open.
    let node = house.starts("work");
    let second = left + random_share(MAILS - left, 20, 60);
    until(Duration::from_secs(60), "mails leave again", || house.post_office.mails().len() >= second).await;
    node.kill();

    let server = house.starts("serve");
    let took = until(Duration::from_secs(90), "everything is final", || {
        house.states(batch).keys().all(|(_, state)| state.is_final())
    })
    .await;
    server.terminate();
    assert_eq!(server.ends(Duration::from_secs(30)).await.0, Some(0));

    let accepted = |channel, count: usize| ((channel, State::Accepted), i64::try_from(count).unwrap());
    assert_eq!(house.states(batch), [accepted(Channel::Email, MAILS), accepted(Channel::Sms, SMS)].into());
    let (open, lost) = house.open_and_lost();
    assert_eq!(open, 0, "every attempt has an end");
    for (channel, count) in [(Channel::Email, MAILS), (Channel::Sms, SMS)] {
        let reached = house.reached(channel);
        assert_eq!(reached.len(), count, "somebody got nothing");
        let again: usize = reached.values().map(|times| times - 1).sum();
        let most = reached.values().max().copied().unwrap_or_default();
        eprintln!(
            "{kind:?} {}: shot at {first} and {second} of {MAILS} mails, final {took:?} after the last start, {lost} attempts lost, {again} duplicates",
            channel.as_str()
        );
        assert!(again <= 2 * (UNSETTLED_MAX + HANDS), "{again} duplicates after two shots");
        assert!(most <= 3);
    }
    // A duplicate can be recognised: one Message-ID for each address.
    let mails = house.post_office.mails();
    let mut names: Vec<_> = mails.iter().map(|mail| (mail.to().to_owned(), mail.header("Message-ID"))).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), MAILS);
}
