use mf_domain::{Jid, MessageId, SessionId};
use uuid::Uuid;

use super::{Arrival, ChatPeer, NewIds, is_person};
use crate::{StoreResult, TenantTx, contact::Person};

/// A chat that is joined with another while we look is found anew.
const LOOKS: usize = 4;

impl TenantTx {
    /// Finds or makes the chat that a message belongs to, under whatever name it comes, and
    /// counts the message. The chat's row is locked from then on, so that all who write in it
    /// come one after the other.
    pub(crate) async fn file(
        &mut self,
        session: SessionId,
        peer: &ChatPeer<'_>,
        ids: &NewIds,
        arrival: &Arrival<'_>,
    ) -> StoreResult<Uuid> {
        for _ in 0..LOOKS {
            if let Some(chat) = self.count_in(session, peer.jid, arrival).await? {
                return Ok(chat);
            }
            if is_person(peer.jid) {
                self.open_chat(session, peer, ids, arrival).await?;
            } else {
                self.open_place(session, peer.jid, ids).await?;
            }
        }
        Err(sqlx::Error::RowNotFound.into())
    }

    async fn count_in(
        &mut self,
        session: SessionId,
        jid: &Jid,
        arrival: &Arrival<'_>,
    ) -> StoreResult<Option<Uuid>> {
        let chat = sqlx::query_scalar!(
            "UPDATE chat AS c
             SET message_count = c.message_count + 1,
                 read_at = CASE WHEN $7 THEN greatest(c.read_at, a.at) ELSE c.read_at END,
                 unread_count = c.unread_count
                     + CASE WHEN $6 AND a.at > coalesce(c.read_at, '-infinity') THEN 1 ELSE 0 END,
                 last_message_preview = CASE WHEN a.at >= coalesce(c.last_message_at, '-infinity')
                     THEN $5 ELSE c.last_message_preview END,
                 last_message_at = greatest(c.last_message_at, a.at)
             FROM (SELECT coalesce($4, date_trunc('second', now())) AS at) AS a
             WHERE c.tenant_id = $1 AND c.merged_into IS NULL AND c.id = (
                 SELECT coalesce(merged_into, id) FROM chat
                 WHERE tenant_id = $1 AND session_id = $2 AND jid = $3
             )
             RETURNING c.id",
            self.tenant().id().uuid(),
            session.uuid(),
            jid.as_str(),
            arrival.sort_at,
            arrival.preview,
            arrival.unread,
            arrival.read,
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(chat)
    }

    /// A chat with one person: the one that they have already under their other id, or a new
    /// one. Every id of theirs leads there.
    async fn open_chat(
        &mut self,
        session: SessionId,
        peer: &ChatPeer<'_>,
        ids: &NewIds,
        arrival: &Arrival<'_>,
    ) -> StoreResult<()> {
        self.lock_people(session).await?;
        let name = peer.push_name.map(|name| (name, arrival.sort_at));
        let person = self
            .person_or_new(session, peer.jid, ids.contact.uuid(), name)
            .await?;
        let tenant = self.tenant().id().uuid();
        let names = person.jids();
        let chat = sqlx::query_scalar!(
            r#"SELECT coalesce(merged_into, id) AS "id!" FROM chat
               WHERE tenant_id = $1 AND session_id = $2 AND jid = ANY($3)
               ORDER BY message_count DESC LIMIT 1"#,
            tenant,
            session.uuid(),
            &names,
        )
        .fetch_optional(self.conn())
        .await?;
        let chat = match (chat, names.first()) {
            (Some(chat), _) => chat,
            (None, Some(jid)) => {
                sqlx::query!(
                    "INSERT INTO chat (id, tenant_id, session_id, jid, is_group, contact_id)
                     VALUES ($1, $2, $3, $4, false, $5)",
                    ids.chat.uuid(),
                    tenant,
                    session.uuid(),
                    jid,
                    person.id,
                )
                .execute(self.conn())
                .await?;
                ids.chat.uuid()
            }
            (None, None) => return Ok(()),
        };
        self.add_aliases(session, &person, chat).await
    }

    /// Makes every id of a person lead to their chat.
    pub(super) async fn add_aliases(
        &mut self,
        session: SessionId,
        person: &Person,
        chat: Uuid,
    ) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO chat (id, tenant_id, session_id, jid, is_group, contact_id, merged_into)
             SELECT gen_random_uuid(), $1, $2, jid, false, $4, $5 FROM unnest($3::text[]) AS jid
             ON CONFLICT (tenant_id, session_id, jid) DO NOTHING",
            self.tenant().id().uuid(),
            session.uuid(),
            &person.jids(),
            person.id,
            chat,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// A group, a channel or a broadcast list.
    async fn open_place(&mut self, session: SessionId, jid: &Jid, ids: &NewIds) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO chat (id, tenant_id, session_id, jid, is_group)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id, session_id, jid) DO NOTHING",
            ids.chat.uuid(),
            self.tenant().id().uuid(),
            session.uuid(),
            jid.as_str(),
            jid.is_group(),
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Locks the chat that a message is in, before the message itself is changed.
    pub(crate) async fn lock_chat_of(&mut self, message: MessageId) -> StoreResult<()> {
        sqlx::query!(
            "SELECT c.id FROM message m
             JOIN chat c ON c.tenant_id = m.tenant_id AND c.id = m.chat_id
             WHERE m.tenant_id = $1 AND m.id = $2
             FOR NO KEY UPDATE OF c",
            self.tenant().id().uuid(),
            message.uuid(),
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(())
    }

    /// Locks the chat of this name, under whatever name it is kept.
    pub(crate) async fn lock_chat(&mut self, session: SessionId, jid: &Jid) -> StoreResult<()> {
        sqlx::query!(
            "SELECT id FROM chat WHERE tenant_id = $1 AND id = (
                 SELECT coalesce(merged_into, id) FROM chat
                 WHERE tenant_id = $1 AND session_id = $2 AND jid = $3
             )
             FOR NO KEY UPDATE",
            self.tenant().id().uuid(),
            session.uuid(),
            jid.as_str(),
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(())
    }

    /// Counts what nobody has read yet. The chat is locked.
    pub(crate) async fn recount_unread(&mut self, chat: Uuid) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE chat AS c
             SET unread_count = (
                 SELECT count(*)::integer FROM message m
                 WHERE m.tenant_id = c.tenant_id AND m.chat_id = c.id
                   AND m.direction = 'inbound' AND NOT m.quiet
                   AND m.sort_at > coalesce(c.read_at, '-infinity')
             )
             WHERE c.tenant_id = $1 AND c.id = $2",
            self.tenant().id().uuid(),
            chat,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Shows the chat's newest message as it is now. The chat is locked.
    pub(crate) async fn renew_last_message(&mut self, chat: Uuid) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE chat AS c
             SET (last_message_at, last_message_preview) = (
                 SELECT m.sort_at, m.content_preview FROM message m
                 WHERE m.tenant_id = c.tenant_id AND m.chat_id = c.id
                 ORDER BY m.sort_at DESC, m.id DESC LIMIT 1
             )
             WHERE c.tenant_id = $1 AND c.id = $2",
            self.tenant().id().uuid(),
            chat,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
