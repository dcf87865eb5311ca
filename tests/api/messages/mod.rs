//! What a partnership has to say, from the first word to the last member.

mod alarms;
mod approving;
mod audience;
mod dead_letters;
mod following;
mod proving;
mod races;
mod releasing;
mod roles;
mod story;
mod taking_over;
mod writing;

use std::time::Duration;

use diesel::prelude::*;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use vigie::storage::schema::{
    answers, approvals, contents, deliveries, message_events, message_versions, messages, partnerships,
};
use vigie::values::{Id, of};

use crate::support::post_office::Mail;
use crate::support::{Desk, Neighbourhood, Reply, Town};

pub const HOUR: Duration = Duration::from_secs(3600);

/// The same in four languages.
pub fn texts() -> Value {
    json!({
        "fr": { "title": "Cambriolage rue du Lion", "body": "Restez chez vous.\n\nAllumez les lumières.", "sms": "Cambriolage rue du Lion. Restez chez vous." },
        "nl": { "title": "Inbraak Leeuwstraat", "body": "Blijf binnen.\n\nDoe de lichten aan.", "sms": "Inbraak Leeuwstraat. Blijf binnen." },
        "de": { "title": "Einbruch Löwenstraße", "body": "Bleiben Sie im Haus.", "sms": "Einbruch Löwenstraße. Bleiben Sie im Haus." },
        "en": { "title": "Burglary in Rue du Lion", "body": "Stay inside." }
    })
}
/// A burglary that a member reported.
pub fn burglary() -> Value {
    json!({ "class": "urgent", "kind": "start", "source": "member_report", "texts": texts() })
}
/// Something that is not urgent.
pub fn quiet(kind: &str) -> Value {
    json!({ "class": "non_urgent", "kind": kind, "source": "other", "texts": texts() })
}
/// The same with another value at the top.
pub fn with(mut body: Value, name: &str, value: impl Into<Value>) -> Value {
    body[name] = value.into();
    body
}
pub fn at(message: &str, noun: &str) -> String {
    format!("/api/v1/messages/{message}/{noun}")
}

pub async fn drafts(town: &Town, hood: &Neighbourhood, by: &Desk, body: Value) -> Reply {
    by.posts(town, &hood.messages(), body).await
}
/// Written and handed to the police; its id.
pub async fn submitted(town: &Town, hood: &Neighbourhood, by: &Desk, body: Value) -> String {
    let message = drafts(town, hood, by, body).await.expect(201).id();
    submits(town, by, &message).await.expect(202);
    message
}
pub async fn submits(town: &Town, by: &Desk, message: &str) -> Reply {
    by.posts(town, &at(message, "submission"), json!({})).await
}
pub async fn preview(town: &Town, by: &Desk, message: &str) -> Value {
    by.gets(town, &at(message, "preview")).await.expect(200).json
}
pub async fn progress(town: &Town, by: &Desk, message: &str) -> Value {
    by.gets(town, &at(message, "progress")).await.expect(200).json
}
pub async fn shows(town: &Town, by: &Desk, message: &str) -> Reply {
    by.gets(town, &format!("/api/v1/messages/{message}")).await.expect(200)
}
/// The approval of exactly what a preview showed.
pub fn approval(preview: &Value) -> Value {
    json!({
        "version_hash": preview["version_hash"], "plan_number": preview["plan_number"],
        "checklist": { "no_nominative_data": true, "no_recognisable_person": true, "no_protected_ground": true }
    })
}
pub fn release(preview: &Value) -> Value {
    json!({ "version_hash": preview["version_hash"], "plan_number": preview["plan_number"] })
}
/// Looks, proves who they are, and approves what they saw.
pub async fn approves(town: &Town, by: &Desk, message: &str) -> Reply {
    let seen = preview(town, by, message).await;
    by.steps_up(town).await;
    by.posts(town, &at(message, "approval"), approval(&seen)).await
}
/// Approves without proving afresh who they are.
pub async fn approves_at_once(town: &Town, by: &Desk, message: &str) -> Reply {
    let seen = preview(town, by, message).await;
    by.posts(town, &at(message, "approval"), approval(&seen)).await
}
pub async fn releases(town: &Town, by: &Desk, message: &str) -> Reply {
    let seen = preview(town, by, message).await;
    by.posts(town, &at(message, "release"), release(&seen)).await
}
/// The whole way: the coordinator writes it, an officer approves it, the couriers bring it.
pub async fn sent(town: &Town, hood: &Neighbourhood, body: Value) -> String {
    let message = submitted(town, hood, &hood.coordinator, body).await;
    approves(town, &hood.officer, &message).await.expect(202);
    town.delivers_everything().await;
    message
}
/// Something that follows a message, as a draft; what was answered.
pub async fn follows(town: &Town, by: &Desk, message: &str, kind: &str, source: &str) -> Reply {
    let body = json!({ "kind": kind, "source": source, "texts": texts() });
    by.posts(town, &at(message, "follow-ups"), body).await
}
pub async fn stops(town: &Town, by: &Desk, message: &str) -> Reply {
    by.posts(town, &at(message, "stop"), json!({ "reason": "Fausse alerte." })).await
}

/// What a mail says, as a mail programme shows it: subject, text, HTML.
pub fn read(mail: &Mail) -> (String, String, String) {
    let parsed = MessageParser::default().parse(&mail.bytes).expect("a mail");
    let plain = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap_or_default().replace("\r\n", "\n");
    (parsed.subject().unwrap_or_default().to_owned(), plain(parsed.body_text(0)), plain(parsed.body_html(0)))
}
/// Whom the post office has seen since, on each channel: members only, sorted, as often as they were written to.
pub fn reached(town: &Town, since: (usize, usize)) -> (Vec<String>, Vec<String>) {
    let mails = town.post_office.mails();
    let mut by_mail: Vec<String> =
        mails[since.0..].iter().map(|mail| mail.to().to_owned()).filter(|to| to.ends_with("@lion.example")).collect();
    let sms = town.post_office.sms();
    let mut by_sms: Vec<String> =
        sms[since.1..].iter().map(|sms| sms.to.clone()).filter(|to| to.contains("3247110")).collect();
    by_mail.sort();
    by_sms.sort();
    (by_mail, by_sms)
}
/// A mark in what the post office has seen.
pub fn mark(town: &Town) -> (usize, usize) {
    (town.post_office.mails().len(), town.post_office.sms().len())
}
/// How many rows each table of messages has: a refusal changes none.
pub async fn rows(town: &Town) -> [i64; 7] {
    town.db(|tx| {
        Ok([
            messages::table.count().get_result(tx.db())?,
            message_versions::table.count().get_result(tx.db())?,
            message_events::table.count().get_result(tx.db())?,
            approvals::table.count().get_result(tx.db())?,
            deliveries::table.count().get_result(tx.db())?,
            contents::table.count().get_result(tx.db())?,
            answers::table.count().get_result(tx.db())?,
        ])
    })
    .await
}
/// The deliveries of one message.
pub async fn deliveries_of(town: &Town, message: &str) -> i64 {
    let id: Id<of::Message> = Id::parse(message).unwrap();
    town.db(move |tx| {
        let batches: Vec<Id<of::MessageVersion>> =
            approvals::table.filter(approvals::message_id.eq(id)).select(approvals::version_id).load(tx.db())?;
        let batches: Vec<Id<of::Batch>> = batches.into_iter().map(|version| Id::from_uuid(version.uuid())).collect();
        Ok(deliveries::table.filter(deliveries::batch_id.eq_any(batches)).count().get_result(tx.db())?)
    })
    .await
}
pub async fn approvals_of(town: &Town, message: &str) -> i64 {
    let id: Id<of::Message> = Id::parse(message).unwrap();
    town.db(move |tx| Ok(approvals::table.filter(approvals::message_id.eq(id)).count().get_result(tx.db())?)).await
}
/// Moves a partnership to a state by hand.
pub async fn becomes(town: &Town, partnership: Id<of::Partnership>, status: &'static str) {
    town.db(move |tx| {
        diesel::update(partnerships::table.find(partnership)).set(partnerships::status.eq(status)).execute(tx.db())?;
        Ok(())
    })
    .await;
}
/// Every recipient of a message: membership, channel, state and reason.
pub async fn recipients(town: &Town, hood: &Neighbourhood, message: &str) -> Vec<(String, String, String, String)> {
    let page = hood.officer.gets(town, &at(message, "recipients?limit=100")).await.expect(200);
    let word = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    page.items()
        .iter()
        .map(|row| (word(row, "membership"), word(row, "channel"), word(row, "state"), word(row, "reason")))
        .collect()
}
