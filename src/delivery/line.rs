//! A connection to a mail server on which we have introduced ourselves, and the conversation over it: what is said, what
//! is answered, and what that means for the mail.

use std::fmt::Display;
use std::time::Duration;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::commands::Auth;
use lettre::transport::smtp::commands::Rset;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::time::timeout;

use super::channel::Answer;
use super::tray::Digest;
use super::tray::Held;

/// A relay that answers sooner is handed the next envelope together with a mail.
const SWIFT: Duration = Duration::from_millis(100);
/// No honest reply is longer.
const REPLY_BYTES_MAX: u64 = 16 * 1024;

/// A parcel, written.
pub(super) struct Letter<'t> {
    pub(super) held: Held<'t>,
    /// Sender, recipient and the wish to send.
    pub(super) envelope: String,
    /// The mail as it goes over the wire, up to the final dot.
    pub(super) wire: Vec<u8>,
    pub(super) digest: Digest,
}

/// A stream of bytes, protected or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection on which we have introduced ourselves.
pub(super) struct Line {
    pub(super) wire: BufReader<Box<dyn Wire>>,
    pub(super) step: Duration,
    pub(super) pipelining: bool,
    /// The last mail was taken within a moment.
    pub(super) swift: bool,
}

/// How the work on a connection ended.
pub(super) struct Ended<'t> {
    /// The connection may carry more.
    pub(super) keep: bool,
    /// A mail of which nothing was sent, and what ended the connection before.
    pub(super) untried: Option<(Letter<'t>, String)>,
}
impl<'t> Ended<'t> {
    const fn kept() -> Self {
        Self { keep: true, untried: None }
    }
    fn hung_up(untried: Option<Letter<'t>>, reason: impl Into<String>) -> Self {
        Self { keep: false, untried: untried.map(|letter| (letter, reason.into())) }
    }
}

impl Line {
    /// One mail after another, each to one recipient.
    pub(super) async fn carry_all<'t>(
        &mut self,
        first: Letter<'t>,
        mut more: impl FnMut() -> Option<Letter<'t>>,
    ) -> Ended<'t> {
        let mut letter = first;
        // Whether the envelope of the letter has left already, together with the mail before it.
        let mut announced = false;
        loop {
            let (replies, fault) = self.envelope(&letter.envelope, announced).await;
            announced = false;
            let refusal = replies.iter().zip([250, 250, 354]).position(|(reply, wanted)| !reply.is_like(wanted));
            if let Some(at) = refusal {
                if let Some(leaving) = replies.iter().find(|reply| reply.code == 421) {
                    return Ended::hung_up(Some(letter), leaving.codes());
                }
                // A relay that says "go ahead" although it wants no recipient is hung up on: it waits for a mail by now.
                let waits = replies.get(2).is_some_and(|reply| reply.is_like(354));
                let answer = replies.get(at).map_or_else(|| Answer::deferred("lost"), |reply| reply.refusal(at == 0));
                letter.held.answer(answer, None);
                if fault.is_some() || waits || !self.ask(Rset).await.is_ok_and(|reply| reply.is_like(250)) {
                    return Ended::hung_up(None, "");
                }
                match more() {
                    Some(next) => letter = next,
                    None => return Ended::kept(),
                }
                continue;
            }
            if let Some(reason) = fault {
                return Ended::hung_up(Some(letter), reason);
            }
            if letter.held.left().is_zero() {
                // The relay waits for the mail by now; the only way to say no is to leave.
                letter.held.answer(Answer::NotTried { reason: "its time was over" }, None);
                return Ended::hung_up(None, "");
            }
            // With a slow relay the next one stays where it can be taken back, and where a more pressing one can overtake it.
            let next = if self.swift { more() } else { None };
            let mut wire = std::mem::take(&mut letter.wire);
            if let Some(next) = next.as_ref().filter(|_| self.pipelining) {
                wire.extend_from_slice(next.envelope.as_bytes());
                announced = true;
            }
            if let Err(reason) = self.write(&wire).await {
                // The dot is the last that is written, unless an envelope follows: then nobody knows how far it came.
                let (answer, digest) = if announced {
                    (Answer::unknown(reason.clone()), Some(letter.digest))
                } else {
                    (Answer::deferred(reason.clone()), None)
                };
                letter.held.answer(answer, digest);
                return Ended::hung_up(next, reason);
            }
            crate::dies_at!("smtp.after_data");
            let sent = Instant::now();
            let (answer, ends) = match self.listen().await {
                Ok(reply) if reply.is_like(250) => (Answer::Accepted { reference: reply.queue_id() }, None),
                Ok(reply) => (reply.verdict(), (reply.code == 421 || reply.code < 400).then(|| reply.code.to_string())),
                Err(reason) => (Answer::unknown(format!("mail sent, {reason}")), Some(reason)),
            };
            crate::dies_at!("smtp.after_250");
            self.swift = sent.elapsed() < SWIFT;
            letter.held.answer(answer, Some(letter.digest));
            match (next, ends) {
                (next, Some(reason)) => return Ended::hung_up(next, reason),
                (Some(next), None) => letter = next,
                (None, None) => match more() {
                    Some(next) => letter = next,
                    None => return Ended::kept(),
                },
            }
        }
    }

    /// Sender, recipient and the wish to send: in one write where the relay allows it, else one after the other.
    async fn envelope(&mut self, commands: &str, announced: bool) -> (Vec<Reply>, Option<String>) {
        let mut replies = Vec::with_capacity(3);
        if self.pipelining
            && !announced
            && let Err(reason) = self.write(commands.as_bytes()).await
        {
            return (replies, Some(reason));
        }
        for (command, wanted) in commands.split_inclusive('\n').zip([250, 250, 354]) {
            let reply = if self.pipelining { self.listen().await } else { self.ask(command).await };
            match reply {
                Ok(reply) => replies.push(reply),
                Err(reason) => return (replies, Some(reason)),
            }
            if !self.pipelining && replies.last().is_some_and(|reply| !reply.is_like(wanted)) {
                break;
            }
        }
        (replies, None)
    }

    pub(super) async fn sign_in(&mut self, credentials: &Credentials, offer: &Reply) -> Result<(), String> {
        let mechanism = [Mechanism::Plain, Mechanism::Login]
            .into_iter()
            .find(|mechanism| offer.offers("AUTH", Some(&mechanism.to_string())))
            .ok_or("AUTH: neither PLAIN nor LOGIN offered")?;
        let answering = |challenge| Auth::new(mechanism, credentials.clone(), challenge);
        let mut reply = self.ask(answering(None).map_err(|_| "AUTH: unusable")?).await?;
        for _ in 0..4 {
            if reply.code != 334 {
                break;
            }
            let challenge = STANDARD.decode(reply.text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let auth = answering(Some(challenge.ok_or("AUTH: unreadable challenge")?));
            reply = self.ask(auth.map_err(|_| "AUTH: unexpected challenge")?).await?;
        }
        reply.must_be(235, "credentials").map(|_| ())
    }

    pub(super) async fn ask(&mut self, command: impl Display) -> Result<Reply, String> {
        self.write(command.to_string().as_bytes()).await?;
        self.listen().await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let writing = async {
            self.wire.write_all(bytes).await?;
            self.wire.flush().await
        };
        timeout(self.step, writing).await.map_err(|_| "write: timeout")?.map_err(|f| format!("write: {}", f.kind()))
    }

    pub(super) async fn listen(&mut self) -> Result<Reply, String> {
        timeout(self.step, self.read_reply()).await.map_err(|_| "no answer: timeout")?
    }

    async fn read_reply(&mut self) -> Result<Reply, String> {
        let mut bounded = (&mut self.wire).take(REPLY_BYTES_MAX);
        let mut reply: Option<Reply> = None;
        loop {
            let mut line = Vec::new();
            let read = bounded.read_until(b'\n', &mut line).await;
            read.map_err(|fault| format!("no answer: {}", fault.kind()))?;
            if line.pop() != Some(b'\n') {
                return Err("no answer: connection closed".into());
            }
            let line = String::from_utf8_lossy(&line);
            let (code, rest) = line.trim_end().split_at_checked(3).ok_or("unreadable answer")?;
            let code = code.parse().ok().filter(|code| (200..600).contains(code)).ok_or("unreadable answer")?;
            let reply = reply.get_or_insert_with(|| Reply { code, text: String::new() });
            if reply.code != code {
                return Err("unreadable answer".into());
            }
            let (more, text) = match rest.split_at_checked(1) {
                Some(("-", text)) => (true, text),
                Some((" ", text)) => (false, text),
                None => (false, ""),
                Some(_) => return Err("unreadable answer".into()),
            };
            reply.text.push_str(text);
            if !more {
                return Ok(Reply { code, text: std::mem::take(&mut reply.text) });
            }
            reply.text.push('\n');
        }
    }
}

/// What the relay said. Its text may echo an address, so only codes ever leave this file.
pub(super) struct Reply {
    code: u16,
    text: String,
}

impl Reply {
    fn is_like(&self, code: u16) -> bool {
        self.code / 100 == code / 100
    }

    pub(super) fn must_be(self, code: u16, step: &str) -> Result<Self, String> {
        if self.code == code { Ok(self) } else { Err(format!("{step}: {}", self.codes())) }
    }

    /// The reply code and the enhanced status code, if there is one: `550 5.1.1`.
    fn codes(&self) -> String {
        let digits = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        match self.text.split_whitespace().next() {
            Some(word) if word.split('.').count() == 3 && word.split('.').all(digits) => {
                format!("{} {word}", self.code)
            }
            _ => self.code.to_string(),
        }
    }

    /// A refusal that speaks of the relay, its routes or its rules (RFC 3463: X.3, X.4, X.5, X.7), or a bare 554, and not of
    /// the mailbox: one wrong setting there would make every member's mail fail for good. It is tried again, elsewhere if
    /// there is another provider, until its time is over.
    fn is_policy(&self) -> bool {
        let codes = self.codes();
        match codes.split_once(' ') {
            Some((_, enhanced)) => ["5.3.", "5.4.", "5.5.", "5.7."].iter().any(|class| enhanced.starts_with(class)),
            None => self.code == 554,
        }
    }

    /// What a refusal before the mail itself means. At the sender's own address the fault is ours.
    fn refusal(&self, at_sender: bool) -> Answer {
        match self.code {
            530 | 534 | 535 | 538 => Answer::deferred(format!("credentials: {}", self.codes())),
            500.. if at_sender => Answer::channel_down(format!("sender: {}", self.codes())),
            500.. if self.is_policy() => Answer::not_yet(self.codes()),
            500.. => Answer::refused(self.codes()),
            _ if at_sender => Answer::deferred(self.codes()),
            // Greylisting, a full mailbox: it is about this recipient.
            _ => Answer::not_yet(self.codes()),
        }
    }

    /// What an answer to the whole mail means, other than yes.
    fn verdict(&self) -> Answer {
        match self.code {
            // About the text, not about the recipient: nobody is suspended for it.
            500.. => Answer::refused(format!("data: {}", self.codes())),
            400.. => Answer::deferred(self.codes()),
            _ => Answer::unknown(format!("mail sent, answered {}", self.code)),
        }
    }

    /// Whether the answer to EHLO has this keyword, with this parameter if one is asked for.
    pub(super) fn offers(&self, keyword: &str, parameter: Option<&str>) -> bool {
        self.text.lines().skip(1).any(|line| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
                && parameter.is_none_or(|wanted| words.any(|word| word.eq_ignore_ascii_case(wanted)))
        })
    }

    /// The name under which the relay queued the mail: Postfix's `queued as X`, Exim's `id=X`.
    fn queue_id(&self) -> Option<String> {
        let after = self.text.split_once("queued as ").or_else(|| self.text.split_once("id="))?.1;
        let id = after.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.').next()?;
        (1..=64).contains(&id.len()).then(|| id.to_owned())
    }
}

/// The mail as DATA carries it: dots doubled where a line begins with one, the final dot at the end. In one piece, so
/// that it goes out in one write.
pub(super) fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}
