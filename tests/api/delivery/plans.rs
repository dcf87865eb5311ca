//! The queue is read by an index that holds only what waits, however much was ever sent.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use vigie::delivery::retry::Verdict;
use vigie::delivery::{
    Body, Channel, Fate, Lane, NOT_CHOSEN, NewDelivery, Settlement, State, batches_with_reserves, cancel, depths,
    enqueue, expire_pressing, forget_settled, lock_in_order, progress, put_content, renew, reserves_of, settle,
};
use vigie::on_either;
use vigie::storage::{Db, StorageError, Tx};
use vigie::values::{Id, Language, of};

use super::desk::{HOUR, post, settled_as, takes};
use crate::support::{Town, on_both};

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

/// 5,000 rows: most of them settled long ago, as in life, and of many messages.
async fn much_was_sent(town: &Town) {
    for _ in 0..49 {
        post(town, Channel::Email, Lane::NonUrgent, "old", 100, HOUR).await;
    }
    town.db(|tx| {
        let settle = "UPDATE deliveries SET state = 'accepted', due_at = NULL, settled_at = created_at, attempts = 1,
                address = NULL;
            INSERT INTO attempts (delivery_id, number, lease, provider, started_at)
            SELECT id, 1, '00000000-0000-0000-0000-000000000000', 'x', created_at FROM deliveries";
        Ok(on_either!(tx, |c| c.batch_execute(settle))?)
    })
    .await;
    post(town, Channel::Email, Lane::Urgent, "new", 100, HOUR).await;
    town.db(|tx| Ok(on_either!(tx, |c| c.batch_execute("ANALYZE"))?)).await;
}
/// The very sentences that some work says and that contain this, overheard and explained: with a generic plan on
/// PostgreSQL, as diesel prepares its statements once.
pub(crate) fn plans(
    tx: &mut Tx<'_>,
    that_contain: &str,
    work: impl FnOnce(&mut Tx<'_>) -> Result<(), StorageError>,
) -> Result<Vec<String>, StorageError> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    on_either!(tx, |c| c.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            ear.lock().unwrap().push(query.to_string());
        }
    }));
    work(tx)?;
    let heard = heard.lock().unwrap().clone();
    let mut plans = Vec::new();
    for sentence in heard.iter().filter(|sentence| sentence.contains(that_contain)) {
        let sentence = sentence.split("-- binds").next().unwrap();
        let plan: Vec<String> = match tx.db() {
            Db::Sqlite(c) => {
                let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sentence}")).load(c)?;
                steps.into_iter().map(|step| step.detail).collect()
            }
            Db::Postgres(c) => {
                // A generic plan does not look at what is filled in.
                let filled_in = (1..).take_while(|number| sentence.contains(&format!("${number}")));
                let blanks = filled_in.map(|_| "NULL").collect::<Vec<_>>().join(", ");
                let blanks = if blanks.is_empty() { blanks } else { format!("({blanks})") };
                c.batch_execute(&format!("SET LOCAL plan_cache_mode = force_generic_plan; PREPARE it AS {sentence}"))?;
                let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN EXECUTE it{blanks}")).load(c)?;
                c.batch_execute("DEALLOCATE it")?;
                lines.into_iter().map(|line| line.detail).collect()
            }
        };
        plans.push(format!("{sentence}\n{}", plan.join("\n")));
    }
    Ok(plans)
}
/// It reads what is due, in its order, and nothing else.
fn walks_the_index_of_what_is_due(plan: &str) {
    assert!(plan.contains("deliveries_due"), "{plan}");
    assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN deliveries"), "{plan}");
    assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "the index gives the order too: {plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_claim_walks_the_index_of_what_is_due() {
    on_both(async |town| {
        much_was_sent(town).await;
        let plans: Vec<String> = town
            .db(|tx| {
                plans(tx, "due_at IS NOT NULL", |tx| {
                    assert_eq!(takes(tx, uuid::Uuid::nil(), Channel::Email, 100, "x")?.len(), 100);
                    Ok(())
                })
            })
            .await;
        assert!(!plans.is_empty());
        for plan in plans {
            eprintln!("{plan}");
            walks_the_index_of_what_is_due(&plan);
        }
    })
    .await;
}

/// A scrape costs the same however much was ever sent: every sentence of it walks the index of what is due, and no further
/// than its bound.
#[tokio::test(flavor = "multi_thread")]
async fn counting_walks_the_index_of_what_is_due() {
    on_both(async |town| {
        much_was_sent(town).await;
        let plans: Vec<String> = town.db(|tx| plans(tx, "due_at IS NOT NULL", |tx| depths(tx).map(drop))).await;
        assert_eq!(plans.len(), 24, "three sentences for each of eight lanes");
        for plan in plans {
            walks_the_index_of_what_is_due(&plan);
        }
    })
    .await;
}

/// Whatever the engine says of deliveries and attempts is found by an index, except what is asked of a whole batch, which
/// is found by the batch's.
#[tokio::test(flavor = "multi_thread")]
async fn no_sentence_of_the_engine_scans_the_queue() {
    on_both(async |town| {
        much_was_sent(town).await;
        let batch = post(town, Channel::Email, Lane::Urgent, "last", 20, HOUR).await;
        let plans: Vec<String> = town
            .db(move |tx| {
                plans(tx, "deliver", |tx| {
                    let now = tx.now()?;
                    let held = takes(tx, uuid::Uuid::nil(), Channel::Email, 100, "x")?;
                    let ids: Vec<i64> = held.iter().map(|claimed| claimed.id).collect();
                    lock_in_order(tx, &ids)?;
                    assert_eq!(renew(tx, uuid::Uuid::nil(), &ids)?.len(), 100);
                    let again = || Verdict::Again(State::Deferred, now, "451".into());
                    let answers: Vec<Settlement> = held.iter().map(|claimed| settled_as(claimed, again())).collect();
                    assert_eq!(settle(tx, &answers)?, 100);
                    assert_eq!(takes(tx, uuid::Uuid::nil(), Channel::Email, 100, "x")?.len(), 100);
                    expire_pressing(tx, Channel::Email)?;
                    progress(tx, batch)?;
                    assert_eq!(cancel(tx, batch, "stopped")?, 20);
                    assert_eq!(forget_settled(tx, now.plus(HOUR))?, 20);
                    Ok(())
                })
            })
            .await;
        assert!(plans.len() > 20, "{}", plans.len());
        for plan in plans {
            let scans = ["Seq Scan on deliveries", "Seq Scan on attempts", "SCAN deliveries", "SCAN attempts"];
            // On SQLite a walk along an index is called a scan too, but of that index.
            let bare = plan.lines().any(|line| scans.iter().any(|scan| line.contains(scan)) && !line.contains("USING"));
            assert!(!bare, "{plan}");
        }
    })
    .await;
}

/// Asked every second: it reads what failed a moment ago, and for each the one row in reserve.
#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_found_by_its_index_and_its_reserve_by_the_key() {
    on_both(async |town| {
        // 5,000 persons on two channels; of 100 the chosen one has failed.
        let batch = town
            .db(|tx| {
                let (batch, now) = (Id::<of::Batch>::new().uuid(), tx.now()?);
                let body = Body { subject: "Alert".into(), text: "x".into(), html: None };
                let content = put_content(tx, batch, Language::En, Channel::Email, &body)?;
                let mut new = Vec::new();
                for number in 0..5_000 {
                    let person = Id::new();
                    let row = |channel, address, fate| NewDelivery {
                        person,
                        channel,
                        lane: Lane::NonUrgent,
                        membership: None,
                        address,
                        fate,
                        deadline: now.plus(HOUR),
                    };
                    let address = Some(format!("member{number}@example.be"));
                    new.push(row(Channel::Email, address, Fate::Due { content, at: now }));
                    new.push(row(Channel::Sms, None, Fate::Suppressed(NOT_CHOSEN)));
                }
                enqueue(tx, batch, new)?;
                let moment = match tx.db() {
                    Db::Sqlite(_) => now.micros().to_string(),
                    Db::Postgres(_) => format!("'{now}'"),
                };
                let settle = format!(
                    "UPDATE deliveries SET state = CASE WHEN id <= 200 THEN 'failed' ELSE 'accepted' END, due_at = NULL, \
                     settled_at = {moment} WHERE channel = 'email'"
                );
                on_either!(tx, |c| c.batch_execute(&settle))?;
                on_either!(tx, |c| c.batch_execute("ANALYZE"))?;
                Ok(batch)
            })
            .await;
        let found: Vec<String> = town
            .db(move |tx| {
                plans(tx, "'failed', 'expired'", |tx| {
                    let since = tx.now()?.minus(HOUR);
                    assert_eq!(batches_with_reserves(tx, since)?, [batch]);
                    assert_eq!(reserves_of(tx, batch)?.len(), 100);
                    Ok(())
                })
            })
            .await;
        assert_eq!(found.len(), 2);
        for (plan, index) in found.iter().zip(["deliveries_failed", "deliveries_dead"]) {
            eprintln!("{plan}");
            assert!(plan.contains(index), "{plan}");
            assert!(plan.contains("deliveries_once") || plan.contains("sqlite_autoindex_deliveries_1"), "{plan}");
            assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN"), "{plan}");
        }
    })
    .await;
}
