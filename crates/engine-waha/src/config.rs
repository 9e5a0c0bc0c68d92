use std::time::Duration;

use secrecy::SecretString;

/// Where WAHA is, and how long to wait for it.
#[derive(Debug, Clone)]
pub struct WahaConfig {
    /// Its address, such as `http://waha:3000`; a path in front of its routes is allowed.
    pub base_url: String,
    /// The key for its `X-Api-Key` header.
    pub api_key: SecretString,
    /// How long a connection may take: WAHA is near, or it is not there.
    pub connect_timeout: Duration,
    /// How long a call may take. WAHA itself waits up to 15 seconds for a session to become
    /// ready before it refuses a call, so less than 20 seconds loses its answer.
    pub call_timeout: Duration,
}

impl WahaConfig {
    /// A WAHA with the usual patience: 3 seconds to connect, 30 for a call.
    pub fn new(base_url: impl Into<String>, api_key: SecretString) -> Self {
        Self {
            base_url: base_url.into(),
            api_key,
            connect_timeout: Duration::from_secs(3),
            call_timeout: Duration::from_secs(30),
        }
    }

    /// How long a call may take in which WAHA moves a file: it fetches it from us and brings it
    /// to WhatsApp, or the reverse. No call takes longer.
    pub fn media_timeout(&self) -> Duration {
        self.call_timeout.max(Duration::from_mins(1))
    }
}

/// Why there is no adapter with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum WahaError {
    /// The address is no `http` or `https` URL of a host.
    #[error("the engine's address must be an http or https URL without query and fragment")]
    BaseUrl,
    /// The key cannot stand in a header.
    #[error("the engine's key contains characters that a header cannot carry")]
    ApiKey,
    /// The HTTP client cannot be made.
    #[error("the HTTP client for the engine cannot be made")]
    Client(#[source] reqwest::Error),
}
