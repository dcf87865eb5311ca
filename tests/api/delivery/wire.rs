//! What a kept connection to the relay costs: no waits for acknowledgements, in clear and under TLS, and none for a refusal.

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

/// With Nagle's algorithm on and the end of a mail in a write of its own, each mail waits 44 ms for the other side's delayed
/// acknowledgement: 8.8 s in all, where some tenths are right. No noise blurs that.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_mails_over_one_connection_wait_for_no_acknowledgement() {
    for tls in [Tls::None, Tls::Starttls, Tls::Implicit] {
        let (sink, _folder, settings) = one_connection(tls).await;
        let town = Town::start_with(Kind::Sqlite, settings).await;
        let batch = post(&town, Channel::Email, Lane::Urgent, "member", MAILS, HOUR).await;
        let started = Instant::now();
        town.delivers_everything().await;
        let took = started.elapsed();
        assert_eq!(states(&town, batch).await, [(State::Accepted, 200)].into(), "{tls:?}");
        assert_eq!((sink.mails().len(), sink.connections()), (MAILS, 1), "{tls:?}");
        eprintln!("{tls:?}: {took:?}");
        assert!(took < Duration::from_secs(3), "{tls:?}: {took:?}");
        town.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_recipient_costs_a_reset_and_no_connection() {
    for tls in [Tls::None, Tls::Starttls] {
        let (sink, _folder, settings) = one_connection(tls).await;
        sink.behave(|relay| {
            relay.refuses = (1..=MAILS).step_by(4).map(|number| format!("member{number}@example.be")).collect();
        });
        let town = Town::start_with(Kind::Sqlite, settings).await;
        let batch = post(&town, Channel::Email, Lane::Urgent, "member", MAILS, HOUR).await;
        let started = Instant::now();
        town.delivers_everything().await;
        let took = started.elapsed();
        assert_eq!(states(&town, batch).await, [(State::Accepted, 150), (State::Failed, 50)].into(), "{tls:?}");
        assert_eq!((sink.mails().len(), sink.connections(), sink.commands("RSET")), (150, 1, 50), "{tls:?}");
        assert!(took < Duration::from_secs(3), "{tls:?}: {took:?}");
        town.close().await;
    }
}
