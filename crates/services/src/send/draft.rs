use bytes::Bytes;
use mf_domain::{ChatId, Jid, MessageText, SessionId};
use mf_engine::{ContactCard, Content, FileToSend, MediaKind, Place, Poll};
use mf_store::Tenant;

use super::{SendRefused, sendable};
use crate::{
    Services,
    media::{KeptFile, Said},
};

/// A message that a client wants sent.
#[derive(Debug)]
pub struct SendRequest {
    /// Through which session.
    pub session_id: SessionId,
    /// To whom.
    pub to: Recipient,
    /// What.
    pub draft: Draft,
    /// The message that it answers: ours or WhatsApp's id.
    pub reply_to: Option<String>,
    /// Whether it may wait for its session.
    pub queue: bool,
}

/// To whom a message goes.
#[derive(Debug, Clone)]
pub enum Recipient {
    /// A conversation by WhatsApp's name.
    Jid(Jid),
    /// A conversation by ours.
    Chat(ChatId),
}

/// What a client wants said.
#[derive(Debug)]
pub enum Draft {
    /// Words.
    Text(MessageText),
    /// A file.
    Media {
        /// Where it comes from.
        source: MediaSource,
        /// As what it is to be shown; `None`: as what its bytes say.
        kind: Option<MediaKind>,
        /// Words below it.
        caption: Option<MessageText>,
        /// Its name, as the recipient shall see it.
        filename: Option<String>,
        /// Its type as the client says it. Believed only where the bytes say nothing.
        mimetype: Option<String>,
    },
    /// A question.
    Poll(Poll),
    /// A place.
    Location(Place),
    /// Contact cards.
    Contacts(Vec<ContactCard>),
}

/// Where a client's file comes from.
pub enum MediaSource {
    /// An address, fetched by this server.
    Url(String),
    /// The request itself.
    Bytes(Bytes),
}

/// Neither addresses, which may hold secrets, nor what is in the file.
impl std::fmt::Debug for MediaSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(_) => f.write_str("Url"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
        }
    }
}

/// A message whose file is here.
pub(crate) struct Prepared {
    pub(crate) session_id: SessionId,
    pub(crate) to: Recipient,
    pub(crate) content: Content,
    pub(crate) file: Option<KeptFile>,
    pub(crate) reply_to: Option<String>,
    pub(crate) queue: bool,
}

impl Services {
    /// Gets a message's file, if it has one, into our own storage.
    pub(super) async fn prepare(
        &self,
        tenant: Tenant,
        request: SendRequest,
    ) -> Result<Prepared, SendRefused> {
        let SendRequest {
            session_id,
            to,
            draft,
            reply_to,
            queue,
        } = request;
        let (content, file) = match draft {
            Draft::Text(text) => (Content::Text(text.as_str().to_owned()), None),
            Draft::Poll(poll) => (Content::Poll(poll), None),
            Draft::Location(place) => (Content::Location(place), None),
            Draft::Contacts(cards) => (Content::Contacts(cards), None),
            Draft::Media {
                source,
                kind,
                caption,
                filename,
                mimetype,
            } => {
                // Nobody's file is fetched for a session that cannot send it.
                let mut tx = self.store.begin(tenant).await?;
                sendable(&mut tx, session_id).await?;
                tx.commit().await?;
                let said = Said {
                    kind,
                    filename,
                    mimetype,
                };
                let kept = self.keep_outgoing(tenant, session_id, source, said).await?;
                let content = Content::Media {
                    kind: kept.kind,
                    file: FileToSend {
                        url: self.media_url_for_engine(tenant, kept.id)?,
                        mimetype: kept.mimetype.clone(),
                        filename: kept.filename.clone(),
                    },
                    caption: caption.map(|text| text.as_str().to_owned()),
                };
                (content, Some(kept))
            }
        };
        Ok(Prepared {
            session_id,
            to,
            content,
            file,
            reply_to,
            queue,
        })
    }
}
