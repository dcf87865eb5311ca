//! A message from the draft to the approval, over HTTP.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::Instant;
use vigie::config::Config;

use crate::caller::{Answered, Caller};
use crate::ledger::Ledger;
use crate::stock::{Town, millis};
use crate::wait;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file of the town.
    #[arg(long)]
    town: PathBuf,
    /// The server, as in http://127.0.0.1:8080.
    #[arg(long)]
    url: String,
    /// One key for the whole: asked again with it, nothing is done twice. Each request adds its own word to it, the
    /// approval takes it as it is.
    #[arg(long)]
    idempotency_key: Option<String>,
    /// Append every request and answer to this file, as lines of JSON without secrets.
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// The officer writes and approves alone, as the policy of the zone allows.
    #[arg(long)]
    solo: bool,
    /// Minutes of use; by the plan when left out.
    #[arg(long)]
    validity_minutes: Option<i32>,
    /// Give up after so many seconds.
    #[arg(long, default_value_t = 120)]
    within: u64,
    /// Stay so many seconds until every delivery is final, and say how it went as `wait` does.
    #[arg(long)]
    wait: Option<u64>,
    /// Approve only after this file is there: everything before it is done and waits.
    #[arg(long)]
    after: Option<PathBuf>,
}
#[derive(Debug, clap::Args)]
pub(crate) struct WarmArguments {
    /// The file of the town.
    #[arg(long)]
    town: PathBuf,
    /// The server.
    #[arg(long)]
    url: String,
}
/// Has both sign in and look round: what a process needs once is no part of what a member costs.
pub(crate) async fn warm(told: WarmArguments) -> anyhow::Result<Value> {
    let town = Town::read(&told.town)?;
    let ledger = Ledger::open(None)?;
    let until = Instant::now() + Duration::from_secs(30);
    let base = told.url.trim_end_matches('/');
    for (who, email) in [("officer", &town.officer), ("coordinator", &town.coordinator)] {
        let caller = Caller::sign_in(base, who, (email, &town.password), &ledger, until).await?;
        caller.post("/api/v1/step-up", &json!({ "password": town.password }), None).await?.success()?;
        caller.get("/api/v1/inbox").await?.success()?;
    }
    Ok(json!({ "warm": true }))
}
/// Which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Urgent,
    Newsletter,
}

fn draft(wish: Wish, solo: bool, validity: Option<i32>) -> Value {
    let (class, kind) = if wish == Wish::Urgent { ("urgent", "start") } else { ("non_urgent", "admin") };
    let source = if solo { "police" } else { "member_report" };
    let mut draft = json!({
        "class": class, "kind": kind, "source": source,
        "texts": {
            "fr": { "title": "Tentative de cambriolage rue du Lion", "body": "Une tentative de cambriolage est en cours rue du Lion. Restez chez vous, allumez les lumières et n'intervenez pas.\nVous voyez quelque chose ? Appelez le 101.", "sms": "Tentative de cambriolage rue du Lion. Restez chez vous, allumez." },
            "nl": { "title": "Poging tot inbraak Rue du Lion", "body": "Er is een poging tot inbraak aan de gang in de Rue du Lion. Blijf binnen, doe de lichten aan en kom niet tussen.\nZiet u iets? Bel 101.", "sms": "Poging tot inbraak Rue du Lion. Blijf binnen, doe het licht aan." },
            "de": { "title": "Einbruchsversuch Rue du Lion", "body": "In der Rue du Lion ist ein Einbruchsversuch im Gange. Bleiben Sie im Haus, schalten Sie das Licht ein und greifen Sie nicht ein.\nSehen Sie etwas? Rufen Sie 101 an.", "sms": "Einbruchsversuch Rue du Lion. Bleiben Sie im Haus, Licht an." },
            "en": { "title": "Attempted burglary in Rue du Lion", "body": "A burglary is being attempted in Rue du Lion. Stay inside, switch the lights on and do not intervene.\nDo you see anything? Call 101.", "sms": "Attempted burglary in Rue du Lion. Stay inside, lights on." }
        }
    });
    if let (Some(draft), Some(minutes)) = (draft.as_object_mut(), validity) {
        draft.insert("validity_minutes".to_owned(), minutes.into());
    }
    draft
}
fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("no {pointer} in the answer"))
}

pub(crate) async fn run(
    config: impl Fn() -> anyhow::Result<Config>,
    told: Arguments,
    wish: Wish,
) -> anyhow::Result<Value> {
    let town = Town::read(&told.town)?;
    let ledger = Ledger::open(told.ledger.as_deref())?;
    let until = Instant::now() + Duration::from_secs(told.within);
    let (message, approved) = approved(&told, wish, &town, &ledger, until).await?;
    let view = approved.body.get("message").unwrap_or(&Value::Null);
    let mut answer = json!({
        "message": text(&message, "/id")?,
        "short_code": text(&message, "/short_code")?,
        "version_hash": text(&message, "/version_hash")?,
        "status": view.get("status"),
        "recipients": approved.body.get("recipients"),
        "members": approved.body.get("members"),
        "requested_at": approved.sent_at,
        "answered_at": approved.answered_at,
        "approve_ms": millis(approved.answered_at - approved.sent_at),
        "tries": approved.tries,
    });
    // The watch begins only after the answer, so that looking on does not slow what is looked at.
    let id = text(&message, "/id")?;
    let outcome = match told.wait {
        Some(seconds) => wait::watch(&config()?, wait::Whose::Message(id), None, seconds).await?,
        None => json!({ "batch": config().ok().and_then(|config| wait::batch_of(&config, &id).ok()) }),
    };
    if let (Some(answer), Value::Object(outcome)) = (answer.as_object_mut(), outcome) {
        if let Some(seen) = outcome.get("seen_at").and_then(Value::as_i64) {
            answer.insert("total_ms".to_owned(), millis(seen - approved.sent_at).into());
        }
        if let Some(first) = outcome.get("first_started_at").and_then(Value::as_i64) {
            answer.insert("first_attempt_ms".to_owned(), millis(first - approved.answered_at).into());
        }
        answer.extend(outcome);
    }
    Ok(answer)
}
/// The message as it was drafted, and the answer to its approval.
async fn approved(
    told: &Arguments,
    wish: Wish,
    town: &Town,
    ledger: &Ledger,
    until: Instant,
) -> anyhow::Result<(Value, Answered)> {
    let key = |word: &str| told.idempotency_key.as_ref().map(|key| format!("{key}-{word}"));
    let base = told.url.trim_end_matches('/');
    let officer = Caller::sign_in(base, "officer", (&town.officer, &town.password), ledger, until).await?;
    let coordinator = if told.solo {
        None
    } else {
        let who = (town.coordinator.as_str(), town.password.as_str());
        Some(Caller::sign_in(base, "coordinator", who, ledger, until).await?)
    };
    let author = coordinator.as_ref().unwrap_or(&officer);
    officer.post("/api/v1/step-up", &json!({ "password": town.password }), None).await?.success()?;
    let path = format!("/api/v1/partnerships/{}/messages", town.partnership);
    let body = draft(wish, told.solo, told.validity_minutes);
    let message = author.post(&path, &body, key("draft").as_deref()).await?.success()?.body;
    let id = text(&message, "/id")?;
    author
        .post(&format!("/api/v1/messages/{id}/submission"), &json!({}), key("submission").as_deref())
        .await?
        .success()?;
    // The officer looks at exactly what would go out. Asked again after an approval, there may be nothing to look at.
    let preview = officer.get(&format!("/api/v1/messages/{id}/preview")).await?;
    let hash = text(&message, "/version_hash")?;
    if (200..300).contains(&preview.status) {
        anyhow::ensure!(text(&preview.body, "/version_hash")? == hash, "the preview shows another version");
    }
    if let Some(file) = &told.after {
        while !file.exists() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let mut approval = json!({
        "version_hash": hash, "plan_number": town.plan_number,
        "checklist": { "no_nominative_data": true, "no_recognisable_person": true, "no_protected_ground": true }
    });
    if let (true, Some(approval)) = (told.solo, approval.as_object_mut()) {
        approval.insert("reason".to_owned(), "Alone on duty during a drill.".into());
    }
    let path = format!("/api/v1/messages/{id}/approval");
    let approved = officer.post(&path, &approval, told.idempotency_key.as_deref()).await?.success()?;
    Ok((message, approved))
}
