use chrono::{DateTime, Utc};
use mf_domain::{ChatId, Jid, SessionId};
use uuid::Uuid;

use super::Chats;
use crate::{StoreResult, like::contains};

/// A conversation, as lists show it.
#[derive(Clone)]
pub struct ChatRow {
    /// Its id.
    pub id: ChatId,
    /// The session that has it.
    pub session_id: SessionId,
    /// WhatsApp's name of it.
    pub jid: String,
    /// What it is called: as the address book says, as they call themselves, or the number.
    pub name: Option<String>,
    /// Whether it is a group.
    pub is_group: bool,
    /// Digits of whom it is with, where that is one person.
    pub phone: Option<String>,
    /// The hidden id of whom it is with.
    pub lid: Option<String>,
    /// Messages that nobody has read.
    pub unread_count: i32,
    /// Messages in it.
    pub message_count: i64,
    /// How the newest message begins.
    pub last_message_preview: Option<String>,
    /// When the newest message was written.
    pub last_message_at: Option<DateTime<Utc>>,
    /// WhatsApp's own labels on it: a list of `{id, name, color}`.
    pub labels: serde_json::Value,
}

/// Ids only: names and numbers do not belong in logs.
impl std::fmt::Debug for ChatRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatRow")
            .field("id", &self.id)
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

/// How a chat is asked for.
#[derive(Debug, Clone)]
pub enum ChatRef<'a> {
    /// By our id.
    Id(ChatId),
    /// By WhatsApp's name, in one session or in whichever was active last.
    Jid {
        /// Which session.
        session: Option<SessionId>,
        /// The name: any that leads there.
        jid: &'a Jid,
    },
}

/// Whole rows, of `chat c` with `contact p`.
macro_rules! chat_query {
    ($tail:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            ChatRow,
            r#"SELECT c.id, c.session_id, c.jid,
                CASE WHEN c.contact_id IS NULL THEN c.name
                    ELSE coalesce(p.name, p.push_name, c.name, '+' || p.phone) END AS name,
                c.is_group, p.phone AS "phone?", p.lid AS "lid?", c.unread_count, c.message_count,
                c.last_message_preview, c.last_message_at,
                coalesce((
                    SELECT jsonb_agg(jsonb_build_object('id', l.wa_label_id, 'name', l.name,
                        'color', l.color_hex) ORDER BY l.name, l.wa_label_id)
                    FROM wa_label l
                    WHERE l.tenant_id = c.tenant_id AND l.session_id = c.session_id
                      AND NOT l.deleted AND (
                          SELECT lc.present FROM wa_label_chat lc
                          WHERE lc.tenant_id = l.tenant_id AND lc.session_id = l.session_id
                            AND lc.wa_label_id = l.wa_label_id AND lc.jid IN (
                                SELECT a.jid FROM chat a
                                WHERE a.tenant_id = c.tenant_id AND a.session_id = c.session_id
                                  AND (a.id = c.id OR a.merged_into = c.id)
                            )
                          ORDER BY lc.updated_at DESC, lc.present DESC LIMIT 1
                      )
                ), '[]') AS "labels!"
            FROM chat c
            LEFT JOIN contact p ON p.tenant_id = c.tenant_id AND p.id = c.contact_id "# + $tail,
            $($arg),+
        )
    };
}

impl Chats<'_> {
    /// Chats with messages, the last active first. `search` is looked for in names and numbers.
    pub async fn list(
        self,
        session: Option<SessionId>,
        search: Option<&str>,
        limit: i64,
        offset: i64,
    ) -> StoreResult<Vec<ChatRow>> {
        let tenant = self.tenant();
        let rows = chat_query!(
            "WHERE c.tenant_id = $1 AND ($2::uuid IS NULL OR c.session_id = $2)
               AND c.merged_into IS NULL AND c.message_count > 0
               AND ($3::text IS NULL OR c.jid ILIKE $3
                   OR c.name ILIKE $3 COLLATE moltflow_text
                   OR p.name ILIKE $3 COLLATE moltflow_text
                   OR p.push_name ILIKE $3 COLLATE moltflow_text OR '+' || p.phone ILIKE $3)
             ORDER BY c.last_message_at DESC NULLS LAST, c.id DESC LIMIT $4 OFFSET $5",
            tenant,
            session.map(SessionId::uuid),
            search.map(contains),
            limit,
            offset,
        )
        .fetch_all(self.tx.conn())
        .await?;
        Ok(rows)
    }

    /// One chat, under whatever name it is asked for.
    pub async fn find(self, chat: ChatRef<'_>) -> StoreResult<Option<ChatRow>> {
        let tenant = self.tenant();
        let (id, session, jid): (Option<Uuid>, Option<SessionId>, Option<&str>) = match chat {
            ChatRef::Id(id) => (Some(id.uuid()), None, None),
            ChatRef::Jid { session, jid } => (None, session, Some(jid.as_str())),
        };
        let row = chat_query!(
            "WHERE c.tenant_id = $1 AND c.id IN (
                 SELECT coalesce(a.merged_into, a.id) FROM chat a
                 WHERE a.tenant_id = $1 AND a.id = $2
                 UNION ALL
                 SELECT coalesce(a.merged_into, a.id) FROM wa_session s
                 JOIN chat a ON a.tenant_id = s.tenant_id AND a.session_id = s.id AND a.jid = $4
                 WHERE s.tenant_id = $1 AND ($3::uuid IS NULL OR s.id = $3)
             )
             ORDER BY c.last_message_at DESC NULLS LAST, c.id LIMIT 1",
            tenant,
            id,
            session.map(SessionId::uuid),
            jid,
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }
}
