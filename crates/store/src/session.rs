use chrono::{DateTime, Utc};
use mf_domain::{PhoneNumber, SessionId, SessionName, SessionStatus};
use uuid::Uuid;

use crate::{StoreResult, SystemTx, Tenant, TenantTx, word::Word};

/// A WhatsApp number connected to the server.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub status: SessionStatus,
    /// Digits, once paired.
    pub phone_number: Option<String>,
    /// The name that others see.
    pub push_name: Option<String>,
    /// Whether it is a WhatsApp Business account.
    pub is_business: bool,
    /// What its owner set.
    pub config: serde_json::Value,
    /// Why it is where it is, if that is no good place.
    pub last_error: Option<String>,
    /// Whether somebody asked for it to run.
    pub wanted: bool,
    /// When it last proved to be alive.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Since when it stands where it stands, by the engine's clock.
    pub engine_status_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When anything of this last changed.
    pub updated_at: DateTime<Utc>,
}

/// A session to be.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Its id.
    pub id: SessionId,
    /// What people call it.
    pub name: &'a SessionName,
    /// The sealed key of its callbacks.
    pub callback_secret: &'a [u8],
}

/// Whose a session is: what a callback's path proves once its signature is good.
#[derive(Debug, Clone)]
pub struct SessionOwner {
    /// Whose it is.
    pub tenant: Tenant,
    /// Which it is.
    pub id: SessionId,
    /// The sealed key of its callbacks.
    pub callback_secret: Vec<u8>,
    /// Where it stands.
    pub status: SessionStatus,
    /// Whether somebody asked for it to run.
    pub wanted: bool,
}

/// A status that the engine reported, or that we brought about.
#[derive(Debug, Clone, Default)]
pub struct ReportedStatus {
    /// Where it stands now.
    pub status: Option<SessionStatus>,
    /// Who is paired, where that is known.
    pub phone: Option<PhoneNumber>,
    /// The name that others see, where that is known.
    pub push_name: Option<String>,
    /// Since when, by the engine's clock. Reports older than the last one change nothing, nor
    /// does one of the same moment that steps back; without a time they count as new.
    pub since: Option<DateTime<Utc>>,
    /// Why, where it is no good place.
    pub error: Option<String>,
    /// Only if the session stands here: for what we learn by asking, which may be overtaken
    /// by what we are told.
    pub only_from: Option<SessionStatus>,
}

/// What a report changed.
#[derive(Debug, Clone)]
pub struct StatusChange {
    /// Where the session stood.
    pub before: SessionStatus,
    /// Clients knew it as connected.
    pub was_connected: bool,
    /// The session as it is now.
    pub session: Session,
    /// The report was of the same status, but a newer one: a QR code was exchanged.
    pub renewed: bool,
}

macro_rules! session_query {
    ($head:tt, $tail:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            Session,
            $head + r#" s.id, s.name, s.status AS "status: Word<SessionStatus>", s.phone_number,
                s.push_name, s.is_business, s.config, s.last_error, s.wanted, s.last_seen_at, s.engine_status_at,
                s.created_at, s.updated_at "# + $tail,
            $($arg),+
        )
    };
}

/// See [`TenantTx::sessions`].
#[derive(Debug)]
pub struct Sessions<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Sessions<'_> {
    fn tenant(&self) -> Uuid {
        self.tx.tenant().id().uuid()
    }

    /// Sessions, newest first.
    pub async fn list(self, limit: i64, offset: i64) -> StoreResult<Vec<Session>> {
        let tenant = self.tenant();
        let rows = session_query!(
            "SELECT",
            "FROM wa_session s WHERE s.tenant_id = $1
             ORDER BY s.created_at DESC, s.id DESC LIMIT $2 OFFSET $3",
            tenant,
            limit,
            offset,
        )
        .fetch_all(self.tx.conn())
        .await?;
        Ok(rows)
    }

    /// One session.
    pub async fn lookup(self, id: SessionId) -> StoreResult<Option<Session>> {
        let tenant = self.tenant();
        let row = session_query!(
            "SELECT",
            "FROM wa_session s WHERE s.tenant_id = $1 AND s.id = $2",
            tenant,
            id.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// The sealed key of a session's callbacks.
    pub async fn callback_secret(self, id: SessionId) -> StoreResult<Option<Vec<u8>>> {
        let secret = sqlx::query_scalar!(
            "SELECT callback_secret FROM wa_session WHERE tenant_id = $1 AND id = $2",
            self.tenant(),
            id.uuid()
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(secret)
    }

    /// Adds a session, stopped.
    pub async fn add(self, new: &NewSession<'_>) -> StoreResult<Session> {
        let tenant = self.tenant();
        let row = session_query!(
            "INSERT INTO wa_session AS s (id, tenant_id, name, callback_secret)
             VALUES ($1, $2, $3, $4) RETURNING",
            "",
            new.id.uuid(),
            tenant,
            new.name.as_str(),
            new.callback_secret,
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// Removes a session with its chats and messages. `false` where there is none of this id.
    pub async fn delete(self, id: SessionId) -> StoreResult<bool> {
        let gone = sqlx::query!(
            "DELETE FROM wa_session WHERE tenant_id = $1 AND id = $2",
            self.tenant(),
            id.uuid()
        )
        .execute(self.tx.conn())
        .await?;
        Ok(gone.rows_affected() > 0)
    }

    /// Lays settings over those that are there. A `null` removes one.
    pub async fn merge_config(
        self,
        id: SessionId,
        settings: &serde_json::Value,
    ) -> StoreResult<Option<Session>> {
        let tenant = self.tenant();
        let row = session_query!(
            "UPDATE wa_session AS s
             SET config = (s.config || $3)
                     - ARRAY(SELECT key FROM jsonb_each($3) WHERE value = 'null'),
                 updated_at = now()
             WHERE s.tenant_id = $1 AND s.id = $2 RETURNING",
            "",
            tenant,
            id.uuid(),
            settings,
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// Notes whether a session shall run.
    pub async fn want(self, id: SessionId, wanted: bool) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE wa_session SET wanted = $3, updated_at = now()
             WHERE tenant_id = $1 AND id = $2 AND wanted <> $3",
            self.tenant(),
            id.uuid(),
            wanted
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }

    /// Forgets who was paired.
    pub async fn forget_pairing(self, id: SessionId) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE wa_session
             SET phone_number = NULL, push_name = NULL, is_business = false, updated_at = now()
             WHERE tenant_id = $1 AND id = $2",
            self.tenant(),
            id.uuid()
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }

    /// Takes in a status. `None` where it changed nothing: an old report, or a repeated one.
    pub async fn report(
        self,
        id: SessionId,
        report: &ReportedStatus,
    ) -> StoreResult<Option<StatusChange>> {
        let tenant = self.tenant();
        let before = sqlx::query!(
            r#"SELECT status AS "status: Word<SessionStatus>", engine_status_at, connected
               FROM wa_session WHERE tenant_id = $1 AND id = $2 FOR UPDATE"#,
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
        let session = session_query!(
            "UPDATE wa_session AS s
             SET status = $3,
                 phone_number = coalesce($4, s.phone_number),
                 push_name = coalesce($5, s.push_name),
                 engine_status_at = coalesce($6, s.engine_status_at),
                 last_error = $7,
                 connected = CASE $3 WHEN 'working' THEN true WHEN 'starting' THEN s.connected
                     ELSE false END,
                 last_seen_at = CASE WHEN $3 = 'working' THEN now() ELSE s.last_seen_at END,
                 updated_at = now()
             WHERE s.tenant_id = $1 AND s.id = $2 RETURNING",
            "",
            tenant,
            id.uuid(),
            report.status.unwrap_or(status).as_str(),
            report.phone.as_ref().map(PhoneNumber::as_str),
            report.push_name.as_deref(),
            report.since,
            report.error.as_deref(),
        )
        .fetch_one(self.tx.conn())
        .await?;
        let changed = session.status != status;
        Ok((changed || renewed).then_some(StatusChange {
            before: status,
            was_connected: before.connected,
            session,
            renewed,
        }))
    }

    /// Notes that a session proved to be alive. At most one write in ten seconds.
    pub async fn seen(self, id: SessionId) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE wa_session SET last_seen_at = now()
             WHERE tenant_id = $1 AND id = $2
               AND (last_seen_at IS NULL OR last_seen_at < now() - interval '10 seconds')",
            self.tenant(),
            id.uuid()
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }
}

struct OwnerRow {
    id: Uuid,
    tenant_id: Uuid,
    callback_secret: Vec<u8>,
    status: SessionStatus,
    wanted: bool,
}

impl From<OwnerRow> for SessionOwner {
    fn from(row: OwnerRow) -> Self {
        Self {
            tenant: Tenant::new(row.tenant_id.into()),
            id: row.id.into(),
            callback_secret: row.callback_secret,
            status: row.status,
            wanted: row.wanted,
        }
    }
}

impl SystemTx {
    /// Whose a session is: the engine names only the session.
    pub async fn session_owner(&mut self, id: SessionId) -> StoreResult<Option<SessionOwner>> {
        let row = sqlx::query_as!(
            OwnerRow,
            r#"SELECT id, tenant_id, callback_secret, status AS "status: Word<SessionStatus>",
                      wanted
               FROM wa_session WHERE id = $1"#,
            id.uuid()
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(row.map(SessionOwner::from))
    }

    /// Every session there is, for comparing with the engine's list.
    pub async fn session_owners(&mut self) -> StoreResult<Vec<SessionOwner>> {
        let rows = sqlx::query_as!(
            OwnerRow,
            r#"SELECT id, tenant_id, callback_secret, status AS "status: Word<SessionStatus>",
                      wanted
               FROM wa_session ORDER BY created_at, id"#
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows.into_iter().map(SessionOwner::from).collect())
    }
}
