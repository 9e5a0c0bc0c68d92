use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{Direction, MessageId, MessageKind, MessageStatus, SessionId, WaMessageId};
use uuid::Uuid;

use super::{Message, Messages, message_query};
use crate::{StoreResult, TenantTx, word::Word};

/// A message of ours that came further.
#[derive(Debug, Clone)]
pub struct Advance {
    /// The message as it is now.
    pub message: Message,
    /// Until this moment nobody had said that it was sent: the report overtook that.
    pub overtook_sent: bool,
}

/// How far a message of ours came, as somebody says. Reports come late, twice and in any
/// order: the furthest status counts, and of each time the earliest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report<'a> {
    pub(crate) status: Option<MessageStatus>,
    pub(crate) sent_at: Option<DateTime<Utc>>,
    pub(crate) delivered_at: Option<DateTime<Utc>>,
    pub(crate) read_at: Option<DateTime<Utc>>,
    pub(crate) error: Option<&'a str>,
    /// Nobody knows: any other report knows better.
    pub(crate) unknown: bool,
}

impl<'a> Report<'a> {
    /// WhatsApp's word that a message got that far at that time, and thus no later to where it
    /// was before.
    pub(crate) fn ack(status: MessageStatus, at: DateTime<Utc>, error: Option<&'a str>) -> Self {
        use MessageStatus::{Delivered, Played, Read, Sent};
        // As the database keeps it.
        let at = at.trunc_subsecs(6);
        let at_if = |reached: bool| reached.then_some(at);
        Self {
            status: Some(status),
            sent_at: at_if(matches!(status, Sent | Delivered | Read | Played)),
            delivered_at: at_if(matches!(status, Delivered | Read | Played)),
            read_at: at_if(matches!(status, Read | Played)),
            error,
            unknown: false,
        }
    }
}

/// Where a message of ours stood before a report, with its row locked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) status: MessageStatus,
    /// It was given up on without knowing.
    pub(crate) unknown: bool,
    /// Somebody said when it was sent.
    pub(crate) said: bool,
    /// When it was accepted, or came.
    pub(crate) created_at: DateTime<Utc>,
}

impl Standing {
    /// The status that a report has to outdo.
    fn effective(self) -> MessageStatus {
        if self.unknown && self.status == MessageStatus::Failed {
            MessageStatus::Pending
        } else {
            self.status
        }
    }
}

impl TenantTx {
    /// Where a message of ours stands; locks it.
    pub(crate) async fn standing(&mut self, id: Uuid) -> StoreResult<Option<Standing>> {
        let row = sqlx::query!(
            r#"SELECT status AS "status: Word<MessageStatus>", outbox_unknown,
                   sent_at IS NOT NULL AS "said!", created_at
               FROM message WHERE tenant_id = $1 AND id = $2 AND direction = 'outbound'
               FOR UPDATE"#,
            self.tenant().id().uuid(),
            id,
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(row.map(|row| Standing {
            status: row.status.into(),
            unknown: row.outbox_unknown,
            said: row.said,
            created_at: row.created_at,
        }))
    }

    /// Writes down what a report adds. `Some` where the message came further.
    pub(crate) async fn take_report(
        &mut self,
        id: Uuid,
        before: Standing,
        report: &Report<'_>,
    ) -> StoreResult<Option<Advance>> {
        let tenant = self.tenant().id().uuid();
        let advances = report
            .status
            .filter(|status| before.effective().advances_to(*status));
        let row = message_query!(
            "UPDATE message m
             SET status = coalesce($3, m.status),
                 error = CASE WHEN $3::text IS NULL THEN m.error ELSE $4 END,
                 -- Clients were told when this server sent it.
                 sent_at = CASE WHEN m.outbox_attempts > 0 AND m.sent_at IS NOT NULL
                     THEN m.sent_at ELSE least(m.sent_at, $5) END,
                 delivered_at = least(m.delivered_at, $6),
                 read_at = least(m.read_at, $7),
                 outbox_unknown = CASE WHEN $3::text IS NULL THEN m.outbox_unknown ELSE $8 END,
                 content = CASE WHEN m.keep_content OR $3::text IS NULL THEN m.content END
             FROM chat c
             WHERE c.tenant_id = m.tenant_id AND c.id = m.chat_id
               AND m.tenant_id = $1 AND m.id = $2
               AND ($3::text IS NOT NULL
                   OR m.sent_at IS DISTINCT FROM least(m.sent_at, $5)
                       AND (m.outbox_attempts = 0 OR m.sent_at IS NULL)
                   OR m.delivered_at IS DISTINCT FROM least(m.delivered_at, $6)
                   OR m.read_at IS DISTINCT FROM least(m.read_at, $7))
             RETURNING",
            "",
            tenant,
            id,
            advances.map(MessageStatus::as_str),
            report.error,
            report.sent_at,
            report.delivered_at,
            report.read_at,
            report.unknown,
        )
        .fetch_optional(self.conn())
        .await?;
        let Some((status, message)) = advances.zip(row) else {
            return Ok(None);
        };
        Ok(Some(Advance {
            overtook_sent: status != MessageStatus::Sent
                && !before.said
                && message.sent_at.is_some(),
            message,
        }))
    }
}

impl TenantTx {
    /// Notes that a message that somebody else wrote is read, and what was before it.
    pub(super) async fn read_up_to(&mut self, id: MessageId) -> StoreResult<bool> {
        let place = sqlx::query!(
            "SELECT chat_id, sort_at FROM message
             WHERE tenant_id = $1 AND id = $2 AND direction = 'inbound'",
            self.tenant().id().uuid(),
            id.uuid(),
        )
        .fetch_optional(self.conn())
        .await?;
        match place {
            Some(place) => {
                self.chats()
                    .mark_read(place.chat_id.into(), place.sort_at)
                    .await
            }
            None => Ok(false),
        }
    }
}

impl Messages<'_> {
    /// Moves a message of ours on, if `status` is an advance, or the first certainty about one
    /// that was given up on. `None` where it is not.
    ///
    /// A report of a message that is not known is kept, and taken in with the message.
    pub async fn advance(
        mut self,
        session: SessionId,
        id: &WaMessageId,
        status: MessageStatus,
        at: DateTime<Utc>,
        error: Option<&str>,
    ) -> StoreResult<Option<Advance>> {
        let report = Report::ack(status, at, error);
        let mut found = self.find(session, id).await?;
        if found.is_none() {
            self.tx.lock_wa_id(id).await?;
            found = self.find(session, id).await?;
        }
        match found {
            Some((message, Direction::Outbound)) => {
                let Some(before) = self.tx.standing(message.uuid()).await? else {
                    return Ok(None);
                };
                self.tx.take_report(message.uuid(), before, &report).await
            }
            Some((_, Direction::Inbound)) => Ok(None),
            None => {
                self.tx.mark_report(session, id, &report).await?;
                Ok(None)
            }
        }
    }

    /// Notes that what somebody else wrote was read here, or on the phone: nothing in its chat
    /// up to it is unread any more. Whether that is news.
    ///
    /// A message that is not known yet is read when it comes.
    pub async fn read_here(
        mut self,
        session: SessionId,
        id: &WaMessageId,
        at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let mut found = self.find(session, id).await?;
        if found.is_none() {
            self.tx.lock_wa_id(id).await?;
            found = self.find(session, id).await?;
        }
        match found {
            Some((message, Direction::Inbound)) => self.tx.read_up_to(message).await,
            Some((_, Direction::Outbound)) => Ok(false),
            None => {
                let report = Report::ack(MessageStatus::Read, at, None);
                self.tx.mark_report(session, id, &report).await?;
                Ok(false)
            }
        }
    }

    /// A message's own id and direction, by WhatsApp's.
    pub(super) async fn find(
        &mut self,
        session: SessionId,
        id: &WaMessageId,
    ) -> StoreResult<Option<(MessageId, Direction)>> {
        let row = sqlx::query!(
            r#"SELECT id, direction AS "direction: Word<Direction>" FROM message
               WHERE tenant_id = $1 AND wa_message_id = $2 AND session_id = $3"#,
            self.tenant(),
            id.as_str(),
            session.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row.map(|row| (row.id.into(), row.direction.into())))
    }
}
