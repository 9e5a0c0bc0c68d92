use mf_domain::Jid;
use mf_engine::{EngineError, SessionKey};
use tracing::debug;

use crate::{ServiceError, Services};

/// Hidden ids asked about at a time.
const BATCH: i64 = 100;

impl Services {
    /// Asks the engine for the numbers behind hidden ids that are known without one, each once
    /// a day. What is learnt makes one contact, and one chat, of two.
    pub async fn resolve_hidden_numbers(&self) -> Result<(), ServiceError> {
        let mut tx = self
            .store
            .system("hidden ids of all tenants are asked about")
            .await?;
        let unresolved = tx.unresolved_contacts(BATCH).await?;
        tx.commit().await?;
        for contact in unresolved {
            let Ok(lid) = Jid::parse(&format!("{}@lid", contact.lid)) else {
                continue;
            };
            let key = SessionKey::of(contact.session_id);
            let phone = match self.engine.phone_of(&key, &lid).await {
                Ok(phone) => phone,
                // Everybody else would be asked in vain as well.
                Err(EngineError::Unreachable) => return Ok(()),
                Err(error) => {
                    debug!(error = %error, "a hidden id was not looked up");
                    None
                }
            };
            let mut tx = self.store.begin(contact.tenant).await?;
            tx.contacts().asked(contact.contact_id).await?;
            if let Some(phone) = phone {
                tx.contacts()
                    .learn(contact.session_id, phone.as_str(), lid.user())
                    .await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}
