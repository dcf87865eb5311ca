//! What a database says when it has no time, or when a text cannot be stored, in its own words.

use diesel::prelude::*;
use diesel::sql_types::Text;
use vigie::http::{Problem, ProblemType};
use vigie::storage::{StorageError, Tx};

use crate::support::database::Kind;
use crate::support::{Town, on_both};

async fn said(town: &Town, work: impl FnOnce(&mut Tx<'_>) -> Result<(), StorageError> + Send + 'static) -> ProblemType {
    Problem::from(town.database.writing(work).await.expect_err("a refusal")).kind()
}

/// A wait that ends is no fault of ours: the client is told to come again.
#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_takes_too_long_is_busy() {
    on_both(async |town| {
        if town.kind == Kind::Sqlite {
            // The writer waits for the writer, and says so in words that are known (`database is locked`).
            return;
        }
        let slow = said(town, |tx| {
            diesel::sql_query("SET LOCAL statement_timeout = '20ms'").execute(tx.db())?;
            diesel::sql_query("SELECT pg_sleep(5)").execute(tx.db())?;
            Ok(())
        });
        assert_eq!(slow.await, ProblemType::Busy);
        let (database, (locked, unlock)) = (town.database.clone(), std::sync::mpsc::channel::<()>());
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let holder = tokio::spawn(async move {
            database
                .writing(move |tx| {
                    diesel::sql_query("LOCK TABLE zones IN ACCESS EXCLUSIVE MODE").execute(tx.db())?;
                    let _ = ready.send(());
                    let _ = unlock.recv();
                    Ok::<_, StorageError>(())
                })
                .await
        });
        is_ready.await.unwrap();
        let waiting = said(town, |tx| {
            diesel::sql_query("SET LOCAL lock_timeout = '20ms'").execute(tx.db())?;
            diesel::sql_query("LOCK TABLE zones IN ACCESS EXCLUSIVE MODE").execute(tx.db())?;
            Ok(())
        });
        assert_eq!(waiting.await, ProblemType::Busy);
        drop(locked);
        holder.await.unwrap().unwrap();
    })
    .await;
}

/// PostgreSQL stores no text with a zero byte; SQLite does, so that it is refused at the door as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_with_a_zero_byte_is_no_fault_of_ours() {
    on_both(async |town| {
        let found = town.database.writing(|tx| {
            let query = diesel::sql_query(if matches!(tx.db(), vigie::storage::Db::Postgres(_)) {
                "SELECT 1 FROM zones WHERE number = $1"
            } else {
                "SELECT 1 FROM zones WHERE number = ?"
            });
            query.bind::<Text, _>("5\u{0}3").execute(tx.db())?;
            Ok::<_, StorageError>(())
        });
        if let Err(error) = found.await {
            assert_eq!(Problem::from(error).kind(), ProblemType::Unreadable);
        }
        town.open_get("/api/v1/municipalities?name=%00").await;
    })
    .await;
}
