//! The background: couriers, the minute's duties, and an orderly stop.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio_cron_scheduler::{Job, JobScheduler};

use crate::access;
use crate::accounts;
use crate::config::Config;
use crate::config::EmailTransport;
use crate::config::SmsTransport;
use crate::delivery;
use crate::delivery::Channels;
use crate::delivery::Courier;
use crate::delivery::email::MailSender;
use crate::delivery::outbox::{FileMail, FileSms};
use crate::delivery::pager::Pager;
use crate::delivery::sms::{KannelChannel, KannelSettings};
use crate::delivery::smtp::{SmtpChannel, SmtpSettings, Tls};
use crate::http::Rates;
use crate::messages;
use crate::storage::Database;
use crate::storage::StorageError;
use crate::storage::Tx;

/// How long the address of a settled delivery is kept.
const ADDRESS_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Who mails are from.
fn sender(config: &Config) -> anyhow::Result<MailSender> {
    let email = &config.email;
    let reply_to = if email.reply_to.is_empty() { None } else { Some(Mailbox::new(None, email.reply_to.parse()?)) };
    Ok(MailSender {
        from: Mailbox::new(Some(email.from_name.clone()), email.from.parse()?),
        reply_to,
        domain: email.message_id_domain.clone(),
    })
}

/// The ways out that the settings name.
///
/// # Errors
/// When a setting cannot be used.
pub fn channels(config: &Config) -> anyhow::Result<Channels> {
    let outbox = std::path::Path::new(&config.data_dir).join("outbox");
    let email: Arc<dyn delivery::channel::Channel> = match config.email.transport {
        EmailTransport::File => Arc::new(FileMail { directory: outbox.clone(), sender: sender(config)? }),
        EmailTransport::Smtp => {
            let email = &config.email;
            let password = Some(email.password.clone()).filter(|password| !password.expose_secret().is_empty());
            let root = if email.root_certificate.is_empty() {
                None
            } else {
                Some(std::fs::read_to_string(&email.root_certificate)?)
            };
            Arc::new(SmtpChannel::new(SmtpSettings {
                host: email.host.clone(),
                port: email.port,
                tls: match email.tls {
                    crate::config::Tls::None => Tls::None,
                    crate::config::Tls::Starttls => Tls::StartTls,
                    crate::config::Tls::Implicit => Tls::Implicit,
                },
                username: Some(email.username.clone()).filter(|user| !user.is_empty()),
                password,
                sender: sender(config)?,
                connections: email.connections,
                timeout: Duration::from_secs(email.timeout_seconds),
                hello_name: None,
                extra_root_certificate_pem: root,
                provider: "smtp".to_owned(),
            })?)
        }
    };
    let sms: Arc<dyn delivery::channel::Channel> = match config.sms.transport {
        SmsTransport::File => Arc::new(FileSms::new(outbox.join("sms.jsonl"))),
        SmsTransport::Kannel => {
            let sms = &config.sms;
            Arc::new(KannelChannel::new(KannelSettings {
                url: sms.url.clone(),
                username: sms.username.clone(),
                password: sms.password.clone(),
                sender: sms.sender.clone(),
                in_flight: sms.in_flight,
                timeout: Duration::from_secs(sms.timeout_seconds),
                max_parts: sms.parts_max,
                provider: "kannel".to_owned(),
            })?)
        }
    };
    Ok(Channels { email, sms })
}

/// What the background does; runs until `stop` says so.
///
/// # Errors
/// When the scheduler cannot start.
pub async fn run(
    database: Database,
    channels: Channels,
    config: Arc<Config>,
    rates: Arc<Rates>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut scheduler = JobScheduler::new().await?;
    let (duties, budgets) = (database.clone(), Arc::clone(&rates));
    // One tick a minute in UTC; what is due is a question to the database, so a missed tick or a second node does no harm.
    let tick = Job::new_async("0 * * * * *", move |_, _| {
        let (duties, budgets) = (duties.clone(), Arc::clone(&budgets));
        Box::pin(async move {
            budgets.forget_the_quiet();
            if let Err(error) = minute(&duties).await {
                tracing::warn!(%error, "the minute's duties were not all done");
            }
        })
    })?;
    scheduler.add(tick).await?;
    scheduler.start().await?;
    let mut stopping = stop.clone();
    let settling = database.clone();
    let settle = async move {
        // Messages whose last delivery has been settled are closed within a second.
        while !*stopping.borrow() {
            if let Err(error) = settling.writing(messages::close_dispatched).await {
                tracing::warn!(%error, "messages could not be closed yet");
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                _ = stopping.changed() => {}
            }
        }
    };
    let watch = watches(database.clone(), Arc::clone(&config), stop.clone());
    let courier = Courier::new(database, channels, config);
    tokio::join!(courier.run(stop), settle, watch);
    scheduler.shutdown().await?;
    Ok(())
}

/// Looks once a second whether something is wrong that somebody must mend.
async fn watches(database: Database, config: Arc<Config>, mut stop: watch::Receiver<bool>) {
    delivery::metrics::begin();
    let pager = Pager::new(&config.alarm);
    let mut watch = messages::Watch::default();
    // Nobody left who could say "stop" is a stop too.
    while !*stop.borrow() && stop.has_changed().is_ok() {
        for page in watch.look(&database, &config).await {
            pager.tell(page);
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = stop.changed() => {}
        }
    }
}

/// One duty, done in a transaction of its own.
type Duty = fn(&mut Tx<'_>) -> Result<(), StorageError>;

/// What is looked at every minute. Each duty in a transaction of its own, and all of them whatever becomes of the others:
/// a fault in one must not make us keep addresses for longer.
///
/// # Errors
/// The first fault, after all have had their turn.
pub async fn minute(database: &Database) -> Result<(), StorageError> {
    let duties: [Duty; 5] = [
        |tx| access::forget_old_answers(tx).map(drop),
        |tx| access::forget_old_throttles(tx).map(drop),
        |tx| accounts::forget_old_tokens(tx).map(drop),
        |tx| {
            let before = tx.now()?.minus(ADDRESS_LIFE);
            delivery::forget_settled(tx, before).map(drop)
        },
        |tx| messages::expire_unreleased(tx).map(drop),
    ];
    let mut outcome = Ok(());
    for duty in duties {
        outcome = outcome.and(database.writing(duty).await);
    }
    outcome
}
