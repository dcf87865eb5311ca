//! Mail.

use std::net::{IpAddr, SocketAddr};

use secrecy::SecretString;
use serde::Deserialize;

/// How mail leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailTransport {
    /// Into files, for demonstrations and development.
    File,
    /// To a mail server.
    Smtp,
}
/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all: a relay on the same machine.
    None,
    /// STARTTLS, required.
    Starttls,
    /// TLS from the first byte.
    Implicit,
}

/// Mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailConfig {
    /// How it leaves.
    pub transport: EmailTransport,
    /// Address in `From`.
    pub from: String,
    /// Name in `From`.
    pub from_name: String,
    /// Address for replies; empty for none.
    pub reply_to: String,
    /// Where mails come back to; the delivery is put in before the `@`. Empty: to `from`, and nobody reads them for us.
    pub bounce_address: String,
    /// Domain of `Message-ID`.
    pub message_id_domain: String,
    /// Name of the key with which the relay signs (DKIM); empty when nobody said.
    pub dkim_selector: String,
    /// Addresses from which the relay sends into the world.
    pub sending_addresses: Vec<IpAddr>,
    /// Name server that `doctor` asks, as `address` or `address:port`; empty for those of the system.
    pub dns_server: String,
    /// Mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Protection of the connection.
    pub tls: Tls,
    /// PEM of a further root certificate, for a private relay; empty for none.
    pub root_certificate: String,
    /// User; empty for none.
    pub username: String,
    /// Password.
    pub password: SecretString,
    /// Connections at most.
    pub connections: usize,
    /// Seconds until a silent server is given up; shorter than a lease.
    pub timeout_seconds: u64,
    /// Mails a second at most; 0 for as many as the server takes.
    pub per_second: u32,
    /// Another server, for when the first fails.
    pub second: Relay,
}

/// A mail server. All send as the same sender.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// Mail server; empty for none.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Protection of the connection.
    pub tls: Tls,
    /// PEM of a further root certificate, for a private relay; empty for none.
    pub root_certificate: String,
    /// User; empty for none.
    pub username: String,
    /// Password.
    pub password: SecretString,
    /// Connections at most.
    pub connections: usize,
    /// Seconds until a silent server is given up; shorter than a lease.
    pub timeout_seconds: u64,
    /// Mails a second at most; 0 for as many as the server takes.
    pub per_second: u32,
}
impl EmailConfig {
    /// The first server, in the shape of the second.
    #[must_use]
    pub fn first(&self) -> Relay {
        Relay {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls,
            root_certificate: self.root_certificate.clone(),
            username: self.username.clone(),
            password: self.password.clone(),
            connections: self.connections,
            timeout_seconds: self.timeout_seconds,
            per_second: self.per_second,
        }
    }
}
impl EmailConfig {
    /// The name server that `doctor` asks; none for those of the system.
    ///
    /// # Errors
    /// Says that the setting is no address.
    pub fn name_server(&self) -> Result<Option<SocketAddr>, &'static str> {
        let text = self.dns_server.as_str();
        if text.is_empty() {
            return Ok(None);
        }
        let address = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53)));
        address.map(Some).map_err(|_| "must be an address such as 192.0.2.53 or 127.0.0.1:5353")
    }
    /// Can the selector stand in a name of the DNS?
    #[must_use]
    pub fn selector_is_a_name(&self) -> bool {
        self.dkim_selector.is_empty()
            || self.dkim_selector.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            })
    }
}
