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

/// What a mail over a kept connection takes when nothing else is in its way: 200 of them well under a second.
const A_MAIL: Duration = Duration::from_millis(4);
/// With Nagle's algorithm on and the end of a mail in a write of its own, each mail waits 44 ms for the other side's delayed
/// acknowledgement: 8.8 s in all.
const A_WAIT: Duration = Duration::from_millis(30);

/// Hands the mails over, every second refused if they are to be. A machine that is busy with something else is slow now and
/// then, the wait for an acknowledgement comes with every mail: so the swiftest tenth of the pauses between two mails says
/// what a mail costs, and three in four must be too short to hold such a wait.
async fn leave_swiftly(tls: Tls, refuses: bool) {
    let refused = if refuses { MAILS / 2 } else { 0 };
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
    let took = started.elapsed();
    let mut expected = BTreeMap::from([(State::Accepted, i64::try_from(MAILS - refused).unwrap())]);
    if refuses {
        expected.insert(State::Failed, i64::try_from(refused).unwrap());
    }
    assert_eq!(states(&town, batch).await, expected, "{tls:?}");
    let seen = (sink.mails().len(), sink.connections(), sink.commands("RSET"));
    assert_eq!(seen, (MAILS - refused, 1, refused), "{tls:?}");
    town.close().await;
    let mut pauses = sink.pauses();
    pauses.sort_unstable();
    let (swift, slow) = (pauses[pauses.len() / 10], pauses[pauses.len() * 3 / 4]);
    let told = format!("{tls:?}: {took:?} in all; one mail in ten within {swift:?}, three in four within {slow:?}");
    eprintln!("{told}");
    assert!(swift < A_MAIL && slow < A_WAIT, "{told}");
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
