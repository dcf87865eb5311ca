//! The documents name what exists: every link leads somewhere, every path is that of a file.

use std::path::{Path, PathBuf};

use super::repository;

/// Every page of the repository.
fn pages() -> Vec<PathBuf> {
    ["", "docs", "docs/decisions", "migrations"]
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(repository(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}
/// The faults of one page that lies in a folder.
fn faults_of(page: &str, folder: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for link in page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
        if !link.is_empty() && !link.contains("://") && !folder.join(link).exists() {
            faults.push(format!("a link to {link}"));
        }
    }
    let is_path = |word: &str| {
        let begins = ["src/", "tests/", "docs/", "migrations/", "config/", "scripts/"];
        begins.iter().any(|begin| word.starts_with(begin)) && !word.contains(['<', '*', '…', ' '])
    };
    for word in page.split('`').skip(1).step_by(2).filter(|word| is_path(word)) {
        if !repository(word).exists() {
            faults.push(format!("the path {word}"));
        }
    }
    faults
}

#[test]
fn what_the_documents_point_at_exists() {
    let mut faults = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        faults.extend(faults_of(&text, page.parent().unwrap()).into_iter().map(|f| format!("{}: {f}", page.display())));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_link_and_a_path_that_lead_nowhere_are_seen() {
    let page = "[a](README.md) [b](gone.md#x) [c](https://x.example/y) `src/lib.rs` `src/gone.rs` `src/<slice>/x.rs`";
    assert_eq!(faults_of(page, &repository("")), ["a link to gone.md", "the path src/gone.rs"]);
}
