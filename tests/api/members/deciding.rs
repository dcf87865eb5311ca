//! The coordinator and the police admit, refuse, enter and correct.

use diesel::prelude::*;
use serde_json::{Value, json};
use vigie::storage::schema::{contact_points, partnerships};

use super::neighbourhood::{Neighbourhood, application, last_letter, lay_down_rules, letters, paper};
use crate::support::on_both;

/// Duty M1: nobody is refused for a reason outside the list.
#[tokio::test(flavor = "multi_thread")]
async fn an_applicant_is_refused_for_a_lawful_reason_only() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let id = near.applicant(town, "Anouk").await;
        near.does(town, &id, "refusal", json!({"reason": "origin"})).await.at_fault("/reason");
        near.does(town, &id, "refusal", json!({"reason": "no_link", "note": "x"})).await.at_fault("/note");
        let refused = near.does(town, &id, "refusal", json!({"reason": "no_link"})).await.expect(200);
        assert_eq!((&refused.json["status"], &refused.json["end_reason"]), (&json!("refused"), &json!("no_link")));
        town.delivers_everything().await;
        let letter = last_letter(town, "anouk@canari.example");
        assert!(letter.contains("quartier"), "the reason in words: {letter}");
        near.does(town, &id, "refusal", json!({"reason": "no_link"})).await.problem(409, "wrong-state");
        near.does(town, &id, "admission", Value::Null).await.problem(409, "wrong-state");
        // Whoever was refused may ask again.
        town.passes(std::time::Duration::from_secs(24 * 3_600));
        let again = near.applicant(town, "Anouk").await;
        assert_ne!(id, again);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn admission_asks_every_rule() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let partnership = near.partnership;
        let id = near.applicant(town, "Anouk").await;
        // M5: other rules came into force in the meantime.
        town.db(move |tx| lay_down_rules(tx, partnership, 2)).await;
        near.does(town, &id, "admission", Value::Null).await.refused(409, "rules_not_in_force");

        let mut body = application("Bea");
        body["house_rules"]["version"] = json!(2);
        body["contacts"]["mobile"] = Value::Null;
        town.open_post(&near.applications(), body).await.expect(202);
        let rows = near.list(town, "?name=bea").await;
        let unconfirmed = rows.items()[0]["id"].as_str().unwrap().to_owned();
        near.does(town, &unconfirmed, "admission", Value::Null).await.problem(409, "wrong-state");

        let mut body = paper("Cas");
        body["adhesion"]["rules_number"] = json!(2);
        let entered = town.post(&near.members(), &near.coordinator.token(town), body).await.expect(201);
        town.db(|tx| {
            Ok(diesel::update(contact_points::table).set(contact_points::state.eq("invalid")).execute(tx.db())?)
        })
        .await;
        near.does(town, &entered.id(), "admission", Value::Null).await.refused(409, "no_usable_contact");

        town.db(|tx| {
            Ok(diesel::update(partnerships::table).set(partnerships::status.eq("dissolved")).execute(tx.db())?)
        })
        .await;
        near.does(town, &entered.id(), "admission", Value::Null).await.refused(409, "partnership_closed");
        let mut body = application("Dov");
        body["house_rules"]["version"] = json!(2);
        town.open_post(&near.applications(), body).await.refused(409, "partnership_closed");
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn two_admissions_at_once_have_one_effect() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let id = near.applicant(town, "Anouk").await;
        let letters_before = letters(town, "anouk@canari.example").len();
        let (one, two) = tokio::join!(
            near.does(town, &id, "admission", Value::Null),
            near.does(town, &id, "admission", Value::Null)
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        town.delivers_everything().await;
        assert_eq!(letters(town, "anouk@canari.example").len(), letters_before + 1);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_admission_gets_the_first_answer() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let id = near.applicant(town, "Anouk").await;
        let (path, token) = (format!("/api/v1/members/{id}/admission"), near.coordinator.token(town));
        let key = [("idempotency-key", "once-and-once-only")];
        let first = town.send("POST", &path, Some(&token), None, &key).await.expect(200);
        let again = town.send("POST", &path, Some(&token), None, &key).await.expect(200);
        assert_eq!(first.text, again.text);
        assert_eq!(again.headers["idempotency-replayed"], "true");
    })
    .await;
}
/// Duties M2, M5: what a paper form says is recorded with its date, its place and who took it in.
#[tokio::test(flavor = "multi_thread")]
async fn a_paper_form_is_entered_and_then_admitted() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let entered = town.post(&near.members(), &near.deputy.token(town), paper("Cas")).await.expect(201);
        assert_eq!(entered.json["status"], "pending_approval");
        assert_eq!(entered.json["adhesion"]["mode"], "signed_copy");
        assert_eq!(entered.json["adhesion"]["form_reference"], "map 3, 17");
        assert!(entered.str("/adhesion/at").starts_with("2026-02-27"));
        assert_eq!(entered.json["contacts"][0]["state"], "verified");
        assert!(!entered.text.contains("cas@canari"), "masked: {}", entered.text);
        assert_eq!(entered.headers["location"], format!("/api/v1/members/{}", entered.id()));
        let admitted = near.does(town, &entered.id(), "admission", Value::Null).await.expect(200);
        assert_eq!(admitted.json["status"], "active");
        town.delivers_everything().await;
        assert!(last_letter(town, "cas@canari.example").contains("/p/leave/"));

        let token = near.coordinator.token(town);
        town.post(&near.members(), &token, paper("Cas")).await.refused(409, "already_member");
        let mut household = paper("Dov");
        household["contacts"]["email"] = json!("cas@canari.example");
        town.post(&near.members(), &token, household).await.expect(201);
        for (change, pointer) in [
            (json!({"adult_declared": false}), "/adult_declared"),
            (json!({"contacts": {}}), "/contacts"),
            (json!({"colour": "red"}), "/colour"),
            (
                json!({"adhesion": {"mode": "signed_copy", "rules_number": 1, "signed_on": "2026-03-03", "form_reference": "x"}}),
                "/adhesion/signed_on",
            ),
            (
                json!({"adhesion": {"mode": "signed_copy", "rules_number": 1, "signed_on": "soon", "form_reference": "x"}}),
                "/adhesion/signed_on",
            ),
            (
                json!({"adhesion": {"mode": "signed_copy", "rules_number": 1, "signed_on": "2026-03-01"}}),
                "/adhesion/form_reference",
            ),
        ] {
            let mut body = paper("Eva");
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            town.post(&near.members(), &token, body).await.at_fault(pointer);
        }
        let mut old = paper("Eva");
        old["adhesion"]["rules_number"] = json!(7);
        town.post(&near.members(), &token, old).await.refused(409, "rules_not_in_force");
    })
    .await;
}
/// Duty C18: the list is kept right, and nobody overwrites what another corrected.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_needs_the_present_version() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let id = near.member(town, "Anouk").await;
        let (path, token) = (format!("/api/v1/members/{id}"), near.coordinator.token(town));
        let read = town.get(&path, &token).await.expect(200);
        let etag = read.etag.unwrap();
        let body = json!({"name": {"given": "Anouchka", "family": "Canari"}, "language": "nl"});
        let corrected = town.patch(&path, &token, &etag, body.clone()).await.expect(200);
        assert_eq!(corrected.json["name"]["given"], "Anouchka");
        assert_eq!(corrected.json["language"], "nl");
        assert_eq!(corrected.json["address"]["number"], "12");
        town.patch(&path, &token, &etag, body.clone()).await.problem(412, "stale");
        town.send("PATCH", &path, Some(&token), Some(&body), &[]).await.problem(428, "version-needed");
        let etag = corrected.etag.unwrap();
        town.patch(&path, &token, &etag, json!({"status": "left"})).await.at_fault("/status");
        town.patch(&path, &token, &etag, json!({"contacts": {}})).await.at_fault("/contacts");
        let mut moved = super::neighbourhood::address();
        moved["number"] = json!("14B");
        let moved = town.patch(&path, &token, &etag, json!({"address": moved})).await.expect(200);
        assert_eq!(moved.json["address"]["number"], "14B");
        near.does(town, &id.to_string(), "end", json!({"reason": "moved"})).await.expect(200);
        let etag = town.get(&path, &token).await.expect(200).etag.unwrap();
        town.patch(&path, &token, &etag, body).await.problem(409, "wrong-state");
    })
    .await;
}
/// Duty P15: moves and deaths end a membership with a reason, and the dead get no letters.
#[tokio::test(flavor = "multi_thread")]
async fn a_death_sends_nothing_and_a_move_says_goodbye() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        for (given, reason, told) in [("Anouk", "deceased", 0), ("Bea", "moved", 1), ("Cas", "duplicate", 0)] {
            let id = near.member(town, given).await.to_string();
            near.does(town, &id, "end", json!({"reason": "resigned"})).await.at_fault("/reason");
            let ended = near.does(town, &id, "end", json!({"reason": reason})).await.expect(200);
            assert_eq!((&ended.json["status"], &ended.json["end_reason"]), (&json!("left"), &json!(reason)));
            near.does(town, &id, "end", json!({"reason": reason})).await.problem(409, "wrong-state");
            town.delivers_everything().await;
            assert_eq!(letters(town, &format!("{}@canari.example", given.to_lowercase())).len(), told, "{reason}");
        }
    })
    .await;
}
/// Duty M3: the address is checked against the perimeter; outside it only the police may confirm a link.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_outside_needs_the_police() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let partnership = near.partnership;
        let square = json!({"type": "Polygon", "coordinates": [
            [[4.0, 50.5], [4.1, 50.5], [4.1, 50.6], [4.0, 50.6], [4.0, 50.5]]
        ]});
        town.db(move |tx| {
            let polygon = vigie::partnerships::Polygon::parse(square).unwrap();
            vigie::partnerships::set_perimeter(tx, partnership, &polygon, None).unwrap();
            Ok(())
        })
        .await;
        let mut inside = application("Anouk");
        inside["address"]["point"] = json!([4.05, 50.55]);
        town.open_post(&near.applications(), inside).await.expect(202);
        let mut outside = application("Bea");
        outside["address"]["point"] = json!([4.2, 50.55]);
        town.open_post(&near.applications(), outside).await.refused(409, "outside_perimeter");

        let mut body = paper("Cas");
        body["address"]["point"] = json!([4.2, 50.55]);
        town.post(&near.members(), &near.coordinator.token(town), body.clone()).await.refused(409, "outside_perimeter");
        let entered = town.post(&near.members(), &near.officer.token(town), body).await.expect(201);
        near.does(town, &entered.id(), "admission", Value::Null).await.refused(409, "outside_perimeter");
        let admission = format!("/api/v1/members/{}/admission", entered.id());
        town.post(&admission, &near.officer.token(town), Value::Null).await.expect(200);

        let mut moved = super::neighbourhood::address();
        moved["point"] = json!([4.3, 50.55]);
        let path = format!("/api/v1/members/{}", entered.id());
        let token = near.coordinator.token(town);
        let etag = town.get(&path, &token).await.expect(200).etag.unwrap();
        town.patch(&path, &token, &etag, json!({"address": moved})).await.refused(409, "outside_perimeter");
    })
    .await;
}
