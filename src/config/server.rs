//! The HTTP server.

use std::net::IpAddr;

use serde::Deserialize;

/// The HTTP server. TLS and HTTP/2 belong to the reverse proxy in front.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on.
    pub listen: String,
    /// How the outside world reaches it: the beginning of every link, without a slash at the end.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Largest body, in bytes.
    pub body_max_bytes: usize,
    /// Threads that serve requests.
    pub workers: usize,
    /// Address and port on which Prometheus reads the metrics; empty for none. In production loopback or private: there is
    /// no sign-in.
    pub metrics_listen: String,
    /// Seconds that running requests get when the process is told to stop.
    pub stop_seconds: u64,
}
