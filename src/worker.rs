//! The background: couriers, the minute's duties, and an orderly stop.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::access;
use crate::accounts;
use crate::config::Config;
use crate::config::{EmailTransport, Relay};
use crate::config::{Gateway, SmsTransport};
use crate::delivery;
use crate::delivery::Channels;
use crate::delivery::Courier;
use crate::delivery::Provider;
use crate::delivery::email::MailSender;
use crate::delivery::outbox::{FileMail, FileSms};
use crate::delivery::pager::Pager;
use crate::delivery::sms::{KannelChannel, KannelSettings};
use crate::delivery::smtp::{SmtpChannel, SmtpSettings, Tls};
use crate::doctor;
use crate::http::Rates;
use crate::members;
use crate::messages;
use crate::storage::Database;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::keep_time;

const MINUTE: Duration = Duration::from_secs(60);
/// How long the address of a settled delivery is kept.
const ADDRESS_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Whose turn it is to examine our mail.
const MAIL_TURN: access::Throttle =
    access::Throttle { name: "mail_examination", most: 1, window: Duration::from_secs(3600) };

/// The ways out that the settings name: for each channel the first provider, and the second if there is one.
///
/// # Errors
/// When a setting cannot be used.
pub fn channels(config: &Config) -> anyhow::Result<Channels> {
    let outbox = std::path::Path::new(&config.data_dir).join("outbox");
    let mut email = Vec::new();
    match config.email.transport {
        EmailTransport::File => {
            email.push(Provider::new(
                Arc::new(FileMail { directory: outbox.clone(), sender: MailSender::of(config)? }),
                0,
            ));
        }
        EmailTransport::Smtp => {
            email.push(relay(config, config.email.first(), "smtp")?);
            if !config.email.second.host.is_empty() {
                email.push(relay(config, config.email.second.clone(), "smtp-second")?);
            }
        }
    }
    let mut sms = Vec::new();
    match config.sms.transport {
        SmsTransport::File => sms.push(Provider::new(Arc::new(FileSms::new(outbox.join("sms.jsonl"))), 0)),
        SmsTransport::Kannel => {
            sms.push(gateway(config, config.sms.first(), "kannel")?);
            if !config.sms.second.url.is_empty() {
                sms.push(gateway(config, config.sms.second.clone(), "kannel-second")?);
            }
        }
    }
    Ok(Channels { email, sms })
}
fn relay(config: &Config, relay: Relay, name: &str) -> anyhow::Result<Provider> {
    let root =
        if relay.root_certificate.is_empty() { None } else { Some(std::fs::read_to_string(&relay.root_certificate)?) };
    let channel = SmtpChannel::new(SmtpSettings {
        host: relay.host,
        port: relay.port,
        tls: match relay.tls {
            crate::config::Tls::None => Tls::None,
            crate::config::Tls::Starttls => Tls::StartTls,
            crate::config::Tls::Implicit => Tls::Implicit,
        },
        username: Some(relay.username).filter(|user| !user.is_empty()),
        password: Some(relay.password).filter(|password| !password.expose_secret().is_empty()),
        sender: MailSender::of(config)?,
        connections: relay.connections,
        timeout: Duration::from_secs(relay.timeout_seconds),
        hello_name: None,
        extra_root_certificate_pem: root,
        provider: name.to_owned(),
    })?;
    Ok(Provider::new(Arc::new(channel), relay.per_second))
}
fn gateway(config: &Config, gateway: Gateway, name: &str) -> anyhow::Result<Provider> {
    let channel = KannelChannel::new(KannelSettings {
        url: gateway.url,
        username: gateway.username,
        password: gateway.password,
        sender: config.sms.sender.clone(),
        in_flight: gateway.in_flight,
        timeout: Duration::from_secs(gateway.timeout_seconds),
        max_parts: config.sms.parts_max,
        provider: name.to_owned(),
    })?;
    Ok(Provider::new(Arc::new(channel), gateway.per_second))
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
    let pager = Pager::new(&config.alarm)?;
    let ticks = ticks(database.clone(), rates, Arc::clone(&config), stop.clone());
    let mut stopping = stop.clone();
    let settling = database.clone();
    let settle = async move {
        // Within a second the other channel takes over from one that failed, and messages whose last delivery has been
        // settled are closed. At first everything is looked at that failed while nobody was there.
        let mut look = messages::Look::All;
        // Nobody left who could say "stop" is a stop too.
        while !*stopping.borrow() && stopping.has_changed().is_ok() {
            match messages::take_over(&settling, look).await {
                Ok(_) => look = messages::Look::Recent,
                Err(error) => tracing::warn!(%error, "the other channel could not take over yet"),
            }
            if let Err(error) = settling.writing(messages::close_dispatched).await {
                tracing::warn!(%error, "messages could not be closed yet");
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                _ = stopping.changed() => {}
            }
        }
    };
    let watch = watches(database.clone(), Arc::clone(&config), pager, stop.clone());
    let courier = Courier::new(database, channels, config);
    tokio::join!(courier.run(stop), settle, watch, ticks);
    Ok(())
}

/// The minutes, counted and not read off the wall: a clock that is set does not keep them from coming. What is due is a
/// question to the database, so a missed minute or a second node does no harm.
async fn ticks(database: Database, budgets: Arc<Rates>, config: Arc<Config>, mut stop: watch::Receiver<bool>) {
    let mut minutes = tokio::time::interval(minute_of_duties());
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Nobody left who could say "stop" is a stop too.
    while !*stop.borrow() && stop.has_changed().is_ok() {
        tokio::select! {
            _ = minutes.tick() => {}
            _ = stop.changed() => continue,
        }
        budgets.forget_the_quiet();
        // A stop waits for nobody's name server.
        tokio::select! {
            () = duties(&database, &config) => {}
            _ = stop.changed() => {}
        }
    }
}

/// A fault script may shorten it, in milliseconds: `FAILPOINTS=cron.minute=return(2000)`.
fn minute_of_duties() -> Duration {
    #[cfg(feature = "failpoints")]
    if let Some(millis) = fail::eval("cron.minute", |told| told.and_then(|millis| millis.parse().ok())).flatten() {
        return Duration::from_millis(millis);
    }
    MINUTE
}

/// Looks once a second whether something is wrong that somebody must mend.
async fn watches(database: Database, config: Arc<Config>, pager: Pager, mut stop: watch::Receiver<bool>) {
    delivery::metrics::begin();
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
async fn duties(database: &Database, config: &Config) {
    if let Err(error) = minute(database).await {
        tracing::warn!(%error, "the minute's duties were not all done");
    }
    if let Err(error) = ask_about_mail(database, config).await {
        tracing::warn!(%error, "whether our mail can be told from forgeries was not asked");
    }
}
async fn ask_about_mail(database: &Database, config: &Config) -> anyhow::Result<()> {
    if doctor::Subject::matters(config) {
        let server = config.email.name_server().map_err(anyhow::Error::msg)?;
        examine_mail(database, config, &doctor::Dns::new(server)?).await?;
    }
    Ok(())
}
/// Examines once a day whether others can tell our mail from forgeries, on one node; says aloud when they no longer can.
/// Sending goes on: an alert must leave all the same.
///
/// # Errors
/// When the database fails.
pub async fn examine_mail(
    database: &Database,
    config: &Config,
    resolver: &dyn doctor::Resolver,
) -> Result<Option<doctor::Verdict>, StorageError> {
    let subject = doctor::Subject::of(config);
    let asked = subject.clone();
    // Counted in the database: of several nodes one asks, and one that died while asking is replaced an hour later.
    let turn = move |tx: &mut Tx<'_>| -> Result<Option<_>, StorageError> {
        let is_ours = doctor::is_due(tx, &asked)? && access::take(tx, MAIL_TURN, &asked.fingerprint())?.is_ok();
        if is_ours { tx.now().map(Some) } else { Ok(None) }
    };
    let Some(now) = database.writing(turn).await? else { return Ok(None) };
    let report = doctor::examine(resolver, &subject, now).await;
    let verdict = report.verdict;
    let (domain, summary) = (report.domain.clone(), report.summary());
    let before = database.writing(move |tx| doctor::record(tx, &subject, &report)).await?;
    match verdict {
        doctor::Verdict::Passed => tracing::info!(domain, "our mail can be told from forgeries"),
        doctor::Verdict::Failed if before == Some(doctor::Verdict::Passed) => {
            tracing::error!(domain, ?summary, "our mail can no longer be told from forgeries: run `vigie doctor mail`");
        }
        doctor::Verdict::Failed | doctor::Verdict::Unknown => {
            tracing::warn!(domain, ?summary, "our mail is not verified: run `vigie doctor mail`");
        }
    }
    Ok(Some(verdict))
}

/// One duty, done in a transaction of its own.
type Duty = fn(&mut Tx<'_>) -> Result<(), StorageError>;

/// What is looked at every minute. Each duty in a transaction of its own, and all of them whatever becomes of the others:
/// a fault in one must not make us keep addresses for longer. While the time is doubted nothing is forgotten at all.
///
/// # Errors
/// The first fault, after all have had their turn.
pub async fn minute(database: &Database) -> Result<(), StorageError> {
    if !database.writing(keep_time).await? {
        return Ok(());
    }
    let duties: [Duty; 10] = [
        |tx| access::forget_old_answers(tx).map(drop),
        |tx| access::forget_old_throttles(tx).map(drop),
        |tx| accounts::forget_old_tokens(tx).map(drop),
        // Before the addresses go: what has none is looked at no more.
        |tx| delivery::give_up_reports(tx).map(drop),
        |tx| {
            let before = tx.now()?.minus(ADDRESS_LIFE);
            delivery::forget_settled(tx, before).map(drop)
        },
        |tx| members::forget_inbound(tx).map(drop),
        |tx| members::suspend_unreachable(tx).map(drop),
        |tx| delivery::forget_old_faults(tx).map(drop),
        |tx| delivery::alarms::forget_old_alarms(tx).map(drop),
        |tx| messages::expire_unreleased(tx).map(drop),
    ];
    let mut outcome = Ok(());
    for duty in duties {
        let one = move |tx: &mut Tx<'_>| -> Result<(), StorageError> {
            duty(tx)?;
            crate::dies_at!("cron.after_claim");
            Ok(())
        };
        outcome = outcome.and(database.writing(one).await);
    }
    outcome.and(messages::take_over(database, messages::Look::All).await.map(drop))
}
