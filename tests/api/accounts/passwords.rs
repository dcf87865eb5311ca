//! Forgotten and changed passwords.

use std::time::Duration;

use serde_json::json;
use vigie::accounts::lock_account;

use super::{PASSWORD, invited, letters, link, renews, signs_in, somebody, token_of, tries, without_instance};
use crate::support::{Reply, Town, on_both};

const OTHER: &str = "zeven lampen in de tuin";

async fn asks(town: &Town, email: &str) -> Reply {
    town.open_post("/api/v1/password-resets", json!({ "email": email })).await
}
async fn completes(town: &Town, token: &str, password: &str) -> Reply {
    town.open_post("/api/v1/password-resets/completion", json!({ "token": token, "password": password })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_by_letter_and_every_session_ends() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let session = signs_in(town, "noor@kust.example").await;
        asks(town, "NOOR@kust.example").await.expect(202);
        let link = link(town, "noor@kust.example").await;
        assert!(link.starts_with("/p/reset/"), "{link}");
        let token = token_of(&link);
        assert_eq!(token.len(), 43);

        completes(town, &token, "noor verhaegen 123").await.at_fault("/password");
        completes(town, &token, OTHER).await.expect(204);
        completes(town, &token, OTHER).await.refused(409, "link_unknown");
        town.get("/api/v1/me", &session.str("/access_token")).await.expect(401);
        renews(town, &session.str("/refresh_token")).await.expect(401);
        tries(town, "noor@kust.example", PASSWORD).await.expect(401);
        tries(town, "noor@kust.example", OTHER).await.expect(201);
        let told = letters(town, "noor@kust.example").await;
        assert_eq!(told.len(), 2);
        assert!(told[1].contains("gewijzigd") && !told[1].contains(OTHER), "{}", told[1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_the_same_for_every_address_and_only_active_accounts_get_a_letter() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let locked = somebody(town, "locked@kust.example").await;
        town.db(move |tx| {
            let _: () = lock_account(tx, locked)?.unwrap();
            Ok(())
        })
        .await;
        invited(town, "invited@kust.example").await;
        assert_eq!(letters(town, "invited@kust.example").await.len(), 1);
        let known = asks(town, "noor@kust.example").await.expect(202);
        for email in ["unknown@kust.example", "locked@kust.example", "invited@kust.example"] {
            assert_eq!(asks(town, email).await.expect(202).text, known.text);
        }
        town.delivers_everything().await;
        let mut to: Vec<String> = town.post_office.mails().iter().map(|mail| mail.to().to_owned()).collect();
        to.sort_unstable();
        assert_eq!(to, ["invited@kust.example", "noor@kust.example"]);
        town.open_post("/api/v1/password-resets", json!({ "mail": "x@y.example" })).await.at_fault("/mail");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_gets_three_letters_a_day_known_or_not() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let mut answers = Vec::new();
        for email in ["noor@kust.example", "unknown@kust.example"] {
            for _ in 0..3 {
                asks(town, email).await.expect(202);
            }
            answers.push(without_instance(&asks(town, email).await.problem(429, "too-many-requests")));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(letters(town, "noor@kust.example").await.len(), 3);
        town.passes(Duration::from_secs(86_400));
        asks(town, "noor@kust.example").await.expect(202);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_a_new_password_is_open_for_one_hour_and_for_nothing_else() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        asks(town, "noor@kust.example").await.expect(202);
        let token = token_of(&link(town, "noor@kust.example").await);
        let accept = json!({ "token": token, "password": OTHER });
        town.open_post("/api/v1/invitations/acceptance", accept).await.refused(409, "link_unknown");
        let unknown = completes(town, "never-seen", OTHER).await.refused(409, "link_unknown");
        town.passes(Duration::from_secs(3600));
        let late = completes(town, &token, OTHER).await.refused(409, "link_unknown");
        assert_eq!(without_instance(&late), without_instance(&unknown));
        signs_in(town, "noor@kust.example").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_completions_at_once_one_wins() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        asks(town, "noor@kust.example").await.expect(202);
        let token = token_of(&link(town, "noor@kust.example").await);
        let (a, b) = tokio::join!(completes(town, &token, OTHER), completes(town, &token, "negen boeken op de kast"));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
        let password = if a.status == 204 { OTHER } else { "negen boeken op de kast" };
        tries(town, "noor@kust.example", password).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_behind_the_letter_takes_the_new_password() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        asks(town, "noor@kust.example").await.expect(202);
        let link = link(town, "noor@kust.example").await;
        let page = town.open_get(&link).await.expect(200);
        assert!(page.text.contains("<html lang=\"nl\">") && page.text.contains("Noor Verhaegen"), "{}", page.text);
        let differ = town.post_form(&link, "password=a&password_repeat=b").await.expect(422);
        assert!(differ.text.contains("role=\"alert\""), "{}", differ.text);
        let form = format!("password={0}&password_repeat={0}", OTHER.replace(' ', "+"));
        let done = town.post_form(&format!("{link}?lang=de"), &form).await.expect(200);
        assert!(done.text.contains("Ihr neues Passwort"), "{}", done.text);
        town.post_form(&link, &form).await.expect(404);
        tries(town, "noor@kust.example", OTHER).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_with_the_old_one_and_other_sessions_end() {
    on_both(async |town| {
        somebody(town, "noor@kust.example").await;
        let (here, there) = (signs_in(town, "noor@kust.example").await, signs_in(town, "noor@kust.example").await);
        asks(town, "noor@kust.example").await.expect(202);
        let reset = token_of(&link(town, "noor@kust.example").await);
        let token = here.str("/access_token");
        let change = async |old: &str, new: &str| {
            let body = json!({ "old_password": old, "new_password": new });
            town.send("PUT", "/api/v1/me/password", Some(&token), Some(&body), &[]).await
        };
        change("wrong", OTHER).await.problem(401, "sign-in-refused");
        for weak in ["kort", "password1234", "mijn naam is Verhaegen", "noor@kust.example!"] {
            change(PASSWORD, weak).await.at_fault("/new_password");
        }
        change(PASSWORD, &"x".repeat(257)).await.at_fault("/new_password");
        town.get("/api/v1/me", &there.str("/access_token")).await.expect(200);
        change(PASSWORD, OTHER).await.expect(204);

        town.get("/api/v1/me", &token).await.expect(200);
        renews(town, &here.str("/refresh_token")).await.expect(200);
        town.get("/api/v1/me", &there.str("/access_token")).await.expect(401);
        tries(town, "noor@kust.example", PASSWORD).await.expect(401);
        tries(town, "noor@kust.example", OTHER).await.expect(201);
        // A letter that was under way leads nowhere any more.
        completes(town, &reset, "negen boeken op de kast").await.refused(409, "link_unknown");
        assert!(letters(town, "noor@kust.example").await[1].contains("gewijzigd"));
    })
    .await;
}
