use chrono::{DateTime, Utc};
use mf_domain::{EventId, EventName, SessionId, TenantId};

use crate::{Store, StoreResult, TenantTx, patience::in_time};

/// Something that happened, to be told.
#[derive(Debug)]
pub struct NewEvent {
    /// Its id: the same in every telling.
    pub id: EventId,
    /// The session that it is about.
    pub session_id: Option<SessionId>,
    /// What happened.
    pub name: EventName,
    /// The envelope, as it is sent.
    pub body: String,
}

/// A place in the log: before it, nothing will be added any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct EventPosition {
    tx: i64,
    seq: i64,
}

impl EventPosition {
    pub(crate) const fn new(tx: i64, seq: i64) -> Self {
        Self { tx, seq }
    }
}

/// What a transaction could see of the log: so that a stream that begins with the state of
/// things leaves out what led to it.
#[derive(Debug, Clone)]
pub struct LogView {
    xmin: i64,
    xmax: i64,
    running: Vec<i64>,
}

impl LogView {
    /// Reads PostgreSQL's form of a snapshot: `xmin:xmax:running,running,…`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let xmin = parts.next()?.parse().ok()?;
        let xmax = parts.next()?.parse().ok()?;
        let running = parts.next()?.split(',').filter(|id| !id.is_empty());
        let running = running.map(str::parse).collect::<Result<_, _>>().ok()?;
        Some(Self {
            xmin,
            xmax,
            running,
        })
    }

    /// Whether an event was there to be seen.
    pub fn shows(&self, position: EventPosition) -> bool {
        position.tx < self.xmin || (position.tx < self.xmax && !self.running.contains(&position.tx))
    }
}

/// Something that happened, as the log has it.
#[derive(Debug, Clone)]
pub struct LoggedEvent {
    /// Its id.
    pub id: EventId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The session that it is about.
    pub session_id: Option<SessionId>,
    /// What happened, in the contract's word.
    pub name: String,
    /// The envelope, as it is sent.
    pub body: String,
    /// When it happened, by the database's clock.
    pub created_at: DateTime<Utc>,
    /// Where it stands.
    pub position: EventPosition,
}

/// What a look at the log found.
#[derive(Debug)]
pub struct LogPage {
    /// What happened, oldest first.
    pub events: Vec<LoggedEvent>,
    /// Whether more is committed that cannot be told yet, since it stands behind a transaction
    /// that is still open. Nobody is woken when that one ends.
    pub hidden: bool,
}

struct Row {
    id: uuid::Uuid,
    tenant_id: uuid::Uuid,
    session_id: Option<uuid::Uuid>,
    name: String,
    body: String,
    created_at: DateTime<Utc>,
    tx: i64,
    seq: i64,
}

impl From<Row> for LoggedEvent {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            tenant_id: row.tenant_id.into(),
            session_id: row.session_id.map(Into::into),
            name: row.name,
            body: row.body,
            created_at: row.created_at,
            position: EventPosition {
                tx: row.tx,
                seq: row.seq,
            },
        }
    }
}

/// See [`TenantTx::events`].
#[derive(Debug)]
pub struct Events<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Events<'_> {
    /// Adds to the log, and to the queue of every webhook that wants it: in one statement, so
    /// that neither is ever without the other. Readers see both once the transaction is
    /// committed.
    pub async fn append(self, new: &NewEvent) -> StoreResult<()> {
        let queued = sqlx::query_scalar!(
            r#"WITH told AS (
                   INSERT INTO event (id, tenant_id, session_id, name, body)
                   VALUES ($1, $2, $3, $4, $5)
                   RETURNING tenant_id, id, created_at, name
               ), queued AS (
                   INSERT INTO webhook_delivery
                       (tenant_id, webhook_id, event_id, event_at, event_name)
                   SELECT w.tenant_id, w.id, e.id, e.created_at, e.name
                   FROM told e JOIN webhook w ON w.tenant_id = e.tenant_id
                   WHERE w.is_active AND w.events && ARRAY[e.name, '*']
                   -- As the key's check does, but beforehand: one that is being deleted is
                   -- waited for, and then no longer there.
                   FOR KEY SHARE OF w
                   RETURNING 1
               )
               SELECT count(*) AS "queued!" FROM queued"#,
            new.id.uuid(),
            self.tx.tenant().id().uuid(),
            new.session_id.map(SessionId::uuid),
            new.name.as_str(),
            new.body,
        )
        .fetch_one(self.tx.conn())
        .await?;
        self.tx.grew = true;
        self.tx.queued |= queued > 0;
        Ok(())
    }

    /// What this transaction can see of the log, at this moment. What it reads afterwards is
    /// of the same state or a newer one.
    pub async fn view(self) -> StoreResult<LogView> {
        let text = sqlx::query_scalar!(r#"SELECT pg_current_snapshot()::text AS "view!""#)
            .fetch_one(self.tx.conn())
            .await?;
        LogView::parse(&text).ok_or_else(|| sqlx::Error::Decode(text.into()).into())
    }

    /// Where an event of a session stands in the log, by its id.
    pub async fn position_of(
        self,
        session: SessionId,
        id: EventId,
    ) -> StoreResult<Option<EventPosition>> {
        let row = sqlx::query!(
            r#"SELECT tx::text::bigint AS "tx!", seq AS "seq!" FROM event
               WHERE tenant_id = $1 AND session_id = $2 AND id = $3"#,
            self.tx.tenant().id().uuid(),
            session.uuid(),
            id.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row.map(|row| EventPosition {
            tx: row.tx,
            seq: row.seq,
        }))
    }

    /// What happened to a session after `after`, up to and including `until`, oldest first.
    pub async fn of_session(
        self,
        session: SessionId,
        after: EventPosition,
        until: EventPosition,
        limit: i64,
    ) -> StoreResult<Vec<LoggedEvent>> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id, tenant_id, session_id, name, body,
                      created_at, tx::text::bigint AS "tx!", seq AS "seq!"
               FROM event
               WHERE tenant_id = $1 AND session_id = $2
                 AND (tx, seq) > ($3::text::xid8, $4::bigint)
                 AND (tx, seq) <= ($5::text::xid8, $6::bigint)
               ORDER BY tx, seq LIMIT $7"#,
            self.tx.tenant().id().uuid(),
            session.uuid(),
            after.tx.to_string(),
            after.seq,
            until.tx.to_string(),
            until.seq,
            limit,
        )
        .fetch_all(self.tx.conn())
        .await?;
        Ok(rows.into_iter().map(LoggedEvent::from).collect())
    }
}

impl Store {
    /// Where the log ends at this moment: everything before is committed or never will be.
    pub async fn event_log_end(&self) -> StoreResult<EventPosition> {
        let tx = sqlx::query_scalar!(
            r#"SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS "tx!""#
        )
        .fetch_one(&self.pool)
        .await?;
        // The oldest transaction still running has written nothing that anybody saw, so the
        // end is just before its first row.
        Ok(EventPosition { tx, seq: 0 })
    }

    /// What happened to anybody after `after`, as far as the log is complete.
    pub async fn events_after(&self, after: EventPosition, limit: i64) -> StoreResult<LogPage> {
        in_time(self.patience, Box::pin(self.read_log(after, limit))).await
    }

    async fn read_log(&self, after: EventPosition, limit: i64) -> StoreResult<LogPage> {
        let mut tx = self
            .system_apart("feed every stream of this process from one reader")
            .await?;
        // What stands behind an open transaction comes last, and nobody reads what it says.
        let rows = sqlx::query!(
            r#"SELECT id, tenant_id, session_id, name, created_at,
                      tx::text::bigint AS "tx!", seq AS "seq!",
                      CASE WHEN tx < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
                           THEN body END AS body
               FROM event
               WHERE (tx, seq) > ($1::text::xid8, $2::bigint)
               ORDER BY tx, seq LIMIT $3"#,
            after.tx.to_string(),
            after.seq,
            limit,
        )
        .fetch_all(tx.conn())
        .await?;
        tx.commit().await?;
        let read = rows.len();
        let complete = rows.into_iter().map_while(|row| {
            Some(LoggedEvent::from(Row {
                id: row.id,
                tenant_id: row.tenant_id,
                session_id: row.session_id,
                name: row.name,
                body: row.body?,
                created_at: row.created_at,
                tx: row.tx,
                seq: row.seq,
            }))
        });
        let events: Vec<LoggedEvent> = complete.collect();
        Ok(LogPage {
            hidden: events.len() < read,
            events,
        })
    }
}
