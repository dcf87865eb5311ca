//! The floors and the grammar of a slice, read from the source.

use std::path::{Path, PathBuf};

use super::repository;
use super::scan::{Token, lines_with, tokens};

/// From the top to the bottom; what stands in one line stands on one floor and may use each other.
const FLOORS: &[&[&str]] = &[
    &["app", "demo", "worker"],
    &["messages"],
    &["members"],
    &["partnerships"],
    &["territory"],
    &["accounts"],
    &["people"],
    &["delivery"],
    &["access"],
    &["http"],
    &["doctor"],
    &["storage"],
    &["texts"],
    &["config"],
    &["values"],
];
/// Macros are exported at the root of the crate; they belong to a floor all the same.
const MACROS: &[(&str, &str)] = &[
    ("words", "values"),
    ("dies_at", "values"),
    ("falls_over", "values"),
    ("on_either", "storage"),
    ("actions", "access"),
    ("opens", "access"),
];
/// Decide, and do nothing else.
const PURE: &[&str] = &[
    "rules.rs",
    "lifecycle.rs",
    "audience.rs",
    "recipient.rs",
    "quiet_hours.rs",
    "render.rs",
    "policy.rs",
    "retry.rs",
    "trouble.rs",
];
/// What a pure file does not know.
const EFFECTS: &[&[&str]] = &[
    &["diesel"],
    &["actix_web"],
    &["tokio"],
    &["reqwest"],
    &["lettre"],
    &["crate", "::", "storage"],
    &["crate", "::", "http"],
    &["super", "::", "store"],
    &["super", "::", "queue"],
    &["std", "::", "fs"],
    &["std", "::", "env"],
    &["Utc", "::", "now"],
    &["Local", "::", "now"],
    &["SystemTime", "::", "now"],
    &["Instant", "::", "now"],
];
/// The files beside `store.rs` that speak to the database; all of `storage` does.
const SPEAKS_SQL: &[&str] = &[
    "access/answers.rs",
    "access/decisions.rs",
    "access/grant.rs",
    "access/sessions.rs",
    "access/throttle.rs",
    "delivery/alarms.rs",
    "delivery/batch.rs",
    "delivery/content.rs",
    "delivery/dead_letters.rs",
    "delivery/depths.rs",
    "delivery/claim.rs",
    "delivery/letterhead.rs",
    "delivery/proof.rs",
    "delivery/faults.rs",
    "delivery/queue.rs",
    "delivery/settle.rs",
    "delivery/stop.rs",
    "delivery/receipts.rs",
    "delivery/reserve.rs",
    "members/recipients.rs",
    "members/stops.rs",
    "messages/approvals.rs",
    "messages/dead_letters.rs",
    "messages/dispatched.rs",
    "messages/inbox.rs",
    "messages/versions.rs",
    "partnerships/mandates.rs",
    // The macro `words!` writes the column type of every enum of fixed words.
    "values/mod.rs",
];
const UNFINISHED: &[&str] = &["todo", "unimplemented", "dbg"];
const PRINTS: &[&str] = &["print", "println", "eprint", "eprintln"];
/// Files that are not Rust, beside the reference data (`.csv`) of a slice: texts, and the first page of the contract.
const OTHER_FILES: &[&str] = &["access/contract.md", "texts/locales/", "texts/templates/"];

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Every fault in a tree of sources, as `file:line: what`.
fn faults_in(src: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for path in files_below(src) {
        let name = path.strip_prefix(src).unwrap().to_str().unwrap().to_owned();
        let is_rust = Path::new(&name).extension().is_some_and(|extension| extension == "rs");
        if !is_rust {
            let is_reference_data = name.contains('/') && path.extension().is_some_and(|extension| extension == "csv");
            if !is_reference_data && !OTHER_FILES.iter().any(|known| name.starts_with(known)) {
                faults.push(format!("{name}: a file that the house does not know"));
            }
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let words = tokens(&source);
        let mut fault = |line: usize, what: String| faults.push(format!("{name}:{line}: {what}"));
        if !source.starts_with("//!") {
            fault(1, "does not say what it is: open it with `//!`".to_owned());
        }
        for line in lines_with(&words, &["use", "crate", "::", "{"]) {
            fault(line, "`use crate::{..}`: write one line for each module".to_owned());
        }
        for word in UNFINISHED {
            for line in lines_with(&words, &[word, "!"]) {
                fault(line, format!("`{word}!`"));
            }
        }
        if name == "main.rs" || name == "lib.rs" {
            continue;
        }
        let module = name.split(['/', '.']).next().unwrap();
        let Some(floor) = floor_of(module) else {
            fault(1, format!("{module} has no floor: give it one here, in src/lib.rs and in ARCHITECTURE.md"));
            continue;
        };
        if module != "demo" {
            for word in PRINTS {
                for line in lines_with(&words, &[word, "!"]) {
                    fault(line, format!("`{word}!`: answer, or log"));
                }
            }
        }
        for (line, used) in uses(&words) {
            match floor_of(&used) {
                None => fault(line, format!("uses crate::{used}, which has no floor")),
                Some(other) if other < floor => fault(line, format!("{module} uses {used}, which stands above it")),
                Some(other) if other == floor && used != module && floor != 0 => {
                    fault(line, format!("{module} uses {used}, which stands beside it"));
                }
                Some(_) => {}
            }
        }
        for line in escapes(&name, &words) {
            fault(line, "`super` leaves the module: say `crate::..`, so that the floor can be seen".to_owned());
        }
        let file = path.file_name().unwrap().to_str().unwrap();
        if PURE.contains(&file) {
            for effect in EFFECTS {
                for line in lines_with(&words, effect) {
                    fault(line, format!("a pure file names `{}`", effect.concat()));
                }
            }
        }
        if file != "store.rs" && module != "storage" && !SPEAKS_SQL.contains(&name.as_str()) {
            for sql in [&["diesel"] as &[&str], &["storage", "::", "schema"]] {
                for line in lines_with(&words, sql) {
                    fault(line, format!("names `{}`: queries belong in store.rs", sql.concat()));
                }
            }
        }
    }
    faults
}
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
/// The modules that a file names by `crate::`, with the line.
fn uses(words: &[Token]) -> Vec<(usize, String)> {
    words
        .windows(3)
        .filter(|window| window[0].text == "crate" && window[1].text == "::" && window[2].text != "{")
        .map(|window| {
            let used = window[2].text.as_str();
            let owner = MACROS.iter().find(|(name, _)| *name == used).map_or(used, |(_, owner)| owner);
            (window[2].line, owner.to_owned())
        })
        .collect()
}
/// Where a chain of `super` comes out at the root of the crate, past every floor.
fn escapes(name: &str, words: &[Token]) -> Vec<usize> {
    let parts = name.split('/').count();
    let depth = if name.ends_with("/mod.rs") { parts - 1 } else { parts };
    let (mut found, mut blocks, mut inline, mut i) = (Vec::new(), Vec::new(), 0, 0);
    while i < words.len() {
        match words[i].text.as_str() {
            "{" => {
                let is_module = i >= 2 && words[i - 2].text == "mod";
                inline += usize::from(is_module);
                blocks.push(is_module);
            }
            "}" => inline -= usize::from(blocks.pop().unwrap_or(false)),
            "super" => {
                let mut supers = 1;
                while words.get(i + 2).is_some_and(|word| word.text == "super") && words[i + 1].text == "::" {
                    supers += 1;
                    i += 2;
                }
                let leaves = words.get(i + 1).is_some_and(|word| word.text == "::");
                if leaves && supers >= depth + inline {
                    found.push(words[i].line);
                }
            }
            _ => {}
        }
        i += 1;
    }
    found
}

#[test]
fn every_module_uses_only_those_below_it_and_keeps_to_the_grammar() {
    let faults = faults_in(&repository("src"));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
#[test]
fn the_floors_are_those_of_the_crate() {
    let library = tokens(&std::fs::read_to_string(repository("src/lib.rs")).unwrap());
    let mut mounted: Vec<&str> =
        library.windows(2).filter(|window| window[0].text == "mod").map(|window| window[1].text.as_str()).collect();
    let mut known: Vec<&str> = FLOORS.concat();
    mounted.sort_unstable();
    known.sort_unstable();
    assert_eq!(mounted, known);
}
/// An exception that nobody needs any more is taken back.
#[test]
fn what_is_excepted_needs_its_exception() {
    for file in SPEAKS_SQL {
        let source = std::fs::read_to_string(repository("src").join(file)).unwrap_or_else(|_| panic!("src/{file}"));
        let speaks = !lines_with(&tokens(&source), &["diesel"]).is_empty();
        assert!(speaks, "src/{file} no longer speaks to the database: take it off the list");
    }
    for file in OTHER_FILES {
        assert!(repository("src").join(file).exists(), "src/{file} is excepted and does not exist");
    }
}

/// One wrong file for each rule, planted in a tree that is right otherwise.
#[test]
fn every_planted_fault_is_seen() {
    let right = [
        ("lib.rs", "//! Root.\npub mod people;\n"),
        ("people/mod.rs", "//! People.\nmod store;\n"),
        ("people/store.rs", "//! Queries.\nuse diesel::prelude::*;\nuse crate::storage::schema::persons;\n"),
        ("demo.rs", "//! Shows.\nfn f() { println!(\"dbg!\"); crate::app::run(); }\n"),
    ];
    let planted = [
        ("meetings/mod.rs", "//! M.\n", "has no floor"),
        ("notes.txt", "hello", "does not know"),
        ("people/find.rs", "use std::fmt;\n", "does not say what it is"),
        ("people/find.rs", "//! F.\nuse crate::{values, storage};\n", "one line for each module"),
        ("people/find.rs", "//! F.\nuse crate::members::Member;\n", "people uses members, which stands above it"),
        ("people/find.rs", "//! F.\nfn f() { crate::messages::close(); }\n", "people uses messages"),
        ("people/find.rs", "//! F.\nuse crate::nowhere::X;\n", "crate::nowhere, which has no floor"),
        ("people/find.rs", "//! F.\nuse super::super::messages::X;\n", "`super` leaves the module"),
        ("people/mod.rs", "//! F.\nuse super::messages::X;\n", "`super` leaves the module"),
        ("people/find.rs", "//! F.\nuse diesel::prelude::*;\n", "names `diesel`"),
        ("people/find.rs", "//! F.\nuse crate::storage::schema::persons;\n", "names `storage::schema`"),
        ("people/find.rs", "//! F.\nfn f() { todo!() }\n", "`todo!`"),
        ("people/find.rs", "//! F.\nfn f() { println!(\"x\") }\n", "`println!`"),
        ("demo.rs", "//! F.\nfn f() { dbg!(1) }\n", "`dbg!`"),
        ("people/rules.rs", "//! F.\nuse crate::storage::Tx;\n", "a pure file names `crate::storage`"),
        ("people/rules.rs", "//! F.\nuse crate::http::Problem;\n", "a pure file names `crate::http`"),
        ("people/lifecycle.rs", "//! F.\nuse super::store::find;\n", "a pure file names `super::store`"),
        ("people/rules.rs", "//! F.\nfn f() { chrono::Utc::now(); }\n", "a pure file names `Utc::now`"),
    ];
    let tree = |extra: Option<(&str, &str)>| {
        let folder = tempfile::tempdir().unwrap();
        for (name, source) in right.into_iter().chain(extra) {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, source).unwrap();
        }
        faults_in(folder.path())
    };
    assert_eq!(tree(None), Vec::<String>::new());
    for (name, source, expected) in planted {
        let faults = tree(Some((name, source)));
        assert!(
            faults.iter().any(|fault| fault.starts_with(name) && fault.contains(expected)),
            "{name} with {source:?} should be told that it {expected:?}, and was told {faults:?}"
        );
    }
    // Unit tests may reach their file, and no further.
    let inner = "//! F.\nmod tests { use super::f; use super::super::store; }\n";
    assert_eq!(tree(Some(("people/find.rs", inner))), Vec::<String>::new());
}
