use std::{ops::Range, time::Duration};

use mf_domain::{MediaId, MediaState};
use mf_files::{FilesError, Opened};
use mf_store::{Media, StoreError, Tenant};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{ServiceError, Services};

/// How long a reader waits for a file that is on its way.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often somebody who waits looks: another process may have copied it.
const LOOK: Duration = Duration::from_millis(500);

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum MediaUnavailable {
    /// There is no such file in this tenant, or it was removed.
    #[error("Media not found")]
    NotFound,
    /// The engine never had it, or lost it before we could copy it.
    #[error("The file was lost: WhatsApp or the engine no longer had it when it was copied")]
    Lost,
    /// It is being copied.
    #[error("The file is still being copied from the engine")]
    NotYet,
    /// The part that is asked for begins behind the end.
    #[error("The file has {0} bytes: there is no such part")]
    Range(u64),
    /// The storage failed.
    #[error("the storage for media failed")]
    Store(#[source] FilesError),
    /// Something beneath failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl From<StoreError> for MediaUnavailable {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// A file, or a part of it, about to be read.
pub struct OpenedMedia {
    /// What is known of it.
    pub media: Media,
    /// Its bytes.
    pub opened: Opened,
}

impl std::fmt::Debug for OpenedMedia {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenedMedia")
            .field("media", &self.media)
            .finish_non_exhaustive()
    }
}

impl Services {
    /// What is known of a file that is here. Waits a little for one that is on its way.
    pub async fn media(&self, tenant: Tenant, id: MediaId) -> Result<Media, MediaUnavailable> {
        let deadline = Instant::now() + PATIENCE;
        // Whoever waits looks into the database again and again: not everybody at once.
        let mut waiting = None;
        loop {
            let settled = self.media_settled.notified();
            let mut tx = self.store.begin(tenant).await?;
            let media = tx.media().lookup(id).await?;
            tx.commit().await?;
            let media = media.ok_or(MediaUnavailable::NotFound)?;
            match media.state {
                MediaState::Stored => return Ok(media),
                MediaState::Lost => return Err(MediaUnavailable::Lost),
                MediaState::Pending => {}
            }
            if waiting.is_none() {
                let place = self.media_waiters.try_acquire();
                waiting = Some(place.map_err(|_| MediaUnavailable::NotYet)?);
            }
            let look = async {
                tokio::select! {
                    () = settled => {}
                    () = sleep(LOOK) => {}
                }
            };
            if timeout_at(deadline, look).await.is_err() {
                return Err(MediaUnavailable::NotYet);
            }
        }
    }

    /// Opens a file, or a part of it, for reading.
    pub async fn open_media(
        &self,
        tenant: Tenant,
        media: Media,
        range: Option<Range<u64>>,
    ) -> Result<OpenedMedia, MediaUnavailable> {
        let key = Self::file_key(tenant.id(), media.id);
        match self.files.open(key, range).await {
            Ok(opened) => Ok(OpenedMedia { media, opened }),
            Err(FilesError::NotFound) => Err(MediaUnavailable::NotFound),
            Err(FilesError::Range) => {
                let size = media.size.and_then(|size| u64::try_from(size).ok());
                Err(MediaUnavailable::Range(size.unwrap_or(0)))
            }
            Err(error) => Err(MediaUnavailable::Store(error)),
        }
    }

    /// Opens the file that the engine was told to fetch.
    pub async fn open_for_engine(&self, ticket: &str) -> Result<Opened, MediaUnavailable> {
        let key = self.read_ticket(ticket).ok_or(MediaUnavailable::NotFound)?;
        match self.files.open(key, None).await {
            Ok(opened) => Ok(opened),
            Err(FilesError::NotFound) => Err(MediaUnavailable::NotFound),
            Err(error) => Err(MediaUnavailable::Store(error)),
        }
    }
}
