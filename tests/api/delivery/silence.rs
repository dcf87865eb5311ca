//! SMS on which no report ever comes (fault F30): after three days "accepted" is all that will be known, and it says so.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use vigie::delivery::{Channel, Lane, REPORT_WAIT, State, give_up_reports};
use vigie::on_either;
use vigie::worker;

use super::desk::{HOUR, attempts_of, post, row, rows, text};
use super::plans::{plans, scans};
use crate::messages::{burglary, sent};
use crate::support::{Town, on_both};

const SECOND: Duration = Duration::from_secs(1);

async fn given_up(town: &Town) -> usize {
    town.db(give_up_reports).await
}
async fn stands(town: &Town, batch: uuid::Uuid) -> (State, Option<String>) {
    let row = row(town, batch).await;
    (row.state, row.reason)
}
fn silent() -> (State, Option<String>) {
    (State::Accepted, Some("no report".to_owned()))
}

/// Accept M10, M11: not called delivered, not sent again, and raised by a report that comes all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_sms_that_nobody_reports_on_says_so_after_three_days() {
    on_both(async |town| {
        let batch = text(town).await;
        town.delivers_everything().await;
        let sms = town.post_office.sms().pop().unwrap();
        town.passes(REPORT_WAIT - SECOND);
        assert_eq!(given_up(town).await, 0);
        assert_eq!(stands(town, batch).await, (State::Accepted, None));
        town.passes(SECOND);
        worker::minute(&town.database).await.unwrap();
        assert_eq!(stands(town, batch).await, silent());
        town.passes(HOUR);
        worker::minute(&town.database).await.unwrap();
        town.delivers_everything().await;
        assert_eq!(attempts_of(town, row(town, batch).await.id).await.len(), 1, "nothing is sent again");
        assert_eq!(town.post_office.gateway.reports(&sms, 1, "F00").await, 200);
        assert_eq!(stands(town, batch).await, (State::AtHandset, None));
        assert_eq!(given_up(town).await, 0);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_gateway_took_and_left_unsaid_is_given_up() {
    on_both(async |town| {
        let mail = post(town, Channel::Email, Lane::Urgent, "member", 1, HOUR).await;
        let reported = text(town).await;
        town.delivers_everything().await;
        let sms = town.post_office.sms().pop().unwrap();
        assert_eq!(town.post_office.gateway.reports(&sms, 8, "F00").await, 200);
        let unanswered = text(town).await;
        town.delivers_everything().await;
        town.db(|tx| {
            let lost =
                "UPDATE deliveries SET reason = 'no answer: closed' WHERE state = 'accepted' AND channel = 'sms'";
            Ok(on_either!(tx, |c| c.batch_execute(lost))?)
        })
        .await;
        town.passes(REPORT_WAIT);
        assert_eq!(given_up(town).await, 0);
        assert_eq!(stands(town, mail).await, (State::Accepted, None), "nobody reports on mails that arrive");
        assert_eq!(stands(town, reported).await, (State::AtOperator, None));
        assert_eq!(stands(town, unanswered).await, (State::Accepted, Some("no answer: closed".to_owned())));
    })
    .await;
}
/// So many in one transaction, the rest a minute later, none left out.
#[tokio::test(flavor = "multi_thread")]
async fn many_are_given_up_in_batches() {
    on_both(async |town| {
        let batch = post(town, Channel::Sms, Lane::NonUrgent, "member", 1_100, HOUR).await;
        let now = town.clock.now();
        town.db(move |tx| {
            use vigie::storage::schema::deliveries as d;
            diesel::update(d::table)
                .set((
                    d::state.eq(State::Accepted),
                    d::due_at.eq(None::<vigie::values::Timestamp>),
                    d::settled_at.eq(Some(now)),
                ))
                .execute(tx.db())?;
            Ok(())
        })
        .await;
        town.passes(REPORT_WAIT);
        assert_eq!((given_up(town).await, given_up(town).await, given_up(town).await), (1_000, 100, 0));
        assert!(rows(town, batch).await.iter().all(|row| row.reason.as_deref() == Some("no report")));
        // What is settled later is looked at later.
        let later = text(town).await;
        town.delivers_everything().await;
        town.passes(REPORT_WAIT);
        assert_eq!(given_up(town).await, 1);
        assert_eq!(stands(town, later).await, silent());
    })
    .await;
}
/// What the police see of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_progress_of_a_message_counts_them() {
    on_both(async |town| {
        let hood = town.neighbourhood(3).await;
        let message = sent(town, &hood, burglary()).await;
        town.delivers_everything().await;
        let progress = async |town: &Town| {
            let officer = town.signs_in(&hood.officer).await;
            town.get(&format!("/api/v1/messages/{message}/progress"), &officer).await.expect(200).json
        };
        assert_eq!(progress(town).await["without_report"], 0);
        town.passes(REPORT_WAIT);
        worker::minute(&town.database).await.unwrap();
        let progress = progress(town).await;
        assert_eq!(progress["without_report"], progress["handed_over"]["sms"]);
        assert_eq!(progress["without_report"], progress["states"]["sms"]["accepted"]);
        assert!(progress["without_report"].as_i64().unwrap() > 0);
    })
    .await;
}

/// The search walks the part of an index that was settled since the last look.
#[tokio::test(flavor = "multi_thread")]
async fn the_search_reads_no_more_than_what_was_settled_since() {
    on_both(async |town| {
        post(town, Channel::Sms, Lane::NonUrgent, "old", 5_000, HOUR).await;
        let plans: Vec<String> = town
            .db(|tx| {
                let settle = "UPDATE deliveries SET state = 'accepted', due_at = NULL, settled_at = created_at, \
                              reason = 'no report', address = CASE WHEN id % 100 = 0 THEN address END; ANALYZE";
                on_either!(tx, |c| c.batch_execute(settle))?;
                plans(tx, "deliveries.address IS NOT NULL", |tx| give_up_reports(tx).map(drop))
            })
            .await;
        assert_eq!(plans.len(), 1);
        for plan in plans {
            assert!(plan.contains("deliveries_to_forget"), "{plan}");
            assert!(scans(&plan).is_empty(), "{plan}");
            assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "the index gives the order too: {plan}");
        }
    })
    .await;
}
