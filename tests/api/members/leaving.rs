//! The links of letters: leaving, stopping e-mail, seeing one's own data.

use diesel::prelude::*;
use vigie::delivery::{self, Channel, State};
use vigie::storage::schema::deliveries;
use vigie::values::{Id, of};

use super::neighbourhood::{Neighbourhood, last_letter, letters};
use super::something_waits;
use crate::support::{Town, on_both};

async fn states(town: &Town, member: Id<of::Membership>) -> Vec<(Channel, State)> {
    town.db(move |tx| {
        Ok(deliveries::table
            .filter(deliveries::membership_id.eq(Some(member)))
            .order(deliveries::id)
            .select((deliveries::channel, deliveries::state))
            .load(tx.db())?)
    })
    .await
}
fn path(url: &str, town: &Town) -> String {
    url.trim_start_matches(&town.base).to_owned()
}

/// Duty M4: free to leave at any time, in one action, without a sign-in; looking changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_leaves_by_the_link_of_a_letter() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let id = near.member(town, "Anouk").await;
        let stays = near.member(town, "Bea").await;
        something_waits(town, id).await;
        something_waits(town, stays).await;
        let link = path(&delivery::leave_url(&town.config, town.database.keys(), id), town);
        for _ in 0..20 {
            let page = town.open_get(&link).await.expect(200);
            assert!(page.text.contains("<form") && page.text.contains("Le Sart"), "{}", page.text);
        }
        assert_eq!(near.list(town, "").await.items().len(), 2);
        for _ in 0..2 {
            let page = town.post_form(&link, "confirm=yes").await.expect(200);
            assert!(!page.text.contains("<form"), "{}", page.text);
        }
        let page = town.open_get(&format!("{link}?lang=nl")).await.expect(200);
        assert!(page.text.contains("<html lang=\"nl\"") && page.text.contains("Le Sart NL"), "{}", page.text);
        let gone = near.list(town, "?status=left").await;
        assert_eq!(gone.items()[0]["id"], id.to_string());
        assert_eq!(near.list(town, "").await.items().len(), 1);
        assert_eq!(states(town, id).await, [(Channel::Email, State::Cancelled), (Channel::Sms, State::Cancelled)]);
        assert_eq!(states(town, stays).await, [(Channel::Email, State::Planned), (Channel::Sms, State::Planned)]);
        town.delivers_everything().await;
        assert_eq!(letters(town, "anouk@canari.example").len(), 1, "one goodbye");
        assert!(last_letter(town, "anouk@canari.example").contains("Le Sart"));
        town.open_get(&format!("{link}?colour=red")).await.at_fault("?colour");
    })
    .await;
}
/// RFC 8058: a mail program posts, and it is done at once; a mail scanner that looks does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn e_mail_is_stopped_with_one_click() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        for (given, body) in [("Anouk", "List-Unsubscribe=One-Click"), ("Bea", ""), ("Cas", "x=y")] {
            let id = near.member(town, given).await;
            something_waits(town, id).await;
            let link = path(&delivery::unsubscribe_url(&town.config, town.database.keys(), id), town);
            assert!(town.open_get(&link).await.expect(200).text.contains("One-Click"));
            let stopped = async || {
                let read = town.get(&format!("/api/v1/members/{id}"), &near.coordinator.token(town)).await.expect(200);
                (read.json["email_stopped"] == true, read.json["status"].clone())
            };
            assert!(!stopped().await.0);
            town.post_form(&link, body).await.expect(200);
            town.post_form(&link, body).await.expect(200);
            assert_eq!(stopped().await, (true, "active".into()), "still a member");
            assert_eq!(states(town, id).await, [(Channel::Email, State::Cancelled), (Channel::Sms, State::Planned)]);
            assert!(!town.open_get(&link).await.expect(200).text.contains("One-Click"));
        }
        town.delivers_everything().await;
        assert!(town.post_office.mails().is_empty(), "stopping sends nothing");
    })
    .await;
}
/// Whoever follows a broken link in a browser reads what to do, in their language; a program gets the problem.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_link_is_explained_to_people() {
    on_both(async |town| {
        let browser = [("accept", "text/html,application/xhtml+xml")];
        let page = town.send("GET", "/p/leave/broken?lang=nl", None, None, &browser).await.expect(404);
        assert!(page.text.starts_with("<!doctype html>") && page.text.contains("lang=\"nl\""), "{}", page.text);
        assert!(page.text.contains("101"), "{}", page.text);
        town.open_get("/p/leave/broken").await.problem(404, "not-found");
        town.send("GET", "/api/v1/me", None, None, &browser).await.problem(401, "not-signed-in");
    })
    .await;
}
#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_what_it_was_made_for_and_nothing_else() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let id = near.member(town, "Anouk").await;
        let (config, keys) = (&town.config, town.database.keys());
        let leave = path(&delivery::leave_url(config, keys, id), town);
        let unsubscribe = path(&delivery::unsubscribe_url(config, keys, id), town);
        let token = leave.trim_start_matches("/p/leave/");
        for page in ["unsubscribe", "my-data", "contact"] {
            town.open_get(&format!("/p/{page}/{token}")).await.expect(404);
            town.post_form(&format!("/p/unsubscribe/{token}"), "").await.expect(404);
        }
        let foreign = unsubscribe.trim_start_matches("/p/unsubscribe/");
        town.post_form(&format!("/p/leave/{foreign}"), "confirm=yes").await.expect(404);
        let first = if token.starts_with('A') { "B" } else { "A" };
        town.post_form(&format!("/p/leave/{first}{}", &token[1..]), "confirm=yes").await.expect(404);
        let nobody = path(&delivery::leave_url(config, keys, Id::new()), town);
        let page = town.open_get(&nobody).await.expect(404);
        assert!(page.text.starts_with("<!doctype html>"), "{}", page.text);
        town.post_form(&nobody, "confirm=yes").await.expect(404);
        assert_eq!(near.list(town, "").await.items()[0]["status"], "active");
    })
    .await;
}
/// A member sees all that is held about them, in full.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_their_own_data() {
    on_both(async |town| {
        let near = Neighbourhood::found(town).await;
        let id = near.member(town, "Anouk").await;
        near.member(town, "Bea").await;
        let link = path(&delivery::my_data_url(&town.config, town.database.keys(), id), town);
        let page = town.open_get(&link).await.expect(200);
        for text in
            ["Anouk Canari", "anouk@canari.example", "+32470", "Rue du Sart 12", "7060", "leave&#x2f;", "2.3.2026"]
        {
            assert!(page.text.contains(text), "{text} in {}", page.text);
        }
        assert!(!page.text.contains("Bea"), "{}", page.text);
        assert!(!page.text.contains("data-"), "every label is in words: {}", page.text);
        for language in ["fr", "nl", "de", "en"] {
            let page = town.open_get(&format!("{link}?lang={language}")).await.expect(200);
            assert!(page.text.contains(&format!("<html lang=\"{language}\"")));
        }
        // Whoever applied may take the application back by the link on this page.
        let applicant = near.applicant(town, "Cas").await;
        let link = delivery::leave_url(&town.config, town.database.keys(), Id::parse(&applicant).unwrap());
        town.post_form(&path(&link, town), "confirm=yes").await.expect(200);
        assert_eq!(near.list(town, "?status=left").await.items().len(), 1);
    })
    .await;
}
