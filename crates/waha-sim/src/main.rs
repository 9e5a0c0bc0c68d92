//! The simulator as a program.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use mf_waha_sim::{Config, Dialect, Sim};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A server that behaves like WAHA, for machines that cannot reach WhatsApp.
///
/// It speaks WAHA's HTTP contract, shows QR codes, "delivers" messages, acknowledges them and
/// sends WAHA's callbacks. No message leaves this machine.
///
/// Some numbers behave in their own way:
///   15550000001@c.us   answers "echo: " and the text
///   15550000403@c.us   lets nobody add it to groups
///   15550000463@c.us   refuses strangers: 500, "server returned error 463"
///   1555999…           do not have WhatsApp
///
/// Routes below /sim control it: scan a code, bring in a message, fail the next request. They
/// need the key as well. Logs go to stderr; RUST_LOG chooses what is logged.
#[derive(Debug, Parser)]
#[command(name = "waha-sim", version, verbatim_doc_comment)]
struct Args {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,

    /// Which of WAHA's engines to imitate: NOWEB, GOWS or WEBJS. They differ in answers to sends,
    /// in message ids and in what they can do.
    #[arg(long, default_value = "NOWEB")]
    engine: Dialect,

    /// The key callers send in X-Api-Key. Without one, one is made up and printed.
    #[arg(long, env = "WAHA_API_KEY", hide_env_values = true)]
    api_key: Option<String>,

    /// Keep sessions and their pairing in this file, as WAHA does in its volume. Sessions that
    /// ran start again with the next start.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// What the addresses of files in callbacks begin with, as WAHA_BASE_URL says for WAHA.
    #[arg(long, value_name = "URL", default_value = "http://localhost:3000")]
    base_url: String,

    /// A QR code counts as scanned after this many seconds.
    #[arg(long, value_name = "N", default_value_t = 4)]
    auto_pair_seconds: u64,

    /// QR codes wait for POST /sim/sessions/{session}/scan.
    #[arg(long, conflicts_with = "auto_pair_seconds")]
    no_auto_pair: bool,

    /// Accounts start empty, instead of with chats, groups and contacts of the last days.
    #[arg(long)]
    no_seed: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();

    let key = match args.api_key.filter(|key| !key.is_empty()) {
        Some(key) => key,
        None => made_up_key()?,
    };
    let mut config = Config::new(key);
    config.engine = args.engine;
    config.state_file = args.state;
    config.base_url = args.base_url;
    config.seed = !args.no_seed;
    config.auto_pair_after =
        (!args.no_auto_pair).then(|| Duration::from_secs(args.auto_pair_seconds));

    let listener = TcpListener::bind(args.addr)
        .await
        .with_context(|| format!("cannot listen on {}", args.addr))?;
    let address = listener.local_addr()?;
    tracing::info!(%address, engine = %args.engine, "waha-sim listens");
    let stop = stop_signal()?;
    Sim::new(config)
        .serve(listener, stop)
        .await
        .context("serving failed")
}

fn made_up_key() -> io::Result<String> {
    let key = format!("{:032x}", rand::random::<u128>());
    writeln!(io::stdout(), "WAHA_API_KEY={key}")?;
    Ok(key)
}

/// Ready on ctrl-c or SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
