use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{MessageId, MessageStatus, SessionId, WaMessageId};

use super::{Advance, Report};
use crate::{StoreResult, TenantTx, word::Word};

// Reports about messages that are not known yet, of sessions that there are. Whoever writes or
// takes one holds `lock_wa_id`, or the message and its reports could miss each other.
impl TenantTx {
    /// Keeps a report of how far a message came.
    pub(super) async fn mark_report(
        &mut self,
        session: SessionId,
        id: &WaMessageId,
        report: &Report<'_>,
    ) -> StoreResult<()> {
        let Some(status) = report.status.filter(|s| *s != MessageStatus::Pending) else {
            return Ok(());
        };
        let from: Vec<String> = status
            .predecessors()
            .into_iter()
            .map(str::to_owned)
            .collect();
        sqlx::query!(
            "INSERT INTO message_mark AS k (tenant_id, session_id, wa_message_id, status, error,
                 sent_at, delivered_at, read_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8
             FROM wa_session WHERE tenant_id = $1 AND id = $2
             ON CONFLICT (tenant_id, session_id, wa_message_id) DO UPDATE
             SET status = CASE WHEN k.status IS NULL OR k.status = ANY($9)
                     THEN excluded.status ELSE k.status END,
                 error = CASE WHEN k.status IS NULL OR k.status = ANY($9)
                     THEN excluded.error ELSE k.error END,
                 sent_at = least(k.sent_at, excluded.sent_at),
                 delivered_at = least(k.delivered_at, excluded.delivered_at),
                 read_at = least(k.read_at, excluded.read_at),
                 updated_at = now()",
            self.tenant().id().uuid(),
            session.uuid(),
            id.as_str(),
            status.as_str(),
            report.error,
            report.sent_at,
            report.delivered_at,
            report.read_at,
            &from,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps what a message says now.
    pub(super) async fn mark_edit(
        &mut self,
        session: SessionId,
        id: &WaMessageId,
        content: &str,
        at: DateTime<Utc>,
    ) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO message_mark AS k (tenant_id, session_id, wa_message_id, edited_content,
                 edited_at)
             SELECT $1, $2, $3, $4, $5
             FROM wa_session WHERE tenant_id = $1 AND id = $2
             ON CONFLICT (tenant_id, session_id, wa_message_id) DO UPDATE
             SET edited_content = CASE WHEN k.edited_at IS NULL
                         OR (k.edited_at, k.edited_content) < ($5, $4)
                     THEN $4 ELSE k.edited_content END,
                 edited_at = greatest(k.edited_at, $5),
                 updated_at = now()",
            self.tenant().id().uuid(),
            session.uuid(),
            id.as_str(),
            content,
            at.trunc_subsecs(6),
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps that a message was taken back. What it said instead of something else goes, too.
    pub(super) async fn mark_revoked(
        &mut self,
        session: SessionId,
        id: &WaMessageId,
        at: DateTime<Utc>,
    ) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO message_mark AS k (tenant_id, session_id, wa_message_id, revoked_at)
             SELECT $1, $2, $3, $4
             FROM wa_session WHERE tenant_id = $1 AND id = $2
             ON CONFLICT (tenant_id, session_id, wa_message_id) DO UPDATE
             SET revoked_at = least(k.revoked_at, $4), edited_content = NULL, edited_at = NULL,
                 updated_at = now()",
            self.tenant().id().uuid(),
            session.uuid(),
            id.as_str(),
            at.trunc_subsecs(6),
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Takes over, into a message that has just got its id, what was reported about the id
    /// before. `Some` where that moved it on. The caller holds `lock_wa_id`.
    pub(crate) async fn take_mark(
        &mut self,
        session: SessionId,
        wa_id: &WaMessageId,
        id: MessageId,
    ) -> StoreResult<Option<Advance>> {
        let mark = sqlx::query!(
            r#"DELETE FROM message_mark
               WHERE tenant_id = $1 AND session_id = $2 AND wa_message_id = $3
               RETURNING status AS "status: Word<MessageStatus>", error, sent_at, delivered_at,
                   read_at, edited_content, edited_at, revoked_at"#,
            self.tenant().id().uuid(),
            session.uuid(),
            wa_id.as_str(),
        )
        .fetch_optional(self.conn())
        .await?;
        let Some(mark) = mark else {
            return Ok(None);
        };
        if let Some(at) = mark.revoked_at {
            self.revoke_message(id, at).await?;
        } else if let Some((content, at)) = mark.edited_content.zip(mark.edited_at) {
            self.edit_message(id, &content, at).await?;
        }
        let report = Report {
            status: mark.status.map(MessageStatus::from),
            sent_at: mark.sent_at,
            delivered_at: mark.delivered_at,
            read_at: mark.read_at,
            error: mark.error.as_deref(),
            unknown: false,
        };
        match self.standing(id.uuid()).await? {
            Some(before) => self.take_report(id.uuid(), before, &report).await,
            // Of what others wrote it is told that it was read here, and nothing else.
            None => {
                if report.status.is_some() {
                    self.read_up_to(id).await?;
                }
                Ok(None)
            }
        }
    }
}
