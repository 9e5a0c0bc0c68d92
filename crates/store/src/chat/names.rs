use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{Jid, SessionId};

use super::Chats;
use crate::StoreResult;

impl Chats<'_> {
    /// Notes what groups are called at that moment, as [`Self::rename`] does, and writes only
    /// where that is not known. How many names were news.
    pub async fn name_listed(
        self,
        session: SessionId,
        names: &[(&Jid, &str)],
        at: DateTime<Utc>,
    ) -> StoreResult<u64> {
        let (jids, names): (Vec<String>, Vec<String>) = names
            .iter()
            .map(|(jid, name)| (jid.as_str().to_owned(), (*name).to_owned()))
            .unzip();
        let written = sqlx::query!(
            "INSERT INTO chat AS c (id, tenant_id, session_id, jid, is_group, name, name_at)
             SELECT DISTINCT ON (l.jid) gen_random_uuid(), $1, $2, l.jid, true, l.name, $5
             FROM unnest($3::text[], $4::text[]) AS l (jid, name)
             WHERE NOT EXISTS (
                 SELECT FROM chat k
                 WHERE k.tenant_id = $1 AND k.session_id = $2 AND k.jid = l.jid
                   AND (k.name = l.name OR k.name_at > $5)
             )
             ORDER BY l.jid
             ON CONFLICT (tenant_id, session_id, jid) DO UPDATE
             SET name = excluded.name, name_at = excluded.name_at
             WHERE (coalesce(c.name_at, '-infinity'), coalesce(c.name, ''))
                 < (excluded.name_at, excluded.name)",
            self.tenant(),
            session.uuid(),
            &jids,
            &names,
            at.trunc_subsecs(6),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(written.rows_affected())
    }
}
