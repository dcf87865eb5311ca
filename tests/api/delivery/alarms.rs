//! Alarms in the books: once for each subject whatever the number of nodes, and over when nobody sees the cause any more.

use std::time::Duration;

use vigie::delivery::Channel;
use vigie::delivery::alarms::{AlarmKind, clear, open_alarms, raise};
use vigie::delivery::metrics;
use vigie::messages::{Patience, Watch};

use super::desk::{holds, meanwhile, until_held_up};
use crate::support::{Town, on_both};

/// The alarms that stand, but for those that other tests of this process cause.
async fn standing(town: &Town, kind: AlarmKind, subject: &str) -> usize {
    let subject = subject.to_owned();
    let open = town.db(open_alarms).await;
    open.iter().filter(|alarm| alarm.kind == kind && alarm.subject == subject).count()
}

/// Two nodes see the same at the same moment: exactly one raises it, and tells.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_raises() {
    on_both(async |town| {
        let subject = "message:018f";
        let (first, commit) = holds(town, move |tx| raise(tx, AlarmKind::UrgentStuck, subject, None));
        let second = meanwhile(town, move |tx| raise(tx, AlarmKind::UrgentStuck, subject, None));
        until_held_up(town, 1).await;
        assert!(!second.is_finished(), "it waits to see what the first one does");
        commit();
        assert!(second.await.unwrap().unwrap().is_none());
        let first = first.unwrap();
        assert_eq!(standing(town, AlarmKind::UrgentStuck, subject).await, 1);
        // Another kind or subject is another alarm; the same one may come again once it is over.
        for (kind, subject) in [(AlarmKind::UrgentWithoutHandover, subject), (AlarmKind::UrgentStuck, "message:0190")] {
            assert!(town.db(move |tx| raise(tx, kind, subject, None)).await.is_some());
        }
        assert!(town.db(move |tx| clear(tx, first.id)).await);
        assert!(!town.db(move |tx| clear(tx, first.id)).await, "once");
        assert!(town.db(move |tx| raise(tx, AlarmKind::UrgentStuck, subject, None)).await.is_some());
    })
    .await;
}

/// Retention: an alarm that is over is kept for a year; one that stands, for as long as it stands.
#[tokio::test(flavor = "multi_thread")]
async fn alarms_that_are_over_are_forgotten_after_a_year() {
    on_both(async |town| {
        use diesel::prelude::*;
        use vigie::storage::schema::alarms;
        const DAY: Duration = Duration::from_secs(24 * 3_600);
        let kind = AlarmKind::UrgentStuck;
        let over = town.db(move |tx| raise(tx, kind, "message:01", None)).await.unwrap();
        town.db(move |tx| raise(tx, kind, "message:02", None)).await.unwrap();
        town.passes(DAY);
        assert!(town.db(move |tx| clear(tx, over.id)).await);
        let kept = async || -> Vec<String> {
            vigie::worker::minute(&town.database).await.unwrap();
            town.db(|tx| Ok(alarms::table.order(alarms::subject).select(alarms::subject).load(tx.db())?)).await
        };
        town.passes(365 * DAY);
        assert_eq!(kept().await, ["message:01", "message:02"], "to the day, not before");
        town.passes(Duration::from_secs(1));
        assert_eq!(kept().await, ["message:02"]);
    })
    .await;
}

/// A provider is down for one process and not for another: the alarm stands for as long as any of them says so, and does not
/// outlive a process that fell over.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_is_told_once_and_over_when_nobody_says_so() {
    on_both(async |town| {
        let (kind, subject) = (AlarmKind::ProviderDown, "provider:email:watch-a");
        let at_once = || Watch::new(Patience { provider: Duration::ZERO, ..Patience::default() });
        let (mut here, mut there) = (at_once(), at_once());
        let pages = async |watch: &mut Watch| {
            let pages = watch.look(&town.database, &town.config).await;
            pages.into_iter().filter(|page| page.subject == subject).map(|page| page.event).collect::<Vec<_>>()
        };
        assert!(pages(&mut here).await.is_empty());
        metrics::breaker(Channel::Email, "watch-a", true);
        assert!(pages(&mut Watch::default()).await.is_empty(), "not for a moment's trouble");
        assert_eq!(pages(&mut here).await, ["alarm.raised"]);
        assert!(pages(&mut there).await.is_empty());
        // Said again every ten seconds, so it stands.
        for _ in 0..5 {
            town.passes(Duration::from_secs(12));
            assert!(pages(&mut here).await.is_empty());
        }
        assert_eq!(standing(town, kind, subject).await, 1);
        metrics::breaker(Channel::Email, "watch-a", false);
        town.passes(Duration::from_secs(29));
        assert!(pages(&mut there).await.is_empty(), "another process may still say so");
        town.passes(Duration::from_secs(1));
        assert_eq!(pages(&mut there).await, ["alarm.cleared"]);
        assert_eq!(standing(town, kind, subject).await, 0);
    })
    .await;
}

/// Rows that do not open are no fault of a member, and no officer can mend them: the log, the metrics and the pager say it.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_do_not_open_raise_an_alarm() {
    on_both(async |town| {
        use diesel::prelude::*;
        use vigie::storage::schema::deliveries;
        super::desk::mail(town).await;
        town.db(|tx| {
            Ok(diesel::update(deliveries::table).set(deliveries::address.eq(Some(vec![1_u8; 40]))).execute(tx.db())?)
        })
        .await;
        town.delivers_everything().await;
        let mut watch = Watch::default();
        let pages = watch.look(&town.database, &town.config).await;
        assert!(pages.iter().any(|page| page.kind == AlarmKind::QueueUnreadable && page.subject == "deliveries"));
        assert_eq!(standing(town, AlarmKind::QueueUnreadable, "deliveries").await, 1);
        assert!(watch.look(&town.database, &town.config).await.iter().all(|page| page.subject != "deliveries"));
        assert!(town.post_office.mails().is_empty());
    })
    .await;
}

/// The database is away: nothing can be written down there, and the pager is told all the same, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_told_to_the_pager() {
    on_both(async |town| {
        use diesel::connection::SimpleConnection;
        use vigie::on_either;
        let sql = |text: &'static str| town.db(move |tx| Ok(on_either!(tx, |c| c.batch_execute(text))?));
        let mut watch = Watch::new(Patience { database: Duration::from_millis(200), ..Patience::default() });
        let of_database = async |watch: &mut Watch| {
            let pages = watch.look(&town.database, &town.config).await;
            pages.into_iter().filter(|page| page.subject == "database").map(|page| page.event).collect::<Vec<_>>()
        };
        sql("ALTER TABLE alarms RENAME TO alarms_away").await;
        assert!(of_database(&mut watch).await.is_empty(), "a moment is nothing");
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert_eq!(of_database(&mut watch).await, ["alarm.raised"]);
        assert!(of_database(&mut watch).await.is_empty());
        sql("ALTER TABLE alarms_away RENAME TO alarms").await;
        assert_eq!(of_database(&mut watch).await, ["alarm.cleared"]);
        assert!(of_database(&mut watch).await.is_empty());
    })
    .await;
}
