//! Who may write what, what a text must be, and how it is changed before the police have agreed.

use serde_json::{Value, json};
use vigie::access::{Reach, Role};

use super::{approves, at, burglary, drafts, preview, quiet, rows, sent, shows, submits, submitted, texts, with};
use crate::support::{Desk, Reply, Town, on_both};

async fn edits(town: &Town, by: &Desk, message: &str, etag: &str, texts: Value) -> Reply {
    town.put(&at(message, "texts"), &by.token(town), etag, json!({ "texts": texts })).await
}
fn other_words() -> Value {
    json!({ "fr": { "title": "Vol rue du Lion", "body": "Soyez attentifs." } })
}

/// Duties C8, L9: urgent words are written by officers, coordinators and deputies.
#[tokio::test(flavor = "multi_thread")]
async fn the_steering_group_and_the_municipality_propose_what_is_not_urgent_and_nothing_else() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let before = rows(town).await;
        for desk in [&hood.steering, &hood.municipality] {
            drafts(town, &hood, desk, burglary()).await.refused(409, "urgent_not_yours");
        }
        assert_eq!(rows(town).await, before, "a refusal leaves nothing behind");
        for desk in [&hood.steering, &hood.municipality] {
            drafts(town, &hood, desk, quiet("prevention")).await.expect(201);
        }
        drafts(town, &hood, &hood.deputy, burglary()).await.expect(201);
    })
    .await;
}
/// Duty C8: only the police write for the police.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_does_not_speak_for_the_police() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let body = with(burglary(), "source", "police");
        for desk in [&hood.coordinator, &hood.deputy] {
            drafts(town, &hood, desk, body.clone()).await.refused(409, "source_not_yours");
        }
        let advice = with(quiet("prevention"), "source", "police");
        let message = drafts(town, &hood, &hood.officer, advice).await.expect(201);
        assert_eq!(message.str("/author_role"), "MAN");
        // Nor do they put words into the mouth of the police afterwards.
        let etag = message.etag.clone().unwrap();
        edits(town, &hood.coordinator, &message.id(), &etag, other_words()).await.refused(409, "source_not_yours");
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_kind_goes_with_one_class() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        for kind in ["start", "update", "end"] {
            drafts(town, &hood, &hood.officer, quiet(kind)).await.refused(409, "kind_does_not_fit");
        }
        for kind in ["feedback", "prevention", "meeting", "admin", "survey"] {
            let body = with(burglary(), "kind", kind);
            drafts(town, &hood, &hood.officer, body).await.refused(409, "kind_does_not_fit");
        }
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn what_speaks_of_an_earlier_message_is_written_as_its_follow_up() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        for body in [with(burglary(), "kind", "update"), with(burglary(), "kind", "correction"), quiet("feedback")] {
            drafts(town, &hood, &hood.officer, body).await.refused(409, "needs_thread");
        }
    })
    .await;
}
/// Accept M14: an SMS that would be cut is refused while it can still be shortened, with the field at fault.
#[tokio::test(flavor = "multi_thread")]
async fn an_sms_that_is_too_long_is_refused_with_its_field() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let mut body = burglary();
        body["texts"]["fr"]["sms"] = "a".repeat(300).into();
        let refused = drafts(town, &hood, &hood.coordinator, body).await.at_fault("/texts/fr/sms");
        assert_eq!(refused.str("/errors/0/code"), "too_long_for_sms");
        // One dear letter halves what fits: the same length is possible without it.
        let mut body = burglary();
        body["texts"]["nl"]["sms"] = format!("{}ç", "a".repeat(130)).into();
        drafts(town, &hood, &hood.coordinator, body.clone()).await.at_fault("/texts/nl/sms");
        body["texts"]["nl"]["sms"] = "a".repeat(131).into();
        let message = drafts(town, &hood, &hood.coordinator, body).await.expect(201);
        let seen = preview(town, &hood.officer, &message.id()).await;
        let dutch = seen["languages"].as_array().unwrap().iter().find(|l| l["language"] == "nl").unwrap().clone();
        assert_eq!((&dutch["sms_parts"], &dutch["sms_encoding"]), (&json!(2), &json!("gsm7")), "{dutch}");
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_message_says_something_in_a_language_we_know() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let before = rows(town).await;
        drafts(town, &hood, &hood.coordinator, with(burglary(), "texts", json!({}))).await.at_fault("/texts");
        let unknown = json!({ "it": { "title": "Furto", "body": "Restate in casa." } });
        drafts(town, &hood, &hood.coordinator, with(burglary(), "texts", unknown)).await.expect(422);
        let empty = json!({ "fr": { "title": " ", "body": "Restez." } });
        drafts(town, &hood, &hood.coordinator, with(burglary(), "texts", empty)).await.at_fault("/texts/fr/title");
        drafts(town, &hood, &hood.coordinator, with(burglary(), "validity_minutes", 4))
            .await
            .at_fault("/validity_minutes");
        drafts(town, &hood, &hood.coordinator, with(burglary(), "approved", true)).await.expect(422);
        assert_eq!(rows(town).await, before);
        let message = drafts(town, &hood, &hood.coordinator, burglary()).await.expect(201);
        edits(town, &hood.coordinator, &message.id(), &message.etag.unwrap(), json!({})).await.at_fault("/texts");
    })
    .await;
}
/// Accept M13: an exercise stays one; nothing that changes words changes that.
#[tokio::test(flavor = "multi_thread")]
async fn whether_it_is_meant_never_changes() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = drafts(town, &hood, &hood.coordinator, with(burglary(), "mode", "exercise")).await.expect(201);
        let body = json!({ "texts": other_words(), "mode": "live" });
        let etag = message.etag.clone().unwrap();
        let path = at(&message.id(), "texts");
        town.put(&path, &hood.coordinator.token(town), &etag, body).await.at_fault("/mode");
        let edited = edits(town, &hood.coordinator, &message.id(), &etag, other_words()).await.expect(200);
        assert_eq!(edited.str("/mode"), "exercise");
    })
    .await;
}
/// Accepts M1, M2: an edit makes what was submitted void; it has to be submitted anew.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_voids_the_submission() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let seen = preview(town, &hood.officer, &message).await;
        let etag = shows(town, &hood.coordinator, &message).await.etag.unwrap();
        let edited = edits(town, &hood.coordinator, &message, &etag, other_words()).await.expect(200);
        assert_eq!((edited.str("/status"), edited.json["version_number"].clone()), ("draft".into(), json!(2)));
        assert_ne!(edited.json["version_hash"], seen["version_hash"]);
        assert!(edited.json["submitted_at"].is_null());
        approves(town, &hood.officer, &message).await.refused(409, "draft");
        assert!(hood.officer.gets(town, "/api/v1/inbox").await.expect(200).items().is_empty());
        submits(town, &hood.coordinator, &message).await.expect(202);
        approves(town, &hood.officer, &message).await.expect(202);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_edited_or_discarded_once_it_was_approved() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = sent(town, &hood, burglary()).await;
        let etag = shows(town, &hood.coordinator, &message).await.etag.unwrap();
        edits(town, &hood.coordinator, &message, &etag, other_words()).await.refused(409, "completed");
        let path = format!("/api/v1/messages/{message}");
        let token = hood.coordinator.token(town);
        town.send("DELETE", &path, Some(&token), None, &[("if-match", &etag)]).await.refused(409, "completed");
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_names_the_version_it_saw() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = drafts(town, &hood, &hood.coordinator, burglary()).await.expect(201);
        let (id, etag) = (message.id(), message.etag.unwrap());
        let token = hood.coordinator.token(town);
        let body = json!({ "texts": other_words() });
        town.send("PUT", &at(&id, "texts"), Some(&token), Some(&body), &[]).await.problem(428, "version-needed");
        edits(town, &hood.coordinator, &id, &etag, other_words()).await.expect(200);
        edits(town, &hood.deputy, &id, &etag, texts()).await.problem(412, "stale");
        let path = format!("/api/v1/messages/{id}");
        town.send("DELETE", &path, Some(&token), None, &[]).await.problem(428, "version-needed");
        town.send("DELETE", &path, Some(&token), None, &[("if-match", &etag)]).await.problem(412, "stale");
        let now = shows(town, &hood.coordinator, &id).await.etag.unwrap();
        town.send("DELETE", &path, Some(&token), None, &[("if-match", &now)]).await.expect(204);
        assert_eq!(shows(town, &hood.coordinator, &id).await.str("/status"), "discarded");
        submits(town, &hood.coordinator, &id).await.refused(409, "discarded");
    })
    .await;
}
/// The police give it back with a reason; it waits for its author alone, who changes it and hands it over again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_waits_for_its_author() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let reason = json!({ "reason": "Sans la plaque, s'il vous plaît." });
        let back = hood.officer.posts(town, &at(&message, "return"), reason.clone()).await.expect(200);
        assert_eq!(
            (back.str("/status"), back.str("/reason")),
            ("returned".into(), "Sans la plaque, s'il vous plaît.".into())
        );
        hood.officer.posts(town, &at(&message, "return"), json!({ "reason": "" })).await.at_fault("/reason");
        hood.officer.posts(town, &at(&message, "return"), reason.clone()).await.refused(409, "returned");
        submits(town, &hood.coordinator, &message).await.refused(409, "returned");
        town.delivers_everything().await;
        let letters: Vec<_> =
            town.post_office.mails().into_iter().filter(|m| m.to() == hood.coordinator.email).collect();
        assert!(letters.iter().any(|letter| super::read(letter).1.contains("Sans la plaque")));
        let inbox = hood.coordinator.gets(town, "/api/v1/inbox").await.expect(200);
        assert_eq!((inbox.items().len(), inbox.str("/items/0/waits_for")), (1, "revision".into()));
        assert!(hood.deputy.gets(town, "/api/v1/inbox").await.expect(200).items().is_empty(), "it is not theirs");
        let etag = shows(town, &hood.coordinator, &message).await.etag.unwrap();
        edits(town, &hood.coordinator, &message, &etag, other_words()).await.expect(200);
        submits(town, &hood.coordinator, &message).await.expect(202);
        let refused = hood.officer.posts(town, &at(&message, "rejection"), reason).await.expect(200);
        assert_eq!(refused.str("/status"), "rejected");
        let etag = shows(town, &hood.coordinator, &message).await.etag.unwrap();
        edits(town, &hood.coordinator, &message, &etag, other_words()).await.refused(409, "rejected");
    })
    .await;
}
/// One row for each message of this partnership, newest first, page by page; none of another.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_the_messages_of_this_partnership_alone() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let elsewhere = format!("/api/v1/partnerships/{}/messages", hood.second);
        hood.coordinator_of_second.posts(town, &elsewhere, burglary()).await.expect(201);
        let mut written = Vec::new();
        for body in [burglary(), quiet("meeting"), with(burglary(), "mode", "exercise")] {
            written.push(drafts(town, &hood, &hood.coordinator, body).await.expect(201).id());
        }
        let page = hood.steering.gets(town, &format!("{}?limit=2", hood.messages())).await.expect(200);
        let ids: Vec<String> = page.items().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 2);
        let rest =
            hood.steering.gets(town, &format!("{}?after={}", hood.messages(), page.str("/next"))).await.expect(200);
        let mut all = ids;
        all.extend(rest.items().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        all.reverse();
        assert_eq!(all, written);
        for (query, count) in [("class=urgent", 2), ("kind=meeting", 1), ("mode=exercise", 1), ("status=submitted", 0)]
        {
            let found = hood.officer.gets(town, &format!("{}?{query}", hood.messages())).await.expect(200);
            assert_eq!(found.items().len(), count, "{query}");
        }
        hood.officer.gets(town, &format!("{}?sort=up", hood.messages())).await.expect(422);
    })
    .await;
}
/// The strongest of the roles that let somebody write is the one that is written down.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_who_lives_there_writes_as_an_officer() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        hood.gives(town, &hood.officer, Role::Coordinator, Reach::Partnership(hood.partnership)).await;
        let message = drafts(town, &hood, &hood.officer, with(burglary(), "source", "police")).await.expect(201);
        assert_eq!(message.str("/author_role"), "MAN");
    })
    .await;
}
/// Ruling 4: who may not write an urgent message may neither submit it nor throw it away.
#[tokio::test(flavor = "multi_thread")]
async fn the_steering_group_touches_no_urgent_message() {
    on_both(async |town| {
        let hood = town.neighbourhood(2).await;
        let draft = super::drafts(town, &hood, &hood.coordinator, super::burglary()).await.expect(201);
        let message = draft.id();
        super::submits(town, &hood.steering, &message).await.refused(409, "urgent_not_yours");
        let path = format!("/api/v1/messages/{message}");
        let etag = draft.etag.clone().unwrap();
        town.send("DELETE", &path, Some(&hood.steering.token(town)), None, &[("if-match", &etag)])
            .await
            .refused(409, "urgent_not_yours");
        assert_eq!(super::shows(town, &hood.coordinator, &message).await.str("/status"), "draft");
        // Nor does the preview name anybody to them: counts alone (security 2.4).
        super::story::set_status(town, hood.members[0].membership, "paused").await;
        let seen = super::preview(town, &hood.steering, &message).await;
        assert_eq!(seen["audience"]["left_out"], serde_json::json!([]), "{seen}");
        assert!(seen["audience"]["left_out_by_reason"].to_string().contains("paused"), "{seen}");
    })
    .await;
}
