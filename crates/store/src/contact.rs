mod learn;

use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{ContactId, Jid, SessionId};
use uuid::Uuid;

pub use learn::Learned;

use crate::{
    StoreResult, SystemTx, Tenant, TenantTx,
    chat::{is_person, phone_and_lid},
};

/// Somebody a session has met, by what WhatsApp knows them by.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) phone: Option<String>,
    pub(crate) lid: Option<String>,
}

impl Person {
    /// What their chat may be called; the name that counts comes first.
    pub(crate) fn jids(&self) -> Vec<String> {
        let phone = self.phone.as_ref().map(|phone| format!("{phone}@c.us"));
        let lid = self.lid.as_ref().map(|lid| format!("{lid}@lid"));
        phone.into_iter().chain(lid).collect()
    }
}

/// The two names of one person, as far as they are known.
#[derive(Clone)]
pub struct KnownAs {
    /// Their number, digits.
    pub phone: Option<String>,
    /// Their hidden id, digits.
    pub lid: Option<String>,
}

/// Neither number nor hidden id.
impl std::fmt::Debug for KnownAs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownAs").finish_non_exhaustive()
    }
}

/// A hidden id whose number is to be asked for.
#[derive(Clone)]
pub struct UnresolvedContact {
    /// Whose contact it is.
    pub tenant: Tenant,
    /// Which session has met them.
    pub session_id: SessionId,
    /// Who it is.
    pub contact_id: ContactId,
    /// The hidden id, digits.
    pub lid: String,
}

/// Without the id, which names a person.
impl std::fmt::Debug for UnresolvedContact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnresolvedContact")
            .field("session_id", &self.session_id)
            .field("contact_id", &self.contact_id)
            .finish_non_exhaustive()
    }
}

/// See [`TenantTx::contacts`].
#[derive(Debug)]
pub struct Contacts<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Contacts<'_> {
    fn tenant(&self) -> Uuid {
        self.tx.tenant().id().uuid()
    }

    /// The contact of a person's JID, made if it is not there. `None` where the JID names no
    /// person.
    pub async fn ensure(
        self,
        session: SessionId,
        jid: &Jid,
        push_name: Option<&str>,
    ) -> StoreResult<Option<ContactId>> {
        let person = self.tx.person(session, jid, push_name, None).await?;
        Ok(person.map(ContactId::from))
    }

    /// What is known of the person whom a JID names. `None` where nobody is.
    pub async fn find(self, session: SessionId, jid: &Jid) -> StoreResult<Option<KnownAs>> {
        let person = self.tx.known_person(session, jid, None).await?;
        Ok(person.map(|person| KnownAs {
            phone: person.phone,
            lid: person.lid,
        }))
    }

    /// Notes what the address book calls somebody. `None`: it does not know them. Whether it
    /// is news.
    pub async fn name(self, id: ContactId, name: Option<&str>) -> StoreResult<bool> {
        let named = sqlx::query!(
            "UPDATE contact SET name = $3, updated_at = now()
             WHERE tenant_id = $1 AND id = $2 AND name IS DISTINCT FROM $3",
            self.tenant(),
            id.uuid(),
            name,
        )
        .execute(self.tx.conn())
        .await?;
        Ok(named.rows_affected() > 0)
    }

    /// Notes that the engine was asked for somebody's number, so that it is not asked again
    /// for a day.
    pub async fn asked(self, id: ContactId) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE contact SET lid_asked_at = now() WHERE tenant_id = $1 AND id = $2",
            self.tenant(),
            id.uuid(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }
}

impl TenantTx {
    /// The contact of a person's JID, made if it is not there; its row is held. The name counts
    /// if it is newer than the one that is known, or there is none.
    pub(crate) async fn person(
        &mut self,
        session: SessionId,
        jid: &Jid,
        push_name: Option<&str>,
        at: Option<DateTime<Utc>>,
    ) -> StoreResult<Option<Uuid>> {
        if !is_person(jid) {
            return Ok(None);
        }
        let name = push_name.map(|name| (name, at));
        if let Some(person) = self.known_person(session, jid, name).await? {
            return Ok(Some(person.id));
        }
        self.lock_people(session).await?;
        let new = self.random_id().await?;
        let person = self.person_or_new(session, jid, new, name).await?;
        Ok(Some(person.id))
    }

    /// The same for whoever holds `lock_people`.
    pub(crate) async fn person_or_new(
        &mut self,
        session: SessionId,
        jid: &Jid,
        new_id: Uuid,
        name: Option<(&str, Option<DateTime<Utc>>)>,
    ) -> StoreResult<Person> {
        if let Some(person) = self.known_person(session, jid, name).await? {
            return Ok(person);
        }
        let (phone, lid) = phone_and_lid(jid);
        let row = sqlx::query_as!(
            Person,
            "INSERT INTO contact (id, tenant_id, session_id, phone, lid, push_name, push_name_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             RETURNING id, phone, lid",
            new_id,
            self.tenant().id().uuid(),
            session.uuid(),
            phone,
            lid,
            name.map(|(name, _)| name),
            name.and_then(|(_, at)| at),
        )
        .fetch_one(self.conn())
        .await?;
        Ok(row)
    }

    pub(crate) async fn known_person(
        &mut self,
        session: SessionId,
        jid: &Jid,
        name: Option<(&str, Option<DateTime<Utc>>)>,
    ) -> StoreResult<Option<Person>> {
        let (phone, lid) = phone_and_lid(jid);
        // Held, so that nobody removes it before something refers to it.
        let person = sqlx::query_as!(
            Person,
            "SELECT id, phone, lid FROM contact
             WHERE tenant_id = $1 AND session_id = $2 AND (phone = $3 OR lid = $4)
             FOR KEY SHARE",
            self.tenant().id().uuid(),
            session.uuid(),
            phone,
            lid,
        )
        .fetch_optional(self.conn())
        .await?;
        if let Some((person, (name, at))) = person.as_ref().zip(name) {
            sqlx::query!(
                "UPDATE contact SET push_name = $3, push_name_at = coalesce($4, push_name_at),
                     updated_at = now()
                 WHERE tenant_id = $1 AND id = $2
                   AND (push_name IS NULL
                       OR (coalesce(push_name_at, '-infinity'), push_name) < ($4, $3))",
                self.tenant().id().uuid(),
                person.id,
                name,
                at.map(|at| at.trunc_subsecs(6)),
            )
            .execute(self.conn())
            .await?;
        }
        Ok(person)
    }

    /// Notes what somebody whom there is a chat with calls themselves. Where there is none, it
    /// is noted when the chat is opened: a contact is not locked before it is clear that
    /// nobody has to be added.
    pub(crate) async fn name_peer(
        &mut self,
        session: SessionId,
        jid: &Jid,
        name: &str,
        at: DateTime<Utc>,
    ) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE contact p SET push_name = $4, push_name_at = $5, updated_at = now()
             FROM chat c
             WHERE c.tenant_id = $1 AND c.session_id = $2 AND c.jid = $3
               AND p.tenant_id = c.tenant_id AND p.id = c.contact_id
               AND (p.push_name IS NULL
                   OR (coalesce(p.push_name_at, '-infinity'), p.push_name) < ($5, $4))",
            self.tenant().id().uuid(),
            session.uuid(),
            jid.as_str(),
            name,
            at.trunc_subsecs(6),
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// An id for what comes up by the way.
    async fn random_id(&mut self) -> StoreResult<Uuid> {
        let id = sqlx::query_scalar!(r#"SELECT gen_random_uuid() AS "id!""#)
            .fetch_one(self.conn())
            .await?;
        Ok(id)
    }
}

impl SystemTx {
    /// Contacts whose number is not known and was not asked for since yesterday, of sessions
    /// that work, ten of each at most: one that does not answer must not keep the others
    /// waiting. Those that were never asked for come first.
    pub async fn unresolved_contacts(&mut self, limit: i64) -> StoreResult<Vec<UnresolvedContact>> {
        let rows = sqlx::query!(
            r#"SELECT p.tenant_id, p.session_id, p.id, p.lid AS "lid!"
               FROM wa_session s
               CROSS JOIN LATERAL (
                   SELECT * FROM contact c
                   WHERE c.tenant_id = s.tenant_id AND c.session_id = s.id AND c.phone IS NULL
                     AND (c.lid_asked_at IS NULL OR c.lid_asked_at < now() - interval '1 day')
                   ORDER BY c.lid_asked_at NULLS FIRST LIMIT 10
               ) p
               WHERE s.status = 'working'
               ORDER BY p.lid_asked_at NULLS FIRST LIMIT $1"#,
            limit,
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| UnresolvedContact {
                tenant: Tenant::new(row.tenant_id.into()),
                session_id: row.session_id.into(),
                contact_id: row.id.into(),
                lid: row.lid,
            })
            .collect())
    }
}
