use std::time::Duration;

use mf_domain::{PhoneNumber, SessionId, SessionStatus};

use super::{ReportedStatus, Session, Sessions, StatusChange, session_query};
use crate::{StoreResult, SystemTx, Tenant, word::Word};

impl Sessions<'_> {
    /// Takes in a status. `None` where it changed nothing: an old report, or a repeated one.
    ///
    /// A session that stops or asks for a code is disconnected at once. One that starts again
    /// or failed may be back in a moment: see [`Self::disconnect`].
    pub async fn report(
        self,
        id: SessionId,
        report: &ReportedStatus,
    ) -> StoreResult<Option<StatusChange>> {
        let tenant = self.tenant();
        let before = sqlx::query!(
            r#"SELECT status AS "status: Word<SessionStatus>", engine_status_at, connected
               FROM wa_session WHERE tenant_id = $1 AND id = $2
               FOR NO KEY UPDATE"#,
            tenant,
            id.uuid()
        )
        .fetch_optional(self.tx.conn())
        .await?;
        let Some(before) = before else {
            return Ok(None);
        };
        let status: SessionStatus = before.status.into();
        let step_back = report.status.is_some_and(|new| new.comes_before(status));
        let overtaken = report
            .since
            .zip(before.engine_status_at)
            .is_some_and(|(new, old)| new < old || (new == old && step_back))
            || report.only_from.is_some_and(|from| from != status);
        if overtaken {
            return Ok(None);
        }
        let renewed = report.status == Some(status)
            && status == SessionStatus::QrCode
            && report.since.is_some()
            && report.since != before.engine_status_at;
        let now = report.status.unwrap_or(status);
        let session = self.write(id, now, report).await?;
        let is_connected = match now {
            SessionStatus::Working => true,
            SessionStatus::Starting | SessionStatus::Failed => before.connected,
            SessionStatus::QrCode | SessionStatus::Stopped => false,
        };
        Ok((now != status || renewed).then_some(StatusChange {
            before: status,
            was_connected: before.connected,
            is_connected,
            session,
            renewed,
        }))
    }

    /// Writes down what was reported. Another number is another account: what was known of the
    /// first does not hold for it.
    async fn write(
        self,
        id: SessionId,
        now: SessionStatus,
        report: &ReportedStatus,
    ) -> StoreResult<Session> {
        let tenant = self.tenant();
        let row = session_query!(
            "UPDATE wa_session AS s
             SET status = $3,
                 status_since = CASE WHEN $3 = s.status THEN s.status_since ELSE now() END,
                 down_since = CASE WHEN $3 <> 'working' THEN coalesce(s.down_since, now()) END,
                 phone_number = coalesce($4, s.phone_number),
                 lid = coalesce($8, CASE WHEN $4 <> s.phone_number THEN NULL ELSE s.lid END),
                 push_name = coalesce($5, s.push_name),
                 paired_at = coalesce(
                     CASE WHEN $4 <> s.phone_number THEN NULL ELSE s.paired_at END,
                     CASE WHEN $3 = 'working' THEN least(now(), $6) END),
                 caught_up_at = CASE WHEN $4 <> s.phone_number THEN NULL
                     ELSE s.caught_up_at END,
                 -- Also where the word that it was away came too late, or never.
                 caught_up_attempt_at = CASE WHEN $3 = 'working'
                         AND (s.status <> 'working' OR $6 > s.engine_status_at)
                     THEN NULL ELSE s.caught_up_attempt_at END,
                 engine_status_at = coalesce($6, s.engine_status_at),
                 last_error = $7,
                 connected = CASE WHEN $3 = 'working' THEN true
                     WHEN $3 IN ('starting', 'failed') THEN s.connected ELSE false END,
                 last_seen_at = CASE WHEN $3 = 'working' AND s.status <> 'working' THEN now()
                     ELSE s.last_seen_at END,
                 updated_at = now()
             WHERE s.tenant_id = $1 AND s.id = $2 RETURNING",
            "",
            tenant,
            id.uuid(),
            now.as_str(),
            report.phone.as_ref().map(PhoneNumber::as_str),
            report.push_name.as_deref(),
            report.since,
            report.error.as_deref(),
            report.lid.as_deref(),
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// Gives a session up as disconnected that has not worked for longer than `grace`, and is
    /// neither stopped nor waiting for a code. `None` where it is back, or was given up before.
    pub async fn disconnect(
        self,
        id: SessionId,
        grace: Duration,
    ) -> StoreResult<Option<StatusChange>> {
        let tenant = self.tenant();
        let session = session_query!(
            "UPDATE wa_session AS s SET connected = false, updated_at = now()
             WHERE s.tenant_id = $1 AND s.id = $2 AND s.connected
               AND s.status IN ('starting', 'failed')
               AND s.down_since <= now() - make_interval(secs => $3)
             RETURNING",
            "",
            tenant,
            id.uuid(),
            grace.as_secs_f64(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(session.map(|session| StatusChange {
            before: session.status,
            was_connected: true,
            is_connected: false,
            session,
            renewed: false,
        }))
    }
}

impl SystemTx {
    /// Sessions that clients know as connected and that have not worked for longer than
    /// `grace`, those first that have been away for longest.
    pub async fn overdue_disconnects(
        &mut self,
        grace: Duration,
        limit: i64,
    ) -> StoreResult<Vec<(Tenant, SessionId)>> {
        let rows = sqlx::query!(
            "SELECT tenant_id, id FROM wa_session
             WHERE connected AND status IN ('starting', 'failed')
               AND down_since <= now() - make_interval(secs => $1)
             ORDER BY down_since, id LIMIT $2",
            grace.as_secs_f64(),
            limit
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (Tenant::new(row.tenant_id.into()), row.id.into()))
            .collect())
    }
}
