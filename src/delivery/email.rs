//! A parcel written as an e-mail: one recipient in `To`, nobody else anywhere, a `Message-ID` that is the same at every
//! attempt, and the headers by which a mail programme offers to unsubscribe (RFC 8058).

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::MultiPart;
use lettre::message::SinglePart;
use lettre::message::header::ContentTransferEncoding;
use lettre::message::header::ContentType;
use lettre::message::header::HeaderName;
use lettre::message::header::HeaderValue;

use crate::delivery::channel::Parcel;

/// As whom mail is sent.
#[derive(Debug, Clone)]
pub struct MailSender {
    /// The address in `From`, and the one bounces return to.
    pub from: Mailbox,
    /// Where answers go, if not to `from`.
    pub reply_to: Option<Mailbox>,
    /// The part of the `Message-ID` after the `@`.
    pub domain: String,
}

impl MailSender {
    /// Whether mail can be written as this sender at all, so that a slip in the settings shows before the first alert.
    pub fn check(&self) -> Result<(), ComposeError> {
        for mailbox in std::iter::once(&self.from).chain(&self.reply_to) {
            named(mailbox)?;
            if recipient(mailbox.email.as_ref())? != mailbox.email {
                return Err(ComposeError::Address);
            }
        }
        if is_dot_atom(&self.domain, 253) { Ok(()) } else { Err(ComposeError::MessageId) }
    }
}

/// Why a parcel cannot be written as an e-mail. Names the field, never its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A header's value holds a line break or another control character.
    #[error("control character in {0}")]
    Control(&'static str),
    /// The address is none, or wants SMTPUTF8.
    #[error("unusable e-mail address")]
    Address,
    /// Key or domain cannot stand in a `Message-ID`.
    #[error("unusable message id")]
    MessageId,
    /// The address for unsubscribing is not a plain http or https URL.
    #[error("unusable unsubscribe address")]
    Unsubscribe,
    /// The mail could not be put together.
    #[error("mail not composed")]
    Build,
}

/// Writes the mail: the very bytes that go over the wire, with CRLF line ends and nothing but ASCII.
///
/// The same sender, parcel and date give the same bytes, so a repeat can be compared with what was approved.
pub fn compose(sender: &MailSender, parcel: &Parcel, date: SystemTime) -> Result<Vec<u8>, ComposeError> {
    if !is_dot_atom(&parcel.key, 64) || !is_dot_atom(&sender.domain, 253) {
        return Err(ComposeError::MessageId);
    }
    let to = recipient(&parcel.address)?;
    let mut mail = Message::builder()
        .from(named(&sender.from)?)
        .to(Mailbox::new(None, to))
        .date(date)
        .message_id(Some(format!("<{}@{}>", parcel.key, sender.domain)))
        .raw_header(subject(&parcel.subject)?)
        .raw_header(ready("Auto-Submitted", "auto-generated".into()));
    if let Some(reply_to) = &sender.reply_to {
        mail = mail.reply_to(named(reply_to)?);
    }
    if let Some(url) = &parcel.unsubscribe_url {
        if !is_plain_url(url) {
            return Err(ComposeError::Unsubscribe);
        }
        mail = mail
            .raw_header(ready("List-Unsubscribe", format!("<{url}>")))
            .raw_header(ready("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()));
    }
    // What reaches the wire has no line end but CRLF: a lone CR or LF is where one server's mail ends and not another's.
    let broken_by_lf = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    let text = broken_by_lf(&parcel.text);
    let mail = match &parcel.html {
        // A mail ends with a line break in any case: lettre adds it, so the text's own goes.
        None => mail.singlepart(part(ContentType::TEXT_PLAIN, text.strip_suffix('\n').unwrap_or(&text))),
        // Quoted-printable escapes every `=`, so no line of a part can be this boundary.
        Some(html) => mail.multipart(
            MultiPart::alternative()
                .boundary(format!("=_{}", parcel.key))
                .singlepart(part(ContentType::TEXT_PLAIN, &text))
                .singlepart(part(ContentType::TEXT_HTML, &broken_by_lf(html))),
        ),
    };
    mail.map(|mail| mail.formatted()).map_err(|_| ComposeError::Build)
}

/// What stands in `Date`: when the mail left.
#[expect(clippy::disallowed_methods, reason = "a stamp on the envelope; nothing is ever decided by it")]
pub(crate) fn sent_at() -> SystemTime {
    SystemTime::now()
}

/// The recipient as SMTP may name him: ASCII, one word. An accented domain is written in its ASCII form.
pub fn recipient(address: &str) -> Result<Address, ComposeError> {
    let (user, domain) = address.rsplit_once('@').ok_or(ComposeError::Address)?;
    let domain = if domain.is_ascii() {
        domain.to_owned()
    } else if domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.')) {
        let url = reqwest::Url::parse(&format!("http://{domain}/")).map_err(|_| ComposeError::Address)?;
        url.host_str().ok_or(ComposeError::Address)?.to_owned()
    } else {
        return Err(ComposeError::Address);
    };
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>".contains(&byte));
    if !plain(user) || !plain(&domain) || user.len() > 64 || domain.len() > 253 {
        return Err(ComposeError::Address);
    }
    Address::new(user, domain).map_err(|_| ComposeError::Address)
}

/// Refuses what a mail server or a mail programme might take for the end of the header.
fn unbroken<'a>(field: &'static str, value: &'a str) -> Result<&'a str, ComposeError> {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if value.contains(breaks) { Err(ComposeError::Control(field)) } else { Ok(value) }
}

fn named(mailbox: &Mailbox) -> Result<Mailbox, ComposeError> {
    unbroken("name", mailbox.name.as_deref().unwrap_or_default())?;
    Ok(mailbox.clone())
}

/// Written here and not by lettre, which passes a literal `=?utf-8?q?…?=` on, to be shown as something else than was
/// approved.
fn subject(subject: &str) -> Result<HeaderValue, ComposeError> {
    let subject = unbroken("subject", subject)?;
    if subject.is_ascii() && subject.len() <= 66 && subject.trim() == subject && !subject.contains("=?") {
        return Ok(ready("Subject", subject.to_owned()));
    }
    let mut words = vec![String::new()];
    for character in subject.chars() {
        // 45 bytes are 60 in base64: with its wrapping a word stays under the 75 that RFC 2047 allows.
        if words.last().is_none_or(|word| word.len() + character.len_utf8() > 45) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    let words: Vec<_> = words.iter().map(|word| format!("=?utf-8?b?{}?=", STANDARD.encode(word))).collect();
    Ok(ready("Subject", words.join("\r\n ")))
}

/// A header whose value is known to be printable ASCII on lines of a lawful length.
fn ready(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

/// Always quoted-printable: no line over 76 characters, no NUL and nothing but ASCII can reach the wire.
fn part(content_type: ContentType, text: &str) -> SinglePart {
    let builder = SinglePart::builder().header(content_type).header(ContentTransferEncoding::QuotedPrintable);
    builder.body(text.to_owned())
}

fn is_dot_atom(text: &str, at_most: usize) -> bool {
    let atom = |atom: &str| !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    text.len() <= at_most && text.split('.').all(atom)
}

fn is_plain_url(url: &str) -> bool {
    let web = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    web && url.len() <= 900 && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,\"".contains(&byte))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fall over")]

    use std::time::Duration;

    use mail_parser::Message as Parsed;
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    fn sender() -> MailSender {
        MailSender {
            from: "\"Buurt é\" <plp@example.be>".parse().unwrap(),
            reply_to: Some("zone@police.example.be".parse().unwrap()),
            domain: "mail.example.be".into(),
        }
    }

    fn parcel() -> Parcel {
        Parcel {
            delivery: 1,
            key: "0123456789abcdef".repeat(4),
            attempt: 1,
            address: "an@example.be".into(),
            subject: "Witte bestelwagen".into(),
            text: "België\n".into(),
            html: Some("<p>België</p>".into()),
            unsubscribe_url: Some(format!("https://example.be/u/{}", "t".repeat(120))),
            receipt_url: None,
            deadline_in: Duration::from_secs(60),
        }
    }

    fn written(parcel: &Parcel) -> Vec<u8> {
        compose(&sender(), parcel, SystemTime::UNIX_EPOCH).unwrap()
    }

    fn parsed(bytes: &[u8]) -> Parsed<'_> {
        MessageParser::default().parse(bytes).unwrap()
    }

    fn names(bytes: &[u8]) -> Vec<String> {
        let head = String::from_utf8(bytes.to_vec()).unwrap();
        let head = head.split("\r\n\r\n").next().unwrap().to_owned();
        let lines = head.split("\r\n").filter(|line| !line.starts_with(' '));
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_mail_says_what_it_must_and_nothing_else() {
        let bytes = written(&parcel());
        let wanted = "From To Date Message-ID Subject Auto-Submitted Reply-To List-Unsubscribe List-Unsubscribe-Post \
            MIME-Version Content-Type";
        assert_eq!(names(&bytes).join(" "), wanted);
        let mail = parsed(&bytes);
        assert_eq!(mail.from().unwrap().first().unwrap().name(), Some("Buurt é"));
        assert_eq!(mail.to().unwrap().first().unwrap().address(), Some("an@example.be"));
        assert_eq!(mail.message_id().unwrap(), format!("{}@mail.example.be", parcel().key));
        assert_eq!(mail.date().unwrap().to_timestamp(), 0);
        assert_eq!(mail.body_text(0).unwrap(), "België\r\n");
        assert_eq!(mail.body_html(0).unwrap(), "<p>België</p>");
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(&format!("List-Unsubscribe: <{}>\r\n", parcel().unsubscribe_url.unwrap())));
        assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
        assert_eq!(bytes, written(&parcel()), "the same parcel gives the same bytes");
    }

    #[test]
    fn a_mail_without_html_and_without_unsubscribing_is_plain() {
        let bytes = written(&Parcel { html: None, unsubscribe_url: None, ..parcel() });
        assert!(!names(&bytes).contains(&"List-Unsubscribe".to_owned()));
        assert_eq!(parsed(&bytes).body_text(0).unwrap(), "België\r\n");
        let broken_by_crlf = Parcel { html: None, unsubscribe_url: None, text: "België\r\n".into(), ..parcel() };
        assert_eq!(bytes, written(&broken_by_crlf));
    }

    #[test]
    fn what_could_end_a_header_is_refused() {
        for broken in
            ["a\r\nBcc: x@example.be", "a\nb", "a\rb", "a\0b", "a\u{85}b", "a\u{2028}b", "a\u{2029}b", "a\u{1b}b"]
        {
            let subject = Parcel { subject: broken.into(), ..parcel() };
            assert_eq!(compose(&sender(), &subject, SystemTime::UNIX_EPOCH), Err(ComposeError::Control("subject")));
            let url = Parcel { unsubscribe_url: Some(format!("https://example.be/{broken}")), ..parcel() };
            assert_eq!(compose(&sender(), &url, SystemTime::UNIX_EPOCH), Err(ComposeError::Unsubscribe));
            let key = Parcel { key: broken.into(), ..parcel() };
            assert_eq!(compose(&sender(), &key, SystemTime::UNIX_EPOCH), Err(ComposeError::MessageId));
            let mut named = sender();
            named.from.name = Some(broken.into());
            assert_eq!(compose(&named, &parcel(), SystemTime::UNIX_EPOCH), Err(ComposeError::Control("name")));
            for address in
                [format!("{broken}@example.be"), format!("a@{broken}.be"), format!("\"{broken}\"@example.be")]
            {
                assert_eq!(recipient(&address), Err(ComposeError::Address), "{address:?}");
            }
        }
    }

    #[test]
    fn only_a_single_address_is_a_recipient() {
        for address in [
            "",
            "a",
            "@example.be",
            "a@",
            "a@b@example.be",
            "a@example.be,b@example.be",
            "a@example.be b@example.be",
            "A <a@example.be>",
            "<a@example.be>",
            "a@example.be>\r\nRCPT TO:<b@example.be",
            "é@example.be",
            "a@exam ple.be",
            "a@example.be SIZE=1",
            "a@é/x",
        ] {
            assert_eq!(recipient(address), Err(ComposeError::Address), "{address}");
        }
        assert_eq!(recipient("an.o'neill+x@example.be").unwrap().to_string(), "an.o'neill+x@example.be");
        assert_eq!(recipient("an@brûlé.be").unwrap().to_string(), "an@xn--brl-dma2g.be");
    }

    proptest! {
        #[test]
        fn any_subject_arrives_as_it_was_approved(subject in "([ -~]|[é€🚨]|=\\?utf-8\\?q\\?=0d=0aBcc:\\?=|  ){0,120}") {
            let bytes = written(&Parcel { subject: subject.clone(), ..parcel() });
            let mail = parsed(&bytes);
            prop_assert_eq!(mail.subject().unwrap_or_default(), subject);
            prop_assert_eq!(names(&bytes).len(), 11);
            prop_assert!(bytes.is_ascii());
        }

        #[test]
        fn any_text_arrives_and_stays_in_its_part(text in "([ -~]|[\\r\\n.é🚨=-]|\0|\r\n\\.\r\nMAIL FROM:|\n--=_){0,200}") {
            let bytes = written(&Parcel { text: text.clone(), ..parcel() });
            let arrived = parsed(&bytes).body_text(0).unwrap().replace("\r\n", "\n");
            prop_assert_eq!(arrived, text.replace("\r\n", "\n").replace('\r', "\n"));
            prop_assert_eq!(parsed(&bytes).parts.len(), 3);
            let lines = String::from_utf8(bytes).unwrap();
            prop_assert!(lines.is_ascii() && !lines.replace("\r\n", "").contains(['\r', '\n', '\0']));
            prop_assert!(lines.split("\r\n").all(|line| line.len() <= 998));
        }
    }
}
