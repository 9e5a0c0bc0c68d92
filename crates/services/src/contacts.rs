use std::{collections::BTreeMap, sync::Arc};

use mf_domain::{Jid, PhoneNumber, SessionId};
use mf_engine::SessionKey;
use mf_store::UnresolvedContact;
use tracing::{Instrument, debug, info_span, warn};

use crate::{ServiceError, Services, work};

/// Hidden ids asked about at a time.
const BATCH: i64 = 100;
/// Sessions asked at a time.
const AT_A_TIME: usize = 8;

/// Whether the others of a session can be asked about as well.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Yes,
    /// It would be in vain: they wait for the next round.
    NotNow,
}

impl Services {
    /// Asks the engine for the numbers behind hidden ids that are known without one, each once
    /// a day. What is learnt makes one contact, and one chat, of two. Sessions do not wait for
    /// one another.
    pub async fn resolve_hidden_numbers(self: &Arc<Self>) -> Result<(), ServiceError> {
        let mut tx = self
            .store
            .system("hidden ids of all tenants are asked about")
            .await?;
        let unresolved = tx.unresolved_contacts(BATCH).await?;
        tx.commit().await?;
        let mut sessions: BTreeMap<SessionId, Vec<UnresolvedContact>> = BTreeMap::new();
        for contact in unresolved {
            sessions
                .entry(contact.session_id)
                .or_default()
                .push(contact);
        }
        work::for_each(sessions, AT_A_TIME, |(session, contacts)| {
            let services = Arc::clone(self);
            let asking = async move { services.resolve_of_session(contacts).await };
            asking.instrument(info_span!("hidden_numbers", session.id = %session))
        })
        .await;
        Ok(())
    }

    async fn resolve_of_session(&self, contacts: Vec<UnresolvedContact>) {
        for contact in contacts {
            if self.shutdown.is_cancelled() {
                return;
            }
            match self.resolve(&contact).await {
                Ok(Asked::Yes) => {}
                Ok(Asked::NotNow) => return,
                Err(error) => {
                    warn!(error = %error, "whose hidden id this is was not written down");
                    if error.is_passing() {
                        return;
                    }
                }
            }
        }
    }

    async fn resolve(&self, contact: &UnresolvedContact) -> Result<Asked, ServiceError> {
        let phone = match Jid::parse(&format!("{}@lid", contact.lid)) {
            Ok(lid) => {
                let key = SessionKey::of(contact.session_id);
                match self.engine.phone_of(&key, &lid).await {
                    Ok(phone) => phone,
                    Err(error) if error.is_passing() => {
                        debug!(error = %error, "hidden ids are looked up later");
                        return Ok(Asked::NotNow);
                    }
                    Err(error) => {
                        debug!(error = %error, "a hidden id was not looked up");
                        None
                    }
                }
            }
            // Nothing can come of it, today or tomorrow.
            Err(_) => None,
        };
        self.write_down_number(contact, phone).await?;
        Ok(Asked::Yes)
    }

    async fn write_down_number(
        &self,
        contact: &UnresolvedContact,
        phone: Option<PhoneNumber>,
    ) -> Result<(), ServiceError> {
        let mut tx = self.store.begin(contact.tenant).await?;
        if tx.sessions().hold(contact.session_id).await?.is_none() {
            return Ok(());
        }
        // First of all, since it may have to wait for others who learn who is who.
        if let Some(phone) = phone {
            tx.contacts()
                .learn(contact.session_id, phone.as_str(), &contact.lid)
                .await?;
        }
        tx.contacts().asked(contact.contact_id).await?;
        tx.commit().await?;
        Ok(())
    }
}
