use std::time::Duration;

use chrono::{DateTime, Utc};
use mf_domain::{Direction, MessageId, MessageKind, MessageStatus, SessionId, WaMessageId};
use uuid::Uuid;

use crate::{Message, StoreResult, SystemTx, Tenant, TenantTx, message::message_query, word::Word};

/// The right to work on a row, for a while. Every write names it and counts what it changed:
/// whoever lost the claim meanwhile changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// Which claim.
    pub id: Uuid,
    /// How long it is believed, from now, by the database's clock.
    pub lease: Duration,
}

/// A pending message that was claimed, with what is needed to decide what to do with it.
#[derive(Debug, Clone)]
pub struct ClaimedMessage {
    /// Which message.
    pub id: MessageId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Through which session.
    pub session_id: SessionId,
    /// It may have been sent: somebody asked the engine, and the answer is not known.
    pub attempted: bool,
    /// It may be sent. If not, it is only to be found out what became of it.
    pub may_send: bool,
    /// It has waited for long enough.
    pub expired: bool,
    /// How often the engine was asked.
    pub attempts: i32,
    /// Whether the session works.
    pub session_works: bool,
}

/// What became of an attempt.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// WhatsApp has it, under this id where the engine said so.
    Sent {
        /// The bare id.
        wa_message_id: Option<WaMessageId>,
        /// How far it came, if that is known to be further than `sent`.
        status: MessageStatus,
        /// When.
        at: DateTime<Utc>,
    },
    /// It will not be sent.
    Failed {
        /// Why: a sentence for the sender.
        error: String,
    },
    /// It may have been sent, nobody can say, and it will not be tried again. Counts as failed
    /// until WhatsApp says otherwise.
    Unknown,
}

/// See [`TenantTx::outbox`].
#[derive(Debug)]
pub struct Outbox<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Outbox<'_> {
    fn tenant(&self) -> Uuid {
        self.tx.tenant().id().uuid()
    }

    /// Notes, before the engine is asked, that it will be, and under which id. `false` where
    /// the claim was lost.
    pub async fn attempt(
        self,
        id: MessageId,
        claim: Claim,
        wa_message_id: Option<&WaMessageId>,
    ) -> StoreResult<bool> {
        let held = sqlx::query!(
            "UPDATE message
             SET outbox_attempt_at = now(), outbox_attempts = outbox_attempts + 1,
                 outbox_lease_until = now() + make_interval(secs => $4),
                 wa_message_id = coalesce(wa_message_id, $5)
             WHERE tenant_id = $1 AND id = $2 AND outbox_claim_id = $3 AND status = 'pending'",
            self.tenant(),
            id.uuid(),
            claim.id,
            claim.lease.as_secs_f64(),
            wa_message_id.map(WaMessageId::as_str),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(held.rows_affected() > 0)
    }

    /// Gives a message back to the outbox. `attempted` says whether the engine may have sent
    /// it after all. `false` where the claim was lost.
    pub async fn release(
        self,
        id: MessageId,
        claim: Claim,
        attempted: bool,
        delay: Duration,
    ) -> StoreResult<bool> {
        let held = sqlx::query!(
            "UPDATE message
             SET outbox_claim_id = NULL, outbox_lease_until = NULL,
                 outbox_attempt_at = CASE WHEN $4 THEN outbox_attempt_at END,
                 outbox_next_at = now() + make_interval(secs => $5)
             WHERE tenant_id = $1 AND id = $2 AND outbox_claim_id = $3",
            self.tenant(),
            id.uuid(),
            claim.id,
            attempted,
            delay.as_secs_f64(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(held.rows_affected() > 0)
    }

    /// Writes down what became of a message. `None` where the claim was lost, or where an ack
    /// came first: then there is nothing left to tell.
    ///
    /// The id that the engine names wins over the one we gave it: it is the one that acks
    /// will name.
    pub async fn finish(
        self,
        id: MessageId,
        claim: Claim,
        outcome: &Outcome,
    ) -> StoreResult<Option<Message>> {
        let tenant = self.tenant();
        let (status, wa_id, at, error) = match outcome {
            Outcome::Sent {
                wa_message_id,
                status,
                at,
            } => (
                *status,
                wa_message_id.as_ref().map(WaMessageId::as_str),
                Some(*at),
                None,
            ),
            Outcome::Failed { error } => (MessageStatus::Failed, None, None, Some(error.as_str())),
            Outcome::Unknown => (MessageStatus::Failed, None, None, Some("outcome unknown")),
        };
        let from: Vec<String> = status
            .predecessors()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let row = message_query!(
            "UPDATE message m
             SET status = $4, error = $7,
                 wa_message_id = coalesce($5, m.wa_message_id),
                 sent_at = coalesce(m.sent_at, $6),
                 delivered_at = CASE WHEN $4 IN ('delivered', 'read', 'played')
                     THEN coalesce(m.delivered_at, $6) ELSE m.delivered_at END,
                 read_at = CASE WHEN $4 IN ('read', 'played')
                     THEN coalesce(m.read_at, $6) ELSE m.read_at END,
                 outbox_claim_id = NULL, outbox_lease_until = NULL, outbox_unknown = $9
             FROM chat c
             WHERE c.tenant_id = m.tenant_id AND c.id = m.chat_id
               AND m.tenant_id = $1 AND m.id = $2 AND m.outbox_claim_id = $3
               AND m.status = ANY($8)
             RETURNING",
            "",
            tenant,
            id.uuid(),
            claim.id,
            status.as_str(),
            wa_id,
            at,
            error,
            &from,
            matches!(outcome, Outcome::Unknown),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        if row.is_none() {
            // An ack overtook us: the status stands, and only the claim is left to clear.
            sqlx::query!(
                "UPDATE message
                 SET outbox_claim_id = NULL, outbox_lease_until = NULL,
                     wa_message_id = coalesce(wa_message_id, $4)
                 WHERE tenant_id = $1 AND id = $2 AND outbox_claim_id = $3",
                tenant,
                id.uuid(),
                claim.id,
                wa_id,
            )
            .execute(self.tx.conn())
            .await?;
        }
        Ok(row)
    }
}

impl SystemTx {
    /// Claims the messages that are due: of each session the one that has waited longest, so
    /// that messages leave in the order in which they were accepted.
    ///
    /// Due is what nobody holds and whose session works, or what has waited for too long.
    pub async fn claim_outbox(
        &mut self,
        claim: Claim,
        limit: i64,
    ) -> StoreResult<Vec<ClaimedMessage>> {
        let rows = sqlx::query!(
            r#"WITH due AS MATERIALIZED (
                   SELECT m.id, s.status = 'working' AS works
                   FROM message m
                   JOIN wa_session s ON s.tenant_id = m.tenant_id AND s.id = m.session_id
                   WHERE m.status = 'pending' AND m.direction = 'outbound'
                     AND (m.outbox_lease_until IS NULL OR m.outbox_lease_until < now())
                     AND (s.status = 'working' OR m.outbox_expires_at < now())
                     AND (m.outbox_next_at <= now() OR m.outbox_expires_at < now())
                     AND NOT EXISTS (
                         SELECT FROM message e
                         WHERE e.session_id = m.session_id AND e.tenant_id = m.tenant_id
                           AND e.status = 'pending' AND e.direction = 'outbound'
                           AND (e.created_at, e.id) < (m.created_at, m.id)
                     )
                   ORDER BY m.created_at, m.id
                   LIMIT $3
                   FOR UPDATE OF m SKIP LOCKED
               )
               UPDATE message m
               SET outbox_claim_id = $1, outbox_lease_until = now() + make_interval(secs => $2)
               FROM due
               WHERE m.id = due.id
               RETURNING m.id, m.tenant_id, m.session_id, m.outbox_queue, m.outbox_attempts,
                   m.outbox_attempt_at IS NOT NULL AS "attempted!",
                   coalesce(m.outbox_expires_at < now(), false) AS "expired!",
                   due.works AS "works!""#,
            claim.id,
            claim.lease.as_secs_f64(),
            limit,
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| ClaimedMessage {
                id: row.id.into(),
                tenant: Tenant::new(row.tenant_id.into()),
                session_id: row.session_id.into(),
                attempted: row.attempted,
                may_send: row.outbox_queue,
                expired: row.expired,
                attempts: row.outbox_attempts,
                session_works: row.works,
            })
            .collect())
    }
}
