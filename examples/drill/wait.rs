//! Waiting for the end of a message: looks into the database, and says when and how its deliveries ended.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use diesel::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;
use vigie::config::Config;
use vigie::delivery;
use vigie::storage::schema::{attempts, deliveries, message_versions, messages, receipts};
use vigie::storage::{Database, Tx};
use vigie::values::{Id, Timestamp, of};

use crate::stock::{Failed, now, open};

/// Between two looks, at the end of a message.
const PAUSE_MIN: Duration = Duration::from_millis(4);
/// Between two looks, while much is still open: every look costs the server a little.
const PAUSE_MAX: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file of the town; not needed, and taken so that all commands may be given the same.
    #[arg(long)]
    town: Option<PathBuf>,
    /// The message.
    #[arg(long, required_unless_present = "batch")]
    message: Option<String>,
    /// A batch, as `fill` names it.
    #[arg(long)]
    batch: Option<Uuid>,
    /// Seconds at most.
    #[arg(long, default_value_t = 120)]
    within: u64,
    /// Enough as soon as so many more are settled than at the first look.
    #[arg(long)]
    until: Option<i64>,
    /// Wait until there are so many reports for each delivery that was handed over, too.
    #[arg(long)]
    reports_each: Option<i64>,
}
/// Whose deliveries.
#[derive(Debug, Clone)]
pub(crate) enum Whose {
    Message(String),
    Batch(Uuid),
}

pub(crate) async fn run(config: &Config, told: Arguments) -> anyhow::Result<Value> {
    let whose = match (told.batch, told.message) {
        (Some(batch), _) => Whose::Batch(batch),
        (None, Some(message)) => Whose::Message(message),
        (None, None) => anyhow::bail!("which message?"),
    };
    let mut outcome = watch(config, whose.clone(), told.until, told.within).await?;
    if let Some(each) = told.reports_each {
        let reported = reported(config, &whose, each, told.within).await?;
        if let (Some(outcome), Value::Object(reported)) = (outcome.as_object_mut(), reported) {
            outcome.extend(reported);
        }
    }
    Ok(outcome)
}

pub(crate) fn read<T>(database: &Database, look: impl FnOnce(&mut Tx<'_>) -> Result<T, Failed>) -> anyhow::Result<T> {
    database.read(look).map_err(|Failed(error)| error)
}
/// The batch of the version of a message that was approved.
pub(crate) fn batch_of(config: &Config, message: &str) -> anyhow::Result<Uuid> {
    batch_in(&open(config)?, message)
}
pub(crate) fn batch_in(database: &Database, message: &str) -> anyhow::Result<Uuid> {
    let id: Id<of::Message> = Id::parse(message).context("not the identifier of a message")?;
    let version: Option<Id<of::MessageVersion>> = read(database, |tx| {
        let number: Option<i32> =
            messages::table.filter(messages::id.eq(id)).select(messages::current_version).first(tx.db()).optional()?;
        let Some(number) = number else { return Ok(None) };
        Ok(message_versions::table
            .filter(message_versions::message_id.eq(id))
            .filter(message_versions::number.eq(number))
            .select(message_versions::id)
            .first(tx.db())
            .optional()?)
    })?;
    Ok(version.context("there is no such message")?.uuid())
}

fn counted(database: &Database, batch: Uuid) -> anyhow::Result<(i64, i64)> {
    let batch = Id::<of::Batch>::from_uuid(batch);
    read(database, |tx| {
        let all = deliveries::table.filter(deliveries::batch_id.eq(batch)).count().get_result(tx.db())?;
        let open = deliveries::table
            .filter(deliveries::batch_id.eq(batch))
            .filter(deliveries::settled_at.is_null())
            .count()
            .get_result(tx.db())?;
        Ok((all, open))
    })
}
fn open_of(database: &Database, batch: Uuid) -> anyhow::Result<i64> {
    let batch = Id::<of::Batch>::from_uuid(batch);
    read(database, |tx| {
        Ok(deliveries::table
            .filter(deliveries::batch_id.eq(batch))
            .filter(deliveries::settled_at.is_null())
            .count()
            .get_result(tx.db())?)
    })
}

/// Attempts without an answer.
fn unanswered_of(database: &Database, batch: Uuid) -> anyhow::Result<i64> {
    let batch = Id::<of::Batch>::from_uuid(batch);
    read(database, |tx| {
        Ok(attempts::table
            .inner_join(deliveries::table.on(deliveries::id.eq(attempts::delivery_id)))
            .filter(deliveries::batch_id.eq(batch))
            .filter(attempts::finished_at.is_null())
            .count()
            .get_result(tx.db())?)
    })
}

/// Looks until nothing is open, or until enough is settled. An outage of the database is waited out too.
pub(crate) async fn watch(config: &Config, whose: Whose, until: Option<i64>, seconds: u64) -> anyhow::Result<Value> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let (database, batch, (all, open_at_first)) = loop {
        let opened = open(config).and_then(|database| {
            let batch = match &whose {
                Whose::Batch(batch) => *batch,
                Whose::Message(message) => batch_in(&database, message)?,
            };
            let counts = counted(&database, batch)?;
            Ok((database, batch, counts))
        });
        match opened {
            Ok(opened) => break opened,
            Err(error) if Instant::now() > end => return Err(error),
            Err(_) => tokio::time::sleep(PAUSE_MAX).await,
        }
    };
    let first_look_at = now();
    let enough = until.map_or(0, |until| (open_at_first - until).max(0));
    let mut left = open_at_first;
    let mut seen_at = first_look_at;
    while left > enough && Instant::now() < end {
        // A look at many rows costs more, and the end is then still far.
        let pause = Duration::from_micros(u64::try_from(left - enough).unwrap_or(0) * 10);
        tokio::time::sleep(pause.clamp(PAUSE_MIN, PAUSE_MAX)).await;
        if let Ok(open) = open_of(&database, batch) {
            (left, seen_at) = (open, now());
        }
    }
    // A report may have ended a delivery before the answer to its attempt was written down. The look itself costs time, so
    // the moment before it counts where nothing was open.
    let mut unanswered = 0;
    if left == 0 {
        loop {
            unanswered = unanswered_of(&database, batch).unwrap_or(1);
            if unanswered == 0 || Instant::now() > end {
                break;
            }
            tokio::time::sleep(PAUSE_MIN).await;
            seen_at = now();
        }
    }
    let mut outcome = json!({
        "batch": batch, "final": left <= enough && unanswered == 0, "planned": all, "waiting": left,
        "first_look_at": first_look_at, "seen_at": seen_at
    });
    let told = summary(&database, batch)?;
    if let (Some(outcome), Value::Object(told)) = (outcome.as_object_mut(), told) {
        outcome.extend(told);
    }
    Ok(outcome)
}

/// How many deliveries wait or are under way, whatever they belong to.
pub(crate) fn waiting(config: &Config) -> anyhow::Result<Value> {
    let (waiting, next) = read(&open(config)?, |tx| Ok(delivery::waiting(tx)?))?;
    Ok(json!({ "at": now(), "waiting": waiting, "next_due_at": next.map(Timestamp::micros) }))
}

/// How it went, from the rows.
fn summary(database: &Database, batch: Uuid) -> anyhow::Result<Value> {
    let mut states: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    for ((channel, state), count) in read(database, |tx| Ok(delivery::progress(tx, batch)?))? {
        states.entry(channel.as_str()).or_default().insert(state.as_str(), count);
    }
    let of_batch = deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch));
    let outcomes: Vec<(Option<String>, i64)> = read(database, |tx| {
        Ok(attempts::table
            .inner_join(deliveries::table.on(deliveries::id.eq(attempts::delivery_id)))
            .filter(of_batch)
            .group_by(attempts::outcome)
            .select((attempts::outcome, diesel::dsl::count_star()))
            .load(tx.db())?)
    })?;
    let outcomes: BTreeMap<String, i64> =
        outcomes.into_iter().map(|(outcome, count)| (outcome.unwrap_or_else(|| "open".to_owned()), count)).collect();
    let mut started: Vec<i64> = moments(read(database, |tx| {
        Ok(attempts::table
            .inner_join(deliveries::table.on(deliveries::id.eq(attempts::delivery_id)))
            .filter(of_batch)
            .select(attempts::started_at)
            .load::<Timestamp>(tx.db())?)
    })?);
    let mut accepted: Vec<i64> = moments(
        read(database, |tx| {
            Ok(attempts::table
                .inner_join(deliveries::table.on(deliveries::id.eq(attempts::delivery_id)))
                .filter(of_batch)
                .filter(attempts::outcome.eq(Some("accepted")))
                .select(attempts::finished_at)
                .load::<Option<Timestamp>>(tx.db())?)
        })?
        .into_iter()
        .flatten()
        .collect(),
    );
    started.sort_unstable();
    accepted.sort_unstable();
    let reports: Vec<(String, i64)> = read(database, |tx| {
        Ok(receipts::table
            .inner_join(deliveries::table.on(deliveries::id.eq(receipts::delivery_id)))
            .filter(of_batch)
            .group_by(receipts::code)
            .select((receipts::code, diesel::dsl::count_star()))
            .load(tx.db())?)
    })?;
    Ok(json!({
        "states": states,
        "attempts": outcomes,
        "first_started_at": started.first(),
        "last_started_at": started.last(),
        "first_accepted_at": accepted.first(),
        "half_accepted_at": quantile(&accepted, 50),
        "p95_accepted_at": quantile(&accepted, 95),
        "last_accepted_at": accepted.last(),
        "reports": reports.into_iter().collect::<BTreeMap<_, _>>(),
    }))
}
fn moments(rows: Vec<Timestamp>) -> Vec<i64> {
    rows.into_iter().map(Timestamp::micros).collect()
}
/// The moment by which so many per cent have happened.
fn quantile(sorted: &[i64], percent: usize) -> Option<i64> {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

/// Looks until every delivery that was handed over has so many reports; then says whether any was written down twice.
async fn reported(config: &Config, whose: &Whose, each: i64, seconds: u64) -> anyhow::Result<Value> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let database = open(config)?;
    let batch = match whose {
        Whose::Batch(batch) => *batch,
        Whose::Message(message) => batch_in(&database, message)?,
    };
    let of_batch = deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch));
    let wanted: i64 = each
        * read(&database, |tx| {
            Ok(deliveries::table
                .filter(of_batch)
                .filter(deliveries::attempts.gt(0))
                .count()
                .get_result::<i64>(tx.db())?)
        })?;
    let mut seen;
    loop {
        seen = read(&database, |tx| {
            Ok(receipts::table
                .inner_join(deliveries::table.on(deliveries::id.eq(receipts::delivery_id)))
                .filter(of_batch)
                .count()
                .get_result::<i64>(tx.db())?)
        })?;
        if seen >= wanted || Instant::now() > end {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let reported_at = now();
    let mut all: Vec<(i64, String)> = read(&database, |tx| {
        Ok(receipts::table
            .inner_join(deliveries::table.on(deliveries::id.eq(receipts::delivery_id)))
            .filter(of_batch)
            .select((receipts::delivery_id, receipts::code))
            .load(tx.db())?)
    })?;
    let rows = all.len();
    all.sort();
    all.dedup();
    let mut codes: BTreeMap<String, i64> = BTreeMap::new();
    for (_, code) in &all {
        *codes.entry(code.clone()).or_default() += 1;
    }
    let last: Option<Timestamp> = read(&database, |tx| {
        Ok(receipts::table
            .inner_join(deliveries::table.on(deliveries::id.eq(receipts::delivery_id)))
            .filter(of_batch)
            .select(diesel::dsl::max(receipts::received_at))
            .first(tx.db())?)
    })?;
    Ok(json!({
        "final": seen >= wanted, "reports": codes, "reports_wanted": wanted, "reports_twice": rows - all.len(),
        "reported_at": reported_at, "last_report_at": last.map(Timestamp::micros)
    }))
}
