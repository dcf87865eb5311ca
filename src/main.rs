//! Vigie, the binary: reads the command and starts it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing_subscriber::EnvFilter;

use vigie::access::Recorder;
use vigie::accounts;
use vigie::app;
use vigie::app::mobile;
use vigie::app::queue;
use vigie::app::time;
use vigie::app::verify;
use vigie::config::Config;
use vigie::demo;
use vigie::doctor;
use vigie::messages;
use vigie::storage::Durability;
use vigie::storage::Keyring;
use vigie::values::Clock;
use vigie::values::EmailAddress;
use vigie::values::Id;
use vigie::values::of;
use vigie::worker;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// The queue: what waits, what is dead, what is wrong; and another try.
    Queue {
        #[command(subcommand)]
        command: Option<QueueCommand>,
    },
    /// Examinations of what surrounds this installation.
    Doctor {
        #[command(subcommand)]
        command: DoctorCommand,
    },
    /// Prove that what was handed over is what was approved; ends with 0 when it is, 3 when not all of it can be proved, 4
    /// when it is not.
    Verify {
        #[command(subcommand)]
        command: VerifyCommand,
    },
    /// Print the addresses that the SMS gateways have to know. They open what they name: treat them like passwords.
    Hooks,
    /// Print the address to which the mail server brings mails that come back. Whoever has it can report on deliveries.
    MailHook,
    /// The machine's clock, after it was wrong.
    Clock {
        #[command(subcommand)]
        command: ClockCommand,
    },
    /// Administrators, and the accounts of others where only whoever runs this can help.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}
#[derive(Subcommand)]
enum QueueCommand {
    /// Put what failed or expired of a message back into the queue, while it is still of use.
    Requeue {
        /// The message's identifier.
        #[arg(long)]
        message: Id<of::Message>,
    },
}
#[derive(Subcommand)]
enum ClockCommand {
    /// Believe the machine's clock although what is stored says otherwise. Stop the server first.
    Trust,
}
#[derive(Subcommand)]
enum KeysCommand {
    /// Print a new key file.
    New,
}
#[derive(Subcommand)]
enum DoctorCommand {
    /// Ask the DNS whether others can tell our mail from forgeries (SPF, DKIM, DMARC, PTR); ends with 0 when they can.
    Mail {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}
#[derive(Subcommand)]
enum VerifyCommand {
    /// One message: the hash under its approval, its texts, and the bytes of every attempt.
    Message {
        /// Its id.
        id: uuid::Uuid,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}
#[derive(Subcommand)]
enum AdminCommand {
    /// Invite the first administrator (federal service) by mail; refuses when there is one.
    Create(accounts::FirstAdministrator),
    /// Send SMS to an account's owner again, whose mobile number was suspended and works again.
    ReinstateMobile {
        /// The address of the account.
        #[arg(long, value_parser = EmailAddress::parse)]
        email: EmailAddress,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    #[cfg(feature = "failpoints")]
    let _failpoints = fail::FailScenario::setup();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(arguments))
}

#[expect(clippy::print_stdout, reason = "what was asked for on the command line is answered there")]
async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = || Config::load(arguments.config.as_deref()).context("settings");
    let done: anyhow::Result<()> = match arguments.command {
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
        Command::Doctor { command: DoctorCommand::Mail { json } } => {
            logs("warn");
            doctor_mail(&config()?, json).await
        }
        Command::Verify { command: VerifyCommand::Message { id, json } } => {
            logs("warn");
            return verify_message(config()?, id, json).await;
        }
        Command::Hooks => {
            print!("{}", app::hooks(&config()?)?);
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
        Command::Admin { command: AdminCommand::ReinstateMobile { email } } => {
            logs("info");
            let database = app::open(&config()?, Clock::system(), Durability::Full)?;
            print!("{}", mobile::reinstated(&database, &email)?);
            Ok(())
        }
        Command::Queue { command } => {
            logs("warn");
            let database = app::open(&config()?, Clock::system(), Durability::Full)?;
            let told = match command {
                None => queue::told(&database)?,
                Some(QueueCommand::Requeue { message }) => queue::requeued(&database, message)?,
            };
            print!("{told}");
            Ok(())
        }
        Command::Clock { command: ClockCommand::Trust } => {
            logs("warn");
            print!("{}", time::trusted(&app::open(&config()?, Clock::system(), Durability::Full)?)?);
            Ok(())
        }
        Command::MailHook => {
            println!("{}", app::mail_hook(&config()?)?);
            Ok(())
        }
        Command::Serve => serve(config()?, true).await,
        Command::Work => serve(config()?, false).await,
    };
    done.map(|()| ExitCode::SUCCESS)
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

#[expect(clippy::print_stdout, reason = "what was asked for on the command line is answered there")]
async fn doctor_mail(config: &Config, json: bool) -> anyhow::Result<()> {
    let database = app::open(config, Clock::system(), Durability::Full)?;
    let subject = doctor::Subject::of(config);
    let resolver = doctor::Dns::new(config.email.name_server().map_err(anyhow::Error::msg)?)?;
    let now = database.reading(|tx| tx.now()).await?;
    let report = doctor::examine(&resolver, &subject, now).await;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    let verdict = report.verdict;
    database.writing(move |tx| doctor::record(tx, &subject, &report)).await?;
    anyhow::ensure!(verdict == doctor::Verdict::Passed, "the mail of this installation is not verified");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what was asked for on the command line is answered there")]
async fn verify_message(config: Config, id: uuid::Uuid, json: bool) -> anyhow::Result<ExitCode> {
    let database = app::open(&config, Clock::system(), Durability::Full)?;
    let proof = database
        .reading(move |tx| messages::prove(tx, &config, Id::from_uuid(id)))
        .await?
        .with_context(|| format!("no message {id} was ever approved here"))?;
    print!("{}", if json { verify::as_json(&proof)? } else { verify::told(&proof) });
    Ok(ExitCode::from(verify::exit_code(&proof)))
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
    // Listened to from here on: who is told to stop while starting stops in order too.
    let told = stop_signal()?;
    tokio::pin!(told);
    let mut background =
        tokio::spawn(worker::run(database.clone(), channels, Arc::clone(&config), Arc::clone(&rates), stopping));
    let recorder = Recorder::start(database.clone());
    let metrics = app::serve_metrics(&config.server.metrics_listen, &database)
        .with_context(|| format!("metrics on {}", config.server.metrics_listen))?;
    if with_api {
        let listener = TcpListener::bind(&config.server.listen).with_context(|| config.server.listen.clone())?;
        tracing::info!(listen = config.server.listen, database = database.name(), "serving");
        let server = app::serve(&config, &database, &recorder, &rates, listener)?;
        let handle = server.handle();
        let served = tokio::spawn(server);
        until_told(told, &mut background).await?;
        // Couriers first: nothing new is handed over while the last requests are answered.
        stop.send(true)?;
        handle.stop(true).await;
        served.await??;
    } else {
        tracing::info!(database = database.name(), "delivering");
        until_told(told, &mut background).await?;
        stop.send(true)?;
    }
    // A server that never answers must not keep us: what it holds is like after a crash, leased for 15 seconds more.
    match tokio::time::timeout(Duration::from_secs(config.server.stop_seconds), background).await {
        Ok(ended) => ended??,
        Err(_) => tracing::warn!("hand-overs did not end in time"),
    }
    recorder.flush().await;
    if let Some(metrics) = metrics {
        metrics.stop(false).await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Waits for the word to stop. A background that ends by itself ends everything: serving on without delivering would look
/// like health.
async fn until_told(
    told: impl Future<Output = ()>,
    background: &mut JoinHandle<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    tokio::select! {
        () = told => tracing::info!("stopping"),
        ended = background => {
            ended??;
            anyhow::bail!("the background ended by itself");
        }
    }
    Ok(())
}
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
