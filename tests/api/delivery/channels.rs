//! The channels against peers that speak the real protocols over real sockets.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fall over")]

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use mail_parser::MessageParser;
use secrecy::SecretString;
use vigie::delivery::Body;
use vigie::delivery::channel::Answer;
use vigie::delivery::channel::Channel;
use vigie::delivery::channel::Parcel;
use vigie::delivery::channel::PersonalLinks;
use vigie::delivery::email::MailSender;
use vigie::delivery::sms::KannelChannel;
use vigie::delivery::sms::KannelSettings;
use vigie::delivery::sms::KannelSetupError;
use vigie::delivery::smtp::SmtpChannel;
use vigie::delivery::smtp::SmtpSettings;
use vigie::delivery::smtp::SmtpSetupError;
use vigie::delivery::smtp::Tls;
use vigie::delivery::tray::hand_over;
use vigie::values::{Id, Timestamp};

use crate::support::post_office::AfterMail;
use crate::support::post_office::PostOffice;
use crate::support::post_office::SmsManners;
use crate::support::post_office::SmsSink;
use crate::support::post_office::SmtpFeatures;
use crate::support::post_office::SmtpSink;
use crate::support::post_office::root_certificate_pem;

/// Where no answer is missing; a busy machine must not look like a silent peer.
const PATIENT: Duration = Duration::from_secs(20);
/// Where a test waits for an answer that never comes.
const IMPATIENT: Duration = Duration::from_secs(1);

fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::None,
        username: None,
        password: None,
        sender: MailSender {
            from: "PLP <plp@example.be>".parse().unwrap(),
            reply_to: None,
            domain: "example.be".into(),
        },
        connections: 4,
        timeout: PATIENT,
        hello_name: Some("vigie.example.be".into()),
        extra_root_certificate_pem: None,
        provider: "relay".into(),
    }
}

fn channel(sink: &SmtpSink) -> SmtpChannel {
    SmtpChannel::new(settings(sink.port())).unwrap()
}

/// A port where nobody listens, as long as the socket lives.
fn closed_port() -> (tokio::net::TcpSocket, u16) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

fn impatient(sink: &SmtpSink) -> SmtpChannel {
    SmtpChannel::new(SmtpSettings { timeout: IMPATIENT, ..settings(sink.port()) }).unwrap()
}

fn body(delivery: i64) -> Body {
    let text = format!("Text {delivery}\n{}", "A white van.\n".repeat(150));
    Body { subject: format!("Subject {delivery}"), text, html: None }
}

fn saying(body: Body) -> Parcel {
    Parcel { body: Arc::new(body), ..letter(1) }
}

fn letter(delivery: i64) -> Parcel {
    Parcel {
        delivery,
        key: format!("key{delivery}"),
        attempt: 1,
        address: format!("member{delivery}@example.be"),
        content: Id::new(),
        body: Arc::new(body(delivery)),
        links: None,
        return_path: None,
        receipt_url: None,
        at: Timestamp::from_micros(1_772_442_000_000_000),
        deadline_in: Duration::from_secs(600),
    }
}

fn letters(count: i64) -> Vec<Parcel> {
    (1..=count).map(letter).collect()
}

async fn answers(channel: &dyn Channel, parcels: Vec<Parcel>) -> HashMap<i64, Answer> {
    let count = parcels.len();
    let answers = hand_over(channel, parcels).await;
    let answers: Vec<_> = answers.into_iter().map(|answered| (answered.delivery, answered.answer)).collect();
    assert_eq!(answers.len(), count, "one answer a parcel");
    let answers: HashMap<_, _> = answers.into_iter().collect();
    assert_eq!(answers.len(), count, "one answer a parcel");
    for answer in answers.values() {
        let shown = format!("{answer:?}");
        assert!(
            !shown.contains('@') && !shown.contains("member") && !shown.contains("+32"),
            "an address leaks: {shown}"
        );
    }
    answers
}

async fn answer(channel: &dyn Channel, parcel: Parcel) -> Answer {
    let delivery = parcel.delivery;
    answers(channel, vec![parcel]).await.remove(&delivery).unwrap()
}

/// A few found out for all; the others were not tried (accept M9).
fn given_up(answers: &HashMap<i64, Answer>, reason: &str) -> bool {
    let tried = answers.values().filter(|answer| **answer == Answer::deferred(reason)).count();
    let untried = answers.values().filter(|a| matches!(a, Answer::NotTried { reason: "the provider fails" })).count();
    (3..=7).contains(&tried) && tried + untried == answers.len()
}

fn is_accepted(answer: &Answer) -> bool {
    matches!(answer, Answer::Accepted { .. })
}

#[tokio::test]
async fn live_connections_are_bounded_and_used_again() {
    let office = PostOffice::open().await;
    office.smtp.behave(|manners| manners.delay = Duration::from_millis(5));
    let channel = channel(&office.smtp);
    let (some, more) = tokio::join!(answers(&channel, letters(30)), answers(&channel, letters(30)));
    assert!(some.values().chain(more.values()).all(is_accepted));
    answers(&channel, letters(10)).await;
    assert_eq!((office.smtp.connections(), office.smtp.open_peak(), office.mails().len()), (4, 4, 70));
    assert_eq!(channel.provider(), "relay");
}

#[tokio::test]
async fn a_refused_recipient_costs_no_connection() {
    for pipelining in [true, false] {
        let sink = SmtpSink::open(SmtpFeatures { pipelining, ..SmtpFeatures::default() }).await;
        sink.behave(|manners| manners.refuses = HashSet::from(["member2@example.be".into()]));
        let channel = SmtpChannel::new(SmtpSettings { connections: 1, ..settings(sink.port()) }).unwrap();
        let answers = answers(&channel, letters(3)).await;
        assert_eq!(answers[&1], Answer::Accepted { reference: Some("SINK1".into()) });
        assert_eq!(answers[&2], Answer::refused("550 5.1.1"));
        assert_eq!(answers[&3], Answer::Accepted { reference: Some("SINK2".into()) });
        assert_eq!((sink.connections(), sink.commands("RSET"), sink.mails().len()), (1, 1, 2));
    }
}

#[tokio::test]
async fn a_relay_that_goes_on_without_a_recipient_gets_no_mail() {
    let office = PostOffice::open().await;
    office.smtp.behave(|manners| {
        manners.refuses = HashSet::from(["member1@example.be".into()]);
        manners.goes_ahead_regardless = true;
    });
    let channel = channel(&office.smtp);
    assert_eq!(answer(&channel, letter(1)).await, Answer::refused("550 5.1.1"));
    assert!(is_accepted(&answer(&channel, letter(2)).await));
    assert_eq!(office.mails().len(), 1);
}

#[tokio::test]
async fn a_greylisted_mail_is_deferred_and_then_accepted() {
    let office = PostOffice::open().await;
    office.smtp.behave(|manners| manners.greylists = true);
    let channel = channel(&office.smtp);
    assert_eq!(answer(&channel, letter(1)).await, Answer::not_yet("451 4.7.1"));
    assert!(is_accepted(&answer(&channel, Parcel { attempt: 2, ..letter(1) }).await));
    assert_eq!((office.smtp.connections(), office.mails().len()), (1, 1));
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_repeat_is_recognisable() {
    for (after_mail, reason) in [
        (AfterMail::HangsUp, "mail sent, no answer: connection closed"),
        (AfterMail::StaysSilent, "mail sent, no answer: timeout"),
        (AfterMail::Says("250-half an"), "mail sent, no answer: timeout"),
        (AfterMail::Says("HTTP/1.1 200 OK"), "mail sent, unreadable answer"),
        (AfterMail::Says("999 ?"), "mail sent, unreadable answer"),
        (AfterMail::Says("354 what?"), "mail sent, answered 354"),
    ] {
        let office = PostOffice::open().await;
        office.smtp.behave(|manners| manners.after_mail = after_mail);
        let channel = impatient(&office.smtp);
        assert_eq!(answer(&channel, letter(1)).await, Answer::unknown(reason));
        let kept = usize::from(!matches!(after_mail, AfterMail::Says(_)));
        assert_eq!(office.mails().len(), kept, "sent once, not repeated by the channel itself");
        office.smtp.behave(|manners| manners.after_mail = AfterMail::Accepts);
        assert!(is_accepted(&answer(&channel, Parcel { attempt: 2, ..letter(1) }).await));
        let ids: HashSet<_> = office.mails().iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
        assert_eq!(ids, HashSet::from(["<key1@example.be>".to_owned()]));
    }
}

#[tokio::test]
async fn an_answer_to_the_whole_mail_decides_and_keeps_the_connection() {
    let office = PostOffice::open().await;
    let channel = channel(&office.smtp);
    for (says, wanted, connections) in [
        ("552 5.3.4 too big for <member1@example.be>", Answer::refused("data: 552 5.3.4"), 1),
        ("554-5.7.1 spam\r\n554 5.7.1 and again", Answer::refused("data: 554 5.7.1"), 1),
        ("452 no space", Answer::deferred("452"), 1),
        ("421 4.3.0 leaving", Answer::deferred("421 4.3.0"), 1),
        ("250", Answer::Accepted { reference: None }, 2),
        ("250 OK id=1rGx7z-0004Hq-2T", Answer::Accepted { reference: Some("1rGx7z-0004Hq-2T".into()) }, 2),
    ] {
        office.smtp.behave(|manners| manners.after_mail = AfterMail::Says(says));
        assert_eq!((answer(&channel, letter(1)).await, office.smtp.connections()), (wanted, connections), "{says}");
    }
}

#[tokio::test]
async fn a_refused_sender_is_the_channels_own_fault() {
    let office = PostOffice::open().await;
    let channel = channel(&office.smtp);
    for (says, wanted) in [
        ("550 5.7.1 <plp@example.be> not here", Answer::channel_down("sender: 550 5.7.1")),
        ("530 5.7.0 who are you", Answer::deferred("credentials: 530 5.7.0")),
        ("451 4.3.0 later", Answer::deferred("451 4.3.0")),
    ] {
        office.smtp.behave(|manners| manners.answers_sender = Some(says));
        assert_eq!(answer(&channel, letter(1)).await, wanted);
    }
    assert_eq!((office.smtp.connections(), office.mails().len()), (1, 0));
}

#[tokio::test]
async fn a_relay_that_is_away_costs_one_wait_and_not_one_a_parcel() {
    let office = PostOffice::open().await;
    let (_reserved, closed) = closed_port();
    let gone = SmtpChannel::new(settings(closed)).unwrap();
    let heard = answers(&gone, letters(50)).await;
    assert!(given_up(&heard, "connect: connection refused"), "{heard:?}");

    office.smtp.behave(|manners| manners.is_busy = true);
    let channel = impatient(&office.smtp);
    assert!(given_up(&answers(&channel, letters(50)).await, "greeting: 421 4.3.2"));
    assert!(office.smtp.connections() <= 7, "three failures and those who were under way");

    office.smtp.behave(|manners| (manners.is_busy, manners.is_black_hole) = (false, true));
    let started = Instant::now();
    assert!(given_up(&answers(&channel, letters(50)).await, "no answer: timeout"));
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());

    office.smtp.behave(|manners| manners.is_black_hole = false);
    assert!(answers(&channel, letters(50)).await.values().all(is_accepted));
}

#[tokio::test]
async fn a_relay_that_wants_fewer_connections_still_takes_every_mail() {
    let office = PostOffice::open().await;
    office.smtp.behave(|manners| (manners.connections_max, manners.delay) = (Some(2), Duration::from_millis(2)));
    let channel = SmtpChannel::new(SmtpSettings { connections: 8, ..settings(office.smtp.port()) }).unwrap();
    assert!(answers(&channel, letters(40)).await.values().all(is_accepted));
    assert_eq!(office.mails().len(), 40);
}

#[tokio::test]
async fn a_connection_closed_while_it_rested_costs_no_attempt() {
    for hangs_up in [true, false] {
        let office = PostOffice::open().await;
        office.smtp.behave(|manners| {
            (manners.hangs_up_after, manners.tires_after) = if hangs_up { (Some(1), None) } else { (None, Some(1)) };
        });
        let channel = SmtpChannel::new(SmtpSettings { connections: 1, ..settings(office.smtp.port()) }).unwrap();
        assert!(answers(&channel, letters(5)).await.values().all(is_accepted), "hangs up: {hangs_up}");
        assert_eq!((office.smtp.connections(), office.mails().len()), (5, 5));
    }
}

#[tokio::test]
async fn a_mail_whose_time_has_passed_is_not_sent() {
    let office = PostOffice::open().await;
    office.smtp.behave(|manners| manners.delay = Duration::from_millis(300));
    let channel = SmtpChannel::new(SmtpSettings { connections: 1, ..settings(office.smtp.port()) }).unwrap();
    let late = Parcel { deadline_in: Duration::from_millis(100), ..letter(2) };
    let answers = answers(&channel, vec![letter(1), late, letter(3)]).await;
    assert_eq!(answers[&2], Answer::NotTried { reason: "its time was over" });
    assert!(is_accepted(&answers[&1]) && is_accepted(&answers[&3]));
    assert_eq!(office.mails().len(), 2);
}

#[tokio::test]
async fn a_mail_goes_over_tls_and_after_signing_in() {
    for (starttls, mechanisms) in [(true, "PLAIN LOGIN"), (false, "PLAIN LOGIN"), (true, "LOGIN"), (false, "LOGIN")] {
        let features = SmtpFeatures {
            starttls,
            implicit_tls: !starttls,
            auth: Some(("vigie", "s3cret")),
            mechanisms,
            ..SmtpFeatures::default()
        };
        let sink = SmtpSink::open(features).await;
        let settings = SmtpSettings {
            host: "localhost".into(),
            tls: if starttls { Tls::StartTls } else { Tls::Implicit },
            username: Some("vigie".into()),
            password: Some(SecretString::from("s3cret")),
            extra_root_certificate_pem: Some(root_certificate_pem()),
            connections: 1,
            ..settings(sink.port())
        };
        let channel = SmtpChannel::new(settings.clone()).unwrap();
        let answers = answers(&channel, letters(50)).await;
        assert!(answers.values().all(is_accepted), "{starttls} {mechanisms}: {answers:?}");
        assert_eq!((sink.mails().len(), sink.connections(), sink.commands("AUTH")), (50, 1, 1));

        let wrong = SmtpSettings { password: Some(SecretString::from("wrong")), ..settings };
        let wrong = SmtpChannel::new(wrong).unwrap();
        assert_eq!(answer(&wrong, letter(99)).await, Answer::deferred("credentials: 535 5.7.8"));
        assert_eq!(sink.mails().len(), 50);
    }
}

#[tokio::test]
async fn without_the_protection_that_was_asked_for_no_mail_leaves() {
    let encrypted = |sink: &SmtpSink, tls| SmtpSettings {
        host: "localhost".into(),
        tls,
        extra_root_certificate_pem: Some(root_certificate_pem()),
        ..settings(sink.port())
    };
    let stripped = SmtpSink::open(SmtpFeatures::default()).await;
    let channel = SmtpChannel::new(encrypted(&stripped, Tls::StartTls)).unwrap();
    assert_eq!(answer(&channel, letter(1)).await, Answer::deferred("STARTTLS: not offered"));

    // Who sits between the two may write behind the answer to STARTTLS: a whole session's worth of answers, believed by
    // a client that goes on reading its buffer once TLS has begun.
    let slips_in = "\r\n250-forged\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued as FORGED";
    let injected = SmtpSink::open(SmtpFeatures { starttls: true, slips_in, ..SmtpFeatures::default() }).await;
    let channel = SmtpChannel::new(encrypted(&injected, Tls::StartTls)).unwrap();
    assert_eq!(answer(&channel, letter(1)).await, Answer::deferred("STARTTLS: text before TLS"));

    for (starttls, tls) in [(true, Tls::StartTls), (false, Tls::Implicit)] {
        let features = SmtpFeatures { starttls, implicit_tls: !starttls, ..SmtpFeatures::default() };
        let sink = SmtpSink::open(features).await;
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
        let stranger = SmtpSettings { extra_root_certificate_pem: Some(other), ..encrypted(&sink, tls) };
        let stranger = SmtpChannel::new(stranger).unwrap();
        assert_eq!(answer(&stranger, letter(1)).await, Answer::deferred("TLS: invalid data"));
        let misnamed = SmtpSettings { host: "127.0.0.1".into(), ..encrypted(&sink, tls) };
        let misnamed = SmtpChannel::new(misnamed).unwrap();
        assert_eq!(answer(&misnamed, letter(1)).await, Answer::deferred("TLS: invalid data"));
        assert_eq!(sink.mails().len(), 0);
    }
    assert_eq!((stripped.mails().len(), injected.mails().len()), (0, 0));
    assert_eq!((stripped.commands("MAIL"), injected.commands("MAIL")), (0, 0));
}

#[test]
fn settings_that_cannot_work_are_refused_at_once() {
    let refused = |change: fn(&mut SmtpSettings)| {
        let mut settings = settings(25);
        change(&mut settings);
        SmtpChannel::new(settings).err()
    };
    assert_eq!(refused(|_| ()), None);
    assert_eq!(refused(|s| s.host = "not a host".into()), Some(SmtpSetupError::Host));
    assert_eq!(refused(|s| s.hello_name = Some("a\r\nMAIL FROM:<x@y>".into())), Some(SmtpSetupError::HelloName));
    assert_eq!(refused(|s| s.sender.domain = "example.be>".into()), Some(SmtpSetupError::Sender));
    assert_eq!(refused(|s| s.sender.from = "plp@brûlé.be".parse().unwrap()), Some(SmtpSetupError::Sender));
    assert_eq!(refused(|s| s.sender.from.name = Some("PLP\r\nBcc: x".into())), Some(SmtpSetupError::Sender));
    assert_eq!(refused(|s| s.username = Some("vigie".into())), Some(SmtpSetupError::Credentials));
    let in_clear = |s: &mut SmtpSettings| {
        (s.host, s.username, s.password) = ("relay.example.be".into(), Some("a".into()), Some(SecretString::from("b")));
    };
    assert_eq!(refused(in_clear), Some(SmtpSetupError::CredentialsInClear));
    let unreadable = |s: &mut SmtpSettings| {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        (s.tls, s.extra_root_certificate_pem) = (Tls::Implicit, Some(pem.into()));
    };
    assert_eq!(refused(unreadable), Some(SmtpSetupError::Certificate));
}

#[tokio::test]
async fn nothing_in_a_parcel_becomes_a_header_a_command_or_a_second_mail() {
    let payloads = [
        "\r\nBcc: spy@example.net",
        "\nBcc: spy@example.net",
        "\rBcc: spy@example.net",
        "a\r\n\r\n<script>",
        "=?utf-8?q?=0d=0aBcc:_spy@example.net?=",
        "=?utf-8?b?DQpCY2M6IHNweUBleGFtcGxlLm5ldA==?=",
        "\r\n.\r\nMAIL FROM:<spy@example.net>\r\nRCPT TO:<spy@example.net>\r\nDATA\r\n",
        "\n.\nMAIL FROM:<spy@example.net>\n",
        "\n.\r\nMAIL FROM:<spy@example.net>\r\n",
        "\r.\rMAIL FROM:<spy@example.net>\r",
        "\r\n.\nMAIL FROM:<spy@example.net>\n",
        ".",
        "..",
        "\r\n.\r\n.\r\n",
        "\u{85}Bcc: spy@example.net",
        "\u{2028}Bcc: spy@example.net",
        "\u{2029}Bcc: spy@example.net",
        "\0Bcc: spy@example.net",
        "\u{202e}ten.elpmaxe@yps",
        "--=_key1--\r\nContent-Type: text/html\r\n\r\n<b>",
        "member1@example.be>, <spy@example.net",
        "member1@example.be\r\nRCPT TO:<spy@example.net>",
    ];
    let names = |mail: &[u8]| {
        let head = String::from_utf8_lossy(mail).into_owned();
        head.split("\r\n\r\n").next().unwrap().lines().filter(|line| !line.starts_with(' ')).count()
    };
    let office = PostOffice::open().await;
    let channel = SmtpChannel::new(SmtpSettings { connections: 1, ..settings(office.smtp.port()) }).unwrap();
    for payload in payloads {
        for html in [None, Some(format!("<p>{payload}</p>"))] {
            let before = office.mails().len();
            let texts = saying(Body { text: payload.into(), html: html.clone(), ..body(1) });
            assert!(is_accepted(&answer(&channel, texts).await));
            let mails = office.mails();
            assert_eq!(mails.len(), before + 1, "{payload:?}");
            let mail = MessageParser::default().parse(&mails[before].bytes).unwrap();
            let same = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").trim_end_matches('\n').to_owned();
            assert_eq!(same(&mail.body_text(0).unwrap()), same(payload), "{payload:?}");
            let wanted = if html.is_some() { 8 } else { 9 };
            assert_eq!(
                (names(&mails[before].bytes), mails[before].to()),
                (wanted, "member1@example.be"),
                "{payload:?}"
            );
        }

        let before = office.mails().len();
        let headed = answer(&channel, saying(Body { subject: payload.into(), ..body(1) })).await;
        let mails = office.mails();
        if headed == Answer::refused("control character in subject") {
            assert_eq!(mails.len(), before);
        } else {
            assert!(is_accepted(&headed), "{payload:?}");
            assert_eq!((mails.len(), names(&mails[before].bytes)), (before + 1, 9));
            let mail = MessageParser::default().parse(&mails[before].bytes).unwrap();
            assert_eq!(mail.subject(), Some(payload));
        }

        let before = office.mails().len();
        let addressed = answer(&channel, Parcel { address: payload.into(), ..letter(1) }).await;
        assert_eq!(addressed, Answer::refused("unusable e-mail address"), "{payload:?}");
        let keyed = answer(&channel, Parcel { key: payload.into(), ..letter(1) }).await;
        assert_eq!(keyed, Answer::refused("unusable message id"), "{payload:?}");
        let url = format!("https://example.be/{payload}");
        let links = Some(PersonalLinks { leave_url: String::new(), unsubscribe_url: url });
        let listed = answer(&channel, Parcel { links, ..letter(1) }).await;
        assert_eq!(office.mails().len(), before + usize::from(is_accepted(&listed)));
        assert!(office.mails().iter().skip(before).all(|mail| names(&mail.bytes) == 11));
    }
    assert_eq!(office.smtp.connections(), 1);
}

fn kannel(url: String) -> KannelSettings {
    KannelSettings {
        url,
        username: "vigie".into(),
        password: SecretString::from("p&ss=w+rd%41"),
        sender: "PLP Genk".into(),
        in_flight: 4,
        timeout: PATIENT,
        max_parts: 3,
        provider: "gateway".into(),
    }
}

fn text(delivery: i64, text: &str) -> Parcel {
    Parcel {
        address: format!("+3247000{delivery:04}"),
        body: Arc::new(Body { text: text.into(), ..body(delivery) }),
        ..letter(delivery)
    }
}

#[tokio::test]
async fn an_sms_is_asked_for_byte_for_byte_in_the_alphabet_we_chose() {
    let office = PostOffice::open().await;
    let reports = SmsSink::open().await;
    let receipt_url = Some(reports.url().replace("cgi-bin/sendsms", "reports/t0ken"));
    let channel = KannelChannel::new(kannel(office.gateway.url())).unwrap();
    let gsm = "é & 100% + a=b €~ #1?\nhttp://x.be/?a=%20b";
    let ucs2 = "België 🚨 & 100% + %d\r\nçà";
    assert_eq!(
        answer(&channel, Parcel { receipt_url: receipt_url.clone(), ..text(1, gsm) }).await,
        Answer::Accepted { reference: None }
    );
    assert_eq!(
        answer(&channel, Parcel { attempt: 2, receipt_url: receipt_url.clone(), ..text(2, ucs2) }).await,
        Answer::Accepted { reference: None }
    );
    let sms = office.sms();
    assert_eq!((sms[0].text.as_str(), sms[0].coding.as_str(), sms[0].charset.as_deref()), (gsm, "0", None));
    assert_eq!((sms[1].text.as_str(), sms[1].coding.as_str(), sms[1].charset.as_deref()), (ucs2, "2", Some("UTF-8")));
    assert_eq!((sms[0].to.as_str(), sms[0].from.as_str()), ("+32470000001", "PLP Genk"));
    assert_eq!((sms[0].username.as_str(), sms[0].password.as_str()), ("vigie", "p&ss=w+rd%41"));
    assert_eq!((sms[0].dlr_mask.as_deref(), sms[0].validity.as_deref()), (Some("31"), Some("10")));
    assert!(sms[1].dlr_url.as_deref().unwrap().ends_with("/reports/t0ken?type=%d&id=%F"));
    assert_eq!(office.gateway.reports(&sms[1], 8, "F00-1").await, 202);
    assert_eq!(reports.targets(), ["/reports/t0ken?type=8&id=F00-1"]);
    assert_eq!(channel.provider(), "gateway");
}

#[tokio::test]
async fn every_answer_of_the_gateway_means_one_thing() {
    let office = PostOffice::open().await;
    let channel = KannelChannel::new(KannelSettings { timeout: IMPATIENT, ..kannel(office.gateway.url()) }).unwrap();
    let says = |status, body: &str| SmsManners::Says(status, "", body.into());
    let waits = SmsManners::Says(503, "Retry-After: 7\r\n", String::new());
    let moved = SmsManners::Says(302, "Location: http://127.0.0.1:1/\r\n", String::new());
    let table = [
        (SmsManners::Accepts, Answer::Accepted { reference: None }),
        (SmsManners::Queues, Answer::Accepted { reference: Some("queued".into()) }),
        (says(400, "Missing receiver number, rejected"), Answer::refused("400")),
        (says(403, "Authorization failed for sendsms"), Answer::channel_down("403 credentials")),
        (says(403, "Not routable. Do not try again."), Answer::channel_down("403 not routable")),
        (says(404, "Not found"), Answer::channel_down("404")),
        (says(503, "Temporal failure, try again later."), Answer::deferred("503")),
        (
            waits,
            Answer::Deferred { reason: "503".into(), retry_after: Some(Duration::from_secs(7)), of_provider: true },
        ),
        (says(429, "slow down, +32470000001"), Answer::deferred("429")),
        (moved, Answer::channel_down("302")),
        (says(202, "<html>Welcome to the hotel</html>"), Answer::unknown("202 unreadable answer")),
        (says(200, ""), Answer::unknown("200 unreadable answer")),
        (says(202, &"0".repeat(1_000_000)), Answer::unknown("202 unreadable answer")),
        (says(204, ""), Answer::unknown("204 unreadable answer")),
        (says(500, "0: Accepted for delivery"), Answer::unknown("500 unreadable answer")),
        (says(502, "Bad gateway"), Answer::unknown("502 unreadable answer")),
        (SmsManners::StaysSilent, Answer::unknown("request sent, no answer: timeout")),
        (SmsManners::HangsUp, Answer::unknown("request sent, no answer: connection lost")),
    ];
    for (at, (manners, wanted)) in table.into_iter().enumerate() {
        office.gateway.behave(manners.clone());
        assert_eq!(answer(&channel, text(1, "Hallo")).await, wanted, "{manners:?}");
        assert_eq!(office.gateway.targets().len(), at + 1, "asked once, and nobody else followed");
    }
}

#[tokio::test]
async fn a_gateway_that_is_away_costs_one_wait_and_not_one_a_parcel() {
    let (_reserved, closed) = closed_port();
    let gone = KannelChannel::new(kannel(format!("http://127.0.0.1:{closed}/cgi-bin/sendsms"))).unwrap();
    let parcels = || (1..=50).map(|n| text(n, "Hallo")).collect();
    assert!(given_up(&answers(&gone, parcels()).await, "connect: failed"));
    // A listener whose queue is full answers no further connection at all.
    let (socket, port) = closed_port();
    let _full = socket.listen(1).unwrap();
    let waiting = futures_util::future::join_all((0..4).map(async |_| {
        tokio::time::timeout(Duration::from_millis(100), tokio::net::TcpStream::connect(("127.0.0.1", port))).await
    }));
    let _waiting = waiting.await;
    let nowhere =
        KannelChannel::new(KannelSettings { timeout: IMPATIENT, ..kannel(format!("http://127.0.0.1:{port}/")) })
            .unwrap();
    let started = Instant::now();
    let answers = answers(&nowhere, parcels()).await;
    assert!(given_up(&answers, "connect: timeout"), "{answers:?}");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[tokio::test]
async fn requests_in_flight_are_bounded() {
    let office = PostOffice::open().await;
    office.gateway.takes(Duration::from_millis(10));
    let channel = KannelChannel::new(kannel(office.gateway.url())).unwrap();
    let parcels = || (1..=20).map(|n| text(n, "Hallo")).collect();
    let (some, more) = tokio::join!(answers(&channel, parcels()), answers(&channel, parcels()));
    assert!(some.values().chain(more.values()).all(is_accepted));
    assert_eq!((office.sms().len(), office.gateway.open_peak()), (40, 4));
}

#[tokio::test]
async fn a_text_the_gateway_would_cut_is_not_sent() {
    let office = PostOffice::open().await;
    let channel = KannelChannel::new(kannel(office.gateway.url())).unwrap();
    assert!(is_accepted(&answer(&channel, text(1, &"a".repeat(459))).await));
    assert_eq!(answer(&channel, text(2, &"a".repeat(460))).await, Answer::refused("4 parts, 3 allowed"));
    assert_eq!(answer(&channel, text(3, &"ë".repeat(202))).await, Answer::refused("4 parts, 3 allowed"));
    assert_eq!(answer(&channel, text(4, "")).await, Answer::refused("0 parts, 3 allowed"));
    let late = Parcel { deadline_in: Duration::ZERO, ..text(5, "Hallo") };
    assert_eq!(answer(&channel, late).await, Answer::NotTried { reason: "its time was over" });
    assert_eq!(office.sms().len(), 1);
}

#[tokio::test]
async fn a_gateway_that_cannot_work_is_refused_at_once() {
    let refused = |url: &str| KannelChannel::new(kannel(url.into())).err();
    assert_eq!(refused("https://sms.example.be/cgi-bin/sendsms"), None);
    assert_eq!(refused("sms.example.be"), Some(KannelSetupError::Url));
    assert_eq!(refused("file:///etc/passwd"), Some(KannelSetupError::Url));
}
