//! The queue is read by an index that holds only what waits, however much was ever sent.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use vigie::delivery::alarms::standing_of;
use vigie::delivery::retry::Verdict;
use vigie::delivery::{
    Body, Channel, Fate, Lane, NOT_CHOSEN, NewDelivery, Settlement, State, batches_with_reserves, cancel,
    cancel_for_membership, dead_letters_of, depths, enqueue, expire_pressing, forget_settled, lock_in_order, progress,
    put_content, renew, requeue, reserves_of, settle,
};
use vigie::on_either;
use vigie::storage::{Db, StorageError, Tx};
use vigie::values::{Id, Language, of};

use super::desk::{HOUR, post, settled_as, takes, to_one_member};
use crate::support::database::Kind;
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
            SELECT id, 1, '00000000-0000-0000-0000-000000000000', 'x', created_at FROM deliveries;
            INSERT INTO receipts (delivery_id, provider, level, code, received_at, attempt)
            SELECT id, 'x', 'at_operator', '8', created_at, 1 FROM deliveries";
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
/// The tables that grow with whatever was ever sent.
const QUEUE: [&str; 3] = ["deliveries", "attempts", "receipts"];

/// What of a plan reads a table of the queue, or a whole index of it, from its beginning to its end. Only the index of what is
/// due may be walked, as far as a limit says, and the first of the open batches taken from theirs.
pub(super) fn scans(plan: &str) -> Vec<String> {
    let lines: Vec<&str> = plan.lines().collect();
    let walks_up_to_a_limit = |line: &str| {
        line.contains("deliveries_due") && plan.contains("LIMIT")
            || line.contains("deliveries_open") && plan.contains("LIMIT 1)")
    };
    let word_after = |line: &str, lead: &str| {
        let (_, rest) = line.split_once(lead)?;
        Some(rest.split([' ', ',']).next().unwrap_or_default().to_owned())
    };
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        // SQLite: a SEARCH goes to a key of an index, a SCAN reads all of it, be it "USING INDEX" or not.
        let read = word_after(line, "SCAN ").filter(|_| line.trim_start().starts_with("SCAN "));
        let scans = read.is_some_and(|table| QUEUE.contains(&table.as_str()));
        // A filter is filled from the whole table first.
        let fills = line.trim_start().starts_with("BLOOM FILTER ON ");
        // PostgreSQL: the same without an "Index Cond" among the lines of the node.
        let node = |line: &str| line.contains("(cost=");
        let has_key = lines.iter().skip(at + 1).take_while(|line| !node(line)).any(|line| line.contains("Index Cond:"));
        let seq = word_after(line, "Seq Scan on ").is_some_and(|table| QUEUE.contains(&table.as_str()));
        let by_index = ["Index Scan using ", "Index Only Scan using "].iter().any(|lead| line.contains(lead))
            && word_after(line, " on ").is_some_and(|table| QUEUE.contains(&table.as_str()));
        let bitmap = line.contains("Bitmap Index Scan on ")
            && QUEUE.iter().any(|table| line.contains(&format!("Bitmap Index Scan on {table}")));
        if seq || fills || ((scans || ((by_index || bitmap) && !has_key)) && !walks_up_to_a_limit(line)) {
            found.push(line.trim().to_owned());
        }
    }
    found
}
/// A test that cannot fail proves nothing: what is a scan is called one.
#[test]
fn a_walk_of_a_whole_index_is_a_scan() {
    let table = [
        ("SELECT 1\nSCAN deliveries", 1),
        ("SELECT 1\nSCAN deliveries USING INDEX deliveries_open", 1),
        ("SELECT 1\nSCAN attempts USING COVERING INDEX attempts_numbered", 1),
        ("SELECT 1\nSCAN deliveries USING INDEX deliveries_due", 1),
        ("SELECT 1 LIMIT 5\nSCAN deliveries USING INDEX deliveries_due", 0),
        ("SELECT 1 LIMIT 5\nSCAN deliveries", 1),
        ("SELECT (SELECT 1 LIMIT 1)\nSCAN deliveries USING INDEX deliveries_open", 0),
        ("SELECT 1\nBLOOM FILTER ON deliveries (batch_id=? AND person_id=?)", 1),
        ("SELECT 1\nSEARCH deliveries USING INDEX deliveries_open (batch_id=?)\nSCAN open", 0),
        ("SELECT 1\nSeq Scan on deliveries  (cost=0.00..1.00 rows=1 width=8)\n  Filter: (id = $1)", 1),
        ("SELECT 1\nUpdate on deliveries  (cost=1)\n  ->  Index Scan using deliveries_open on deliveries  (cost=1)", 1),
        ("SELECT 1\nIndex Scan using x on deliveries  (cost=1)\n  Index Cond: (id = $1)\n  Filter: (state = $2)", 0),
        ("SELECT 1\n->  Index Scan using x on receipts  (cost=1)\n->  Seq Scan on open  (cost=1)\n  Index Cond: x", 1),
        ("SELECT 1\nBitmap Heap Scan on deliveries  (cost=1)\n  ->  Bitmap Index Scan on deliveries_due  (cost=1)", 1),
    ];
    for (plan, count) in table {
        assert_eq!(scans(plan).len(), count, "{plan}");
    }
}
/// It reads what is due, in its order, and nothing else.
fn walks_the_index_of_what_is_due(plan: &str) {
    assert!(plan.contains("deliveries_due"), "{plan}");
    assert!(scans(plan).is_empty() && !plan.contains("Seq Scan"), "{plan}");
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

/// Whatever the engine says of deliveries, attempts and reports is found by a key of an index; what is asked of a whole batch,
/// by the batch's.
#[tokio::test(flavor = "multi_thread")]
async fn no_sentence_of_the_engine_scans_the_queue() {
    on_both(async |town| {
        much_was_sent(town).await;
        let batch = post(town, Channel::Email, Lane::Urgent, "last", 20, HOUR).await;
        let (membership, person, _) = to_one_member(town, 2).await;
        let found: Vec<String> = town
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
                    let held = takes(tx, uuid::Uuid::nil(), Channel::Email, 100, "x")?;
                    let mut answers: Vec<Settlement> = held
                        .iter()
                        .map(|claimed| settled_as(claimed, Verdict::Final(State::Accepted, None)))
                        .collect();
                    answers[0].tried = false;
                    assert_eq!(settle(tx, &answers)?, 100, "with a look at the reports that came before");
                    expire_pressing(tx, Channel::Email)?;
                    progress(tx, batch)?;
                    let standing: i64 = standing_of(tx, batch)?.iter().map(|standing| standing.count).sum();
                    assert_eq!(standing, 20, "what the watch looks at");
                    assert_eq!(cancel_for_membership(tx, membership, person, None, "left")?, 2);
                    assert_eq!(cancel_for_membership(tx, membership, person, Some(Channel::Sms), "stopped")?, 0);
                    assert_eq!(cancel(tx, batch, "stopped")?, 20);
                    Ok(())
                })
            })
            .await;
        assert!(found.len() > 25, "{}", found.len());
        none_scans(&found);
        // What is dead, and is put back.
        let dead = post(town, Channel::Email, Lane::Urgent, "dead", 20, HOUR).await;
        let found: Vec<String> = town
            .db(move |tx| {
                let fail = format!(
                    "UPDATE deliveries SET state = 'failed', due_at = NULL, settled_at = created_at WHERE batch_id = '{dead}'"
                );
                on_either!(tx, |c| c.batch_execute(&fail))?;
                let of_old = "UPDATE deliveries SET state = 'failed' WHERE state = 'accepted' AND id <= 2000";
                on_either!(tx, |c| c.batch_execute(of_old))?;
                on_either!(tx, |c| c.batch_execute("ANALYZE"))?;
                plans(tx, "deliver", |tx| {
                    let now = tx.now()?;
                    let letters = dead_letters_of(tx, dead, None)?;
                    assert_eq!(dead_letters_of(tx, dead, Some(letters[0].id))?.len(), 1);
                    let again: Vec<_> = letters.into_iter().map(|one| (one, "member@example.be".to_owned())).collect();
                    assert_eq!(requeue(tx, dead, &again, now)?, 20);
                    assert!(forget_settled(tx, now.plus(HOUR))? > 0);
                    Ok(())
                })
            })
            .await;
        assert!(found.len() > 6, "{}", found.len());
        none_scans(&found);
    })
    .await;
}
fn none_scans(plans: &[String]) {
    for plan in plans {
        let scans = scans(plan);
        assert!(scans.is_empty(), "{scans:?} in {plan}");
    }
}
/// What waits for a member is found by the keys of the open batches, however many others they go to.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_looked_for_in_the_open_batches_only() {
    on_both(async |town| {
        much_was_sent(town).await;
        post(town, Channel::Email, Lane::NonUrgent, "newsletter", 2_000, HOUR).await;
        let (membership, person, _) = to_one_member(town, 2).await;
        let found: Vec<String> = town
            .db(move |tx| {
                on_either!(tx, |c| c.batch_execute("ANALYZE"))?;
                plans(tx, "batch_id", |tx| {
                    assert_eq!(cancel_for_membership(tx, membership, person, None, "left")?, 2);
                    Ok(())
                })
            })
            .await;
        for plan in &found {
            eprintln!("{plan}");
        }
        assert_eq!(found.len(), 2);
        none_scans(&found);
        // PostgreSQL prepares the step from batch to batch when it comes to it, and shows only the first.
        let shown = if town.kind == Kind::Sqlite { 2 } else { 1 };
        assert!(found[0].matches("deliveries_open").count() >= shown, "{}", found[0]);
        let once = ["deliveries_once_per_person_and_channel", "sqlite_autoindex_deliveries_1"];
        assert!(once.iter().any(|index| found[1].contains(index)), "{}", found[1]);
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
            assert!(scans(plan).is_empty() && !plan.contains("Seq Scan") && !plan.contains("SCAN"), "{plan}");
        }
    })
    .await;
}
