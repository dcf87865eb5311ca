//! A DNS in memory, for tests: what is not in it is not there, and what is `sick` cannot be asked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use async_trait::async_trait;

use super::dns::{Answer, CouldNotAsk, Resolver};
use super::subject::Subject;

/// The identity that the tests examine.
pub(super) fn subject() -> Subject {
    Subject {
        domain: "plp.mons.be".to_owned(),
        envelope: "alert@plp.mons.be".to_owned(),
        selector: "v1".to_owned(),
        addresses: vec!["192.0.2.10".parse().unwrap(), "2001:db8:1::10".parse().unwrap()],
    }
}
/// A DNS in which everything about it is as it should be.
pub(super) fn good() -> Zone {
    Zone::default()
        .txt("plp.mons.be", "v=spf1 ip4:192.0.2.10 ip6:2001:db8:1::10 -all")
        .txt("plp.mons.be", "some-site-verification=1")
        .txt("v1._domainkey.plp.mons.be", &format!("v=DKIM1; k=rsa; p={}", rsa_key(2048)))
        .txt("_dmarc.plp.mons.be", "v=DMARC1; p=reject; rua=mailto:dmarc@mons.be")
        .ptr("192.0.2.10", "relay.mons.be.")
        .ptr("2001:db8:1::10", "relay.mons.be.")
        .a("relay.mons.be", "192.0.2.10")
        .a("relay.mons.be", "2001:db8:1::10")
        .mx("plp.mons.be", "mail.mons.be.")
}
/// A public key of so many bits, as a record holds it.
pub(super) fn rsa_key(bits: usize) -> String {
    use base64::Engine;
    use rsa::pkcs8::EncodePublicKey;
    let modulus = (rsa::BigUint::from(1_u8) << (bits - 1)) + 1_u8;
    let key = rsa::RsaPublicKey::new_unchecked(modulus, 65_537_u32.into());
    base64::engine::general_purpose::STANDARD.encode(key.to_public_key_der().unwrap())
}

/// A DNS in memory.
#[derive(Debug, Default, Clone)]
pub(super) struct Zone {
    texts: BTreeMap<String, Vec<String>>,
    addresses: BTreeMap<String, Vec<IpAddr>>,
    exchanges: BTreeMap<String, Vec<String>>,
    names: BTreeMap<IpAddr, Vec<String>>,
    sick: BTreeSet<String>,
}
impl Zone {
    pub(super) fn txt(mut self, name: &str, text: &str) -> Self {
        self.texts.entry(name.to_owned()).or_default().push(text.to_owned());
        self
    }
    pub(super) fn no_txt(mut self, name: &str) -> Self {
        self.texts.remove(name);
        self
    }
    pub(super) fn a(mut self, name: &str, address: &str) -> Self {
        self.addresses.entry(name.to_owned()).or_default().push(address.parse().unwrap());
        self
    }
    pub(super) fn mx(mut self, name: &str, host: &str) -> Self {
        self.exchanges.entry(name.to_owned()).or_default().push(host.to_owned());
        self
    }
    pub(super) fn ptr(mut self, address: &str, host: &str) -> Self {
        self.names.entry(address.parse().unwrap()).or_default().push(host.to_owned());
        self
    }
    /// SERVFAIL, whatever is asked about this name.
    pub(super) fn sick(mut self, name: &str) -> Self {
        self.sick.insert(name.to_owned());
        self
    }
    fn ask<T: Clone>(&self, name: &str, found: Option<&Vec<T>>) -> Answer<T> {
        if self.sick.contains(name) {
            Err(CouldNotAsk("SERVFAIL".to_owned()))
        } else {
            Ok(found.cloned().unwrap_or_default())
        }
    }
}
#[async_trait]
impl Resolver for Zone {
    async fn txt(&self, name: &str) -> Answer<String> {
        self.ask(name, self.texts.get(name))
    }
    async fn addresses(&self, name: &str, like: IpAddr) -> Answer<IpAddr> {
        let found = self.ask(name, self.addresses.get(name))?;
        Ok(found.into_iter().filter(|address| address.is_ipv4() == like.is_ipv4()).collect())
    }
    async fn mx(&self, name: &str) -> Answer<String> {
        self.ask(name, self.exchanges.get(name))
    }
    async fn ptr(&self, address: IpAddr) -> Answer<String> {
        self.ask(&address.to_string(), self.names.get(&address))
    }
}
