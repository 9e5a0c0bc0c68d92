//! Routes of WAHA that answer 501: those an engine lacks, and those not imitated here.

use axum::http::Method;

use crate::config::Dialect;
use crate::error::ApiError;

const NOWEB: u8 = 1;
const GOWS: u8 = 2;
const WEBJS: u8 = 4;

/// What some engines lack. A segment `*` stands for any one, a last `**` for any further ones.
const LACKING: &[(&str, &str, u8)] = &[
    ("POST", "sendButtons", NOWEB | GOWS | WEBJS),
    ("POST", "sendPollVote", NOWEB),
    ("POST", "sendList", WEBJS),
    ("POST", "send/link-custom-preview", WEBJS),
    ("POST", "send/buttons/reply", NOWEB | GOWS),
    ("POST", "forwardMessage", GOWS),
    ("PUT", "star", GOWS),
    ("GET", "screenshot", NOWEB | GOWS),
    ("GET", "contacts/about", NOWEB | GOWS),
    ("POST", "contacts/block", NOWEB | GOWS),
    ("POST", "contacts/unblock", NOWEB | GOWS),
    ("POST", "*/chats/*/messages/*/pin", GOWS),
    ("POST", "*/chats/*/messages/*/unpin", GOWS),
    ("DELETE", "*/chats/*/messages", NOWEB | GOWS),
    ("DELETE", "*/chats/*", NOWEB | GOWS),
    ("POST", "*/chats/*/archive", GOWS),
    ("POST", "*/chats/*/unarchive", GOWS),
    ("DELETE", "*/groups/*", NOWEB | GOWS),
    ("POST", "*/events", NOWEB | WEBJS),
    ("GET", "*/presence", WEBJS),
    ("POST", "*/channels", WEBJS),
    ("DELETE", "*/channels/*", GOWS | WEBJS),
    ("POST", "*/channels/*/follow", NOWEB | WEBJS),
    ("POST", "*/channels/*/unfollow", NOWEB | WEBJS),
    ("POST", "*/channels/*/mute", NOWEB | WEBJS),
    ("POST", "*/channels/*/unmute", NOWEB | WEBJS),
    ("POST", "*/status/delete", WEBJS),
    ("GET", "*/status/new-message-id", WEBJS),
    ("GET", "*/auth/passkey/**", NOWEB | WEBJS),
    ("POST", "*/auth/passkey/**", NOWEB | WEBJS),
];

/// What WAHA has beyond what is imitated, whatever the method.
const NOT_IMITATED: &[&str] = &[
    "keys/**",
    "apps/**",
    "sessions/start",
    "sessions/stop",
    "sessions/logout",
    "sendText",
    "send/link-custom-preview",
    "sendList",
    "send/buttons/reply",
    "messages",
    "checkNumberStatus",
    "reply",
    "sendLinkPreview",
    "screenshot",
    "server/environment",
    "server/stop",
    "server/debug/**",
    "*/auth/passkey/**",
    "*/status/**",
    "*/events",
];

/// Whether the engine lacks what the request asks for; asked before any handler.
pub(super) fn lacking(engine: Dialect, method: &Method, path: &str) -> bool {
    let this = match engine {
        Dialect::Noweb => NOWEB,
        Dialect::Gows => GOWS,
        Dialect::Webjs => WEBJS,
    };
    let Some(rest) = path.strip_prefix("/api/") else {
        return false;
    };
    LACKING.iter().any(|(wanted, pattern, engines)| {
        method.as_str() == *wanted && engines & this != 0 && fits(pattern, rest)
    })
}

/// Why a route without a handler is refused; `None` when WAHA has no such route either.
pub(super) fn refusal(method: &Method, path: &str) -> Option<ApiError> {
    let rest = path.strip_prefix("/api/")?;
    let known = NOT_IMITATED.iter().any(|pattern| fits(pattern, rest));
    known.then(|| ApiError::NotImitated(format!("{method} {path}")))
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.trim_end_matches('/').split('/');
    for wanted in pattern.split('/') {
        match (wanted, segments.next()) {
            ("**", _) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(segment)) if wanted == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}
