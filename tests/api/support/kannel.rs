//! A real Kannel with a fake operator behind it, started by `scripts/kannel`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use vigie::config::Config;

/// A gateway. One that belongs to a test alone is stopped when the test is over.
pub struct Kannel {
    told: Told,
    own: Option<Child>,
}

/// What the script tells whoever runs under it.
#[derive(Debug, Deserialize)]
struct Told {
    folder: String,
    sendsms: String,
    username: String,
    password: String,
    admin: String,
    admin_password: String,
    smsc_log: String,
}

/// What the operator was given for one number, its parts put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    pub alphabet: &'static str,
    pub parts: usize,
    pub text: String,
}

impl Kannel {
    /// The gateway that all tests share: whoever uses it must know its own texts by their numbers, and break nothing.
    #[expect(clippy::disallowed_methods, reason = "where the gateway listens is decided outside")]
    pub fn shared() -> Self {
        let told = std::env::var("VIGIE_TEST_KANNEL")
            .expect("run the tests with scripts/test: it starts an SMS gateway of its own");
        Self { told: serde_json::from_str(&told).unwrap(), own: None }
    }
    /// A gateway for this test alone, which it may break.
    pub fn own() -> Self {
        Self::own_asking(None)
    }
    /// One for this test alone, which hands what phones send over to this address.
    pub fn own_asking(inbound: Option<&str>) -> Self {
        let mut child = Command::new("bash")
            .envs(inbound.map(|url| ("VIGIE_KANNEL_INBOUND", url)))
            .args(["scripts/kannel", "run", "--", "sh", "-c", r#"printf '%s\n' "$VIGIE_TEST_KANNEL"; exec cat"#])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut told).unwrap();
        Self { told: serde_json::from_str(&told).expect("scripts/kannel says where it listens"), own: Some(child) }
    }
    /// Lets an installation send by this gateway.
    pub fn serves(&self, config: &mut Config) {
        config.sms.url.clone_from(&self.told.sendsms);
        config.sms.username.clone_from(&self.told.username);
        config.sms.password = self.told.password.clone().into();
    }
    /// `kill -9`: `bearerbox`, `smsc` (the operator), `smsbox`.
    pub fn kill(&self, parts: &[&str]) {
        self.script("kill", parts);
    }
    pub fn start(&self, parts: &[&str]) {
        self.script("start", parts);
    }
    /// A phone sends an SMS. `form` is `text`, or `ucs2` for a percent-encoded one.
    pub fn receives(&self, from: &str, form: &str, text: &str) {
        self.script("receive", &[from, text, form]);
    }
    fn script(&self, verb: &str, parts: &[&str]) {
        assert!(self.own.is_some(), "the shared gateway is not broken by anybody");
        let done = Command::new("bash")
            .args(["scripts/kannel", verb, &self.told.folder])
            .args(parts)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success());
    }
    /// A command to the gateway's administrator, as in `suspend` or `stop-smsc?smsc=FAKE`.
    pub async fn command(&self, command: &str) -> String {
        let sign = if command.contains('?') { '&' } else { '?' };
        let url = format!("{}/{command}{sign}password={}", self.told.admin, self.told.admin_password);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(url).send().await.unwrap().text().await.unwrap()
    }
    /// Every text the operator was given, by its number; a number that got several has several.
    pub fn arrived(&self) -> BTreeMap<String, Vec<Arrived>> {
        let log = std::fs::read_to_string(&self.told.smsc_log).unwrap();
        let mut arrived = BTreeMap::<String, Vec<Arrived>>::new();
        // By number and reference; the operator may be given the parts in any order.
        let mut incomplete = BTreeMap::<(String, u8), BTreeMap<u8, Vec<u8>>>::new();
        for line in log.lines() {
            let Some((_, message)) = line.split_once("Got message ") else { continue };
            let (_, message) = message.split_once(": <").unwrap();
            // The last line may still be on its way into the file.
            let Some(message) = message.strip_suffix('>') else { continue };
            let words: Vec<&str> = message.splitn(4, ' ').collect();
            let [_, to, form, text] = words[..] else { panic!("not a message: {message}") };
            let whole = match form {
                "text" => Arrived { alphabet: "gsm-7", parts: 1, text: text.to_owned() },
                "data" | "ucs-2" => Arrived::read(1, unescaped(text)),
                "udh" => {
                    let words: Vec<&str> = text.splitn(3, ' ').collect();
                    let [header, "data", text] = words[..] else { panic!("not a part: {message}") };
                    let [5, 0, 3, reference, of, number] = unescaped(header)[..] else { panic!("{header}") };
                    let parts = incomplete.entry((to.to_owned(), reference)).or_default();
                    let again = parts.insert(number, unescaped(text));
                    assert!(again.is_none(), "a part came twice");
                    if parts.len() < usize::from(of) {
                        continue;
                    }
                    let parts = incomplete.remove(&(to.to_owned(), reference)).unwrap();
                    Arrived::read(parts.len(), parts.into_values().flatten().collect())
                }
                other => panic!("an unknown form: {other}"),
            };
            arrived.entry(to.to_owned()).or_default().push(whole);
        }
        arrived
    }
}
impl Drop for Kannel {
    fn drop(&mut self) {
        if let Some(child) = &mut self.own {
            drop(child.stdin.take()); // `cat` has read everything: the script cleans up
            let _ = child.wait();
        }
    }
}

impl Arrived {
    /// The log does not name the alphabet of every text: GSM 03.38 is noted as UTF-8, which holds no zero byte.
    fn read(parts: usize, bytes: Vec<u8>) -> Self {
        if !bytes.contains(&0)
            && let Ok(text) = String::from_utf8(bytes.clone())
        {
            return Self { alphabet: "gsm-7", parts, text };
        }
        let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        Self { alphabet: "ucs-2", parts, text: String::from_utf16(&units).unwrap() }
    }
}

/// Bytes, as the fake operator notes them: as in an address of the web.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    bytes
}
