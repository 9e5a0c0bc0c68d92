//! What goes wrong beneath handlers, as answers.

use mf_services::{AuthError, CallbackRefused, EngineError, ServiceError};
use mf_store::StoreError;

use crate::ApiError;

/// Seconds after which a client may ask again while the database is away.
const DATABASE_BACK_IN: u64 = 5;

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                Self::unavailable("The database is not available right now", DATABASE_BACK_IN)
                    .because(error)
            }
            StoreError::Constraint { .. } | StoreError::Database(_) => Self::internal(error),
        }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let sentence = sentence(&error);
        match error {
            EngineError::Timeout => Self::gateway_timeout(sentence).because(error),
            EngineError::NotReady { .. }
            | EngineError::Unsupported { .. }
            | EngineError::AccountRestricted
            | EngineError::BadRecipient => Self::bad_request(sentence),
            EngineError::Throttled => Self::unavailable(sentence, 30),
            EngineError::Unreachable
            | EngineError::Interrupted
            | EngineError::SessionMissing
            | EngineError::Refused
            | EngineError::Rejected { .. }
            | EngineError::Failed { .. } => Self::bad_gateway(sentence).because(error),
        }
    }
}

/// The error's own words, as a sentence begins.
fn sentence(error: &EngineError) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or(words)
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Store(error) => error.into(),
            ServiceError::Engine(error) => error.into(),
            ServiceError::Vault(_) | ServiceError::Hash(_) | ServiceError::Internal(_) => {
                Self::internal(error)
            }
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::InvalidApiKey => Self::invalid_api_key(),
            AuthError::InvalidToken => Self::invalid_token(),
            AuthError::Store(error) => error.into(),
        }
    }
}

impl From<CallbackRefused> for ApiError {
    fn from(error: CallbackRefused) -> Self {
        match error {
            CallbackRefused::UnknownSession => Self::not_found("Session"),
            CallbackRefused::BadSignature => Self::unauthorized("Invalid signature"),
            CallbackRefused::Unreadable(_) => Self::bad_request(error.to_string()),
            CallbackRefused::Failed(error) => error.into(),
        }
    }
}
