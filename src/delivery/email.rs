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

use crate::config::Config;
use crate::delivery::channel::Parcel;
use crate::delivery::content::Body;
use crate::texts::{LEAVE_PLACEHOLDER, UNSUBSCRIBE_PLACEHOLDER};

/// Goes up whenever the same parcel would make other bytes than before: attempts of an earlier edition cannot be made again
/// by this program, and must not be called forged for it.
pub(super) const EDITION: i32 = 1;

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

/// Why nobody can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("email.from, email.from_name or email.reply_to cannot be used")]
pub struct UnusableSender;

impl MailSender {
    /// As the settings have it.
    ///
    /// # Errors
    /// When an address in the settings is none.
    pub fn of(config: &Config) -> Result<Self, UnusableSender> {
        let email = &config.email;
        let address = |text: &str| text.parse().map_err(|_| UnusableSender);
        let reply_to =
            if email.reply_to.is_empty() { None } else { Some(Mailbox::new(None, address(&email.reply_to)?)) };
        Ok(Self {
            from: Mailbox::new(Some(email.from_name.clone()), address(&email.from)?),
            reply_to,
            domain: email.message_id_domain.clone(),
        })
    }
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

/// Where something of the recipient's own stands in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// The address.
    To,
    /// When this attempt began.
    Date,
    /// The key of the delivery.
    Key,
    /// Where one POST ends these messages, as a header carries it.
    Unsubscribe,
    /// The same in the text, quoted-printable.
    UnsubscribeInText,
    /// Where the member leaves, quoted-printable.
    LeaveInText,
}
impl Slot {
    const ALL: [Self; 6] =
        [Self::To, Self::Date, Self::Key, Self::Unsubscribe, Self::UnsubscribeInText, Self::LeaveInText];

    /// What stands before the gap. No text can hold it: a header's value has no line break in it.
    const fn lead(self) -> &'static str {
        match self {
            Self::To => "\r\nTo: ",
            Self::Date => "\r\nDate: ",
            Self::Key => "\r\nMessage-ID: <",
            Self::Unsubscribe => "\r\nList-Unsubscribe: <",
            Self::UnsubscribeInText | Self::LeaveInText => "",
        }
    }
    /// What stands in the gap until it is filled. In quoted-printable an `=` is always followed by a number or the end of
    /// the line, so no text can hold these either.
    const fn mark(self) -> &'static str {
        match self {
            Self::To => "gap@vigie.invalid",
            Self::Date => "Thu, 01 Jan 1970 00:00:00 +0000",
            Self::Key => "gap",
            Self::Unsubscribe => "https://vigie.invalid/",
            Self::UnsubscribeInText => "=!unsubscribe!",
            Self::LeaveInText => "=!leave!",
        }
    }
    const fn is_in_text(self) -> bool {
        matches!(self, Self::UnsubscribeInText | Self::LeaveInText)
    }
}

/// A mail with gaps: everything that is the same for all recipients is written once, by lettre, and filled for each.
/// Writing a mail costs 20 to 80 microseconds, filling one less than two.
#[derive(Debug, Clone)]
pub struct Template {
    /// What stands before each gap, and the gap.
    parts: Vec<(Vec<u8>, Slot)>,
    /// What stands after the last.
    end: Vec<u8>,
    length: usize,
}

impl Template {
    /// Writes everything but the gaps. `with_links` is for messages to members: they name where one leaves.
    ///
    /// # Errors
    /// Names the field that cannot be written.
    pub fn new(sender: &MailSender, body: &Body, with_links: bool) -> Result<Self, ComposeError> {
        if !is_dot_atom(&sender.domain, 253) {
            return Err(ComposeError::MessageId);
        }
        let mark = Slot::To.mark().parse().map_err(|_| ComposeError::Build)?;
        let mut mail = Message::builder()
            .from(named(&sender.from)?)
            .to(Mailbox::new(None, mark))
            .date(SystemTime::UNIX_EPOCH)
            .message_id(Some(format!("<{}@{}>", Slot::Key.mark(), sender.domain)))
            .raw_header(subject(&body.subject)?)
            .raw_header(ready("Auto-Submitted", "auto-generated".into()));
        if let Some(reply_to) = &sender.reply_to {
            mail = mail.reply_to(named(reply_to)?);
        }
        if with_links {
            mail = mail
                .raw_header(ready("List-Unsubscribe", format!("<{}>", Slot::Unsubscribe.mark())))
                .raw_header(ready("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()));
        }
        let mail = match &body.html {
            // A mail ends with a line break in any case: lettre adds it, so the text's own goes.
            None => mail.singlepart(part(ContentType::TEXT_PLAIN, one_end_less(&body.text), with_links)?),
            // Quoted-printable escapes every `=`, so no line of a part can be this boundary.
            Some(html) => mail.multipart(
                MultiPart::alternative()
                    .boundary(format!("=_{}", body.hash().get(..32).unwrap_or_default()))
                    .singlepart(part(ContentType::TEXT_PLAIN, &body.text, with_links)?)
                    .singlepart(part(ContentType::TEXT_HTML, html, with_links)?),
            ),
        };
        Self::cut(&mail.map_err(|_| ComposeError::Build)?.formatted())
    }

    /// Finds the gaps, in the order in which they stand.
    fn cut(mail: &[u8]) -> Result<Self, ComposeError> {
        let text_begins = find(mail, b"\r\n\r\n").ok_or(ComposeError::Build)?;
        let (mut parts, mut from) = (Vec::new(), 0);
        loop {
            let next = Slot::ALL.iter().filter_map(|slot| {
                let wanted = format!("{}{}", slot.lead(), slot.mark());
                let at = from + find(mail.get(from..)?, wanted.as_bytes())? + slot.lead().len();
                (slot.is_in_text() == (at > text_begins)).then_some((at, *slot))
            });
            let Some((at, slot)) = next.min_by_key(|(at, _)| *at) else { break };
            parts.push((mail.get(from..at).ok_or(ComposeError::Build)?.to_vec(), slot));
            from = at + slot.mark().len();
        }
        let once = |slot| parts.iter().filter(|(_, found)| *found == slot).count() == 1;
        if !once(Slot::To) || !once(Slot::Date) || !once(Slot::Key) {
            return Err(ComposeError::Build);
        }
        Ok(Self { parts, end: mail.get(from..).unwrap_or_default().to_vec(), length: mail.len() })
    }

    /// The mail for one recipient: the very bytes that go over the wire before dots are doubled, with CRLF line ends and
    /// nothing but ASCII. The same template and parcel give the same bytes, so a repeat can be compared with what was
    /// approved (accept N1).
    ///
    /// # Errors
    /// Names what of the parcel cannot stand in a mail.
    pub fn fill(&self, parcel: &Parcel) -> Result<Vec<u8>, ComposeError> {
        if !is_dot_atom(&parcel.key, 64) {
            return Err(ComposeError::MessageId);
        }
        let to = recipient(&parcel.address)?;
        let mut mail = Vec::with_capacity(self.length + 512);
        for (before, slot) in &self.parts {
            mail.extend_from_slice(before);
            let links = || parcel.links.as_ref().ok_or(ComposeError::Unsubscribe);
            match slot {
                Slot::To => mail.extend_from_slice(AsRef::<str>::as_ref(&to).as_bytes()),
                Slot::Date => mail.extend_from_slice(parcel.at.to_utc().to_rfc2822().as_bytes()),
                Slot::Key => mail.extend_from_slice(parcel.key.as_bytes()),
                Slot::Unsubscribe => mail.extend_from_slice(plain_url(&links()?.unsubscribe_url)?.as_bytes()),
                Slot::UnsubscribeInText => quoted(&mut mail, plain_url(&links()?.unsubscribe_url)?),
                Slot::LeaveInText => quoted(&mut mail, plain_url(&links()?.leave_url)?),
            }
        }
        mail.extend_from_slice(&self.end);
        Ok(mail)
    }
}

/// Writes one mail. Whoever writes many with the same content keeps the template.
///
/// # Errors
/// As of `Template`.
pub fn compose(sender: &MailSender, parcel: &Parcel) -> Result<Vec<u8>, ComposeError> {
    Template::new(sender, &parcel.body, parcel.links.is_some())?.fill(parcel)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn one_end_less(text: &str) -> &str {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix(['\r', '\n'])).unwrap_or(text)
}

/// A link in quoted-printable, on lines of its own that the reader's programme joins again: the lines before and after
/// end softly already.
fn quoted(mail: &mut Vec<u8>, url: &str) {
    for (at, byte) in url.bytes().enumerate() {
        if at > 0 && at % 24 == 0 {
            mail.extend_from_slice(b"=\r\n");
        }
        if byte == b'=' || byte == b'.' && at % 24 == 0 {
            mail.extend_from_slice(format!("={byte:02X}").as_bytes());
        } else {
            mail.push(byte);
        }
    }
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

/// What stands in an approved text in the place of a link, and what is filled in there.
const GAPS: [(&str, Slot); 2] =
    [(LEAVE_PLACEHOLDER, Slot::LeaveInText), (UNSUBSCRIBE_PLACEHOLDER, Slot::UnsubscribeInText)];

/// Always quoted-printable: no line over 76 characters, no NUL and nothing but ASCII can reach the wire, and no line end
/// but CRLF: a lone CR or LF is where one server's mail ends and not another's.
fn part(content_type: ContentType, text: &str, with_links: bool) -> Result<SinglePart, ComposeError> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    let mut encoded = String::with_capacity(text.len() * 5 / 4);
    let mut rest = text.as_str();
    let slots: &[(&str, Slot)] = if with_links { &GAPS } else { &[] };
    loop {
        let next = slots.iter().filter_map(|(name, slot)| Some((rest.find(name)?, *name, *slot)));
        let Some((at, name, slot)) = next.min_by_key(|(at, ..)| *at) else { break };
        let (before, after) = rest.split_at_checked(at).ok_or(ComposeError::Build)?;
        soft(&mut encoded, before);
        // A line of its own: whatever is filled in, no line grows too long.
        encoded.push_str(slot.mark());
        encoded.push_str("=\r\n");
        rest = after.get(name.len()..).ok_or(ComposeError::Build)?;
    }
    encoded.push_str(&quoted_printable::encode_to_str(rest));
    let body =
        lettre::message::Body::dangerous_pre_encoded(encoded.into_bytes(), ContentTransferEncoding::QuotedPrintable);
    Ok(SinglePart::builder().header(content_type).header(ContentTransferEncoding::QuotedPrintable).body(body))
}

/// Quoted-printable that ends in a soft line break.
fn soft(encoded: &mut String, text: &str) {
    // One less than allowed: the `=` at the end wants its place.
    let lines = quoted_printable::Options::default().line_length_limit(75);
    encoded.push_str(&quoted_printable::encode_with_options(text, lines));
    if !encoded.is_empty() && !encoded.ends_with('\n') {
        encoded.push_str("=\r\n");
    }
}

fn is_dot_atom(text: &str, at_most: usize) -> bool {
    let atom = |atom: &str| !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    text.len() <= at_most && text.split('.').all(atom)
}

fn plain_url(url: &str) -> Result<&str, ComposeError> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>,\"".contains(&byte);
    if web && url.len() <= 900 && url.bytes().all(plain) { Ok(url) } else { Err(ComposeError::Unsubscribe) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fall over")]

    use std::sync::Arc;
    use std::time::Duration;

    use mail_parser::Message as Parsed;
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;
    use crate::delivery::channel::PersonalLinks;
    use crate::values::{Id, Timestamp};

    fn sender() -> MailSender {
        MailSender {
            from: "\"Buurt é\" <plp@example.be>".parse().unwrap(),
            reply_to: Some("zone@police.example.be".parse().unwrap()),
            domain: "mail.example.be".into(),
        }
    }

    fn body() -> Body {
        Body { subject: "Witte bestelwagen".into(), text: "België\n".into(), html: Some("<p>België</p>".into()) }
    }

    fn saying(body: Body) -> Parcel {
        Parcel { body: Arc::new(body), ..parcel() }
    }

    fn parcel() -> Parcel {
        Parcel {
            delivery: 1,
            key: "0123456789abcdef".repeat(4),
            attempt: 1,
            address: "an@example.be".into(),
            content: Id::new(),
            body: Arc::new(body()),
            links: Some(PersonalLinks {
                leave_url: "https://example.be/l/1".into(),
                unsubscribe_url: format!("https://example.be/u/{}", "t".repeat(120)),
            }),
            return_path: None,
            receipt_url: None,
            at: Timestamp::from_micros(0),
            deadline_in: Duration::from_secs(60),
        }
    }

    fn written(parcel: &Parcel) -> Vec<u8> {
        compose(&sender(), parcel).unwrap()
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
        assert!(text.contains(&format!("List-Unsubscribe: <{}>\r\n", parcel().links.unwrap().unsubscribe_url)));
        assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
        assert_eq!(bytes, written(&parcel()), "the same parcel gives the same bytes");
    }

    #[test]
    fn a_mail_without_html_and_without_unsubscribing_is_plain() {
        let plain = |text: &str| Parcel { links: None, ..saying(Body { html: None, text: text.into(), ..body() }) };
        let bytes = written(&plain("België\n"));
        assert!(!names(&bytes).contains(&"List-Unsubscribe".to_owned()));
        assert_eq!(parsed(&bytes).body_text(0).unwrap(), "België\r\n");
        assert_eq!(bytes, written(&plain("België\r\n")));
    }

    #[test]
    fn what_could_end_a_header_is_refused() {
        for broken in
            ["a\r\nBcc: x@example.be", "a\nb", "a\rb", "a\0b", "a\u{85}b", "a\u{2028}b", "a\u{2029}b", "a\u{1b}b"]
        {
            let subject = saying(Body { subject: broken.into(), ..body() });
            assert_eq!(compose(&sender(), &subject), Err(ComposeError::Control("subject")));
            let links =
                PersonalLinks { leave_url: String::new(), unsubscribe_url: format!("https://example.be/{broken}") };
            let url = Parcel { links: Some(links), ..parcel() };
            assert_eq!(compose(&sender(), &url), Err(ComposeError::Unsubscribe));
            let key = Parcel { key: broken.into(), ..parcel() };
            assert_eq!(compose(&sender(), &key), Err(ComposeError::MessageId));
            let mut named = sender();
            named.from.name = Some(broken.into());
            assert_eq!(compose(&named, &parcel()), Err(ComposeError::Control("name")));
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

    /// Accept N1: if this fails, the bytes of every mail are others than before. `EDITION` goes up, and the hash here is the
    /// new one: so the proof knows which attempts it cannot make again.
    #[test]
    fn the_edition_goes_up_with_the_bytes() {
        use sha2::Digest;
        let alone = Parcel { links: None, ..saying(Body { html: None, ..body() }) };
        let both = [written(&parcel()), written(&alone)].concat();
        let hash = crate::values::hex(sha2::Sha256::digest(both).as_slice());
        assert_eq!((EDITION, hash.as_str()), (1, "aff38d8dae982924356f11bb79f5f187fab0e52ba0e58e13f52e9fd992876111"));
    }

    /// What a coordinator may write into a text must not be taken for a gap.
    #[test]
    fn no_text_can_be_taken_for_a_gap() {
        let marks = Slot::ALL.map(|slot| format!("{}{}", slot.lead(), slot.mark())).join("\n");
        let body = Body { subject: Slot::Date.mark().into(), text: marks.clone(), html: Some(marks.clone()) };
        let bytes = written(&saying(body));
        let mail = parsed(&bytes);
        assert_eq!(mail.subject(), Some(Slot::Date.mark()));
        assert_eq!(mail.body_text(0).unwrap().replace("\r\n", "\n"), marks.replace("\r\n", "\n"));
    }

    /// One template for all: each gets their own address, links and identity, and nobody else's.
    #[test]
    fn a_template_is_filled_for_each() {
        let text = format!("Au revoir {LEAVE_PLACEHOLDER} ou {UNSUBSCRIBE_PLACEHOLDER}.\n");
        let html = format!("<a href=\"{LEAVE_PLACEHOLDER}\">{}</a>", "é".repeat(30));
        let body = Arc::new(Body { text, html: Some(html), ..body() });
        let template = Template::new(&sender(), &body, true).unwrap();
        for name in ["an", "jo"] {
            let url = |what: &str| format!("https://example.be/{what}/{name}?a=b.{}", ".x".repeat(80));
            let (leave_url, unsubscribe_url) = (url("l"), url("u"));
            let links = Some(PersonalLinks { leave_url: leave_url.clone(), unsubscribe_url: unsubscribe_url.clone() });
            let parcel = Parcel {
                key: format!("key-{name}"),
                address: format!("{name}@example.be"),
                body: Arc::clone(&body),
                links,
                ..parcel()
            };
            let bytes = template.fill(&parcel).unwrap();
            let mail = parsed(&bytes);
            assert_eq!(mail.to().unwrap().first().unwrap().address(), Some(format!("{name}@example.be").as_str()));
            assert_eq!(mail.message_id(), Some(format!("key-{name}@mail.example.be").as_str()));
            assert_eq!(mail.body_text(0).unwrap(), format!("Au revoir {leave_url} ou {unsubscribe_url}.\r\n"));
            assert!(mail.body_html(0).unwrap().contains(&format!("<a href=\"{leave_url}\">é")));
            let lines = String::from_utf8(bytes).unwrap();
            let text = lines.split_once("\r\n\r\n").unwrap().1;
            assert!(text.split("\r\n").all(|line| line.len() <= 76), "{text}");
            assert!(!lines.contains("invalid") && !lines.contains("=!"), "{lines}");
            assert_eq!(lines.into_bytes(), compose(&sender(), &parcel).unwrap());
        }
        let closed = Parcel { links: None, ..parcel() };
        assert_eq!(template.fill(&closed), Err(ComposeError::Unsubscribe), "a gap without its link");
    }

    proptest! {
        #[test]
        fn any_subject_arrives_as_it_was_approved(subject in "([ -~]|[é€🚨]|=\\?utf-8\\?q\\?=0d=0aBcc:\\?=|  ){0,120}") {
            let bytes = written(&saying(Body { subject: subject.clone(), ..body() }));
            let mail = parsed(&bytes);
            prop_assert_eq!(mail.subject().unwrap_or_default(), subject);
            prop_assert_eq!(names(&bytes).len(), 11);
            prop_assert!(bytes.is_ascii());
        }

        #[test]
        fn any_text_arrives_and_stays_in_its_part(text in "([ -~]|[\\r\\n.é🚨=-]|\0|\r\n\\.\r\nMAIL FROM:|\n--=_){0,200}") {
            let bytes = written(&saying(Body { text: text.clone(), ..body() }));
            let arrived = parsed(&bytes).body_text(0).unwrap().replace("\r\n", "\n");
            prop_assert_eq!(arrived, text.replace("\r\n", "\n").replace('\r', "\n"));
            prop_assert_eq!(parsed(&bytes).parts.len(), 3);
            let lines = String::from_utf8(bytes).unwrap();
            prop_assert!(lines.is_ascii() && !lines.replace("\r\n", "").contains(['\r', '\n', '\0']));
            prop_assert!(lines.split("\r\n").all(|line| line.len() <= 998));
        }
    }
}
