//! E-mail handed over to the relay: one transaction for each recipient, over connections that are kept and reused.
//!
//! lettre writes the mails, the commands and the proofs of who we are; the connection is our own. lettre's sends body and
//! final dot in two writes with Nagle's algorithm on (44 ms a mail), knows no pipelining, cannot tell a mail that was
//! never sent from one whose answer was lost, and believes what a stranger wrote before TLS began.
//!
//! Where the relay pipelines, a mail and the envelope of the next one leave in one write (RFC 2920): one round trip a mail.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::time::Instant;

use async_trait::async_trait;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::commands::Data;
use lettre::transport::smtp::commands::Ehlo;
use lettre::transport::smtp::commands::Mail;
use lettre::transport::smtp::commands::Rcpt;
use lettre::transport::smtp::commands::Starttls;
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use sha2::Digest as _;
use sha2::Sha256;
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::delivery::channel::Answer;
use crate::delivery::channel::Channel;
use crate::delivery::email::ComposeError;
use crate::delivery::email::MailSender;
use crate::delivery::email::Template;
use crate::delivery::email::recipient;
use crate::delivery::line::{Letter, Line, Wire, stuffed};
use crate::delivery::tray::Held;
use crate::delivery::tray::Tray;
use crate::values::Id;
use crate::values::of;

/// A connection unused for longer is not trusted any more: relays hang up on the idle.
const KEPT_FOR: Duration = Duration::from_secs(30);
/// A worker whom the relay refused a connection, while others have one, steps back for so long.
const FEWER: Duration = Duration::from_millis(200);
/// How often such a worker looks whether the others have one, while they are opening theirs.
const LOOK: Duration = Duration::from_millis(10);
/// Templates kept at once: each message has one a language, each letter of the system one of its own.
const TEMPLATES_KEPT: usize = 64;

/// How the connection to the relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: for a relay on the same machine.
    None,
    /// Asked for with STARTTLS. A relay that does not offer it gets no mail.
    StartTls,
    /// From the first byte (port 465).
    Implicit,
}

/// Which relay takes our mail, and how we speak to it.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// The relay's name, to which its certificate must be made out.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// As whom we sign in, if the relay wants that.
    pub username: Option<String>,
    /// With what.
    pub password: Option<SecretString>,
    /// As whom we write.
    pub sender: MailSender,
    /// How many connections may be open at once.
    pub connections: usize,
    /// How long one step (connect, a command, the mail itself) may take.
    pub timeout: Duration,
    /// How we introduce ourselves; the machine's name if nothing is said.
    pub hello_name: Option<String>,
    /// Certificates trusted besides the machine's own, for a private relay.
    pub extra_root_certificate_pem: Option<String>,
    /// The name for attempts, metrics and logs.
    pub provider: String,
}

/// Why a channel to a relay cannot be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmtpSetupError {
    /// The relay's name is no host name.
    #[error("the relay's host is neither a name nor an address")]
    Host,
    /// The name we introduce ourselves with is not one word of ASCII.
    #[error("the hello name is not a host name")]
    HelloName,
    /// The sender's address or name, or the domain for the `Message-ID`, cannot be used.
    #[error("the sender's address, name or domain cannot be used")]
    Sender,
    /// A user without a password, or the other way round.
    #[error("user name and password belong together")]
    Credentials,
    /// A password would travel readable by everyone.
    #[error("credentials without TLS are only sent to this machine itself")]
    CredentialsInClear,
    /// The further root certificate cannot be read, or there is no root certificate at all.
    #[error("no usable root certificate")]
    Certificate,
}

/// By content, and whether it has links.
type Templates = HashMap<(Id<of::Content>, bool), Arc<Template>>;

/// The relay, as a channel.
pub struct SmtpChannel {
    settings: SmtpSettings,
    hello: ClientId,
    credentials: Option<Credentials>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// One for each connection that may be open at once.
    permits: Semaphore,
    /// How many are at work.
    live: AtomicUsize,
    /// How many are being opened.
    opening: AtomicUsize,
    /// Connections at rest. Locked only to put one in or take one out.
    idle: Mutex<Vec<(Line, Instant)>>,
    templates: Mutex<Templates>,
}

impl SmtpChannel {
    /// Prepares the channel; the first connection is made for the first mail.
    pub fn new(settings: SmtpSettings) -> Result<Self, SmtpSetupError> {
        let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let name = ServerName::try_from(settings.host.clone()).map_err(|_| SmtpSetupError::Host)?;
        let hello = match &settings.hello_name {
            Some(hello) if word(hello) => ClientId::Domain(hello.clone()),
            Some(_) => return Err(SmtpSetupError::HelloName),
            None => ClientId::default(),
        };
        settings.sender.check().map_err(|_| SmtpSetupError::Sender)?;
        let credentials = match (&settings.username, &settings.password) {
            (Some(user), Some(password)) => Some(Credentials::new(user.clone(), password.expose_secret().into())),
            (None, None) => None,
            _ => return Err(SmtpSetupError::Credentials),
        };
        if credentials.is_some() && settings.tls == Tls::None && !is_this_machine(&settings.host) {
            return Err(SmtpSetupError::CredentialsInClear);
        }
        let tls = match settings.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Implicit => Some((trusting(settings.extra_root_certificate_pem.as_deref())?, name)),
        };
        let permits = Semaphore::new(settings.connections.max(1));
        Ok(Self {
            settings,
            hello,
            credentials,
            tls,
            permits,
            live: AtomicUsize::new(0),
            opening: AtomicUsize::new(0),
            idle: Mutex::default(),
            templates: Mutex::default(),
        })
    }

    /// Writes the mail of a parcel, or answers why it cannot be written.
    fn write_letter<'t>(&self, held: Held<'t>) -> Option<Letter<'t>> {
        crate::falls_over!("smtp.poison", held.delivery);
        match self.lettered(&held) {
            Ok((envelope, mail)) => {
                let digest = Sha256::digest(&mail).into();
                Some(Letter { held, envelope, digest, wire: stuffed(&mail) })
            }
            Err(fault) => {
                held.answer(Answer::refused(fault.to_string()), None);
                None
            }
        }
    }
    fn lettered(&self, held: &Held<'_>) -> Result<(String, Vec<u8>), ComposeError> {
        let to = recipient(&held.address)?;
        let from = match &held.return_path {
            Some(path) => recipient(path)?,
            None => self.settings.sender.from.email.clone(),
        };
        let (mail, rcpt) = (Mail::new(Some(from), vec![]), Rcpt::new(to, vec![]));
        Ok((format!("{mail}{rcpt}{Data}"), self.template(held)?.fill(held)?))
    }
    fn template(&self, held: &Held<'_>) -> Result<Arc<Template>, ComposeError> {
        let key = (held.content, held.links.is_some());
        if let Some(template) = self.templates.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(template));
        }
        let template = Arc::new(Template::new(&self.settings.sender, &held.body, held.links.is_some())?);
        let mut kept = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= TEMPLATES_KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&template));
        Ok(template)
    }
    /// The next parcel that can be written as a mail, if one lies ready.
    fn next_letter<'t>(&self, tray: &'t Tray) -> Option<Letter<'t>> {
        loop {
            if let Some(letter) = self.write_letter(tray.try_next()?) {
                return Some(letter);
            }
        }
    }

    /// Carries a mail and all that lie ready behind it, over as few connections as the relay lets us.
    async fn carry<'t>(&self, mut letter: Letter<'t>, tray: &'t Tray) {
        let Ok(_permit) = self.permits.acquire().await else {
            return letter.held.answer(Answer::NotTried { reason: "closed" }, None);
        };
        loop {
            let kept = self.take_idle();
            let was_kept = kept.is_some();
            let (mut line, _live) = match kept {
                Some(line) => (line, Counted::begin(&self.live)),
                None => match self.open_beside().await {
                    Ok(opened) => opened,
                    Err(reason) => {
                        tracing::warn!(provider = self.provider(), reason, "no connection to the mail relay");
                        // The relay wants fewer connections than we have workers: those who have one carry it.
                        if reason.starts_with("greeting: 4") && self.another_gets_through().await {
                            letter.held.lay_back();
                            return tokio::time::sleep(FEWER).await;
                        }
                        return letter.held.answer(Answer::deferred(reason), None);
                    }
                },
            };
            let delivery = letter.held.delivery;
            let ended = line.carry_all(letter, || self.next_letter(tray)).await;
            if ended.keep {
                self.keep(line);
            }
            let Some((untried, reason)) = ended.untried else { return };
            if was_kept {
                // The relay hung up while the connection rested, most likely on its neighbours too.
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
            }
            // A fresh connection that did not even carry its first mail: another would fare no better.
            if !was_kept && untried.held.delivery == delivery {
                return untried.held.answer(Answer::deferred(reason), None);
            }
            letter = untried;
        }
    }

    /// Opens, and counts as opening as long as it takes.
    async fn open_beside(&self) -> Result<(Line, Counted<'_>), String> {
        let _opening = Counted::begin(&self.opening);
        let line = self.open().await?;
        // At work before it is no longer opening: whoever looks sees one or the other.
        Ok((line, Counted::begin(&self.live)))
    }
    /// Whether some other worker has a connection at work; those that are being opened are waited for. If nobody has one it
    /// is not that we want too many: the relay takes no mail.
    async fn another_gets_through(&self) -> bool {
        let until = Instant::now() + self.settings.timeout;
        loop {
            let rests = || !self.idle.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
            if self.live.load(Ordering::Acquire) > 0 || rests() {
                return true;
            }
            if self.opening.load(Ordering::Acquire) == 0 || Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn take_idle(&self) -> Option<Line> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < KEPT_FOR);
        idle.pop().map(|(line, _)| line)
    }

    fn keep(&self, line: Line) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((line, Instant::now()));
    }

    /// Connects, greets, protects the connection and signs in.
    async fn open(&self) -> Result<Line, String> {
        let step = self.settings.timeout;
        let tcp = timeout(step, TcpStream::connect((self.settings.host.as_str(), self.settings.port)));
        let tcp = tcp.await.map_err(|_| "connect: timeout")?.map_err(|fault| format!("connect: {}", fault.kind()))?;
        tcp.set_nodelay(true).map_err(|fault| format!("connect: {}", fault.kind()))?;
        let mut wire: Box<dyn Wire> = Box::new(tcp);
        if self.settings.tls == Tls::Implicit {
            wire = self.protect(wire).await?;
        }
        let mut line = Line { wire: BufReader::new(wire), step, pipelining: false, swift: false };
        line.listen().await?.must_be(220, "greeting")?;
        let mut offer = line.ask(Ehlo::new(self.hello.clone())).await?.must_be(250, "EHLO")?;
        if self.settings.tls == Tls::StartTls {
            if !offer.offers("STARTTLS", None) {
                return Err("STARTTLS: not offered".into());
            }
            line.ask(Starttls).await?.must_be(220, "STARTTLS")?;
            // Whatever came along with that reply came before TLS, from anybody: it must not count as said under TLS.
            if !line.wire.buffer().is_empty() {
                return Err("STARTTLS: text before TLS".into());
            }
            line.wire = BufReader::new(self.protect(line.wire.into_inner()).await?);
            offer = line.ask(Ehlo::new(self.hello.clone())).await?.must_be(250, "EHLO")?;
        }
        if let Some(credentials) = &self.credentials {
            line.sign_in(credentials, &offer).await?;
        }
        line.pipelining = offer.offers("PIPELINING", None);
        Ok(line)
    }

    async fn protect(&self, wire: Box<dyn Wire>) -> Result<Box<dyn Wire>, String> {
        let (connector, name) = self.tls.as_ref().ok_or("TLS: not prepared")?;
        let handshake = timeout(self.settings.timeout, connector.connect(name.clone(), wire));
        let wire = handshake.await.map_err(|_| "TLS: timeout")?.map_err(|fault| format!("TLS: {}", fault.kind()))?;
        Ok(Box::new(wire))
    }
}

#[async_trait]
impl Channel for SmtpChannel {
    fn provider(&self) -> &str {
        &self.settings.provider
    }

    fn hands(&self) -> usize {
        self.settings.connections.max(1)
    }

    async fn work(&self, tray: &Tray) {
        while let Some(held) = tray.next().await {
            if let Some(letter) = self.write_letter(held) {
                self.carry(letter, tray).await;
            }
        }
    }

    async fn probe(&self) -> Result<(), String> {
        // Our own connections at rest may be all that the relay allows us: they must not be why it turns the probe away.
        let rested = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner)).len();
        let line = match self.open().await {
            // It may not have noticed yet that they are gone.
            Err(reason) if rested > 0 && reason.starts_with("greeting: 4") => {
                tokio::time::sleep(FEWER).await;
                self.open().await?
            }
            opened => opened?,
        };
        self.keep(line);
        Ok(())
    }
}

/// Counted as long as it lives.
struct Counted<'c>(&'c AtomicUsize);
impl<'c> Counted<'c> {
    fn begin(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}
impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// TLS with the machine's root certificates and, for a private relay, one more.
fn trusting(extra: Option<&str>) -> Result<TlsConnector, SmtpSetupError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in extra.into_iter().flat_map(|pem| CertificateDer::pem_slice_iter(pem.as_bytes())) {
        let certificate = certificate.map_err(|_| SmtpSetupError::Certificate)?;
        roots.add(certificate).map_err(|_| SmtpSetupError::Certificate)?;
    }
    if roots.is_empty() {
        return Err(SmtpSetupError::Certificate);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| SmtpSetupError::Certificate)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
