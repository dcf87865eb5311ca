//! The first administrator: invited from the command line, as there is nobody yet who could invite.

use anyhow::bail;

use super::account::AccountStatus;
use super::invite::{Invitation, invite};
use super::store;
use crate::access::{NewGrant, Reach, Role, grant, holders};
use crate::config::Config;
use crate::storage::Database;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::phrase;
use crate::values::EmailAddress;
use crate::values::Language;
use crate::values::PersonName;

/// Who becomes the first administrator.
#[derive(Debug, Clone, clap::Args)]
pub struct FirstAdministrator {
    /// The address the invitation goes to.
    #[arg(long, value_parser = EmailAddress::parse)]
    pub email: EmailAddress,
    /// Given name.
    #[arg(long)]
    pub given: String,
    /// Family name.
    #[arg(long)]
    pub family: String,
    /// Language of the letter: fr, nl, de or en.
    #[arg(long, default_value = "fr", value_parser = language)]
    pub language: Language,
}
fn language(text: &str) -> Result<Language, String> {
    Language::parse(text).ok_or_else(|| "must be fr, nl, de or en".to_owned())
}

/// Invites the first administrator by letter and gives them the federal role over the whole country. Refuses when somebody
/// has that role. When that is an invited account of the same address whose letter has run out, a new letter is sent.
///
/// # Errors
/// When there is an administrator already, the name is not acceptable, or the database fails.
pub async fn create_first_administrator(
    database: &Database,
    config: &Config,
    first: FirstAdministrator,
) -> anyhow::Result<String> {
    let name = PersonName::parse(&first.given, &first.family)?;
    let (config, language) = (config.clone(), first.language);
    let masked = first.email.masked();
    let invitation = Invitation {
        email: first.email,
        name,
        language,
        mobile: None,
        role: Role::Federal,
        inviter: phrase(language, "brand-long", &[]),
    };
    let invited = database.writing(move |tx| appoint(tx, &config, invitation)).await?;
    if !invited {
        bail!("there is an administrator already; administrators invite each other");
    }
    Ok(format!("an invitation is on its way to {masked}; it can be accepted within 72 hours"))
}

fn appoint(tx: &mut Tx<'_>, config: &Config, invitation: Invitation) -> Result<bool, StorageError> {
    let known = store::find_by_email(tx, &invitation.email)?;
    let appointed = holders(tx, &Reach::Nation, &[Role::Federal])?;
    if !appointed.is_empty() {
        let Some(known) = known else { return Ok(false) };
        let same = appointed.iter().all(|grant| grant.account == known.id);
        if !same || known.status() != AccountStatus::Invited || store::has_open_token(tx, known.id)? {
            return Ok(false);
        }
        invite(tx, config, invitation)?;
        return Ok(true);
    }
    let account = invite(tx, config, invitation)?;
    let from_at = tx.now()?;
    let (role, reach, flags) = (Role::Federal, Reach::Nation, Vec::new());
    grant(tx, NewGrant { account, role, reach, flags, from_at, until_at: None, by: None })?;
    Ok(true)
}
