use mf_domain::{SessionId, WaMessageId};

use crate::{StoreResult, TenantTx};

// What there is no row of yet cannot be locked by its row. These locks are held until the
// transaction ends, and come before locks on rows: of a message id first, then of the people of
// a session. Rows follow in the order contact, chat, message, reaction or vote; of several of a
// kind by id. Who learns who somebody is and then takes in their message does both in that
// order, as does whoever takes in the same message.
impl TenantTx {
    /// Makes whoever gives a message this id, and whoever reports about the id while no
    /// message has it, come one after the other.
    pub(crate) async fn lock_wa_id(&mut self, id: &WaMessageId) -> StoreResult<()> {
        let what = format!("wa_message_id {} {}", self.tenant().id(), id.as_str());
        self.lock(&what).await
    }

    /// Makes whoever changes who is who in a session come one after the other: contacts are
    /// added and joined, and the chats with them.
    pub(crate) async fn lock_people(&mut self, session: SessionId) -> StoreResult<()> {
        self.lock(&format!("people {session}")).await
    }

    async fn lock(&mut self, what: &str) -> StoreResult<()> {
        sqlx::query!(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
            what
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
