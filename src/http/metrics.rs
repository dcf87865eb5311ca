//! What this process counts for Prometheus: counters that can be made anywhere, and the requests at this edge. Labels come
//! from fixed sets (words of ours, patterns of routes, names of providers): never anything a client or a person wrote.

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::http::Method;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts};

/// Counters of one name, told apart by their labels.
#[derive(Debug)]
pub struct Counters(Option<IntCounterVec>);
impl Counters {
    /// Counters with a name and labels of their own. A name that is taken or wrong counts nothing: a test scrapes them all.
    #[must_use]
    pub fn new(name: &str, help: &str, labels: &[&str]) -> Self {
        let made = IntCounterVec::new(Opts::new(name, help), labels);
        Self(made.ok().filter(|made| prometheus::register(Box::new(made.clone())).is_ok()))
    }
    /// Counts so many more.
    pub fn add(&self, labels: &[&str], count: u64) {
        if let Some(counter) = self.0.as_ref().and_then(|made| made.get_metric_with_label_values(labels).ok()) {
            counter.inc_by(count);
        }
    }
    /// What was counted so far.
    #[must_use]
    pub fn get(&self, labels: &[&str]) -> u64 {
        self.0
            .as_ref()
            .and_then(|made| made.get_metric_with_label_values(labels).ok())
            .map_or(0, |counter| counter.get())
    }
}

static REQUESTS: LazyLock<Counters> = LazyLock::new(|| {
    Counters::new(
        "vigie_http_requests_total",
        "Requests answered, by pattern of the route.",
        &["method", "route", "status"],
    )
});
static DURATIONS: LazyLock<Option<HistogramVec>> = LazyLock::new(|| {
    let options = HistogramOpts::new("vigie_http_request_seconds", "How long requests took, by pattern of the route.")
        .buckets(vec![0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0]);
    let made = HistogramVec::new(options, &["method", "route"]).ok();
    made.filter(|made| prometheus::register(Box::new(made.clone())).is_ok())
});

/// A method as a label: a client may call anything a method.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
/// Counts a request that was answered; `route` is the pattern, none where nothing is mounted.
pub(super) fn answered(method: &Method, route: Option<&str>, status: u16, took: Duration) {
    let (method, route) = (method_label(method), route.unwrap_or("none"));
    REQUESTS.add(&[method, route, &status.to_string()], 1);
    if let Some(duration) = DURATIONS.as_ref().and_then(|made| made.get_metric_with_label_values(&[method, route]).ok())
    {
        duration.observe(took.as_secs_f64());
    }
}
