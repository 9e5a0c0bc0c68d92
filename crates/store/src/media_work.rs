use std::time::Duration;

use mf_domain::{Direction, MediaId, MediaState, MessageId, SessionId};
use uuid::Uuid;

use crate::{
    Claim, Media, StoreResult, SystemTx, Tenant,
    media::media_query,
    word::{MaybeId, Word},
};

/// A file to be fetched from the engine, with what is needed to do it.
#[derive(Debug, Clone)]
pub struct ClaimedMedia {
    /// Which file.
    pub id: MediaId,
    /// Whose it is.
    pub tenant: Tenant,
    /// The session that it came through.
    pub session_id: SessionId,
    /// The message that carries it.
    pub message_id: Option<MessageId>,
    /// What it is, as far as is known.
    pub mimetype: String,
    /// Where the engine has it, if it said so.
    pub source_url: Option<String>,
    /// The message by which the engine can be asked for it again: WhatsApp's bare id,
    pub wa_message_id: Option<String>,
    /// its conversation,
    pub chat_jid: Option<String>,
    /// and whether it was written on the phone itself.
    pub from_me: bool,
    /// How often it was tried, this time included.
    pub attempts: i32,
}

impl SystemTx {
    /// Claims files that are to be fetched, of each session so many that nobody is at more
    /// than `per_session` of them. Those of an old history come last, and otherwise those first
    /// that have waited longest. A file without a message is of use to nobody.
    pub async fn claim_media(
        &mut self,
        claim: Claim,
        limit: i64,
        per_session: i64,
    ) -> StoreResult<Vec<ClaimedMedia>> {
        let rows = sqlx::query!(
            r#"WITH due AS MATERIALIZED (
                   SELECT d.id FROM wa_session s
                   CROSS JOIN LATERAL (
                       SELECT w.id FROM media w
                       WHERE w.session_id = s.id AND w.state = 'pending'
                         AND w.message_id IS NOT NULL AND w.next_at <= now()
                         AND (w.lease_until IS NULL OR w.lease_until < now())
                       ORDER BY w.history, w.next_at, w.id
                       LIMIT greatest(0, $4 - (
                           SELECT count(*) FROM media b
                           WHERE b.session_id = s.id AND b.claim_id IS NOT NULL
                             AND b.state = 'pending' AND b.lease_until >= now()
                       ))
                   ) waiting
                   JOIN media d ON d.id = waiting.id
                   -- Once more, of the row as it is when it is locked.
                   WHERE d.state = 'pending' AND d.message_id IS NOT NULL
                     AND d.next_at <= now()
                     AND (d.lease_until IS NULL OR d.lease_until < now())
                   ORDER BY d.history, d.next_at, d.id
                   LIMIT $3
                   FOR UPDATE OF d SKIP LOCKED
               )
               UPDATE media d
               SET claim_id = $1, lease_until = now() + make_interval(secs => $2),
                   attempts = attempts + 1
               FROM due
               WHERE d.id = due.id
               RETURNING d.id, d.tenant_id, d.session_id, d.message_id, d.mimetype, d.source_url,
                   d.wa_message_id, d.chat_jid, coalesce(d.from_me, false) AS "from_me!",
                   d.attempts"#,
            claim.id,
            claim.lease.as_secs_f64(),
            limit,
            per_session,
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| ClaimedMedia {
                id: row.id.into(),
                tenant: Tenant::new(row.tenant_id.into()),
                session_id: row.session_id.into(),
                message_id: row.message_id.map(MessageId::from),
                mimetype: row.mimetype,
                source_url: row.source_url,
                wa_message_id: row.wa_message_id,
                chat_jid: row.chat_jid,
                from_me: row.from_me,
                attempts: row.attempts,
            })
            .collect())
    }

    /// A claimed file is here. `None` where the claim was lost, or the file swept.
    pub async fn media_stored(
        &mut self,
        id: MediaId,
        claim: Claim,
        size: i64,
        sha256: &[u8; 32],
        mimetype: &str,
    ) -> StoreResult<Option<Media>> {
        self.lock_message_of(id).await?;
        let row = media_query!(
            "UPDATE media d
             SET state = 'stored', size = $3, sha256 = $4, mimetype = $5, stored_at = now(),
                 error = NULL, source_url = NULL, claim_id = NULL, lease_until = NULL
             WHERE d.id = $1 AND d.claim_id = $2 AND d.state = 'pending' RETURNING",
            "",
            id.uuid(),
            claim.id,
            size,
            sha256.as_slice(),
            mimetype,
        )
        .fetch_optional(self.conn())
        .await?;
        self.show_in_message(row.as_ref()).await?;
        Ok(row)
    }

    /// A claimed file was not had, and why. It is tried again after `retry`, or never: then it
    /// is lost. `None` where the claim was lost, or the file swept.
    pub async fn media_failed(
        &mut self,
        id: MediaId,
        claim: Claim,
        error: &str,
        retry: Option<Duration>,
    ) -> StoreResult<Option<Media>> {
        self.lock_message_of(id).await?;
        let row = media_query!(
            "UPDATE media d
             SET state = CASE WHEN $4::float8 IS NULL THEN 'lost' ELSE d.state END,
                 error = $3,
                 source_url = CASE WHEN $4 IS NOT NULL THEN d.source_url END,
                 next_at = now() + make_interval(secs => coalesce($4, 0)),
                 claim_id = NULL, lease_until = NULL
             WHERE d.id = $1 AND d.claim_id = $2 AND d.state = 'pending' RETURNING",
            "",
            id.uuid(),
            claim.id,
            error,
            retry.map(|delay| delay.as_secs_f64()),
        )
        .fetch_optional(self.conn())
        .await?;
        self.show_in_message(row.as_ref()).await?;
        Ok(row)
    }

    /// Gives up a claim on a file that was not even tried to the end: whoever comes next need
    /// not wait, and it counts as no attempt.
    pub async fn media_released(&mut self, id: MediaId, claim: Claim) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE media
             SET claim_id = NULL, lease_until = NULL, attempts = greatest(attempts - 1, 0)
             WHERE id = $1 AND claim_id = $2 AND state = 'pending'",
            id.uuid(),
            claim.id,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Whether there still is such a file, whoever is at it.
    pub async fn media_is_known(&mut self, id: MediaId) -> StoreResult<bool> {
        let known = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM media WHERE id = $1) AS "known!""#,
            id.uuid(),
        )
        .fetch_one(self.conn())
        .await?;
        Ok(known)
    }

    /// The message first and its file second, as when messages are removed: otherwise the two
    /// could wait for each other.
    async fn lock_message_of(&mut self, id: MediaId) -> StoreResult<()> {
        sqlx::query!(
            "SELECT m.id FROM message m
             JOIN media d ON d.tenant_id = m.tenant_id AND d.message_id = m.id
             WHERE d.id = $1 FOR NO KEY UPDATE OF m",
            id.uuid(),
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(())
    }

    /// Shows in its message what became of a file. A message that no longer shows one, since
    /// it was unsent, stays so.
    async fn show_in_message(&mut self, media: Option<&Media>) -> StoreResult<()> {
        let Some((media, message)) = media.and_then(|media| Some((media, media.message_id?)))
        else {
            return Ok(());
        };
        sqlx::query!(
            "UPDATE message m SET media = m.media || $3
             FROM media d
             WHERE d.id = $1 AND m.tenant_id = d.tenant_id AND m.id = $2
               AND m.media IS NOT NULL",
            media.id.uuid(),
            message.uuid(),
            media.shown(),
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Files that nothing refers to: never sent, or their message or session is gone. What is
    /// younger than an hour may still be about to be sent.
    pub async fn orphaned_media(&mut self, limit: i64) -> StoreResult<Vec<(Tenant, MediaId)>> {
        let rows = sqlx::query!(
            "SELECT d.id, d.tenant_id FROM media d
             WHERE d.message_id IS NULL
               AND (d.created_at < now() - interval '1 hour' OR NOT EXISTS (
                   SELECT FROM wa_session s
                   WHERE s.tenant_id = d.tenant_id AND s.id = d.session_id
               ))
             ORDER BY d.created_at, d.id LIMIT $1",
            limit,
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (Tenant::new(row.tenant_id.into()), row.id.into()))
            .collect())
    }

    /// Forgets files, except what was attached to a message meanwhile. Answers what it forgot:
    /// their bytes are to be removed before this is committed, so that none are left behind.
    pub async fn forget_media(&mut self, ids: &[MediaId]) -> StoreResult<Vec<MediaId>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let gone = sqlx::query_scalar!(
            "DELETE FROM media WHERE id = ANY($1) AND message_id IS NULL RETURNING id",
            &ids,
        )
        .fetch_all(self.conn())
        .await?;
        Ok(gone.into_iter().map(MediaId::from).collect())
    }
}
