//! A mobile number that did not work and works again, for whoever sits at the machine.

use anyhow::Context;

use crate::accounts;
use crate::storage::Database;
use crate::values::EmailAddress;

/// Lets SMS go again to the owner of an account; what was done, as text.
///
/// # Errors
/// When there is no such account, or its number was not suspended.
pub fn reinstated(database: &Database, email: &EmailAddress) -> anyhow::Result<String> {
    let whose = email.masked();
    let (account, lifted) = database
        .write(|tx| accounts::reinstate_mobile(tx, email))?
        .with_context(|| format!("no account has the address {whose}"))?;
    anyhow::ensure!(lifted > 0, "{whose} has no suspended mobile number");
    // The only trace of it: nobody is signed in here.
    tracing::info!(event = "mobile.reinstated", %account, "SMS go to a suspended mobile number again");
    Ok(format!("SMS go to the mobile number of {whose} again\n"))
}
