use mf_domain::SessionId;
use uuid::Uuid;

use crate::{StoreResult, TenantTx, contact::Person};

struct Found {
    id: Uuid,
    jid: String,
    merged_into: Option<Uuid>,
}

impl TenantTx {
    /// Makes one chat of those with a person whose number and hidden id are both known. The
    /// one by number stays; if there is none, the other becomes it. The caller holds
    /// `lock_people`.
    pub(crate) async fn unite_chats(
        &mut self,
        session: SessionId,
        person: &Person,
    ) -> StoreResult<()> {
        let names = person.jids();
        let [number, hidden] = names.as_slice() else {
            return Ok(());
        };
        let chats = sqlx::query_as!(
            Found,
            "SELECT id, jid, merged_into FROM chat
             WHERE tenant_id = $1 AND session_id = $2 AND jid = ANY($3)
             ORDER BY id FOR UPDATE",
            self.tenant().id().uuid(),
            session.uuid(),
            &names,
        )
        .fetch_all(self.conn())
        .await?;
        let called = |jid: &str| chats.iter().find(|chat| chat.jid == jid);
        let chat = match (called(number), called(hidden)) {
            (None, None) => return Ok(()),
            (Some(kept), None) => kept.merged_into.unwrap_or(kept.id),
            (None, Some(only)) => {
                if only.merged_into.is_none() {
                    self.rename_chat(only.id, number).await?;
                }
                only.merged_into.unwrap_or(only.id)
            }
            (Some(kept), Some(other)) => {
                if kept.merged_into.is_none() && other.merged_into.is_none() {
                    self.merge_chat(kept.id, other.id).await?;
                }
                kept.merged_into.unwrap_or(kept.id)
            }
        };
        sqlx::query!(
            "UPDATE chat SET contact_id = $4
             WHERE tenant_id = $1 AND session_id = $2 AND jid = ANY($3)
               AND contact_id IS DISTINCT FROM $4",
            self.tenant().id().uuid(),
            session.uuid(),
            &names,
            person.id,
        )
        .execute(self.conn())
        .await?;
        self.add_aliases(session, person, chat).await
    }

    async fn rename_chat(&mut self, chat: Uuid, jid: &str) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE chat SET jid = $3 WHERE tenant_id = $1 AND id = $2",
            self.tenant().id().uuid(),
            chat,
            jid,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Moves what is in one chat to another; the first becomes another name of the second.
    async fn merge_chat(&mut self, kept: Uuid, other: Uuid) -> StoreResult<()> {
        let tenant = self.tenant().id().uuid();
        sqlx::query!(
            "UPDATE message SET chat_id = $3 WHERE tenant_id = $1 AND chat_id = $2",
            tenant,
            other,
            kept,
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "UPDATE chat AS kept
             SET message_count = kept.message_count + other.message_count,
                 read_at = greatest(kept.read_at, other.read_at),
                 name = coalesce(kept.name, other.name)
             FROM chat other
             WHERE kept.tenant_id = $1 AND kept.id = $2
               AND other.tenant_id = $1 AND other.id = $3",
            tenant,
            kept,
            other,
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "UPDATE chat
             SET merged_into = $3, message_count = 0, unread_count = 0, read_at = NULL,
                 last_message_at = NULL, last_message_preview = NULL
             WHERE tenant_id = $1 AND id = $2",
            tenant,
            other,
            kept,
        )
        .execute(self.conn())
        .await?;
        self.recount_unread(kept).await?;
        self.renew_last_message(kept).await
    }
}
