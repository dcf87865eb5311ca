//! What is open to all: it says so in its signature, and has its own narrow way to the database.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::proof::Gatehouse;
use crate::config::Config;
use crate::http::Problem;
use crate::http::RateClass;
use crate::http::client_network;
use crate::storage::StorageError;
use crate::storage::Tx;
use crate::values::Id;
use crate::values::of;

/// What a route that is open to all calls itself in the contract.
pub trait Open: 'static {
    /// Its name.
    const NAME: &'static str;
    /// One sentence.
    const SUMMARY: &'static str;
}
/// Routes that are open to all, as types, each with its summary.
#[macro_export]
macro_rules! opens { ($($name:ident: $summary:literal;)+) => { $(
    #[doc = $summary]
    pub(super) enum $name {}
    impl $crate::access::Open for $name {
        const NAME: &'static str = stringify!($name);
        const SUMMARY: &'static str = $summary;
    }
)+ } }

/// Stated in a signature: anybody may call this route. It has its own narrow way to the database.
#[derive(Debug)]
pub struct Public<O: Open> {
    house: Gatehouse,
    client: Option<IpAddr>,
    open: PhantomData<fn() -> O>,
}
impl<O: Open> Public<O> {
    /// Reads.
    ///
    /// # Errors
    /// The work's own.
    pub async fn read<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let _turn = self.house.turns.wait().await?;
        self.house.database.reading(work).await
    }
    /// Whether anything can be written just now, tried by writing.
    ///
    /// # Errors
    /// Why not.
    pub async fn takes_writes(&self) -> Result<(), StorageError> {
        self.house.database.takes_writes().await
    }
    /// Writes, in one transaction.
    ///
    /// # Errors
    /// The work's own.
    pub async fn write<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        self.house.database.writing(work).await
    }
    /// The network the client comes from, for counting tries.
    #[must_use]
    pub fn network(&self) -> String {
        client_network(self.client)
    }
    /// A token for a session that was just opened or renewed.
    #[must_use]
    pub fn token(&self, account: Id<of::Account>, session: Id<of::Session>) -> String {
        self.house.bearer.token(account, session, self.house.database.clock().now())
    }
    /// The settings of this installation.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.house.config
    }
}
impl<O: Open> FromRequest for Public<O> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready((|| {
            let house = Gatehouse::of(request)?;
            let client = house.client(request);
            house.rates.take(&RateClass::Network(client_network(client)))?;
            Ok(Self { house, client, open: PhantomData })
        })())
    }
}
