//! Waiting deliveries, written straight into the queue as an approval writes them.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Value, json};
use vigie::config::Config;
use vigie::delivery::{Body, Channel, Fate, Lane, NewDelivery, enqueue, put_content};
use vigie::storage::StorageError;
use vigie::values::{Id, Language, of};

use crate::stock::{millis, now, open};

/// Rows in one transaction.
const AT_ONCE: u32 = 10_000;
const LIFE: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Lanes {
    Correction,
    Urgent,
    Letter,
    NonUrgent,
}
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Ways {
    Email,
    Sms,
}
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file of the town; not needed, and taken so that all commands may be given the same.
    #[arg(long)]
    town: Option<PathBuf>,
    /// How many.
    #[arg(long)]
    count: u32,
    /// How pressing.
    #[arg(long, value_enum, default_value_t = Lanes::NonUrgent)]
    lane: Lanes,
    /// By what.
    #[arg(long, value_enum, default_value_t = Ways::Email)]
    channel: Ways,
    /// Due only after so many seconds.
    #[arg(long, default_value_t = 0)]
    due_in: u64,
}

pub(crate) async fn run(config: &Config, told: Arguments) -> anyhow::Result<Value> {
    let started = now();
    let database = open(config)?;
    let batch = Id::<of::Batch>::new().uuid();
    let lane = match told.lane {
        Lanes::Correction => Lane::Correction,
        Lanes::Urgent => Lane::Urgent,
        Lanes::Letter => Lane::Letter,
        Lanes::NonUrgent => Lane::NonUrgent,
    };
    let channel = match told.channel {
        Ways::Email => Channel::Email,
        Ways::Sms => Channel::Sms,
    };
    let body = Body {
        subject: "Lettre du quartier".into(),
        text: format!("{}\n", "Une ligne de la lettre du quartier, ni longue ni courte. ".repeat(20)),
        html: None,
    };
    let content = database.writing(move |tx| put_content(tx, batch, Language::Fr, channel, &body)).await?;
    let mut begun = 0;
    while begun < told.count {
        let until = told.count.min(begun + AT_ONCE);
        database
            .writing(move |tx| {
                let now = tx.now()?;
                let one = |number: u32| NewDelivery {
                    person: Id::new(),
                    channel,
                    lane,
                    membership: None,
                    address: Some(match channel {
                        Channel::Email => format!("waiting{number}@waterloo.example"),
                        Channel::Sms => format!("+32471{:06}", number % 1_000_000),
                    }),
                    fate: Fate::Due { content, at: now.plus(Duration::from_secs(told.due_in)) },
                    deadline: now.plus(LIFE),
                };
                enqueue(tx, batch, (begun..until).map(one).collect()).map(drop)
            })
            .await
            .map_err(|error: StorageError| anyhow::anyhow!("{error}"))?;
        begun = until;
    }
    Ok(json!({ "batch": batch, "count": told.count, "lane": lane.number(), "took_ms": millis(now() - started) }))
}
