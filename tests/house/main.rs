//! The house itself: what holds for all of the code at once. Each test names the file, row, column or route at fault.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests say what they expect and stop where it is not so"
)]

mod architecture;
mod contract;
mod documents;
mod policy_table;
mod reach;
mod scan;
mod schema;

use std::path::{Path, PathBuf};

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
/// Is a committed file to be written anew? `UPDATE_MATRIX=1 cargo test --test house`, then look at the difference.
#[expect(clippy::disallowed_methods, reason = "whether a file is rewritten is decided outside")]
fn asked_to_update(switch: &str) -> bool {
    std::env::var(switch).is_ok_and(|value| value == "1")
}
/// Compares a committed file with what it should say, or writes it anew.
fn committed(path: &str, expected: &str, switch: &str) {
    let file = repository(path);
    if asked_to_update(switch) {
        std::fs::write(&file, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = found.lines().zip(expected.lines()).enumerate().find(|(_, (found, expected))| found != expected);
    let first = differs.map_or_else(
        || format!("they part after line {}", found.lines().count().min(expected.lines().count())),
        |(line, (found, expected))| format!("line {}: it says `{found}`, the code says `{expected}`", line + 1),
    );
    assert!(
        found == expected,
        "{path} is not what the code says; {first}. If the code is right: {switch}=1 cargo test --test house, and look \
         at the difference"
    );
}
