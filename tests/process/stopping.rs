//! An orderly stop: what is being handed over is settled, and nothing else is begun.

use std::time::{Duration, Instant};

use vigie::delivery::{Channel, State};

use crate::database::Kind;
use crate::house::{House, random_share, until};
use crate::post_office::SmsManners;

const MAILS: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_leaves_nothing_half_done() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for command in ["serve", "work"] {
            let house = House::build(kind).await;
            house.post_office.smtp.behave(|relay| relay.delay = Duration::from_millis(20));
            let batch = house.posts(MAILS, 0);
            let server = house.starts(command);
            let some = random_share(MAILS, 10, 40);
            until(Duration::from_secs(60), "mails leave", || house.post_office.mails().len() >= some).await;
            server.terminate();
            let told = Instant::now();
            let (status, said) = server.ends(Duration::from_secs(30)).await;
            let took = told.elapsed();
            assert_eq!(status, Some(0), "{said}");
            let states = house.states(batch);
            assert_eq!(states.get(&(Channel::Email, State::Attempting)), None, "{states:?}");
            let left = house.post_office.mails().len();
            assert_eq!(
                states.get(&(Channel::Email, State::Accepted)),
                Some(&i64::try_from(left).unwrap()),
                "{states:?}"
            );
            assert!(left < MAILS, "stopped in the middle");
            assert_eq!(house.open_and_lost(Channel::Email), (0, 0));
            eprintln!("{kind:?} {command}: stopped {took:?} after SIGTERM, at {left} of {MAILS} mails");

            let server = house.starts(command);
            until(Duration::from_secs(60), "the rest leaves", || {
                house.states(batch) == [((Channel::Email, State::Accepted), i64::try_from(MAILS).unwrap())].into()
            })
            .await;
            drop(server);
            let reached = house.reached(Channel::Email);
            assert_eq!((reached.len(), house.post_office.mails().len()), (MAILS, MAILS), "nothing twice");
        }
    }
}

/// A gateway that never answers must not keep the process: its requests end by their own time-out, before our patience.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_never_answers_does_not_hold_up_the_stop() {
    let house = House::build(Kind::Sqlite).await;
    house.post_office.gateway.behave(SmsManners::StaysSilent);
    let batch = house.posts(0, 200);
    let server = house.starts("work");
    until(Duration::from_secs(60), "the gateway is asked", || !house.post_office.gateway.targets().is_empty()).await;
    server.terminate();
    let (status, said) = server.ends(Duration::from_secs(30)).await;
    assert_eq!(status, Some(0), "{said}");
    let states = house.states(batch);
    assert_eq!(states.get(&(Channel::Sms, State::Attempting)), None, "{states:?}");
    assert_eq!(house.open_and_lost(Channel::Sms), (0, 0));
}
