//! Somebody asks to join, and shows that the contact is theirs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vigie::members::GATEWAYS;

use super::neighbourhood::{Neighbourhood, application, code_in, last_letter, lay_down_rules, letters, path_in};
use crate::support::database::Kind;
use crate::support::{Town, on_both};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Duties M1 to M5: from the application to the welcome.
#[tokio::test(flavor = "multi_thread")]
async fn an_applicant_confirms_a_contact_and_is_admitted() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let receipt = town.open_post(&near.applications(), application("Anouk")).await.expect(202);
        assert_eq!(receipt.json, json!({"code_valid_hours": 24}));
        let waiting = near.list(town, "").await;
        assert_eq!(waiting.items()[0]["status"], "contact_unverified");
        town.delivers_everything().await;

        let letter = last_letter(town, "anouk@canari.example");
        let link = path_in(&letter, "/p/contact/");
        let page = town.open_get(&link).await.expect(200);
        assert!(page.text.contains("name=\"code\"") && page.text.contains("Le Sart"), "{}", page.text);
        let path = format!("/api/v1/public/contacts/{}/confirmation", link.trim_start_matches("/p/contact/"));
        town.open_post(&path, json!({"code": code_in(&letter)})).await.expect(204);
        town.open_post(&path, json!({"code": code_in(&letter)})).await.expect(204);
        town.delivers_everything().await;
        assert_eq!(letters(town, "anouk@canari.example").len(), 2, "one letter says that it arrived");

        let list = near.list(town, "?status=pending_approval").await;
        let id = list.items()[0]["id"].as_str().unwrap().to_owned();
        let member = near.does(town, &id, "admission", Value::Null).await.expect(200);
        assert_eq!(member.json["status"], "active");
        assert_eq!(member.json["adhesion"]["mode"], "form_reference");
        assert_eq!(member.json["adhesion"]["rules_number"], 1);
        assert_eq!(member.json["adult_declared"], true);
        town.delivers_everything().await;
        let welcome = last_letter(town, "anouk@canari.example");
        assert!(welcome.contains("/p/leave/"), "{welcome}");
        assert!(town.post_office.sms()[0].text.contains("/p/contact/"), "the SMS carries its link");
    })
    .await;
}
/// The SMS has a code of its own; a second confirmed contact does not ask the coordinator again.
#[tokio::test(flavor = "multi_thread")]
async fn the_mobile_is_confirmed_by_itself() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        town.open_post(&near.applications(), application("Anouk")).await.expect(202);
        town.delivers_everything().await;
        let sms = town.post_office.sms()[0].text.clone();
        let page = town.post_form(&path_in(&sms, "/p/contact/"), &format!("code={}", code_in(&sms))).await.expect(200);
        assert!(!page.text.contains("<form"), "{}", page.text);
        let list = near.list(town, "").await;
        assert_eq!(list.items()[0]["status"], "pending_approval");
        let states: Vec<_> = list.items()[0]["contacts"].as_array().unwrap().iter().map(|c| &c["state"]).collect();
        assert_eq!(states, ["unverified", "verified"]);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn an_application_says_all_that_is_needed_and_nothing_else() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let with = |change: &dyn Fn(&mut Value)| {
            let mut body = application("Anouk");
            change(&mut body);
            body
        };
        let cases: Vec<(Value, &str)> = vec![
            (with(&|b| b["adult_declared"] = json!(false)), "/adult_declared"),
            (with(&|b| b["birth_date"] = json!("1980-01-01")), "/birth_date"),
            (with(&|b| b["contacts"] = json!({})), "/contacts"),
            (with(&|b| b["contacts"]["mobile"] = json!("02/274.21.11")), "/contacts/mobile"),
            (with(&|b| b["contacts"]["email"] = json!("an")), "/contacts/email"),
            (
                with(&|b| {
                    b["contacts"] = json!({"mobile": "0470556677"});
                }),
                "/preferred_channel",
            ),
            (with(&|b| b["basis"] = json!("visits")), "/basis"),
            (with(&|b| b["address"]["postal_code"] = json!(12)), "/address/postal_code"),
            (with(&|b| b["house_rules"]["version"] = json!(0)), "/house_rules/version"),
            (with(&|b| b["name"]["given"] = json!("a\nb")), "/name/given"),
        ];
        for (body, pointer) in cases {
            town.open_post(&near.applications(), body).await.at_fault(pointer);
        }
        town.open_post("/api/v1/public/partnerships/nothing/applications", application("A")).await.expect(404);
        let nowhere = near.applications().replace(&near.partnership.to_string(), &near.coordinator.account.to_string());
        town.open_post(&nowhere, application("A")).await.expect(404);
        assert!(near.list(town, "").await.items().is_empty());
    })
    .await;
}
/// Duty M5: the rules acknowledged are those in force.
#[tokio::test(flavor = "multi_thread")]
async fn old_house_rules_are_not_enough() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let partnership = near.partnership;
        town.db(move |tx| lay_down_rules(tx, partnership, 2)).await;
        town.open_post(&near.applications(), application("Anouk")).await.refused(409, "rules_not_in_force");
        let mut body = application("Anouk");
        body["house_rules"]["version"] = json!(2);
        town.open_post(&near.applications(), body).await.expect(202);
    })
    .await;
}
/// Nobody learns from the answer who is a member.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_application_changes_nothing_and_says_nothing() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let id = near.applicant(town, "Anouk").await;
        let before = town.get(&format!("/api/v1/members/{id}"), &near.coordinator.token(town)).await.expect(200);
        let mut again = application("Anouk");
        again["name"]["given"] = json!("Mallory");
        let mails = town.post_office.mails().len();
        let first = town.open_post(&near.applications(), again.clone()).await.expect(202);
        near.does(town, &id, "admission", Value::Null).await.expect(200);
        let second = town.open_post(&near.applications(), again).await.expect(202);
        assert_eq!(first.text, second.text);
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), mails + 1, "only the welcome");
        assert_eq!(near.list(town, "").await.items().len(), 1);
        let after = town.get(&format!("/api/v1/members/{id}"), &near.coordinator.token(town)).await.expect(200);
        assert_eq!(before.json["name"], after.json["name"]);
    })
    .await;
}
/// Nor from the time it takes: whoever is known is answered as late as whoever is not.
#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_an_application_takes_its_time_for_all() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        near.applicant(town, "Anouk").await;
        for name in ["Anouk", "Bea"] {
            let asked = Instant::now();
            town.open_post(&near.applications(), application(name)).await.expect(202);
            assert!(asked.elapsed() >= Duration::from_millis(250), "{name}: {:?}", asked.elapsed());
        }
    })
    .await;
}
/// An unconfirmed application gives way to the next of the same contact; at the same moment too.
#[tokio::test(flavor = "multi_thread")]
async fn a_contact_has_one_application_at_a_time() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let path = near.applications();
        let (one, two) =
            tokio::join!(town.open_post(&path, application("Anouk")), town.open_post(&path, application("Anouk")));
        one.expect(202);
        two.expect(202);
        assert_eq!(near.list(town, "").await.items().len(), 1);
        town.delivers_everything().await;
        let codes = letters(town, "anouk@canari.example");
        let (old, new) = (&codes[0], &codes[1]);
        let open = if town.open_get(&path_in(new, "/p/contact/")).await.status == 200 { new } else { old };
        town.post_form(&path_in(open, "/p/contact/"), &format!("code={}", code_in(open))).await.expect(200);
        assert_eq!(near.list(town, "").await.items()[0]["status"], "pending_approval");
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_code_survives_four_wrong_tries_and_a_day() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        town.open_post(&near.applications(), application("Anouk")).await.expect(202);
        town.delivers_everything().await;
        let letter = last_letter(town, "anouk@canari.example");
        let (code, page) = (code_in(&letter), path_in(&letter, "/p/contact/"));
        let path = page.replace("/p/contact/", "/api/v1/public/contacts/") + "/confirmation";
        let wrong = if code == "000000" { "111111" } else { "000000" };
        for _ in 0..4 {
            town.open_post(&path, json!({"code": wrong})).await.at_fault("/code");
        }
        let refused = town.post_form(&page, &format!("code={wrong}")).await.expect(422);
        assert!(refused.text.contains("role=\"alert\""), "{}", refused.text);
        town.open_post(&path, json!({"code": code})).await.refused(409, "code_over");
        town.post_form(&page, &format!("code={code}")).await.expect(409);
        assert_eq!(near.list(town, "").await.items()[0]["status"], "contact_unverified");

        town.open_post(&near.applications(), application("Bea")).await.expect(202);
        town.delivers_everything().await;
        let letter = last_letter(town, "bea@canari.example");
        town.passes(DAY + Duration::from_secs(1));
        let path = path_in(&letter, "/p/contact/").replace("/p/contact/", "/api/v1/public/contacts/");
        town.open_post(&format!("{path}/confirmation"), json!({"code": code_in(&letter)})).await.expect(409);
        town.open_post(&format!("{path}/confirmation"), json!({"code": 7})).await.at_fault("/code");
    })
    .await;
}
/// Three codes a contact and day, in whatever spelling, for whatever partnership.
#[tokio::test(flavor = "multi_thread")]
async fn codes_are_counted_for_each_contact() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let mut body = application("Anouk");
        body["contacts"]["mobile"] = Value::Null;
        for spelling in ["anouk@canari.example", "ANOUK@canari.example", "Anouk@Canari.Example", "anouK@canari.example"]
        {
            body["contacts"]["email"] = json!(spelling);
            town.open_post(&near.applications(), body.clone()).await.expect(202);
        }
        let elsewhere = near.applications().replace(&near.partnership.to_string(), &near.other.to_string());
        town.open_post(&elsewhere, body.clone()).await.expect(202);
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), 3);
        town.passes(DAY);
        town.open_post(&near.applications(), body).await.expect(202);
        town.delivers_everything().await;
        assert_eq!(town.post_office.mails().len(), 4);
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn applications_are_counted_for_each_partnership() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let town = &Town::start_with(kind, |config| config.limits.applications_per_partnership = 5).await;
        let near = Neighbourhood::found(town).await;
        for number in 0..5 {
            town.open_post(&near.applications(), application(&format!("An{number}"))).await.expect(202);
        }
        let refused = town.open_post(&near.applications(), application("Late")).await.problem(429, "too-many-requests");
        assert!(refused.headers.contains_key("retry-after"));
        let elsewhere = near.applications().replace(&near.partnership.to_string(), &near.other.to_string());
        town.open_post(&elsewhere, application("Late")).await.expect(202);
    }
}
/// Security T16: whoever gets codes for a number that somebody else gave as theirs, and answers STOP, gets no more of them,
/// however often and wherever that number is given again; START asks for them.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_answers_stop_to_a_code_gets_no_more_codes() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let says = async |word: &str, id: &str| {
            let url = GATEWAYS[0].inbound_url(&town.config, town.database.keys());
            let url = url.replace("%p", "%2B32470556677").replace("%a", word).replace("%C", "UTF-8").replace("%I", id);
            town.open_get(url.trim_start_matches(&town.base)).await.expect(200);
        };
        let elsewhere = near.applications().replace(&near.partnership.to_string(), &near.other.to_string());
        let applies = async |path: &str, given: &str| {
            let mut body = application(given);
            body["contacts"]["mobile"] = json!("0470556677");
            town.open_post(path, body).await.expect(202);
            town.delivers_everything().await;
            town.post_office.sms().iter().filter(|sms| sms.to == "+32470556677").count()
        };
        assert_eq!(applies(&near.applications(), "Anouk").await, 1);
        says("STOP", "1").await;
        // The same again, which takes the place of the first; another name; another partnership; another day.
        assert_eq!(applies(&near.applications(), "Anouk").await, 1);
        assert_eq!(applies(&elsewhere, "Bea").await, 1);
        town.passes(DAY + DAY);
        assert_eq!(applies(&near.applications(), "Cas").await, 1);
        let mails = town.post_office.mails().len();
        assert_eq!(mails, 4, "the mail has its code");
        says("START", "2").await;
        assert_eq!(applies(&near.applications(), "Anouk").await, 2);
    })
    .await;
}
