//! accounts

use crate::access::Routes;

/// Mounts nothing yet.
pub fn routes(_: &mut Routes<'_>) {}
/// First.
#[derive(Debug, clap::Args)]
pub struct FirstAdministrator {}
/// Creates.
///
/// # Errors
/// Never.
pub async fn create_first_administrator(
    _: &crate::storage::Database,
    _: &crate::config::Config,
    _: FirstAdministrator,
) -> anyhow::Result<String> {
    Ok(String::new())
}
