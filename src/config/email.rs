//! Mail.

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
    /// Domain of `Message-ID`.
    pub message_id_domain: String,
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
