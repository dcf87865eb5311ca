//! The other side of every hand-over, inside the test's own process: a mail relay and an SMS gateway on free ports of
//! 127.0.0.1 that keep what they are given, and misbehave on request.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's own peer may fall over, and not every test uses all of it"
)]

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::time::Duration;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

/// A relay and a gateway that take everything, until told otherwise.
pub(crate) struct PostOffice {
    pub(crate) smtp: SmtpSink,
    pub(crate) gateway: SmsSink,
}

impl PostOffice {
    pub(crate) async fn open() -> Self {
        Self { smtp: SmtpSink::open(SmtpFeatures::default()).await, gateway: SmsSink::open().await }
    }

    /// The mails taken so far.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.smtp.mails()
    }

    /// The SMS taken so far.
    pub(crate) fn sms(&self) -> Vec<Sms> {
        self.gateway.sms()
    }
}

/// A mail as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Mail {
    /// The one recipient.
    pub(crate) fn to(&self) -> &str {
        &self.recipients[0]
    }

    /// A header's value, unfolded and otherwise as it stands.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes).replace("\r\n ", " ");
        let head = text.split("\r\n\r\n").next()?;
        head.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
    }
}

/// What a relay offers. Fixed when it opens.
#[derive(Debug, Clone)]
pub(crate) struct SmtpFeatures {
    pub(crate) pipelining: bool,
    pub(crate) starttls: bool,
    pub(crate) implicit_tls: bool,
    /// User and password that must be given first.
    pub(crate) auth: Option<(&'static str, &'static str)>,
    /// The mechanisms offered.
    pub(crate) mechanisms: &'static str,
    /// Plain text slipped in behind the answer to STARTTLS, as somebody between the two could.
    pub(crate) slips_in: &'static str,
}

impl Default for SmtpFeatures {
    fn default() -> Self {
        let mechanisms = "PLAIN LOGIN";
        Self { pipelining: true, starttls: false, implicit_tls: false, auth: None, mechanisms, slips_in: "" }
    }
}

/// What a relay does after it was given a whole mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AfterMail {
    /// Keeps it and says 250.
    #[default]
    Accepts,
    /// Keeps it and hangs up without a word.
    HangsUp,
    /// Keeps it and stays silent.
    StaysSilent,
    /// Says this and keeps nothing.
    Says(&'static str),
    /// Hangs up without a word and keeps nothing.
    Forgets,
    /// Keeps it, and hangs up in the middle of this answer.
    BreaksOff(&'static str),
}

/// How a relay behaves. May be changed at any time.
#[derive(Debug, Clone, Default)]
pub(crate) struct SmtpManners {
    /// This answer to `MAIL`.
    pub(crate) answers_sender: Option<&'static str>,
    /// 550 to these recipients; the answer repeats the address, as many do.
    pub(crate) refuses: HashSet<String>,
    /// This answer to `RSET`.
    pub(crate) answers_reset: Option<&'static str>,
    /// Goes on with 354 although it refused the recipient.
    pub(crate) goes_ahead_regardless: bool,
    /// 451 to a recipient it sees for the first time.
    pub(crate) greylists: bool,
    pub(crate) after_mail: AfterMail,
    /// What it does with the next mails, one after the other, before it goes back to `after_mail`.
    pub(crate) next_mails: VecDeque<AfterMail>,
    /// The same for the next mails to one recipient, who comes first.
    pub(crate) next_mails_to: HashMap<String, VecDeque<AfterMail>>,
    /// 421 instead of a greeting.
    pub(crate) is_busy: bool,
    /// The same, for so many connections.
    pub(crate) busy_connections: usize,
    /// 421 instead of a greeting while this many connections are open.
    pub(crate) connections_max: Option<usize>,
    /// Takes connections and never says anything.
    pub(crate) is_black_hole: bool,
    /// Says 421 to the first command after this many mails on one connection, and hangs up.
    pub(crate) tires_after: Option<usize>,
    /// Hangs up after this many mails on one connection, as on the idle.
    pub(crate) hangs_up_after: Option<usize>,
    /// Time it takes over each mail.
    pub(crate) delay: Duration,
}

impl SmtpManners {
    /// What it does with this mail.
    fn takes_turn(&mut self, recipients: &[String]) -> AfterMail {
        let ordered = recipients.iter().find_map(|recipient| self.next_mails_to.get_mut(recipient)?.pop_front());
        ordered.or_else(|| self.next_mails.pop_front()).unwrap_or(self.after_mail)
    }
}

#[derive(Default)]
struct SmtpLedger {
    manners: SmtpManners,
    mails: Vec<Mail>,
    /// When each of them was whole.
    moments: Vec<Instant>,
    faults: Vec<String>,
    /// By sender and recipient, as those do who know a mail by both.
    greylisted: HashSet<(Option<String>, String)>,
    connections: usize,
    open: usize,
    open_peak: usize,
    commands: HashMap<String, usize>,
}

/// A mail relay.
pub(crate) struct SmtpSink {
    port: u16,
    ledger: Arc<Mutex<SmtpLedger>>,
}

fn lock<T>(ledger: &Mutex<T>) -> MutexGuard<'_, T> {
    ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl SmtpSink {
    pub(crate) async fn open(features: SmtpFeatures) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let ledger = Arc::new(Mutex::new(SmtpLedger::default()));
        let shared = Arc::clone(&ledger);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (shared, features) = (Arc::clone(&shared), features.clone());
                tokio::spawn(async move {
                    let busy = {
                        let mut ledger = lock(&shared);
                        let full = ledger.manners.connections_max.is_some_and(|most| ledger.open >= most);
                        ledger.connections += 1;
                        ledger.open += 1;
                        ledger.open_peak = ledger.open_peak.max(ledger.open);
                        let busy = ledger.manners.busy_connections > 0;
                        ledger.manners.busy_connections -= usize::from(busy);
                        full || busy || ledger.manners.is_busy
                    };
                    // An end of connection is no fault of the sink's.
                    let _ = SmtpDialogue::hold(tcp, busy, &features, &shared).await;
                    lock(&shared).open -= 1;
                });
            }
        });
        Self { port, ledger }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Changes how the relay behaves from now on.
    pub(crate) fn behave(&self, change: impl FnOnce(&mut SmtpManners)) {
        change(&mut lock(&self.ledger).manners);
    }

    /// The mails taken so far. Falls over if any had other than one recipient, or if the client broke the protocol.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let ledger = lock(&self.ledger);
        assert!(ledger.faults.is_empty(), "the client broke the protocol: {:?}", ledger.faults);
        for mail in &ledger.mails {
            assert_eq!(mail.recipients.len(), 1, "members see each other");
            assert_eq!(mail.header("To").as_deref(), Some(mail.to()), "members see each other");
            assert_eq!((mail.header("Cc"), mail.header("Bcc")), (None, None), "members see each other");
        }
        ledger.mails.clone()
    }

    /// How long after the one before it each mail was whole.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        lock(&self.ledger).moments.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect()
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        lock(&self.ledger).connections
    }

    /// How many were open at once at most.
    pub(crate) fn open_peak(&self) -> usize {
        lock(&self.ledger).open_peak
    }

    /// How often a command came.
    pub(crate) fn commands(&self, name: &str) -> usize {
        lock(&self.ledger).commands.get(name).copied().unwrap_or_default()
    }
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

struct SmtpDialogue<'a> {
    wire: BufReader<Box<dyn Wire>>,
    features: &'a SmtpFeatures,
    ledger: &'a Mutex<SmtpLedger>,
}

impl<'a> SmtpDialogue<'a> {
    async fn hold(
        tcp: TcpStream,
        busy: bool,
        features: &'a SmtpFeatures,
        ledger: &'a Mutex<SmtpLedger>,
    ) -> std::io::Result<()> {
        tcp.set_nodelay(true)?;
        let mut wire: Box<dyn Wire> = Box::new(tcp);
        if features.implicit_tls {
            wire = Box::new(acceptor().accept(wire).await?);
        }
        let mut dialogue = Self { wire: BufReader::new(wire), features, ledger };
        if dialogue.manners().is_black_hole {
            return std::future::pending().await;
        }
        if busy {
            return dialogue.say("421 4.3.2 too busy").await;
        }
        dialogue.say("220 sink ESMTP").await?;
        dialogue.listen().await
    }

    fn manners(&self) -> SmtpManners {
        lock(self.ledger).manners.clone()
    }

    fn fault(&self, text: impl Into<String>) {
        lock(self.ledger).faults.push(text.into());
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.wire.write_all(format!("{text}\r\n").as_bytes()).await?;
        self.wire.flush().await
    }

    /// A line without its CRLF, or none at the end.
    async fn line(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            if self.wire.read_until(b'\n', &mut line).await? == 0 {
                return Ok(None);
            }
        }
        line.truncate(line.len() - 2);
        if line.contains(&b'\n') || line.contains(&b'\r') {
            self.fault("a bare line end");
        }
        Ok(Some(line))
    }

    async fn text(&mut self) -> std::io::Result<Option<String>> {
        Ok(self.line().await?.map(|line| String::from_utf8(line).unwrap_or_default()))
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    async fn listen(&mut self) -> std::io::Result<()> {
        let (mut encrypted, mut known) = (self.features.implicit_tls, self.features.auth.is_none());
        let (mut sender, mut recipients) = (None::<String>, Vec::<String>::new());
        let mut carried = 0;
        while let Some(line) = self.text().await? {
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            *lock(self.ledger).commands.entry(verb.clone()).or_default() += 1;
            let groups = self.features.pipelining && matches!(verb.as_str(), "MAIL" | "RCPT" | "RSET");
            if !groups && !self.wire.buffer().is_empty() {
                self.fault(format!("text behind {verb} before it was answered"));
            }
            let manners = self.manners();
            if manners.tires_after.is_some_and(|most| carried >= most) {
                return self.say("421 4.7.0 too many mails").await;
            }
            if !known && matches!(verb.as_str(), "MAIL" | "RCPT" | "DATA") {
                self.say("530 5.7.0 authentication required").await?;
                continue;
            }
            match verb.as_str() {
                "EHLO" => {
                    let mut offers = vec!["sink", "8BITMIME", "SIZE 10240000", "ENHANCEDSTATUSCODES"];
                    let auth = format!("AUTH {}", self.features.mechanisms);
                    if self.features.pipelining {
                        offers.push("PIPELINING");
                    }
                    if self.features.starttls && !encrypted {
                        offers.push("STARTTLS");
                    }
                    if self.features.auth.is_some() && (encrypted || !self.features.starttls) {
                        offers.push(&auth);
                    }
                    let last = offers.pop().unwrap_or_default();
                    let lines: Vec<_> = offers.iter().map(|offer| format!("250-{offer}")).collect();
                    self.say(&format!("{}\r\n250 {last}", lines.join("\r\n"))).await?;
                }
                "STARTTLS" if self.features.starttls && !encrypted => {
                    self.say(&format!("220 2.0.0 go ahead{}", self.features.slips_in)).await?;
                    let plain = std::mem::replace(&mut self.wire, BufReader::new(Box::new(tokio::io::empty())));
                    self.wire = BufReader::new(Box::new(acceptor().accept(plain.into_inner()).await?));
                    encrypted = true;
                }
                "AUTH" => {
                    known = self.authenticates(&line).await?;
                    self.say(if known { "235 2.7.0 welcome" } else { "535 5.7.8 wrong credentials" }).await?;
                }
                "MAIL" => match manners.answers_sender {
                    Some(answer) => self.say(answer).await?,
                    None => {
                        sender = Some(bracketed(&line));
                        recipients.clear();
                        self.say("250 2.1.0 ok").await?;
                    }
                },
                "RCPT" if sender.is_some() => {
                    let recipient = bracketed(&line);
                    if manners.refuses.contains(&recipient) {
                        self.say(&format!("550 5.1.1 <{recipient}>: no such user")).await?;
                    } else if manners.greylists
                        && lock(self.ledger).greylisted.insert((sender.clone(), recipient.clone()))
                    {
                        self.say(&format!("451 4.7.1 <{recipient}>: come back later")).await?;
                    } else {
                        recipients.push(recipient);
                        self.say("250 2.1.5 ok").await?;
                    }
                }
                "DATA" if !recipients.is_empty() => {
                    self.say("354 go ahead").await?;
                    let Some(bytes) = self.mail().await? else { return Ok(()) };
                    sleep(manners.delay).await;
                    carried += 1;
                    let after_mail = lock(self.ledger).manners.takes_turn(&recipients);
                    let keeps = !matches!(after_mail, AfterMail::Says(_) | AfterMail::Forgets);
                    let mail = Mail { sender: sender.take().unwrap_or_default(), recipients, bytes };
                    recipients = Vec::new();
                    let number = {
                        let mut ledger = lock(self.ledger);
                        if keeps {
                            ledger.mails.push(mail);
                            ledger.moments.push(Instant::now());
                        }
                        ledger.mails.len()
                    };
                    match after_mail {
                        AfterMail::Accepts => self.say(&format!("250 2.0.0 Ok: queued as SINK{number}")).await?,
                        AfterMail::HangsUp | AfterMail::Forgets => return Ok(()),
                        AfterMail::BreaksOff(answer) => {
                            self.wire.write_all(answer.as_bytes()).await?;
                            return self.wire.flush().await;
                        }
                        AfterMail::StaysSilent => return std::future::pending().await,
                        AfterMail::Says(answer) => self.say(answer).await?,
                    }
                    if manners.hangs_up_after.is_some_and(|most| carried >= most) {
                        return Ok(());
                    }
                }
                "DATA" if manners.goes_ahead_regardless => {
                    self.say("354 go ahead").await?;
                    if self.mail().await?.is_some() {
                        self.fault("a mail without a recipient");
                    }
                    return Ok(());
                }
                "RSET" => {
                    (sender, recipients) = (None, Vec::new());
                    self.say(manners.answers_reset.unwrap_or("250 2.0.0 ok")).await?;
                }
                "NOOP" => self.say("250 2.0.0 ok").await?,
                "QUIT" => return self.say("221 2.0.0 bye").await,
                "RCPT" | "DATA" => self.say("503 5.5.1 not now").await?,
                other => {
                    self.fault(format!("unknown command {other:?}"));
                    self.say("500 5.5.2 what?").await?;
                }
            }
        }
        Ok(())
    }

    /// What follows DATA, up to the final dot and nothing else that looks like it.
    async fn mail(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        while let Some(line) = self.line().await? {
            if line == b"." {
                return Ok(Some(bytes));
            }
            if line.len() > 998 || !line.is_ascii() || line.contains(&0) {
                self.fault("a line that is too long, or not ASCII");
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            bytes.extend_from_slice(b"\r\n");
        }
        Ok(None)
    }

    async fn authenticates(&mut self, line: &str) -> std::io::Result<bool> {
        let decoded = |text: &str| String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default();
        let Some((user, password)) = self.features.auth else { return Ok(false) };
        let mut words = line.split(' ').skip(1);
        let mechanism = words.next().unwrap_or_default();
        if !self.features.mechanisms.contains(mechanism) {
            self.fault("a mechanism that was not offered");
        }
        if mechanism == "PLAIN" {
            return Ok(decoded(words.next().unwrap_or_default()) == format!("\0{user}\0{password}"));
        }
        self.say(&format!("334 {}", STANDARD.encode("Username:"))).await?;
        let given_user = self.text().await?.unwrap_or_default();
        self.say(&format!("334 {}", STANDARD.encode("Password:"))).await?;
        let given_password = self.text().await?.unwrap_or_default();
        Ok(decoded(&given_user) == user && decoded(&given_password) == password)
    }
}

fn bracketed(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

struct Identity {
    pem: String,
    acceptor: TlsAcceptor,
}

/// One certificate for `localhost` and not for 127.0.0.1, made anew for every run of the tests.
fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Identity { pem: made.cert.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    })
}

fn acceptor() -> &'static TlsAcceptor {
    &identity().acceptor
}

/// What a client must trust to speak TLS with these peers.
pub(crate) fn root_certificate_pem() -> String {
    identity().pem.clone()
}

/// An SMS as it was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sms {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) text: String,
    pub(crate) coding: String,
    pub(crate) charset: Option<String>,
    pub(crate) dlr_mask: Option<String>,
    pub(crate) dlr_url: Option<String>,
    pub(crate) validity: Option<String>,
    pub(crate) username: String,
    pub(crate) password: String,
}

/// How a gateway answers. May be changed at any time.
#[derive(Debug, Clone, Default)]
pub(crate) enum SmsManners {
    /// 202 `0: Accepted for delivery`, and keeps it.
    #[default]
    Accepts,
    /// 202 `3: Queued for later delivery`, and keeps it.
    Queues,
    /// This status, these further header lines, this body; keeps nothing.
    Says(u16, &'static str, String),
    /// Keeps it and never answers.
    StaysSilent,
    /// Keeps it and hangs up.
    HangsUp,
    /// Keeps nothing and hangs up.
    Forgets,
    /// Keeps it, and hangs up in the middle of its 202, when this much of the body is said.
    BreaksOff(&'static str),
    /// Keeps it, reports these types one after the other, and only then answers like this.
    ReportsFirst(&'static [u8], Box<SmsManners>),
}

impl SmsManners {
    fn keeps(&self) -> bool {
        match self {
            Self::Accepts | Self::Queues | Self::StaysSilent | Self::HangsUp | Self::BreaksOff(_) => true,
            Self::Says(..) | Self::Forgets => false,
            Self::ReportsFirst(_, then) => then.keeps(),
        }
    }
}

#[derive(Default)]
struct SmsLedger {
    manners: SmsManners,
    next: VecDeque<SmsManners>,
    next_to: HashMap<String, VecDeque<SmsManners>>,
    delay: Duration,
    sms: Vec<Sms>,
    targets: Vec<String>,
    open: usize,
    open_peak: usize,
}

/// An SMS gateway that speaks like Kannel.
pub(crate) struct SmsSink {
    port: u16,
    ledger: Arc<Mutex<SmsLedger>>,
}

impl SmsSink {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let ledger = Arc::new(Mutex::new(SmsLedger::default()));
        let shared = Arc::clone(&ledger);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let _ = Self::hold(BufReader::new(tcp), &shared).await;
                });
            }
        });
        Self { port, ledger }
    }

    /// The address of `sendsms`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/cgi-bin/sendsms", self.port)
    }

    /// Changes how the gateway answers from now on.
    pub(crate) fn behave(&self, manners: SmsManners) {
        lock(&self.ledger).manners = manners;
    }

    /// How it answers the next requests, one after the other, before it goes back to what it does otherwise.
    pub(crate) fn next(&self, manners: impl IntoIterator<Item = SmsManners>) {
        lock(&self.ledger).next.extend(manners);
    }

    /// The same for the next requests for one number, which come first.
    pub(crate) fn next_to(&self, number: &str, manners: impl IntoIterator<Item = SmsManners>) {
        lock(&self.ledger).next_to.entry(number.to_owned()).or_default().extend(manners);
    }

    /// Takes this long over each request from now on.
    pub(crate) fn takes(&self, delay: Duration) {
        lock(&self.ledger).delay = delay;
    }

    /// The SMS taken so far.
    pub(crate) fn sms(&self) -> Vec<Sms> {
        lock(&self.ledger).sms.clone()
    }

    /// What was asked for so far, as it stood in the request line.
    pub(crate) fn targets(&self) -> Vec<String> {
        lock(&self.ledger).targets.clone()
    }

    /// How many requests were open at once at most.
    pub(crate) fn open_peak(&self) -> usize {
        lock(&self.ledger).open_peak
    }

    /// Reports on an SMS as Kannel does: 1 delivered, 2 failed, 4 buffered, 8 submitted, 16 rejected. Gives back the
    /// status the report was answered with.
    pub(crate) async fn reports(&self, sms: &Sms, status: u8, foreign_id: &str) -> u16 {
        Self::report(sms, status, foreign_id).await
    }

    async fn report(sms: &Sms, status: u8, foreign_id: &str) -> u16 {
        let url = sms.dlr_url.as_deref().expect("no report was asked for");
        let url = url.replace("%d", &status.to_string()).replace("%F", foreign_id);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(url).send().await.unwrap().status().as_u16()
    }

    async fn hold(mut wire: BufReader<TcpStream>, ledger: &Mutex<SmsLedger>) -> std::io::Result<()> {
        loop {
            let mut first = String::new();
            if wire.read_line(&mut first).await? == 0 {
                return Ok(());
            }
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                if wire.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
            }
            let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
            let asks = target.starts_with("/cgi-bin/sendsms?") && !is_a_question(&target);
            let sms = asks.then(|| asked(&target));
            let (mut manners, delay) = {
                let mut ledger = lock(ledger);
                ledger.open += 1;
                ledger.open_peak = ledger.open_peak.max(ledger.open);
                if sms.is_some() || !target.starts_with("/cgi-bin/sendsms?") {
                    ledger.targets.push(target.clone());
                }
                let ordered = sms.as_ref().and_then(|sms| ledger.next_to.get_mut(&sms.to)?.pop_front());
                let ordered = ordered.or_else(|| sms.as_ref().and_then(|_| ledger.next.pop_front()));
                (ordered.unwrap_or_else(|| ledger.manners.clone()), ledger.delay)
            };
            sleep(delay).await;
            {
                let mut ledger = lock(ledger);
                ledger.open -= 1;
                ledger.sms.extend(sms.clone().filter(|_| manners.keeps()));
            }
            while let (SmsManners::ReportsFirst(types, then), Some(sms)) = (&manners, &sms) {
                for status in *types {
                    Self::report(sms, *status, "F00-1").await;
                }
                manners = (**then).clone();
            }
            let (status, further, body) = match manners {
                SmsManners::Accepts | SmsManners::Queues if is_a_question(&target) => {
                    (400, "", "Missing receiver number, rejected".to_owned())
                }
                SmsManners::Accepts => (202, "", "0: Accepted for delivery".to_owned()),
                SmsManners::Queues => (202, "", "3: Queued for later delivery".to_owned()),
                SmsManners::Says(status, further, body) => (status, further, body),
                SmsManners::StaysSilent => return std::future::pending().await,
                SmsManners::HangsUp | SmsManners::Forgets => return Ok(()),
                SmsManners::BreaksOff(body) => {
                    let head = "HTTP/1.1 202 Kannel\r\nContent-Length: 25\r\n\r\n";
                    wire.write_all(format!("{head}{body}").as_bytes()).await?;
                    return wire.flush().await;
                }
                SmsManners::ReportsFirst(..) if is_a_question(&target) => {
                    (400, "", "Missing receiver number, rejected".to_owned())
                }
                SmsManners::ReportsFirst(..) => unreachable!("somebody else's request"),
            };
            let head = format!("HTTP/1.1 {status} Kannel\r\nContent-Length: {}\r\n{further}\r\n", body.len());
            wire.write_all(format!("{head}{body}").as_bytes()).await?;
        }
    }
}

/// Without a number it is only asked whether the gateway is there and knows us.
fn is_a_question(target: &str) -> bool {
    target.starts_with("/cgi-bin/sendsms?") && !target.contains("&to=")
}

fn asked(target: &str) -> Sms {
    let url = reqwest::Url::parse(&format!("http://gateway{target}")).unwrap();
    let mut fields = HashMap::new();
    for (name, value) in url.query_pairs() {
        let again = fields.insert(name.into_owned(), value.into_owned());
        assert!(again.is_none(), "a field was given twice");
    }
    let mut take = |name: &str| fields.remove(name);
    let sms = Sms {
        to: take("to").unwrap_or_default(),
        from: take("from").unwrap_or_default(),
        text: take("text").unwrap_or_default(),
        coding: take("coding").unwrap_or_default(),
        charset: take("charset"),
        dlr_mask: take("dlr-mask"),
        dlr_url: take("dlr-url"),
        validity: take("validity"),
        username: take("username").unwrap_or_default(),
        password: take("password").unwrap_or_default(),
    };
    assert!(fields.is_empty(), "fields Kannel does not know: {:?}", fields.keys());
    sms
}
