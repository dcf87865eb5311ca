//! The web application: builds what is shared, mounts every slice, serves.

mod health;
mod metrics;
pub mod mobile;
pub mod queue;
pub mod time;
pub mod verify;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};
use tracing_actix_web::TracingLogger;

use crate::access::Contract;
use crate::access::Gatehouse;
use crate::access::Recorder;
use crate::access::Routes;
use crate::accounts;
use crate::config::Config;
use crate::config::Environment;
use crate::delivery;
use crate::http::Rates;
use crate::http::RootSpan;
use crate::http::finish;
use crate::members;
use crate::messages;
use crate::partnerships;
use crate::storage::Database;
use crate::storage::Durability;
use crate::storage::Keyring;
use crate::storage::Target;
use crate::territory;
use crate::values::Clock;

pub use metrics::{scrape, serve as serve_metrics};

/// Mounts every slice at the door and returns what was mounted.
pub fn mount(config: &mut ServiceConfig) -> Contract {
    let mut routes = Routes::new(config);
    health::routes(&mut routes);
    accounts::routes(&mut routes);
    territory::routes(&mut routes);
    partnerships::routes(&mut routes);
    members::routes(&mut routes);
    messages::routes(&mut routes);
    delivery::routes(&mut routes);
    routes.contract()
}

/// The contract of this binary. Builds a throw-away application, as actix keeps its configuration to itself.
///
/// # Errors
/// Names what was mounted twice.
pub fn contract() -> Result<Contract, String> {
    let mut contract = None;
    let _ = App::new().configure(|config| contract = Some(mount(config)));
    contract.ok_or_else(|| "nothing was mounted".to_owned())
}

/// Opens the keys and the database that the settings name.
///
/// # Errors
/// When a key file is missing or unreadable, or the database cannot be opened.
pub fn open(config: &Config, clock: Clock, durability: Durability) -> anyhow::Result<Database> {
    std::fs::create_dir_all(&config.data_dir)?;
    let keys = Arc::new(keys(config)?);
    let url = config.database.url.replace("{data_dir}", &config.data_dir);
    let target = Target::parse(&url, durability).map_err(|reason| anyhow::anyhow!(reason))?;
    let database = Database::open(&target, config.database.connections, clock, keys)
        .map_err(|error| anyhow::anyhow!("the database cannot be opened: {error}"))?;
    database.write(territory::load_reference)?;
    Ok(database)
}
/// What has to stand in the configuration of each Kannel gateway.
///
/// # Errors
/// When the key file is missing or unreadable.
pub fn hooks(config: &Config) -> anyhow::Result<String> {
    std::fs::create_dir_all(&config.data_dir)?;
    let keys = keys(config)?;
    let mut text = String::from(concat!(
        "# Reports: nothing to set. Each SMS carries its own address,\n",
        "# /hooks/sms/TOKEN?type=%d&id=%F, as `dlr-url`.\n",
        "# In the group `smsbox`, so that nothing is lost while we are away:\n",
        "#   http-request-retry = 100\n#   http-queue-delay = 10\n",
        "# If it has an `smsbox-id`, Kannel drops what members send, STOP too, until this names it:\n",
        "#   group = smsbox-route\n#   smsbox-id = ID-OF-THE-SMSBOX\n#   smsc-id = ID-OF-THE-SMSC\n",
    ));
    for gateway in members::GATEWAYS {
        text.push_str(&format!(
            "\n# The gateway of [{}]: what members send to us.\n\
             group = sms-service\nkeyword = default\ncatch-all = true\nmax-messages = 0\nomit-empty = true\nget-url = \"{}\"\n",
            gateway.name,
            gateway.inbound_url(config, &keys),
        ));
    }
    Ok(text)
}
/// Where the mail server brings mails that come back.
///
/// # Errors
/// When the key file is missing or unreadable.
pub fn mail_hook(config: &Config) -> anyhow::Result<String> {
    std::fs::create_dir_all(&config.data_dir)?;
    Ok(delivery::returned_mail_url(config, &keys(config)?))
}
/// The keys: the file that is named, else one made in the data folder, which production refuses.
fn keys(config: &Config) -> anyhow::Result<Keyring> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if !config.keys_file.is_empty() {
        return Ok(Keyring::parse(&std::fs::read_to_string(&config.keys_file)?)?);
    }
    anyhow::ensure!(config.environment != Environment::Production, "production needs its own key file");
    let path = std::path::Path::new(&config.data_dir).join("keys");
    if !path.exists() {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(Keyring::fresh_file().as_bytes())?;
        // On the disk before anything is sealed with it: what a power cut took could never be opened again.
        file.sync_all()?;
        std::fs::File::open(&config.data_dir)?.sync_all()?;
    }
    Ok(Keyring::parse(&std::fs::read_to_string(&path)?)?)
}

/// The budgets of this node.
#[must_use]
pub fn rates(config: &Config) -> Arc<Rates> {
    let limits = &config.limits;
    Arc::new(Rates::new(limits.reads_per_minute, limits.writes_per_minute, limits.network_per_minute))
}

/// Starts serving on a listener. The future ends when the server has stopped.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    config: &Arc<Config>,
    database: &Database,
    recorder: &Recorder,
    rates: &Arc<Rates>,
    listener: TcpListener,
) -> std::io::Result<Server> {
    let house =
        web::Data::new(Gatehouse::new(database.clone(), recorder.clone(), Arc::clone(rates), Arc::clone(config)));
    let contract = contract().and_then(Contract::openapi).map_err(std::io::Error::other)?;
    let body_max = config.server.body_max_bytes;
    let helmet = health::helmet().into_middleware().map_err(|error| std::io::Error::other(error.to_string()))?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(house.clone())
            .app_data(web::PayloadConfig::new(body_max))
            .wrap(from_fn(finish))
            .wrap(TracingLogger::<RootSpan>::new())
            .wrap(helmet.clone())
            .wrap(from_fn(health::content_policy))
            .configure(|config| drop(mount(config)))
            .service(health::contract_page(contract.clone()))
    });
    let server = server
        .workers(config.server.workers)
        .shutdown_timeout(config.server.stop_seconds)
        .client_request_timeout(Duration::from_secs(5))
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
