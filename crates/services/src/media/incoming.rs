use std::{sync::Arc, time::Duration};

use mf_domain::{Jid, WaMessageId};
use mf_engine::{Attachment, EngineError, MediaStream, MessageRef, SessionKey};
use mf_files::{PutError, Stored, sniff};
use mf_store::{Claim, ClaimedMedia, StoreResult};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{Instrument, info_span, warn};

use super::MAX_MEDIA;
use crate::{Services, acts, work};

/// Files being copied at a time,
const AT_A_TIME: usize = 8;
/// and of one session: nobody's history is in the way of everybody's new pictures.
const PER_SESSION: i64 = 2;
/// The longest that a file waits for a bell that nobody rang.
const POLL: Duration = Duration::from_secs(1);
/// The longest that one copy may take.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long whoever copies a file is believed to be at it.
const LEASE: Duration = Duration::from_mins(6);
/// When a file is tried again that was not had. Engines forget files after minutes, but can
/// often fetch them from WhatsApp again for days.
const AGAIN: [Duration; 8] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
    Duration::from_hours(6),
    Duration::from_hours(24),
];

/// Why a file was not copied.
enum NotCopied {
    /// It may be had later.
    Later(String),
    /// It never will be.
    Never(&'static str),
}

impl From<EngineError> for NotCopied {
    fn from(error: EngineError) -> Self {
        Self::Later(error.to_string())
    }
}

impl Services {
    /// Copies files that came in from the engine into our storage, until shutdown: the engine
    /// keeps them for minutes only.
    pub async fn run_media(self: &Arc<Self>) {
        let mut work = JoinSet::new();
        while !self.shutdown.is_cancelled() {
            if let Err(error) = self.claim_and_copy(&mut work).await {
                warn!(error = %error, "files that came in could not be looked through");
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = self.store.wake().media() => {}
                () = sleep(POLL) => {}
                _ = work::ended(&mut work) => {}
            }
        }
        // Each gives back what it has not copied yet.
        work::drain(&mut work).await;
    }

    async fn claim_and_copy(self: &Arc<Self>, work: &mut JoinSet<()>) -> StoreResult<()> {
        let free = AT_A_TIME.saturating_sub(work.len());
        if free == 0 {
            return Ok(());
        }
        let claim = Claim {
            id: self.ids.mint(),
            lease: LEASE,
        };
        let mut tx = self
            .store
            .system("files of all tenants wait in one queue")
            .await?;
        let claimed = tx
            .claim_media(claim, i64::try_from(free).unwrap_or(0), PER_SESSION)
            .await?;
        tx.commit().await?;
        for media in claimed {
            let services = Arc::clone(self);
            let span = info_span!("media", media.id = %media.id);
            let copy = async move {
                if let Err(error) = services.copy(&media, claim).await {
                    // The lease runs out and somebody tries again.
                    warn!(error = %error, "what became of a file was not written down");
                }
            };
            work.spawn(copy.instrument(span));
        }
        Ok(())
    }

    async fn copy(&self, media: &ClaimedMedia, claim: Claim) -> StoreResult<()> {
        let copied = timeout(PATIENCE, self.fetch_and_keep(media));
        let Some(copied) = self.shutdown.run_until_cancelled(copied).await else {
            return self.give_back(media, claim).await;
        };
        let copied = copied.unwrap_or_else(|_| Err(NotCopied::Later("it took too long".into())));
        let mut tx = self.store.system("what became of a file").await?;
        let (noted, outcome) = match copied {
            Ok((stored, mimetype)) => {
                let size = i64::try_from(stored.size).unwrap_or(i64::MAX);
                let noted = tx
                    .media_stored(media.id, claim, size, &stored.sha256, &mimetype)
                    .await?;
                (noted, "stored")
            }
            Err(reason) => {
                let tried = usize::try_from(media.attempts).unwrap_or(1);
                let (error, retry) = match reason {
                    NotCopied::Later(error) => (error, AGAIN.get(tried.saturating_sub(1))),
                    NotCopied::Never(error) => (error.to_owned(), None),
                };
                let noted = tx
                    .media_failed(media.id, claim, &error, retry.copied())
                    .await?;
                (noted, if retry.is_some() { "again" } else { "lost" })
            }
        };
        // Otherwise it was removed meanwhile, or somebody else is at it.
        let known = noted.is_some() || tx.media_is_known(media.id).await?;
        tx.commit().await?;
        if !known {
            self.throw_away(media).await;
        }
        let outcome = if noted.is_some() { outcome } else { "in vain" };
        metrics::counter!("media_copied_total", "outcome" => outcome).increment(1);
        self.media_settled.notify_waiters();
        Ok(())
    }

    /// Leaves it to whoever comes next.
    async fn give_back(&self, media: &ClaimedMedia, claim: Claim) -> StoreResult<()> {
        let mut tx = self.store.system("a file is not fetched now").await?;
        tx.media_released(media.id, claim).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes what was kept of a file that was swept while it was being copied: nobody would
    /// find it any more.
    async fn throw_away(&self, media: &ClaimedMedia) {
        let key = Self::file_key(media.tenant.id(), media.id);
        if let Err(error) = self.files.delete(key).await {
            warn!(error = %error, "a file could not be removed");
        }
    }

    async fn fetch_and_keep(&self, media: &ClaimedMedia) -> Result<(Stored, String), NotCopied> {
        let stream = self.ask_for(media).await?;
        let told = stream.mimetype.clone();
        let key = Self::file_key(media.tenant.id(), media.id);
        let stored = self.files.put_stream(key, stream.body, MAX_MEDIA).await;
        let stored = stored.map_err(|error| match error {
            PutError::Source(error) => error.into(),
            PutError::TooLarge => NotCopied::Never("it is larger than 64 MB"),
            PutError::Files(error) => NotCopied::Later(error.to_string()),
        })?;
        if stored.size == 0 {
            return Err(NotCopied::Later("the engine gave an empty file".into()));
        }
        // What the sender's phone said, unless it said nothing.
        let mimetype = if media.mimetype == UNKNOWN {
            let sniffed = sniff(&stored.head).map(|sniffed| sniffed.mimetype.to_owned());
            sniffed.or(told).unwrap_or_else(|| UNKNOWN.to_owned())
        } else {
            media.mimetype.clone()
        };
        Ok((stored, mimetype))
    }

    /// The file from where the engine said that it is, or else from wherever it says now.
    async fn ask_for(&self, media: &ClaimedMedia) -> Result<MediaStream, NotCopied> {
        if let Some(url) = &media.source_url {
            match self.engine.fetch_media(url).await {
                Ok(Some(stream)) => return Ok(stream),
                Err(error) if error.is_passing() => return Err(error.into()),
                // Gone, or an address that will never do: the engine may give another.
                Ok(None) | Err(_) => {}
            }
        }
        let message = self.message_of(media).await?;
        let key = SessionKey::of(media.session_id);
        let found = self.engine.message(&key, &message).await?;
        let url = match found.and_then(|found| found.attachment) {
            Some(Attachment::Media(media)) => media.url,
            _ => None,
        };
        let url = url.ok_or_else(|| NotCopied::Later("the engine does not have it".into()))?;
        let stream = self.engine.fetch_media(&url).await?;
        stream.ok_or_else(|| NotCopied::Later("the engine has it no more".into()))
    }

    async fn message_of(&self, media: &ClaimedMedia) -> Result<MessageRef, NotCopied> {
        let later = |error: mf_store::StoreError| NotCopied::Later(error.to_string());
        if let Some(id) = media.message_id {
            let mut tx = self.store.begin(media.tenant).await.map_err(later)?;
            let message = tx.messages().lookup(id).await.map_err(later)?;
            tx.commit().await.map_err(later)?;
            if let Some(known) = message.as_ref().and_then(acts::at_engine) {
                return Ok(known);
            }
        }
        let chat = media
            .chat_jid
            .as_deref()
            .and_then(|jid| Jid::parse(jid).ok());
        let (Some(chat), Some(id)) = (chat, &media.wa_message_id) else {
            return Err(NotCopied::Never("its message is gone"));
        };
        Ok(MessageRef {
            chat,
            id: WaMessageId::new(id),
            from_me: media.from_me,
            participant: None,
        })
    }
}

/// What nothing is known of.
pub(crate) const UNKNOWN: &str = "application/octet-stream";
