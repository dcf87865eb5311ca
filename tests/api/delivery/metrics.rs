//! What Prometheus reads: the queue as it stands, and no person (accept M22). What a process counts is looked at where a
//! process is alone (`tests/process/counting.rs`).

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use vigie::app;
use vigie::delivery::{Channel, LEASE, Lane};
use vigie::on_either;
use vigie::storage::Db;

use super::desk::{HOUR, claims, post};
use super::reports::asked;
use crate::support::{Town, on_both};

/// Every sample of a scrape: name, labels, value.
type Sample = (String, BTreeMap<String, String>, f64);
fn samples(text: &str) -> Vec<Sample> {
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = name.split_once('{').map_or((name, ""), |(name, rest)| (name, rest.trim_end_matches('}')));
        let labels = labels.split("\",").filter(|pair| !pair.is_empty()).map(|pair| {
            let (label, value) = pair.split_once("=\"").unwrap();
            (label.to_owned(), value.trim_end_matches('"').to_owned())
        });
        (name.to_owned(), labels.collect(), value.parse().unwrap())
    };
    text.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}
#[track_caller]
fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let fits =
        |of: &BTreeMap<String, String>| labels.iter().all(|(label, value)| of.get(*label).is_some_and(|v| v == value));
    let found: Vec<f64> = samples.iter().filter(|(n, of, _)| n == name && fits(of)).map(|(.., value)| *value).collect();
    assert_eq!(found.len(), 1, "{name} {labels:?}");
    found[0]
}
async fn scraped(town: &Town) -> Vec<Sample> {
    samples(&app::scrape(&town.database).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_depth_of_each_lane_is_what_stands_in_the_queue() {
    on_both(async |town| {
        post(town, Channel::Email, Lane::Urgent, "member", 7, HOUR).await;
        post(town, Channel::Sms, Lane::NonUrgent, "member", 3, HOUR).await;
        town.passes(Duration::from_secs(30));
        post(town, Channel::Email, Lane::Correction, "member", 1, HOUR).await;
        let (_, held) = claims(town, Channel::Email, 3).await;
        assert_eq!(held.len(), 3, "the correction and two urgent ones");
        let found = scraped(town).await;
        let depth = |name: &str, channel, lane| value(&found, name, &[("channel", channel), ("lane", lane)]) as i64;
        assert_eq!(depth("vigie_queue_waiting", "email", "urgent"), 5);
        assert_eq!(depth("vigie_queue_attempting", "email", "urgent"), 2);
        assert_eq!(depth("vigie_queue_oldest_due_seconds", "email", "urgent"), 30);
        assert_eq!(depth("vigie_queue_attempting", "email", "correction"), 1);
        assert_eq!(depth("vigie_queue_waiting", "email", "correction"), 0);
        assert_eq!(depth("vigie_queue_oldest_due_seconds", "email", "correction"), 0);
        assert_eq!(depth("vigie_queue_waiting", "sms", "non_urgent"), 3);
        assert_eq!(depth("vigie_queue_waiting", "sms", "letter"), 0);
        assert_eq!(value(&found, "vigie_database_up", &[]), 1.0);
        assert!(value(&found, "process_resident_memory_bytes", &[]) > 1e6);
        // A lease that ran out is not held by anybody any more.
        town.passes(LEASE);
        let found = scraped(town).await;
        let depth = |name: &str, lane| value(&found, name, &[("channel", "email"), ("lane", lane)]) as i64;
        assert_eq!((depth("vigie_queue_attempting", "urgent"), depth("vigie_queue_waiting", "urgent")), (0, 7));
    })
    .await;
}

/// Nobody counts without end, and nobody takes a bound for a figure.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_counted_to_the_end_is_said_to_be_more() {
    on_both(async |town| {
        post(town, Channel::Email, Lane::NonUrgent, "member", 1, HOUR).await;
        let found = scraped(town).await;
        let lane = [("channel", "email"), ("lane", "non_urgent")];
        assert_eq!(value(&found, "vigie_queue_is_longer", &lane), 0.0);
        town.db(|tx| {
            let columns = "channel, lane, content_id, address, state, due_at, deadline, attempts, created_at";
            let many = match tx.db() {
                Db::Sqlite(_) => format!(
                    "INSERT INTO deliveries (batch_id, person_id, {columns}) WITH RECURSIVE n(i) AS \
                     (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT batch_id, \
                     printf('00000000-0000-4000-8000-%012d', i), {columns} FROM deliveries, n"
                ),
                Db::Postgres(_) => format!(
                    "INSERT INTO deliveries (batch_id, person_id, {columns}) \
                     SELECT batch_id, gen_random_uuid(), {columns} FROM deliveries, generate_series(1, 100000)"
                ),
            };
            Ok(on_either!(tx, |c| c.batch_execute(&many))?)
        })
        .await;
        let lease = vigie::values::Id::<vigie::values::of::Lease>::new().uuid();
        let held = town.db(move |tx| super::desk::takes(tx, lease, Channel::Email, 1, "other")).await;
        assert_eq!(held.len(), 1);
        let found = scraped(town).await;
        assert_eq!(value(&found, "vigie_queue_is_longer", &lane), 1.0);
        assert_eq!(value(&found, "vigie_queue_is_longer", &[("channel", "sms"), ("lane", "urgent")]), 0.0);
        let told = app::queue::told(&town.database).unwrap();
        let line = told.lines().find(|line| line.contains("non_urgent") && line.contains("email")).unwrap();
        assert!(line.split_whitespace().nth(2).unwrap().ends_with('+'), "{line}");
    })
    .await;
}

/// No label holds anything that a client, a member or a provider wrote: each is one of a fixed set (security 3.2).
#[tokio::test(flavor = "multi_thread")]
async fn every_label_is_a_word_of_ours() {
    on_both(async |town| {
        let hood = town.neighbourhood(4).await;
        let message = crate::messages::sent(town, &hood, crate::messages::burglary()).await;
        hood.officer.gets(town, &format!("/api/v1/messages/{message}/recipients")).await.expect(200);
        town.open_get("/api/v1/verify/ABCDEFGH").await.expect(200);
        town.open_get("/api/v1/nothing/Camille.Dubois@lion.example").await.expect(404);
        town.send("BREW", "/api/v1/verify/ABCDEFGH", None, None, &[]).await;
        assert_eq!(town.post_office.gateway.reports(&asked(town), 99, "F00").await, 200);
        let routes: Vec<String> = app::contract().unwrap().table.iter().map(|route| route.path.to_owned()).collect();
        let fixed = |label: &str| -> Vec<&str> {
            match label {
                "channel" => vec!["email", "sms"],
                "lane" => vec!["correction", "urgent", "letter", "non_urgent"],
                "outcome" => vec!["accepted", "deferred", "refused", "unknown", "not_tried", "fell_over"],
                "level" => vec!["at_operator", "at_handset", "failed", "unknown", "none"],
                "kind" => {
                    vec!["urgent_without_handover", "urgent_stuck", "provider_down", "queue_unreadable", "clock_wrong"]
                }
                "method" => vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"],
                "state" => vec!["idle", "used"],
                "database" => vec!["sqlite", "postgres"],
                "version" => vec![env!("CARGO_PKG_VERSION")],
                // Names of the settings; `watch-…` are those of the tests of alarms.
                "provider" => {
                    vec!["smtp", "smtp-second", "kannel", "kannel-second", "file", "other", "watch-a", "watch-b"]
                }
                "route" => routes.iter().map(String::as_str).chain(["none", "/openapi.json", "/docs/{_:.*}"]).collect(),
                other => panic!("a label that nobody reviewed: {other}"),
            }
        };
        let found = scraped(town).await;
        assert!(found.len() > 100, "{}", found.len());
        for (name, labels, _) in &found {
            for (label, value) in labels {
                let good = match label.as_str() {
                    "status" => value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_digit()),
                    "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
                    label => fixed(label).contains(&value.as_str()),
                };
                assert!(good, "{name} {label}={value}");
            }
        }
        let pattern = [("route", "/api/v1/verify/{code}"), ("method", "GET"), ("status", "200")];
        assert!(value(&found, "vigie_http_requests_total", &pattern) >= 1.0);
        assert!(
            value(&found, "vigie_http_requests_total", &[("route", "none"), ("method", "GET"), ("status", "404")])
                >= 1.0
        );
    })
    .await;
}

/// A database that is away is itself measured, and the process goes on telling.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_is_told_as_such() {
    on_both(async |town| {
        let sql = |text: &'static str| town.db(move |tx| Ok(on_either!(tx, |c| c.batch_execute(text))?));
        sql("ALTER TABLE deliveries RENAME TO deliveries_away").await;
        let found = scraped(town).await;
        assert_eq!(value(&found, "vigie_database_up", &[]), 0.0);
        assert!(!found.iter().any(|(name, ..)| name == "vigie_queue_waiting"), "no figure is better than a wrong one");
        assert!(value(&found, "process_resident_memory_bytes", &[]) > 1e6);
        sql("ALTER TABLE deliveries_away RENAME TO deliveries").await;
        assert_eq!(value(&scraped(town).await, "vigie_database_up", &[]), 1.0);
    })
    .await;
}

/// Off unless asked for; then on a listener of its own, where nothing else is served, and not on that of the API.
#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_have_a_listener_of_their_own() {
    on_both(async |town| {
        assert!(app::serve_metrics("", &town.database).unwrap().is_none());
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listen = free.to_string();
        let handle = app::serve_metrics(&listen, &town.database).unwrap().unwrap();
        let get = async |path: &str| reqwest::get(format!("http://{listen}{path}")).await.unwrap();
        let answer = get("/metrics").await;
        assert_eq!(answer.status(), 200);
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
        assert!(answer.text().await.unwrap().contains("vigie_queue_waiting{"));
        assert_eq!(get("/api/v1/verify/ABCDEFGH").await.status(), 404);
        handle.stop(false).await;
        town.open_get("/metrics").await.expect(404);
    })
    .await;
}
