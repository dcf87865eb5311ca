//! Regions, provinces, municipalities and zones.

use serde_json::{Value, json};
use vigie::access::{Bearer, Reach, Role, open_session};
use vigie::territory;

use crate::partnerships::cast::{MONS, QUEVY, TOURNAI, mandated, scene};
use crate::support::{Reply, Town, on_both};

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_data_are_loaded_once_and_open_to_all() {
    on_both(async |town| {
        assert_eq!(town.db(territory::load_reference).await, 581);
        assert_eq!(town.db(territory::load_reference).await, 0, "harmless when repeated");
        assert_eq!(town.open_get("/api/v1/regions").await.expect(200).items().len(), 3);
        let provinces = town.open_get("/api/v1/provinces").await.expect(200);
        assert_eq!(provinces.items().len(), 10);
        assert_eq!(provinces.items()[0]["names"]["de"], "Antwerpen");
        let count = async |query: &str| {
            town.open_get(&format!("/api/v1/municipalities?limit=100&{query}")).await.expect(200).items().len()
        };
        assert_eq!(count("region=BRU").await, 19);
        assert_eq!(count("province=WBR").await, 27);
        assert_eq!(count("name=LI%C3%88GE").await, 1, "capitals with accents too");
        let luik = town.open_get("/api/v1/municipalities?name=luik").await.expect(200);
        assert_eq!(
            (&luik.items()[0]["names"]["fr"], &luik.items()[0]["as_of"]),
            (&json!("Liège"), &json!("2020-01-01"))
        );
        let mut seen = 0;
        let mut after = String::new();
        loop {
            let page = town.open_get(&format!("/api/v1/municipalities?limit=100{after}")).await.expect(200);
            seen += page.items().len();
            let Some(next) = page.json["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen, 581);
        town.open_get("/api/v1/municipalities?colour=blue").await.at_fault("?colour");
        let all = ["53053", "21004", "11001"].map(str::to_owned);
        assert_eq!(town.db(move |tx| territory::provinces_of(tx, &all)).await, ["VAN", "WHT"]);
    })
    .await;
}

fn zone(number: &str, municipalities: &[&str]) -> Value {
    json!({
        "number": number,
        "names": {"fr": "Zone du Parc", "nl": "Zone van het Park"},
        "languages": ["fr", "nl"],
        "phone": "065 75 38 11",
        "hours": {"monday": [{"from": "08:00", "until": "12:00"}, {"from": "13:00", "until": "17:00"}]},
        "municipalities": municipalities,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_federal_service_enters_zones() {
    on_both(async |town| {
        let s = scene(town).await;
        let federal = mandated(town, "fed@example.be", Role::Federal, Reach::Nation).await;
        let made = town.post("/api/v1/zones", &federal.token, zone("5388", &["52011"])).await.expect(201);
        assert_eq!((made.str("/phone"), made.str("/own_message")), ("+3265753811".to_owned(), "dual".to_owned()));
        let read = town.open_get(&format!("/api/v1/zones/{}", made.id())).await.expect(200);
        assert_eq!((read.json, read.etag.as_deref()), (made.json.clone(), Some("\"v1\"")));
        let of = town.open_get(&format!("/api/v1/municipalities?zone={}", made.id())).await.expect(200);
        assert_eq!(of.items()[0]["nis"], "52011");
        assert_eq!(town.open_get("/api/v1/zones?number=5388").await.expect(200).items().len(), 1);
        assert_eq!(town.open_get(&format!("/api/v1/zones?municipality={MONS}")).await.expect(200).items().len(), 1);
        assert_eq!(town.open_get("/api/v1/zones?name=PARK").await.expect(200).items().len(), 1);
        let post = async |body: Value| town.post("/api/v1/zones", &federal.token, body).await;
        post(zone("5388", &["52012"])).await.refused(409, "zone_number_taken");
        post(zone("5389", &["52012", MONS])).await.at_fault("/municipalities/1");
        post(zone("5389", &["99999"])).await.at_fault("/municipalities/0");
        post(zone("53", &["52012"])).await.at_fault("/number");
        for (field, value, pointer) in [
            ("phone", json!("101"), "/phone"),
            ("names", json!({}), "/names"),
            ("languages", json!(["fr", "fr"]), "/languages"),
            ("languages", json!([]), "/languages"),
            ("hours", json!({"monday": [{"from": "12:00", "until": "08:00"}]}), "/hours/monday/0"),
            ("hours", json!({"monday": [{"from": "8", "until": "12:00"}]}), "/hours/monday/0/from"),
            ("hours", json!({"someday": []}), "/hours/someday"),
            ("own_message", json!("alone"), "/own_message"),
        ] {
            let mut body = zone("5389", &["52012"]);
            body[field] = value;
            post(body).await.at_fault(pointer);
        }
        town.post("/api/v1/zones", &s.administrator.token, zone("5389", &["52012"])).await.problem(403, "forbidden");
        town.open_post("/api/v1/zones", zone("5389", &["52012"])).await.problem(401, "not-signed-in");
        town.open_get("/api/v1/zones/not-an-id").await.problem(404, "not-found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_changes_his_own_zone_as_he_last_saw_it() {
    on_both(async |town| {
        let s = scene(town).await;
        let path = format!("/api/v1/zones/{}", s.zone);
        let body = json!({"own_message": "solo_duty", "phone": "+3265753899"});
        // Who may approve alone is decided here: a session that was left open is not enough.
        let account = s.administrator.account;
        let stale = town.db(move |tx| Ok(open_session(tx, account)?.session)).await;
        let stale = Bearer::new(town.database.keys()).token(account, stale, town.clock.now());
        town.patch(&path, &stale, "\"v1\"", body.clone()).await.problem(401, "step-up-needed");
        let changed = town.patch(&path, &s.administrator.token, "\"v1\"", body.clone()).await.expect(200);
        assert_eq!((changed.str("/own_message"), changed.etag.as_deref()), ("solo_duty".to_owned(), Some("\"v2\"")));
        assert_eq!(changed.str("/names/fr"), "Zone des Hauts-Pays", "what is absent stays");
        town.patch(&path, &s.administrator.token, "\"v1\"", body.clone()).await.problem(412, "stale");
        town.send("PATCH", &path, Some(&s.administrator.token), Some(&body), &[]).await.problem(428, "version-needed");
        town.patch(&path, &s.officer.token, "\"v2\"", body.clone()).await.problem(403, "forbidden");
        let other = format!("/api/v1/zones/{}", s.other_zone);
        town.patch(&other, &s.administrator.token, "\"v1\"", body).await.problem(403, "forbidden");
        town.patch(&path, &s.administrator.token, "\"v2\"", json!({"municipalities": [TOURNAI]}))
            .await
            .at_fault("/municipalities");
    })
    .await;
}

const HEAD: &str = "number;name_fr;name_nl;name_de;phone;email;languages;municipalities\n";
async fn import(town: &Town, token: &str, rows: &str, key: &str) -> Reply {
    let request = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = request.post(format!("{}/api/v1/zones/imports", town.base)).bearer_auth(token);
    let request = request.header("content-type", "text/csv").header("idempotency-key", key);
    Reply::of(request.body(format!("{HEAD}{rows}")).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn zones_come_from_a_file_all_or_none() {
    on_both(async |town| {
        let s = scene(town).await;
        let federal = mandated(town, "fed@example.be", Role::Federal, Reach::Nation).await;
        let good = "5388;Zone A;;;065 75 38 11;a@example.be;fr;52011\n";
        let bad = "5389;Zone B;;;101;nobody;xx;\n5390;;;;+3265753811;;fr;52012\n";
        let refused = import(town, &federal.token, &format!("{good}{bad}"), "import-01").await;
        let refused = refused.at_fault("/row/3/phone").at_fault("/row/3/email").at_fault("/row/3/languages");
        let refused = refused.at_fault("/row/3/municipalities").at_fault("/row/4/name_fr");
        assert!(!refused.text.contains("nobody"), "values are not repeated");
        let taken = format!("{good}5389;Zone B;;;+3265753811;;fr;{MONS}\n");
        import(town, &federal.token, &taken, "import-02").await.at_fault("/row/3/municipalities");
        import(town, &federal.token, &good.replace("52011", "99999"), "import-03")
            .await
            .at_fault("/row/2/municipalities");
        assert!(town.open_get("/api/v1/zones?number=5388").await.expect(200).items().is_empty(), "nothing came in");
        // A municipality moves between two zones of the file; hours and policy of a known zone stay.
        let moves = format!(
            "{good}5324;Mons;Bergen;;+3265753811;;fr;{MONS}\n5316;Tournai;;;+3265753811;;fr,nl;{TOURNAI} {QUEVY}\n"
        );
        let done = import(town, &federal.token, &moves, "import-04").await.expect(201);
        assert_eq!(done.json, json!({"created": 1, "updated": 2}));
        let zone = town.open_get(&format!("/api/v1/zones/{}", s.zone)).await.expect(200);
        assert_eq!((&zone.json["municipalities"], zone.str("/names/nl")), (&json!([MONS]), "Bergen".to_owned()));
        assert_eq!(zone.etag.as_deref(), Some("\"v2\""));
        // The same key with the same file is the same request; with another file it is not.
        let again = import(town, &federal.token, &moves, "import-04").await.expect(201);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        import(town, &federal.token, good, "import-04").await.problem(409, "idempotency-mismatch");
        import(town, &s.administrator.token, good, "import-05").await.problem(403, "forbidden");
        let json = town.post("/api/v1/zones/imports", &federal.token, json!({})).await;
        json.problem(415, "unsupported-media-type");
    })
    .await;
}
