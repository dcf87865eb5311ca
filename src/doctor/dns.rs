//! Questions to the DNS. "Not there" is an empty answer; "could not ask" is an error: the two must never be taken for each
//! other, as the first is a fault to mend and the second says nothing.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

/// How long one server may take for one question.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a question is asked.
const TRIES: usize = 2;

/// Nobody answered, or the answer was that the server is in trouble.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CouldNotAsk(pub String);

/// What is there: nothing is an answer too.
pub type Answer<T> = Result<Vec<T>, CouldNotAsk>;

/// Whoever answers questions about names.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// The texts at a name, each put together from its strings.
    ///
    /// # Errors
    /// When nobody could be asked.
    async fn txt(&self, name: &str) -> Answer<String>;
    /// The addresses of a name, of the same family as `like`.
    ///
    /// # Errors
    /// When nobody could be asked.
    async fn addresses(&self, name: &str, like: IpAddr) -> Answer<IpAddr>;
    /// The mail servers of a domain, the preferred ones first; `.` alone says that it takes no mail (RFC 7505).
    ///
    /// # Errors
    /// When nobody could be asked.
    async fn mx(&self, name: &str) -> Answer<String>;
    /// The names of an address.
    ///
    /// # Errors
    /// When nobody could be asked.
    async fn ptr(&self, address: IpAddr) -> Answer<String>;
}

/// The DNS of the world.
pub struct Dns(TokioResolver);
impl Dns {
    /// Asks this server, or those of the system.
    ///
    /// # Errors
    /// When the system names no server that can be used.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, CouldNotAsk> {
        let mut builder = match server {
            None => TokioResolver::builder_tokio().map_err(|error| CouldNotAsk(error.to_string()))?,
            Some(at) => {
                let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
                connections.iter_mut().for_each(|connection| connection.port = at.port());
                let server = NameServerConfig::new(at.ip(), true, connections);
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options = builder.options_mut();
        options.timeout = PATIENCE;
        options.attempts = TRIES;
        // The world does not see our hosts file.
        options.use_hosts_file = ResolveHosts::Never;
        builder.build().map(Self).map_err(|error| CouldNotAsk(error.to_string()))
    }
    async fn ask<T>(&self, name: &str, kind: RecordType, read: impl Fn(&RData) -> Option<T>) -> Answer<T> {
        // A name that cannot exist is not there. The dot at the end keeps the search list of the machine out.
        let Ok(name) = Name::from_ascii(format!("{}.", name.trim_end_matches('.'))) else { return Ok(Vec::new()) };
        match self.0.lookup(name, kind).await {
            Ok(found) => Ok(found.answers().iter().filter_map(|record| read(&record.data)).collect()),
            Err(NetError::Dns(DnsError::NoRecordsFound(none)))
                if matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain) =>
            {
                Ok(Vec::new())
            }
            Err(error) => Err(CouldNotAsk(error.to_string())),
        }
    }
}
#[async_trait]
impl Resolver for Dns {
    async fn txt(&self, name: &str) -> Answer<String> {
        let text = |data: &RData| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        self.ask(name, RecordType::TXT, text).await
    }
    async fn addresses(&self, name: &str, like: IpAddr) -> Answer<IpAddr> {
        let kind = if like.is_ipv4() { RecordType::A } else { RecordType::AAAA };
        self.ask(name, kind, RData::ip_addr).await
    }
    async fn mx(&self, name: &str) -> Answer<String> {
        let exchange = |data: &RData| match data {
            RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
            _ => None,
        };
        let mut found = self.ask(name, RecordType::MX, exchange).await?;
        found.sort();
        Ok(found.into_iter().map(|(_, host)| host).collect())
    }
    async fn ptr(&self, address: IpAddr) -> Answer<String> {
        let host = |data: &RData| match data {
            RData::PTR(name) => Some(name.to_ascii()),
            _ => None,
        };
        self.ask(&Name::from(address).to_ascii(), RecordType::PTR, host).await
    }
}
