//! A town of its own for each test: the real application, its database, its post office and its clock.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use vigie::access::Recorder;
use vigie::app;
use vigie::config::Config;
use vigie::delivery::{Channels, Courier};
use vigie::storage::{Database, Durability, StorageError, Tx};
use vigie::values::{Clock, Timestamp};
use vigie::worker;

use super::client::Reply;
use super::database::{Kind, TestDatabase};
use super::logs;
use super::post_office::PostOffice;

/// 2026-03-02 10:00 in Belgium: a Monday in winter, by day.
pub const BEGINNING: Timestamp = Timestamp::from_micros(1_772_442_000_000_000);

/// A running Vigie.
pub struct Town {
    pub kind: Kind,
    pub base: String,
    pub database: Database,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub post_office: PostOffice,
    pub courier: Courier,
    pub recorder: Recorder,
    http: reqwest::Client,
    server: actix_web::dev::ServerHandle,
    stored: TestDatabase,
    logged: usize,
}

/// Runs a test on SQLite and on PostgreSQL, each time in a town of its own.
pub async fn on_both(test: impl AsyncFn(&Town)) {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        eprintln!("on {kind:?}");
        let town = Town::start(kind).await;
        test(&town).await;
        town.close().await;
    }
}

impl Town {
    pub async fn start(kind: Kind) -> Self {
        Self::start_with(kind, |_| {}).await
    }
    /// With settings of its own.
    pub async fn start_with(kind: Kind, change: impl FnOnce(&mut Config)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let logged = logs::mark();
        let post_office = PostOffice::open().await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut config = Config::defaults().unwrap();
        config.server.workers = 1;
        config.server.public_url.clone_from(&base);
        config.server.stop_seconds = 1;
        config.limits.argon2_memory_kib = 64;
        config.limits.argon2_passes = 1;
        config.limits.reads_per_minute = std::num::NonZeroU32::MAX;
        config.limits.writes_per_minute = std::num::NonZeroU32::MAX;
        config.limits.network_per_minute = std::num::NonZeroU32::MAX;
        config.limits.applications_per_network = 1_000;
        config.email.transport = vigie::config::EmailTransport::Smtp;
        config.email.tls = vigie::config::Tls::None;
        config.email.host = "127.0.0.1".to_owned();
        config.email.port = post_office.smtp.port();
        config.email.connections = 4;
        config.sms.transport = vigie::config::SmsTransport::Kannel;
        config.sms.url = post_office.gateway.url();
        config.sms.username = "vigie".to_owned();
        config.sms.password = "secret".to_owned().into();
        change(&mut config);
        let config = Arc::new(config);
        let clock = Clock::driven(BEGINNING);
        let stored = TestDatabase::fresh(kind, clock.clone(), Durability::Off);
        let database = stored.database.clone();
        let recorder = Recorder::start(database.clone());
        let server = app::serve(&config, &database, &recorder, &app::rates(&config), listener).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        let channels: Channels = worker::channels(&config).unwrap();
        let courier = Courier::new(database.clone(), channels, Arc::clone(&config));
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self {
            kind,
            base,
            database,
            config,
            clock,
            post_office,
            courier,
            recorder,
            http,
            server: handle,
            stored,
            logged,
        }
    }
    pub async fn close(self) {
        self.server.stop(false).await;
        drop(self.stored);
        logs::hold_nobody(self.logged);
    }
    /// A request as it is; `token` is the access token, if any.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if method == "POST" && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")) {
            request =
                request.header("Idempotency-Key", uuid::Uuid::from_bytes(vigie::storage::random_bytes()).to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Reply::of(request.send().await.unwrap()).await
    }
    /// A request byte for byte: nothing is added but the access token, and any answer is taken, 500 too.
    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> reqwest::Response {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).send().await.unwrap()
    }
    /// Posts a form to one of the small pages.
    pub async fn post_form(&self, path: &str, body: &str) -> Reply {
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_owned());
        Reply::of(request.send().await.unwrap()).await
    }
    pub async fn get(&self, path: &str, token: &str) -> Reply {
        self.send("GET", path, Some(token), None, &[]).await
    }
    pub async fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        self.send("POST", path, Some(token), Some(&body), &[]).await
    }
    pub async fn put(&self, path: &str, token: &str, etag: &str, body: Value) -> Reply {
        self.send("PUT", path, Some(token), Some(&body), &[("if-match", etag)]).await
    }
    pub async fn patch(&self, path: &str, token: &str, etag: &str, body: Value) -> Reply {
        self.send("PATCH", path, Some(token), Some(&body), &[("if-match", etag)]).await
    }
    /// Without a sign-in.
    pub async fn open_get(&self, path: &str) -> Reply {
        self.send("GET", path, None, None, &[]).await
    }
    pub async fn open_post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, None, Some(&body), &[]).await
    }
    /// Lets time pass.
    pub fn passes(&self, by: Duration) {
        self.clock.advance(by);
    }
    /// Drives the couriers until nothing is due, and closes what is done.
    pub async fn delivers_everything(&self) {
        for _ in 0..10_000 {
            let mut claimed = 0;
            for channel in vigie::delivery::Channel::ALL {
                claimed += self.courier.round(*channel).await.unwrap();
            }
            if claimed == 0 {
                self.database.writing(vigie::messages::close_dispatched).await.unwrap();
                return;
            }
        }
        panic!("the queue never empties");
    }
    /// Looks into or changes the database directly.
    pub async fn db<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StorageError> + Send + 'static,
    ) -> T {
        self.database.writing(work).await.unwrap()
    }
}
