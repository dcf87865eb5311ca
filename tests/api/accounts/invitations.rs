//! Invitations: by letter, accepted once.

use std::time::Duration;

use serde_json::json;
use vigie::access::{NewGrant, Reach, Role, grant, holders};
use vigie::accounts::{
    FirstAdministrator, account_of_person, close_account, create_first_administrator, forget_old_tokens, invite,
    person_of, reach,
};
use vigie::values::{EmailAddress, Language, PhoneNumber};

use super::{PASSWORD, invitation, invited, letters, link, signs_in, somebody, token_of, tries};
use crate::support::{Reply, Town, on_both};

async fn accepts(town: &Town, token: &str) -> Reply {
    let body = json!({ "token": token, "password": PASSWORD });
    town.open_post("/api/v1/invitations/acceptance", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_arrives_is_accepted_once_and_opens_the_door() {
    on_both(async |town| {
        let account = invited(town, "noor@kust.example").await;
        let letter = letters(town, "noor@kust.example").await.pop().unwrap();
        for words in ["Politiezone Kust", "Noor Verhaegen", "72"] {
            assert!(letter.contains(words), "{words} in {letter}");
        }
        let token = token_of(&link(town, "noor@kust.example").await);
        tries(town, "noor@kust.example", PASSWORD).await.expect(401);
        let weak = json!({ "token": token, "password": "kort" });
        town.open_post("/api/v1/invitations/acceptance", weak).await.at_fault("/password");
        let more = json!({ "token": token, "password": PASSWORD, "role": "FED" });
        town.open_post("/api/v1/invitations/acceptance", more).await.at_fault("/role");
        accepts(town, &token).await.expect(204);
        accepts(town, &token).await.refused(409, "link_unknown");
        let signed_in = signs_in(town, "noor@kust.example").await;
        assert_eq!(signed_in.str("/account"), account.to_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_accepted_on_its_page_without_knowing_anything_of_programs() {
    on_both(async |town| {
        invited(town, "noor@kust.example").await;
        let link = link(town, "noor@kust.example").await;
        assert!(link.starts_with("/p/invitation/"), "{link}");
        let page = town.open_get(&link).await.expect(200);
        for words in ["<html lang=\"nl\">", "Noor Verhaegen", "Politiezone Kust", "name=\"password_repeat\""] {
            assert!(page.text.contains(words), "{words} in {}", page.text);
        }
        assert!(town.open_get(&format!("{link}?lang=fr")).await.expect(200).text.contains("<html lang=\"fr\">"));
        town.open_get(&format!("{link}?lang=it")).await.at_fault("?lang");
        for form in ["password=kort&password_repeat=kort", "password=&password_repeat=", "password=a&password_repeat=b"]
        {
            assert!(town.post_form(&link, form).await.expect(422).text.contains("role=\"alert\""));
        }
        town.post_form(&link, "password=kort").await.expect(422);
        let form = format!("password={0}&password_repeat={0}", PASSWORD.replace(' ', "+"));
        assert!(town.post_form(&link, &form).await.expect(200).text.contains("Uw account is klaar"));
        for reply in [town.open_get(&link).await, town.post_form(&link, &form).await] {
            assert!(reply.expect(404).text.contains("<html"));
        }
        assert!(
            town.open_get("/p/invitation/never-seen?lang=en").await.expect(404).text.contains("<html lang=\"en\">")
        );
        signs_in(town, "noor@kust.example").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_open_for_72_hours_and_a_new_one_can_follow() {
    on_both(async |town| {
        let account = invited(town, "noor@kust.example").await;
        let first = token_of(&link(town, "noor@kust.example").await);
        town.passes(Duration::from_secs(72 * 3600 - 1));
        assert_eq!(invited(town, "Noor@kust.example").await, account);
        town.passes(Duration::from_secs(1));
        accepts(town, &first).await.refused(409, "link_unknown");
        // What can no longer be used is not kept.
        assert_eq!(town.db(forget_old_tokens).await, 1);
        let second = token_of(&link(town, "noor@kust.example").await);
        accepts(town, &second).await.expect(204);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_active_account_is_found_and_gets_no_letter() {
    on_both(async |town| {
        let account = somebody(town, "noor@kust.example").await;
        assert_eq!(invited(town, "noor@kust.example").await, account);
        assert!(letters(town, "noor@kust.example").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_an_account_is_reached_until_it_is_closed() {
    on_both(async |town| {
        let mut asked = invitation("noor@kust.example");
        asked.mobile = Some(PhoneNumber::parse("0470 12 34 56").unwrap());
        let config = town.config.clone();
        let account = town.db(move |tx| invite(tx, &config, asked)).await;
        let reached = town.db(move |tx| reach(tx, account)).await.unwrap();
        assert_eq!(reached.email.for_envelope(), "noor@kust.example");
        assert_eq!(reached.mobile.unwrap().for_dialling(), "+32470123456");
        assert_eq!((reached.account, reached.language), (account, Language::Nl));
        let person = reached.person;
        assert_eq!(town.db(move |tx| person_of(tx, account)).await, Some(person));
        assert_eq!(town.db(move |tx| account_of_person(tx, person)).await, Some(account));
        town.db(move |tx| Ok(close_account(tx, account)?.unwrap())).await;
        assert!(town.db(move |tx| reach(tx, account)).await.is_none());
        let again = invited(town, "noor@kust.example").await;
        assert_ne!(again, account);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_who_one_is_and_what_one_may_do_where() {
    on_both(async |town| {
        let account = somebody(town, "noor@kust.example").await;
        let token = signs_in(town, "noor@kust.example").await.str("/access_token");
        assert_eq!(town.get("/api/v1/me", &token).await.expect(200).json["grants"], json!([]));
        let given = town
            .db(move |tx| {
                let from_at = tx.now()?;
                let until_at = Some(from_at.plus(Duration::from_secs(3600)));
                let (role, reach, flags) = (Role::Municipality, Reach::Municipality("35013".into()), vec![]);
                grant(tx, NewGrant { account, role, reach, flags, from_at, until_at, by: None })
            })
            .await;
        let me = town.get("/api/v1/me", &token).await.expect(200);
        assert_eq!(me.json["name"], json!({ "given": "Noor", "family": "Verhaegen" }));
        assert_eq!((me.str("/language"), me.str("/email_masked")), ("nl".to_owned(), "n***@k***".to_owned()));
        let expected = json!([{
            "id": given.to_string(), "role": "MUN", "place": { "kind": "municipality", "reference": "35013" },
            "flags": [], "from": me.json["grants"][0]["from"], "until": me.json["grants"][0]["until"],
        }]);
        assert_eq!(me.json["grants"], expected);
        town.passes(Duration::from_secs(3600));
        let signed_in = signs_in(town, "noor@kust.example").await.str("/access_token");
        assert_eq!(town.get("/api/v1/me", &signed_in).await.expect(200).json["grants"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_first_administrator() {
    on_both(async |town| {
        let first = |email: &str| FirstAdministrator {
            email: EmailAddress::parse(email).unwrap(),
            given: "Eva".to_owned(),
            family: "Maes".to_owned(),
            language: Language::Fr,
        };
        let create = async |email: &str| create_first_administrator(&town.database, &town.config, first(email)).await;
        let told = create("eva@ibz.example").await.unwrap();
        assert!(told.contains("e***@i***") && !told.contains("eva@"), "{told}");
        assert!(create("other@ibz.example").await.is_err());
        assert!(create("eva@ibz.example").await.is_err());
        // A letter that ran out may follow again; nobody else may.
        town.passes(Duration::from_secs(72 * 3600));
        assert!(create("other@ibz.example").await.is_err());
        create("eva@ibz.example").await.unwrap();
        assert_eq!(town.db(|tx| holders(tx, &Reach::Nation, &[Role::Federal])).await.len(), 1);
        accepts(town, &token_of(&link(town, "eva@ibz.example").await)).await.expect(204);
        town.passes(Duration::from_secs(72 * 3600));
        assert!(create("eva@ibz.example").await.is_err());
        let token = signs_in(town, "eva@ibz.example").await.str("/access_token");
        assert_eq!(town.get("/api/v1/me", &token).await.expect(200).json["grants"][0]["role"], "FED");
    })
    .await;
}
