//! The ceiling of an SMS gateway: plain requests, as many at once as the channel has, with reports to a listener that does
//! nothing but count them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use vigie::config::Config;

use crate::stock::now;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many SMS.
    #[arg(long)]
    count: u32,
    /// Requests at once; by the settings of the channel when left out.
    #[arg(long)]
    in_flight: Option<usize>,
    /// Where the gateway finds us with its reports; none are asked for when empty.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// Reports for each SMS.
    #[arg(long, default_value_t = 2)]
    reports_each: usize,
    /// What the SMS say.
    #[arg(
        long,
        default_value = "POLICE ALERTE PLP Essai: Tentative de cambriolage rue du Lion. Restez chez vous, allumez. 101. Verifier: https://vigie.example/v/ABCD2345"
    )]
    text: String,
    /// Seconds until the last report is given up.
    #[arg(long, default_value_t = 120)]
    within: u64,
}
/// How often each report came, by number and type.
type Reports = Arc<Mutex<HashMap<(String, String), usize>>>;

pub(crate) async fn run(config: &Config, told: Arguments) -> anyhow::Result<Value> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let reports = Reports::default();
    let hook = if told.listen.is_empty() { None } else { Some(listen(&told.listen, Arc::clone(&reports)).await?) };
    let sms = &config.sms;
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
    let in_flight = told.in_flight.unwrap_or(sms.in_flight).max(1);
    let started_at = now();
    let answers: Vec<Result<u16, ()>> = stream::iter(0..told.count)
        .map(|number| {
            let mut query = vec![
                ("username", sms.username.clone()),
                ("password", sms.password.expose_secret().to_owned()),
                ("from", sms.sender.clone()),
                ("to", format!("+32472{:06}", number % 1_000_000)),
                ("text", told.text.clone()),
                ("coding", "0".to_owned()),
            ];
            if let Some(hook) = &hook {
                query.push(("dlr-mask", "31".to_owned()));
                query.push(("dlr-url", format!("http://{hook}/{number}?type=%d")));
            }
            let asked = client.get(&sms.url).query(&query);
            async move {
                let response = asked.send().await.map_err(drop)?;
                let status = response.status().as_u16();
                response.bytes().await.map_err(drop)?;
                Ok(status)
            }
        })
        .buffer_unordered(in_flight)
        .collect()
        .await;
    let sent_at = now();
    let accepted = answers.iter().filter(|answer| **answer == Ok(202)).count();
    let wanted = if hook.is_some() { accepted * told.reports_each } else { 0 };
    let end = Instant::now() + Duration::from_secs(told.within);
    let distinct = || reports.lock().unwrap_or_else(PoisonError::into_inner).len();
    while distinct() < wanted && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let reported_at = now();
    let twice: usize = reports.lock().unwrap_or_else(PoisonError::into_inner).values().map(|times| times - 1).sum();
    let rate = |until: i64| f64::from(told.count) * 1_000_000.0 / span(started_at, until);
    Ok(json!({
        "count": told.count, "in_flight": in_flight, "accepted": accepted, "reports": distinct(), "reports_wanted": wanted,
        "reports_twice": twice, "sms_per_second": rate(sent_at), "sms_per_second_with_reports": rate(reported_at)
    }))
}
#[expect(clippy::cast_precision_loss, reason = "minutes in microseconds")]
fn span(from: i64, until: i64) -> f64 {
    (until - from).max(1) as f64
}

/// Listens for reports: where.
async fn listen(at: &str, reports: Reports) -> anyhow::Result<std::net::SocketAddr> {
    let listener = TcpListener::bind(at).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(count(stream, Arc::clone(&reports)));
        }
    });
    Ok(address)
}
async fn count(mut stream: TcpStream, reports: Reports) -> Option<()> {
    let (mut input, mut buffer) = (Vec::new(), vec![0; 16_384]);
    loop {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        input.extend_from_slice(buffer.get(..count)?);
        while let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = input.drain(..end + 4).collect();
            let head = String::from_utf8_lossy(&head).into_owned();
            // GET /17?type=8 HTTP/1.1
            let report = head.split_whitespace().nth(1).and_then(|path| path.split_once("?type="));
            if let Some((number, kind)) = report {
                let key = (number.to_owned(), kind.to_owned());
                *reports.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").await.ok()?;
        }
    }
}
