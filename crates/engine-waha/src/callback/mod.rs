//! What WAHA reports, from the raw bytes on.

mod attachment;
mod call;
mod changes;
mod decode;
mod group;
mod identity;
mod kind;
mod label;
mod message;
mod poll;
mod presence;
mod signature;
#[cfg(test)]
mod tests;

use mf_engine::{Callback, CallbackError, InboundMessage};
use serde_json::Value;

use crate::json;

/// What a callback says.
pub(crate) struct Report {
    pub(crate) callback: Callback,
    /// The version and the engine that it comes from.
    pub(crate) origin: Option<(String, String)>,
}

/// Checks a callback and reads it.
pub(crate) fn read(
    secret: &[u8],
    header: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
) -> Result<Report, CallbackError> {
    if !signature::is_good(secret, header, body) {
        return Err(CallbackError::BadSignature);
    }
    read_kept(body)
}

/// Reads a callback of which it is known already that its signature is good.
pub(crate) fn read_kept(body: &[u8]) -> Result<Report, CallbackError> {
    decode::decode(body).map_err(|reason| CallbackError::Unreadable { reason })
}

/// Reads a message as WAHA's lists show it, which is as it reports it; `None` for what is none.
/// The reason why it cannot be read has nothing of it.
pub(crate) fn message(shown: &Value) -> Result<Option<InboundMessage>, String> {
    message::read(&json::cleaned(shown), None)
}
