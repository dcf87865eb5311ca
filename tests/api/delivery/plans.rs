//! The claim reads an index that holds only what waits, however much was ever sent.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use vigie::delivery::{Channel, Lane};
use vigie::on_either;
use vigie::storage::Db;

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

/// The very sentence that the claim says, overheard and explained: with a generic plan on PostgreSQL, as diesel prepares
/// its statements once.
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
        let plan: Vec<String> = town
            .db(|tx| {
                let heard = Arc::new(Mutex::new(Vec::new()));
                let ear = Arc::clone(&heard);
                on_either!(tx, |c| c.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                    if let InstrumentationEvent::StartQuery { query, .. } = event {
                        ear.lock().unwrap().push(query.to_string());
                    }
                }));
                assert_eq!(takes(tx, uuid::Uuid::nil(), Channel::Email, 100, "x")?.len(), 100);
                let heard = heard.lock().unwrap().clone();
                let sentence = heard.iter().find(|sentence| sentence.contains("LIMIT")).unwrap();
                let sentence = sentence.split("-- binds").next().unwrap().to_owned();
                Ok(match tx.db() {
                    Db::Sqlite(c) => {
                        c.batch_execute("ANALYZE")?;
                        let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sentence}")).load(c)?;
                        steps.into_iter().map(|step| step.detail).collect()
                    }
                    Db::Postgres(c) => {
                        c.batch_execute(&format!(
                            "ANALYZE deliveries; SET LOCAL plan_cache_mode = force_generic_plan; PREPARE due AS {sentence}"
                        ))?;
                        let lines: Vec<Line> =
                            diesel::sql_query("EXPLAIN EXECUTE due('email', 1::smallint, now(), 100)").load(c)?;
                        c.batch_execute("DEALLOCATE due")?;
                        lines.into_iter().map(|line| line.detail).collect()
                    }
                })
            })
            .await;
        let plan = plan.join("\n");
        eprintln!("{plan}");
        assert!(plan.contains("deliveries_due"), "{plan}");
        assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN deliveries"), "{plan}");
        assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "the index gives the order too: {plan}");
    })
    .await;
}
