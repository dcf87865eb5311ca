//! The claim reads an index that holds only what waits, however much was ever sent.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use vigie::delivery::{Channel, Lane};
use vigie::on_either;
use vigie::storage::Db;

use super::desk::{HOUR, post};
use crate::support::on_both;

#[derive(diesel::QueryableByName)]
struct Step {
    #[diesel(sql_type = Text, column_name = "detail")]
    detail: String,
}

/// The sentence as diesel writes it (`queue::claim`), with its binds filled in by a prepared statement.
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
                let steps: Vec<Step> = match tx.db() {
                    Db::Sqlite(c) => {
                        c.batch_execute("ANALYZE")?;
                        diesel::sql_query(
                            "EXPLAIN QUERY PLAN SELECT deliveries.id FROM deliveries
                             WHERE deliveries.due_at IS NOT NULL AND channel = ?1 AND lane = ?2 AND due_at <= ?3
                             ORDER BY due_at, id LIMIT ?4",
                        )
                        .load(c)?
                    }
                    Db::Postgres(c) => {
                        c.batch_execute(
                            "ANALYZE deliveries; SET LOCAL plan_cache_mode = force_generic_plan;
                             PREPARE due AS SELECT deliveries.id FROM deliveries
                             WHERE deliveries.due_at IS NOT NULL AND channel = $1 AND lane = $2::smallint AND due_at <= $3
                             ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED",
                        )?;
                        let lines: Vec<PgStep> =
                            diesel::sql_query("EXPLAIN EXECUTE due('email', 1::smallint, now(), 100)").load(c)?;
                        c.batch_execute("DEALLOCATE due")?;
                        lines.into_iter().map(|step| Step { detail: step.line }).collect()
                    }
                };
                Ok(steps.into_iter().map(|step| step.detail).collect())
            })
            .await;
        let plan = plan.join("\n");
        assert!(plan.contains("deliveries_due"), "{plan}");
        assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN deliveries"), "{plan}");
        assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "the index gives the order too: {plan}");
    })
    .await;
}

#[derive(diesel::QueryableByName)]
struct PgStep {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}
