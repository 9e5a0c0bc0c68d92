use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{Jid, MessageId, MessageStatus, SessionId, WaMessageId};

use super::{Advance, Report, Target, target::Change};
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
             ON CONFLICT (tenant_id, session_id, wa_message_id, chat_jid, from_me, writer) DO UPDATE
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

    /// Keeps what somebody made a message say.
    pub(super) async fn mark_edit(
        &mut self,
        session: SessionId,
        target: &Target<'_>,
        content: &str,
        at: DateTime<Utc>,
    ) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO message_mark AS k (tenant_id, session_id, wa_message_id, chat_jid,
                 from_me, writer, edited_content, edited_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8
             FROM wa_session WHERE tenant_id = $1 AND id = $2
             ON CONFLICT (tenant_id, session_id, wa_message_id, chat_jid, from_me, writer) DO UPDATE
             SET edited_content = CASE WHEN k.edited_at IS NULL
                         OR (k.edited_at, k.edited_content) < ($8, $7)
                     THEN $7 ELSE k.edited_content END,
                 edited_at = greatest(k.edited_at, $8),
                 updated_at = now()",
            self.tenant().id().uuid(),
            session.uuid(),
            target.id.as_str(),
            target.chat.as_str(),
            target.from_me,
            target.writer.map_or("", Jid::as_str),
            content,
            at.trunc_subsecs(6),
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps that a message was taken back. What they made it say before goes.
    pub(super) async fn mark_revoked(
        &mut self,
        session: SessionId,
        target: &Target<'_>,
        at: DateTime<Utc>,
    ) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO message_mark AS k (tenant_id, session_id, wa_message_id, chat_jid,
                 from_me, writer, revoked_at)
             SELECT $1, $2, $3, $4, $5, $6, $7
             FROM wa_session WHERE tenant_id = $1 AND id = $2
             ON CONFLICT (tenant_id, session_id, wa_message_id, chat_jid, from_me, writer) DO UPDATE
             SET revoked_at = least(k.revoked_at, $7), edited_content = NULL, edited_at = NULL,
                 updated_at = now()",
            self.tenant().id().uuid(),
            session.uuid(),
            target.id.as_str(),
            target.chat.as_str(),
            target.from_me,
            target.writer.map_or("", Jid::as_str),
            at.trunc_subsecs(6),
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Takes over, into a message that has just got its id, what was reported about the id
    /// before. `Some` where that moved it on. The caller holds `lock_wa_id`, and the chat.
    pub(crate) async fn take_mark(
        &mut self,
        session: SessionId,
        wa_id: &WaMessageId,
        id: MessageId,
    ) -> StoreResult<Option<Advance>> {
        let mut marks = sqlx::query!(
            r#"DELETE FROM message_mark
               WHERE tenant_id = $1 AND session_id = $2 AND wa_message_id = $3
               RETURNING chat_jid, from_me, writer, status AS "status: Word<MessageStatus>", error,
                   sent_at, delivered_at, read_at, edited_content, edited_at, revoked_at"#,
            self.tenant().id().uuid(),
            session.uuid(),
            wa_id.as_str(),
        )
        .fetch_all(self.conn())
        .await?;
        // What it came to is told as it says by then.
        marks.sort_by_key(|mark| mark.status.is_some());
        let mut advance = None;
        for mark in marks {
            if let Some(status) = mark.status {
                let report = Report {
                    status: Some(status.into()),
                    sent_at: mark.sent_at,
                    delivered_at: mark.delivered_at,
                    read_at: mark.read_at,
                    error: mark.error.as_deref(),
                    unknown: false,
                };
                advance = self.take_marked_report(id, &report).await?;
                continue;
            }
            let (Ok(chat), writer) = (Jid::parse(&mark.chat_jid), Jid::parse(&mark.writer).ok())
            else {
                continue;
            };
            let target = Target {
                id: wa_id,
                chat: &chat,
                from_me: mark.from_me,
                writer: writer.as_ref(),
            };
            let edit = mark.edited_content.zip(mark.edited_at);
            self.take_marked_change(session, &target, edit, mark.revoked_at)
                .await?;
        }
        Ok(advance)
    }

    async fn take_marked_report(
        &mut self,
        id: MessageId,
        report: &Report<'_>,
    ) -> StoreResult<Option<Advance>> {
        match self.standing(id.uuid()).await? {
            Some(before) => self.take_report(id.uuid(), before, report).await,
            // Of what others wrote it is told that it was read here, and nothing else.
            None => {
                self.read_up_to(id).await?;
                Ok(None)
            }
        }
    }

    /// Of what several people did, what one who may have did last counts.
    async fn take_marked_change(
        &mut self,
        session: SessionId,
        target: &Target<'_>,
        edit: Option<(String, DateTime<Utc>)>,
        revoked_at: Option<DateTime<Utc>>,
    ) -> StoreResult<()> {
        let Some(found) = self.find_target(session, target).await? else {
            return Ok(());
        };
        if let Some(at) = revoked_at
            && found.may_be_changed(target, Change::Revocation)
        {
            self.revoke_message(found.id, at).await?;
        }
        if let Some((content, at)) = edit
            && found.may_be_changed(target, Change::Edit)
        {
            self.edit_message(found.id, &content, at).await?;
        }
        Ok(())
    }
}
