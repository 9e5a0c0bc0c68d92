use std::time::Duration;

use mf_domain::{PlanId, SessionId};

/// What the operator chose, as far as use cases must know it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the engine reaches this server: scheme, host and port, without a path.
    pub callback_base: String,
    /// The address that clients see, without a slash at the end.
    pub public_url: String,
    /// How long fetching a client's file from its address may take.
    pub media_timeout: Duration,
    /// How often the engine is asked for messages that were missed.
    pub catch_up_every: Duration,
    /// How long events, and deliveries of them to webhooks, are kept.
    pub event_retention: Duration,
    /// Whether strangers may make accounts.
    pub signup_open: bool,
    /// The plan of a new tenant.
    pub default_plan: PlanId,
    /// Whether a key must name its scopes.
    pub require_key_scopes: bool,
    /// How long an access token is good.
    pub access_token_ttl: Duration,
    /// How long a refresh token is good.
    pub refresh_token_ttl: Duration,
    /// How long an accepted message may wait for its session.
    pub outbox_patience: Duration,
    /// How long whoever sends a message is believed to be at it. Longer than the engine's
    /// time-out, so that nobody else takes over a call that is under way.
    pub send_lease: Duration,
    /// The same for a message with a file, which the engine fetches and WhatsApp takes more
    /// slowly.
    pub media_send_lease: Duration,
    /// After how much silence a working session has to prove that it is one.
    pub watchdog_silence: Duration,
    /// How long a session may be away before it is told as disconnected.
    pub disconnect_grace: Duration,
    /// How soon a failed session is first brought back. The later attempts wait a multiple.
    pub recovery_base: Duration,
}

impl Settings {
    /// Where the engine reports what happens to a session.
    pub fn callback_url(&self, session: SessionId) -> String {
        format!(
            "{}/engine/waha/{session}",
            self.callback_base.trim_end_matches('/')
        )
    }
}
