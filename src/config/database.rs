//! The database.

use serde::Deserialize;

/// Which database, and how many connections. Debug shows no password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:PATH` (`{data_dir}` is filled in) or `postgres://…`.
    pub url: String,
    /// Connections in the pool.
    pub connections: u32,
}
impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.url.split(':').next().unwrap_or_default();
        f.debug_struct("DatabaseConfig")
            .field("url", &format_args!("{kind}:…"))
            .field("connections", &self.connections)
            .finish()
    }
}
