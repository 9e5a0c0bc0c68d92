use std::io;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Nothing is under the key.
    #[error("there is no such file")]
    NotFound,
    /// The range is empty, turned round, or begins behind the end.
    #[error("the file has no such range")]
    Range,
    /// The folder cannot be made or used.
    #[error("the folder for media cannot be used")]
    Folder(#[source] io::Error),
    /// The configuration is refused.
    #[error("the store for media cannot be set up")]
    Config(#[source] object_store::Error),
    /// The store failed; it may not do so again.
    #[error("the store for media failed")]
    Store(#[source] object_store::Error),
}

impl From<object_store::Error> for FilesError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other => Self::Store(other),
        }
    }
}

/// Why something is not kept. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum PutError<E> {
    /// Where it comes from failed.
    #[error("what was to be kept did not arrive")]
    Source(E),
    /// It has more bytes than allowed.
    #[error("the file is too large")]
    TooLarge,
    /// The store failed.
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// What is not found when something is to be kept is the bucket, and no file.
impl<E> From<object_store::Error> for PutError<E> {
    fn from(error: object_store::Error) -> Self {
        Self::Files(FilesError::Store(error))
    }
}
