use mf_domain::{ContactId, SessionId};
use uuid::Uuid;

use super::{Contacts, Person};
use crate::{StoreResult, TenantTx};

/// What came of learning that a number and a hidden id are one person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learned {
    /// Who it is; after a conflict, whoever has the number, or else the hidden id.
    pub contact_id: ContactId,
    /// It was not known before.
    pub changed: bool,
    /// They were taken for two people.
    pub merged: bool,
    /// One of the two is known to belong to somebody else, so nothing was changed.
    pub conflict: bool,
}

/// What is known of a number and a hidden id.
enum Known {
    Nothing,
    /// Everything.
    Both(Uuid),
    /// One of them.
    Half(Uuid),
    /// Each, and not that they are one person's.
    Two {
        by_phone: Uuid,
        by_lid: Uuid,
    },
    /// Something else.
    Otherwise(Uuid),
}

impl Known {
    fn of(people: &[Person], phone: &str, lid: &str) -> Self {
        let by_phone = people.iter().find(|p| p.phone.as_deref() == Some(phone));
        let by_lid = people.iter().find(|p| p.lid.as_deref() == Some(lid));
        match (by_phone, by_lid) {
            (None, None) => Self::Nothing,
            (Some(one), Some(other)) if one.id == other.id => Self::Both(one.id),
            (Some(one), _) if one.lid.is_some() => Self::Otherwise(one.id),
            (one, Some(other)) if other.phone.is_some() => {
                Self::Otherwise(one.map_or(other.id, |one| one.id))
            }
            (Some(one), Some(other)) => Self::Two {
                by_phone: one.id,
                by_lid: other.id,
            },
            (Some(half), None) | (None, Some(half)) => Self::Half(half.id),
        }
    }

    /// The answer, where there is nothing to do.
    fn settled(&self) -> Option<Learned> {
        let (id, conflict) = match *self {
            Self::Both(id) => (id, false),
            Self::Otherwise(id) => (id, true),
            Self::Nothing | Self::Half(_) | Self::Two { .. } => return None,
        };
        Some(Learned {
            contact_id: id.into(),
            changed: false,
            merged: false,
            conflict,
        })
    }
}

impl Contacts<'_> {
    /// Takes in that a number and a hidden id, both digits, are one person's: what was known
    /// under either becomes one contact and one chat. Cheap where it is known. Whoever is
    /// known under another pair is left alone.
    pub async fn learn(self, session: SessionId, phone: &str, lid: &str) -> StoreResult<Learned> {
        let people = self.tx.people(session, phone, lid).await?;
        if let Some(settled) = Known::of(&people, phone, lid).settled() {
            return Ok(settled);
        }
        self.tx.lock_people(session).await?;
        let people = self.tx.people_to_join(session, phone, lid).await?;
        let known = Known::of(&people, phone, lid);
        if let Some(settled) = known.settled() {
            return Ok(settled);
        }
        let (id, merged) = match known {
            Known::Two { by_phone, by_lid } => {
                self.tx.join_people(by_phone, by_lid).await?;
                (by_phone, true)
            }
            Known::Half(id) | Known::Both(id) | Known::Otherwise(id) => (id, false),
            Known::Nothing => (self.tx.random_id().await?, false),
        };
        self.tx.complete(session, id, phone, lid).await?;
        let person = Person {
            id,
            phone: Some(phone.to_owned()),
            lid: Some(lid.to_owned()),
        };
        self.tx.unite_chats(session, &person).await?;
        self.tx.rename_voices(session, &person).await?;
        Ok(Learned {
            contact_id: id.into(),
            changed: true,
            merged,
            conflict: false,
        })
    }
}

impl TenantTx {
    async fn people(
        &mut self,
        session: SessionId,
        phone: &str,
        lid: &str,
    ) -> StoreResult<Vec<Person>> {
        let people = sqlx::query_as!(
            Person,
            "SELECT id, phone, lid FROM contact
             WHERE tenant_id = $1 AND session_id = $2 AND (phone = $3 OR lid = $4)",
            self.tenant().id().uuid(),
            session.uuid(),
            phone,
            lid,
        )
        .fetch_all(self.conn())
        .await?;
        Ok(people)
    }

    async fn people_to_join(
        &mut self,
        session: SessionId,
        phone: &str,
        lid: &str,
    ) -> StoreResult<Vec<Person>> {
        let people = sqlx::query_as!(
            Person,
            "SELECT id, phone, lid FROM contact
             WHERE tenant_id = $1 AND session_id = $2 AND (phone = $3 OR lid = $4)
             ORDER BY id FOR UPDATE",
            self.tenant().id().uuid(),
            session.uuid(),
            phone,
            lid,
        )
        .fetch_all(self.conn())
        .await?;
        Ok(people)
    }

    /// Makes one contact of two; the other's row goes.
    async fn join_people(&mut self, kept: Uuid, other: Uuid) -> StoreResult<()> {
        let tenant = self.tenant().id().uuid();
        sqlx::query!(
            "UPDATE chat SET contact_id = $3 WHERE tenant_id = $1 AND contact_id = $2",
            tenant,
            other,
            kept,
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "UPDATE message SET sender_contact_id = $3
             WHERE tenant_id = $1 AND sender_contact_id = $2",
            tenant,
            other,
            kept,
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "WITH gone AS (
                 DELETE FROM contact WHERE tenant_id = $1 AND id = $2
                 RETURNING name, push_name, push_name_at, created_at
             )
             UPDATE contact p
             SET name = coalesce(p.name, gone.name),
                 push_name = CASE WHEN p.push_name IS NULL
                         OR (coalesce(gone.push_name_at, '-infinity'), gone.push_name)
                             > (coalesce(p.push_name_at, '-infinity'), p.push_name)
                     THEN gone.push_name ELSE p.push_name END,
                 push_name_at = greatest(p.push_name_at, gone.push_name_at),
                 created_at = least(p.created_at, gone.created_at)
             FROM gone
             WHERE p.tenant_id = $1 AND p.id = $3",
            tenant,
            other,
            kept,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Writes both ids to a contact, which is made if it is not there.
    async fn complete(
        &mut self,
        session: SessionId,
        id: Uuid,
        phone: &str,
        lid: &str,
    ) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO contact (id, tenant_id, session_id, phone, lid)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE
             SET phone = excluded.phone, lid = excluded.lid, updated_at = now()",
            id,
            self.tenant().id().uuid(),
            session.uuid(),
            phone,
            lid,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
