use async_trait::async_trait;
use mf_domain::Jid;

use crate::{EngineError, EngineLabel, NewEngineLabel, SessionKey};

/// What an engine does with the labels of WhatsApp Business.
#[async_trait]
pub trait Labels {
    /// Every label of the account.
    async fn labels(&self, key: &SessionKey) -> Result<Vec<EngineLabel>, EngineError>;

    /// Makes a label.
    async fn create_label(
        &self,
        key: &SessionKey,
        label: &NewEngineLabel,
    ) -> Result<EngineLabel, EngineError>;

    /// Changes a label's name and colour.
    async fn update_label(
        &self,
        key: &SessionKey,
        id: &str,
        label: &NewEngineLabel,
    ) -> Result<EngineLabel, EngineError>;

    /// Removes a label, from every chat as well. Removing a missing one succeeds.
    async fn delete_label(&self, key: &SessionKey, id: &str) -> Result<(), EngineError>;

    /// The labels that a chat carries.
    async fn labels_of_chat(
        &self,
        key: &SessionKey,
        chat: &Jid,
    ) -> Result<Vec<EngineLabel>, EngineError>;

    /// Makes a chat carry exactly these labels.
    async fn set_labels_of_chat(
        &self,
        key: &SessionKey,
        chat: &Jid,
        ids: &[String],
    ) -> Result<(), EngineError>;

    /// The chats that carry a label.
    async fn chats_of_label(&self, key: &SessionKey, id: &str) -> Result<Vec<Jid>, EngineError>;
}
