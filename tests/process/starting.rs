//! What the binary refuses to start with, and whether it says what to do.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::SimpleConnection;

use crate::database::Kind;
use crate::house::{House, Process, empty_folder};

async fn refused(settings: &BTreeMap<&'static str, String>) -> String {
    let (status, said) = Process::start("serve", settings).ends(Duration::from_secs(30)).await;
    assert_eq!(status, Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn production_refuses_everything_made_for_development_and_says_what_to_do() {
    let (_folder, path) = empty_folder();
    let settings = [
        ("VIGIE__ENVIRONMENT", "production".to_owned()),
        ("VIGIE__DATA_DIR", path.display().to_string()),
        ("VIGIE__SERVER__LISTEN", "127.0.0.1:0".to_owned()),
    ]
    .into();
    let said = refused(&settings).await;
    for hint in ["vigie keys new", "set it to \"smtp\"", "set it to \"kannel\"", "https"] {
        assert!(said.contains(hint), "no {hint:?} in {said}");
    }
    assert_eq!(std::fs::read_dir(path).unwrap().count(), 0, "nothing was made on the way");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_neither_is_refused_by_name_and_without_its_password() {
    let (_folder, path) = empty_folder();
    for url in ["mysql://vigie:hunter2@db/vigie", "vigie.sqlite", "sqlite:"] {
        let settings = [
            ("VIGIE__DATA_DIR", path.display().to_string()),
            ("VIGIE__SERVER__LISTEN", "127.0.0.1:0".to_owned()),
            ("VIGIE__DATABASE__URL", url.to_owned()),
        ]
        .into();
        let said = refused(&settings).await;
        assert!(said.contains("must begin with sqlite: or postgres://"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_is_none_is_refused_and_not_shown() {
    let (_folder, path) = empty_folder();
    let file = path.join("wrong-keys");
    std::fs::write(&file, "1 hunter2\n").unwrap();
    let settings = [
        ("VIGIE__DATA_DIR", path.display().to_string()),
        ("VIGIE__SERVER__LISTEN", "127.0.0.1:0".to_owned()),
        ("VIGIE__KEYS_FILE", file.display().to_string()),
    ]
    .into();
    let said = refused(&settings).await;
    assert!(said.contains("32 bytes in base64") && !said.contains("hunter2"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_from_the_future_is_refused() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let house = House::build(kind).await;
        let future = "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')";
        let settings = house.settings();
        let url = &settings["VIGIE__DATABASE__URL"];
        match kind {
            Kind::Sqlite => diesel::SqliteConnection::establish(&url["sqlite:".len()..]).unwrap().batch_execute(future),
            Kind::Postgres => diesel::PgConnection::establish(url).unwrap().batch_execute(future),
        }
        .unwrap();
        let said = refused(&settings).await;
        assert!(said.contains("9999") && said.contains("start the newer version"), "{said}");
    }
}
