//! What is examined: the identity under which this installation sends.

use std::net::IpAddr;

use crate::config::Config;
use crate::config::EmailConfig;
use crate::config::EmailTransport;
use crate::config::Environment;
use crate::storage::token_hash;
use crate::values::hex;

/// The identity under which this installation sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Domain of `From`: what people see, and what DKIM and DMARC speak about.
    pub domain: String,
    /// Address of the envelope's sender: what SPF speaks about.
    pub envelope: String,
    /// Name of the relay's DKIM key; empty when nobody said.
    pub selector: String,
    /// Addresses from which the relay sends into the world.
    pub addresses: Vec<IpAddr>,
}
impl Subject {
    /// The identity that the settings give.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let email = &config.email;
        Self {
            domain: domain_of(&email.from),
            envelope: envelope_of(email),
            selector: email.dkim_selector.to_ascii_lowercase(),
            addresses: email.sending_addresses.iter().map(IpAddr::to_canonical).collect(),
        }
    }
    /// Does it matter here? Only where real mail goes to real people.
    #[must_use]
    pub fn matters(config: &Config) -> bool {
        config.environment == Environment::Production && config.email.transport == EmailTransport::Smtp
    }
    /// Domain of the envelope's sender.
    #[must_use]
    pub fn envelope_domain(&self) -> String {
        domain_of(&self.envelope)
    }
    /// The whole identity in one word: a verdict about other settings is no verdict about these.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut addresses: Vec<String> = self.addresses.iter().map(IpAddr::to_string).collect();
        addresses.sort();
        let whole = [self.domain.as_str(), &self.envelope_domain(), &self.selector, &addresses.join(",")].join("\n");
        hex(&token_hash(&whole))
    }
}
fn domain_of(address: &str) -> String {
    address.rsplit_once('@').map_or("", |(_, domain)| domain).trim_end_matches('.').to_ascii_lowercase()
}
/// Who the envelope says it is from.
fn envelope_of(email: &EmailConfig) -> String {
    if email.bounce_address.is_empty() { email.from.clone() } else { email.bounce_address.clone() }
}
/// The part of a domain that somebody registered (RFC 7489, 3.2), by the public suffix list: `mons.be` of
/// `alert.plp.mons.be`. A domain without one is its own.
pub(super) fn organizational(domain: &str) -> &str {
    psl::domain_str(domain).unwrap_or(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_is_that_of_the_settings() {
        let mut config = Config::defaults().unwrap();
        config.email.from = "alert@Plp.Mons.BE".to_owned();
        config.email.dkim_selector = "V2026".to_owned();
        config.email.sending_addresses = vec!["::ffff:192.0.2.10".parse().unwrap()];
        let subject = Subject::of(&config);
        assert_eq!((subject.domain.as_str(), subject.selector.as_str()), ("plp.mons.be", "v2026"));
        assert_eq!(subject.addresses, ["192.0.2.10".parse::<IpAddr>().unwrap()]);
        assert!(!Subject::matters(&config));
        config.environment = Environment::Production;
        assert!(!Subject::matters(&config), "file transport");
        config.email.transport = EmailTransport::Smtp;
        assert!(Subject::matters(&config));
        let before = subject.fingerprint();
        config.email.sending_addresses.push("192.0.2.9".parse().unwrap());
        let after = Subject::of(&config);
        assert_ne!(before, after.fingerprint());
        config.email.sending_addresses.reverse();
        assert_eq!(Subject::of(&config).fingerprint(), after.fingerprint(), "in any order");
    }
    #[test]
    fn the_registered_part_of_a_domain() {
        let table = [
            ("mons.be", "mons.be"),
            ("alert.plp.mons.be", "mons.be"),
            ("plp.kuleuven.ac.be", "kuleuven.ac.be"),
            ("alert.example.co.uk", "example.co.uk"),
            ("be", "be"),
        ];
        for (domain, wanted) in table {
            assert_eq!(organizational(domain), wanted);
        }
    }
}
