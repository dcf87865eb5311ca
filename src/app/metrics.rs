//! What Prometheus reads, on a listener of its own: no sign-in, so never on a public address; no person, so nothing to hide
//! from whoever runs the machine. What stands in the database is counted at each scrape, in one reading transaction.

use actix_web::dev::{HttpServiceFactory, ServerHandle, ServiceRequest, fn_service};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpResponse, HttpServer, web};
use prometheus::{Encoder, Gauge, GaugeVec, Opts, Registry, TextEncoder};

use crate::delivery;
use crate::delivery::Depth;
use crate::delivery::alarms::{Alarm, AlarmKind, open_alarms};
use crate::storage::Database;
use crate::storage::StorageError;

/// Serves the metrics where the settings say, if they do: on a serving node and on one that only delivers.
///
/// # Errors
/// When the address cannot be listened on.
pub fn serve(listen: &str, database: &Database) -> std::io::Result<Option<ServerHandle>> {
    if listen.is_empty() {
        return Ok(None);
    }
    let listener = std::net::TcpListener::bind(listen)?;
    tracing::info!(listen = %listener.local_addr()?, "metrics");
    let database = database.clone();
    let server = HttpServer::new(move || App::new().service(page(database.clone()))).workers(1).disable_signals();
    let server = server.listen(listener)?.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(Some(handle))
}
/// The one page. Not mounted at the door: nobody signs in here, and it belongs to no contract.
fn page(database: Database) -> impl HttpServiceFactory {
    web::scope("/metrics").default_service(fn_service(move |request: ServiceRequest| {
        let database = database.clone();
        async move {
            let text = scrape(&database).await;
            let answer = HttpResponse::Ok().insert_header((CONTENT_TYPE, prometheus::TEXT_FORMAT)).body(text);
            Ok(request.into_response(answer))
        }
    }))
}

/// Everything that is measured, as Prometheus reads it. A database that is away is one of the things measured.
pub async fn scrape(database: &Database) -> String {
    let counted = database
        .reading(|tx| Ok::<_, StorageError>((delivery::depths(tx)?, open_alarms(tx)?)))
        .await
        .inspect_err(|error| tracing::warn!(%error, "the queue could not be counted"));
    let registry = Registry::new();
    let (depths, alarms) =
        counted.as_ref().map_or((&[] as &[Depth], &[] as &[Alarm]), |(depths, alarms)| (depths, alarms));
    gauge(&registry, "vigie_database_up", "Whether the database answers.", f64::from(u8::from(counted.is_ok())));
    of_the_queue(&registry, depths);
    of_alarms(&registry, counted.is_ok().then_some(alarms));
    of_providers(&registry);
    of_the_process(&registry, database);
    let mut text = Vec::new();
    let families = [prometheus::gather(), registry.gather()].concat();
    if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
        tracing::warn!(%error, "metrics could not be written");
    }
    String::from_utf8(text).unwrap_or_default()
}
fn gauge(registry: &Registry, name: &str, help: &str, value: f64) {
    if let Ok(made) = Gauge::new(name, help) {
        made.set(value);
        let _ = registry.register(Box::new(made));
    }
}
fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str], values: &[(Vec<&str>, f64)]) {
    if let Ok(made) = GaugeVec::new(Opts::new(name, help), labels) {
        for (labels, value) in values {
            if let Ok(one) = made.get_metric_with_label_values(labels) {
                one.set(*value);
            }
        }
        let _ = registry.register(Box::new(made));
    }
}
/// Figures of a queue, a pool or a process: what is beyond is shown as the most.
fn float(count: i64) -> f64 {
    f64::from(u32::try_from(count.max(0)).unwrap_or(u32::MAX))
}
fn of_the_queue(registry: &Registry, depths: &[Depth]) {
    let each = |value: &dyn Fn(&Depth) -> i64| -> Vec<(Vec<&str>, f64)> {
        depths.iter().map(|depth| (vec![depth.channel.as_str(), depth.lane.as_str()], float(value(depth)))).collect()
    };
    let labels = ["channel", "lane"];
    let help = "Deliveries that wait; a lower bound where vigie_queue_is_longer is 1.";
    gauges(registry, "vigie_queue_waiting", help, &labels, &each(&|depth| depth.waiting));
    let help = "1 where more wait than vigie_queue_waiting says: nobody counts further than 100,000.";
    gauges(registry, "vigie_queue_is_longer", help, &labels, &each(&|depth| i64::from(depth.is_longer)));
    gauges(
        registry,
        "vigie_queue_attempting",
        "Deliveries that couriers hold.",
        &labels,
        &each(&|depth| depth.attempting),
    );
    let help = "For how long the oldest delivery has been due; zero when none is.";
    gauges(registry, "vigie_queue_oldest_due_seconds", help, &labels, &each(&|depth| depth.oldest_seconds));
}
fn of_alarms(registry: &Registry, alarms: Option<&[Alarm]>) {
    let Some(alarms) = alarms else { return };
    let count = |kind: AlarmKind| alarms.iter().filter(|alarm| alarm.kind == kind).count();
    let values: Vec<_> = AlarmKind::ALL
        .iter()
        .map(|kind| (vec![kind.as_str()], float(i64::try_from(count(*kind)).unwrap_or(i64::MAX))))
        .collect();
    gauges(registry, "vigie_alarms_open", "Alarms whose cause goes on.", &["kind"], &values);
}
fn of_providers(registry: &Registry) {
    let breakers = delivery::metrics::breakers();
    let values: Vec<_> = breakers
        .iter()
        .map(|(channel, name, down)| (vec![channel.as_str(), name.as_str()], f64::from(u8::from(down.is_some()))))
        .collect();
    let help = "1 while a provider gets nothing but probes.";
    gauges(registry, "vigie_provider_down", help, &["channel", "provider"], &values);
}
fn of_the_process(registry: &Registry, database: &Database) {
    let (open, idle) = database.connections();
    let values = [(vec!["idle"], f64::from(idle)), (vec!["used"], f64::from(open.saturating_sub(idle)))];
    gauges(registry, "vigie_database_connections", "Connections of this process.", &["state"], &values);
    let build = [(vec![env!("CARGO_PKG_VERSION"), database.name()], 1.0)];
    gauges(registry, "vigie_build_info", "Version and kind of database.", &["version", "database"], &build);
    if let Some(free) = database.free_bytes() {
        let free = float(i64::try_from(free / 1024).unwrap_or(i64::MAX)) * 1024.0;
        gauge(
            registry,
            "vigie_database_disk_free_bytes",
            "Free on the disk of the database, where it is a file.",
            free,
        );
    }
    let off = database.clock().offset_seconds().unwrap_or_default();
    let help = "Seconds by which the machine's clock is ahead of the time that is believed, since it jumped.";
    gauge(
        registry,
        "vigie_clock_offset_seconds",
        help,
        if off < 0 { -float(off.saturating_neg()) } else { float(off) },
    );
    if let Some((resident, seconds)) = usage() {
        gauge(registry, "process_resident_memory_bytes", "Resident memory.", float(resident) * 1024.0);
        gauge(registry, "process_cpu_seconds_total", "Processor time of user and system.", seconds);
    }
}
/// Resident KiB and seconds of processor, as Linux tells them; its clock ticks for programs are hundredths on every
/// platform we build for.
fn usage() -> Option<(i64, f64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold anything; the twelfth and thirteenth field after it are what we look for.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (i64, i64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((kib.parse().ok()?, float(user.saturating_add(system)) / 100.0))
}

#[cfg(test)]
mod tests {
    use super::usage;

    #[test]
    fn the_process_knows_what_it_uses() {
        let (resident, seconds) = usage().unwrap();
        assert!(resident > 1_000 && seconds >= 0.0, "{resident} {seconds}");
    }
}
