use chrono::{DateTime, Utc};
use mf_domain::{PhoneNumber, SessionId, SessionName, SessionStatus};
use uuid::Uuid;

mod health;
mod report;

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
    /// The account's hidden id, where it is known.
    pub lid: Option<String>,
    /// When it first worked after being paired.
    pub paired_at: Option<DateTime<Utc>>,
    /// Messages until then were fetched from the engine.
    pub caught_up_at: Option<DateTime<Utc>>,
    /// Since when it stands where it stands, by the database's clock.
    pub status_since: DateTime<Utc>,
    /// How often it was restarted since it last proved to be alive.
    pub recovery_attempts: i32,
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
    /// The account's hidden id, where that is known.
    pub lid: Option<String>,
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
    /// Clients are to know it as connected.
    pub is_connected: bool,
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
                s.push_name, s.is_business, s.config, s.last_error, s.lid, s.paired_at, s.caught_up_at,
                s.status_since, s.recovery_attempts, s.wanted, s.last_seen_at, s.engine_status_at,
                s.created_at, s.updated_at "# + $tail,
            $($arg),+
        )
    };
}
use session_query;

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

    /// One session, held: it is not removed before this transaction ends. Whoever writes what
    /// belongs to a session begins with this, or a removal and the writing could wait for each
    /// other.
    pub async fn hold(self, id: SessionId) -> StoreResult<Option<Session>> {
        let tenant = self.tenant();
        let row = session_query!(
            "SELECT",
            "FROM wa_session s WHERE s.tenant_id = $1 AND s.id = $2 FOR KEY SHARE",
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

    /// Whether a session still shall run. Held until this transaction ends: whoever stops it
    /// meanwhile waits.
    pub async fn still_wanted(self, id: SessionId) -> StoreResult<bool> {
        let wanted = sqlx::query_scalar!(
            "SELECT wanted FROM wa_session WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE",
            self.tenant(),
            id.uuid()
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(wanted == Some(true))
    }

    /// Forgets who was paired: the next account may be another.
    pub async fn forget_pairing(self, id: SessionId) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE wa_session
             SET phone_number = NULL, push_name = NULL, is_business = false, lid = NULL,
                 paired_at = NULL, caught_up_at = NULL, updated_at = now()
             WHERE tenant_id = $1 AND id = $2",
            self.tenant(),
            id.uuid()
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }

    /// Notes whether a fault is known of a session that stands where it stood. `false` where
    /// nothing changed.
    pub async fn note_error(self, id: SessionId, error: Option<&str>) -> StoreResult<bool> {
        let noted = sqlx::query!(
            "UPDATE wa_session SET last_error = $3, updated_at = now()
             WHERE tenant_id = $1 AND id = $2 AND last_error IS DISTINCT FROM $3",
            self.tenant(),
            id.uuid(),
            error
        )
        .execute(self.tx.conn())
        .await?;
        Ok(noted.rows_affected() > 0)
    }

    /// Notes that every message until `at` was fetched. It never steps back.
    pub async fn caught_up(self, id: SessionId, at: DateTime<Utc>) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE wa_session SET caught_up_at = $3
             WHERE tenant_id = $1 AND id = $2 AND (caught_up_at IS NULL OR caught_up_at < $3)",
            self.tenant(),
            id.uuid(),
            at
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
