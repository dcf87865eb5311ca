//! Sessions: renewed, listed, ended.

use std::time::Duration;

use diesel::prelude::*;
use futures_util::future::join_all;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{PASSWORD, deletes, renews, signs_in, somebody, without_instance};
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_works_once_and_its_second_use_ends_the_session() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let first = signs_in(town, "noor@kust.example").await;
        let second = renews(town, &first.str("/refresh_token")).await.expect(200);
        assert_eq!(first.str("/session"), second.str("/session"));
        assert_ne!(first.str("/refresh_token"), second.str("/refresh_token"));
        town.get("/api/v1/me", &second.str("/access_token")).await.expect(200);
        let third = renews(town, &second.str("/refresh_token")).await.expect(200);

        let unknown = renews(town, "never-seen").await.problem(401, "not-signed-in");
        let reused = renews(town, &first.str("/refresh_token")).await.problem(401, "not-signed-in");
        assert_eq!(without_instance(&reused), without_instance(&unknown));
        // The whole session is over: the newest tokens too.
        town.get("/api/v1/me", &third.str("/access_token")).await.expect(401);
        renews(town, &third.str("/refresh_token")).await.expect(401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_renewals_at_once_one_wins_and_the_session_ends() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let first = signs_in(town, "noor@kust.example").await;
        let token = first.str("/refresh_token");
        let (a, b) = tokio::join!(renews(town, &token), renews(town, &token));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
        let winner = if a.status == 200 { a } else { b };
        renews(town, &winner.str("/refresh_token")).await.expect(401);
        town.get("/api/v1/me", &winner.str("/access_token")).await.expect(401);
        signs_in(town, "noor@kust.example").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_renewed_for_fourteen_days_is_over() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let first = signs_in(town, "noor@kust.example").await;
        town.passes(Duration::from_secs(14 * 86_400 - 1));
        let second = renews(town, &first.str("/refresh_token")).await.expect(200);
        town.passes(Duration::from_secs(14 * 86_400));
        renews(town, &second.str("/refresh_token")).await.expect(401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_and_ends_ones_own_sessions_and_no_others() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        somebody(town, "jef@kust.example").await;
        let mut own = Vec::new();
        for _ in 0..3 {
            own.push(signs_in(town, "noor@kust.example").await);
        }
        let other = signs_in(town, "jef@kust.example").await;
        let token = own[2].str("/access_token");

        let list = town.get("/api/v1/sessions", &token).await.expect(200);
        let ids: Vec<String> = list.items().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, own.iter().rev().map(|reply| reply.str("/session")).collect::<Vec<_>>());
        assert_eq!(list.items().iter().filter(|row| row["here"] == true).count(), 1);
        assert_eq!(list.items()[0]["here"], true);
        let page = town.get("/api/v1/sessions?limit=2", &token).await.expect(200);
        assert_eq!(page.items().len(), 2);
        let rest = town.get(&format!("/api/v1/sessions?limit=2&after={}", page.str("/next")), &token).await.expect(200);
        assert_eq!((rest.items().len(), &rest.json["next"]), (1, &serde_json::Value::Null));
        town.get("/api/v1/sessions?limit=0", &token).await.at_fault("?limit");
        town.get("/api/v1/sessions?of=jef", &token).await.at_fault("?of");

        let absent = deletes(town, &format!("/api/v1/sessions/{}", uuid::Uuid::nil()), &token).await.expect(404);
        for path in [format!("/api/v1/sessions/{}", other.str("/session")), "/api/v1/sessions/abc".to_owned()] {
            let reply = deletes(town, &path, &token).await.expect(404);
            assert_eq!(without_instance(&reply), without_instance(&absent));
        }
        let path = format!("/api/v1/sessions/{}", own[0].str("/session"));
        deletes(town, &path, &token).await.expect(204);
        deletes(town, &path, &token).await.expect(404);
        town.get("/api/v1/me", &own[0].str("/access_token")).await.expect(401);
        town.get("/api/v1/me", &own[1].str("/access_token")).await.expect(200);
        town.get("/api/v1/me", &other.str("/access_token")).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_every_session_at_once() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let (here, there) = (signs_in(town, "noor@kust.example").await, signs_in(town, "noor@kust.example").await);
        deletes(town, "/api/v1/sessions", &here.str("/access_token")).await.expect(204);
        for session in [here, there] {
            town.get("/api/v1/me", &session.str("/access_token")).await.expect(401);
            renews(town, &session.str("/refresh_token")).await.expect(401);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_proof_counts_five_minutes_in_its_own_session() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let (here, there) = (signs_in(town, "noor@kust.example").await, signs_in(town, "noor@kust.example").await);
        let (here, there) = (here.str("/access_token"), there.str("/access_token"));
        let until =
            async |token: &str| town.get("/api/v1/me", token).await.expect(200).json["stepped_up_until"].clone();
        assert!(until(&here).await.is_null());

        town.post("/api/v1/step-up", &here, json!({ "password": "wrong" })).await.problem(401, "sign-in-refused");
        assert!(until(&here).await.is_null());
        let body = json!({ "password": PASSWORD });
        let keyless =
            town.send("POST", "/api/v1/step-up", Some(&here), Some(&body), &[("idempotency-key", "no")]).await;
        keyless.problem(400, "idempotency-key-missing");
        let key = [("idempotency-key", "step-up-0001")];
        let first = town.send("POST", "/api/v1/step-up", Some(&here), Some(&body), &key).await.expect(200);
        assert_eq!(until(&here).await, first.json["stepped_up_until"]);
        assert!(until(&there).await.is_null());
        let again = town.send("POST", "/api/v1/step-up", Some(&here), Some(&body), &key).await.expect(200);
        assert_eq!((&again.json, &again.headers["idempotency-replayed"]), (&first.json, &"true".parse().unwrap()));
        town.post("/api/v1/step-up", &here, json!({ "password": PASSWORD, "otp": 1 })).await.at_fault("/otp");

        town.passes(Duration::from_secs(300));
        assert!(until(&here).await.is_null());
    })
    .await;
}

/// An outsider who types wrong passwords for somebody's address holds up nobody who is signed in.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_tries_at_the_sign_in_and_at_the_step_up_are_counted_apart() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        somebody(town, "jef@kust.example").await;
        let token = signs_in(town, "noor@kust.example").await.str("/access_token");
        for _ in 0..10 {
            super::tries(town, "noor@kust.example", "wrong").await.expect(401);
        }
        super::tries(town, "noor@kust.example", PASSWORD).await.expect(429);
        town.post("/api/v1/step-up", &token, json!({ "password": PASSWORD })).await.expect(200);

        for _ in 0..10 {
            town.post("/api/v1/step-up", &token, json!({ "password": "wrong" })).await.expect(401);
        }
        let refused = town.post("/api/v1/step-up", &token, json!({ "password": PASSWORD })).await.expect(429);
        assert_eq!(refused.headers["retry-after"], "900");
        let change = json!({ "old_password": PASSWORD, "new_password": "zeven lampen in de tuin" });
        town.send("PUT", "/api/v1/me/password", Some(&token), Some(&change), &[]).await.expect(429);
        // Who is signed in stays so, and others are not held up.
        town.get("/api/v1/me", &token).await.expect(200);
        let other = signs_in(town, "jef@kust.example").await.str("/access_token");
        town.post("/api/v1/step-up", &other, json!({ "password": PASSWORD })).await.expect(200);
        town.passes(Duration::from_secs(900));
        let token = signs_in(town, "noor@kust.example").await.str("/access_token");
        town.post("/api/v1/step-up", &token, json!({ "password": PASSWORD })).await.expect(200);
    })
    .await;
}

/// Each writes to the row on which its own right rests: they wait for each other, and none is sent away.
#[tokio::test(flavor = "multi_thread")]
async fn proofs_and_sign_outs_at_the_same_moment_wait_for_each_other() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let token = signs_in(town, "noor@kust.example").await.str("/access_token");
        let proofs = join_all((0..6).map(|_| town.post("/api/v1/step-up", &token, json!({ "password": PASSWORD }))));
        for reply in proofs.await {
            reply.expect(200);
        }
        for _ in 0..3 {
            let (one, two) = (signs_in(town, "noor@kust.example").await, signs_in(town, "noor@kust.example").await);
            let (one, two) = (one.str("/access_token"), two.str("/access_token"));
            let path = "/api/v1/sessions";
            let ends = join_all([&one, &two, &one, &two].map(|token| deletes(town, path, token))).await;
            let statuses: Vec<u16> = ends.iter().map(|reply| reply.status).collect();
            assert!(statuses.contains(&204), "{statuses:?}");
            assert!(statuses.iter().all(|status| matches!(status, 204 | 401 | 403)), "{statuses:?}");
        }
    })
    .await;
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}
#[derive(QueryableByName)]
struct Hash {
    #[diesel(sql_type = diesel::sql_types::Binary)]
    body_hash: Vec<u8>,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_token_or_address_is_in_the_record() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let signed_in = signs_in(town, "noor@kust.example").await;
        let token = signed_in.str("/access_token");
        let body = json!({ "password": PASSWORD });
        town.post("/api/v1/step-up", &token, body.clone()).await.expect(200);
        deletes(town, "/api/v1/sessions", &token).await.expect(204);
        town.recorder.flush().await;
        let lines = town
            .db(|tx| {
                let sql = "SELECT request_id || ' ' || permission || ' ' || place || ' ' || target || ' ' || outcome AS line FROM decisions";
                Ok(diesel::sql_query(sql).load::<Line>(tx.db())?)
            })
            .await;
        let record = lines.iter().map(|row| row.line.as_str()).collect::<Vec<_>>().join("\n");
        assert!(record.contains("StepUp") && record.contains("EndSessions"), "{record}");
        for secret in [PASSWORD, "noor", "kust", &token, &signed_in.str("/refresh_token")] {
            assert!(!record.contains(secret), "{record}");
        }
        // A bare hash of a body with a password could be tried out by whoever reads the database.
        let hashes = town.db(|tx| Ok(diesel::sql_query("SELECT body_hash FROM answers").load::<Hash>(tx.db())?)).await;
        assert_eq!(hashes.len(), 1);
        assert_ne!(hashes[0].body_hash, Sha256::digest(body.to_string()).to_vec());
    })
    .await;
}
