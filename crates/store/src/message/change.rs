use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{Direction, MessageId, MessageKind, MessageStatus, SessionId, preview};

use super::{Message, Messages, Target, message_query, target::Change};
use crate::{StoreResult, TenantTx, word::Word};

impl Messages<'_> {
    /// Changes what a message says, if the change is newer than what it says now: of several
    /// the last counts. `None` where it says nothing else than before, or where whoever did it
    /// may not have.
    ///
    /// A change of a message that is not known is kept, and taken in with the message.
    pub async fn edit(
        mut self,
        session: SessionId,
        target: &Target<'_>,
        content: &str,
        at: DateTime<Utc>,
    ) -> StoreResult<Option<Message>> {
        match self.find_to_change(session, target).await? {
            Some(found) if found.may_be_changed(target, Change::Edit) => {
                self.tx.edit_message(found.id, content, at).await
            }
            Some(_) => Ok(None),
            None => {
                self.tx.mark_edit(session, target, content, at).await?;
                Ok(None)
            }
        }
    }

    /// Takes a message back: what it said is removed. `None` where it changes nothing, or where
    /// whoever did it may not have.
    ///
    /// A message that is not known yet is taken back when it comes.
    pub async fn revoke(
        mut self,
        session: SessionId,
        target: &Target<'_>,
        at: DateTime<Utc>,
    ) -> StoreResult<Option<Message>> {
        match self.find_to_change(session, target).await? {
            Some(found) if found.may_be_changed(target, Change::Revocation) => {
                self.tx.revoke_message(found.id, at).await
            }
            Some(_) => Ok(None),
            None => {
                self.tx.mark_revoked(session, target, at).await?;
                Ok(None)
            }
        }
    }
}

impl TenantTx {
    pub(super) async fn edit_message(
        &mut self,
        id: MessageId,
        content: &str,
        at: DateTime<Utc>,
    ) -> StoreResult<Option<Message>> {
        let tenant = self.tenant().id().uuid();
        self.lock_chat_of(id).await?;
        let before = sqlx::query_scalar!(
            "SELECT content FROM message WHERE tenant_id = $1 AND id = $2",
            tenant,
            id.uuid(),
        )
        .fetch_optional(self.conn())
        .await?;
        let message = message_query!(
            "UPDATE message m
             SET content = CASE WHEN m.keep_content THEN $3 END, content_preview = $4,
                 edited_at = $5
             FROM chat c
             WHERE c.tenant_id = m.tenant_id AND c.id = m.chat_id
               AND m.tenant_id = $1 AND m.id = $2 AND m.revoked_at IS NULL
               AND (m.edited_at IS NULL OR m.edited_at < $5
                   -- Of two in the same second one has to win, whichever comes first.
                   OR (m.edited_at = $5 AND CASE WHEN m.keep_content
                       THEN coalesce(m.content, '') < $3
                       ELSE coalesce(m.content_preview, '') < $4 END))
             RETURNING",
            "",
            tenant,
            id.uuid(),
            content,
            preview(content),
            at.trunc_subsecs(6),
        )
        .fetch_optional(self.conn())
        .await?;
        if let Some(message) = &message {
            self.renew_last_message(message.chat_id.uuid()).await?;
        }
        // What is not kept may have been anything.
        let same = before.flatten().as_deref() == Some(content);
        Ok(message.filter(|_| !same))
    }

    /// The row stays, and says that something was there.
    pub(super) async fn revoke_message(
        &mut self,
        id: MessageId,
        at: DateTime<Utc>,
    ) -> StoreResult<Option<Message>> {
        let tenant = self.tenant().id().uuid();
        let at = at.trunc_subsecs(6);
        self.lock_chat_of(id).await?;
        let message = message_query!(
            "UPDATE message m
             SET content = NULL, content_preview = NULL, extra = NULL, media = NULL,
                 edited_at = NULL, revoked_at = $3
             FROM chat c
             WHERE c.tenant_id = m.tenant_id AND c.id = m.chat_id
               AND m.tenant_id = $1 AND m.id = $2 AND m.revoked_at IS NULL
             RETURNING",
            "",
            tenant,
            id.uuid(),
            at,
        )
        .fetch_optional(self.conn())
        .await?;
        if let Some(message) = &message {
            // Nobody refers to the file any more, so it is swept.
            sqlx::query!(
                "UPDATE media SET message_id = NULL WHERE tenant_id = $1 AND message_id = $2",
                tenant,
                id.uuid(),
            )
            .execute(self.conn())
            .await?;
            self.renew_last_message(message.chat_id.uuid()).await?;
        } else {
            sqlx::query!(
                "UPDATE message SET revoked_at = $3
                 WHERE tenant_id = $1 AND id = $2 AND revoked_at > $3",
                tenant,
                id.uuid(),
                at,
            )
            .execute(self.conn())
            .await?;
        }
        Ok(message)
    }
}
