use mf_domain::{MediaId, SessionId};
use mf_engine::MediaKind;
use mf_files::{Kind, PutError, Sniffed, Stored, sniff};
use mf_outbound::{FetchError, Limits};
use mf_store::{MediaOrigin, NewMedia, Tenant};
use serde_json::Value;

use super::{MAX_MEDIA, MediaRefused, UNKNOWN, wanted};
use crate::{MediaSource, ServiceError, Services};

/// Redirects followed on the way to a file: shops and clouds send one or two.
const REDIRECTS: u32 = 5;

/// A client's file that is in our storage.
pub(crate) struct KeptFile {
    pub(crate) id: MediaId,
    pub(crate) kind: MediaKind,
    pub(crate) mimetype: String,
    pub(crate) filename: Option<String>,
    /// What the message's row keeps of it.
    pub(crate) shown: Value,
}

/// What a client says of a file.
pub(crate) struct Said {
    /// As what it is to be shown.
    pub(crate) kind: Option<MediaKind>,
    pub(crate) filename: Option<String>,
    pub(crate) mimetype: Option<String>,
}

impl Services {
    /// Brings a client's file into our storage, noted and not yet part of a message. What is
    /// never sent is swept after an hour.
    pub(crate) async fn keep_outgoing(
        &self,
        tenant: Tenant,
        session: SessionId,
        source: MediaSource,
        said: Said,
    ) -> Result<KeptFile, MediaRefused> {
        let id: MediaId = self.ids.mint();
        let key = Self::file_key(tenant.id(), id);
        let mut tx = self.store.begin(tenant).await?;
        tx.media().reserve(id, session).await?;
        tx.commit().await?;
        let (stored, hint) = self.put(key, source).await?;
        let kept = match examine(id, &stored, hint, said) {
            Ok(kept) => kept,
            Err(refused) => {
                self.files.delete(key).await.map_err(MediaRefused::Store)?;
                return Err(refused);
            }
        };
        let size = i64::try_from(stored.size).map_err(|_| MediaRefused::TooLarge)?;
        let new = NewMedia {
            id,
            session_id: session,
            message_id: None,
            mimetype: &kept.mimetype,
            filename: kept.filename.as_deref(),
            size: Some(size),
            origin: MediaOrigin::Client {
                sha256: &stored.sha256,
            },
        };
        let mut tx = self.store.begin(tenant).await?;
        let complete = tx.media().complete(&new, &stored.sha256).await?;
        tx.commit().await?;
        if !complete {
            return Err(ServiceError::Internal("a file was swept while it came in").into());
        }
        Ok(KeptFile {
            shown: new.shown(),
            ..kept
        })
    }

    /// Stores the bytes, and says what their source calls them.
    async fn put(
        &self,
        key: mf_files::Key,
        source: MediaSource,
    ) -> Result<(Stored, Option<String>), MediaRefused> {
        match source {
            MediaSource::Bytes(bytes) => {
                if bytes.len() as u64 > MAX_MEDIA {
                    return Err(MediaRefused::TooLarge);
                }
                let stored = self.files.put_bytes(key, bytes).await;
                Ok((stored.map_err(MediaRefused::Store)?, None))
            }
            MediaSource::Url(url) => {
                let limits = Limits {
                    max_bytes: MAX_MEDIA,
                    timeout: self.settings.media_timeout,
                    max_redirects: REDIRECTS,
                };
                let fetched = self.outbound.get(&url, limits).await.map_err(of_fetch)?;
                let stored = self.files.put_stream(key, fetched.body, MAX_MEDIA).await;
                Ok((stored.map_err(of_put)?, fetched.filename))
            }
        }
    }
}

fn of_fetch(error: FetchError) -> MediaRefused {
    match error {
        FetchError::TooLarge => MediaRefused::TooLarge,
        other => MediaRefused::Fetch(other),
    }
}

fn of_put(error: PutError<FetchError>) -> MediaRefused {
    match error {
        PutError::Source(error) => of_fetch(error),
        PutError::TooLarge => MediaRefused::TooLarge,
        PutError::Files(error) => MediaRefused::Store(error),
    }
}

/// What the bytes say that a file is, and whether it can be shown as the client wants.
fn examine(
    id: MediaId,
    stored: &Stored,
    hint: Option<String>,
    said: Said,
) -> Result<KeptFile, MediaRefused> {
    if stored.size == 0 {
        return Err(MediaRefused::Empty);
    }
    let sniffed = sniff(&stored.head);
    if let Some(sniffed) = sniffed.filter(|sniffed| !sniffed.is_sendable()) {
        return Err(MediaRefused::NotSendable(sniffed.mimetype));
    }
    let mimetype = match &sniffed {
        Some(sniffed) => sniffed.mimetype.to_owned(),
        None => said
            .mimetype
            .filter(|m| is_harmless(m))
            .unwrap_or_else(|| UNKNOWN.to_owned()),
    };
    let kind = match said.kind {
        None => of_bytes(sniffed.as_ref()),
        Some(kind) if fits(kind, sniffed.as_ref()) => kind,
        Some(kind) => {
            return Err(MediaRefused::WrongKind {
                wanted: wanted(kind),
                got: mimetype,
            });
        }
    };
    let filename = said
        .filename
        .or(hint)
        .map(|name| tidy(&name))
        .filter(|name| !name.is_empty())
        // A document without a name is one that nobody can open.
        .or_else(|| {
            let extension = sniffed.map_or("bin", |sniffed| sniffed.extension);
            (kind == MediaKind::Document).then(|| format!("document.{extension}"))
        });
    Ok(KeptFile {
        id,
        kind,
        mimetype,
        filename,
        shown: Value::Null,
    })
}

/// As what WhatsApp shows such a file best.
fn of_bytes(sniffed: Option<&Sniffed>) -> MediaKind {
    let Some(sniffed) = sniffed else {
        return MediaKind::Document;
    };
    match sniffed.mimetype {
        "image/jpeg" | "image/png" | "image/webp" => MediaKind::Image,
        "image/gif" => MediaKind::Gif,
        "video/mp4" => MediaKind::Video,
        _ => match sniffed.kind {
            Kind::Voice => MediaKind::Voice,
            Kind::Audio => MediaKind::Audio,
            _ => MediaKind::Document,
        },
    }
}

/// Whether a file can be shown as this.
fn fits(kind: MediaKind, sniffed: Option<&Sniffed>) -> bool {
    let mimetype = sniffed.map_or("", |sniffed| sniffed.mimetype);
    match kind {
        MediaKind::Image => matches!(mimetype, "image/jpeg" | "image/png" | "image/webp"),
        MediaKind::Video => mimetype == "video/mp4",
        MediaKind::Gif => matches!(mimetype, "image/gif" | "video/mp4"),
        MediaKind::Sticker => mimetype == "image/webp",
        MediaKind::Audio | MediaKind::Voice => mimetype.starts_with("audio/"),
        MediaKind::Document => true,
    }
}

/// Whether a type that a client names may be believed of bytes that say nothing.
fn is_harmless(mimetype: &str) -> bool {
    let lower = mimetype.to_ascii_lowercase();
    let sound = lower.split_once('/').is_some_and(|(kind, rest)| {
        let token = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-+.".contains(&b))
        };
        token(kind) && token(rest)
    });
    sound && !lower.contains("html") && !lower.contains("script") && !lower.contains("svg")
}

/// A name without folders and without what breaks headers.
fn tidy(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = last.chars().filter(|c| !c.is_control());
    plain.take(255).collect::<String>().trim().to_owned()
}
