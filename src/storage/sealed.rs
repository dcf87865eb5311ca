//! Sealed columns: AES-256-GCM-SIV with the key's id in the envelope and the row as associated data; keyed indexes;
//! and the secrets derived from the same ring for tokens and links.

use std::collections::BTreeMap;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::StorageError;

/// A message authentication code of 32 bytes.
pub type Mac = [u8; 32];

/// First byte of an envelope: the format.
const ENVELOPE: u8 = 1;
const NONCE_BYTES: usize = 12;

/// Why a ring of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The text is not `id base64` lines of 32 bytes.
    #[error("a key line must be `<number 1..255> <32 bytes in base64>`")]
    Unreadable,
    /// No key at all.
    #[error("the key file holds no key")]
    Empty,
    /// Sealed bytes do not open: another key, another row, or damage.
    #[error("sealed bytes do not open with this key for this row")]
    Closed,
}

/// The keys of this installation. The highest id seals; all open. Debug shows ids only.
pub struct Keyring {
    sealing: BTreeMap<u8, Mac>,
    index: Mac,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("ids", &self.sealing.keys().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

fn mac_with(key: &[u8], parts: &[&[u8]]) -> Mac {
    // HMAC takes a key of any length, so this cannot fail; an empty MAC would only ever refuse.
    let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl Keyring {
    /// Reads a key file: one `id base64` a line, `#` begins a comment. The index key is derived from the lowest id,
    /// so adding a key does not change it.
    ///
    /// # Errors
    /// Says what is wrong with the file, never what is in it.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut sealing = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (id, key) = line.split_once(char::is_whitespace).ok_or(KeyringError::Unreadable)?;
            let id: u8 = id.parse().ok().filter(|id| *id > 0).ok_or(KeyringError::Unreadable)?;
            let key: Mac = STANDARD
                .decode(key.trim())
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(KeyringError::Unreadable)?;
            sealing.insert(id, key);
        }
        let first = sealing.values().next().ok_or(KeyringError::Empty)?;
        let index = mac_with(first, &[b"index"]);
        Ok(Self { sealing, index })
    }
    /// The text of a key file with one new key.
    #[must_use]
    pub fn fresh_file() -> String {
        format!(
            "# Keys of the sealed columns. Whoever holds this file and the database reads both: keep them apart.\n1 {}\n",
            STANDARD.encode(random_bytes::<32>())
        )
    }
    /// A secret for one purpose, derived from the lowest key.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Mac {
        mac_with(&self.index, &[b"derive", purpose.as_bytes()])
    }
    /// A code over `parts` for one purpose.
    #[must_use]
    pub fn sign(&self, purpose: &str, parts: &[&[u8]]) -> Mac {
        mac_with(&self.derive(purpose), parts)
    }
    /// The keyed index of a value, 16 bytes.
    #[must_use]
    pub fn index(&self, field: &str, value: &str) -> Vec<u8> {
        mac_with(&self.index, &[field.as_bytes(), value.as_bytes()]).iter().take(16).copied().collect()
    }
    /// Seals bytes for one column of one row.
    ///
    /// # Errors
    /// Only if the cipher refuses, which it does for texts of many gigabytes.
    pub fn seal(&self, column: &str, row: &str, plain: &[u8]) -> Result<Vec<u8>, KeyringError> {
        let (id, key) = self.sealing.last_key_value().ok_or(KeyringError::Empty)?;
        let nonce: [u8; NONCE_BYTES] = random_bytes();
        let aad = format!("{column}|{row}");
        let cipher = Aes256GcmSiv::new(key.into());
        let body = cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: aad.as_bytes() })
            .map_err(|_| KeyringError::Closed)?;
        let mut envelope = vec![ENVELOPE, *id];
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(&body);
        Ok(envelope)
    }
    /// Opens an envelope of `seal`.
    ///
    /// # Errors
    /// `Closed` for another key, another row, or damage.
    pub fn open(&self, column: &str, row: &str, sealed: &[u8]) -> Result<Vec<u8>, KeyringError> {
        let [ENVELOPE, id, rest @ ..] = sealed else { return Err(KeyringError::Closed) };
        let key = self.sealing.get(id).ok_or(KeyringError::Closed)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(KeyringError::Closed)?;
        let aad = format!("{column}|{row}");
        Aes256GcmSiv::new(key.into())
            .decrypt(&Nonce::from(*nonce), Payload { msg: body, aad: aad.as_bytes() })
            .map_err(|_| KeyringError::Closed)
    }
    /// Opens an envelope that holds JSON.
    ///
    /// # Errors
    /// `Corrupt` when it does not open or is not what was expected.
    pub fn open_json<T: DeserializeOwned>(&self, column: &str, row: &str, sealed: &[u8]) -> Result<T, StorageError> {
        let plain = self
            .open(column, row, sealed)
            .map_err(|_| StorageError::Corrupt(format!("{column} of {row} does not open")))?;
        serde_json::from_slice(&plain)
            .map_err(|_| StorageError::Corrupt(format!("{column} of {row} is not what it should be")))
    }
}

/// Random bytes from the system.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    use rand::Rng;
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// A random code of `length` letters of `alphabet`, each equally likely.
#[must_use]
pub fn random_code(length: usize, alphabet: &[u8]) -> String {
    use rand::RngExt;
    let mut rng = rand::rng();
    (0..length)
        .filter_map(|_| alphabet.get(rng.random_range(0..alphabet.len().max(1))))
        .map(|b| char::from(*b))
        .collect()
}

/// What is stored of a random token or code: its SHA-256.
#[must_use]
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Equal, in a time that does not tell where they differ?
#[must_use]
pub fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::Keyring;

    #[test]
    fn a_sealed_value_opens_only_in_its_own_row() {
        let keys = Keyring::parse(&Keyring::fresh_file()).unwrap();
        let sealed = keys.seal("persons.name", "1", b"An").unwrap();
        assert_eq!(keys.open("persons.name", "1", &sealed).unwrap(), b"An");
        assert!(keys.open("persons.name", "2", &sealed).is_err());
        assert!(keys.open("persons.email", "1", &sealed).is_err());
        assert_ne!(sealed, keys.seal("persons.name", "1", b"An").unwrap());
    }
    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let old = Keyring::fresh_file();
        let keys = Keyring::parse(&old).unwrap();
        let sealed = keys.seal("a.b", "1", b"x").unwrap();
        let both = Keyring::parse(&format!(
            "{old}2 {}",
            Keyring::fresh_file().lines().last().unwrap().split_once(' ').unwrap().1
        ))
        .unwrap();
        assert_eq!(both.open("a.b", "1", &sealed).unwrap(), b"x");
        assert_eq!(both.seal("a.b", "1", b"x").unwrap()[1], 2);
        assert_eq!(both.index("f", "v"), keys.index("f", "v"));
    }
    #[test]
    fn another_installation_opens_nothing_and_finds_nothing() {
        let (a, b) = (Keyring::parse(&Keyring::fresh_file()).unwrap(), Keyring::parse(&Keyring::fresh_file()).unwrap());
        assert!(b.open("a.b", "1", &a.seal("a.b", "1", b"x").unwrap()).is_err());
        assert_ne!(a.index("f", "v"), b.index("f", "v"));
    }
}
