use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{Jid, JidKind, SessionId, WaMessageId};
use uuid::Uuid;

use crate::{StoreResult, TenantTx, contact::Person};

/// Stands for the session's owner where others have a JID.
const ME: &str = "me";

/// How somebody voted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Who: a JID, or `me`.
    pub voter: String,
    /// All that they chose.
    pub options: Vec<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// See [`TenantTx::reactions`].
#[derive(Debug)]
pub struct Reactions<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Reactions<'_> {
    /// Takes in how somebody reacts to a message, be it known or not. `sender` is `None` for
    /// the session's owner; an empty `emoji` takes the reaction back. Of several the newest
    /// counts. Whether it is news: the same once more is none, though it came later.
    ///
    /// What the owner did through this server comes back as a report in whole seconds: one of
    /// the same second as [`Self::put_own`] is no newer.
    pub async fn put(
        self,
        session: SessionId,
        message: &WaMessageId,
        sender: Option<&Jid>,
        emoji: &str,
        at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        if sender.is_none() {
            // The report and the deed come at once, and only one of them is news.
            self.tx.lock_wa_id(message).await?;
        }
        let who = self.tx.voice(session, sender).await?;
        let put = sqlx::query!(
            "INSERT INTO message_reaction AS r (tenant_id, session_id, wa_message_id, sender,
                 emoji, from_me, reacted_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, session_id, wa_message_id, sender) DO UPDATE
             SET emoji = excluded.emoji, reacted_at = excluded.reacted_at, made_here = false
             WHERE (r.reacted_at, r.emoji) < (excluded.reacted_at, excluded.emoji)
               AND r.emoji <> excluded.emoji
               AND NOT (r.made_here
                   AND date_trunc('second', excluded.reacted_at) <= r.reacted_at)",
            self.tx.tenant().id().uuid(),
            session.uuid(),
            message.as_str(),
            who,
            emoji,
            sender.is_none(),
            at.trunc_subsecs(6),
        )
        .execute(self.tx.conn())
        .await?;
        if put.rows_affected() > 0 {
            return Ok(true);
        }
        sqlx::query!(
            "UPDATE message_reaction SET reacted_at = $6
             WHERE tenant_id = $1 AND session_id = $2 AND wa_message_id = $3 AND sender = $4
               AND emoji = $5 AND reacted_at < $6",
            self.tx.tenant().id().uuid(),
            session.uuid(),
            message.as_str(),
            who,
            emoji,
            at.trunc_subsecs(6),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(false)
    }

    /// Notes how the session's owner reacts through this server. It is later than whatever the
    /// owner did before, by whoever's clock. Whether it is news.
    pub async fn put_own(
        self,
        session: SessionId,
        message: &WaMessageId,
        emoji: &str,
        at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        // See `put`.
        self.tx.lock_wa_id(message).await?;
        let put = sqlx::query_scalar!(
            r#"WITH before AS (
                   SELECT emoji FROM message_reaction
                   WHERE tenant_id = $1 AND session_id = $2 AND wa_message_id = $3 AND sender = $4
               )
               INSERT INTO message_reaction AS r (tenant_id, session_id, wa_message_id, sender,
                   emoji, from_me, reacted_at, made_here)
               VALUES ($1, $2, $3, $4, $5, true, $6, true)
               ON CONFLICT (tenant_id, session_id, wa_message_id, sender) DO UPDATE
               SET emoji = excluded.emoji, made_here = true,
                   reacted_at = greatest(excluded.reacted_at,
                       r.reacted_at + interval '1 microsecond')
               RETURNING (SELECT before.emoji FROM before) IS DISTINCT FROM r.emoji AS "news!""#,
            self.tx.tenant().id().uuid(),
            session.uuid(),
            message.as_str(),
            ME,
            emoji,
            at.trunc_subsecs(6),
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(put)
    }
}

/// See [`TenantTx::polls`].
#[derive(Debug)]
pub struct Polls<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Polls<'_> {
    fn tenant(&self) -> Uuid {
        self.tx.tenant().id().uuid()
    }

    /// Takes in how somebody votes in a poll, be it known or not: all that they choose now.
    /// `voter` is `None` for the session's owner. Of several the newest counts. Whether it is
    /// news.
    pub async fn vote(
        self,
        session: SessionId,
        poll: &WaMessageId,
        voter: Option<&Jid>,
        options: &[String],
        at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let who = self.tx.voice(session, voter).await?;
        let put = sqlx::query!(
            "INSERT INTO poll_vote AS v (tenant_id, session_id, wa_message_id, voter, options,
                 voted_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id, session_id, wa_message_id, voter) DO UPDATE
             SET options = excluded.options, voted_at = excluded.voted_at
             WHERE (v.voted_at, v.options) < (excluded.voted_at, excluded.options)",
            self.tenant(),
            session.uuid(),
            poll.as_str(),
            who,
            options,
            at.trunc_subsecs(6),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(put.rows_affected() > 0)
    }

    /// How everybody votes in a poll at present, oldest first.
    pub async fn results(self, session: SessionId, poll: &WaMessageId) -> StoreResult<Vec<Vote>> {
        let votes = sqlx::query_as!(
            Vote,
            "SELECT voter, options, voted_at AS at FROM poll_vote
             WHERE tenant_id = $1 AND session_id = $2 AND wa_message_id = $3 AND options <> '{}'
             ORDER BY voted_at, voter",
            self.tenant(),
            session.uuid(),
            poll.as_str(),
        )
        .fetch_all(self.tx.conn())
        .await?;
        Ok(votes)
    }
}

impl TenantTx {
    /// Under which name somebody reacts and votes: their number's, where it is known, so that
    /// nobody has two voices. Their contact is held: it comes before the voice's own row.
    async fn voice(&mut self, session: SessionId, jid: Option<&Jid>) -> StoreResult<String> {
        let Some(jid) = jid else {
            return Ok(ME.to_owned());
        };
        if jid.kind() == JidKind::Hidden {
            // Or the number could become known at this moment, and this voice be overlooked.
            self.lock_people(session).await?;
        }
        let person = self.known_person(session, jid, None).await?;
        Ok(match person.and_then(|person| person.phone) {
            Some(phone) => format!("{phone}@c.us"),
            None => jid.as_str().to_owned(),
        })
    }

    /// Makes one voice of a number's and a hidden id's. The caller holds `lock_people`.
    pub(crate) async fn rename_voices(
        &mut self,
        session: SessionId,
        person: &Person,
    ) -> StoreResult<()> {
        let names = person.jids();
        let [phone, lid] = names.as_slice() else {
            return Ok(());
        };
        let tenant = self.tenant().id().uuid();
        sqlx::query!(
            "WITH hidden AS (
                 DELETE FROM message_reaction
                 WHERE tenant_id = $1 AND session_id = $2 AND sender = $4
                 RETURNING wa_message_id, emoji, from_me, reacted_at
             )
             INSERT INTO message_reaction AS r (tenant_id, session_id, wa_message_id, sender,
                 emoji, from_me, reacted_at)
             SELECT $1, $2, wa_message_id, $3, emoji, from_me, reacted_at FROM hidden
             ON CONFLICT (tenant_id, session_id, wa_message_id, sender) DO UPDATE
             SET emoji = excluded.emoji, reacted_at = excluded.reacted_at
             WHERE (r.reacted_at, r.emoji) < (excluded.reacted_at, excluded.emoji)",
            tenant,
            session.uuid(),
            phone,
            lid,
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "WITH hidden AS (
                 DELETE FROM poll_vote
                 WHERE tenant_id = $1 AND session_id = $2 AND voter = $4
                 RETURNING wa_message_id, options, voted_at
             )
             INSERT INTO poll_vote AS v (tenant_id, session_id, wa_message_id, voter, options,
                 voted_at)
             SELECT $1, $2, wa_message_id, $3, options, voted_at FROM hidden
             ON CONFLICT (tenant_id, session_id, wa_message_id, voter) DO UPDATE
             SET options = excluded.options, voted_at = excluded.voted_at
             WHERE (v.voted_at, v.options) < (excluded.voted_at, excluded.options)",
            tenant,
            session.uuid(),
            phone,
            lid,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
