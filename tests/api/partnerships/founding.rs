//! From a registered partnership to an active one.

use std::sync::Arc;

use serde_json::json;
use vigie::access::{Reach, Role, end, grants_at};
use vigie::partnerships;

use super::cast::{MONS, QUEVY, Scene, Someone, TOURNAI, declared, holder, mandated, member, plan, scene, square};
use crate::support::{Town, on_both};

async fn coordinator(town: &Town, s: &Scene) -> Someone {
    mandated(town, "coordinator@example.be", Role::Coordinator, Reach::Partnership(s.partnership)).await
}
fn at(s: &Scene, path: &str) -> String {
    format!("/api/v1/partnerships/{}{path}", s.partnership)
}

#[tokio::test(flavor = "multi_thread")]
async fn police_and_municipality_enter_partnerships_in_their_own_place() {
    on_both(async |town| {
        let s = scene(town).await;
        let mons = mandated(town, "mons@example.be", Role::Municipality, Reach::Municipality(MONS.into())).await;
        let path = format!("/api/v1/zones/{}/partnerships", s.zone);
        let body = |short: &str, nis: &[&str]| {
            json!({"kind": "citizen", "names": {"fr": "PLP du Parc"}, "short_name": short, "municipalities": nis})
        };
        let made = town.post(&path, &s.officer.token, body("PLP Parc", &[MONS, QUEVY])).await.expect(201);
        assert_eq!((made.str("/status"), made.etag.as_deref()), ("registered".to_owned(), Some("\"v1\"")));
        town.get(made.headers["location"].to_str().unwrap(), &s.officer.token).await.expect(200);
        town.post(&path, &s.officer.token, body("PLP Parc", &[MONS])).await.refused(409, "short_name_taken");
        town.post(&path, &s.officer.token, body("A", &[MONS, TOURNAI])).await.at_fault("/municipalities/1");
        town.post(&path, &s.officer.token, body("A", &[MONS, MONS])).await.at_fault("/municipalities");
        town.post(&path, &s.officer.token, body("A", &[])).await.at_fault("/municipalities");
        town.post(&path, &s.officer.token, json!({"kind": "citizen", "names": {}, "short_name": "A", "municipalities": [MONS]}))
            .await
            .at_fault("/names");
        town.post(&path, &mons.token, body("PLP Beffroi", &[MONS])).await.expect(201);
        town.post(&path, &mons.token, body("PLP Trop", &[MONS, QUEVY])).await.problem(404, "not-found");
        town.post(&path, &s.other_officer.token, body("B", &[MONS])).await.problem(403, "forbidden");
        // A repeat gets the first answer, and nothing is made twice.
        let key = [("idempotency-key", "parc-0001")];
        let first = town.send("POST", &path, Some(&s.officer.token), Some(&body("C", &[MONS])), &key).await.expect(201);
        let again = town.send("POST", &path, Some(&s.officer.token), Some(&body("C", &[MONS])), &key).await.expect(201);
        assert_eq!(first.id(), again.id());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_meanwhile_is_not_overwritten() {
    on_both(async |town| {
        let s = scene(town).await;
        let read = town.get(&at(&s, ""), &s.officer.token).await.expect(200);
        let etag = read.etag.unwrap();
        let body = json!({"legal_ref": "Charte 2026/1"});
        let changed = town.patch(&at(&s, ""), &s.officer.token, &etag, body.clone()).await.expect(200);
        assert_eq!(changed.str("/legal_ref"), "Charte 2026/1");
        town.patch(&at(&s, ""), &s.officer.token, &etag, body.clone()).await.problem(412, "stale");
        town.put(&at(&s, "/perimeter"), &s.officer.token, &etag, json!({"polygon": square()}))
            .await
            .problem(412, "stale");
        town.send("PATCH", &at(&s, ""), Some(&s.officer.token), Some(&body), &[]).await.problem(428, "version-needed");
        let etag = changed.etag.unwrap();
        town.patch(&at(&s, ""), &s.officer.token, &etag, json!({"short_name": "PLP Quevy"}))
            .await
            .refused(409, "short_name_taken");
        // Two at once: one wins.
        let path = at(&s, "");
        let (a, b) = tokio::join!(
            town.patch(&path, &s.officer.token, &etag, json!({"legal_ref": "A"})),
            town.patch(&path, &s.administrator.token, &etag, json!({"legal_ref": "B"})),
        );
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_perimeter_is_closed_simple_and_in_belgium() {
    on_both(async |town| {
        let s = scene(town).await;
        let read = town.get(&at(&s, ""), &s.officer.token).await.expect(200);
        let etag = read.etag.unwrap();
        let of = |ring: serde_json::Value| json!({"polygon": {"type": "Polygon", "coordinates": [ring]}});
        let table = [
            ("ring_open", of(json!([[4.0, 50.5], [4.1, 50.5], [4.1, 50.6], [4.0, 50.6]]))),
            ("crosses_itself", of(json!([[4.0, 50.5], [4.1, 50.6], [4.1, 50.5], [4.0, 50.6], [4.0, 50.5]]))),
            ("outside_belgium", of(json!([[50.5, 4.0], [50.5, 4.1], [50.6, 4.1], [50.5, 4.0]]))),
            ("not_a_polygon", json!({"polygon": {"type": "Point", "coordinates": [4.0, 50.5]}})),
            ("not_a_polygon", json!({"polygon": 7})),
        ];
        for (code, body) in table {
            let reply = town.put(&at(&s, "/perimeter"), &s.officer.token, &etag, body).await.at_fault("/polygon");
            assert_eq!(reply.json["errors"][0]["code"], code);
        }
        let drawn =
            town.put(&at(&s, "/perimeter"), &s.officer.token, &etag, json!({"polygon": square()})).await.expect(200);
        assert_eq!((&drawn.json["perimeter"]["number"], &drawn.json["perimeter"]["polygon"]), (&json!(1), &square()));
        let again = town
            .put(&at(&s, "/perimeter"), &s.officer.token, &drawn.etag.unwrap(), json!({"polygon": square()}))
            .await
            .expect(200);
        assert_eq!(again.json["perimeter"]["number"], 2);
        let id = s.partnership;
        assert_eq!(town.db(move |tx| partnerships::lies_within(tx, id, [3.95, 50.455])).await, Some(true));
        assert_eq!(town.db(move |tx| partnerships::lies_within(tx, id, [3.97, 50.455])).await, Some(false));
        let id = s.neighbour;
        assert_eq!(town.db(move |tx| partnerships::lies_within(tx, id, [3.95, 50.455])).await, None);
    })
    .await;
}

/// duty C19: the plan is in force only once police and coordinator both signed that very number.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_in_force_once_both_signed_it() {
    on_both(async |town| {
        let s = scene(town).await;
        let id = s.partnership;
        let coordinator = coordinator(town, &s).await;
        let member = member(town, "member@example.be", s.partnership).await;
        let (path, sign) = (at(&s, "/communication-plan"), at(&s, "/communication-plan/signature"));
        let none = town.get(&path, &member.token).await.expect(200);
        assert_eq!((none.json, none.etag.as_deref()), (json!({}), Some("\"v0\"")));
        town.post(&sign, &coordinator.token, json!({"number": 1})).await.refused(409, "plan_changed");
        let written = town.put(&path, &s.officer.token, "\"v0\"", plan()).await.expect(200);
        assert_eq!(written.json["proposed"]["number"], 1);
        assert!(written.json["in_force"].is_null());
        assert_eq!(town.db(move |tx| partnerships::plan_in_force(tx, id)).await, None);
        town.put(&path, &s.officer.token, "\"v0\"", plan()).await.problem(412, "stale");
        town.put(&path, &coordinator.token, "\"v1\"", plan()).await.problem(403, "forbidden");
        town.post(&sign, &s.officer.token, json!({"number": 1})).await.problem(403, "forbidden");
        let signed = town.post(&sign, &coordinator.token, json!({"number": 1})).await.expect(201);
        assert_eq!(signed.json["in_force"]["content"], plan());
        town.post(&sign, &coordinator.token, json!({"number": 1})).await.refused(409, "plan_signed");
        // A newer proposal leaves the old one in force until it is signed too.
        let mut other = plan();
        other["urgent_validity_minutes"] = json!(30);
        town.put(&path, &s.officer.token, "\"v1\"", other).await.expect(200);
        assert_eq!(town.db(move |tx| partnerships::plan_in_force(tx, id)).await.unwrap().0, 1);
        town.post(&sign, &coordinator.token, json!({"number": 1})).await.refused(409, "plan_changed");
        town.post(&sign, &coordinator.token, json!({"number": 2})).await.expect(201);
        let (number, content) = town.db(move |tx| partnerships::plan_in_force(tx, id)).await.unwrap();
        assert_eq!((number, content.urgent_validity_minutes), (2, 30));
        // Signing is a matter of identity.
        town.passes(vigie::access::STEP_UP_LIFE);
        let officer = vigie::access::Bearer::new(town.database.keys()).token(
            s.officer.account,
            s.officer.session,
            town.clock.now(),
        );
        town.put(&path, &officer, "\"v2\"", plan()).await.problem(401, "step-up-needed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_does_not_hold_together_is_refused() {
    on_both(async |town| {
        let s = scene(town).await;
        let table = [
            ("/urgent/mode", "/urgent/mode", json!("relay")),
            ("/urgent/channels", "/urgent/channels", json!([])),
            ("/urgent/channels", "/urgent/channels", json!(["sms", "sms"])),
            ("/urgent/channels/0", "/urgent/channels/0", json!("post")),
            ("/quiet_from_hour", "/quiet_from_hour", json!(24)),
            ("/urgent_validity_minutes", "/urgent_validity_minutes", json!(9)),
            ("/urgent_validity_minutes", "/urgent_validity_minutes", json!(121)),
            ("/release_alone", "/release_alone", json!(["admin", "admin"])),
            ("/release_alone/0", "/release_alone/0", json!("facts")),
            ("/fallback_languages", "/fallback_languages", json!([])),
        ];
        for (pointer, fault, value) in table {
            let mut body = plan();
            match body.pointer_mut(pointer) {
                Some(place) => *place = value,
                None => *body.pointer_mut(pointer.rsplit_once('/').unwrap().0).unwrap() = json!([value]),
            }
            town.put(&at(&s, "/communication-plan"), &s.officer.token, "\"v0\"", body).await.at_fault(fault);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn house_rules_are_versioned_and_said_in_the_languages_of_the_zone() {
    on_both(async |town| {
        let s = scene(town).await;
        let path = at(&s, "/house-rules");
        town.post(&path, &s.officer.token, json!({"texts": {"nl": "Geen patrouilles."}})).await.at_fault("/texts/fr");
        town.post(&path, &s.officer.token, json!({"texts": {}})).await.at_fault("/texts");
        let one = town.post(&path, &s.officer.token, json!({"texts": {"fr": "Pas de patrouilles."}})).await.expect(201);
        let two =
            town.post(&path, &s.officer.token, json!({"texts": {"fr": "Jamais de patrouilles."}})).await.expect(201);
        assert_eq!((&one.json["number"], &two.json["number"]), (&json!(1), &json!(2)));
        assert_ne!(one.str("/hash"), two.str("/hash"));
        let id = s.partnership;
        assert_eq!(town.db(move |tx| partnerships::house_rules_in_force(tx, id)).await.unwrap().number, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partnership_becomes_active_when_everything_is_there() {
    on_both(async |town| {
        let s = scene(town).await;
        let (path, id, token) = (at(&s, "/activation"), s.partnership, &s.officer.token);
        let try_it = async || town.post(&path, token, json!({})).await;
        try_it().await.refused(409, "no_coordinator");
        let coordinator = coordinator(town, &s).await;
        try_it().await.refused(409, "no_plan_in_force");
        town.put(&at(&s, "/communication-plan"), token, "\"v0\"", plan()).await.expect(200);
        try_it().await.refused(409, "no_plan_in_force");
        town.post(&at(&s, "/communication-plan/signature"), &coordinator.token, json!({"number": 1})).await.expect(201);
        try_it().await.refused(409, "no_perimeter");
        town.put(&at(&s, "/perimeter"), token, "\"v1\"", json!({"polygon": square()})).await.expect(200);
        try_it().await.refused(409, "no_house_rules");
        town.open_get(&format!("/api/v1/public/partnerships/{id}")).await.problem(404, "not-found");
        town.post(&at(&s, "/house-rules"), token, json!({"texts": {"fr": "Pas de patrouilles."}})).await.expect(201);
        let active = try_it().await.expect(200);
        assert_eq!((active.str("/status"), &active.json["plan"]), ("active".to_owned(), &json!(1)));
        try_it().await.refused(409, "wrong_status");
        // The public finds it now: duties C12, C17, P9, M5. No person, no perimeter.
        let found = town.open_get(&format!("/api/v1/public/partnerships?municipality={MONS}")).await.expect(200);
        assert_eq!(found.items().len(), 1);
        assert_eq!(found.items()[0]["municipalities"][0]["names"]["nl"], "Bergen");
        let public = town.open_get(&format!("/api/v1/public/partnerships/{id}")).await.expect(200);
        assert_eq!(
            (public.str("/emergency/0/number"), public.str("/emergency/1/number")),
            ("101".into(), "112".into())
        );
        assert_eq!(public.str("/zone/phone"), "+3265753811");
        for hidden in ["polygon", "perimeter", "Dupont", "coordinator@example.be", "account"] {
            assert!(!public.text.contains(hidden) && !found.text.contains(hidden), "{hidden}: {}", public.text);
        }
        let rules = town.open_get(&public.str("/house_rules")).await.expect(200);
        assert_eq!(rules.str("/texts/fr"), "Pas de patrouilles.");
        // Suspended by the municipality, with a reason; back by the police.
        let mons = mandated(town, "mons@example.be", Role::Municipality, Reach::Municipality(MONS.into())).await;
        let suspended =
            town.post(&at(&s, "/suspension"), &mons.token, json!({"reason": "Le conseil délibère."})).await.expect(200);
        assert_eq!(suspended.str("/status_reason"), "Le conseil délibère.");
        let member = member(town, "member@example.be", id).await;
        assert!(town.get(&at(&s, ""), &member.token).await.expect(200).json["status_reason"].is_null());
        town.post(&at(&s, "/suspension"), &mons.token, json!({"reason": "x"})).await.refused(409, "wrong_status");
        town.open_get(&format!("/api/v1/public/partnerships/{id}")).await.problem(404, "not-found");
        assert!(try_it().await.expect(200).json["status_reason"].is_null());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_officer_in_the_zone_nothing_becomes_active() {
    on_both(async |town| {
        let s = scene(town).await;
        coordinator(town, &s).await;
        let (id, officer, config) = (s.partnership, s.officer.account, Arc::clone(&town.config));
        let refused = town
            .db(move |tx| {
                let now = tx.now()?;
                for grant in grants_at(tx, officer, now)? {
                    end(tx, grant.id, "moved")?;
                }
                Ok(format!("{:?}", partnerships::activate(tx, &config, id)))
            })
            .await;
        assert_eq!(refused, "Err(Refused(NoOfficer))");
    })
    .await;
}

/// duty C19: two signatures are two persons.
#[tokio::test(flavor = "multi_thread")]
async fn one_person_does_not_sign_for_both() {
    on_both(async |town| {
        let s = scene(town).await;
        let (id, officer) = (s.partnership, s.officer.account);
        town.db(move |tx| {
            partnerships::give_mandate_now(tx, officer, Role::Coordinator, Reach::Partnership(id), Vec::new(), None)
        })
        .await;
        town.put(&at(&s, "/communication-plan"), &s.officer.token, "\"v0\"", plan()).await.expect(200);
        town.post(&at(&s, "/communication-plan/signature"), &s.officer.token, json!({"number": 1}))
            .await
            .refused(409, "one_signatory");
        let body = json!({"role": "COO", "holder": holder("x@example.be"), "declaration": declared()});
        town.post(&at(&s, "/mandates"), &s.officer.token, body).await.expect(201);
    })
    .await;
}
