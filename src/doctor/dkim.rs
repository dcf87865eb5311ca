//! DKIM (RFC 6376, RFC 8301, RFC 8463): is there a key with which others can check the relay's signatures? The relay
//! signs, so the key it publishes is all that can be looked at from here.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;

use super::dns::Answer;
use super::finding::{CheckName, Finding};
use super::subject::Subject;

/// Shorter keys are worth nothing (RFC 8301, 3.2).
const LEAST_BITS: usize = 1024;
/// What a key should have.
const GOOD_BITS: usize = 2048;

/// Where the key is published.
pub(super) fn place(subject: &Subject) -> String {
    format!("{}._domainkey.{}", subject.selector, subject.domain)
}

/// Names and values of a list such as `v=DKIM1; p=…`; `None` when it is not one, or says a thing twice.
pub(super) fn tags(text: &str) -> Option<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        if tags.insert(name.trim().to_owned(), value.trim().to_owned()).is_some() {
            return None;
        }
    }
    Some(tags)
}

/// What a key record is.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    Rsa(usize),
    Ed25519,
    Revoked,
}
/// Reads a key record: the key, and whether it is only for a test.
fn parse(text: &str) -> Result<(Key, bool), &'static str> {
    let tags = tags(text).ok_or("it is not a list of tags")?;
    let tag = |name: &str| tags.get(name).map(String::as_str);
    if tag("v").is_some_and(|version| version != "DKIM1") {
        return Err("its version is not DKIM1");
    }
    let among = |name: &str, wanted: &[&str]| {
        tag(name).is_none_or(|list| list.split(':').any(|word| wanted.contains(&word.trim())))
    };
    if !among("h", &["sha256"]) {
        return Err("it does not allow SHA-256");
    }
    if !among("s", &["*", "email"]) {
        return Err("it is not for mail");
    }
    let is_test = tag("t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y"));
    let key: String = tag("p").ok_or("it holds no key (p=)")?.split_ascii_whitespace().collect();
    if key.is_empty() {
        return Ok((Key::Revoked, is_test));
    }
    let bytes = STANDARD.decode(key).map_err(|_| "its key is not base64")?;
    let key = match tag("k").unwrap_or("rsa") {
        // The RFC says one form and everybody publishes the other (erratum 3017).
        "rsa" => RsaPublicKey::from_public_key_der(&bytes)
            .ok()
            .or_else(|| RsaPublicKey::from_pkcs1_der(&bytes).ok())
            .map(|key| Key::Rsa(key.n().bits()))
            .ok_or("its key is not an RSA key of at most 4096 bits")?,
        "ed25519" if bytes.len() == 32 => Key::Ed25519,
        "ed25519" => return Err("its key is not an Ed25519 key"),
        _ => return Err("its kind of key is unknown"),
    };
    Ok((key, is_test))
}

/// Judges what stands at the key's place.
pub(super) fn judge(subject: &Subject, answer: Answer<String>) -> Vec<Finding> {
    const CHECK: CheckName = CheckName::Dkim;
    if subject.selector.is_empty() {
        return vec![Finding::fail(
            CHECK,
            "nobody said which DKIM key the relay signs with",
            "let the relay sign with DKIM, and name its selector in the setting email.dkim_selector",
        )];
    }
    let place = place(subject);
    let form = "v=DKIM1; k=rsa; p=PUBLIC-KEY-OF-THE-RELAY";
    let texts = match answer {
        Ok(texts) => texts,
        Err(error) => return vec![Finding::unknown(CHECK, &place, error)],
    };
    let text = match texts.as_slice() {
        [text] => text,
        [] => {
            let next = "publish the public key of the relay, or mend email.dkim_selector";
            return vec![Finding::fail(CHECK, format!("there is no key at {place}"), next).publishing(&place, form)];
        }
        several => {
            let found = format!("there are {} texts at {place}; which of them counts is left to chance", several.len());
            return vec![Finding::fail(CHECK, found, "leave the one with the relay's key")];
        }
    };
    let (key, is_test) = match parse(text) {
        Ok(read) => read,
        Err(what) => {
            let found = format!("the record at {place} cannot be used: {what}");
            return vec![
                Finding::fail(CHECK, found, "publish the key as the relay prints it").publishing(&place, form),
            ];
        }
    };
    let longer = "make a key of 2048 bits under a new selector, publish it, then let the relay sign with it";
    let mut findings = vec![match key {
        Key::Revoked => Finding::fail(CHECK, format!("the key at {place} is revoked (p= is empty)"), longer)
            .publishing(&place, form),
        Key::Rsa(bits) if bits < LEAST_BITS => {
            Finding::fail(CHECK, format!("the key at {place} has {bits} bits; others ignore it"), longer)
        }
        Key::Rsa(bits) if bits < GOOD_BITS => {
            Finding::warn(CHECK, format!("the key at {place} has only {bits} bits"), longer)
        }
        Key::Rsa(bits) => Finding::pass(CHECK, format!("an RSA key of {bits} bits at {place}")),
        Key::Ed25519 => Finding::pass(CHECK, format!("an Ed25519 key at {place}")),
    }];
    if is_test {
        findings.push(Finding::warn(
            CHECK,
            format!("the key at {place} says that it is a test (t=y); some treat such mail as unsigned"),
            "take t=y out of the record",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::dns::CouldNotAsk;
    use crate::doctor::finding::Outcome;
    use crate::doctor::zone::{rsa_key, subject};

    /// accept M19
    #[test]
    fn each_key_has_its_finding() {
        let ed25519 = STANDARD.encode([7_u8; 32]);
        let good = rsa_key(2048);
        let spaced: String = good.chars().map(|c| format!("{c} ")).collect();
        let rsa = |bits| format!("v=DKIM1; k=rsa; p={}", rsa_key(bits));
        let table = [
            (rsa(2048), Outcome::Pass, "2048 bits"),
            (rsa(4096), Outcome::Pass, "4096 bits"),
            (format!("p={good}"), Outcome::Pass, "2048 bits"),
            (format!("v=DKIM1; h=sha1:sha256; s=*; t=s; n=note; p={spaced};"), Outcome::Pass, "2048 bits"),
            (format!("v=DKIM1; k=ed25519; p={ed25519}"), Outcome::Pass, "Ed25519"),
            (rsa(1024), Outcome::Warn, "only 1024 bits"),
            (format!("v=DKIM1; t=s:y; p={good}"), Outcome::Warn, "a test"),
            (rsa(768), Outcome::Fail, "768 bits"),
            ("v=DKIM1; k=rsa; p=".to_owned(), Outcome::Fail, "revoked"),
            ("v=DKIM1; k=rsa".to_owned(), Outcome::Fail, "no key"),
            ("v=DKIM1; p=ha!".to_owned(), Outcome::Fail, "not base64"),
            (format!("v=DKIM1; p={ed25519}"), Outcome::Fail, "not an RSA key"),
            (format!("v=DKIM1; k=ed25519; p={good}"), Outcome::Fail, "not an Ed25519 key"),
            (format!("v=DKIM1; k=dsa; p={good}"), Outcome::Fail, "kind of key"),
            (format!("v=DKIM2; p={good}"), Outcome::Fail, "version"),
            (format!("v=DKIM1; h=sha1; p={good}"), Outcome::Fail, "SHA-256"),
            (format!("v=DKIM1; s=tlsrpt; p={good}"), Outcome::Fail, "not for mail"),
            (format!("v=DKIM1; p={good}; p={good}"), Outcome::Fail, "list of tags"),
            ("hello".to_owned(), Outcome::Fail, "list of tags"),
        ];
        for (record, worst, about) in table {
            let findings = judge(&subject(), Ok(vec![record.clone()]));
            assert_eq!(findings.iter().map(|finding| finding.outcome).max(), Some(worst), "{record}: {findings:#?}");
            assert!(findings.iter().any(|finding| finding.found.contains(about)), "{record}: {findings:#?}");
        }
    }
    #[test]
    fn a_key_in_the_form_of_the_rfc_is_read_too() {
        use rsa::pkcs1::EncodeRsaPublicKey;
        let key = RsaPublicKey::from_public_key_der(&STANDARD.decode(rsa_key(2048)).unwrap()).unwrap();
        let text = format!("v=DKIM1; p={}", STANDARD.encode(key.to_pkcs1_der().unwrap()));
        assert_eq!(parse(&text), Ok((Key::Rsa(2048), false)));
    }
    #[test]
    fn without_one_key_there_is_none() {
        let one = format!("v=DKIM1; p={}", rsa_key(2048));
        let unnamed = Subject { selector: String::new(), ..subject() };
        let table = [
            (judge(&subject(), Ok(Vec::new())), Outcome::Fail, "no key at v1._domainkey.plp.mons.be"),
            (judge(&subject(), Ok(vec![one.clone(), one])), Outcome::Fail, "2 texts"),
            (judge(&subject(), Err(CouldNotAsk("timeout".to_owned()))), Outcome::Unknown, "timeout"),
            (judge(&unnamed, Ok(Vec::new())), Outcome::Fail, "nobody said"),
        ];
        for (findings, outcome, about) in table {
            assert_eq!((findings.len(), findings[0].outcome), (1, outcome), "{findings:#?}");
            assert!(findings[0].found.contains(about), "{findings:#?}");
        }
    }
}
