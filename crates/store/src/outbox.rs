use std::time::Duration;

use chrono::{DateTime, Utc};
use mf_domain::{MessageId, MessageStatus, SessionId, WaMessageId};
use uuid::Uuid;

use crate::{
    Advance, StoreResult, SystemTx, Tenant, TenantTx,
    message::{Report, Standing},
    word::Word,
};

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
    pub(crate) fn tenant(&self) -> Uuid {
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

    /// Writes down what became of a message, and whatever was reported about the id that it
    /// gets by this. `None` where the claim was lost, or where an ack came first: then there is
    /// nothing left to tell.
    ///
    /// The id that the engine names wins over the one we gave it: it is the one that acks
    /// will name. Unless one has named ours.
    pub async fn finish(
        self,
        id: MessageId,
        claim: Claim,
        outcome: &Outcome,
    ) -> StoreResult<Option<Advance>> {
        let wa_id = outcome.wa_message_id();
        if let Some(wa_id) = wa_id {
            self.tx.lock_wa_id(wa_id).await?;
            self.tx.lock_chat_of(id).await?;
        }
        let held = sqlx::query!(
            r#"UPDATE message
               SET outbox_claim_id = NULL, outbox_lease_until = NULL,
                   wa_message_id = CASE WHEN status = 'pending' THEN coalesce($4, wa_message_id)
                       ELSE coalesce(wa_message_id, $4) END
               WHERE tenant_id = $1 AND id = $2 AND outbox_claim_id = $3
               RETURNING session_id, status AS "status: Word<MessageStatus>", outbox_unknown,
                   sent_at IS NOT NULL AS "said!", created_at"#,
            self.tenant(),
            id.uuid(),
            claim.id,
            wa_id.map(WaMessageId::as_str),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        let Some(held) = held else {
            return Ok(None);
        };
        let before = Standing {
            status: held.status.into(),
            unknown: held.outbox_unknown,
            said: held.said,
            created_at: held.created_at,
        };
        let report = outcome.report();
        // Not knowing is no news where anything is known.
        let first = if report.unknown && before.status != MessageStatus::Pending {
            None
        } else {
            self.tx.take_report(id.uuid(), before, &report).await?
        };
        let Some(wa_id) = wa_id else {
            return Ok(first);
        };
        let waited = self.tx.take_mark(held.session_id.into(), wa_id, id);
        Ok(Advance::joined(first, waited.await?))
    }
}

impl Outcome {
    fn wa_message_id(&self) -> Option<&WaMessageId> {
        match self {
            Self::Sent { wa_message_id, .. } => wa_message_id.as_ref(),
            Self::Failed { .. } | Self::Unknown => None,
        }
    }

    fn report(&self) -> Report<'_> {
        let failed = Some(MessageStatus::Failed);
        match self {
            Self::Sent { status, at, .. } => Report::ack(*status, *at, None),
            Self::Failed { error } => Report {
                status: failed,
                error: Some(error),
                ..Report::default()
            },
            Self::Unknown => Report {
                status: failed,
                error: Some("outcome unknown"),
                unknown: true,
                ..Report::default()
            },
        }
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
