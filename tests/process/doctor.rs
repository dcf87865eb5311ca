//! `vigie doctor mail`: the real binary against a name server in this process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use diesel::prelude::*;
use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, MX, PTR, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use serde_json::Value;
use tokio::net::UdpSocket;
use vigie::storage::StorageError;
use vigie::storage::schema::mail_checks;

use crate::database::Kind;
use crate::house::House;

type Records = Vec<(&'static str, RecordType, RData)>;

fn txt(text: &str) -> RData {
    RData::TXT(TXT::new(text.as_bytes().chunks(250).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect()))
}
/// Everything about mons.example as it should be.
fn good() -> Records {
    let name = |text: &str| Name::from_ascii(text).unwrap();
    vec![
        ("mons.example.", RecordType::TXT, txt("v=spf1 include:_spf.mons.example -all")),
        ("_spf.mons.example.", RecordType::TXT, txt("v=spf1 ip4:192.0.2.10 a:relay.mons.example ~all")),
        (
            "v1._domainkey.mons.example.",
            RecordType::TXT,
            txt("v=DKIM1; k=ed25519; p=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
        ),
        ("_dmarc.mons.example.", RecordType::TXT, txt("v=DMARC1; p=reject")),
        ("10.2.0.192.in-addr.arpa.", RecordType::PTR, RData::PTR(PTR(name("relay.mons.example.")))),
        ("11.2.0.192.in-addr.arpa.", RecordType::PTR, RData::PTR(PTR(name("relay.mons.example.")))),
        ("relay.mons.example.", RecordType::A, RData::A(A::new(192, 0, 2, 10))),
        ("relay.mons.example.", RecordType::A, RData::A(A::new(192, 0, 2, 11))),
        ("mons.example.", RecordType::MX, RData::MX(MX::new(10, name("mail.mons.example.")))),
    ]
}
/// A name server for these records; about `sick` it is in trouble.
async fn serves(records: Records, sick: &'static str) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0_u8; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let asked = Message::from_vec(&buffer[..length]).unwrap();
            let query = asked.queries[0].clone();
            let mut answer = Message::response(asked.metadata.id, OpCode::Query);
            answer.metadata.recursion_available = true;
            let name = query.name().to_ascii().to_ascii_lowercase();
            if name == sick {
                answer.metadata.response_code = ResponseCode::ServFail;
            } else if !records.iter().any(|(known, ..)| *known == name) {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            for (_, _, data) in records.iter().filter(|(known, kind, _)| *known == name && *kind == query.query_type())
            {
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, data.clone()));
            }
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    at
}
/// What the command says: its status, what is on stdout, and what is on stderr.
async fn says(house: &House, server: SocketAddr, more: &[&str]) -> (Option<i32>, String, String) {
    let mut settings: BTreeMap<&str, String> = house.settings();
    settings.extend([
        ("VIGIE__EMAIL__FROM", "alert@mons.example".to_owned()),
        ("VIGIE__EMAIL__DKIM_SELECTOR", "v1".to_owned()),
        ("VIGIE__EMAIL__SENDING_ADDRESSES", "192.0.2.10,192.0.2.11".to_owned()),
        ("VIGIE__EMAIL__DNS_SERVER", server.to_string()),
    ]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.args(["doctor", "mail"]).args(more).envs(settings).stdin(Stdio::null());
    let said = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (said.status.code(), text(said.stdout), text(said.stderr))
}
fn verdicts(house: &House) -> Vec<(String, String)> {
    house
        .database
        .read::<_, StorageError>(|tx| {
            let kept = mail_checks::table.order(mail_checks::id).select((mail_checks::domain, mail_checks::verdict));
            Ok(kept.load(tx.db())?)
        })
        .unwrap()
}

/// accept M19
#[tokio::test(flavor = "multi_thread")]
async fn the_command_asks_says_what_to_publish_and_keeps_the_verdict() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let house = House::build(kind).await;
        let (status, table, complaint) = says(&house, serves(good(), "").await, &[]).await;
        assert_eq!(status, Some(0), "{table}{complaint}");
        for line in ["SPF   pass", "DKIM  pass", "DMARC pass", "PTR   pass", "MX    pass", "Passed:"] {
            assert!(table.contains(line), "no {line:?} in {table}");
        }
        let unnamed = good().into_iter().filter(|(name, ..)| *name != "_dmarc.mons.example.").collect();
        let (status, table, complaint) = says(&house, serves(unnamed, "").await, &[]).await;
        assert_eq!(status, Some(1), "{table}{complaint}");
        assert!(table.contains("_dmarc.mons.example. IN TXT \"v=DMARC1; p=reject\""), "{table}");
        assert!(complaint.contains("not verified") && !complaint.contains("panicked"), "{complaint}");
        let (status, json, _) = says(&house, serves(good(), "11.2.0.192.in-addr.arpa.").await, &["--json"]).await;
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((status, &json["verdict"]), (Some(1), &Value::from("unknown")), "{json:#}");
        let ill: Vec<&Value> =
            json["findings"].as_array().unwrap().iter().filter(|finding| finding["outcome"] != "pass").collect();
        assert!(ill.len() == 1 && ill[0]["check"] == "ptr", "{json:#}");
        let words: Vec<String> =
            verdicts(&house).into_iter().map(|(domain, word)| format!("{domain} {word}")).collect();
        assert_eq!(words, ["mons.example passed", "mons.example failed", "mons.example unknown"]);
    }
}
