//! Every role at every door of messages, as the policy says it, and nothing changed behind a closed one.

use serde_json::{Value, json};
use vigie::access::{Need, Permission, Reach, Role, row};

use super::{approves, at, burglary, drafts, rows, sent, submitted};
use crate::support::{Desk, Neighbourhood, Town, on_both};

type Route = (Permission, &'static str, String);

/// Every door; the bodies are wrong on purpose, so that whoever may pass stops right behind it.
fn doors(hood: &Neighbourhood, message: &str) -> Vec<Route> {
    use Permission as P;
    let noun = |noun: &str| at(message, noun);
    let itself = format!("/api/v1/messages/{message}");
    vec![
        (P::ListMessages, "GET", hood.messages()),
        (P::DraftMessage, "POST", hood.messages()),
        (P::ReadMessage, "GET", itself.clone()),
        (P::DiscardMessage, "DELETE", itself),
        (P::EditMessage, "PUT", noun("texts")),
        (P::SubmitMessage, "POST", noun("submission")),
        (P::PreviewMessage, "GET", noun("preview")),
        (P::ApproveMessage, "POST", noun("approval")),
        (P::ReturnMessage, "POST", noun("return")),
        (P::RejectMessage, "POST", noun("rejection")),
        (P::ReleaseMessage, "POST", noun("release")),
        (P::StopMessage, "POST", noun("stop")),
        (P::FollowUpMessage, "POST", noun("follow-ups")),
        (P::ReviewMessage, "POST", noun("after-review")),
        (P::ReadProgress, "GET", noun("progress")),
        (P::ListRecipients, "GET", noun("recipients")),
        (P::RequeueDeadLetters, "POST", noun("dead-letters/requeue")),
        (P::ListDeadLetters, "GET", "/api/v1/dead-letters".to_owned()),
        (P::ListAlarms, "GET", "/api/v1/alarms".to_owned()),
        (P::ReadInbox, "GET", "/api/v1/inbox".to_owned()),
    ]
}
/// Lists of what one may see, wherever that is.
fn is_list(path: &str) -> bool {
    ["/api/v1/inbox", "/api/v1/dead-letters", "/api/v1/alarms"].contains(&path)
}
fn reach_of(role: Role, hood: &Neighbourhood) -> Reach {
    match role {
        Role::Member | Role::Steering | Role::Deputy | Role::Coordinator => Reach::Partnership(hood.partnership),
        Role::Officer | Role::ZoneAdministrator => Reach::Zone(hood.zone),
        Role::Municipality => Reach::Municipality("25110".to_owned()),
        Role::Province | Role::Expertise | Role::Federal => Reach::Nation,
    }
}
/// The same kind of role, over a place that is not this one.
fn reach_elsewhere(role: Role, hood: &Neighbourhood) -> Option<Reach> {
    match role {
        Role::Member | Role::Steering | Role::Deputy | Role::Coordinator => Some(Reach::Partnership(hood.second)),
        Role::Officer | Role::ZoneAdministrator => Some(Reach::Zone(hood.elsewhere)),
        Role::Municipality => Some(Reach::Municipality("55040".to_owned())),
        Role::Province | Role::Expertise | Role::Federal => None,
    }
}
fn holds(role: Role, permission: Permission) -> bool {
    match row(permission).need {
        Need::SignedIn => true,
        Need::Roles(roles) => roles.contains(&role),
    }
}
async fn knocks(town: &Town, desk: &Desk, (_, method, path): &Route) -> crate::support::Reply {
    let wrong = json!({ "wrong": true });
    let body: Option<&Value> = if matches!(*method, "POST" | "PUT") { Some(&wrong) } else { None };
    let headers: &[(&str, &str)] = if *method == "PUT" { &[("if-match", "\"v1\"")] } else { &[] };
    town.send(method, path, Some(&desk.token(town)), body, headers).await
}

/// Duties L1, P2 as far as messages go; accept M2. The rows of the policy decide, each role at each door.
#[tokio::test(flavor = "multi_thread")]
async fn every_role_finds_the_doors_open_that_the_policy_opens() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let doors = doors(&hood, &message);
        for role in Role::ALL {
            let desk =
                town.desk(&format!("role-{}", role.as_str().to_lowercase()), *role, reach_of(*role, &hood)).await;
            for door in &doors {
                let asked = row(door.0);
                let before = rows(town).await;
                let reply = knocks(town, &desk, door).await;
                let who = format!("{} {} {}: {}", role.as_str(), door.1, door.2, reply.text);
                if holds(*role, door.0) {
                    // 401 is the fresh proof of identity, 422 the wrong body, 428 the missing version.
                    let passed = matches!(reply.status, 200 | 422 | 428)
                        || (reply.status == 401 && reply.text.contains("step-up"));
                    assert!(passed, "{who}");
                } else {
                    let sees = is_list(&door.2) || asked.sees.is_some_and(|sees| holds(*role, sees));
                    assert_eq!(reply.status, if sees { 403 } else { 404 }, "{who}");
                }
                assert_eq!(rows(town).await, before, "{who}");
            }
        }
    })
    .await;
}
/// The same roles over another place: for them there is nothing here, and nothing tells them otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn out_of_reach_is_as_if_it_did_not_exist() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = sent(town, &hood, burglary()).await;
        let nowhere = vigie::values::Id::<vigie::values::of::Message>::new().to_string();
        let without_instance = |reply: &crate::support::Reply| {
            let mut json = reply.json.clone();
            json.as_object_mut().unwrap().remove("instance").unwrap();
            json
        };
        for role in Role::ALL {
            let Some(reach) = reach_elsewhere(*role, &hood) else { continue };
            let desk = town.desk(&format!("far-{}", role.as_str().to_lowercase()), *role, reach).await;
            let before = rows(town).await;
            for (real, absent) in doors(&hood, &message).iter().zip(doors(&hood, &nowhere)) {
                if is_list(&real.2) {
                    continue;
                }
                let found = knocks(town, &desk, real).await.problem(404, "not-found");
                if real.2 != hood.messages() {
                    let missing = knocks(town, &desk, &absent).await.problem(404, "not-found");
                    assert_eq!(without_instance(&found), without_instance(&missing), "{} {}", role.as_str(), real.2);
                }
            }
            assert_eq!(rows(town).await, before);
        }
        // A right body makes no difference.
        let seen = super::preview(town, &hood.officer, &message).await;
        let path = at(&message, "approval");
        hood.officer_elsewhere.steps_up(town).await;
        hood.officer_elsewhere.posts(town, &path, super::approval(&seen)).await.problem(404, "not-found");
        drafts(town, &hood, &hood.officer_elsewhere, burglary()).await.problem(404, "not-found");
        drafts(town, &hood, &hood.coordinator_of_second, burglary()).await.problem(404, "not-found");
        approves(town, &hood.second_officer, &message).await.refused(409, "completed");
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_every_door_is_shut() {
    on_both(async |town| {
        let hood = town.neighbourhood(1).await;
        let message = submitted(town, &hood, &hood.coordinator, burglary()).await;
        let before = rows(town).await;
        for (_, method, path) in doors(&hood, &message) {
            for token in [None, Some("eyJhbGciOiJub25lIn0.e30.")] {
                let reply = town.send(method, &path, token, None, &[]).await.problem(401, "not-signed-in");
                assert!(reply.headers.contains_key("www-authenticate"), "{method} {path}");
            }
        }
        assert_eq!(rows(town).await, before);
    })
    .await;
}
/// Each permission of messages has a door, and each door is tried here: none is forgotten when one is added.
#[tokio::test(flavor = "multi_thread")]
async fn no_door_is_forgotten() {
    on_both(async |town| {
        let hood = town.neighbourhood(0).await;
        let tried = doors(&hood, "x");
        for permission in Permission::ALL {
            let of_messages = permission.as_str().contains("Message")
                || matches!(
                    permission,
                    Permission::ReadProgress
                        | Permission::ListRecipients
                        | Permission::ReadInbox
                        | Permission::RequeueDeadLetters
                        | Permission::ListDeadLetters
                        | Permission::ListAlarms
                );
            assert_eq!(
                tried.iter().filter(|door| door.0 == *permission).count(),
                usize::from(of_messages),
                "{permission:?}"
            );
        }
    })
    .await;
}
