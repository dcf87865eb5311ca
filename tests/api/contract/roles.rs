//! Every route for every role, over the right place and over another, driven from the table of mounted routes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vigie::access::{Access, Actor, Decision, Grant, Mounted, Need, Permission, Place, Role, decide, row};
use vigie::app;
use vigie::values::{Id, Timestamp, of};

use super::schema::{Book, Operation};
use super::stage::{Holder, Stage, Where, access_token, rows, without_instance};
use crate::support::{Reply, Town, on_both};

/// What the policy says of this one role at the place of the target, before a fresh proof of identity.
fn ruling(holder: &Holder, permission: Permission, place: &Place, sensitive: bool) -> Decision {
    let from_at = Timestamp::from_micros(0);
    let (id, account, role, reach) = (Id::new(), holder.account, holder.role, holder.reach.clone());
    let grant = Grant { id, account, role, reach, flags: Vec::new(), from_at, until_at: None, version: 1 };
    let actor = Actor { account, session: holder.session, stepped_up_at: None, grants: vec![grant] };
    if Stage::is_list(permission) {
        // A list stands wherever one may see something; nobody is told that others see more.
        let Need::Roles(roles) = row(permission).need else { panic!("a list of one's own") };
        return if roles.contains(&role) { Decision::Allowed(None) } else { Decision::Forbidden };
    }
    let decision = decide(&actor, permission, place, sensitive, false);
    // Read once more without the code that decides: the row names the role, and the reach covers the place.
    let may = match row(permission).need {
        Need::SignedIn => true,
        Need::Roles(roles) => roles.contains(&role) && holder.reach.covers(place),
    };
    assert_eq!(may, matches!(decision, Decision::Allowed(_) | Decision::StepUpNeeded), "{permission:?} {role:?}");
    decision
}

struct Round<'t> {
    town: &'t Town,
    stage: Stage,
    book: Book,
    cases: usize,
    faults: Vec<String>,
}
impl Round<'_> {
    fn say(&mut self, route: &Mounted, who: &str, said: &str) {
        self.faults.push(format!("{} {} as {who}: {said}", route.method, route.path));
    }
    /// The request as somebody who may would send it.
    async fn asks(&self, route: &Mounted, path: &str, body: Option<&(String, Value)>, token: Option<&str>) -> Reply {
        let body = body.map(|(_, schema)| self.book.sample(schema, ""));
        let version = [("if-match", "\"v1\"")];
        self.town.send(route.method.as_str(), path, token, body.as_ref(), &version).await
    }
    /// A request that nobody's work begins with: no key, no version, and a body that says nothing. Past the gate it is
    /// refused as what it is.
    async fn knocks(&self, route: &Mounted, path: &str, token: &str) -> Reply {
        let headers = [("content-type", "application/json")];
        let body = if route.method == "GET" { Vec::new() } else { json!({"zzz": 1}).to_string().into_bytes() };
        Reply::of(self.town.raw(route.method.as_str(), path, Some(token), &headers, body).await).await
    }
    async fn may_not(&mut self, route: &Mounted, holder: &Holder, body: Option<&(String, Value)>, hidden: bool) {
        let who = format!("{:?} over {:?}", holder.role, holder.reach);
        let path = self.stage.path(self.town, route.path, holder.session);
        let token = access_token(self.town, holder.account, holder.fresh);
        let reply = self.asks(route, &path, body, Some(&token)).await;
        let (status, kind) = if hidden { (404, "/problems/not-found") } else { (403, "/problems/forbidden") };
        if reply.status != status || reply.json["type"] != kind {
            self.say(route, &who, &format!("{} instead of {status}: {}", reply.status, reply.text));
        }
        if !hidden {
            return;
        }
        self.is_as_if_absent(route, holder, body, &reply).await;
    }
    /// Facts that the police have not let out do not exist for anybody else (security A7).
    async fn may_not_know(&mut self, route: &Mounted, holder: &Holder, body: Option<&(String, Value)>) {
        let path = route.path.replace("{message}", &self.stage.of_the_police);
        let token = access_token(self.town, holder.account, holder.fresh);
        let reply = self.asks(route, &path, body, Some(&token)).await;
        self.is_as_if_absent(route, holder, body, &reply).await;
    }
    async fn is_as_if_absent(
        &mut self,
        route: &Mounted,
        holder: &Holder,
        body: Option<&(String, Value)>,
        reply: &Reply,
    ) {
        let who = format!("{:?} over {:?}", holder.role, holder.reach);
        let token = access_token(self.town, holder.account, holder.fresh);
        let names = Stage::parameters(route.path);
        let random = Id::<of::Message>::new().to_string();
        let twin = names.iter().fold(route.path.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), &random));
        let absent = self.asks(route, &twin, body, Some(&token)).await;
        if absent.status != 404
            || (absent.status, without_instance(&absent.json)) != (reply.status, without_instance(&reply.json))
        {
            self.say(route, &who, &format!("out of sight is not as if absent: {} {}", reply.text, absent.text));
        }
    }
    async fn may(&mut self, route: &Mounted, holder: &Holder, step_up: bool) {
        let who = format!("{:?} over {:?}", holder.role, holder.reach);
        if step_up {
            let path = self.stage.path(self.town, route.path, holder.session);
            let reply = self.knocks(route, &path, &access_token(self.town, holder.account, holder.session)).await;
            let asked = reply.headers.get("www-authenticate").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let is_asked = asked.contains("insufficient_user_authentication");
            if reply.status != 401 || reply.json["type"] != "/problems/step-up-needed" || !is_asked {
                self.say(route, &who, &format!("{} {asked} without a fresh proof: {}", reply.status, reply.text));
            }
        }
        // Signing out is done and not refused: each time in a session of its own.
        let account = holder.account;
        let session = self
            .town
            .db(move |tx| {
                let session = vigie::access::open_session(tx, account)?.session;
                vigie::access::step_up(tx, session)?;
                Ok(session)
            })
            .await;
        let path = self.stage.path(self.town, route.path, session);
        let reply = self.knocks(route, &path, &access_token(self.town, holder.account, session)).await;
        if matches!(reply.status, 401 | 403 | 404) {
            self.say(route, &who, &format!("{} although the policy says yes: {}", reply.status, reply.text));
        }
    }
}

/// Rows of the access matrix, both ways (ASVS 8.2, 8.3): who may is let in, who may not is told nothing.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_exactly_whom_the_policy_names() {
    on_both(async |town| {
        let stage = Stage::set(town).await;
        let mut holders: BTreeMap<(Role, Where), Holder> = BTreeMap::new();
        for role in Role::ALL {
            for place in [Where::Here, Where::Elsewhere] {
                if let Some(holder) = stage.holder(town, *role, place).await {
                    holders.insert((*role, place), holder);
                }
            }
        }
        let mut round = Round { town, stage, book: Book::open(), cases: 0, faults: Vec::new() };
        let operations: BTreeMap<String, Operation> =
            round.book.operations().into_iter().map(|operation| (operation.name.clone(), operation)).collect();
        let (mut routes, mut let_in) = (0, 0);
        for route in app::contract().unwrap().table {
            let Access::Requires(permission) = route.access else { continue };
            routes += 1;
            let body = operations[permission.as_str()].body.clone().filter(|(media, _)| media == "application/json");
            let place = round.stage.place_of(route.path);
            // The message on the stage is an urgent one.
            let sensitive = route.path.contains("{message}");
            let before = rows(town).await;
            let someone = &holders[&(Role::Coordinator, Where::Here)];
            let path = round.stage.path(town, route.path, someone.session);
            for token in [None, Some("eyJ0.e30.x"), Some("")] {
                round.cases += 1;
                let reply = round.asks(&route, &path, body.as_ref(), token).await;
                if reply.status != 401 || reply.json["type"] != "/problems/not-signed-in" {
                    round.say(&route, "nobody", &format!("{}: {}", reply.status, reply.text));
                }
            }
            for holder in holders.values() {
                round.cases += 1;
                match ruling(holder, permission, &place, sensitive) {
                    Decision::Hidden => round.may_not(&route, holder, body.as_ref(), true).await,
                    Decision::Forbidden => round.may_not(&route, holder, body.as_ref(), false).await,
                    Decision::Allowed(_) => {
                        let_in += 1;
                        round.may(&route, holder, false).await;
                    }
                    Decision::StepUpNeeded => {
                        let_in += 1;
                        round.may(&route, holder, true).await;
                    }
                }
            }
            let after = rows(town).await;
            if before != after {
                round.say(&route, "all", &format!("rows changed: {before:?} became {after:?}"));
            }
            if sensitive {
                for holder in holders.values().filter(|holder| holder.role != Role::Officer) {
                    round.cases += 1;
                    round.may_not_know(&route, holder, body.as_ref()).await;
                }
            }
            // Whoever signed out everywhere signs in again.
            if permission == Permission::EndSessions {
                for holder in holders.values_mut() {
                    let account = holder.account;
                    (holder.session, holder.fresh) = town
                        .db(move |tx| {
                            let session = vigie::access::open_session(tx, account)?.session;
                            let fresh = vigie::access::open_session(tx, account)?.session;
                            vigie::access::step_up(tx, fresh)?;
                            Ok((session, fresh))
                        })
                        .await;
                }
            }
        }
        eprintln!("roles: {routes} routes, {} cases, {let_in} let in", round.cases);
        assert!(round.faults.is_empty(), "{} faults:\n{}", round.faults.len(), round.faults.join("\n"));
        assert!(routes >= 50 && round.cases >= 1_000 && let_in >= 250, "{routes} {} {let_in}", round.cases);
    })
    .await;
}
