//! The settings: defaults in the binary, then a file, then the environment (`VIGIE__SECTION__KEY`). Parsed once, into real
//! types; all faults at once; unknown keys refused. Nothing else reads the environment.

mod alarm;
mod database;
mod email;
mod limits;
mod server;
mod sms;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::ExposeSecret;
use serde::Deserialize;

pub use alarm::AlarmConfig;
pub use database::DatabaseConfig;
pub use email::{EmailConfig, EmailTransport, Relay, Tls};
pub use limits::Limits;
pub use server::ServerConfig;
pub use sms::{Gateway, SmsConfig, SmsTransport};

/// Where this runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// On somebody's desk: file transports, a key made in the data folder.
    Development,
    /// For real people: refuses development keys and file transports.
    Production,
}

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where this runs.
    pub environment: Environment,
    /// Folder of the embedded database, the development key and the file transports.
    pub data_dir: String,
    /// File with the keys of the sealed columns; empty means `keys` in the data folder (development only).
    pub keys_file: String,
    /// The HTTP server.
    pub server: ServerConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// Mail.
    pub email: EmailConfig,
    /// SMS.
    pub sms: SmsConfig,
    /// Who is told of alarms.
    pub alarm: AlarmConfig,
    /// Caps and rates.
    pub limits: Limits,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key is unknown or of the wrong type.
    #[error("the configuration is wrong: {0}")]
    Unreadable(String),
    /// What is right by itself does not go together.
    #[error("the configuration does not fit:\n{}", .0.join("\n"))]
    Unfit(Vec<String>),
}

impl Config {
    /// Characters of `email.bounce_address` before the `@`: with the attempt and its code it keeps to the 64 of SMTP.
    pub const BOUNCE_USER_MAX: usize = 19;
    /// Loads defaults, then `file`, then the environment.
    ///
    /// # Errors
    /// Names every fault.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_with(
            file,
            config::Environment::with_prefix("VIGIE")
                .prefix_separator("__")
                .separator("__")
                .try_parsing(true)
                .list_separator(",")
                .with_list_parse_key("server.trusted_proxies")
                .with_list_parse_key("email.sending_addresses"),
        )
    }
    /// The defaults alone: what a test or a demonstration starts from.
    ///
    /// # Errors
    /// Never, unless the defaults themselves are wrong.
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::load_with(None, config::Environment::with_prefix("VIGIE").source(Some(std::collections::HashMap::new())))
    }
    fn load_with(file: Option<&Path>, environment: config::Environment) -> Result<Self, ConfigError> {
        let mut builder = config::Config::builder()
            .add_source(config::File::from_str(include_str!("../../config/default.toml"), config::FileFormat::Toml));
        if let Some(file) = file {
            builder = builder.add_source(config::File::from(file));
        }
        let loaded: Self = builder
            .add_source(environment)
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|error| ConfigError::Unreadable(error.to_string()))?;
        let faults = loaded.faults();
        if faults.is_empty() { Ok(loaded) } else { Err(ConfigError::Unfit(faults)) }
    }
    /// What does not go together, each with what to do.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.environment == Environment::Production {
            if self.keys_file.is_empty() {
                faults.push("keys_file: production needs its own key file; make one with `vigie keys new`".to_owned());
            }
            if self.email.transport == EmailTransport::File {
                faults.push("email.transport: production sends real mail; set it to \"smtp\"".to_owned());
            }
            if self.sms.transport == SmsTransport::File {
                faults.push("sms.transport: production sends real SMS; set it to \"kannel\"".to_owned());
            }
            if !self.server.public_url.starts_with("https://") {
                faults.push("server.public_url: links in letters must be https in production".to_owned());
            }
        }
        self.faults_of_the_watch(&mut faults);
        if self.server.public_url.ends_with('/') {
            faults.push("server.public_url: leave out the slash at the end".to_owned());
        }
        if self.email.transport == EmailTransport::Smtp && self.email.host.is_empty() {
            faults.push("email.host: name the mail server".to_owned());
        }
        if self.sms.transport == SmsTransport::Kannel && self.sms.url.is_empty() {
            faults.push("sms.url: give the address of the gateway's sendsms".to_owned());
        }
        if crate::values::EmailAddress::parse(&self.email.from).is_err() {
            faults.push("email.from: must be an e-mail address".to_owned());
        }
        let bounces = &self.email.bounce_address;
        if !bounces.is_empty() {
            if crate::values::EmailAddress::parse(bounces).is_err() {
                faults.push("email.bounce_address: must be an e-mail address, or empty".to_owned());
            }
            if bounces.split('@').next().is_some_and(|user| user.len() > Self::BOUNCE_USER_MAX || user.contains('+')) {
                faults.push(format!(
                    "email.bounce_address: at most {} characters before the @, and no +",
                    Self::BOUNCE_USER_MAX
                ));
            }
        }
        if let Err(wrong) = self.email.name_server() {
            faults.push(format!("email.dns_server: {wrong}"));
        }
        if !self.email.selector_is_a_name() {
            faults.push("email.dkim_selector: must be a name such as v2026, without _domainkey".to_owned());
        }
        faults
    }
    /// Metrics have no sign-in, and a pager is told over the open net.
    fn faults_of_the_watch(&self, faults: &mut Vec<String>) {
        let production = self.environment == Environment::Production;
        let metrics = &self.server.metrics_listen;
        if !metrics.is_empty() {
            match metrics.parse::<SocketAddr>() {
                Err(_) => {
                    faults.push("server.metrics_listen: give an address and a port, as 127.0.0.1:9100".to_owned())
                }
                Ok(at) if production && !is_private(at.ip()) => faults.push(
                    "server.metrics_listen: production shows its metrics on a loopback or private address only"
                        .to_owned(),
                ),
                Ok(_) => {}
            }
        }
        let url = self.alarm.webhook_url.expose_secret();
        let reachable = url.starts_with("https://") || (!production && url.starts_with("http://"));
        if !url.is_empty() && !reachable {
            faults.push("alarm.webhook_url: must begin with https://".to_owned());
        }
        let secret = self.alarm.webhook_secret.expose_secret();
        let key = secret.strip_prefix("whsec_").and_then(|key| BASE64.decode(key).ok());
        if !secret.is_empty() && key.is_none_or(|key| key.len() < 24) {
            faults.push("alarm.webhook_secret: must be whsec_ and at least 24 bytes in base64".to_owned());
        }
    }
}
/// Loopback, or of a range that is not routed in public. The unspecified address is every address there is.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, ConfigError, Environment};

    #[test]
    fn the_defaults_run_anywhere() {
        let config = Config::defaults().unwrap();
        assert_eq!(config.environment, Environment::Development);
        assert!(config.database.url.starts_with("sqlite:"));
    }
    #[test]
    fn production_refuses_every_development_setting_at_once() {
        let mut config = Config::defaults().unwrap();
        config.environment = Environment::Production;
        assert_eq!(config.faults().len(), 4);
    }
    #[test]
    fn an_address_for_bounces_leaves_room_for_the_delivery() {
        let faults = |address: &str| {
            let mut config = Config::defaults().unwrap();
            config.email.bounce_address = address.to_owned();
            config.faults().len()
        };
        assert_eq!((faults(""), faults("bounces@plp.example")), (0, 0));
        assert_eq!((faults("bounces"), faults("b+x@plp.example")), (1, 1));
        assert_eq!(faults(&format!("{}@plp.example", "b".repeat(24))), 1);
    }
    #[test]
    fn a_name_server_and_a_selector_are_looked_at() {
        let mut config = Config::defaults().unwrap();
        assert_eq!(config.email.name_server(), Ok(None));
        for (text, wanted) in [("192.0.2.53", "192.0.2.53:53"), ("[2001:db8::53]:5353", "[2001:db8::53]:5353")] {
            config.email.dns_server = text.to_owned();
            assert_eq!(config.email.name_server(), Ok(Some(wanted.parse().unwrap())));
        }
        config.email.dns_server = "ns1.example".to_owned();
        config.email.dkim_selector = "v1._domainkey example".to_owned();
        let faults = config.faults();
        assert!(
            faults[0].starts_with("email.dns_server") && faults[1].starts_with("email.dkim_selector"),
            "{faults:?}"
        );
    }
    #[test]
    fn an_unknown_key_is_refused() {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), "[server]\nlisten_adress = \"x\"\n").unwrap();
        assert!(
            matches!(Config::load(Some(file.path())), Err(ConfigError::Unreadable(text)) if text.contains("listen_adress"))
        );
    }
    /// Metrics name no person, but they say how busy the police are: they stay inside.
    #[test]
    fn production_shows_its_metrics_inside_only() {
        let faults = |listen: &str, environment| {
            let mut config = Config::defaults().unwrap();
            config.environment = environment;
            config.server.metrics_listen = listen.to_owned();
            config.faults().iter().filter(|fault| fault.contains("metrics_listen")).count()
        };
        for inside in ["", "127.0.0.1:9100", "[::1]:9100", "10.2.3.4:9100", "192.168.0.7:9100", "[fd00::7]:9100"] {
            assert_eq!(faults(inside, Environment::Production), 0, "{inside}");
        }
        for outside in ["0.0.0.0:9100", "[::]:9100", "198.51.100.7:9100", "[2001:db8::7]:9100", "[::ffff:8.8.8.8]:9100"]
        {
            assert_eq!(faults(outside, Environment::Production), 1, "{outside}");
            assert_eq!(faults(outside, Environment::Development), 0, "{outside}");
        }
        assert_eq!(faults("9100", Environment::Development), 1);
    }
    #[test]
    fn a_pager_is_told_over_tls_with_a_real_secret_or_none() {
        let faults = |url: &str, secret: &str| {
            let mut config = Config::defaults().unwrap();
            config.environment = Environment::Production;
            config.alarm.webhook_url = url.to_owned().into();
            config.alarm.webhook_secret = secret.to_owned().into();
            config.faults().iter().filter(|fault| fault.starts_with("alarm.")).count()
        };
        assert_eq!(faults("https://pager.example/x", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLasw"), 0);
        assert_eq!(faults("https://pager.example/x", ""), 0);
        assert_eq!(faults("http://pager.example/x", ""), 1);
        assert_eq!(faults("https://pager.example/x", "hunter2"), 1);
        assert_eq!(faults("https://pager.example/x", "whsec_aHVudGVyMg=="), 1);
    }
    #[test]
    fn debug_shows_no_secret() {
        let mut config = Config::defaults().unwrap();
        config.email.password = "hunter2".to_owned().into();
        config.sms.password = "hunter2".to_owned().into();
        config.alarm.webhook_url = "https://pager.example/hunter2".to_owned().into();
        config.alarm.webhook_secret = "whsec_hunter2".to_owned().into();
        config.database.url = "postgres://vigie:hunter2@db/vigie".to_owned();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
