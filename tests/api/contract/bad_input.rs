//! Every field of every body, wrong in every way, generated from the contract: always 4xx with a pointer, never 500,
//! never an echo, never a row.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vigie::access::{Access, Mounted, Need, Permission, Role, row};
use vigie::app;

use super::schema::{Book, CANARY, CANARY_NUMBER, Fault, Operation, UNKNOWN, wrong_values};
use super::stage::{Holder, Stage, Where, access_token, rows, without_instance};
use crate::support::{Town, on_both};

/// Somebody for each role, and who of them may do what.
struct Door {
    stage: Stage,
    holders: BTreeMap<Role, Holder>,
    table: Vec<Mounted>,
}
impl Door {
    async fn build(town: &Town) -> Self {
        let stage = Stage::set(town).await;
        let mut holders = BTreeMap::new();
        for role in Role::ALL {
            holders.insert(*role, stage.holder(town, *role, Where::Here).await.unwrap());
        }
        Self { stage, holders, table: app::contract().unwrap().table }
    }
    /// The token of somebody who passes the gate, and the path.
    fn entry(&self, town: &Town, operation: &Operation) -> (Option<String>, String) {
        let route = self.table.iter().find(|route| route.access.operation() == operation.name).unwrap();
        let holder = match route.access {
            Access::Requires(permission) => Some(self.who(permission, &operation.path)),
            _ => None,
        };
        let session = holder.map_or_else(vigie::values::Id::new, |holder| holder.session);
        let path = self.stage.path(town, &operation.path, session);
        (holder.map(|holder| access_token(town, holder.account, holder.fresh)), path)
    }
    fn who(&self, permission: Permission, path: &str) -> &Holder {
        let place = self.stage.place_of(path);
        let found = match row(permission).need {
            Need::SignedIn => self.holders.get(&Role::Coordinator),
            Need::Roles(roles) => roles
                .iter()
                .map(|role| &self.holders[role])
                .find(|holder| Stage::is_list(permission) || holder.reach.covers(&place)),
        };
        found.unwrap_or_else(|| panic!("nobody may {permission:?} at {path}"))
    }
}

/// What went wrong, gathered, so that one run shows all of it.
#[derive(Default)]
struct Tally {
    cases: usize,
    faults: Vec<String>,
}
impl Tally {
    fn say(&mut self, operation: &Operation, what: &str, said: &str) {
        self.faults.push(format!("{} {} ({what}): {said}", operation.method, operation.path));
    }
    #[track_caller]
    fn finish(self, what: &str, floor: usize) {
        eprintln!("{what}: {} cases", self.cases);
        assert!(self.faults.is_empty(), "{} faults of {}:\n{}", self.faults.len(), self.cases, self.faults.join("\n"));
        assert!(self.cases >= floor, "only {} cases are left: has the contract lost its limits?", self.cases);
    }
}

struct Answer {
    status: u16,
    text: String,
    json: Value,
}
async fn ask(
    town: &Town,
    operation: &Operation,
    (token, path): (Option<&str>, &str),
    media: &[&str],
    body: Vec<u8>,
) -> Answer {
    let key = uuid::Uuid::from_bytes(vigie::storage::random_bytes()).to_string();
    let mut headers = vec![("idempotency-key", key.as_str()), ("if-match", "\"v1\"")];
    headers.extend(media.iter().map(|media| ("content-type", *media)));
    let response = town.raw(&operation.method, path, token, &headers, body).await;
    let status = response.status().as_u16();
    let media = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    if (400..500).contains(&status) && media.as_deref() != Some("application/problem+json") {
        return Answer { status: 599, text: format!("{status} as {media:?}: {text}"), json };
    }
    Answer { status, text, json }
}
fn pointers(answer: &Answer) -> Vec<&str> {
    answer.json["errors"].as_array().into_iter().flatten().filter_map(|error| error["pointer"].as_str()).collect()
}
/// What is wrong with the answer to a wrong field.
fn complaint(answer: &Answer, fault: &Fault) -> Option<String> {
    if answer.status != 422 {
        return Some(format!("{} instead of 422: {}", answer.status, answer.text));
    }
    if answer.text.contains(CANARY) || answer.text.contains(&CANARY_NUMBER.to_string()) || answer.text.contains("qqqqq")
    {
        return Some(format!("repeats the value: {}", answer.text));
    }
    let named = |pointer: &&str| {
        *pointer == fault.pointer || fault.below.as_ref().is_some_and(|below| pointer.starts_with(below.as_str()))
    };
    let found = pointers(answer);
    (!found.iter().any(named)).then(|| format!("{found:?} instead of {}: {}", fault.pointer, answer.text))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_field_is_refused_by_name_and_changes_nothing() {
    let book = Book::open();
    on_both(async |town| {
        let door = Door::build(town).await;
        let mut tally = Tally::default();
        for operation in book.operations() {
            let Some((media, schema)) = operation.body.clone() else { continue };
            if media != "application/json" {
                continue;
            }
            let (token, path) = door.entry(town, &operation);
            let entry = (token.as_deref(), path.as_str());
            let before = rows(town).await;
            for fault in book.faults(&schema) {
                tally.cases += 1;
                let answer = ask(town, &operation, entry, &[&media], fault.body.to_string().into_bytes()).await;
                if let Some(said) = complaint(&answer, &fault) {
                    tally.say(&operation, &format!("{} {}", fault.what, fault.pointer), &said);
                }
            }
            let after = rows(town).await;
            if before != after {
                tally.say(&operation, "rows", &format!("{before:?} became {after:?}"));
            }
        }
        tally.finish("wrong fields", 1_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_none_is_refused_and_changes_nothing() {
    let book = Book::open();
    on_both(async |town| {
        let door = Door::build(town).await;
        let mut tally = Tally::default();
        let before = rows(town).await;
        for operation in book.operations() {
            let Some((media, schema)) = operation.body.clone() else { continue };
            let (token, path) = door.entry(town, &operation);
            let entry = (token.as_deref(), path.as_str());
            let is_json = media == "application/json";
            let good = if is_json { book.sample(&schema, "").to_string() } else { CANARY.to_owned() }.into_bytes();
            let too_large = [b"\"", vec![b'q'; town.config.server.body_max_bytes + 1].as_slice(), b"\""].concat();
            let mut cases: Vec<(&str, Vec<&str>, Vec<u8>, u16)> = vec![
                ("no media type", vec![], good.clone(), 415),
                ("another media type", vec!["text/plain"], good.clone(), 415),
                ("two media types", vec![&media, "text/plain"], good.clone(), 415),
                ("two media types", vec!["text/plain", &media], good.clone(), 415),
                ("too large", vec![&media], too_large, 413),
            ];
            if is_json {
                let twice = [good.as_slice(), b" {}"].concat();
                let half = good[..good.len() - 1].to_vec();
                let deep = [vec![b'['; 5_000], vec![b']'; 5_000]].concat();
                cases.extend([
                    ("nothing", vec![media.as_str()], vec![], 400),
                    ("half", vec![media.as_str()], half, 400),
                    ("twice", vec![media.as_str()], twice, 400),
                    ("no JSON", vec![media.as_str()], CANARY.as_bytes().to_vec(), 400),
                    ("no text", vec![media.as_str()], vec![0xFF, 0xFE, b'{'], 400),
                    ("an array", vec![media.as_str()], b"[]".to_vec(), 422),
                    ("null", vec![media.as_str()], b"null".to_vec(), 422),
                    ("a text", vec![media.as_str()], format!("\"{CANARY}\"").into_bytes(), 422),
                    ("a deep hole", vec![media.as_str()], deep, 0),
                ]);
                let object = book.sample(&schema, "");
                if let Some((name, value)) = object.as_object().unwrap().iter().next() {
                    // One reader takes the first, another the last.
                    let twice = format!("{{\"{name}\": {value}, {}", &object.to_string()[1..]);
                    cases.push(("a field twice", vec![media.as_str()], twice.into_bytes(), 422));
                }
            }
            for (what, media, body, status) in cases {
                tally.cases += 1;
                let answer = ask(town, &operation, entry, &media, body).await;
                // A body that is wrong in two ways may be refused for either.
                let expected = answer.status == status || (status == 0 && matches!(answer.status, 400 | 422));
                if !expected || answer.text.contains(CANARY) || answer.text.contains("qqqqq") {
                    tally.say(&operation, what, &format!("{} instead of {status}: {}", answer.status, answer.text));
                }
            }
        }
        assert_eq!(before, rows(town).await);
        tally.finish("no bodies", 300);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_parameter_is_refused_by_name() {
    let book = Book::open();
    on_both(async |town| {
        let door = Door::build(town).await;
        let mut tally = Tally::default();
        let before = rows(town).await;
        for operation in book.operations().into_iter().filter(|operation| !operation.query.is_empty()) {
            let (token, path) = door.entry(town, &operation);
            let needed: Vec<String> = operation
                .query
                .iter()
                .filter(|parameter| parameter.required)
                .map(|parameter| format!("{}={}", parameter.name, book.sample(&parameter.schema, "").as_str().unwrap()))
                .collect();
            let mut cases = vec![("unknown", UNKNOWN.to_owned(), Some(CANARY.to_owned()))];
            for parameter in &operation.query {
                for (what, value) in wrong_values(&parameter.schema) {
                    let is_text = parameter.schema["type"] == "string";
                    let said = match value {
                        Value::String(text) => text,
                        Value::Number(number) if !is_text => number.to_string(),
                        _ => continue,
                    };
                    cases.push((what, parameter.name.clone(), Some(said)));
                }
                if parameter.name == "limit" {
                    cases.push(("zero", parameter.name.clone(), Some("0".to_owned())));
                    cases.push(("beyond", parameter.name.clone(), Some("101".to_owned())));
                }
                if parameter.required {
                    cases.push(("missing", parameter.name.clone(), None));
                }
            }
            for (what, name, value) in cases {
                tally.cases += 1;
                let others = needed.iter().filter(|pair| !pair.starts_with(&format!("{name}="))).cloned();
                let pairs: Vec<_> = others.chain(value.as_ref().map(|value| format!("{name}={value}"))).collect();
                let path = format!("{path}?{}", pairs.join("&"));
                let body = if operation.method == "POST" { b"code=123456".to_vec() } else { Vec::new() };
                let media: &[&str] =
                    if operation.method == "POST" { &["application/x-www-form-urlencoded"] } else { &[] };
                let answer = ask(town, &operation, (token.as_deref(), &path), media, body).await;
                let fault = Fault { what, body: json!({}), pointer: format!("?{name}"), below: None };
                if let Some(said) = complaint(&answer, &fault) {
                    tally.say(&operation, &format!("{what} ?{name}={}", value.unwrap_or_default()), &said);
                }
            }
        }
        assert_eq!(before, rows(town).await);
        tally.finish("wrong parameters", 100);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_identifier_does_not_exist() {
    let book = Book::open();
    on_both(async |town| {
        let door = Door::build(town).await;
        let mut tally = Tally::default();
        let before = rows(town).await;
        for operation in book.operations() {
            let names: Vec<_> = Stage::parameters(&operation.path);
            if names.is_empty() || names.iter().any(|name| matches!(*name, "token" | "code" | "nis")) {
                continue;
            }
            let (token, _) = door.entry(town, &operation);
            let mut bodies = Vec::new();
            let random = uuid::Uuid::from_bytes(vigie::storage::random_bytes()).to_string();
            for wrong in
                [random.as_str(), CANARY, "0", "%00", "..%2f..", "'--", "null", "00000000-0000-0000-0000-000000000000"]
            {
                tally.cases += 1;
                let path =
                    names.iter().fold(operation.path.clone(), |path, name| path.replace(&format!("{{{name}}}"), wrong));
                let (media, body) = match &operation.body {
                    Some((media, schema)) if media == "application/json" => {
                        (vec![media.as_str()], book.sample(schema, "").to_string().into_bytes())
                    }
                    _ => (vec![], Vec::new()),
                };
                let answer = ask(town, &operation, (token.as_deref(), &path), &media, body).await;
                if answer.status != 404 || answer.text.contains(CANARY) {
                    tally.say(&operation, wrong, &format!("{}: {}", answer.status, answer.text));
                }
                bodies.push(without_instance(&answer.json));
            }
            if bodies.iter().any(|body| *body != bodies[0]) {
                tally.say(&operation, "absent", &format!("the answers differ: {bodies:?}"));
            }
        }
        assert_eq!(before, rows(town).await);
        tally.finish("no identifiers", 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_code_or_link_leads_nowhere() {
    let book = Book::open();
    on_both(async |town| {
        let mut tally = Tally::default();
        let before = rows(town).await;
        for operation in book.operations() {
            let names: Vec<_> = Stage::parameters(&operation.path);
            let Some(name) = names.iter().find(|name| matches!(**name, "token" | "code")) else { continue };
            for wrong in ["%00", "A%00", "..%2f..", "'--", "caf%C3%A9", "%FF", "%20", "1+1", "a.b"] {
                tally.cases += 1;
                let path = operation.path.replace(&format!("{{{name}}}"), wrong);
                let (media, body) = match &operation.body {
                    Some((media, schema)) if media == "application/json" => {
                        (vec![media.as_str()], book.sample(schema, "").to_string().into_bytes())
                    }
                    Some((media, _)) => (vec![media.as_str()], b"code=123456&password=a&password_repeat=a".to_vec()),
                    None => (vec![], Vec::new()),
                };
                let headers: Vec<_> = media.iter().map(|media| ("content-type", *media)).collect();
                let status = town.raw(&operation.method, &path, None, &headers, body).await.status().as_u16();
                // What is wrong in two ways may be refused for either: no text at all, or a form that does not fit.
                let is_form = operation.method == "POST" && operation.path.starts_with("/p/");
                if status != 404 && !(wrong == "%FF" && status == 400) && !(is_form && status == 422) {
                    tally.say(&operation, wrong, &status.to_string());
                }
            }
        }
        assert_eq!(before, rows(town).await);
        tally.finish("no codes", 50);
    })
    .await;
}
