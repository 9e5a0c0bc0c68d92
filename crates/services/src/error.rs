use mf_engine::EngineError;
use mf_store::StoreError;

use crate::{VaultError, password::HashError};

/// What can go wrong beneath a use case, whichever it is.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Something sealed does not open: the master key was changed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A fault of ours.
    #[error("{0}")]
    Internal(&'static str),
}

impl ServiceError {
    /// Whether the same may succeed later, by itself.
    pub(crate) const fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, StoreError::Unavailable(_)),
            Self::Engine(error) => error.is_passing(),
            Self::Vault(_) | Self::Hash(_) | Self::Internal(_) => false,
        }
    }
}
