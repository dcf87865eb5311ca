//! Mails that come back, in the shape in which the mail servers of this world write them, to addresses of nobody.

use std::time::Duration;

use vigie::config::Config;
use vigie::delivery::return_path;

use super::client::Reply;
use super::town::Town;

/// The setting of these tests.
pub const BOUNCES: &str = "bounces@plp.example";

/// What a mail server says of one mail.
#[derive(Debug, Clone, Copy)]
pub struct Verdict {
    pub action: &'static str,
    pub status: &'static str,
    pub diagnostic: &'static str,
}
pub const UNKNOWN_USER: Verdict =
    Verdict { action: "failed", status: "5.1.1", diagnostic: "550 5.1.1 <an@nowhere.example>: User unknown" };
pub const MAILBOX_FULL: Verdict =
    Verdict { action: "failed", status: "5.2.2", diagnostic: "552 5.2.2 <an@nowhere.example>: mailbox full" };
pub const STILL_TRYING: Verdict =
    Verdict { action: "delayed", status: "4.4.1", diagnostic: "connect to mx.nowhere.example: Connection timed out" };
pub const LOOKS_LIKE_SPAM: Verdict =
    Verdict { action: "failed", status: "5.7.1", diagnostic: "554 5.7.1 Message blocked: an@nowhere.example" };

fn mail(head: &str, parts: &[(&str, String)]) -> Vec<u8> {
    let body: String = parts.iter().map(|(head, body)| format!("--=_b1\n{head}\n\n{body}\n\n")).collect();
    format!("{head}\n\n{body}--=_b1--\n").replace('\n', "\r\n").into_bytes()
}
const SENT_BACK: &str = "From: Vigie <alert@plp.example>\nTo: an@nowhere.example\nSubject: White van\n\nRue Haute";

/// Postfix, which sends the header back.
pub fn postfix(said: Verdict) -> Vec<u8> {
    let Verdict { action, status, diagnostic } = said;
    mail(
        "Return-Path: <>\nReceived: by relay.plp.example (Postfix) id 4A1B2C3D; Mon, 2 Mar 2026 10:00:03 +0100 (CET)\n\
         Date: Mon, 2 Mar 2026 10:00:03 +0100 (CET)\nFrom: MAILER-DAEMON@relay.plp.example (Mail Delivery System)\n\
         Subject: Undelivered Mail Returned to Sender\nTo: bounces+1-0@plp.example\nAuto-Submitted: auto-replied\n\
         MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"=_b1\"\n\
         Content-Transfer-Encoding: 8bit\nMessage-Id: <20260302090003.4A1B@relay.plp.example>\n\n\
         This is a MIME-encapsulated message.",
        &[
            (
                "Content-Description: Notification\nContent-Type: text/plain; charset=utf-8",
                format!("I'm sorry to have to inform you that your message could not\nbe delivered. {diagnostic}"),
            ),
            (
                "Content-Description: Delivery report\nContent-Type: message/delivery-status",
                format!(
                    "Reporting-MTA: dns; relay.plp.example\nX-Postfix-Queue-ID: 4A1B2C3D\nX-Postfix-Sender: rfc822; \
                     bounces@plp.example\nArrival-Date: Mon, 2 Mar 2026 10:00:01 +0100 (CET)\n\n\
                     Final-Recipient: rfc822; an@nowhere.example\nOriginal-Recipient: rfc822;an@nowhere.example\n\
                     Action: {action}\nStatus: {status}\nRemote-MTA: dns; mx.nowhere.example\n\
                     Diagnostic-Code: smtp; {diagnostic} (in reply to RCPT TO\n    command)"
                ),
            ),
            (
                "Content-Description: Undelivered Message Headers\nContent-Type: message/rfc822-headers",
                SENT_BACK.split("\n\n").next().unwrap().to_owned(),
            ),
        ],
    )
}
/// Exim, whose own status is always `5.0.0`.
pub fn exim(said: Verdict) -> Vec<u8> {
    let Verdict { action, diagnostic, .. } = said;
    mail(
        "X-Failed-Recipients: an@nowhere.example\nAuto-Submitted: auto-replied\nFrom: Mail Delivery System \
         <Mailer-Daemon@mx.plp.example>\nTo: bounces+1-0@plp.example\nReferences: <a1@plp.example>\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary==_b1\nMIME-Version: 1.0\n\
         Subject: Mail delivery failed: returning message to sender\nMessage-Id: <E1wabc-0004xy-2z@mx.plp.example>\n\
         Date: Mon, 02 Mar 2026 10:00:03 +0100",
        &[
            (
                "Content-type: text/plain; charset=us-ascii",
                format!("This message was created automatically.\n\n  an@nowhere.example\n    {diagnostic}"),
            ),
            (
                "Content-type: message/delivery-status",
                format!(
                    "Reporting-MTA: dns; mx.plp.example\n\nAction: {action}\nFinal-Recipient: rfc822;an@nowhere.example\n\
                     Status: 5.0.0\nRemote-MTA: dns; mx.nowhere.example\nDiagnostic-Code: smtp; {diagnostic}"
                ),
            ),
            ("Content-type: message/rfc822", SENT_BACK.to_owned()),
        ],
    )
}
/// Exchange and Office 365: encoded as base64, and with words of its own.
pub fn exchange(status: &str, words: &str) -> Vec<u8> {
    use base64::Engine;
    let code = "550";
    let fields = format!(
        "Reporting-MTA: dns;AM0PR01MB1234.eurprd01.prod.example\r\nReceived-From-MTA: dns;relay.plp.example\r\n\
         Arrival-Date: Mon, 2 Mar 2026 09:00:02 +0000\r\n\r\nFinal-Recipient: rfc822;an@nowhere.example\r\n\
         Action: failed\r\nStatus: {status}\r\nDiagnostic-Code: smtp;{code} {status} {words}\r\n\
         X-Display-Name: An Peeters\r\n"
    );
    mail(
        "From: <postmaster@nowhere.example>\nTo: <bounces+1-0@plp.example>\nDate: Mon, 2 Mar 2026 09:00:04 +0000\n\
         Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"=_b1\"\n\
         X-MS-Exchange-Message-Is-Ndr:\nContent-Language: en-GB\nMessage-ID: <7c0e@AM0PR01MB1234.example>\n\
         Subject: Undeliverable: White van\nAuto-Submitted: auto-replied\nMIME-Version: 1.0",
        &[
            ("Content-Type: text/html; charset=\"us-ascii\"", format!("<p>Your message wasn't delivered. {words}</p>")),
            (
                "Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64",
                base64::engine::general_purpose::STANDARD.encode(fields),
            ),
            ("Content-Type: message/rfc822", SENT_BACK.to_owned()),
        ],
    )
}
/// Gmail, whose answers run over several lines.
pub fn gmail(status: &str) -> Vec<u8> {
    let code = if status.starts_with('4') { "452" } else { "550" };
    mail(
        "Return-Path: <>\nContent-Type: multipart/report; boundary=\"=_b1\"; report-type=delivery-status\n\
         To: bounces+1-0@plp.example\nReceived: by 2002:a05:6402:1 with SMTP id q1; Mon, 02 Mar 2026 01:00:04 -0800\n\
         From: Mail Delivery Subsystem <mailer-daemon@mail.example>\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Subject: Delivery Status Notification (Failure)\nReferences: <a1@plp.example>\nX-Failed-Recipients: an@mail.example",
        &[
            ("Content-Type: text/plain; charset=\"UTF-8\"", "** Address not found **\n\nan@mail.example".to_owned()),
            (
                "Content-Type: message/delivery-status",
                format!(
                    "Reporting-MTA: dns; mail.example\nArrival-Date: Mon, 02 Mar 2026 01:00:03 -0800 (PST)\n\
                     X-Original-Message-ID: <a1@plp.example>\n\nFinal-Recipient: rfc822; an@mail.example\nAction: failed\n\
                     Status: {status}\nRemote-MTA: dns; mx.mail.example. (192.0.2.1, the server for the domain.)\n\
                     Diagnostic-Code: smtp; {code}-{status} The email account that you tried to reach does not exist.\n \
                     {code}-{status} Please try double-checking the recipient's email address for typos\n \
                     {code} {status}  https://support.example/ a1si2 - gsmtp\n\
                     Last-Attempt-Date: Mon, 02 Mar 2026 01:00:04 -0800 (PST)"
                ),
            ),
            ("Content-Type: message/rfc822", SENT_BACK.to_owned()),
        ],
    )
}
/// An old server that knows no reports, and hides its codes in prose.
pub fn prose() -> Vec<u8> {
    b"Return-Path: <>\r\nFrom: MAILER-DAEMON@old.example\r\nTo: bounces+1-0@plp.example\r\nSubject: failure notice\r\n\r\n\
      Hi. This is the qmail-send program at old.example.\r\n<an@nowhere.example>:\r\n\
      192.0.2.9 does not like recipient. Remote host said: 550 5.1.1 User unknown\r\n"
        .to_vec()
}
/// Somebody on holiday.
pub fn vacation() -> Vec<u8> {
    b"From: an@nowhere.example\r\nTo: bounces+1-0@plp.example\r\nSubject: Out of office 550 5.1.1\r\n\
      Auto-Submitted: auto-replied (vacation)\r\nX-Auto-Response-Suppress: All\r\n\r\nI am away until 5.1.2027.\r\n"
        .to_vec()
}

impl Town {
    /// The envelope sender of a mail that left at the first attempt.
    pub fn return_address(&self, delivery: i64) -> String {
        self.return_address_of(delivery, 1)
    }
    /// The envelope sender of the mail of an attempt.
    pub fn return_address_of(&self, delivery: i64, attempt: i32) -> String {
        let mut config = Config::defaults().unwrap();
        config.email.bounce_address = BOUNCES.to_owned();
        return_path(&config, self.database.keys(), delivery, attempt).unwrap()
    }
    /// The mail server brings a mail that came back to an address.
    pub async fn comes_back(&self, to: &str, mail: Vec<u8>) -> Reply {
        let hook = vigie::delivery::returned_mail_url(&self.config, self.database.keys());
        let path = format!("{}?to={to}", hook.strip_prefix(&self.base).unwrap());
        Reply::of(self.raw("POST", &path, None, &[("content-type", "message/rfc822")], mail).await).await
    }
    /// The minute passes, with its duties.
    pub async fn minute_passes(&self) {
        self.passes(Duration::from_secs(60));
        vigie::worker::minute(&self.database).await.unwrap();
    }
}
