//! A TCP proxy on loopback that adds half of a round-trip time each way; bytes keep their order, and any number may be
//! under way, as on a long line and unlike in a slow server.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// tokio's timer rounds up to the next millisecond and adds half of one on average: taken off.
const TIMER_MS: f64 = 0.6;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:2626")]
    listen: String,
    /// Where to lead.
    #[arg(long, default_value = "127.0.0.1:2525")]
    to: String,
    /// The round-trip time.
    #[arg(long, default_value_t = 20.0)]
    rtt_ms: f64,
}

pub(crate) async fn run(told: Arguments) -> anyhow::Result<()> {
    let delay = Duration::from_secs_f64((told.rtt_ms / 2.0 - TIMER_MS).max(0.0) / 1000.0);
    let listener = TcpListener::bind(&told.listen).await?;
    loop {
        let (near, _) = listener.accept().await?;
        near.set_nodelay(true)?;
        let to = told.to.clone();
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(&to).await else { return };
            let _ = far.set_nodelay(true);
            let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
            tokio::join!(pipe(near_read, far_write, delay), pipe(far_read, near_write, delay));
        });
    }
}
async fn pipe(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut arriving) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let writing = async move {
        while let Some((at, bytes)) = arriving.recv().await {
            tokio::time::sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    let reading = async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let Some(bytes) = buffer.get(..count) else { return };
            if sender.send((Instant::now() + delay, bytes.to_vec())).is_err() {
                return;
            }
        }
    };
    tokio::join!(writing, reading);
}
