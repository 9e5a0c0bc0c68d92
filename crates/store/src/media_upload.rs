use mf_domain::{MediaId, SessionId};

use crate::{NewMedia, StoreResult, media::MediaFiles};

/// A file of a client is noted before its bytes are kept, and completed after: bytes without a
/// row would be found by nobody.
impl MediaFiles<'_> {
    /// Notes that a client's file is about to be kept. What is not completed is swept.
    pub async fn reserve(self, id: MediaId, session: SessionId) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO media (id, tenant_id, session_id, direction, state, mimetype)
             VALUES ($1, $2, $3, 'outbound', 'pending', 'application/octet-stream')",
            id.uuid(),
            self.tx.tenant().id().uuid(),
            session.uuid(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }

    /// Says what the client's file is, now that it is here. `false` where it was swept.
    pub async fn complete(self, file: &NewMedia<'_>, sha256: &[u8; 32]) -> StoreResult<bool> {
        let done = sqlx::query!(
            "UPDATE media SET state = 'stored', mimetype = $3, filename = $4, size = $5,
                 sha256 = $6, stored_at = now()
             WHERE tenant_id = $1 AND id = $2 AND state = 'pending'",
            self.tx.tenant().id().uuid(),
            file.id.uuid(),
            file.mimetype,
            file.filename,
            file.size,
            sha256.as_slice(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(done.rows_affected() > 0)
    }
}
