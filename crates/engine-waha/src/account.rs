//! What is asked of WhatsApp through an account, and how it is paired by a code.

use mf_domain::{Jid, PhoneNumber};
use mf_engine::{EngineError, SessionKey};
use serde_json::{Value, json};

use crate::{Waha, client::Call, endpoint, json};

impl Waha {
    pub(crate) async fn request_code(
        &self,
        key: &SessionKey,
        phone: &PhoneNumber,
    ) -> Result<String, EngineError> {
        let body = json!({"phoneNumber": phone.as_str()});
        let call = Call::new(&endpoint::REQUEST_CODE, &[key.as_str()]).body(body);
        match self.ask(call).await {
            Ok(answer) => json::text(&answer, "/code")
                .map(str::to_owned)
                .ok_or(EngineError::NotReady { status: None }),
            // Some versions say in a sentence only that the session does not wait for pairing.
            Err(EngineError::Rejected { detail }) if detail.starts_with("422") => {
                let session = self.show_session(key).await?;
                let status = session.and_then(|session| session.status);
                Err(EngineError::NotReady { status })
            }
            Err(error) => Err(error),
        }
    }

    /// Whether WhatsApp answers: it is asked whether the account's own number is on WhatsApp.
    ///
    /// It has to be something that only WhatsApp knows, since WAHA goes on to show what it has
    /// stored, statuses included, when the connection behind a session is dead. And nobody must
    /// notice it: our own number is the only one that can be asked for without end.
    pub(crate) async fn ask_whatsapp(&self, key: &SessionKey) -> Result<(), EngineError> {
        let session = self.show_session(key).await?;
        let session = session.ok_or(EngineError::SessionMissing)?;
        match session.me.and_then(|me| me.phone) {
            Some(phone) => self.check_number(key, &phone).await.map(drop),
            None => {
                let call = Call::new(&endpoint::PROFILE, &[key.as_str()]);
                match self.ask(call).await? {
                    Value::Object(_) => Ok(()),
                    _ => Err(EngineError::Interrupted),
                }
            }
        }
    }

    pub(crate) async fn check_number(
        &self,
        key: &SessionKey,
        phone: &PhoneNumber,
    ) -> Result<Option<Jid>, EngineError> {
        let query = [("phone", phone.as_str()), ("session", key.as_str())];
        let answer = self
            .ask(Call::new(&endpoint::CHECK_EXISTS, &[]).query(&query))
            .await?;
        match json::flag(&answer, "/numberExists") {
            Some(false) => Ok(None),
            Some(true) => {
                // The chat may be another number (Brazil's ninth digit) or a hidden id.
                let chat = json::jid(&answer, &["/chatId", "/chatId/_serialized"]);
                Ok(Some(chat.unwrap_or_else(|| Jid::person(phone))))
            }
            None => Err(EngineError::Interrupted),
        }
    }
}
