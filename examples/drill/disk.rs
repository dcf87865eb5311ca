//! The disk: how long it takes until four kilobytes are safe. Every commit waits for this.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder whose disk is asked.
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// How often.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
}

pub(crate) fn run(told: &Arguments) -> anyhow::Result<Value> {
    let path = told.folder.join(format!(".drill-disk-{}", std::process::id()));
    let mut file = OpenOptions::new().create_new(true).append(true).open(&path)?;
    let mut took = Vec::with_capacity(told.rounds);
    for _ in 0..told.rounds {
        file.write_all(&[7; 4096])?;
        let started = Instant::now();
        file.sync_data()?;
        took.push(u64::try_from(started.elapsed().as_micros())?);
    }
    drop(file);
    std::fs::remove_file(&path)?;
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).or(took.last());
    Ok(json!({ "fdatasync_us_median": at(50), "fdatasync_us_p95": at(95), "rounds": told.rounds }))
}
