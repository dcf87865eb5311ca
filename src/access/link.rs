//! Signed links: the right to do one thing to one's own membership, contact or receipt, carried in a letter instead of
//! a sign-in. The code is an HMAC over purpose and subject; GET shows, POST acts.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::proof::Gatehouse;
use crate::config::Config;
use crate::http::Problem;
use crate::http::RateClass;
use crate::http::client_network;
use crate::storage::Keyring;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::storage::same_bytes;

/// What a link is for. A link for one purpose opens nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Leave a partnership.
    Leave = 1,
    /// Stop one channel of a membership: e-mail.
    UnsubscribeEmail = 2,
    /// Confirm a contact point with the code sent to it.
    ConfirmContact = 3,
    /// See one's own data.
    MyData = 4,
    /// A provider reports on a delivery.
    Receipt = 5,
    /// A gateway hands over an SMS that somebody sent to us.
    InboundSms = 6,
    /// The mail server brings mails that came back.
    ReturnedMail = 7,
}
impl Purpose {
    const fn byte(self) -> u8 {
        match self {
            Self::Leave => 1,
            Self::UnsubscribeEmail => 2,
            Self::ConfirmContact => 3,
            Self::MyData => 4,
            Self::Receipt => 5,
            Self::InboundSms => 6,
            Self::ReturnedMail => 7,
        }
    }
}
/// Bytes of the code; 128 bits cannot be guessed.
const CODE_BYTES: usize = 16;

/// The token of a link: subject and code, base64url, 43 characters.
#[must_use]
pub fn link_token(keys: &Keyring, purpose: Purpose, subject: u128) -> String {
    let subject = subject.to_be_bytes();
    let code = keys.sign("link", &[&[purpose.byte()], &subject]);
    let mut token = subject.to_vec();
    token.extend(code.iter().take(CODE_BYTES));
    URL_SAFE_NO_PAD.encode(token)
}
fn subject_of(keys: &Keyring, purpose: Purpose, token: &str) -> Option<u128> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (subject, code) = bytes.split_first_chunk::<16>()?;
    let expected = keys.sign("link", &[&[purpose.byte()], subject]);
    same_bytes(code, expected.get(..CODE_BYTES)?).then(|| u128::from_be_bytes(*subject))
}

/// What can be done with a signed link.
pub trait Link: 'static {
    /// Its name in the contract.
    const NAME: &'static str;
    /// One sentence.
    const SUMMARY: &'static str;
    /// What the link must be for.
    const PURPOSE: Purpose;
}

/// Proof that the request came with a link made for this. The path must have a `{token}`.
#[derive(Debug)]
pub struct Linked<L: Link> {
    subject: u128,
    house: Gatehouse,
    link: PhantomData<fn() -> L>,
}
impl<L: Link> Linked<L> {
    /// What the link is about: the number behind an identifier.
    #[must_use]
    pub const fn subject(&self) -> u128 {
        self.subject
    }
    /// Reads.
    ///
    /// # Errors
    /// The work's own.
    pub async fn read<T, E>(self, work: impl FnOnce(&mut Tx<'_>, u128) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let _turn = self.house.turns.wait().await?;
        self.house.database.reading(move |tx| work(tx, self.subject)).await
    }
    /// Writes, in one transaction.
    ///
    /// # Errors
    /// The work's own.
    pub async fn write<T, E>(
        self,
        work: impl FnOnce(&mut Tx<'_>, u128) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        self.house.database.writing(move |tx| work(tx, self.subject)).await
    }
    /// Writes, in one transaction with others that come at the same time: for hooks that are called thousands of times.
    ///
    /// # Errors
    /// What the database says.
    pub async fn write_together<T: Send + 'static>(
        self,
        row: i64,
        work: impl FnOnce(&mut Tx<'_>, u128) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.house.database.writing_together(row, move |tx| work(tx, self.subject)).await
    }
    /// The settings of this installation.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.house.config
    }
}
impl<L: Link> FromRequest for Linked<L> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready((|| {
            let house = Gatehouse::of(request)?;
            let token = request.match_info().get("token").unwrap_or_default();
            let Some(subject) = subject_of(house.database.keys(), L::PURPOSE, token) else {
                house.rates.take(&RateClass::Network(client_network(house.client(request))))?;
                return Err(Problem::not_found());
            };
            Ok(Self { subject, house, link: PhantomData })
        })())
    }
}

#[cfg(test)]
mod tests {
    use super::{Purpose, link_token, subject_of};
    use crate::storage::Keyring;

    #[test]
    fn a_link_opens_only_what_it_was_made_for() {
        let keys = Keyring::parse(&Keyring::fresh_file()).unwrap();
        let token = link_token(&keys, Purpose::Leave, 7);
        assert_eq!(subject_of(&keys, Purpose::Leave, &token), Some(7));
        assert_eq!(subject_of(&keys, Purpose::MyData, &token), None);
        let other = Keyring::parse(&Keyring::fresh_file()).unwrap();
        assert_eq!(subject_of(&other, Purpose::Leave, &token), None);
        for cut in 0..token.len() {
            assert_eq!(subject_of(&keys, Purpose::Leave, &token[..cut]), None);
        }
    }
}
