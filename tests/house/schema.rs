//! `src/storage/schema.rs` is written by hand. Here it is held against both migrated databases, the register of personal
//! data against it, and every migration against its way back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use diesel::Connection;
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use vigie::storage::{Database, Durability, Keyring, Target, personal};
use vigie::values::Clock;

use super::repository;
use super::scan::{code_only, lines_with, tokens};

/// What a column is, whatever the database calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    family: String,
    nullable: bool,
    in_key: bool,
}
/// Columns by `table.column`.
type Columns = BTreeMap<String, Column>;

/// Hashes and buckets: bytes that lead back to nobody and are not sealed.
const HASHES: &[&str] = &[
    "attempts.digest",
    "account_tokens.token_hash",
    "answers.body_hash",
    "contact_codes.code_hash",
    "refresh_tokens.token_hash",
    "throttles.bucket",
];
/// Diesel's own table of what was migrated.
const OF_DIESEL: &str = "__diesel_schema_migrations";

/// The columns as `schema.rs` declares them.
fn declared() -> Columns {
    let source = std::fs::read_to_string(repository("src/storage/schema.rs")).unwrap();
    parse(&source)
}
fn parse(source: &str) -> Columns {
    let mut columns = Columns::new();
    let (mut table, mut keys) = (String::new(), Vec::new());
    for line in code_only(source).lines().map(str::trim) {
        if let Some(column) = line.strip_suffix(',').filter(|line| line.contains(" -> ")) {
            let (name, kind) = column.split_once(" -> ").unwrap();
            let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
            let column = Column {
                family: inner.unwrap_or(kind).to_owned(),
                nullable: inner.is_some(),
                in_key: keys.iter().any(|key| key == name),
            };
            assert!(columns.insert(format!("{table}.{name}"), column).is_none(), "{table}.{name} is declared twice");
        } else if let Some((name, key)) = line.strip_suffix(") {").and_then(|line| line.split_once(" (")) {
            name.clone_into(&mut table);
            keys = key.split(", ").map(str::to_owned).collect();
        }
    }
    assert!(!columns.is_empty(), "schema.rs is read wrongly");
    columns
}

/// What each database calls a column that `schema.rs` declares so.
fn families(sqlite: bool, declared: &str) -> &'static [&'static str] {
    match (declared, sqlite) {
        ("Key" | "Text" | "Document", true) => &["TEXT"],
        ("Moment", true) => &["BIGINT"],
        ("BigInt", true) => &["BIGINT", "INTEGER"],
        ("Integer", true) => &["INTEGER"],
        ("SmallInt", true) => &["SMALLINT"],
        ("Binary", true) => &["BLOB"],
        ("Bool", true) => &["BOOLEAN"],
        ("Key", false) => &["uuid"],
        ("Text", false) => &["text"],
        ("Document", false) => &["jsonb"],
        ("Moment", false) => &["timestamptz"],
        ("BigInt", false) => &["int8"],
        ("Integer", false) => &["int4"],
        ("SmallInt", false) => &["int2"],
        ("Binary", false) => &["bytea"],
        ("Bool", false) => &["bool"],
        _ => panic!("{declared} is a type this test does not know: say what it is in each database"),
    }
}

#[derive(diesel::QueryableByName)]
struct FoundColumn {
    #[diesel(sql_type = Text)]
    tab: String,
    #[diesel(sql_type = Text)]
    col: String,
    #[diesel(sql_type = Text)]
    family: String,
    #[diesel(sql_type = BigInt)]
    nullable: i64,
    #[diesel(sql_type = BigInt)]
    in_key: i64,
}
#[derive(diesel::QueryableByName)]
struct Sentence {
    #[diesel(sql_type = Nullable<Text>)]
    sentence: Option<String>,
}
fn gathered(found: Vec<FoundColumn>) -> Columns {
    found
        .into_iter()
        .filter(|found| found.tab != OF_DIESEL)
        .map(|found| {
            let column = Column { family: found.family, nullable: found.nullable == 1, in_key: found.in_key == 1 };
            (format!("{}.{}", found.tab, found.col), column)
        })
        .collect()
}

/// One of the two databases, for looking into and for running migrations.
enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}
impl Raw {
    fn columns(&mut self) -> Columns {
        match self {
            // A primary key of SQLite may be NULL as long as nobody says otherwise; no row of ours ever has none.
            Self::Sqlite(c) => gathered(
                diesel::sql_query(
                    "SELECT m.name AS tab, c.name AS col, upper(c.type) AS family,
                            c.\"notnull\" = 0 AND c.pk = 0 AS nullable, c.pk > 0 AS in_key
                     FROM sqlite_master m, pragma_table_info(m.name) c
                     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
                )
                .load(c)
                .unwrap(),
            ),
            Self::Postgres(c) => gathered(
                diesel::sql_query(
                    "SELECT c.table_name::text AS tab, c.column_name::text AS col, c.udt_name::text AS family,
                            (c.is_nullable = 'YES')::int::bigint AS nullable,
                            EXISTS (SELECT FROM information_schema.table_constraints t
                                    JOIN information_schema.key_column_usage k USING (constraint_name, table_name)
                                    WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_name = c.table_name
                                      AND k.column_name = c.column_name)::int::bigint AS in_key
                     FROM information_schema.columns c WHERE c.table_schema = 'public'",
                )
                .load(c)
                .unwrap(),
            ),
        }
    }
    /// Everything that the migrations made, as sentences: tables, columns, constraints, indexes.
    fn sentences(&mut self) -> BTreeSet<String> {
        let found: Vec<Sentence> = match self {
            Self::Sqlite(c) => diesel::sql_query(
                "SELECT type || ' ' || name || ': ' || coalesce(sql, '') AS sentence FROM sqlite_master
                 WHERE name NOT LIKE 'sqlite_sequence'",
            )
            .load(c)
            .unwrap(),
            Self::Postgres(c) => diesel::sql_query(
                "SELECT table_name || '.' || column_name || ' ' || udt_name || ' ' || is_nullable || ' '
                        || coalesce(column_default, '') AS sentence
                 FROM information_schema.columns WHERE table_schema = 'public'
                 UNION ALL SELECT conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid)
                 FROM pg_constraint WHERE connamespace = 'public'::regnamespace
                 UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
                 UNION ALL SELECT relkind::text || ' ' || relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace",
            )
            .load(c)
            .unwrap(),
        };
        found.into_iter().filter_map(|found| found.sentence).filter(|sentence| !sentence.contains(OF_DIESEL)).collect()
    }
    fn run(&mut self, file: &PathBuf) {
        let sql = std::fs::read_to_string(file).unwrap();
        let done = match self {
            Self::Sqlite(c) => c.batch_execute(&sql),
            Self::Postgres(c) => c.batch_execute(&sql),
        };
        done.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

/// The server that `scripts/test` started. Without it these tests fail: none passes by being skipped.
#[expect(clippy::disallowed_methods, reason = "where the server listens is decided outside")]
fn server_url() -> String {
    std::env::var("VIGIE_TEST_POSTGRES").expect("run the tests with scripts/test: it starts a PostgreSQL of its own")
}
/// A database on that server, gone when the test is over.
struct Scratch {
    name: String,
    url: String,
}
impl Scratch {
    fn new() -> Self {
        let server = server_url();
        let name = format!("house_{}", uuid::Uuid::from_bytes(vigie::storage::random_bytes()).simple());
        PgConnection::establish(&server).unwrap().batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        Self { name, url }
    }
    fn connect(&self) -> Raw {
        Raw::Postgres(PgConnection::establish(&self.url).unwrap())
    }
}
impl Drop for Scratch {
    fn drop(&mut self) {
        if let Ok(mut c) = PgConnection::establish(&server_url()) {
            let _ = c.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

/// Opens a fresh database the way the binary does, so that its own migrations run.
fn migrate(url: &str) {
    let keys = Arc::new(Keyring::parse(&Keyring::fresh_file()).unwrap());
    let target = Target::parse(url, Durability::Off).unwrap();
    drop(Database::open(&target, 1, Clock::system(), keys).unwrap());
}
fn differences(declared: &Columns, found: &Columns, sqlite: bool) -> Vec<String> {
    let database = if sqlite { "SQLite" } else { "PostgreSQL" };
    let mut faults = Vec::new();
    for (name, column) in declared {
        let Some(other) = found.get(name) else {
            faults.push(format!("{name}: in schema.rs, not in {database}"));
            continue;
        };
        if !families(sqlite, &column.family).contains(&other.family.as_str()) {
            faults.push(format!("{name}: {} in schema.rs, {} in {database}", column.family, other.family));
        }
        if column.nullable != other.nullable {
            let words = |nullable| if nullable { "may be null" } else { "is never null" };
            let (here, there) = (words(column.nullable), words(other.nullable));
            faults.push(format!("{name}: {here} in schema.rs, {there} in {database}"));
        }
        if column.in_key != other.in_key {
            faults
                .push(format!("{name}: part of the primary key in one of schema.rs and {database}, not in the other"));
        }
    }
    faults.extend(
        found.keys().filter(|name| !declared.contains_key(*name)).map(|name| format!("{name}: only in {database}")),
    );
    faults
}

#[test]
fn both_databases_hold_what_the_code_thinks_they_hold() {
    let declared = declared();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("house.sqlite");
    let file = file.to_str().unwrap();
    migrate(&format!("sqlite:{file}"));
    let mut faults = differences(&declared, &Raw::Sqlite(SqliteConnection::establish(file).unwrap()).columns(), true);
    let scratch = Scratch::new();
    migrate(&scratch.url);
    faults.extend(differences(&declared, &scratch.connect().columns(), false));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_difference_is_named() {
    let declared =
        parse("diesel::table! {\n    things (id) {\n        id -> Key,\n        at -> Nullable<Moment>,\n    }\n}\n");
    let column = |family: &str, nullable, in_key| Column { family: family.to_owned(), nullable, in_key };
    let right = Columns::from([
        ("things.id".to_owned(), column("uuid", false, true)),
        ("things.at".to_owned(), column("timestamptz", true, false)),
    ]);
    assert_eq!(differences(&declared, &right, false), Vec::<String>::new());
    let expect_fault = |change: &dyn Fn(&mut Columns), words: &str| {
        let mut found = right.clone();
        change(&mut found);
        let faults = differences(&declared, &found, false);
        assert!(faults.len() == 1 && faults[0].contains(words), "{words}: {faults:?}");
    };
    expect_fault(&|found| drop(found.remove("things.at")), "things.at: in schema.rs, not in PostgreSQL");
    expect_fault(&|found| drop(found.insert("things.x".to_owned(), column("text", true, false))), "things.x: only in");
    expect_fault(&|found| found.get_mut("things.at").unwrap().family = "int8".to_owned(), "Moment in schema.rs, int8");
    expect_fault(&|found| found.get_mut("things.at").unwrap().nullable = false, "may be null in schema.rs");
    expect_fault(&|found| found.get_mut("things.id").unwrap().in_key = false, "primary key");
}

/// The folders of the migrations of one database, in order.
fn migrations(database: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(repository("migrations").join(database))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}
#[test]
fn every_migration_can_be_taken_back_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ways.sqlite");
    let scratch = Scratch::new();
    let sqlite = Raw::Sqlite(SqliteConnection::establish(file.to_str().unwrap()).unwrap());
    for (name, mut database) in [("sqlite", sqlite), ("postgres", scratch.connect())] {
        let steps = migrations(name);
        let mut states = vec![database.sentences()];
        assert_eq!(states[0], BTreeSet::new(), "{name} is not fresh");
        for step in &steps {
            database.run(&step.join("up.sql"));
            states.push(database.sentences());
        }
        for (number, step) in steps.iter().enumerate().rev() {
            database.run(&step.join("down.sql"));
            let now = database.sentences();
            let left: Vec<_> = now.symmetric_difference(&states[number]).collect();
            assert!(left.is_empty(), "{}/down.sql does not lead back: {left:?}", step.display());
        }
        steps.iter().for_each(|step| database.run(&step.join("up.sql")));
        assert_eq!(&database.sentences(), states.last().unwrap(), "{name}: up, down and up is not up");
    }
}

/// A refusal is recognised by the name of its constraint, on either database.
#[test]
fn both_databases_have_the_same_migrations_with_the_same_constraints() {
    let names = |database: &str| -> Vec<String> {
        migrations(database).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    let said = |database: &str, migration: &str| -> BTreeSet<String> {
        let path = repository("migrations").join(database).join(migration).join("up.sql");
        let sql = std::fs::read_to_string(path).unwrap();
        let words: Vec<&str> =
            sql.lines().filter(|line| !line.trim_start().starts_with("--")).flat_map(str::split_whitespace).collect();
        words
            .windows(2)
            .filter(|pair| ["CONSTRAINT", "INDEX", "TABLE"].contains(&pair[0]))
            .map(|pair| format!("{} {}", pair[0], pair[1]))
            .collect()
    };
    for migration in names("sqlite") {
        let (sqlite, postgres) = (said("sqlite", &migration), said("postgres", &migration));
        let apart: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
        assert!(apart.is_empty(), "{migration} says on one database only: {apart:?}");
    }
}

/// The register of personal data is complete: every column of bytes is in it, or is a hash.
#[test]
fn every_sealed_column_is_in_the_register_of_personal_data() {
    let declared = declared();
    let bytes: BTreeSet<&str> =
        declared.iter().filter(|(_, column)| column.family == "Binary").map(|(name, _)| name.as_str()).collect();
    let register: BTreeSet<&str> = personal::COLUMNS.iter().map(|column| column.column).collect();
    let hashes: BTreeSet<&str> = HASHES.iter().copied().collect();
    assert_eq!(register.len(), personal::COLUMNS.len(), "a column stands twice in the register");
    let unlisted: Vec<_> = bytes.iter().filter(|name| !register.contains(*name) && !hashes.contains(*name)).collect();
    assert!(unlisted.is_empty(), "bytes of which nobody says what they are: {unlisted:?}");
    let gone: Vec<_> = register.union(&hashes).filter(|name| !bytes.contains(*name)).collect();
    assert!(gone.is_empty(), "in the register or among the hashes, and no column of bytes: {gone:?}");
    let both: Vec<_> = register.intersection(&hashes).collect();
    assert!(both.is_empty(), "{both:?}");
    for column in personal::COLUMNS {
        let has_folder = repository("src").join(column.holder).is_dir();
        assert!(has_folder, "{}: there is no slice {}", column.column, column.holder);
        assert!(!column.purpose.is_empty(), "{}: why is it kept?", column.column);
    }
}

/// What is sealed is sealed under a constant of the register, and every sealed column of the register has one.
#[test]
fn every_seal_is_made_under_a_column_of_the_register() {
    let source = std::fs::read_to_string(repository("src/storage/personal.rs")).unwrap();
    let constants: BTreeMap<String, String> = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.strip_suffix("\";")?.split_once(": &str = \""))
        .map(|(name, column)| (name.to_owned(), column.to_owned()))
        .collect();
    let named: BTreeSet<&str> = constants.values().map(String::as_str).collect();
    let sealed: BTreeSet<&str> = personal::COLUMNS
        .iter()
        .filter(|column| !column.purpose.starts_with("keyed index"))
        .map(|column| column.column)
        .collect();
    assert_eq!(named, sealed, "constants of personal.rs, and columns that are not an index");
    for (name, column) in &constants {
        assert_eq!(*name, column.replace('.', "_").to_uppercase(), "{name} is called after its column");
    }
    let mut faults = Vec::new();
    let mut folders = vec![repository("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("storage/tx.rs") {
                let words = tokens(&std::fs::read_to_string(&path).unwrap());
                for verb in ["seal", "open"] {
                    for line in lines_with(&words, &["tx", ".", verb, "("]) {
                        let at = words.iter().position(|word| word.line >= line && word.text == verb).unwrap();
                        let given: Vec<&str> = words[at + 2..].iter().take(3).map(|word| word.text.as_str()).collect();
                        let column = if given[1] == "::" { given[2] } else { given[0] };
                        if !constants.contains_key(column) {
                            faults.push(format!("{}:{line}: {verb} under {column}", path.display()));
                        }
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
