//! What the logs never hold (ASVS 14.2, 16.2.5): a whole journey with names, addresses, numbers, passwords, codes and
//! tokens of its own, every kind of failure among them, and none of it in a line.

use std::time::Duration;

use serde_json::{Value, json};
use vigie::access::Role;
use vigie::accounts::{Invitation, invite};
use vigie::values::{EmailAddress, Language, PersonName};

use super::stage::{Stage, Where, access_token};
use crate::support::post_office::{AfterMail, SmsManners};
use crate::support::{Neighbourhood, Town, logs, on_both};

const GIVEN: &str = "Zebulonetta";
const FAMILY: &str = "Quackenbos";
const EMAIL: &str = "zebulonetta.q@kanarie-post.example";
const MOBILE: &str = "+32470998877";
const STREET: &str = "Kanariestraatje";
const DESK: &str = "wachtmeester.x@kanarie-bureau.example";
const OLD_PASSWORD: &str = "zeventien kanaries op een draad";
const NEW_PASSWORD: &str = "achttien kanaries in een boom";
const WRONG_PASSWORD: &str = "negentien kanaries onder water";
const WORDS: &str = "Kanariewoorden van een bericht";
const WISH: &str = "Kanariereden";

/// What must not be found, beside the constants: what the town made up on the way.
#[derive(Default)]
struct Secrets(Vec<String>);
impl Secrets {
    fn keep(&mut self, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(secret.len() >= 6, "too short to look for: {secret}");
        self.0.push(secret);
    }
    /// The links of every letter so far, the codes beside them, and what a mail program would click on.
    fn keep_letters(&mut self, town: &Town) {
        let mails = town.post_office.mails().into_iter().map(|mail| {
            let parsed =
                mail_parser::MessageParser::default().parse(&mail.bytes).unwrap().body_text(0).unwrap().into_owned();
            format!("{parsed} {}", mail.header("List-Unsubscribe").unwrap_or_default())
        });
        let texts: Vec<String> = mails.chain(town.post_office.sms().into_iter().map(|sms| sms.text)).collect();
        for text in texts {
            for link in text.match_indices("/p/").filter_map(|(at, _)| text[at..].split('/').nth(3)) {
                let token: String =
                    link.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
                self.keep(token);
            }
        }
    }
    fn found_in(&self, line: &str) -> Vec<String> {
        const ALWAYS: [&str; 11] =
            [GIVEN, FAMILY, EMAIL, MOBILE, STREET, DESK, OLD_PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, WORDS, WISH];
        let lower = line.to_lowercase();
        let spellings = |secret: &str| {
            let secret = secret.to_lowercase();
            let encoded = secret.replace('@', "%40").replace('+', "%2b").replace(' ', "+");
            let bare = secret.trim_start_matches('+').to_owned();
            [secret, encoded, bare]
        };
        let all = ALWAYS.iter().map(|secret| (*secret).to_owned()).chain(self.0.iter().cloned());
        all.filter(|secret| spellings(secret).iter().any(|spelling| lower.contains(spelling))).collect()
    }
}

fn letter(town: &Town, to: &str, link: &str) -> String {
    // Several letters may be under way to one person at once, in any order: the one with the link is meant.
    let mut texts = town.post_office.mails().into_iter().filter(|mail| mail.to() == to).map(|mail| {
        mail_parser::MessageParser::default().parse(&mail.bytes).unwrap().body_text(0).unwrap().into_owned()
    });
    texts.rfind(|text| text.contains(link)).unwrap_or_else(|| panic!("no letter to {to} with {link}"))
}
fn path_in(text: &str, begins: &str) -> String {
    let at = text.find(begins).unwrap_or_else(|| panic!("no {begins} in {text}"));
    text[at..].split(|c: char| c.is_whitespace() || c == '>' || c == ')').next().unwrap().to_owned()
}
fn code_in(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !word.contains("http"));
    let mut bare = words.map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()));
    let code = bare.find(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()));
    code.unwrap_or_else(|| panic!("no code in {text}")).to_owned()
}
fn application(rules: i32) -> Value {
    json!({
        "name": {"given": GIVEN, "family": FAMILY}, "language": "nl", "basis": "lives", "adult_declared": true,
        "address": {"street": STREET, "number": "12", "postal_code": 1410, "locality": "Waterloo"},
        "house_rules": {"version": rules}, "contacts": {"email": EMAIL, "mobile": MOBILE},
        "preferred_channel": "email", "sms_at_night": true,
    })
}

/// From the application to the admission, by way of failing relays and wrong codes; the membership.
async fn joins(town: &Town, near: &Neighbourhood, secrets: &mut Secrets) -> String {
    let applications = format!("/api/v1/public/partnerships/{}/applications", near.partnership);
    town.open_post(&applications, application(near.rules_number)).await.expect(202);
    // The relay and the gateway repeat whom they refuse, and hang up: their words are theirs.
    town.post_office.smtp.behave(|manners| {
        manners.answers_sender = Some("451 4.7.1 zebulonetta.q@kanarie-post.example: try again later");
    });
    town.post_office.gateway.behave(SmsManners::Says(503, "", format!("cannot reach {MOBILE} of {GIVEN}")));
    town.delivers_everything().await;
    town.passes(Duration::from_secs(600));
    town.post_office.smtp.behave(|manners| {
        manners.answers_sender = None;
        manners.after_mail = AfterMail::Says("452 4.2.2 zebulonetta.q@kanarie-post.example over quota");
    });
    town.post_office.gateway.behave(SmsManners::HangsUp);
    town.delivers_everything().await;
    town.passes(Duration::from_secs(1_800));
    town.post_office.smtp.behave(|manners| manners.after_mail = AfterMail::Accepts);
    town.post_office.gateway.behave(SmsManners::Accepts);
    town.delivers_everything().await;
    town.open_post(&applications, application(near.rules_number)).await.expect(202);
    town.delivers_everything().await;
    let text = letter(town, EMAIL, "/p/contact/");
    let (page, code) = (path_in(&text, "/p/contact/"), code_in(&text));
    secrets.keep(&code);
    secrets.keep_letters(town);
    town.open_get(&page).await.expect(200);
    let api = page.replace("/p/contact/", "/api/v1/public/contacts/") + "/confirmation";
    town.post_form(&page, "code=000000").await;
    town.open_post(&api, json!({"code": code})).await.expect(204);
    let token = near.coordinator.token(town);
    let list = format!("/api/v1/partnerships/{}/members?name={FAMILY}", near.partnership);
    let id = town.get(&list, &token).await.expect(200).items()[0]["id"].as_str().unwrap().to_owned();
    town.post(&format!("/api/v1/members/{id}/admission"), &token, Value::Null).await.expect(200);
    town.delivers_everything().await;
    let reveal = json!({"reason": "member_asked"});
    town.post(&format!("/api/v1/members/{id}/contacts-revelation"), &token, reveal).await;
    id
}
/// An invitation accepted, a sign-in with its wrong tries, a renewal, a reset; then nothing of it is left open.
async fn signs_in(town: &Town, secrets: &mut Secrets) {
    let config = town.config.clone();
    town.db(move |tx| {
        let invitation = Invitation {
            email: EmailAddress::parse(DESK).unwrap(),
            name: PersonName::parse(GIVEN, FAMILY).unwrap(),
            language: Language::Nl,
            mobile: None,
            role: Role::Coordinator,
            inviter: FAMILY.to_owned(),
        };
        invite(tx, &config, invitation)
    })
    .await;
    town.delivers_everything().await;
    let page = path_in(&letter(town, DESK, "/p/invitation/"), "/p/invitation/");
    let token = page.trim_start_matches("/p/invitation/").split('?').next().unwrap().to_owned();
    secrets.keep(&token);
    town.open_get(&page).await.expect(200);
    let accepted = json!({"token": token, "password": OLD_PASSWORD});
    town.open_post("/api/v1/invitations/acceptance", accepted.clone()).await;
    town.open_post("/api/v1/invitations/acceptance", accepted).await;
    for (email, password) in [(DESK, WRONG_PASSWORD), (EMAIL, WRONG_PASSWORD)] {
        town.open_post("/api/v1/sessions", json!({"email": email, "password": password})).await.expect(401);
    }
    let signed_in =
        town.open_post("/api/v1/sessions", json!({"email": DESK, "password": OLD_PASSWORD})).await.expect(201);
    let (access, refresh) = (signed_in.str("/access_token"), signed_in.str("/refresh_token"));
    town.post("/api/v1/step-up", &access, json!({"password": WRONG_PASSWORD})).await;
    town.post("/api/v1/step-up", &access, json!({"password": OLD_PASSWORD})).await.expect(200);
    let renewed = town.open_post("/api/v1/sessions/renewal", json!({"refresh_token": refresh})).await.expect(200);
    // Used twice: the session ends, and that is logged.
    town.open_post("/api/v1/sessions/renewal", json!({"refresh_token": refresh})).await.expect(401);
    for secret in [access, refresh, renewed.str("/access_token"), renewed.str("/refresh_token")] {
        secrets.keep(secret.rsplit('.').next().unwrap());
        secrets.keep(secret);
    }
    town.open_post("/api/v1/password-resets", json!({"email": DESK})).await.expect(202);
    town.delivers_everything().await;
    let page = path_in(&letter(town, DESK, "/p/reset/"), "/p/reset/");
    let token = page.trim_start_matches("/p/reset/").split('?').next().unwrap().to_owned();
    secrets.keep(&token);
    town.open_get(&page).await.expect(200);
    town.post_form(&page, "password=kort&password_repeat=anders").await;
    let chosen = json!({"token": token, "password": NEW_PASSWORD});
    town.open_post("/api/v1/password-resets/completion", chosen).await;
    town.open_post("/api/v1/sessions", json!({"email": DESK, "password": NEW_PASSWORD})).await.expect(201);
    for _ in 0..12 {
        town.open_post("/api/v1/sessions", json!({"email": DESK, "password": WRONG_PASSWORD})).await;
    }
}
async fn is_told(town: &Town, near: &Neighbourhood) {
    let text = json!({"title": WORDS, "body": WORDS});
    let body = json!({"class": "urgent", "kind": "start", "source": "member_report",
        "texts": {"fr": text, "nl": text, "de": text, "en": text}});
    let (writer, officer) = (&near.coordinator, &near.officer);
    let message = writer.posts(town, &near.messages(), body).await.expect(201).id();
    let at = |noun: &str| format!("/api/v1/messages/{message}/{noun}");
    writer.posts(town, &at("submission"), json!({})).await.expect(202);
    let seen = officer.gets(town, &at("preview")).await.expect(200).json;
    let approval = json!({
        "version_hash": seen["version_hash"], "plan_number": seen["plan_number"],
        "checklist": {"no_nominative_data": true, "no_recognisable_person": true, "no_protected_ground": true},
    });
    officer.posts(town, &at("approval"), approval.clone()).await.expect(401);
    officer.steps_up(town).await;
    officer.posts(town, &at("approval"), approval.clone()).await.expect(202);
    officer.posts(town, &at("approval"), approval).await.expect(409);
    town.post_office.smtp.behave(|manners| {
        manners.refuses.insert(EMAIL.to_owned());
    });
    town.post_office.gateway.behave(SmsManners::Says(400, "", format!("{MOBILE} is not for {GIVEN}")));
    town.delivers_everything().await;
    town.post_office.smtp.behave(|manners| manners.refuses.clear());
    town.post_office.gateway.behave(SmsManners::Accepts);
    officer.gets(town, &at("recipients")).await.expect(200);
    officer.posts(town, &at("stop"), json!({"reason": WISH})).await;
}
/// One request for every kind of refusal, each with a secret in it.
async fn is_refused(town: &Town, near: &Neighbourhood, member: &str) {
    let token = near.coordinator.token(town);
    let member = format!("/api/v1/members/{member}");
    let json = [("content-type", "application/json")];
    let secret = json!({"reason": EMAIL, GIVEN: MOBILE});
    let raw = async |method: &str, path: &str, token: Option<&str>, headers: &[(&str, &str)], body: String| {
        town.raw(method, path, token, headers, body.into_bytes()).await.status().as_u16()
    };
    let mut seen = vec![
        raw("POST", "/api/v1/sessions", None, &json, format!("{{\"email\": \"{EMAIL}\" {GIVEN}")).await,
        raw("GET", "/api/v1/me", Some(&format!("eyJ.{GIVEN}.x")), &[], String::new()).await,
        raw("GET", &format!("/p/leave/{GIVEN}?lang={FAMILY}"), None, &[], String::new()).await,
        raw("GET", &format!("/api/v1/members/{EMAIL}"), Some(&token), &[], String::new()).await,
        raw("GET", &format!("/{EMAIL}/{MOBILE}"), None, &[], String::new()).await,
        raw("DELETE", "/api/v1/me", Some(&token), &[], EMAIL.to_owned()).await,
        raw("POST", "/api/v1/sessions", None, &[("content-type", EMAIL)], EMAIL.to_owned()).await,
        raw("POST", "/api/v1/sessions", None, &json, secret.to_string()).await,
        raw("GET", &format!("/api/v1/zones?{GIVEN}={EMAIL}"), None, &[], String::new()).await,
        raw("PATCH", &member, Some(&token), &json, json!({"name": {"given": GIVEN, "family": FAMILY}}).to_string())
            .await,
        raw("PATCH", &member, Some(&token), &[json[0], ("if-match", "\"v99\"")], json!({"language": "fr"}).to_string())
            .await,
        raw("PATCH", &member, Some(&token), &[json[0], ("if-match", EMAIL)], json!({"language": "fr"}).to_string())
            .await,
        raw(
            "POST",
            &format!("{member}/end"),
            Some(&token),
            &[json[0], ("idempotency-key", EMAIL)],
            json!({"reason": "moved"}).to_string(),
        )
        .await,
        raw("POST", &format!("{member}/admission"), Some(&token), &[("idempotency-key", "kanarie-1")], String::new())
            .await,
        raw("POST", "/api/v1/zones", Some(&token), &json, secret.to_string()).await,
        raw("POST", "/api/v1/sessions", None, &json, format!("\"{}\"", EMAIL.repeat(10_000))).await,
    ];
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428], "every kind of refusal was heard");
}
/// The way out, by the links of the letters.
async fn leaves(town: &Town, secrets: &mut Secrets) {
    secrets.keep_letters(town);
    let text = letter(town, EMAIL, "/p/leave/");
    let page = path_in(&text, "/p/leave/");
    town.open_get(&page).await.expect(200);
    for begins in ["/p/my-data/", "/p/unsubscribe/"] {
        if text.contains(begins) {
            town.open_get(&path_in(&text, begins)).await;
        }
    }
    town.post_form(&page, "confirm=yes").await.expect(200);
    town.delivers_everything().await;
    secrets.keep_letters(town);
}
/// Faults of ours: a table is gone. What the database says about it stands in the log, and nothing of the request.
async fn fails(town: &Town) {
    let stage = "ALTER TABLE persons RENAME TO persons_gone";
    town.db(move |tx| {
        use diesel::prelude::*;
        Ok(diesel::sql_query(stage).execute(tx.db())?)
    })
    .await;
    for (path, body) in [
        ("/api/v1/password-resets", json!({"email": DESK})),
        ("/api/v1/sessions", json!({"email": DESK, "password": NEW_PASSWORD})),
    ] {
        let headers = [("content-type", "application/json")];
        town.raw("POST", path, None, &headers, body.to_string().into_bytes()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_of_a_whole_journey_hold_nothing_of_anybody() {
    on_both(async |town| {
        let mark = logs::mark();
        let mut secrets = Secrets::default();
        let stage = Stage::set(town).await;
        let near = &stage.near;
        let member = joins(town, near, &mut secrets).await;
        is_told(town, near).await;
        signs_in(town, &mut secrets).await;
        is_refused(town, near, &member).await;
        leaves(town, &mut secrets).await;

        let holder = stage.holder(town, Role::Coordinator, Where::Here).await.unwrap();
        let token = access_token(town, holder.account, holder.session);
        secrets.keep(token.rsplit('.').next().unwrap());
        fails(town).await;
        let list = format!("/api/v1/partnerships/{}/members?name={FAMILY}", near.partnership);
        let broken = town.raw("GET", &list, Some(&token), &[], Vec::new()).await;
        assert_eq!(broken.status().as_u16(), 500);
        let said = broken.text().await.unwrap();
        assert!(!said.contains("persons") && !said.contains(FAMILY), "{said}");
        let renamed = "ALTER TABLE persons_gone RENAME TO persons";
        town.db(move |tx| {
            use diesel::prelude::*;
            Ok(diesel::sql_query(renamed).execute(tx.db())?)
        })
        .await;

        let lines = logs::since(mark);
        assert!(
            lines.contains("\"cause\":\"no such table: persons\"") || lines.contains("persons"),
            "the fault is named"
        );
        assert!(lines.matches("\"answered\"").count() > 60, "the journey was logged: {lines}");
        assert!(secrets.0.len() >= 15, "the journey had its secrets: {}", secrets.0.len());
        let faults: Vec<_> = lines
            .lines()
            .filter_map(|line| {
                Some(secrets.found_in(line)).filter(|found| !found.is_empty()).map(|found| (found, line))
            })
            .collect();
        assert!(faults.is_empty(), "{} lines hold something: {faults:#?}", faults.len());
        for line in lines.lines().filter(|line| line.contains("\"route\"")) {
            let line: Value = serde_json::from_str(line).unwrap();
            let route = line["span"]["route"].as_str().unwrap_or_default();
            let pages = ["/p/", "/hooks/", "/v/", "/api/v1/public/contacts/"];
            if pages.iter().any(|page| route.starts_with(page)) {
                assert!(route.contains('{'), "the pattern is logged, never the path: {line}");
            }
        }
    })
    .await;
}
