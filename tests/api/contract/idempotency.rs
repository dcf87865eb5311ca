//! Every POST under a permission is answered once for each key (accept M7): without a key, or with one that is none, it
//! is refused and nothing is done.

use std::time::Duration;

use serde_json::Value;
use vigie::access::{Access, Need, Role, row};
use vigie::app;
use vigie::worker;

use super::schema::Book;
use super::stage::{Stage, Where, access_token, rows};
use crate::messages::burglary;
use crate::support::{Reply, on_both};

const ZONES: &str = "number;name_fr;name_nl;name_de;phone;email;languages;municipalities
5555;ZP Essai;;;+3222742111;;fr;11001
";

/// What a body must say beyond its shape, so that the key is what is missing.
fn fit(operation: &str, body: &mut Value) {
    let set = |body: &mut Value, pointer: &str, value: &str| *body.pointer_mut(pointer).unwrap() = value.into();
    match operation {
        "NominateInPartnership" => set(body, "/role", "COO"),
        "AppointInstitution" => {
            set(body, "/role", "FED");
            for field in ["zone", "municipality", "province"] {
                body.as_object_mut().unwrap().remove(field);
            }
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_needs_a_key() {
    let book = Book::open();
    let long = "k".repeat(101);
    let no_keys: [Option<&str>; 7] = [
        None,
        Some(""),
        Some("seven77"),
        Some(&long),
        Some("with a space"),
        Some("semi;colon"),
        Some("p\u{e9}riode-1"),
    ];
    on_both(async |town| {
        let stage = Stage::set(town).await;
        let mut holders = Vec::new();
        for role in Role::ALL {
            holders.push(stage.holder(town, *role, Where::Here).await.unwrap());
        }
        let (mut cases, mut faults) = (0, Vec::new());
        let before = rows(town).await;
        let operations = book.operations();
        for route in app::contract().unwrap().table {
            let Access::Requires(permission) = route.access else { continue };
            if route.method != "POST" {
                continue;
            }
            let place = stage.place_of(route.path);
            let holder = match row(permission).need {
                Need::SignedIn => holders.first(),
                Need::Roles(roles) => {
                    holders.iter().find(|holder| roles.contains(&holder.role) && holder.reach.covers(&place))
                }
            };
            let holder = holder.unwrap_or_else(|| panic!("nobody may {permission:?}"));
            let token = access_token(town, holder.account, holder.fresh);
            let path = stage.path(town, route.path, holder.session);
            let operation = operations.iter().find(|operation| operation.name == permission.as_str()).unwrap();
            let (media, body) = match &operation.body {
                None => (None, Vec::new()),
                Some((media, schema)) if media == "application/json" => {
                    let mut body = book.sample(schema, "");
                    fit(&operation.name, &mut body);
                    (Some(media.as_str()), body.to_string().into_bytes())
                }
                Some((media, _)) => (Some(media.as_str()), ZONES.as_bytes().to_vec()),
            };
            for key in no_keys {
                cases += 1;
                let mut headers: Vec<(&str, &str)> = media.iter().map(|media| ("content-type", *media)).collect();
                headers.extend(key.map(|key| ("idempotency-key", key)));
                let reply = Reply::of(town.raw("POST", &path, Some(&token), &headers, body.clone()).await).await;
                if reply.status != 400 || reply.json["type"] != "/problems/idempotency-key-missing" {
                    faults.push(format!("{} with the key {key:?}: {} {}", route.path, reply.status, reply.text));
                }
            }
        }
        eprintln!("idempotency: {cases} cases");
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        assert_eq!(before, rows(town).await);
        assert!(cases >= 180, "{cases}");
    })
    .await;
}

/// Accept M7: for seven days the first answer is the answer, and nothing is done again; afterwards the key is a new one.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_kept_for_seven_days_and_no_longer() {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);
    const SECOND: Duration = Duration::from_secs(1);
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let (body, mut other) = (burglary(), burglary());
        other["source"] = "other".into();
        let asks = async |body: &Value| {
            let token = town.signs_in(&hood.coordinator).await;
            town.send("POST", &hood.messages(), Some(&token), Some(body), &[("idempotency-key", "a-bad-line-1")]).await
        };
        let drafts = async || {
            use diesel::prelude::*;
            let count = vigie::storage::schema::messages::table.count();
            town.db(move |tx| Ok(count.get_result::<i64>(tx.db())?)).await
        };
        let first = asks(&body).await.expect(201);
        town.passes(WEEK - SECOND);
        worker::minute(&town.database).await.unwrap();
        let again = asks(&body).await.expect(201);
        assert_eq!((&again.text, drafts().await), (&first.text, 1));
        asks(&other).await.problem(409, "idempotency-mismatch");
        town.passes(SECOND + SECOND);
        worker::minute(&town.database).await.unwrap();
        let anew = asks(&body).await.expect(201);
        assert!(anew.id() != first.id() && drafts().await == 2, "{}", anew.text);
    })
    .await;
}
