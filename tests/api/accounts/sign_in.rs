//! An address and a password for a session.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use vigie::accounts::{close_account, hashes_done, lock_account, unlock_account};

use super::{PASSWORD, invited, signs_in, somebody, tries, without_instance};
use crate::support::database::Kind;
use crate::support::{Town, on_both};

#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_opens_a_session() {
    on_both(async |town| {
        let account = somebody(town, "noor@kust.example").await;
        let reply = signs_in(town, " Noor@KUST.example ").await;
        assert_eq!(reply.str("/token_type"), "Bearer");
        assert_eq!(reply.json["expires_in_seconds"], 600);
        assert_eq!(reply.str("/account"), account.to_string());
        assert_eq!(reply.headers["cache-control"], "no-store");
        let me = town.get("/api/v1/me", &reply.str("/access_token")).await.expect(200);
        assert_eq!((me.str("/account"), me.str("/session")), (account.to_string(), reply.str("/session")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_the_answer_is_the_same() {
    on_both(async |town| {
        for name in ["active", "locked", "closed"] {
            somebody(town, &format!("{name}@kust.example")).await;
        }
        invited(town, "invited@kust.example").await;
        let locked = somebody(town, "locked@kust.example").await;
        let closed = somebody(town, "closed@kust.example").await;
        town.db(move |tx| {
            lock_account(tx, locked)?.unwrap();
            close_account(tx, closed)?.unwrap();
            Ok(())
        })
        .await;
        let wrong = tries(town, "active@kust.example", "not this one").await.problem(401, "sign-in-refused");
        assert!(!wrong.text.contains("kust"), "{}", wrong.text);
        for name in ["unknown", "invited", "locked", "closed"] {
            let reply = tries(town, &format!("{name}@kust.example"), PASSWORD).await.expect(401);
            assert_eq!(without_instance(&reply), without_instance(&wrong), "{name}");
            let names =
                |headers: &reqwest::header::HeaderMap| headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
            assert_eq!(names(&reply.headers), names(&wrong.headers), "{name}");
        }
        town.db(move |tx| {
            unlock_account(tx, locked)?.unwrap();
            assert!(unlock_account(tx, locked)?.is_err());
            Ok(())
        })
        .await;
        signs_in(town, "locked@kust.example").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_try_costs_one_hash_whether_or_not_the_address_is_known() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        // Parameters of its own, as hashes are counted by parameters and other tests hash at the same time.
        let town = Town::start_with(kind, |config| config.limits.argon2_memory_kib = 72).await;
        somebody(&town, "noor@kust.example").await;
        invited(&town, "invited@kust.example").await;
        for (email, password) in [
            ("noor@kust.example", PASSWORD),
            ("noor@kust.example", "wrong"),
            ("unknown@kust.example", PASSWORD),
            ("invited@kust.example", PASSWORD),
        ] {
            let before = hashes_done(&town.config.limits);
            tries(&town, email, password).await;
            assert_eq!(hashes_done(&town.config.limits) - before, 1, "{email}");
        }
        town.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ten_wrong_tries_an_address_waits_known_or_not_and_not_for_ever() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        for email in ["noor@kust.example", "unknown@kust.example"] {
            for _ in 0..10 {
                tries(town, email, "wrong").await.expect(401);
            }
            let refused = tries(town, email, PASSWORD).await.problem(429, "too-many-requests");
            assert_eq!(refused.headers["retry-after"], "900");
        }
        // Others are not held up.
        somebody(town, "jef@kust.example").await;
        signs_in(town, "jef@kust.example").await;
        town.passes(Duration::from_secs(899));
        let refused = tries(town, "noor@kust.example", PASSWORD).await.expect(429);
        assert_eq!(refused.headers["retry-after"], "1");
        town.passes(Duration::from_secs(1));
        signs_in(town, "noor@kust.example").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn right_passwords_do_not_count() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        for _ in 0..12 {
            signs_in(town, "noor@kust.example").await;
        }
        for _ in 0..9 {
            tries(town, "noor@kust.example", "wrong").await.expect(401);
        }
        signs_in(town, "noor@kust.example").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_at_the_same_moment_all_count() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let replies = join_all((0..30).map(|_| tries(town, "noor@kust.example", "wrong"))).await;
        let looked_at = replies.iter().filter(|reply| reply.status == 401).count();
        let busy = replies.iter().filter(|reply| reply.status == 503).count();
        let refused = replies.iter().filter(|reply| reply.status == 429).count();
        assert!(looked_at <= 10 && looked_at + busy + refused == 30, "{looked_at} {busy} {refused}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_has_a_count_of_its_own() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start_with(kind, |config| config.limits.sign_ins_per_network = 7).await;
        somebody(&town, "noor@kust.example").await;
        for at in 0..7 {
            tries(&town, &format!("nobody{at}@kust.example"), "wrong").await.expect(401);
        }
        tries(&town, "noor@kust.example", PASSWORD).await.problem(429, "too-many-requests");
        town.passes(Duration::from_secs(900));
        signs_in(&town, "noor@kust.example").await;
        town.close().await;
    }
}

/// A client may write as many lines of `X-Forwarded-For` as it likes: what the trusted proxy adds stands last.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_forwarding_line_gives_nobody_new_tries() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start_with(kind, |config| {
            config.limits.sign_ins_per_network = 4;
            config.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap(), "192.0.2.1".parse().unwrap()];
        })
        .await;
        let from = async |lines: &[&str]| {
            let headers: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            let body = json!({ "email": "nobody@kust.example", "password": "wrong" });
            town.send("POST", "/api/v1/sessions", None, Some(&body), &headers).await
        };
        from(&["198.51.100.1", "203.0.113.7"]).await.expect(401);
        from(&["198.51.101.1, 198.51.102.1", "203.0.113.8"]).await.expect(401);
        from(&["198.51.103.1, 203.0.113.9", "192.0.2.1"]).await.expect(401);
        from(&["198.51.104.1", "2001:db8::1, 203.0.113.9"]).await.expect(401);
        from(&["198.51.105.1", "::ffff:203.0.113.7"]).await.expect(429);
        from(&["203.0.113.7", "198.51.100.1"]).await.expect(401);
        from(&[]).await.expect(401);
        town.close().await;
    }
}

/// A home has millions of IPv6 addresses: the budget of those who are not signed in is their network's.
#[tokio::test(flavor = "multi_thread")]
async fn the_addresses_of_one_network_share_its_budget() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = Town::start_with(kind, |config| {
            config.limits.network_per_minute = std::num::NonZeroU32::new(4).unwrap();
            config.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        })
        .await;
        let from = async |address: &str| {
            town.send("GET", "/api/v1/regions", None, None, &[("x-forwarded-for", address)]).await
        };
        for address in ["2001:db8:7::1", "2001:db8:7::2", "2001:db8:7:1::1", "2001:db8:7:ffff::1"] {
            from(address).await.expect(200);
        }
        from("2001:db8:7:2::9").await.problem(429, "too-many-requests");
        from("2001:db8:8::1").await.expect(200);
        town.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_an_address_and_a_password_is_refused_with_a_pointer() {
    on_both(async |town| {
        let good = json!({ "email": "noor@kust.example", "password": "x" });
        for (change, pointer) in [
            (json!({ "nickname": "noor" }), "/nickname"),
            (json!({ "email": "noor" }), "/email"),
            (json!({ "email": 7 }), "/email"),
            (json!({ "password": "" }), "/password"),
            (json!({ "password": "x".repeat(257) }), "/password"),
            (json!({ "password": null }), "/password"),
        ] {
            let mut body = good.clone();
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let reply = town.open_post("/api/v1/sessions", body).await.at_fault(pointer);
            assert!(!reply.text.contains("xxx"), "{}", reply.text);
        }
        town.open_post("/api/v1/sessions", json!({ "email": "noor@kust.example" })).await.at_fault("/password");
        town.send("PATCH", "/api/v1/sessions", None, Some(&good), &[]).await.problem(405, "method-not-allowed");
    })
    .await;
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_lives_ten_minutes_and_carries_no_more_than_account_and_session() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let reply = signs_in(town, "noor@kust.example").await;
        let token = reply.str("/access_token");
        let claims = claims_of(&token);
        let keys: BTreeSet<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, BTreeSet::from(["iss", "aud", "sub", "sid", "iat", "exp"]));
        assert_eq!((&claims["sub"], &claims["sid"]), (&reply.json["account"], &reply.json["session"]));
        town.passes(Duration::from_secs(599));
        town.get("/api/v1/me", &token).await.expect(200);
        // Clocks of two nodes may differ by five seconds.
        town.passes(Duration::from_secs(6));
        town.get("/api/v1/me", &token).await.problem(401, "not-signed-in");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_tokens_are_all_refused_alike() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let real = signs_in(town, "noor@kust.example").await.str("/access_token");
        let key = town.database.keys().derive("access-token");
        let sign = |algorithm, typ: Option<&str>, key: &[u8], change: Value| {
            let mut header = Header::new(algorithm);
            header.typ = typ.map(str::to_owned);
            let mut claims = claims_of(&real);
            claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(key)).unwrap()
        };
        let (hs256, typ) = (Algorithm::HS256, Some("at+jwt"));
        town.get("/api/v1/me", &sign(hs256, typ, &key, json!({}))).await.expect(200);
        let parts: Vec<&str> = real.split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
        let forged = [
            ("no algorithm", format!("{none}.{}.", parts[1])),
            ("no algorithm, old signature", format!("{none}.{}.{}", parts[1], parts[2])),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("another key", sign(hs256, typ, b"another key of thirty-two bytes!", json!({}))),
            ("an empty key", sign(hs256, typ, b"", json!({}))),
            ("another algorithm", sign(Algorithm::HS512, typ, &key, json!({}))),
            ("another type", sign(hs256, Some("JWT"), &key, json!({}))),
            ("no type", sign(hs256, None, &key, json!({}))),
            ("another audience", sign(hs256, typ, &key, json!({ "aud": "other" }))),
            ("another issuer", sign(hs256, typ, &key, json!({ "iss": "other" }))),
            ("too old", sign(hs256, typ, &key, json!({ "exp": 1_772_440_000 }))),
            ("from the future", sign(hs256, typ, &key, json!({ "iat": 1_772_443_000 }))),
            ("another session", sign(hs256, typ, &key, json!({ "sid": uuid::Uuid::nil() }))),
            ("another account", sign(hs256, typ, &key, json!({ "sub": uuid::Uuid::nil() }))),
            ("no identifier", sign(hs256, typ, &key, json!({ "sub": "admin" }))),
            ("not a token", "abc".to_owned()),
            ("nothing", String::new()),
        ];
        let absent = town.open_get("/api/v1/me").await.problem(401, "not-signed-in");
        for (name, token) in forged {
            let reply = town.get("/api/v1/me", &token).await.problem(401, "not-signed-in");
            assert_eq!(without_instance(&reply), without_instance(&absent), "{name}");
        }
    })
    .await;
}
