//! Signing in, sessions, passwords and invitations.

mod invitations;
mod passwords;
mod sessions;
mod sign_in;

use mail_parser::MessageParser;
use serde_json::{Value, json};
use vigie::access::Role;
use vigie::accounts::{Invitation, create_active, hash_password, invite};
use vigie::storage::StorageError;
use vigie::values::{EmailAddress, Id, Language, PersonName, of};

use crate::support::{Reply, Town};

pub const PASSWORD: &str = "drie fietsen op zolder";

pub fn invitation(email: &str) -> Invitation {
    Invitation {
        email: EmailAddress::parse(email).unwrap(),
        name: PersonName::parse("Noor", "Verhaegen").unwrap(),
        language: Language::Nl,
        mobile: None,
        role: Role::Coordinator,
        inviter: "Politiezone Kust".to_owned(),
    }
}
/// Somebody who can sign in with `PASSWORD`.
pub async fn somebody(town: &Town, email: &str) -> Id<of::Account> {
    let (config, invitation) = (town.config.clone(), invitation(email));
    town.db(move |tx| {
        let hash = hash_password(&config.limits, PASSWORD).map_err(|error| StorageError::Broken(error.to_string()))?;
        create_active(tx, &config, invitation, &hash)
    })
    .await
}
pub async fn invited(town: &Town, email: &str) -> Id<of::Account> {
    let (config, invitation) = (town.config.clone(), invitation(email));
    town.db(move |tx| invite(tx, &config, invitation)).await
}
pub async fn tries(town: &Town, email: &str, password: &str) -> Reply {
    town.open_post("/api/v1/sessions", json!({ "email": email, "password": password })).await
}
pub async fn signs_in(town: &Town, email: &str) -> Reply {
    tries(town, email, PASSWORD).await.expect(201)
}
pub async fn renews(town: &Town, refresh_token: &str) -> Reply {
    town.open_post("/api/v1/sessions/renewal", json!({ "refresh_token": refresh_token })).await
}
pub async fn deletes(town: &Town, path: &str, token: &str) -> Reply {
    town.send("DELETE", path, Some(token), None, &[]).await
}
/// The same answer to whoever asks, but for the id of the request.
pub fn without_instance(reply: &Reply) -> Value {
    let mut json = reply.json.clone();
    json.as_object_mut().unwrap().remove("instance").expect("a problem names its request");
    json
}
/// The texts of the letters to an address, oldest first.
pub async fn letters(town: &Town, email: &str) -> Vec<String> {
    town.delivers_everything().await;
    let mails = town.post_office.mails();
    mails
        .iter()
        .filter(|mail| mail.to() == email)
        .map(|mail| {
            let mail = MessageParser::default().parse(&mail.bytes).expect("a mail");
            format!("{}\n{}", mail.subject().unwrap_or_default(), mail.body_text(0).unwrap_or_default())
        })
        .collect()
}
/// The path of the link in the latest letter.
pub async fn link(town: &Town, email: &str) -> String {
    let letter = letters(town, email).await.pop().expect("a letter");
    let at = letter.find(&town.base).unwrap_or_else(|| panic!("no link in {letter}"));
    letter[at + town.base.len()..].split_whitespace().next().unwrap().to_owned()
}
pub fn token_of(link: &str) -> String {
    link.rsplit('/').next().unwrap().to_owned()
}
