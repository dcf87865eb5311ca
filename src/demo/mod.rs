//! A believable town on an embedded database, without real mail or SMS: to look around in, and to play the main story in.

mod names;
mod outbox;
mod story;
mod town;

pub use town::{house_rules, member, plan};

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;

use crate::access::Recorder;
use crate::app;
use crate::config::Config;
use crate::config::{EmailTransport, SmsTransport};
use crate::storage::Durability;
use crate::values::Clock;
use crate::worker;

/// What the demonstration is told on the command line.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArguments {
    /// Begin anew: throw away what an earlier demonstration left in the folder.
    #[arg(long)]
    pub fresh: bool,
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Folder of the database, the key and the outbox.
    #[arg(long, default_value = "data")]
    pub data_dir: PathBuf,
    /// Members to invent, over three partnerships.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(3..=200_000))]
    pub members: u32,
    /// Play the story over HTTP, print one line of JSON, and stop.
    #[arg(long)]
    pub once: bool,
}

/// The settings of a demonstration: the defaults, this folder, files instead of mail and SMS, whatever the environment says.
fn settings(arguments: &DemoArguments, address: &str) -> anyhow::Result<Config> {
    let mut config = Config::defaults()?;
    config.data_dir = arguments.data_dir.to_string_lossy().into_owned();
    config.server.listen = address.to_owned();
    config.server.public_url = format!("http://{address}");
    config.email.transport = EmailTransport::File;
    config.sms.transport = SmsTransport::File;
    Ok(config)
}

/// Deletes what a demonstration makes, and nothing else.
fn begin_anew(folder: &Path) -> std::io::Result<()> {
    for name in ["vigie.sqlite", "vigie.sqlite-wal", "vigie.sqlite-shm", "keys", "demo.json"] {
        match std::fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    match std::fs::remove_dir_all(folder.join("outbox")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the town, serves it, and shows the way round; or plays the story once.
///
/// # Errors
/// When the folder or the address cannot be used, or the story does not go as it should.
#[expect(clippy::print_stdout, reason = "what was asked for on the command line is answered there")]
pub async fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    if arguments.fresh {
        begin_anew(&arguments.data_dir).with_context(|| format!("{}", arguments.data_dir.display()))?;
    }
    let wanted = if arguments.once { "127.0.0.1:0" } else { arguments.listen.as_str() };
    let listener = TcpListener::bind(wanted)
        .with_context(|| format!("{wanted} cannot be listened on; choose another with --listen"))?;
    let address = listener.local_addr()?.to_string();
    let config = Arc::new(settings(&arguments, &address)?);
    let database = app::open(&config, Clock::system(), Durability::Full)?;
    let town = town::make(&database, &config, arguments.members).await?;
    let (stop, stopping) = watch::channel(false);
    let rates = app::rates(&config);
    let recorder = Recorder::start(database.clone());
    let background = tokio::spawn(worker::run(
        database.clone(),
        worker::channels(&config)?,
        Arc::clone(&config),
        Arc::clone(&rates),
        stopping,
    ));
    let server = app::serve(&config, &database, &recorder, &rates, listener)?;
    let handle = server.handle();
    let served = tokio::spawn(server);
    let outcome = if arguments.once {
        story::play(&town, &config.server.public_url, &arguments.data_dir).await.map(|line| println!("{line}"))
    } else {
        println!("{}", story::guide(&town, &config.server.public_url, &arguments.data_dir));
        tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")
    };
    handle.stop(true).await;
    served.await??;
    stop.send(true)?;
    tokio::time::timeout(Duration::from_secs(30), background).await???;
    recorder.flush().await;
    outcome
}
