//! Passwords: what is typed, and the one slow way in which they are hashed. Hashing never happens inside a transaction.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use tokio::sync::Semaphore;

use super::error::AccountError;
use crate::config::Limits;
use crate::storage::StorageError;
use crate::storage::random_bytes;
use crate::values::Invalid;

/// A password as it was typed. Kept whole: nothing is trimmed or cut.
#[derive(Clone)]
pub(super) struct Password(SecretString);
impl Password {
    /// Longer ones are refused rather than cut.
    pub(super) const MAX: usize = 256;
    /// Reads what was typed.
    pub(super) fn parse(text: &str) -> Result<Self, Invalid> {
        match text.chars().count() {
            0 => Err(Invalid("must not be empty".into())),
            count if count > Self::MAX => Err(Invalid(format!("must be at most {} characters", Self::MAX).into())),
            _ => Ok(Self(SecretString::from(text))),
        }
    }
    pub(super) fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}
impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹password›")
    }
}
impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
impl utoipa::PartialSchema for Password {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .min_length(Some(1))
            .max_length(Some(Self::MAX))
            .into()
    }
}
impl utoipa::ToSchema for Password {
    fn name() -> Cow<'static, str> {
        "Password".into()
    }
}

/// A password could not be hashed: the parameters in the settings are not possible.
#[derive(Debug, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
pub struct HashFault(String);

/// So many hash at once: each takes memory and a core, and reading must go on meanwhile.
const AT_ONCE: usize = 2;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);
/// Whoever waits longer for a turn is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many hashes were made, by memory and passes.
static DONE: Mutex<BTreeMap<(u32, u32), u64>> = Mutex::new(BTreeMap::new());

fn hasher(limits: &Limits) -> Result<Argon2<'static>, HashFault> {
    let params = Params::new(limits.argon2_memory_kib, limits.argon2_passes, 1, None)
        .map_err(|error| HashFault(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}
fn count(limits: &Limits) {
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = done.entry((limits.argon2_memory_kib, limits.argon2_passes)).or_default();
    *made = made.saturating_add(1);
}
/// How many times this process has hashed a password with these parameters, to make or to compare. A sign-in costs one,
/// whether or not the address is known.
#[must_use]
pub fn hashes_done(limits: &Limits) -> u64 {
    let done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    done.get(&(limits.argon2_memory_kib, limits.argon2_passes)).copied().unwrap_or_default()
}
/// Hashes a password with Argon2id and a salt of its own. Takes its time: not for async code, nor inside a transaction.
///
/// # Errors
/// When the parameters in the settings are not possible.
pub fn hash_password(limits: &Limits, password: &str) -> Result<String, HashFault> {
    count(limits);
    hasher(limits)?
        .hash_password_with_salt(password.as_bytes(), &random_bytes::<16>())
        .map(|hash| hash.to_string())
        .map_err(|error| HashFault(error.to_string()))
}
/// What an unknown address is compared with: the same parameters, so the same work, and no password fits.
fn hash_of_nobody(limits: &Limits) -> String {
    let (memory, passes) = (limits.argon2_memory_kib, limits.argon2_passes);
    // 16 bytes of salt and 32 of hash, all zero.
    format!("$argon2id$v=19$m={memory},t={passes},p=1${}${}", "A".repeat(22), "A".repeat(43))
}
fn fits(limits: &Limits, password: &str, stored: &str) -> Result<bool, HashFault> {
    count(limits);
    Ok(hasher(limits)?.verify_password(password.as_bytes(), stored).is_ok())
}

async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HashFault> + Send + 'static,
) -> Result<T, AccountError> {
    let turn = tokio::time::timeout(PATIENCE, TURNS.acquire()).await;
    let Ok(Ok(turn)) = turn else { return Err(StorageError::Busy.into()) };
    let done = tokio::task::spawn_blocking(move || {
        // Held until the work is done, even when nobody waits for it any more.
        let _turn = turn;
        work()
    });
    done.await.unwrap_or_else(|_| Err(HashFault("the work stopped in the middle".to_owned()))).map_err(Into::into)
}
/// Hashes a chosen password, in turn.
pub(super) async fn hash(limits: &Limits, password: Password) -> Result<SecretString, AccountError> {
    let limits = limits.clone();
    in_turn(move || hash_password(&limits, password.reveal()).map(SecretString::from)).await
}
/// Is this the password? Where there is nothing to compare with, the same work is done and the answer is no.
pub(super) async fn verify(
    limits: &Limits,
    password: Password,
    stored: Option<SecretString>,
) -> Result<bool, AccountError> {
    let limits = limits.clone();
    in_turn(move || {
        let nobody = hash_of_nobody(&limits);
        let stored = stored.as_ref().map_or(nobody.as_str(), |stored| stored.expose_secret());
        fits(&limits, password.reveal(), stored)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::{Password, fits, hash_of_nobody, hash_password};
    use crate::config::{Config, Limits};

    fn limits() -> Limits {
        let mut limits = Config::defaults().unwrap().limits;
        (limits.argon2_memory_kib, limits.argon2_passes) = (64, 1);
        limits
    }

    #[test]
    fn a_password_fits_its_own_hash_whole_and_no_other() {
        let limits = limits();
        let long = "x".repeat(200);
        let hash = hash_password(&limits, &long).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(fits(&limits, &long, &hash).unwrap());
        assert!(!fits(&limits, &long[..199], &hash).unwrap());
        assert_ne!(hash, hash_password(&limits, &long).unwrap());
    }
    #[test]
    fn the_hash_of_nobody_can_be_read_so_that_the_work_is_done() {
        use argon2::password_hash::phc::PasswordHash;
        let limits = limits();
        let (nobody, real) = (hash_of_nobody(&limits), hash_password(&limits, "x").unwrap());
        let (nobody, real) = (PasswordHash::new(&nobody).unwrap(), PasswordHash::new(&real).unwrap());
        assert_eq!(nobody.params, real.params);
        assert_eq!(nobody.algorithm, real.algorithm);
        assert_eq!(nobody.hash.unwrap().len(), real.hash.unwrap().len());
        assert_eq!(nobody.salt.unwrap().len(), real.salt.unwrap().len());
    }
    #[test]
    fn a_password_has_1_to_256_characters_and_prints_as_nothing() {
        assert!(Password::parse("").is_err());
        assert!(Password::parse(&"é".repeat(256)).is_ok());
        assert!(Password::parse(&"é".repeat(257)).is_err());
        assert_eq!(format!("{:?}", Password::parse("hunter2").unwrap()), "‹password›");
    }
}
