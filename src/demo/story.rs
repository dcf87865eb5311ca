//! The main story over HTTP: a coordinator drafts, an officer validates, every member is reached. And the guide to play it
//! by hand.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use super::outbox;
use super::town::{DemoPartnership, DemoTown};
use crate::storage::random_code;

/// So long the story may take before it is called lost.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(50);

/// The draft of the story.
fn draft() -> Value {
    json!({
        "class": "urgent", "kind": "start", "source": "member_report",
        "texts": {
            "fr": { "title": "Tentative de cambriolage rue du Lion", "body": "Une tentative de cambriolage est en cours rue du Lion. Restez chez vous, allumez les lumières et n'intervenez pas.\nVous voyez quelque chose ? Appelez le 101.", "sms": "Tentative de cambriolage rue du Lion. Restez chez vous, allumez." },
            "nl": { "title": "Poging tot inbraak Rue du Lion", "body": "Er is een poging tot inbraak aan de gang in de Rue du Lion. Blijf binnen, doe de lichten aan en kom niet tussen.\nZiet u iets? Bel 101.", "sms": "Poging tot inbraak Rue du Lion. Blijf binnen, doe het licht aan." },
            "de": { "title": "Einbruchsversuch Rue du Lion", "body": "In der Rue du Lion ist ein Einbruchsversuch im Gange. Bleiben Sie im Haus, schalten Sie das Licht ein und greifen Sie nicht ein.\nSehen Sie etwas? Rufen Sie 101 an.", "sms": "Einbruchsversuch Rue du Lion. Bleiben Sie im Haus, Licht an." },
            "en": { "title": "Attempted burglary in Rue du Lion", "body": "A burglary is being attempted in Rue du Lion. Stay inside, switch the lights on and do not intervene.\nDo you see anything? Call 101.", "sms": "Attempted burglary in Rue du Lion. Stay inside, lights on." }
        }
    })
}

/// A caller of the API.
struct Caller {
    base: String,
    http: reqwest::Client,
    token: Option<String>,
}
impl Caller {
    fn new(base: &str) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self { base: base.to_owned(), http: reqwest::Client::builder().no_proxy().build()?, token: None })
    }
    async fn sign_in(base: &str, email: &str, password: &str) -> anyhow::Result<Self> {
        let mut caller = Self::new(base)?;
        let session = caller.post("/api/v1/sessions", &json!({ "email": email, "password": password })).await?;
        caller.token = session.get("access_token").and_then(Value::as_str).map(str::to_owned);
        Ok(caller)
    }
    async fn ask(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await?;
        let (status, text) = (response.status(), response.text().await?);
        anyhow::ensure!(status.is_success(), "{status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(self.http.get(format!("{}{path}", self.base))).await.with_context(|| format!("GET {path}"))
    }
    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let key = random_code(24, b"abcdefghijklmnopqrstuvwxyz0123456789");
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("Idempotency-Key", key)
            .header("Content-Type", "application/json");
        self.ask(request.body(body.to_string())).await.with_context(|| format!("POST {path}"))
    }
}
fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("no {pointer} in the answer"))
}
fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

/// How the story went for one partnership or for all.
#[derive(Default)]
struct Tally {
    members: i64,
    planned: i64,
    suppressed: i64,
    emails: i64,
    sms: i64,
}

/// Plays it in every partnership, and returns the line that says how it went.
pub(super) async fn play(town: &DemoTown, base: &str, data_dir: &Path) -> anyhow::Result<String> {
    let officer = Caller::sign_in(base, &town.officer, &town.password).await?;
    officer.post("/api/v1/step-up", &json!({ "password": town.password })).await?;
    let started = Instant::now();
    let mut messages = Vec::new();
    for partnership in &town.partnerships {
        let coordinator = Caller::sign_in(base, &partnership.coordinator, &town.password).await?;
        let message = validated(&coordinator, &officer, partnership).await?;
        messages.push((coordinator, message));
    }
    let mut tally = Tally::default();
    for (coordinator, message) in &messages {
        let (id, code) = (text(message, "/id")?, text(message, "/short_code")?);
        let progress = settled(coordinator, &id, started).await?;
        let genuine = Caller::new(base)?.get(&format!("/api/v1/verify/{code}")).await?;
        anyhow::ensure!(text(&genuine, "/state")? == "genuine", "the code of the message is not known: {genuine}");
        let reached = outbox::reached(data_dir, &code)?;
        tally.members += number(&progress, "/members");
        tally.planned += number(&progress, "/planned");
        tally.suppressed += progress
            .get("suppressed")
            .and_then(Value::as_object)
            .map_or(0, |reasons| reasons.values().filter_map(Value::as_i64).sum());
        tally.emails += i64::try_from(reached.emails)?;
        tally.sms += i64::try_from(reached.sms)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let lost = tally.planned - tally.emails - tally.sms - tally.suppressed;
    anyhow::ensure!(lost == 0, "{lost} of {} deliveries were lost", tally.planned);
    let line = json!({
        "members": tally.members, "emails": tally.emails, "sms": tally.sms, "suppressed": tally.suppressed, "lost": lost,
        "seconds": (seconds * 1000.0).round() / 1000.0
    });
    Ok(line.to_string())
}
/// A coordinator drafts and submits; the officer finds it waiting, looks at it, and approves exactly that.
async fn validated(coordinator: &Caller, officer: &Caller, partnership: &DemoPartnership) -> anyhow::Result<Value> {
    let message = coordinator.post(&format!("/api/v1/partnerships/{}/messages", partnership.id), &draft()).await?;
    let id = text(&message, "/id")?;
    coordinator.post(&format!("/api/v1/messages/{id}/submission"), &json!({})).await?;
    let inbox = officer.get("/api/v1/inbox?waits_for=approval&limit=100").await?;
    let waits = inbox
        .get("items")
        .and_then(Value::as_array)
        .is_some_and(|items| items.iter().any(|row| row.get("message") == message.get("id")));
    anyhow::ensure!(waits, "the message is not in the officer's inbox");
    let preview = officer.get(&format!("/api/v1/messages/{id}/preview")).await?;
    let approval = json!({
        "version_hash": preview.get("version_hash"), "plan_number": preview.get("plan_number"),
        "checklist": { "no_nominative_data": true, "no_recognisable_person": true, "no_protected_ground": true }
    });
    officer.post(&format!("/api/v1/messages/{id}/approval"), &approval).await?;
    Ok(message)
}
/// Waits until every delivery of a message is settled.
async fn settled(coordinator: &Caller, id: &str, started: Instant) -> anyhow::Result<Value> {
    loop {
        let progress = coordinator.get(&format!("/api/v1/messages/{id}/progress")).await?;
        if number(&progress, "/waiting") == 0 {
            return Ok(progress);
        }
        anyhow::ensure!(started.elapsed() < PATIENCE, "the message does not come to an end: {progress}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Who can sign in, where things are, and a `curl` line for each step.
pub(super) fn guide(town: &DemoTown, base: &str, data_dir: &Path) -> String {
    let mut guide = String::new();
    let Some(partnership) = town.partnerships.first() else { return guide };
    let api = format!("{base}/api/v1");
    let _ = writeln!(guide, "Vigie serves {}: three partnerships, {} members.", town.municipality, town.members);
    let _ = writeln!(
        guide,
        "  API page     {base}/docs/\n  contract     {base}/openapi.yaml\n  outbox       {}\n",
        data_dir.join("outbox").display()
    );
    let _ = writeln!(guide, "Who can sign in (password for all: {}):", town.password);
    for (email, role) in &town.accounts {
        let _ = writeln!(guide, "  {email:<42} {role}");
    }
    let sign_in = |variable: &str, email: &str| {
        format!(
            "{variable}=$(curl -s {api}/sessions -H 'Content-Type: application/json' -d '{{\"email\":\"{email}\",\"password\":\"{}\"}}' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')",
            town.password
        )
    };
    let post = |who: &str, path: &str, body: &str| {
        format!(
            "curl -s {api}{path} -H \"Authorization: Bearer ${who}\" -H \"Idempotency-Key: $(date +%s%N)\" -H 'Content-Type: application/json' -d '{body}'"
        )
    };
    let steps = [
        ("The coordinator signs in", sign_in("COO", &partnership.coordinator)),
        (
            "drafts an urgent message",
            format!(
                "M=$({} | sed 's/.*\"id\":\"\\([^\"]*\\)\",\"partnership\".*/\\1/')",
                post(
                    "COO",
                    &format!("/partnerships/{}/messages", partnership.id),
                    r#"{"class":"urgent","kind":"start","source":"member_report","texts":{"fr":{"title":"Cambriolage rue du Lion","body":"Restez chez vous et allumez les lumieres. Appelez le 101 si vous voyez quelque chose."}}}"#
                )
            ),
        ),
        ("and hands it to the police", post("COO", "/messages/$M/submission", "{}")),
        ("The officer signs in", sign_in("MAN", &town.officer)),
        ("sees what waits", format!("curl -s {api}/inbox -H \"Authorization: Bearer $MAN\"")),
        (
            "looks at exactly what would go out",
            format!("P=$(curl -s {api}/messages/$M/preview -H \"Authorization: Bearer $MAN\"); echo \"$P\""),
        ),
        ("proves who they are", post("MAN", "/step-up", &format!("{{\"password\":\"{}\"}}", town.password))),
        (
            "and approves exactly that",
            format!(
                "H=$(echo \"$P\" | sed 's/.*\"version_hash\":\"\\([0-9a-f]*\\)\".*/\\1/'); curl -s {api}/messages/$M/approval -H \"Authorization: Bearer $MAN\" -H \"Idempotency-Key: $(date +%s%N)\" -H 'Content-Type: application/json' -d '{{\"version_hash\":\"'$H'\",\"plan_number\":{},\"checklist\":{{\"no_nominative_data\":true,\"no_recognisable_person\":true,\"no_protected_ground\":true}}}}'",
                partnership.plan_number
            ),
        ),
        ("How far it has come", format!("curl -s {api}/messages/$M/progress -H \"Authorization: Bearer $COO\"")),
        (
            "Is it real? Anybody may ask",
            format!(
                "curl -s {api}/verify/$(curl -s {api}/messages/$M -H \"Authorization: Bearer $COO\" | sed 's/.*\"short_code\":\"\\([A-Z0-9]*\\)\".*/\\1/')"
            ),
        ),
    ];
    let _ = writeln!(guide, "\nThe story, step by step:");
    for (number, (what, line)) in steps.iter().enumerate() {
        let newline = if line.starts_with("curl") { "; echo" } else { "" };
        let _ = writeln!(guide, "\n# {}. {what}\n{line}{newline}", number + 1);
    }
    let _ = write!(guide, "\nCtrl-C stops it.");
    guide
}
