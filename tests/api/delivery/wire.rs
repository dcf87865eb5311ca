//! What a kept connection to the relay costs: no waits for acknowledgements, in clear and under TLS, and none for a refusal.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vigie::config::{Config, Tls};
use vigie::delivery::{Channel, Lane, State};

use super::desk::{HOUR, post, states};
use crate::support::Town;
use crate::support::database::Kind;
use crate::support::post_office::{SmtpFeatures, SmtpSink, root_certificate_pem};

const MAILS: usize = 200;

/// A relay of these features, and the settings for one connection to it.
async fn one_connection(tls: Tls) -> (SmtpSink, tempfile::TempDir, impl Fn(&mut Config)) {
    let (starttls, implicit_tls) = (tls == Tls::Starttls, tls == Tls::Implicit);
    let sink = SmtpSink::open(SmtpFeatures { starttls, implicit_tls, ..SmtpFeatures::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("root.pem");
    std::fs::write(&certificate, root_certificate_pem()).unwrap();
    let port = sink.port();
    (sink, folder, move |config: &mut Config| {
        (config.email.port, config.email.connections, config.email.tls) = (port, 1, tls);
        if tls != Tls::None {
            "localhost".clone_into(&mut config.email.host);
            config.email.root_certificate = certificate.display().to_string();
        }
    })
}

/// What 200 mails over one connection may take. With Nagle's algorithm on and the end of a mail in a write of its own, each
/// waits 44 ms for the other side's delayed acknowledgement: 8.8 s in all. Well under a second is what a release build takes;
/// a debug build on a machine with other work takes about one.
const AT_MOST: Duration = Duration::from_secs(3);
/// A machine that is busy with something else is slow once or twice; the wait for an acknowledgement comes every time.
const TRIES: usize = 5;

/// Hands the mails over, every second refused if they are to be, each time over a new connection, until that takes no longer
/// than it should.
async fn leave_swiftly(tls: Tls, refuses: bool) {
    let (refused, mut took) = (if refuses { MAILS / 2 } else { 0 }, Vec::new());
    for _ in 0..TRIES {
        let (sink, _folder, settings) = one_connection(tls).await;
        if refuses {
            sink.behave(|relay| {
                relay.refuses = (1..=MAILS).step_by(2).map(|number| format!("member{number}@example.be")).collect();
            });
        }
        let town = Town::start_with(Kind::Sqlite, settings).await;
        let batch = post(&town, Channel::Email, Lane::Urgent, "member", MAILS, HOUR).await;
        let started = Instant::now();
        town.delivers_everything().await;
        took.push(started.elapsed());
        let mut expected = BTreeMap::from([(State::Accepted, i64::try_from(MAILS - refused).unwrap())]);
        if refuses {
            expected.insert(State::Failed, i64::try_from(refused).unwrap());
        }
        assert_eq!(states(&town, batch).await, expected, "{tls:?}");
        assert_eq!(
            (sink.mails().len(), sink.connections(), sink.commands("RSET")),
            (MAILS - refused, 1, refused),
            "{tls:?}"
        );
        town.close().await;
        if took.last().is_some_and(|took| *took < AT_MOST) {
            eprintln!("{tls:?}: {took:?}");
            return;
        }
    }
    panic!("{tls:?}: each of {TRIES} times slower than {AT_MOST:?}: {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_mails_over_one_connection_wait_for_no_acknowledgement() {
    for tls in [Tls::None, Tls::Starttls, Tls::Implicit] {
        leave_swiftly(tls, false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_recipient_costs_a_reset_and_no_connection() {
    for tls in [Tls::None, Tls::Starttls] {
        leave_swiftly(tls, true).await;
    }
}
