//! The contract says what is mounted, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vigie::access::Access;
use vigie::app;
use vigie::http::ProblemType;

use super::{committed, repository};

/// An operation of the contract: method, path and what is said of it.
fn operations() -> Vec<(String, String, Value)> {
    let contract = serde_json::to_value(app::contract().unwrap().openapi().unwrap()).unwrap();
    let mut found = Vec::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if ["get", "post", "put", "patch", "delete", "head", "options", "trace"].contains(&method.as_str()) {
                found.push((method.to_uppercase(), path.clone(), operation.clone()));
            }
        }
    }
    assert!(!found.is_empty(), "the contract is empty");
    found
}

#[test]
fn the_committed_contract_is_that_of_the_code() {
    let yaml = app::contract().unwrap().openapi().unwrap().to_yaml().unwrap();
    committed("openapi.yaml", &yaml, "UPDATE_OPENAPI");
}

/// Else the comparison above would mean nothing, and every build would look like a change.
#[test]
fn the_contract_is_written_the_same_way_every_time() {
    let yaml = || app::contract().unwrap().openapi().unwrap().to_yaml().unwrap();
    assert_eq!(yaml(), yaml());
}

#[test]
fn every_mounted_route_is_described_with_its_permission_and_nothing_else_is() {
    let mounted: BTreeSet<(String, String, String, String)> = app::contract()
        .unwrap()
        .table
        .iter()
        .map(|route| {
            let permission = match route.access {
                Access::Public(_) => "Public",
                Access::Linked(_) => "Linked",
                Access::Requires(permission) => permission.as_str(),
            };
            let name = route.access.operation().to_owned();
            (route.method.to_string(), route.path.to_owned(), permission.to_owned(), name)
        })
        .collect();
    let described: BTreeSet<(String, String, String, String)> = operations()
        .into_iter()
        .map(|(method, path, operation)| {
            let text = |key: &str| operation[key].as_str().unwrap_or("nothing").to_owned();
            (method, path, text("x-permission"), text("operationId"))
        })
        .collect();
    let missing: Vec<_> = mounted.difference(&described).collect();
    let surplus: Vec<_> = described.difference(&mounted).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "mounted, not described: {missing:?}; the reverse: {surplus:?}");
}

#[test]
fn no_two_operations_share_a_name() {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (method, path, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap_or("nothing").to_owned();
        names.entry(name).or_default().push(format!("{method} {path}"));
    }
    names.retain(|_, places| places.len() > 1);
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn every_operation_says_what_it_is_for_and_who_may_call_it() {
    for (method, path, operation) in operations() {
        assert!(operation["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{method} {path}: no sentence");
        let open = ["Public", "Linked"].contains(&operation["x-permission"].as_str().unwrap());
        assert_eq!(operation["security"].is_null(), open, "{method} {path}: bearer token or not?");
    }
}

#[test]
fn every_post_under_a_permission_is_idempotent() {
    for (method, path, operation) in operations() {
        let under_permission = !["Public", "Linked"].contains(&operation["x-permission"].as_str().unwrap());
        let named = operation["parameters"].as_array().is_some_and(|parameters| {
            parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key" && parameter["required"] == true)
        });
        assert_eq!(named, under_permission && method == "POST", "{method} {path}: Idempotency-Key");
    }
}

#[test]
fn every_parameter_of_a_path_is_described() {
    for (method, path, operation) in operations() {
        let in_path: BTreeSet<&str> = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        let described: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(in_path, described, "{method} {path}");
    }
}

#[test]
fn every_refusal_is_a_problem_document() {
    for (method, path, operation) in operations() {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            if !status.starts_with('4') && !status.starts_with('5') {
                continue;
            }
            let media: Vec<&String> = answer["content"].as_object().map(|c| c.keys().collect()).unwrap_or_default();
            assert_eq!(media, ["application/problem+json"], "{method} {path} answers {status}");
            assert_eq!(
                answer["content"]["application/problem+json"]["schema"]["$ref"], "#/components/schemas/Problem",
                "{method} {path} answers {status}"
            );
        }
    }
}

/// Every schema that is mentioned is there, so that a client can be generated.
#[test]
fn no_reference_leads_nowhere() {
    fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| match value.as_str().filter(|_| key == "$ref") {
                Some(reference) => drop(found.insert(reference)),
                None => references(value, found),
            }),
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let contract = serde_json::to_value(app::contract().unwrap().openapi().unwrap()).unwrap();
    let mut found = BTreeSet::new();
    references(&contract, &mut found);
    let lost: Vec<_> =
        found.into_iter().filter(|reference| contract.pointer(reference.trim_start_matches('#')).is_none()).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// `docs/problems.md` has a heading for each type, "## `slug` (status)", and none for anything else.
#[test]
fn every_problem_is_explained() {
    let page = std::fs::read_to_string(repository("docs/problems.md")).unwrap();
    let explained: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let headings: Vec<String> =
        ProblemType::ALL.iter().map(|kind| format!("`{}` ({})", kind.slug(), kind.status())).collect();
    let known: BTreeSet<&str> = headings.iter().map(String::as_str).collect();
    let missing: Vec<_> = known.difference(&explained).collect();
    let surplus: Vec<_> = explained.difference(&known).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "not explained: {missing:?}; explained, unknown: {surplus:?}");
}
