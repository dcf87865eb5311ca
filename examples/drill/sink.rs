//! A mail server that takes everything at once and keeps only who got what: one line of JSON for each mail it has said yes
//! to. For proofs, not for speed: the timed rounds use Postfix's `smtp-sink`.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::stock::now;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:2525")]
    listen: String,
    /// Append a line for each mail: `at`, `rcpt`, `mid`, `to`, `member`, `code`, `bytes`.
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// Take so long over each mail.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
}

pub(crate) async fn run(told: Arguments) -> anyhow::Result<()> {
    let (sender, mut taken) = mpsc::unbounded_channel::<Value>();
    if let Some(path) = &told.ledger {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
        std::thread::spawn(move || {
            while let Some(mail) = taken.blocking_recv() {
                let mut lines = format!("{mail}\n");
                while let Ok(mail) = taken.try_recv() {
                    lines.push_str(&format!("{mail}\n"));
                }
                if file.write_all(lines.as_bytes()).is_err() {
                    return;
                }
            }
        });
    } else {
        tokio::spawn(async move { while taken.recv().await.is_some() {} });
    }
    let listener = TcpListener::bind(&told.listen).await?;
    let delay = Duration::from_millis(told.delay_ms);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(stream, sender.clone(), delay));
    }
}

/// One connection: what came in one group is answered in one group.
async fn serve(mut stream: TcpStream, sender: mpsc::UnboundedSender<Value>, delay: Duration) -> Option<()> {
    let (mut input, mut buffer) = (Vec::new(), vec![0; 65_536]);
    let mut talk = Talk::default();
    stream.write_all(b"220 drill ESMTP\r\n").await.ok()?;
    loop {
        let mut answers = Vec::new();
        let mut used = 0;
        while let Some(step) = talk.next(input.get(used..)?) {
            used += step.used;
            if let Some(mail) = step.mail {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                // Written down before it is answered: what was said yes to is in the ledger.
                sender.send(mail).ok()?;
            }
            answers.extend_from_slice(step.answer);
            if step.quit {
                stream.write_all(&answers).await.ok()?;
                return None;
            }
        }
        input.drain(..used);
        if !answers.is_empty() {
            stream.write_all(&answers).await.ok()?;
        }
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        input.extend_from_slice(buffer.get(..count)?);
    }
}

/// Where a conversation stands.
#[derive(Debug, Default)]
struct Talk {
    recipients: Vec<String>,
    in_data: bool,
    /// How far the body was searched already.
    searched: usize,
}
struct Step {
    used: usize,
    answer: &'static [u8],
    mail: Option<Value>,
    quit: bool,
}
impl Step {
    const fn says(used: usize, answer: &'static [u8]) -> Self {
        Self { used, answer, mail: None, quit: false }
    }
}
impl Talk {
    /// The next whole command or mail of the input.
    fn next(&mut self, input: &[u8]) -> Option<Step> {
        if self.in_data {
            let from = self.searched.saturating_sub(4);
            let Some(end) = find(input.get(from..)?, b"\r\n.\r\n").map(|at| at + from) else {
                self.searched = input.len();
                return None;
            };
            (self.in_data, self.searched) = (false, 0);
            let mail = seen(std::mem::take(&mut self.recipients), input.get(..end)?);
            return Some(Step { mail: Some(mail), ..Step::says(end + 5, b"250 2.0.0 taken\r\n") });
        }
        let end = find(input, b"\r\n")?;
        let line = String::from_utf8_lossy(input.get(..end)?).into_owned();
        let word = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let used = end + 2;
        Some(match word.as_str() {
            "EHLO" => Step::says(used, b"250-drill\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10485760\r\n"),
            "MAIL" | "RSET" => {
                self.recipients.clear();
                Step::says(used, b"250 2.0.0 ok\r\n")
            }
            "RCPT" => {
                let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(to, _)| to);
                self.recipients.push(address.unwrap_or_default().to_owned());
                Step::says(used, b"250 2.1.5 ok\r\n")
            }
            "DATA" if self.recipients.is_empty() => Step::says(used, b"503 5.5.1 for whom?\r\n"),
            "DATA" => {
                self.in_data = true;
                Step::says(used, b"354 go on\r\n")
            }
            "QUIT" => Step { quit: true, ..Step::says(used, b"221 2.0.0 bye\r\n") },
            "HELO" | "NOOP" => Step::says(used, b"250 2.0.0 ok\r\n"),
            _ => Step::says(used, b"500 5.5.2 what?\r\n"),
        })
    }
}
fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|window| window == what)
}
/// What the ledger keeps of a mail.
fn seen(recipients: Vec<String>, mail: &[u8]) -> Value {
    let text = String::from_utf8_lossy(mail);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    json!({
        "at": now(), "rcpt": recipients, "mid": header("Message-ID"), "to": header("To"),
        // What is told to officers about a message names its code too; only members can unsubscribe.
        "member": header("List-Unsubscribe").is_some(),
        "code": code_in(&body.replace("=\r\n", "")), "bytes": mail.len()
    })
}
/// The code behind the link by which anybody can see that a message is real.
pub(crate) fn code_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("/v/")?;
    let code: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    (!code.is_empty()).then_some(code)
}
