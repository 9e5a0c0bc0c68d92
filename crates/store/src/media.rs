use chrono::{DateTime, Utc};
use mf_domain::{Direction, MediaId, MediaState, MessageId, SessionId, WaMessageId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    StoreResult, TenantTx,
    word::{MaybeId, Word},
};

/// A file that came or goes with a message.
#[derive(Clone)]
pub struct Media {
    /// Its id, and its name in the file store.
    pub id: MediaId,
    /// The session that it came or goes through. There may be none of this id any more.
    pub session_id: SessionId,
    /// The message that carries it. `None`: not sent yet, or gone.
    pub message_id: Option<MessageId>,
    /// Who sent it.
    pub direction: Direction,
    /// How far we are with it.
    pub state: MediaState,
    /// What it is, as far as is known.
    pub mimetype: String,
    /// What its sender called it.
    pub filename: Option<String>,
    /// Bytes. Until it is stored, what its sender said.
    pub size: Option<i64>,
    /// Of its bytes, once stored.
    pub sha256: Option<Vec<u8>>,
    /// Why it is lost, or was not had at the last attempt.
    pub error: Option<String>,
    /// When we first knew of it.
    pub created_at: DateTime<Utc>,
    /// Since when it is here.
    pub stored_at: Option<DateTime<Utc>>,
}

/// Without the name, which may say as much as a text.
impl std::fmt::Debug for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Media")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Media {
    /// What clients see of it, as [`crate::Message::media`].
    pub fn shown(&self) -> Value {
        shown(
            self.id,
            &self.mimetype,
            self.filename.as_deref(),
            self.size,
            self.state,
        )
    }
}

/// A file to be noted.
#[derive(Debug)]
pub struct NewMedia<'a> {
    /// Its id, and its name in the file store.
    pub id: MediaId,
    /// The session that it came or goes through.
    pub session_id: SessionId,
    /// The message that carries it, where that is there already.
    pub message_id: Option<MessageId>,
    /// What it is, as far as is known.
    pub mimetype: &'a str,
    /// What its sender calls it.
    pub filename: Option<&'a str>,
    /// Bytes, where that is known.
    pub size: Option<i64>,
    /// Where it is.
    pub origin: MediaOrigin<'a>,
}

/// Where a file is when we first know of it.
#[derive(Debug)]
pub enum MediaOrigin<'a> {
    /// A client handed it in, to be sent: it is in the file store, and its size is known.
    Client {
        /// Of its bytes.
        sha256: &'a [u8; 32],
    },
    /// The engine has it.
    Engine {
        /// Where, if the engine said so.
        url: Option<&'a str>,
        /// The message by which the engine can be asked for it: WhatsApp's bare id,
        wa_message_id: &'a WaMessageId,
        /// its conversation,
        chat_jid: &'a str,
        /// and whether it was written on the phone itself.
        from_me: bool,
    },
}

impl NewMedia<'_> {
    /// What clients see of it, as [`crate::Message::media`].
    pub fn shown(&self) -> Value {
        shown(
            self.id,
            self.mimetype,
            self.filename,
            self.size,
            self.state(),
        )
    }

    fn state(&self) -> MediaState {
        match self.origin {
            MediaOrigin::Client { .. } => MediaState::Stored,
            MediaOrigin::Engine { .. } => MediaState::Pending,
        }
    }

    fn direction(&self) -> Direction {
        match self.origin {
            MediaOrigin::Client { .. } | MediaOrigin::Engine { from_me: true, .. } => {
                Direction::Outbound
            }
            MediaOrigin::Engine { from_me: false, .. } => Direction::Inbound,
        }
    }
}

fn shown(
    id: MediaId,
    mimetype: &str,
    filename: Option<&str>,
    size: Option<i64>,
    state: MediaState,
) -> Value {
    json!({
        "id": id,
        "mimetype": mimetype,
        "filename": filename,
        "size": size,
        "status": state.as_str(),
    })
}

/// The columns of [`Media`], of a table named `d`.
macro_rules! media_query {
    ($head:tt, $tail:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            crate::Media,
            $head + r#" d.id, d.session_id, d.message_id AS "message_id!: MaybeId<MessageId>",
                d.direction AS "direction: Word<Direction>",
                d.state AS "state: Word<MediaState>", d.mimetype, d.filename, d.size, d.sha256,
                d.error, d.created_at, d.stored_at "# + $tail,
            $($arg),+
        )
    };
}
pub(crate) use media_query;

/// See [`TenantTx::media`].
#[derive(Debug)]
pub struct MediaFiles<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl MediaFiles<'_> {
    fn tenant(&self) -> Uuid {
        self.tx.tenant().id().uuid()
    }

    /// Notes a file. One that the engine has is fetched once this is committed. A message that
    /// was unsent carries none: then it is swept.
    pub async fn add(self, new: &NewMedia<'_>) -> StoreResult<()> {
        let (sha256, url, wa_message_id, chat_jid, from_me) = match &new.origin {
            MediaOrigin::Client { sha256 } => (Some(sha256.as_slice()), None, None, None, None),
            MediaOrigin::Engine {
                url,
                wa_message_id,
                chat_jid,
                from_me,
            } => (
                None,
                *url,
                Some(wa_message_id.as_str()),
                Some(*chat_jid),
                Some(*from_me),
            ),
        };
        let state = new.state();
        self.tx.awaits_media |= state == MediaState::Pending;
        sqlx::query!(
            "INSERT INTO media (id, tenant_id, session_id, message_id, direction, state, mimetype,
                 filename, size, sha256, source_url, wa_message_id, chat_jid, from_me, stored_at,
                 history)
             VALUES ($1, $2, $3, (
                     SELECT id FROM message
                     WHERE tenant_id = $2 AND id = $4 AND revoked_at IS NULL
                 ), $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                 CASE WHEN $6 = 'stored' THEN now() END, (
                     SELECT coalesce(bool_or(quiet), false) FROM message
                     WHERE tenant_id = $2 AND id = $4
                 ))",
            new.id.uuid(),
            self.tenant(),
            new.session_id.uuid(),
            new.message_id.map(MessageId::uuid),
            new.direction().as_str(),
            state.as_str(),
            new.mimetype,
            new.filename,
            new.size,
            sha256,
            url,
            wa_message_id,
            chat_jid,
            from_me,
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }

    /// One file.
    pub async fn lookup(self, id: MediaId) -> StoreResult<Option<Media>> {
        let tenant = self.tenant();
        let row = media_query!(
            "SELECT",
            "FROM media d WHERE d.tenant_id = $1 AND d.id = $2",
            tenant,
            id.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// The file of a message.
    pub async fn of_message(self, message: MessageId) -> StoreResult<Option<Media>> {
        let tenant = self.tenant();
        let row = media_query!(
            "SELECT",
            "FROM media d WHERE d.tenant_id = $1 AND d.message_id = $2
             ORDER BY d.created_at, d.id LIMIT 1",
            tenant,
            message.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// Says which message carries a file, and shows it there. `false` where another one does,
    /// where the file is gone, or where the message was unsent.
    pub async fn attach(self, id: MediaId, message: MessageId) -> StoreResult<bool> {
        let attached = sqlx::query!(
            "WITH attached AS (
                 UPDATE media SET message_id = $3
                 WHERE tenant_id = $1 AND id = $2
                   AND (message_id IS NULL OR message_id = $3)
                   AND EXISTS (
                       SELECT FROM message
                       WHERE tenant_id = $1 AND id = $3 AND revoked_at IS NULL
                   )
                 RETURNING *
             )
             UPDATE message m
             SET media = coalesce(m.media, '{}') || jsonb_build_object('id', d.id,
                 'mimetype', d.mimetype, 'filename', d.filename, 'size', d.size,
                 'status', d.state)
             FROM attached d WHERE m.tenant_id = $1 AND m.id = $3",
            self.tenant(),
            id.uuid(),
            message.uuid(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(attached.rows_affected() > 0)
    }
}
