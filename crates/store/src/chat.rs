mod file;
mod list;
mod names;
mod unite;

use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{ChatId, ContactId, Jid, JidKind, SessionId};
use uuid::Uuid;

pub use list::{ChatRef, ChatRow};

use crate::{StoreResult, TenantTx};

/// Who is on the other side of a chat, as the columns of `chat` and `contact` want it.
#[derive(Debug, Clone)]
pub struct ChatPeer<'a> {
    /// The conversation.
    pub jid: &'a Jid,
    /// The name that a person gives themselves, where it is known.
    pub push_name: Option<&'a str>,
}

/// For what is not there yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewIds {
    pub(crate) chat: ChatId,
    pub(crate) contact: ContactId,
}

/// What a chat has to know of a message that is filed in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    /// Where it stands in the chat. `None`: now.
    pub(crate) sort_at: Option<DateTime<Utc>>,
    pub(crate) preview: Option<&'a str>,
    /// Somebody is waiting to read it.
    pub(crate) unread: bool,
    /// Whoever wrote it has read what was before.
    pub(crate) read: bool,
}

/// Digits, where the JID is a person's number, and the hidden id, where it is one.
pub(crate) fn phone_and_lid(jid: &Jid) -> (Option<&str>, Option<&str>) {
    match jid.kind() {
        JidKind::Person => (Some(jid.user()), None),
        JidKind::Hidden => (None, Some(jid.user())),
        JidKind::Group | JidKind::Channel | JidKind::Broadcast => (None, None),
    }
}

/// Whether the JID names one person.
pub(crate) fn is_person(jid: &Jid) -> bool {
    phone_and_lid(jid) != (None, None)
}

/// See [`TenantTx::chats`].
#[derive(Debug)]
pub struct Chats<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Chats<'_> {
    fn tenant(&self) -> Uuid {
        self.tx.tenant().id().uuid()
    }

    /// Notes that what was written until then is read. Whether that is news; a later moment
    /// never becomes an earlier one.
    pub async fn mark_read(self, chat: ChatId, up_to: DateTime<Utc>) -> StoreResult<bool> {
        let moved = sqlx::query_scalar!(
            "UPDATE chat SET read_at = $3
             WHERE tenant_id = $1 AND (read_at IS NULL OR read_at < $3) AND id = (
                 SELECT coalesce(merged_into, id) FROM chat WHERE tenant_id = $1 AND id = $2
             )
             RETURNING id",
            self.tenant(),
            chat.uuid(),
            up_to,
        )
        .fetch_optional(self.tx.conn())
        .await?;
        match moved {
            Some(chat) => {
                self.tx.recount_unread(chat).await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Notes what a group or channel is called. Where the chat is not there yet, the name
    /// waits for it: chats without messages are in no list. Of several reports the newest
    /// counts, whichever comes first. Whether it is news.
    pub async fn rename(
        self,
        session: SessionId,
        jid: &Jid,
        name: &str,
        at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let renamed = sqlx::query!(
            "INSERT INTO chat AS c (id, tenant_id, session_id, jid, is_group, name, name_at)
             VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id, session_id, jid) DO UPDATE SET name = $5, name_at = $6
             WHERE (coalesce(c.name_at, '-infinity'), coalesce(c.name, '')) < ($6, $5)",
            self.tenant(),
            session.uuid(),
            jid.as_str(),
            jid.is_group(),
            name,
            at.trunc_subsecs(6),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(renamed.rows_affected() > 0)
    }
}
