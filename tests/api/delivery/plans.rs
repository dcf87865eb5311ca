//! The claim reads an index that holds only what waits, however much was ever sent.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use vigie::delivery::{
    Body, Channel, Fate, Lane, NOT_CHOSEN, NewDelivery, batches_with_reserves, enqueue, put_content, reserves_of,
};
use vigie::on_either;
use vigie::storage::{Db, StorageError, Tx};
use vigie::values::{Id, Language, of};

use super::desk::{HOUR, post, takes};
use crate::support::on_both;

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

/// The very sentence that `says` says, overheard and explained: with a generic plan on PostgreSQL, as diesel prepares its
/// statements once; `binds` are what it is prepared for.
fn explained(
    tx: &mut Tx<'_>,
    binds: &str,
    says: impl FnOnce(&mut Tx<'_>) -> Result<(), StorageError>,
) -> Result<String, StorageError> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    on_either!(tx, |c| c.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            ear.lock().unwrap().push(query.to_string());
        }
    }));
    says(tx)?;
    let heard = heard.lock().unwrap().clone();
    let sentence = heard.iter().find(|sentence| sentence.contains("LIMIT")).unwrap();
    let sentence = sentence.split("-- binds").next().unwrap().to_owned();
    let plan: Vec<String> = match tx.db() {
        Db::Sqlite(c) => {
            c.batch_execute("ANALYZE")?;
            let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sentence}")).load(c)?;
            steps.into_iter().map(|step| step.detail).collect()
        }
        Db::Postgres(c) => {
            c.batch_execute(&format!(
                "ANALYZE deliveries; SET LOCAL plan_cache_mode = force_generic_plan; PREPARE said AS {sentence}"
            ))?;
            let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN EXECUTE said({binds})")).load(c)?;
            c.batch_execute("DEALLOCATE said")?;
            lines.into_iter().map(|line| line.detail).collect()
        }
    };
    let plan = plan.join("\n");
    eprintln!("{plan}");
    assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN deliveries"), "{plan}");
    Ok(plan)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_claim_walks_the_index_of_what_is_due() {
    on_both(async |town| {
        // 5,000 rows: most of them settled long ago, as in life.
        post(town, Channel::Email, Lane::NonUrgent, "old", 4_900, HOUR).await;
        town.db(|tx| {
            let settle = "UPDATE deliveries SET state = 'accepted', due_at = NULL";
            Ok(on_either!(tx, |c| c.batch_execute(settle))?)
        })
        .await;
        post(town, Channel::Email, Lane::Urgent, "new", 100, HOUR).await;
        let plan = town
            .db(|tx| {
                explained(tx, "'email', 1::smallint, now(), 100", |tx| {
                    assert_eq!(takes(tx, uuid::Uuid::nil(), Channel::Email, 100, "x")?.len(), 100);
                    Ok(())
                })
            })
            .await;
        assert!(plan.contains("deliveries_due"), "{plan}");
        assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "the index gives the order too: {plan}");
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
                Ok(batch)
            })
            .await;
        let of_all = town
            .db(move |tx| {
                explained(tx, "now(), 'suppressed', 'not_chosen', 100", |tx| {
                    let since = tx.now()?.minus(HOUR);
                    assert_eq!(batches_with_reserves(tx, since)?, [batch]);
                    Ok(())
                })
            })
            .await;
        assert!(of_all.contains("deliveries_failed"), "{of_all}");
        let of_batch = town
            .db(move |tx| {
                explained(tx, &format!("'suppressed', 'not_chosen', '{batch}', 500"), |tx| {
                    assert_eq!(reserves_of(tx, batch)?.len(), 100);
                    Ok(())
                })
            })
            .await;
        assert!(of_batch.contains("deliveries_dead"), "{of_batch}");
    })
    .await;
}
