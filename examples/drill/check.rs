//! What must hold of a message once it is over, whatever happened on the way: I1 to I6 and I8 of the harness, from the
//! database, the client's ledger, and what the other side took down.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::Context;
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;
use vigie::config::Config;
use vigie::delivery::{Channel, State};
use vigie::people;
use vigie::storage::personal::DELIVERIES_ADDRESS;
use vigie::storage::schema::{approvals, attempts, deliveries, message_events, message_versions, messages};
use vigie::storage::{Database, Db, Keyring};
use vigie::values::{Id, Timestamp, of};

use crate::sink::code_in;
use crate::stock::{open, row_name};
use crate::wait::{batch_in, read};

/// Faults of one kind that are told one by one.
const TOLD: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file of the town; not needed, and taken so that all commands may be given the same.
    #[arg(long)]
    town: Option<PathBuf>,
    /// The message.
    #[arg(long)]
    message: String,
    /// What the other side took down, as lines of JSON; may be given several times. Mail: `rcpt` (a list or a text) and
    /// `mid` or `message_id`. SMS: `to` and `text` or `code`.
    #[arg(long)]
    sink: Vec<PathBuf>,
    /// What the client asked and was answered.
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// Duplicates above this number are a fault.
    #[arg(long)]
    duplicates_max: Option<usize>,
    /// Leave out the check of the database's files.
    #[arg(long)]
    without_storage: bool,
}

/// What was found, by invariant.
#[derive(Debug, Default)]
struct Findings(BTreeMap<&'static str, Vec<String>>);
impl Findings {
    fn holds(&mut self, invariant: &'static str, so: bool, otherwise: impl FnOnce() -> String) {
        let faults = self.0.entry(invariant).or_default();
        if !so {
            faults.push(otherwise());
        }
    }
    fn report(&self) -> (bool, Value) {
        let told = self.0.iter().map(|(invariant, faults)| {
            let some: Vec<&String> = faults.iter().take(TOLD).collect();
            ((*invariant).to_owned(), json!({ "holds": faults.is_empty(), "faults": faults.len(), "such_as": some }))
        });
        (self.0.values().all(Vec::is_empty), Value::Object(told.collect()))
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = deliveries)]
struct Row {
    id: i64,
    person_id: Id<of::Person>,
    channel: Channel,
    address: Option<Vec<u8>>,
    state: State,
    reason: Option<String>,
    deadline: Timestamp,
    attempts: i32,
    due_at: Option<Timestamp>,
    lease: Option<Id<of::Lease>>,
    settled_at: Option<Timestamp>,
}
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = attempts)]
struct Tried {
    delivery_id: i64,
    number: i32,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    outcome: Option<String>,
}

pub(crate) async fn run(config: &Config, told: Arguments) -> anyhow::Result<Value> {
    let database = open(config)?;
    let batch = batch_in(&database, &told.message)?;
    let id: Id<of::Message> = Id::parse(&told.message).context("not the identifier of a message")?;
    let mut findings = Findings::default();
    let code = message(&database, id, told.ledger.as_deref(), &mut findings)?;
    let (rows, tried) = snapshot(&database, batch)?;
    let mut by_delivery: HashMap<i64, Vec<&Tried>> = HashMap::new();
    for attempt in &tried {
        by_delivery.entry(attempt.delivery_id).or_default().push(attempt);
    }
    for row in &rows {
        books(row, by_delivery.get(&row.id).map(Vec::as_slice).unwrap_or_default(), &mut findings);
    }
    let seen = if told.sink.is_empty() {
        Value::Null
    } else {
        let addresses = addresses(&database, batch, &rows)?;
        let heard = heard(&told.sink)?;
        let snapshot = Snapshot { batch, code: &code, rows: &rows, addresses: &addresses, tried: &by_delivery };
        let seen = snapshot.compare(database.keys(), &heard, &mut findings);
        if let Some(most) = told.duplicates_max {
            findings.holds("I3 once, or as often as was unclear", seen.duplicates <= most, || {
                format!("{} duplicates, {most} allowed", seen.duplicates)
            });
        }
        seen.report()
    };
    if !told.without_storage {
        storage(&database, &mut findings)?;
    }
    let (passed, invariants) = findings.report();
    Ok(json!({
        "passed": passed, "message": told.message, "batch": batch, "entries": rows.len(), "attempts": tried.len(),
        "sinks": seen, "invariants": invariants
    }))
}

/// I1 and I5: the message is what was acknowledged, and its history leads without a gap to where it stands. Returns its
/// code.
fn message(
    database: &Database,
    id: Id<of::Message>,
    ledger: Option<&Path>,
    findings: &mut Findings,
) -> anyhow::Result<String> {
    let (status, code, number) = read(database, |tx| {
        Ok(messages::table
            .find(id)
            .select((
                messages::status.into_sql::<diesel::sql_types::Text>(),
                messages::short_code,
                messages::current_version,
            ))
            .first::<(String, String, i32)>(tx.db())?)
    })?;
    let hash: String = read(database, |tx| {
        Ok(message_versions::table
            .filter(message_versions::message_id.eq(id))
            .filter(message_versions::number.eq(number))
            .select(message_versions::hash)
            .first(tx.db())?)
    })?;
    let approved: Vec<String> = read(database, |tx| {
        Ok(approvals::table.filter(approvals::message_id.eq(id)).select(approvals::hash).load(tx.db())?)
    })?;
    const I1: &str = "I1 acknowledged is there, and the same";
    findings.holds(I1, approved.last() == Some(&hash), || format!("the version is {hash}, approved was {approved:?}"));
    if let Some(ledger) = ledger {
        let mut acknowledged = 0;
        for line in lines(ledger)? {
            let of_this = line.pointer("/answer/message/id").and_then(Value::as_str) == Some(id.to_string().as_str());
            let status = line.get("status").and_then(Value::as_u64).unwrap_or_default();
            if of_this && (200..300).contains(&status) {
                acknowledged += 1;
                let same = line.pointer("/answer/message/version_hash").and_then(Value::as_str) == Some(&hash);
                findings.holds(I1, same, || format!("another version was acknowledged: {line}"));
            }
        }
        findings.holds(I1, acknowledged > 0, || "the ledger knows of no acknowledged approval".to_owned());
    }
    const I5: &str = "I5 history is whole";
    let events: Vec<(String, String, String)> = read(database, |tx| {
        Ok(message_events::table
            .filter(message_events::message_id.eq(id))
            .order(message_events::id)
            .select((message_events::event, message_events::from_status, message_events::to_status))
            .load(tx.db())?)
    })?;
    for pair in events.windows(2) {
        if let [(_, _, before), (event, after, _)] = pair {
            findings.holds(I5, before == after, || format!("{event} begins at {after}, and {before} was before it"));
        }
    }
    let last = events.last().map(|(_, _, to)| to);
    findings.holds(I5, last == Some(&status), || format!("it stands at {status}, its history ends at {last:?}"));
    let times = events.iter().filter(|(event, ..)| event == "approved").count();
    findings.holds(I5, times == approved.len(), || format!("{times} approvals told, {} kept", approved.len()));
    Ok(code)
}

fn snapshot(database: &Database, batch: Uuid) -> anyhow::Result<(Vec<Row>, Vec<Tried>)> {
    let of_batch = deliveries::batch_id.eq(Id::<of::Batch>::from_uuid(batch));
    read(database, |tx| {
        let rows = deliveries::table.filter(of_batch).order(deliveries::id).select(Row::as_select()).load(tx.db())?;
        let tried = attempts::table
            .inner_join(deliveries::table.on(deliveries::id.eq(attempts::delivery_id)))
            .filter(of_batch)
            .order((attempts::delivery_id, attempts::number))
            .select(Tried::as_select())
            .load(tx.db())?;
        Ok((rows, tried))
    })
}

/// I2 and I6: final once, in time, and nothing after the end.
fn books(row: &Row, tried: &[&Tried], findings: &mut Findings) {
    const I2: &str = "I2 final once, in time";
    let id = row.id;
    findings.holds(I2, row.state.is_final(), || format!("{id} is {}", row.state.as_str()));
    let closed = row.settled_at.is_some() && row.due_at.is_none() && row.lease.is_none();
    findings.holds(I2, closed, || format!("{id} is {} and not closed", row.state.as_str()));
    findings.holds(I2, tried.iter().all(|attempt| attempt.finished_at.is_some()), || {
        format!("{id} has an attempt without an end")
    });
    let late = tried.iter().any(|attempt| attempt.started_at > row.deadline);
    findings.holds(I2, !late, || format!("{id} was tried after its time"));
    let numbered = tried.iter().zip(1..).all(|(attempt, number)| attempt.number == number);
    let counted = i32::try_from(tried.len()).is_ok_and(|count| count == row.attempts);
    findings
        .holds(I2, numbered && counted, || format!("{id} counts {} attempts, {} are kept", row.attempts, tried.len()));
    const I6: &str = "I6 nothing after the end";
    let after = row.settled_at.is_some_and(|settled| tried.iter().any(|attempt| attempt.started_at > settled));
    findings.holds(I6, !after, || format!("{id} was tried after it was settled"));
    let suppressed_and_tried = row.state == State::Suppressed && !tried.is_empty();
    findings.holds(I6, !suppressed_and_tried, || format!("{id} was left out and tried"));
}

/// Where each delivery goes; of those left out, where it would have gone.
fn addresses(database: &Database, batch: Uuid, rows: &[Row]) -> anyhow::Result<HashMap<i64, String>> {
    read(database, |tx| {
        let left_out: Vec<Id<of::Person>> =
            rows.iter().filter(|row| row.address.is_none()).map(|row| row.person_id).collect();
        let contacts = people::contacts_of(tx, &left_out)?;
        let mut known = HashMap::with_capacity(rows.len());
        for row in rows {
            let address = match &row.address {
                Some(sealed) => {
                    Some(tx.open(DELIVERIES_ADDRESS, row_name(batch, row.person_id, row.channel.as_str()), sealed)?)
                }
                None => contacts.get(&row.person_id).and_then(|contacts| {
                    let kind = match row.channel {
                        Channel::Email => people::ContactKind::Email,
                        Channel::Sms => people::ContactKind::Mobile,
                    };
                    contacts
                        .iter()
                        .find(|contact| contact.kind == kind)
                        .map(|contact| contact.for_envelope().to_owned())
                }),
            };
            known.extend(address.map(|address| (row.id, address)));
        }
        Ok(known)
    })
}

/// One mail or SMS that the other side said yes to.
#[derive(Debug)]
struct Heard {
    recipients: Vec<String>,
    message_id: Option<String>,
    code: Option<String>,
}
fn heard(sinks: &[PathBuf]) -> anyhow::Result<Vec<Heard>> {
    let mut heard = Vec::new();
    for sink in sinks {
        for line in lines(sink)? {
            let text = |name: &str| line.get(name).and_then(Value::as_str).map(str::to_owned);
            let recipients = match line.get("rcpt").or_else(|| line.get("to")) {
                Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                Some(Value::String(one)) => vec![one.clone()],
                _ => Vec::new(),
            };
            heard.push(Heard {
                recipients,
                message_id: text("mid").or_else(|| text("message_id")),
                // A notice about the message names its code and is not the message.
                code: if line.get("member") == Some(&Value::Bool(false)) {
                    None
                } else {
                    text("code").or_else(|| code_in(&text("text")?))
                },
            });
        }
    }
    Ok(heard)
}
fn lines(path: &Path) -> anyhow::Result<Vec<Value>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    // The last line may be half of one: its writer may have been shot.
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Everybody whom the message was meant for, and what became of them.
struct Snapshot<'a> {
    batch: Uuid,
    code: &'a str,
    rows: &'a [Row],
    addresses: &'a HashMap<i64, String>,
    tried: &'a HashMap<i64, Vec<&'a Tried>>,
}
/// What the other side heard of it.
#[derive(Debug, Default)]
struct Seen {
    reached: usize,
    duplicates: usize,
    most: usize,
    others: usize,
}
impl Seen {
    fn report(&self) -> Value {
        json!({
            "reached": self.reached, "duplicates": self.duplicates, "most_to_one": self.most,
            "of_other_messages": self.others
        })
    }
}
impl Snapshot<'_> {
    /// I3 and I4: whom it was handed over for got it, as often as was unclear at most; nobody else did; and a duplicate can
    /// be recognised.
    fn compare(&self, keys: &Keyring, heard: &[Heard], findings: &mut Findings) -> Seen {
        const I4: &str = "I4 nobody but the snapshot";
        let mut by_key: HashMap<String, &Row> = HashMap::new();
        let mut by_address: HashMap<&str, &Row> = HashMap::new();
        for row in self.rows {
            by_key.insert(identity(keys, self.batch, row), row);
            by_address.extend(self.addresses.get(&row.id).map(|address| (address.as_str(), row)));
        }
        let mut times: HashMap<i64, usize> = HashMap::new();
        let mut seen = Seen::default();
        for one in heard {
            let of_this = one.code.as_deref() == Some(self.code);
            let key = one.message_id.as_deref().and_then(|mid| mid.trim_matches(['<', '>']).split_once('@'));
            let row = match key {
                Some((key, _)) => by_key.get(key).copied(),
                // An SMS has no name of its own: the code and the number are its name.
                None if of_this => one.recipients.first().and_then(|to| by_address.get(to.as_str())).copied(),
                None => None,
            };
            let Some(row) = row else {
                findings.holds(I4, !of_this, || {
                    "somebody outside the snapshot, or under another Message-ID, got it".to_owned()
                });
                seen.others += 1;
                continue;
            };
            *times.entry(row.id).or_default() += 1;
            let meant = self.addresses.get(&row.id);
            let to_one = matches!(one.recipients.as_slice(), [to] if Some(to) == meant);
            findings.holds(I4, to_one, || format!("{} went to another address, or to more than one", row.id));
        }
        const I3: &str = "I3 once, or as often as was unclear";
        for row in self.rows {
            let count = times.get(&row.id).copied().unwrap_or(0);
            let tried = self.tried.get(&row.id).map(Vec::as_slice).unwrap_or_default();
            let with =
                |outcome: &str| tried.iter().filter(|attempt| attempt.outcome.as_deref() == Some(outcome)).count();
            let open = tried.iter().filter(|attempt| attempt.outcome.is_none()).count();
            let (accepted, unclear) = (with("accepted"), with("unknown") + with("lost") + open);
            let (least, most) = (usize::from(accepted > 0), accepted + unclear);
            findings.holds(I3, (least..=most).contains(&count), || {
                let reason = row.reason.as_deref().unwrap_or("no reason");
                format!("{} is {} ({reason}): {count} times, {least} to {most} expected", row.id, row.state.as_str())
            });
            seen.reached += usize::from(count > 0);
            seen.duplicates += count.saturating_sub(1);
            seen.most = seen.most.max(count);
        }
        seen
    }
}
/// The identity of a delivery, as `delivery` makes it: the same at every attempt.
fn identity(keys: &Keyring, batch: Uuid, row: &Row) -> String {
    let channel = row.channel.as_str().as_bytes();
    let mac = keys.sign("delivery", &[batch.as_bytes(), row.person_id.uuid().as_bytes(), channel]);
    mac.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Debug, QueryableByName)]
struct Said {
    #[diesel(sql_type = diesel::sql_types::Text)]
    said: String,
}
#[derive(Debug, QueryableByName)]
struct Orphans {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}
/// I8: the database is whole.
fn storage(database: &Database, findings: &mut Findings) -> anyhow::Result<()> {
    const I8: &str = "I8 storage is whole";
    let (integrity, broken) = read(database, |tx| match tx.db() {
        Db::Sqlite(c) => {
            let said: Vec<Said> =
                diesel::sql_query("SELECT integrity_check AS said FROM pragma_integrity_check").load(c)?;
            let broken: Vec<Orphans> =
                diesel::sql_query("SELECT count(*) AS count FROM pragma_foreign_key_check").load(c)?;
            Ok((said.into_iter().map(|row| row.said).collect(), broken.first().map_or(0, |row| row.count)))
        }
        // Its constraints are checked at every commit; damage would show where an index and its table disagree.
        Db::Postgres(c) => {
            let orphans: Vec<Orphans> = diesel::sql_query(
                "SELECT count(*) AS count FROM attempts a WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.id = a.delivery_id)",
            )
            .load(c)?;
            Ok((vec!["ok".to_owned()], orphans.first().map_or(0, |row| row.count)))
        }
    })?;
    findings.holds(I8, integrity == ["ok"], || format!("{integrity:?}"));
    findings.holds(I8, broken == 0, || format!("{broken} rows point nowhere"));
    Ok(())
}
