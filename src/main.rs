//! Vigie, the binary: reads the command and starts it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use vigie::access::Recorder;
use vigie::accounts;
use vigie::app;
use vigie::config::Config;
use vigie::demo;
use vigie::storage::Durability;
use vigie::storage::Keyring;
use vigie::values::Clock;
use vigie::worker;

/// Local prevention partnerships (PLP, BIN): one binary behind a REST API.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// A file with settings; what it leaves out has defaults, and VIGIE__SECTION__KEY in the environment wins.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}
#[derive(Subcommand)]
enum Command {
    /// Serve the API and deliver.
    Serve,
    /// Deliver only.
    Work,
    /// Bring the database up to date and stop.
    Migrate,
    /// Make a believable town and serve it, without real mail or SMS.
    Demo(demo::DemoArguments),
    /// Print the contract, or compare it with a file.
    Openapi {
        /// Exit with 1 when this file is not the contract of this binary.
        #[arg(long)]
        check: Option<PathBuf>,
    },
    /// Keys of the sealed columns.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Administrators.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}
#[derive(Subcommand)]
enum KeysCommand {
    /// Print a new key file.
    New,
}
#[derive(Subcommand)]
enum AdminCommand {
    /// Invite the first administrator (federal service) by mail; refuses when there is one.
    Create(accounts::FirstAdministrator),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(arguments))
}

#[expect(clippy::print_stdout, reason = "what was asked for on the command line is answered there")]
async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let config = || Config::load(arguments.config.as_deref()).context("settings");
    match arguments.command {
        Command::Openapi { check } => openapi(check),
        Command::Keys { command: KeysCommand::New } => {
            print!("{}", Keyring::fresh_file());
            Ok(())
        }
        Command::Demo(demo) => {
            logs("warn");
            demo::run(demo).await
        }
        Command::Migrate => {
            logs("info");
            app::open(&config()?, Clock::system(), Durability::Full)?;
            println!("the database is up to date");
            Ok(())
        }
        Command::Admin { command: AdminCommand::Create(first) } => {
            logs("info");
            let config = Arc::new(config()?);
            let database = app::open(&config, Clock::system(), Durability::Full)?;
            let told = accounts::create_first_administrator(&database, &config, first).await?;
            println!("{told}");
            Ok(())
        }
        Command::Serve => serve(config()?, true).await,
        Command::Work => serve(config()?, false).await,
    }
}

#[expect(clippy::print_stdout, reason = "what was asked for on the command line is answered there")]
fn openapi(check: Option<PathBuf>) -> anyhow::Result<()> {
    let contract = app::contract().and_then(vigie::access::Contract::openapi).map_err(anyhow::Error::msg)?.to_yaml()?;
    match check {
        None => print!("{contract}"),
        Some(file) => {
            let committed = std::fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
            anyhow::ensure!(
                committed == contract,
                "{} differs from the code: run `cargo run -- openapi > {}` and look at the difference",
                file.display(),
                file.display()
            );
        }
    }
    Ok(())
}

fn logs(default: &str) {
    let filter = EnvFilter::try_from_env("VIGIE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        .try_init();
}

async fn serve(config: Config, with_api: bool) -> anyhow::Result<()> {
    logs("info");
    let config = Arc::new(config);
    let database = app::open(&config, Clock::system(), Durability::Full)?;
    let (stop, stopping) = watch::channel(false);
    let rates = app::rates(&config);
    let channels = worker::channels(&config)?;
    let background =
        tokio::spawn(worker::run(database.clone(), channels, Arc::clone(&config), Arc::clone(&rates), stopping));
    let recorder = Recorder::start(database.clone());
    if with_api {
        let listener = TcpListener::bind(&config.server.listen).with_context(|| config.server.listen.clone())?;
        tracing::info!(listen = config.server.listen, database = database.name(), "serving");
        let server = app::serve(&config, &database, &recorder, &rates, listener)?;
        let handle = server.handle();
        let served = tokio::spawn(server);
        stop_signal().await;
        tracing::info!("stopping");
        handle.stop(true).await;
        served.await??;
    } else {
        tracing::info!(database = database.name(), "delivering");
        stop_signal().await;
        tracing::info!("stopping");
    }
    stop.send(true)?;
    background.await??;
    recorder.flush().await;
    tracing::info!("stopped");
    Ok(())
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
