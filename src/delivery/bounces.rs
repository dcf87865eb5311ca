//! Mails that come back: read for two codes, believed only when the address they came to was made by us. Nothing else of
//! them is kept, no address and no text.

use mail_parser::{HeaderName, Message, MessageParser, MimeHeaders, PartType};

use super::blame::status;
use super::lifecycle::{Channel, State};
use super::receipts::{self, Report};
use super::return_path::attempt_of;
use crate::storage::StorageError;
use crate::storage::Tx;

/// The name under which receipts of returned mails are kept.
pub(super) const PROVIDER: &str = "dsn";
/// The code of a report without one, and of a mail that is no report.
const NO_CODE: &str = "none";

/// What a report says has become of a mail (RFC 3464, 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// The mail changed hands, or became several: nothing is known yet.
    PassedOn,
    /// It lies in a mailbox, as far as the last server can say.
    Delivered,
    /// Not yet; they keep trying.
    Delayed,
    /// Never.
    Failed,
}
impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::PassedOn => "relayed",
            Self::Delivered => "delivered",
            Self::Delayed => "delayed",
            Self::Failed => "failed",
        }
    }
    /// The state it raises a delivery to. "Delivered" is the word of a server and not of a reader (accept M11).
    const fn level(self) -> Option<State> {
        match self {
            Self::Failed => Some(State::Failed),
            Self::Delivered => Some(State::AtOperator),
            Self::Delayed | Self::PassedOn => None,
        }
    }
}
/// What a mail to an address for bounces turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Returned {
    /// A report by the book.
    Report(Outcome, String),
    /// Somebody is on holiday: the mail has arrived, or not; nothing follows.
    AutoReply,
    /// Neither. Whatever codes its text may hold are not guessed at.
    Unknown,
}

/// Reads a mail; nothing when it is none.
pub(super) fn read(mail: &[u8]) -> Option<Returned> {
    let mail = MessageParser::default().parse(mail).filter(|mail| mail.headers().iter().any(is_known))?;
    // A report first: most of them call themselves automatic, too.
    if let Some(fields) = delivery_status(&mail) {
        return Some(outcome(&fields).map_or(Returned::Unknown, |(outcome, code)| Returned::Report(outcome, code)));
    }
    Some(if is_automatic(&mail) { Returned::AutoReply } else { Returned::Unknown })
}
/// A line with a colon is not a mail yet.
fn is_known(header: &mail_parser::Header<'_>) -> bool {
    !matches!(header.name, HeaderName::Other(_))
}
/// The part with the report. Only one that stands beside the explanation: what was sent back inside may hold others.
fn delivery_status(mail: &Message<'_>) -> Option<String> {
    let PartType::Multipart(children) = &mail.root_part().body else { return None };
    let part = children.iter().filter_map(|id| mail.part(*id)).find(|part| {
        part.content_type().is_some_and(|kind| {
            let subtype = kind.subtype().unwrap_or_default();
            kind.ctype().eq_ignore_ascii_case("message")
                && ["delivery-status", "global-delivery-status"].iter().any(|known| subtype.eq_ignore_ascii_case(known))
        })
    })?;
    Some(String::from_utf8_lossy(part.contents()).into_owned())
}
/// RFC 3834, and what was there before it.
fn is_automatic(mail: &Message<'_>) -> bool {
    let says = |name: &'static str| mail.header_raw(name).map(|value| value.trim().to_ascii_lowercase());
    says("Auto-Submitted").is_some_and(|value| !value.starts_with("no"))
        || ["X-Autoreply", "X-Autorespond"].iter().any(|name| says(name).is_some())
        || says("Precedence").is_some_and(|value| ["auto_reply", "bulk", "junk"].contains(&value.as_str()))
}
/// What came of the mail, with its code; where one copy of several failed, it failed. Fields of the message itself come in
/// a group of their own, without an action.
fn outcome(fields: &str) -> Option<(Outcome, String)> {
    let fields = fields.replace("\r\n", "\n");
    let unfolded = fields.replace("\n ", " ").replace("\n\t", " ");
    unfolded.split("\n\n").filter_map(group).max_by_key(|(outcome, _)| *outcome)
}
fn group(group: &str) -> Option<(Outcome, String)> {
    let field = |wanted: &str| {
        group.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let outcome = match field("Action")?.split_whitespace().next()?.to_ascii_lowercase().as_str() {
        "failed" => Outcome::Failed,
        "delayed" => Outcome::Delayed,
        "delivered" => Outcome::Delivered,
        "relayed" | "expanded" => Outcome::PassedOn,
        _ => return None,
    };
    Some((outcome, code(field("Status"), field("Diagnostic-Code"))))
}
/// The enhanced status; what the other server said where ours found nothing better than `5.0.0`.
fn code(said: Option<&str>, diagnostic: Option<&str>) -> String {
    let said = said.and_then(|value| value.split_whitespace().next()).filter(|word| status(word).is_some());
    if let Some(said) = said.filter(|word| status(word).is_some_and(|(_, subject, _)| subject != 0)) {
        return said.to_owned();
    }
    // `smtp; 550 5.1.1 No such user` or `smtp; 550-5.1.1 No such`: the first two words, and no other.
    let reply = diagnostic.and_then(|value| value.split_once(';')).filter(|(kind, _)| kind.trim() == "smtp");
    let mut words = reply.map_or("", |(_, reply)| reply).split([' ', '-', '\t']).filter(|word| !word.is_empty());
    let bare = words.next().filter(|word| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit()));
    let enhanced = bare.and(words.next()).filter(|word| status(word).is_some());
    enhanced.or(bare).or(said).unwrap_or(NO_CODE).to_owned()
}

/// Keeps what came back for the attempt that the address names. An address that is not ours changes nothing, and neither
/// does a repeat.
pub(super) fn take(tx: &mut Tx<'_>, to: &str, returned: &Returned) -> Result<(), StorageError> {
    let Some(attempt) = attempt_of(tx.keys(), to) else {
        tracing::warn!("a mail came back to an address that we did not make");
        return Ok(());
    };
    let (word, level, code) = match returned {
        Returned::Report(outcome, code) => (outcome.word(), outcome.level(), code.as_str()),
        Returned::Unknown => ("unknown", None, NO_CODE),
        Returned::AutoReply => return Ok(()),
    };
    receipts::keep(
        tx,
        attempt,
        &Report { channel: Channel::Email, provider: PROVIDER, word, level, code, reference: None, once: true },
    )
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Returned, read};

    fn report(fields: &str) -> String {
        format!(
            "From: MAILER-DAEMON@mx.example\r\nTo: bounces+1-0@plp.example\r\nSubject: failure\r\nMIME-Version: 1.0\r\n\
             Auto-Submitted: auto-replied\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\n{}\r\n\r\n\
             --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Alert\r\n\r\nText\r\n--b--\r\n",
            fields.replace('\n', "\r\n")
        )
    }
    fn says(fields: &str) -> (Outcome, String) {
        match read(report(fields).as_bytes()) {
            Some(Returned::Report(outcome, code)) => (outcome, code),
            other => panic!("{fields}: {other:?}"),
        }
    }

    #[test]
    fn the_status_decides_and_the_other_servers_word_where_it_says_nothing() {
        let table = [
            ("Reporting-MTA: dns;m\n\nAction: failed\nStatus: 5.1.1", Outcome::Failed, "5.1.1"),
            ("A: b\n\naction: FAILED\nSTATUS: 5.2.2 (mailbox full)", Outcome::Failed, "5.2.2"),
            ("A: b\n\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.1 no", Outcome::Failed, "5.1.1"),
            ("A: b\n\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp;\n 550-5.1.1 no", Outcome::Failed, "5.1.1"),
            ("A: b\n\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 no", Outcome::Failed, "550"),
            ("A: b\n\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; no 550 5.1.1", Outcome::Failed, "5.0.0"),
            ("A: b\n\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: X-Unix; 550 5.1.1", Outcome::Failed, "5.0.0"),
            ("A: b\n\nAction: failed", Outcome::Failed, "none"),
            ("A: b\n\nAction: failed\nStatus: an@example.be", Outcome::Failed, "none"),
            ("A: b\n\nAction: delayed\nStatus: 4.4.1", Outcome::Delayed, "4.4.1"),
            ("A: b\n\nAction: delivered\nStatus: 2.0.0", Outcome::Delivered, "2.0.0"),
            ("A: b\n\nAction: relayed\nStatus: 2.0.0", Outcome::PassedOn, "2.0.0"),
            ("A: b\n\nAction: delivered\nStatus: 2.0.0\n\nAction: failed\nStatus: 5.1.1", Outcome::Failed, "5.1.1"),
            // Without a group for the message.
            ("Action: failed\nStatus: 5.1.1", Outcome::Failed, "5.1.1"),
        ];
        for (fields, outcome, code) in table {
            assert_eq!(says(fields), (outcome, code.to_owned()), "{fields}");
        }
        for fields in ["", "A: b", "A: b\n\nAction: dancing\nStatus: 5.1.1", "Status: 5.1.1"] {
            assert_eq!(read(report(fields).as_bytes()), Some(Returned::Unknown), "{fields}");
        }
    }
    #[test]
    fn a_report_inside_the_mail_that_was_sent_back_is_not_ours() {
        let inner = report("A: b\n\nAction: failed\nStatus: 5.1.1").replace("\"b\"", "\"i\"").replace("--b", "--i");
        let outer = format!(
            "From: an@example.be\r\nSubject: Fwd\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=\"o\"\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--o--\r\n"
        );
        assert_eq!(read(outer.as_bytes()), Some(Returned::Unknown));
    }
    #[test]
    fn what_is_no_mail_is_not_taken_for_one() {
        for garbage in [&b""[..], b"\0\0\0", b"hello", b"kanarievogel: 1", &[0xFF; 2_000], b"\r\n\r\nbody"] {
            assert_eq!(read(garbage), None, "{garbage:?}");
        }
        assert_eq!(read(b"Subject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nx"), Some(Returned::AutoReply));
        assert_eq!(read(b"Subject: Hello\r\nAuto-Submitted: no\r\n\r\n550 5.1.1"), Some(Returned::Unknown));
    }
    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_fall_over(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2_000)) {
            let _ = read(&bytes);
            let _ = read(report(&String::from_utf8_lossy(&bytes)).as_bytes());
        }
    }
}
