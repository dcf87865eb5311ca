//! An installation outside this process: its folder, its database, its settings, and the post office it talks to.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use uuid::Uuid;
use vigie::config::Config;
use vigie::delivery::tray::UNSETTLED_MAX;
use vigie::delivery::{Body, Channel, Fate, Lane, NewDelivery, State, enqueue, progress, put_content};
use vigie::storage::schema::{attempts, deliveries};
use vigie::storage::{Database, Durability, Keyring, Target};
use vigie::values::{Clock, Id, Language, of};

use crate::database::{Kind, TestDatabase};
use crate::post_office::PostOffice;

/// What M5 grants: from the fall of a process to the end of everything it held.
pub const RECOVERY: Duration = Duration::from_secs(30);

/// An installation with a key file of its own.
pub struct House {
    pub kind: Kind,
    pub post_office: PostOffice,
    pub database: Database,
    folder: tempfile::TempDir,
    url: String,
    _stored: Option<TestDatabase>,
}
impl House {
    pub async fn build(kind: Kind) -> Self {
        let post_office = PostOffice::open().await;
        let folder = tempfile::tempdir().unwrap();
        let text = Keyring::fresh_file();
        std::fs::write(folder.path().join("own-keys"), &text).unwrap();
        let keys = Arc::new(Keyring::parse(&text).unwrap());
        let (url, stored) = match kind {
            Kind::Sqlite => (format!("sqlite:{}", folder.path().join("vigie.sqlite").display()), None),
            Kind::Postgres => {
                let stored = TestDatabase::fresh(kind, Clock::system(), Durability::Full);
                (stored.url.clone(), Some(stored))
            }
        };
        let target = Target::parse(&url, Durability::Full).unwrap();
        let database = Database::open(&target, 4, Clock::system(), keys).unwrap();
        Self { kind, post_office, database, folder, url, _stored: stored }
    }
    /// The settings of this installation, as the environment carries them.
    pub fn settings(&self) -> BTreeMap<&'static str, String> {
        [
            ("VIGIE__DATA_DIR", self.folder.path().display().to_string()),
            ("VIGIE__KEYS_FILE", self.folder.path().join("own-keys").display().to_string()),
            ("VIGIE__DATABASE__URL", self.url.clone()),
            ("VIGIE__SERVER__LISTEN", "127.0.0.1:0".to_owned()),
            ("VIGIE__SERVER__WORKERS", "1".to_owned()),
            ("VIGIE__EMAIL__TRANSPORT", "smtp".to_owned()),
            ("VIGIE__EMAIL__TLS", "none".to_owned()),
            ("VIGIE__EMAIL__HOST", "127.0.0.1".to_owned()),
            ("VIGIE__EMAIL__PORT", self.post_office.smtp.port().to_string()),
            ("VIGIE__SMS__TRANSPORT", "kannel".to_owned()),
            ("VIGIE__SMS__URL", self.post_office.gateway.url()),
            ("VIGIE__SMS__USERNAME", "vigie".to_owned()),
            ("VIGIE__SMS__PASSWORD", "secret".to_owned()),
            ("VIGIE_LOG", "warn".to_owned()),
        ]
        .into()
    }
    /// Starts the binary.
    pub fn starts(&self, command: &str) -> Process {
        Process::start(command, &self.settings())
    }
    /// An urgent batch, as an approval writes it: every delivery in one transaction. Mails to `member1@example.be` and on,
    /// SMS to `+32470000001` and on.
    pub fn posts(&self, mails: usize, sms: usize) -> Uuid {
        let batch = Id::<of::Batch>::new().uuid();
        self.database
            .write(|tx| {
                let now = tx.now()?;
                let body = Body { subject: "Alert".into(), text: "White van".into(), html: None };
                let mut all = Vec::new();
                for (channel, count) in [(Channel::Email, mails), (Channel::Sms, sms)] {
                    let content = put_content(tx, batch, Language::En, channel, &body)?;
                    all.extend((1..=count).map(|number| NewDelivery {
                        person: Id::new(),
                        channel,
                        lane: Lane::Urgent,
                        membership: Some(Id::new()),
                        address: Some(match channel {
                            Channel::Email => format!("member{number}@example.be"),
                            Channel::Sms => format!("+32470{number:06}"),
                        }),
                        fate: Fate::Due { content, at: now },
                        deadline: now.plus(Duration::from_secs(3_600)),
                    }));
                }
                enqueue(tx, batch, all)
            })
            .unwrap();
        batch
    }
    pub fn states(&self, batch: Uuid) -> BTreeMap<(Channel, State), i64> {
        self.database.read(|tx| progress(tx, batch)).unwrap()
    }
    /// The attempts by a channel without an end, and those that were lost.
    pub fn open_and_lost(&self, channel: Channel) -> (usize, usize) {
        let (open, lost) = self
            .database
            .read::<_, vigie::storage::StorageError>(|tx| {
                let made = attempts::table
                    .inner_join(deliveries::table.on(deliveries::id.eq(attempts::delivery_id)))
                    .filter(deliveries::channel.eq(channel));
                Ok((
                    made.filter(attempts::finished_at.is_null()).count().get_result::<i64>(tx.db())?,
                    made.filter(attempts::outcome.eq(Some("lost"))).count().get_result::<i64>(tx.db())?,
                ))
            })
            .unwrap();
        (usize::try_from(open).unwrap(), usize::try_from(lost).unwrap())
    }
    /// The attempts by a channel that were accepted: more than deliveries, and something was handed over again that had
    /// been settled.
    pub fn accepted_attempts(&self, channel: Channel) -> usize {
        let count = self
            .database
            .read::<_, vigie::storage::StorageError>(|tx| {
                let made = attempts::table
                    .inner_join(deliveries::table.on(deliveries::id.eq(attempts::delivery_id)))
                    .filter(deliveries::channel.eq(channel))
                    .filter(attempts::outcome.eq(Some("accepted")));
                Ok(made.count().get_result::<i64>(tx.db())?)
            })
            .unwrap();
        usize::try_from(count).unwrap()
    }
    /// What arrived and is not in the books as accepted: if its process dies now, it goes out again.
    pub fn unsettled(&self, channel: Channel, batch: Uuid) -> usize {
        let accepted = self.states(batch).get(&(channel, State::Accepted)).copied().unwrap_or_default();
        self.reached(channel).len().saturating_sub(usize::try_from(accepted).unwrap())
    }
    /// The same in words of the promise (`src/delivery/mod.rs`): so much may go out twice when one process is killed. What
    /// was answered and not settled, and what the workers of one provider hold: two mails for each connection, or one
    /// request each, as the settings stand.
    pub fn may_go_out_twice(channel: Channel) -> usize {
        let settings = Config::defaults().unwrap();
        let bound = UNSETTLED_MAX
            + match channel {
                Channel::Email => 2 * settings.email.connections,
                Channel::Sms => settings.sms.in_flight,
            };
        // As `src/delivery/mod.rs` and the contract say it in figures.
        assert_eq!(bound, if channel == Channel::Email { 520 } else { 550 });
        bound
    }
    /// How often each address was reached.
    pub fn reached(&self, channel: Channel) -> HashMap<String, usize> {
        let mut reached = HashMap::new();
        let addresses: Vec<String> = match channel {
            Channel::Email => self.post_office.mails().iter().map(|mail| mail.to().to_owned()).collect(),
            Channel::Sms => self.post_office.sms().into_iter().map(|sms| sms.to).collect(),
        };
        for address in addresses {
            *reached.entry(address).or_default() += 1;
        }
        reached
    }
}

/// The binary at work. Killed when the test is over, whatever happened.
pub struct Process {
    child: Child,
    said: Arc<Mutex<String>>,
    /// Reads what it says, so that it never waits for us.
    listener: Option<JoinHandle<()>>,
}
impl Process {
    pub fn start(command: &str, settings: &BTreeMap<&'static str, String>) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vigie"))
            .arg(command)
            .envs(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, lines) = (Arc::new(Mutex::new(String::new())), BufReader::new(child.stderr.take().unwrap()).lines());
        let heard = Arc::clone(&said);
        let listener = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                heard.lock().unwrap().extend([line.as_str(), "\n"]);
            }
        });
        Self { child, said, listener: Some(listener) }
    }
    /// What it has said so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }
    /// `kill -9`: no goodbye.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
    /// `kill -TERM`.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }
    /// Any other signal, as in `-STOP`.
    pub fn signal(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }
    /// Waits for the end: its status and what it said.
    pub async fn ends(mut self, within: Duration) -> (Option<i32>, String) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.listener.take().unwrap().join().unwrap();
                return (status.code(), self.said());
            }
            assert!(start.elapsed() < within, "still running after {within:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so: how long that took.
pub async fn until(within: Duration, what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}
/// A share of `of` between so many and so many per cent.
pub fn random_share(of: usize, low: usize, high: usize) -> usize {
    let dice = usize::from(u16::from_be_bytes(vigie::storage::random_bytes()));
    of * (low + dice % (high - low + 1)) / 100
}
/// A folder for settings that never lead to a start.
pub fn empty_folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}
/// An address of this machine that is free just now.
pub fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
/// What a process tells Prometheus.
pub struct Scrape(BTreeMap<String, f64>);
impl Scrape {
    pub async fn of(address: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        });
        Self(samples.collect())
    }
    /// One figure, by its name with labels.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }
    /// All figures of these names that are not nought.
    pub fn all(&self, names: &[&str]) -> BTreeMap<String, f64> {
        let those =
            self.0.iter().filter(|(name, value)| names.contains(&name.split('{').next().unwrap()) && **value != 0.0);
        those.map(|(name, value)| (name.clone(), *value)).collect()
    }
}
