//! Readiness: can this node accept a message now? And who may ask how often.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;
use tokio::task::JoinHandle;
use vigie::storage::StorageError;
use vigie::storage::schema::duty_marks;
use vigie::values::Timestamp;

use crate::support::database::Kind;
use crate::support::neighbourhood::PASSWORD;
use crate::support::{Town, on_both};

const FRESH: Duration = Duration::from_millis(2_100);

async fn ready(town: &Town) -> u16 {
    town.open_get("/health/ready").await.status
}
async fn written(town: &Town) -> Option<Timestamp> {
    town.db(|tx| {
        Ok(duty_marks::table.find("pulse").select(duty_marks::reached_at).first::<Timestamp>(tx.db()).optional()?)
    })
    .await
}

/// Somebody holds a table until the sender is dropped; on SQLite the writer's lock is held, whichever table is meant.
async fn locks(town: &Town, table: &'static str) -> (Sender<()>, JoinHandle<Result<(), StorageError>>) {
    let (database, (locked, unlock)) = (town.database.clone(), std::sync::mpsc::channel::<()>());
    let (holds, is_held) = tokio::sync::oneshot::channel();
    let holder = tokio::spawn(async move {
        database
            .writing(move |tx| {
                if let vigie::storage::Db::Postgres(c) = tx.db() {
                    c.batch_execute(&format!("LOCK TABLE {table}"))?;
                }
                let _ = holds.send(());
                let _ = unlock.recv();
                Ok::<_, StorageError>(())
            })
            .await
    });
    is_held.await.unwrap();
    (locked, holder)
}

/// A database that answers and takes nothing is not ready, and whoever asks is not kept waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_write_is_not_ready() {
    on_both(async |town| {
        assert_eq!(ready(town).await, 200);
        let (locked, holder) = locks(town, "duty_marks IN EXCLUSIVE MODE").await;
        tokio::time::sleep(FRESH).await;
        let start = Instant::now();
        let answers = futures_util::future::join_all((0..5).map(|_| town.open_get("/health/ready"))).await;
        for answer in answers {
            assert_eq!(answer.status, 503);
            assert!(answer.headers.contains_key("retry-after"));
        }
        assert!(start.elapsed() < Duration::from_secs(5), "told in time (promise R13): {:?}", start.elapsed());
        assert_eq!(town.open_get("/health/live").await.status, 200, "the process lives");
        drop(locked);
        holder.await.unwrap().unwrap();
        let start = Instant::now();
        while ready(town).await != 200 {
            assert!(start.elapsed() < Duration::from_secs(10), "back in time (promise R13)");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}
/// However often it is asked, it writes once in two seconds.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_often_writes_seldom() {
    on_both(async |town| {
        assert_eq!(ready(town).await, 200);
        let first = written(town).await.expect("a write");
        town.passes(Duration::from_secs(60));
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(500) {
            assert_eq!(ready(town).await, 200);
        }
        assert_eq!(written(town).await, Some(first));
        tokio::time::sleep(FRESH).await;
        assert_eq!(ready(town).await, 200);
        assert_eq!(written(town).await, Some(first.plus(Duration::from_secs(60))));
    })
    .await;
}
/// Fault F38, promise R9: however many wait for a list, whoever writes does not wait behind them.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_does_not_wait_for_those_who_read() {
    on_both(async |town| {
        if town.kind == Kind::Sqlite {
            // No reader of SQLite can be made to wait from outside.
            return;
        }
        let hood = town.neighbourhood(1).await;
        let officer = town.signs_in(&hood.officer).await;
        let (locked, holder) = locks(town, "alarms IN ACCESS EXCLUSIVE MODE").await;
        let readers = futures_util::future::join_all((0..30).map(|_| town.get("/api/v1/alarms", &officer)));
        let writer = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let start = Instant::now();
            let password = json!({ "password": PASSWORD });
            let reply = town.post("/api/v1/step-up", &officer, password).await;
            // As long as a reader waits for a turn, and the pool for a connection: so long a writer must not.
            let took = start.elapsed();
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            drop(locked);
            (reply.status, took)
        };
        let (answers, (status, took)) = futures_util::future::join(readers, writer).await;
        assert_eq!(status, 200);
        assert!(took < Duration::from_millis(1_500), "{took:?}");
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
        assert!(statuses.contains(&503), "some waited too long for a turn, and were told so: {statuses:?}");
        holder.await.unwrap().unwrap();
    })
    .await;
}
