use mf_domain::{Jid, MessageStatus, PhoneNumber, WaMessageId};
use mf_engine::{Engine as _, EngineError, FoundMessage, SessionKey, TextToSend};
use serde_json::{Value, json};

use crate::{
    Waha,
    client::{Answer, Call},
    endpoint,
    ids::{self, FullId},
    json,
};

impl Waha {
    pub(crate) async fn submit_text(
        &self,
        key: &SessionKey,
        text: &TextToSend,
    ) -> Result<Option<WaMessageId>, EngineError> {
        let can = self.info_before_acting().await?.capabilities;
        let mut body = json!({
            "session": key.as_str(),
            "chatId": text.chat.as_str(),
            "text": text.text,
        });
        if let Some(answered) = &text.reply_to {
            body["reply_to"] = FullId::of_answered(&text.chat, answered).to_string().into();
        }
        if let Some(id) = text.id.as_ref().filter(|_| can.caller_message_ids) {
            body["id"] = id.as_str().into();
        }
        match self
            .call(Call::new(&endpoint::SEND_TEXT, &[]).body(body))
            .await?
        {
            Answer::Said(answer) => Ok(ids::of_sent(&answer)),
            // It was taken. Calling it a failure would have it sent again.
            Answer::Lost => {
                tracing::warn!("WAHA took a message, but its answer cannot be read");
                Ok(None)
            }
        }
    }

    pub(crate) async fn show_message(
        &self,
        key: &SessionKey,
        chat: &Jid,
        id: &WaMessageId,
    ) -> Result<Option<FoundMessage>, EngineError> {
        let named = if self.info().await?.capabilities.find_by_bare_id {
            id.to_string()
        } else {
            FullId::of_ours(chat, id).to_string()
        };
        let holes = [key.as_str(), chat.as_str(), &named];
        let call = Call::new(&endpoint::MESSAGE, &holes).query(&[("downloadMedia", "false")]);
        match self.ask(call).await {
            Ok(found) if found.get("id").is_some_and(|id| !id.is_null()) => {
                Ok(Some(FoundMessage {
                    status: ack_status(&found),
                }))
            }
            Ok(_) => Ok(None),
            Err(EngineError::Rejected { detail }) if detail.starts_with("404") => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn show_typing(
        &self,
        key: &SessionKey,
        chat: &Jid,
        typing: bool,
    ) -> Result<(), EngineError> {
        let endpoint = if typing {
            &endpoint::START_TYPING
        } else {
            &endpoint::STOP_TYPING
        };
        let body = json!({"session": key.as_str(), "chatId": chat.as_str()});
        self.call(Call::new(endpoint, &[]).body(body))
            .await
            .map(drop)
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
                let chat = ["/chatId", "/chatId/_serialized"]
                    .iter()
                    .find_map(|pointer| Jid::parse(json::text(&answer, pointer)?).ok());
                Ok(Some(chat.unwrap_or_else(|| Jid::person(phone))))
            }
            None => Err(EngineError::Interrupted),
        }
    }
}

/// How far a message came, in an object that has WAHA's `ack` or at least its name.
pub(crate) fn ack_status(message: &Value) -> Option<MessageStatus> {
    let named = || {
        Some(match json::text(message, "/ackName")? {
            "ERROR" => -1,
            "PENDING" => 0,
            "SERVER" => 1,
            "DEVICE" => 2,
            "READ" => 3,
            "PLAYED" => 4,
            _ => return None,
        })
    };
    Some(match json::number(message, "/ack").or_else(named)? {
        -1 => MessageStatus::Failed,
        0 => MessageStatus::Pending,
        1 => MessageStatus::Sent,
        2 => MessageStatus::Delivered,
        3 => MessageStatus::Read,
        4 => MessageStatus::Played,
        _ => return None,
    })
}
