//! What Prometheus reads: the queue as it stands, what was counted, and no person (accept M11, M22).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::{Connection, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use vigie::app;
use vigie::delivery::{Channel, LEASE, Lane, State, depths, metrics};
use vigie::on_either;
use vigie::storage::Db;

use super::desk::{HOUR, claims, mail, post, row, text};
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

/// Accept M11: a code we do not know stays unknown and is counted. The counters are those of the process, which other tests
/// share: they only ever grow.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_reports_and_late_answers_are_counted() {
    on_both(async |town| {
        let accepted = || metrics::attempts_so_far(Channel::Email, "smtp", "accepted");
        let refused = || metrics::attempts_so_far(Channel::Email, "smtp", "refused");
        let before = (accepted(), refused(), metrics::receipts_so_far("unknown"), metrics::late_so_far());
        town.post_office.smtp.behave(|relay| {
            relay.refuses.insert("member2@example.be".into());
        });
        post(town, Channel::Email, Lane::Urgent, "member", 3, HOUR).await;
        let sms = text(town).await;
        town.delivers_everything().await;
        assert!(accepted() >= before.0 + 2 && refused() > before.1);
        assert_eq!(town.post_office.gateway.reports(&asked(town), 64, "F00").await, 200);
        assert_eq!(row(town, sms).await.state, State::Accepted);
        assert!(metrics::receipts_so_far("unknown") > before.2);
        // A courier that comes back after its lease was lost is told, and counted.
        mail(town).await;
        let (_, held) = claims(town, Channel::Email, 1).await;
        town.passes(LEASE);
        let (_, again) = claims(town, Channel::Email, 1).await;
        assert_eq!(held[0].id, again[0].id);
        let late = super::desk::settled_as(&held[0], vigie::delivery::retry::Verdict::Final(State::Accepted, None));
        town.db(move |tx| vigie::delivery::settle(tx, &[late])).await;
        assert!(metrics::late_so_far() > before.3);
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

#[derive(diesel::QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}
#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    detail: String,
}
/// A scrape costs the same however much was ever sent: every sentence of it walks the index of what is due, and no further
/// than its bound.
#[tokio::test(flavor = "multi_thread")]
async fn counting_walks_the_index_of_what_is_due() {
    on_both(async |town| {
        post(town, Channel::Email, Lane::Urgent, "old", 4_900, HOUR).await;
        town.db(|tx| {
            let settle = "UPDATE deliveries SET state = 'accepted', due_at = NULL";
            Ok(on_either!(tx, |c| c.batch_execute(settle))?)
        })
        .await;
        post(town, Channel::Email, Lane::Urgent, "new", 100, HOUR).await;
        let plans: Vec<String> = town
            .db(|tx| {
                let heard = Arc::new(Mutex::new(Vec::new()));
                let ear = Arc::clone(&heard);
                on_either!(tx, |c| c.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                    if let InstrumentationEvent::StartQuery { query, .. } = event {
                        ear.lock().unwrap().push(query.to_string());
                    }
                }));
                depths(tx)?;
                let heard = heard.lock().unwrap().clone();
                on_either!(tx, |c| c.batch_execute("ANALYZE"))?;
                let mut plans = Vec::new();
                for sentence in heard.iter().filter(|sentence| sentence.contains("due_at IS NOT NULL")) {
                    let sentence = sentence.split("-- binds").next().unwrap();
                    let plan: Vec<String> = match tx.db() {
                        Db::Sqlite(c) => {
                            let steps: Vec<Step> =
                                diesel::sql_query(format!("EXPLAIN QUERY PLAN {sentence}")).load(c)?;
                            steps.into_iter().map(|step| step.detail).collect()
                        }
                        Db::Postgres(c) => {
                            let filled = sentence.replace("$1", "'email'").replace("$2", "1").replace("$3", "1");
                            let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN {filled}")).load(c)?;
                            lines.into_iter().map(|line| line.detail).collect()
                        }
                    };
                    plans.push(plan.join("\n"));
                }
                Ok(plans)
            })
            .await;
        assert_eq!(plans.len(), 24, "three sentences for each of eight lanes");
        for plan in plans {
            assert!(plan.contains("deliveries_due"), "{plan}");
            assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN deliveries"), "{plan}");
            assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    })
    .await;
}
