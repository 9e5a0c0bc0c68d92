//! What WAHA reports, from the raw bytes on.

mod decode;
mod kind;
mod message;
mod signature;
#[cfg(test)]
mod tests;

use mf_engine::{Callback, CallbackError};

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
    decode::decode(body).map_err(|reason| CallbackError::Unreadable { reason })
}
