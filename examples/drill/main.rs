//! The driver of the benchmarks and of the fault scripts: makes towns, lets messages be approved over HTTP, waits for
//! their end, checks what must hold afterwards, and plays the other side where a benchmark needs one.
//!
//! Everything is read from the settings of the server (`--config FILE` and `VIGIE__…`), answers are one line of JSON on
//! standard output, and the exit status says whether it went well.
#![allow(clippy::print_stdout, reason = "what was asked for on the command line is answered there")]

mod approve;
mod caller;
mod check;
mod delay;
mod disk;
mod fill;
mod ledger;
mod sink;
mod sms;
mod stock;
mod town;
mod wait;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use serde_json::Value;
use vigie::config::Config;

/// Drives a Vigie for benchmarks and fault scripts.
#[derive(Parser)]
#[command(name = "drill", version)]
struct Arguments {
    /// The settings file of the server; what it leaves out has defaults, and VIGIE__SECTION__KEY wins.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}
#[derive(Subcommand)]
enum Command {
    /// Make a town with one partnership in the configured database, and write its credentials to a file.
    Town(town::Arguments),
    /// Have one urgent message drafted, submitted and approved over HTTP.
    Approve(approve::Arguments),
    /// The same for a message that is not urgent.
    Newsletter(approve::Arguments),
    /// Have the officer and the coordinator sign in and look round, so that the server is warm.
    Warm(approve::WarmArguments),
    /// Wait until the deliveries of a message are final, and say when and how they ended.
    Wait(wait::Arguments),
    /// How many deliveries wait or are under way at this moment, whatever they belong to.
    Waiting,
    /// Check what must hold of a message, in the database and in what the other side took down.
    Check(check::Arguments),
    /// Put waiting deliveries into the queue.
    Fill(fill::Arguments),
    /// A mail server that takes everything, and writes down whom it heard of if told to.
    Sink(sink::Arguments),
    /// Load an SMS gateway as fast as it takes it, and count its reports.
    Sms(sms::Arguments),
    /// A TCP proxy that adds a round-trip time.
    Delay(delay::Arguments),
    /// How long a durable write takes on the disk of a folder.
    Disk(disk::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("drill: {error:#}");
            ExitCode::FAILURE
        }
    }
}
async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let config = || Config::load(arguments.config.as_deref()).context("settings");
    match arguments.command {
        Command::Town(told) => said(&town::make(config()?, told).await?),
        Command::Approve(told) => approved(&approve::run(config, told, approve::Wish::Urgent).await?)?,
        Command::Newsletter(told) => approved(&approve::run(config, told, approve::Wish::Newsletter).await?)?,
        Command::Warm(told) => said(&approve::warm(told).await?),
        Command::Wait(told) => {
            let outcome = wait::run(&config()?, told).await?;
            let is_final = outcome.get("final") == Some(&Value::Bool(true));
            said(&outcome);
            anyhow::ensure!(is_final, "not final in time");
        }
        Command::Waiting => said(&wait::waiting(&config()?)?),
        Command::Check(told) => {
            let report = check::run(&config()?, told).await?;
            let passed = report.get("passed") == Some(&Value::Bool(true));
            said(&report);
            anyhow::ensure!(passed, "something does not hold");
        }
        Command::Fill(told) => said(&fill::run(&config()?, told).await?),
        Command::Sink(told) => sink::run(told).await?,
        Command::Sms(told) => said(&sms::run(&config()?, told).await?),
        Command::Delay(told) => delay::run(told).await?,
        Command::Disk(told) => said(&disk::run(&told)?),
    }
    Ok(())
}
/// An approval that was not waited for says nothing of its end.
fn approved(answer: &Value) -> anyhow::Result<()> {
    said(answer);
    anyhow::ensure!(answer.get("final") != Some(&Value::Bool(false)), "not final in time");
    Ok(())
}
fn said(answer: &Value) {
    println!("{answer}");
}
