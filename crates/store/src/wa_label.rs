use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{Jid, SessionId};
use uuid::Uuid;

use crate::{StoreResult, TenantTx};

/// A label of WhatsApp's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaLabel {
    /// WhatsApp's id of it.
    pub wa_label_id: String,
    /// What it is called.
    pub name: String,
    /// WhatsApp's number of its colour.
    pub color: i32,
    /// Its colour, `#RRGGBB`.
    pub color_hex: String,
}

/// See [`TenantTx::wa_labels`].
#[derive(Debug)]
pub struct WaLabels<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

/// Of several reports about one thing the newest counts, whichever comes first; each says
/// whether it is news.
impl WaLabels<'_> {
    fn tenant(&self) -> Uuid {
        self.tx.tenant().id().uuid()
    }

    /// A session's labels.
    pub async fn list(self, session: SessionId) -> StoreResult<Vec<WaLabel>> {
        let labels = sqlx::query_as!(
            WaLabel,
            "SELECT wa_label_id, name, color, color_hex FROM wa_label
             WHERE tenant_id = $1 AND session_id = $2 AND NOT deleted
             ORDER BY name, wa_label_id",
            self.tenant(),
            session.uuid(),
        )
        .fetch_all(self.tx.conn())
        .await?;
        Ok(labels)
    }

    /// Takes in what a label is like.
    pub async fn put_label(
        self,
        session: SessionId,
        label: &WaLabel,
        at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        self.put(session, label, false, at).await
    }

    /// Takes in that a label is no more.
    pub async fn remove_label(
        self,
        session: SessionId,
        wa_label_id: &str,
        at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let label = WaLabel {
            wa_label_id: wa_label_id.to_owned(),
            name: String::new(),
            color: 0,
            color_hex: String::new(),
        };
        self.put(session, &label, true, at).await
    }

    async fn put(
        self,
        session: SessionId,
        label: &WaLabel,
        deleted: bool,
        at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let put = sqlx::query!(
            "INSERT INTO wa_label AS l (tenant_id, session_id, wa_label_id, name, color, color_hex,
                 deleted, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (tenant_id, session_id, wa_label_id) DO UPDATE
             SET name = excluded.name, color = excluded.color, color_hex = excluded.color_hex,
                 deleted = excluded.deleted, updated_at = excluded.updated_at
             WHERE (l.updated_at, l.deleted, l.name, l.color, l.color_hex)
                 < (excluded.updated_at, excluded.deleted, excluded.name, excluded.color,
                    excluded.color_hex)",
            self.tenant(),
            session.uuid(),
            label.wa_label_id,
            label.name,
            label.color,
            label.color_hex,
            deleted,
            at.trunc_subsecs(6),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(put.rows_affected() > 0)
    }

    /// Takes in whether a chat has a label. Neither need be known.
    pub async fn put_label_chat(
        self,
        session: SessionId,
        wa_label_id: &str,
        chat: &Jid,
        present: bool,
        at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let put = sqlx::query!(
            "INSERT INTO wa_label_chat AS l (tenant_id, session_id, wa_label_id, jid, present,
                 updated_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id, session_id, jid, wa_label_id) DO UPDATE
             SET present = excluded.present, updated_at = excluded.updated_at
             WHERE (l.updated_at, l.present) < (excluded.updated_at, excluded.present)",
            self.tenant(),
            session.uuid(),
            wa_label_id,
            chat.as_str(),
            present,
            at.trunc_subsecs(6),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(put.rows_affected() > 0)
    }
}
