//! Ask for a way to a new password. The answer is the same, and comes at the same moment, whether or not there is an
//! account.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::account::{Account, AccountStatus};
use super::actions::RequestPasswordReset;
use super::error::AccountError;
use super::store::{self, TokenPurpose};
use super::tries;
use crate::access::Public;
use crate::config::Config;
use crate::delivery::{LetterTo, enqueue_letter};
use crate::people;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::texts::{LetterKind, letter};
use crate::values::EmailAddress;

/// How long the way is open.
const RESET_LIFE: Duration = Duration::from_secs(3600);
/// The answer waits so long, which is more than writing a letter takes: the time it takes tells nothing.
const ANSWER_AFTER: Duration = Duration::from_millis(150);

/// Counts, and writes the letter for an active account.
pub(super) async fn request_reset(
    open: &Public<RequestPasswordReset>,
    email: EmailAddress,
) -> Result<(), AccountError> {
    let answer_at = Instant::now() + ANSWER_AFTER;
    let (config, network) = (open.config().clone(), open.network());
    let done = open
        .write(move |tx| {
            let taken = tries::take_letter(tx, &config.limits, &email, &network)?;
            let account = store::find_by_email(tx, &email)?;
            if let (Ok(()), Some(account)) = (&taken, account.filter(|a| a.status() == AccountStatus::Active)) {
                send(tx, &config, &account)?;
            }
            Ok::<_, StorageError>(taken)
        })
        .await;
    sleep_until(answer_at).await;
    done?.map_err(AccountError::TooManyTries)
}

fn send(tx: &mut Tx<'_>, config: &Config, account: &Account) -> Result<(), StorageError> {
    // To the address as it was given, not as it was typed now.
    let Some(email) = account.email() else { return Ok(()) };
    let token = store::issue_token(tx, account.id, TokenPurpose::Reset, RESET_LIFE, None)?;
    let person = people::load_person(tx, account.person)?;
    let name = person.name.map(|name| name.for_letter()).unwrap_or_default();
    let url = format!("{}/p/reset/{token}", config.server.public_url);
    let minutes = (RESET_LIFE.as_secs() / 60).to_string();
    let values = [("name", name.as_str()), ("url", url.as_str()), ("minutes", minutes.as_str())];
    let letter = letter(person.language, LetterKind::PasswordReset, &values);
    enqueue_letter(tx, LetterTo { person: person.id, language: person.language, email }, letter)
}
