//! Who may do what, as a table, held in three places that must agree: the policy, the matrix that people read and sign
//! (`tests/access-matrix.csv`), and what is mounted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use vigie::access::{Access, Mounted, Need, Permission, Role, StepUp, row};
use vigie::app;

use super::{asked_to_update, repository};

fn mounted() -> Vec<Mounted> {
    app::contract().unwrap().table
}
/// `-`: not theirs; `own`: about themselves; `yes`: at the places of the grant.
fn cell(permission: Permission, role: Role) -> &'static str {
    match row(permission).need {
        Need::SignedIn => "own",
        Need::Roles(roles) if roles.contains(&role) => "yes",
        Need::Roles(_) => "-",
    }
}
const fn step_up(permission: Permission) -> &'static str {
    match row(permission).step_up {
        StepUp::Never => "-",
        StepUp::Always => "always",
        StepUp::WhenSensitive => "urgent",
    }
}

/// A change of the policy shows in the review as a changed line of this table.
#[test]
fn the_policy_is_the_one_that_was_reviewed() {
    let mut table = format!("{:<24}", "permission");
    for role in Role::ALL {
        write!(table, "{:<5}", role.as_str()).unwrap();
    }
    table.push_str("step-up  reads audited  seen by\n");
    for permission in Permission::ALL {
        write!(table, "{:<24}", permission.as_str()).unwrap();
        for role in Role::ALL {
            write!(table, "{:<5}", cell(*permission, *role)).unwrap();
        }
        let asked = row(*permission);
        let audited = if asked.audited { "yes" } else { "-" };
        writeln!(table, "{:<9}{audited:<15}{}", step_up(*permission), asked.sees.map_or("-", Permission::as_str))
            .unwrap();
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("policy", table);
    });
}

/// How far a role reaches: partnership, zone, municipality, province (R), nation.
const fn letter(role: Role) -> &'static str {
    match role {
        Role::Member | Role::Steering | Role::Deputy | Role::Coordinator => "P",
        Role::Officer | Role::ZoneAdministrator => "Z",
        Role::Municipality => "M",
        Role::Province => "R",
        Role::Expertise | Role::Federal => "N",
    }
}
fn header() -> Vec<String> {
    let roles = Role::ALL.iter().map(|role| role.as_str());
    ["permission", "method", "path", "ANO"]
        .into_iter()
        .chain(roles)
        .chain(["signed_in", "step_up", "audit"])
        .map(str::to_owned)
        .collect()
}
/// What the matrix should say of one route.
fn expected(route: &Mounted) -> Vec<String> {
    let method = route.method.to_string();
    // Decisions are recorded where there was one to take: not at what is open, nor at a signed link.
    let open = |name: String| {
        let mut line = vec![name, method.clone(), route.path.to_owned(), "Y".to_owned()];
        line.extend(Role::ALL.iter().map(|_| "Y".to_owned()));
        line.extend(["0", "0", "0"].map(str::to_owned));
        line
    };
    let permission = match route.access {
        Access::Public(name) => return open(format!("Public({name})")),
        Access::Linked(name) => return open(format!("Linked({name})")),
        Access::Requires(permission) => permission,
    };
    let asked = row(permission);
    let mut line = vec![permission.as_str().to_owned(), method.clone(), route.path.to_owned(), "-".to_owned()];
    line.extend(Role::ALL.iter().map(|role| {
        match cell(permission, *role) {
            "own" => "O",
            "yes" => letter(*role),
            _ => "-",
        }
        .to_owned()
    }));
    let step_up = match asked.step_up {
        StepUp::Never => "0",
        StepUp::Always => "1",
        StepUp::WhenSensitive => "urgent",
    };
    let audit = if asked.audited || method != "GET" { "1" } else { "0" };
    line.extend([if asked.need == Need::SignedIn { "1" } else { "0" }, step_up, audit].map(str::to_owned));
    line
}
fn key(line: &[String]) -> String {
    format!("{} {} {}", line[0], line[1], line[2])
}

#[test]
fn the_matrix_the_policy_and_the_mounted_routes_agree() {
    let file = repository("tests/access-matrix.csv");
    let mut wanted: Vec<Vec<String>> = mounted().iter().map(expected).collect();
    wanted.sort();
    if asked_to_update("UPDATE_MATRIX") {
        let mut writer = csv::Writer::from_path(&file).unwrap();
        writer.write_record(header()).unwrap();
        wanted.iter().for_each(|line| writer.write_record(line).unwrap());
        writer.flush().unwrap();
        return;
    }
    let mut reader = csv::Reader::from_path(&file).expect("tests/access-matrix.csv");
    assert_eq!(reader.headers().unwrap().iter().map(str::to_owned).collect::<Vec<_>>(), header());
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut faults = Vec::new();
    for record in reader.records() {
        let line: Vec<String> = record.unwrap().iter().map(str::to_owned).collect();
        let name = key(&line);
        if found.insert(name.clone(), line).is_some() {
            faults.push(format!("{name}: stands twice in the matrix"));
        }
    }
    for line in &wanted {
        match found.remove(&key(line)) {
            None => faults.push(format!("{}: mounted, and not in the matrix", key(line))),
            Some(said) => {
                for ((column, said), is) in header().iter().zip(&said).zip(line).filter(|((_, said), is)| said != is) {
                    faults.push(format!("{}: {column} is `{said}` in the matrix and `{is}` in the code", key(line)));
                }
            }
        }
    }
    faults.extend(found.keys().map(|name| format!("{name}: in the matrix, and not mounted")));
    assert!(
        faults.is_empty(),
        "{}\nIf the code is right: UPDATE_MATRIX=1 cargo test --test house, and have the difference reviewed",
        faults.join("\n")
    );
}

#[test]
fn every_permission_is_mounted_exactly_once() {
    let mut places: BTreeMap<Permission, Vec<String>> =
        Permission::ALL.iter().map(|permission| (*permission, Vec::new())).collect();
    for route in mounted() {
        if let Access::Requires(permission) = route.access {
            places.get_mut(&permission).unwrap().push(format!("{} {}", route.method, route.path));
        }
    }
    let nowhere: Vec<&str> =
        places.iter().filter(|(_, places)| places.is_empty()).map(|(permission, _)| permission.as_str()).collect();
    let twice: Vec<_> = places.iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(
        nowhere.is_empty() && twice.is_empty(),
        "mounted nowhere ({}): {}; mounted more than once: {twice:?}",
        nowhere.len(),
        nowhere.join(", ")
    );
}

#[test]
fn every_row_of_the_policy_makes_sense() {
    for permission in Permission::ALL {
        let (name, asked) = (permission.as_str(), row(*permission));
        match asked.need {
            Need::SignedIn => assert_eq!(asked.sees, None, "{name}: one always sees oneself"),
            Need::Roles(roles) => {
                let distinct: BTreeSet<_> = roles.iter().collect();
                assert!(!roles.is_empty(), "{name}: nobody holds it");
                assert_eq!(distinct.len(), roles.len(), "{name}: a role stands twice");
                let seen = row(asked.sees.unwrap_or_else(|| panic!("{name}: who may know that the target exists?")));
                assert!(matches!(seen.need, Need::Roles(_)), "{name}: everybody would see every target");
            }
        }
    }
}
