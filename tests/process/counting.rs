//! What a process counts, looked at where it is the only one that counts: exactly, and nothing else (accept M11).

use std::time::Duration;

use diesel::prelude::*;
use vigie::delivery::{Channel, State};
use vigie::storage::StorageError;
use vigie::storage::schema::deliveries;
use vigie::values::{Id, of};

use crate::database::Kind;
use crate::house::{House, Process, Scrape, free_address, until};

/// Accept M11: attempts by what came of them; a report with a code we do not know stays unknown and is counted; rows that do
/// not open are an alarm.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_reports_and_alarms_are_counted_each_once() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let house = House::build(kind).await;
        house.post_office.smtp.behave(|relay| {
            relay.refuses.insert("member2@example.be".into());
        });
        let batch = house.posts(3, 1);
        let damaged = house.posts(1, 0);
        house
            .database
            .write::<_, StorageError>(|tx| {
                let row = deliveries::table.filter(deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(damaged)));
                diesel::update(row).set(deliveries::address.eq(Some(vec![1_u8; 40]))).execute(tx.db())?;
                Ok(())
            })
            .unwrap();
        let (api, metrics) = (free_address(), free_address());
        let mut settings = house.settings();
        settings.insert("VIGIE__SERVER__LISTEN", api.clone());
        settings.insert("VIGIE__SERVER__PUBLIC_URL", format!("http://{api}"));
        settings.insert("VIGIE__SERVER__METRICS_LISTEN", metrics.clone());
        let server = Process::start("serve", &settings);
        until(Duration::from_secs(60), "what can leave has left", || {
            house.states(batch).keys().all(|(_, state)| state.is_final())
        })
        .await;
        assert_eq!(
            house.states(batch),
            [
                ((Channel::Email, State::Accepted), 2),
                ((Channel::Email, State::Failed), 1),
                ((Channel::Sms, State::Accepted), 1)
            ]
            .into()
        );
        let sms = house.post_office.sms().pop().unwrap();
        assert_eq!(house.post_office.gateway.reports(&sms, 64, "F00").await, 200);
        assert_eq!(house.states(batch).get(&(Channel::Sms, State::Accepted)), Some(&1), "a code that says nothing");
        // The watch looks once a second.
        let mut found = Scrape::of(&metrics).await;
        for _ in 0..100 {
            if found.value(r#"vigie_alarms_raised_total{kind="queue_unreadable"}"#) == Some(1.0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            found = Scrape::of(&metrics).await;
        }
        let counted = found.all(&[
            "vigie_delivery_attempts_total",
            "vigie_delivery_receipts_total",
            "vigie_alarms_raised_total",
            "vigie_delivery_late_answers_total",
            "vigie_delivery_leases_lost_total",
        ]);
        let expected = [
            (r#"vigie_alarms_raised_total{kind="queue_unreadable"}"#, 1.0),
            (r#"vigie_delivery_attempts_total{channel="email",outcome="accepted",provider="smtp"}"#, 2.0),
            (r#"vigie_delivery_attempts_total{channel="email",outcome="refused",provider="smtp"}"#, 1.0),
            (r#"vigie_delivery_attempts_total{channel="sms",outcome="accepted",provider="kannel"}"#, 1.0),
            (r#"vigie_delivery_receipts_total{level="unknown"}"#, 1.0),
        ];
        assert_eq!(counted, expected.map(|(name, value)| (name.to_owned(), value)).into(), "on {kind:?}");
        server.terminate();
        assert_eq!(server.ends(Duration::from_secs(30)).await.0, Some(0));
    }
}
