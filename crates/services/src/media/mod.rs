//! Files of messages: those that clients send, those that come in, and how both are read.

mod incoming;
mod outgoing;
mod reading;
mod sweep;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use mf_domain::{MediaId, TenantId};
use mf_engine::MediaKind;
use mf_files::{FilesError, Key};
use mf_outbound::FetchError;
use mf_store::{StoreError, Tenant};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use uuid::Uuid;

use crate::{ServiceError, Services};

pub(crate) use incoming::UNKNOWN;
pub(crate) use outgoing::{KeptFile, Said};
pub use reading::{MediaUnavailable, OpenedMedia};

/// Most bytes of a file: what WhatsApp takes, and the contract says.
pub const MAX_MEDIA: u64 = 64 * 1024 * 1024;
/// How long the engine may fetch a file that it was told to send.
const FOR_ENGINE: Duration = Duration::from_hours(24);

/// Why a file is not taken on.
#[derive(Debug, thiserror::Error)]
pub enum MediaRefused {
    /// Its address is not fetched, or gave nothing.
    #[error("media_url: {0}")]
    Fetch(FetchError),
    /// There is nothing in it.
    #[error("The file is empty")]
    Empty,
    /// It has more than [`MAX_MEDIA`] bytes.
    #[error("The file is larger than 64 MB")]
    TooLarge,
    /// It is of a kind that is not sent: programs and web pages, mostly.
    #[error("Files of this kind are not sent: {0}")]
    NotSendable(&'static str),
    /// It is not what it is to be shown as.
    #[error("{wanted}; by its bytes the file is {got}")]
    WrongKind {
        /// What is needed, as a sentence without its end.
        wanted: &'static str,
        /// What it is.
        got: String,
    },
    /// It could not be kept.
    #[error(transparent)]
    Store(FilesError),
    /// Something beneath failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl From<StoreError> for MediaRefused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What a kind of file asks of its bytes.
const fn wanted(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "An image must be a JPEG, PNG or WebP picture",
        MediaKind::Video => "A video must be an MP4",
        MediaKind::Gif => "A GIF must be a GIF or an MP4",
        MediaKind::Audio | MediaKind::Voice => "A voice note must be a sound file",
        MediaKind::Sticker => "A sticker must be a WebP picture",
        MediaKind::Document => "A document must be a file",
    }
}

impl Services {
    pub(crate) fn file_key(tenant: TenantId, media: MediaId) -> Key {
        Key::new(tenant.uuid(), media.uuid())
    }

    /// Where clients read a file.
    pub fn media_url(&self, media: MediaId) -> String {
        format!("{}/api/v2/media/{media}", self.settings.public_url)
    }

    /// What clients see of a message's file: what the row keeps, and where it is.
    pub fn shown_media(&self, media: Option<&Value>) -> Option<Value> {
        let mut shown = media?.clone();
        let id = shown.get("id").and_then(Value::as_str)?;
        let id = Uuid::try_parse(id).ok()?;
        let url = self.media_url(id.into());
        shown.as_object_mut()?.insert("url".to_owned(), url.into());
        Some(shown)
    }

    /// Where the engine fetches a file that it is to send. The address is sealed: it names the
    /// file to us alone, and is good for a day.
    pub(crate) fn media_url_for_engine(
        &self,
        tenant: Tenant,
        media: MediaId,
    ) -> Result<String, ServiceError> {
        let until = self.clock.now() + FOR_ENGINE;
        let named = [
            tenant.id().uuid().as_bytes().as_slice(),
            media.uuid().as_bytes(),
            &until.timestamp().to_be_bytes(),
        ]
        .concat();
        let sealed = self.vault.seal(TICKET, &named)?;
        let base = self.settings.callback_base.trim_end_matches('/');
        Ok(format!(
            "{base}/engine/media/{}",
            URL_SAFE_NO_PAD.encode(sealed)
        ))
    }

    /// The file that such an address names; nothing where it is forged, or too old.
    fn read_ticket(&self, ticket: &str) -> Option<Key> {
        let sealed = URL_SAFE_NO_PAD.decode(ticket).ok()?;
        let opened = self.vault.open(TICKET, &sealed).ok()?;
        let named = opened.expose_secret();
        let (tenant, rest) = named.split_first_chunk::<16>()?;
        let (media, until) = rest.split_first_chunk::<16>()?;
        let until = i64::from_be_bytes(until.try_into().ok()?);
        let fresh = DateTime::from_timestamp(until, 0)? > self.clock.now();
        fresh.then(|| Key::new(Uuid::from_bytes(*tenant), Uuid::from_bytes(*media)))
    }
}

/// What sealed addresses are for.
const TICKET: &[u8] = b"a file for the engine";
