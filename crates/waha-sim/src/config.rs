//! What a simulator is started with.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How the simulator behaves; see [`Config::new`] and [`Config::quick`].
#[derive(Debug, Clone)]
pub struct Config {
    /// Which of WAHA's engines is imitated; one per process, as with WAHA.
    pub engine: Dialect,
    /// The key every request carries in `X-Api-Key`.
    pub api_key: String,
    /// The WAHA version claimed in answers and events.
    pub version: String,
    /// How long a QR code is shown until it counts as scanned; `None` waits for
    /// [`Sim::scan`](crate::Sim::scan).
    pub auto_pair_after: Option<Duration>,
    /// How long the first QR code lives.
    pub qr_first: Duration,
    /// How long each of the five following QR codes lives.
    pub qr_next: Duration,
    /// How long a call waits for the session to reach the status it needs before it is refused.
    pub status_wait: Duration,
    /// How long a session takes in `STARTING`, and how long a stop blocks.
    pub start_delay: Duration,
    /// When SERVER, DEVICE and READ follow a send, counted from the send. `None`: acknowledgements
    /// come only from [`Sim::ack`](crate::Sim::ack).
    pub ack_delays: Option<[Duration; 3]>,
    /// How long the echo number takes to answer.
    pub echo_delay: Duration,
    /// Where sessions are kept across restarts, as WAHA keeps them in its volume.
    pub state_file: Option<PathBuf>,
    /// Whether a paired account comes with a small history of the last days: chats, groups,
    /// contacts and labels, the same after every restart.
    pub seed: bool,
    /// Whether accounts are business ones, which alone have labels, unless
    /// [`Sim::set_business`](crate::Sim::set_business) says otherwise.
    pub business: bool,
    /// How long a call to WhatsApp hangs on a zombie session before the engine gives up; `None`
    /// leaves it to the caller to give up.
    pub zombie_wait: Option<Duration>,
    /// What the addresses of files begin with. WAHA's default is `http://localhost:3000`, however
    /// it is reached: who runs it elsewhere finds no files there.
    pub base_url: String,
    /// How long a downloaded file can be fetched; `None` keeps it.
    pub files_lifetime: Option<Duration>,
    /// How long one "second" of a callback's retry delay lasts.
    pub callback_retry_unit: Duration,
}

impl Config {
    /// Delays like those of the real thing, for people who look at it: WAHA's QR lifetimes and
    /// waits, pairing by itself four seconds after the first QR code, acknowledgements within
    /// one and a half seconds, and chats with a history.
    pub fn new(api_key: impl Into<String>) -> Self {
        Self {
            engine: Dialect::Noweb,
            api_key: api_key.into(),
            version: "2026.7.1".to_owned(),
            auto_pair_after: Some(Duration::from_secs(4)),
            qr_first: Duration::from_mins(1),
            qr_next: Duration::from_secs(20),
            status_wait: Duration::from_secs(10),
            start_delay: Duration::from_secs(1),
            ack_delays: Some([150, 600, 1500].map(Duration::from_millis)),
            echo_delay: Duration::from_millis(800),
            state_file: None,
            seed: true,
            business: true,
            zombie_wait: Some(Duration::from_secs(10)),
            base_url: "http://localhost:3000".to_owned(),
            files_lifetime: Some(Duration::from_mins(3)),
            callback_retry_unit: Duration::from_secs(1),
        }
    }

    /// Everything within milliseconds, no pairing by itself and empty accounts, for tests.
    ///
    /// QR codes alone keep their human lifetimes: a session that fails by itself after a few
    /// milliseconds would race every test that scans. Tests of the rotation set `qr_first` and
    /// `qr_next`.
    pub fn quick(api_key: impl Into<String>) -> Self {
        Self {
            auto_pair_after: None,
            status_wait: Duration::from_millis(50),
            start_delay: Duration::from_millis(5),
            ack_delays: Some([5, 10, 15].map(Duration::from_millis)),
            echo_delay: Duration::from_millis(5),
            seed: false,
            business: false,
            zombie_wait: Some(Duration::from_millis(50)),
            files_lifetime: None,
            callback_retry_unit: Duration::from_millis(5),
            ..Self::new(api_key)
        }
    }
}

/// The engines WAHA can run on, as far as they are imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Baileys.
    Noweb,
    /// whatsmeow behind gRPC.
    Gows,
    /// whatsapp-web.js in a browser.
    Webjs,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Noweb => "NOWEB",
            Self::Gows => "GOWS",
            Self::Webjs => "WEBJS",
        })
    }
}

/// The name is none of `NOWEB`, `GOWS`, `WEBJS`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("unknown engine {0:?}: expected NOWEB, GOWS or WEBJS")]
pub struct UnknownDialect(pub String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_uppercase().as_str() {
            "NOWEB" => Ok(Self::Noweb),
            "GOWS" => Ok(Self::Gows),
            "WEBJS" => Ok(Self::Webjs),
            _ => Err(UnknownDialect(name.to_owned())),
        }
    }
}
