use chrono::{DateTime, Utc};
use mf_domain::{ChatId, Direction, MessageId, MessageKind, MessageStatus};
use uuid::Uuid;

use super::{Message, Messages, message_query};
use crate::{StoreResult, like::contains, word::Word};

/// A place in the history of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The time of the message there.
    pub sort_at: DateTime<Utc>,
    /// Which, of several of that time.
    pub id: Uuid,
}

/// Which messages of a chat.
#[derive(Debug, Clone, Default)]
pub struct PageSpec<'a> {
    /// At most so many.
    pub limit: i64,
    /// After so many that are newer.
    pub offset: i64,
    /// Only older ones, the nearest first.
    pub before: Option<Cursor>,
    /// Only newer ones. Without `before` the nearest, that is the oldest of them; they still
    /// come newest first.
    pub after: Option<Cursor>,
    /// Only those that contain this, in whatever case.
    pub search: Option<&'a str>,
}

/// The part of a chat's history to read, and from which end.
struct Slice<'a> {
    chat: Uuid,
    limit: i64,
    offset: i64,
    before: Option<Cursor>,
    after: Option<Cursor>,
    search: Option<&'a str>,
    forwards: bool,
}

/// Ids alone, so that what is skipped is read from the index.
macro_rules! ids_query {
    ($tenant:expr, $slice:expr, $tail:tt, $($more:expr),*) => {
        sqlx::query_scalar!(
            "SELECT id FROM message
             WHERE tenant_id = $1 AND chat_id = $2
               AND (sort_at, id) < (coalesce($3, 'infinity'::timestamptz),
                   coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
               AND (sort_at, id) > (coalesce($5, '-infinity'::timestamptz),
                   coalesce($6, '00000000-0000-0000-0000-000000000000'::uuid)) "
                + $tail,
            $tenant,
            $slice.chat,
            $slice.before.map(|cursor| cursor.sort_at),
            $slice.before.map(|cursor| cursor.id),
            $slice.after.map(|cursor| cursor.sort_at),
            $slice.after.map(|cursor| cursor.id),
            $slice.limit,
            $slice.offset,
            $($more),*
        )
    };
}

impl Messages<'_> {
    /// Where a message stands in the history of its chat.
    pub async fn cursor(self, id: MessageId) -> StoreResult<Option<Cursor>> {
        let cursor = sqlx::query_as!(
            Cursor,
            "SELECT sort_at, id FROM message WHERE tenant_id = $1 AND id = $2",
            self.tenant(),
            id.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(cursor)
    }

    /// Messages of a chat, newest first, and how many there are: in the chat, or that contain
    /// what is searched for. To be read in a transaction where all is of one moment.
    ///
    /// A page by offset is read from the end that is nearer, so that the last is as cheap as
    /// the first.
    pub async fn page(
        mut self,
        chat: ChatId,
        page: &PageSpec<'_>,
    ) -> StoreResult<(Vec<Message>, i64)> {
        let tenant = self.tenant();
        let chat = sqlx::query!(
            "SELECT c.id, c.message_count FROM chat a
             JOIN chat c ON c.tenant_id = a.tenant_id AND c.id = coalesce(a.merged_into, a.id)
             WHERE a.tenant_id = $1 AND a.id = $2",
            tenant,
            chat.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        let Some(chat) = chat else {
            return Ok((Vec::new(), 0));
        };
        let total = match page.search {
            Some(text) => self.count_matches(chat.id, text).await?,
            None => chat.message_count,
        };
        let slice = Slice::of(chat.id, total, page);
        let mut ids = self.ids(&slice).await?;
        if slice.forwards {
            ids.reverse();
        }
        Ok((self.by_ids(&ids).await?, total))
    }

    async fn count_matches(&mut self, chat: Uuid, text: &str) -> StoreResult<i64> {
        let count = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM message
               WHERE tenant_id = $1 AND chat_id = $2
                 AND (content ILIKE $3 COLLATE moltflow_text
                         OR content_preview ILIKE $3 COLLATE moltflow_text)"#,
            self.tenant(),
            chat,
            contains(text),
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(count)
    }

    async fn ids(&mut self, slice: &Slice<'_>) -> StoreResult<Vec<Uuid>> {
        let tenant = self.tenant();
        let conn = self.tx.conn();
        let ids = match (slice.search.map(contains), slice.forwards) {
            (None, false) => {
                let tail = ids_query!(
                    tenant,
                    slice,
                    "ORDER BY sort_at DESC, id DESC LIMIT $7 OFFSET $8",
                );
                tail.fetch_all(conn).await
            }
            (None, true) => {
                let head = ids_query!(tenant, slice, "ORDER BY sort_at, id LIMIT $7 OFFSET $8",);
                head.fetch_all(conn).await
            }
            (Some(pattern), false) => {
                let tail = ids_query!(
                    tenant,
                    slice,
                    "AND (content ILIKE $9 COLLATE moltflow_text
                         OR content_preview ILIKE $9 COLLATE moltflow_text)
                     ORDER BY sort_at DESC, id DESC LIMIT $7 OFFSET $8",
                    pattern
                );
                tail.fetch_all(conn).await
            }
            (Some(pattern), true) => {
                let head = ids_query!(
                    tenant,
                    slice,
                    "AND (content ILIKE $9 COLLATE moltflow_text
                         OR content_preview ILIKE $9 COLLATE moltflow_text)
                     ORDER BY sort_at, id LIMIT $7 OFFSET $8",
                    pattern
                );
                head.fetch_all(conn).await
            }
        };
        Ok(ids?)
    }

    async fn by_ids(&mut self, ids: &[Uuid]) -> StoreResult<Vec<Message>> {
        let tenant = self.tenant();
        let rows = message_query!(
            "SELECT",
            "FROM message m JOIN chat c ON c.tenant_id = m.tenant_id AND c.id = m.chat_id
             WHERE m.tenant_id = $1 AND m.id = ANY($2)
             ORDER BY m.sort_at DESC, m.id DESC",
            tenant,
            ids,
        )
        .fetch_all(self.tx.conn())
        .await?;
        Ok(rows)
    }
}

impl<'a> Slice<'a> {
    fn of(chat: Uuid, total: i64, page: &PageSpec<'a>) -> Self {
        let by_cursor = page.before.is_some() || page.after.is_some();
        let mut slice = Self {
            chat,
            limit: page.limit.max(0),
            offset: page.offset.max(0),
            before: page.before,
            after: page.after,
            search: page.search,
            forwards: page.after.is_some() && page.before.is_none(),
        };
        if !by_cursor && slice.offset > total / 2 {
            // What is left after this page is skipped instead of what comes before it.
            let left = total.saturating_sub(slice.offset).max(0);
            slice.limit = slice.limit.min(left);
            slice.offset = left - slice.limit;
            slice.forwards = true;
        }
        slice
    }
}
