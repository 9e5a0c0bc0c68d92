//! What is done to messages that are there.

use mf_domain::{Jid, MessageStatus, WaMessageId};
use mf_engine::{
    Engine as _, EngineError, Feature, FoundMessage, InboundMessage, MessageRef, SessionKey,
};
use serde_json::{Value, json};

use crate::{
    Waha, callback,
    client::Call,
    endpoint::{self, Endpoint},
    ids::FullId,
    json,
};

impl Waha {
    pub(crate) async fn set_reaction(
        &self,
        key: &SessionKey,
        message: &MessageRef,
        emoji: &str,
    ) -> Result<(), EngineError> {
        let body = json!({
            "session": key.as_str(),
            "messageId": self.named_before_acting(key, message).await?,
            "reaction": emoji,
        });
        let call = Call::new(&endpoint::REACTION, &[]).body(body);
        self.call(call).await.map(drop)
    }

    pub(crate) async fn set_star(
        &self,
        key: &SessionKey,
        message: &MessageRef,
        star: bool,
    ) -> Result<(), EngineError> {
        if !self
            .info_before_acting()
            .await?
            .capabilities
            .can(Feature::Stars)
        {
            return Err(endpoint::STAR.unsupported());
        }
        let body = json!({
            "session": key.as_str(),
            "chatId": message.chat.as_str(),
            "messageId": self.named_before_acting(key, message).await?,
            "star": star,
        });
        let call = Call::new(&endpoint::STAR, &[]).body(body);
        self.call(call).await.map(drop)
    }

    pub(crate) async fn change_text(
        &self,
        key: &SessionKey,
        message: &MessageRef,
        text: &str,
    ) -> Result<(), EngineError> {
        let body = json!({"text": text});
        self.act_on(&endpoint::EDIT, key, message, Some(body)).await
    }

    pub(crate) async fn take_back(
        &self,
        key: &SessionKey,
        message: &MessageRef,
    ) -> Result<(), EngineError> {
        self.act_on(&endpoint::UNSEND, key, message, None).await
    }

    async fn act_on(
        &self,
        endpoint: &'static Endpoint,
        key: &SessionKey,
        message: &MessageRef,
        body: Option<Value>,
    ) -> Result<(), EngineError> {
        let named = self.named_before_acting(key, message).await?;
        let mut call = Call::new(endpoint, &[key.as_str(), message.chat.as_str(), &named]);
        if let Some(body) = body {
            call = call.body(body);
        }
        self.call(call).await.map(drop)
    }

    pub(crate) async fn show_message(
        &self,
        key: &SessionKey,
        chat: &Jid,
        id: &WaMessageId,
    ) -> Result<Option<FoundMessage>, EngineError> {
        let message = MessageRef {
            chat: chat.clone(),
            id: id.clone(),
            from_me: true,
            participant: None,
        };
        let found = self.stored(key, &message, false).await?;
        Ok(found.map(|found| FoundMessage {
            status: ack_status(&found),
        }))
    }

    pub(crate) async fn read_message(
        &self,
        key: &SessionKey,
        message: &MessageRef,
    ) -> Result<Option<InboundMessage>, EngineError> {
        let Some(found) = self.stored(key, message, true).await? else {
            return Ok(None);
        };
        callback::message(&found).map_err(|reason| {
            tracing::warn!(reason, "WAHA shows a message that cannot be read");
            EngineError::Interrupted
        })
    }

    /// A message as WAHA has it, by the shortest name that it understands.
    async fn stored(
        &self,
        key: &SessionKey,
        message: &MessageRef,
        with_media: bool,
    ) -> Result<Option<Value>, EngineError> {
        let names = if self.info().await?.capabilities.find_by_bare_id {
            vec![message.id.to_string()]
        } else {
            self.names(key, message).await?
        };
        for name in &names {
            let found = self.stored_as(key, &message.chat, name, with_media).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn stored_as(
        &self,
        key: &SessionKey,
        chat: &Jid,
        name: &str,
        with_media: bool,
    ) -> Result<Option<Value>, EngineError> {
        let holes = [key.as_str(), chat.as_str(), name];
        let query = [("downloadMedia", if with_media { "true" } else { "false" })];
        let mut call = Call::new(&endpoint::MESSAGE, &holes).query(&query);
        if with_media {
            call = call.of_media();
        }
        match self.ask(call).await {
            Ok(found) if found.get("id").is_some_and(|id| !id.is_null()) => Ok(Some(found)),
            Ok(_) => Ok(None),
            Err(EngineError::Rejected { detail }) if detail.starts_with("404") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The full id by which WAHA knows a message that something shall be done to. Whatever goes
    /// wrong here, nothing was done to it.
    pub(crate) async fn named_before_acting(
        &self,
        key: &SessionKey,
        message: &MessageRef,
    ) -> Result<String, EngineError> {
        self.name(key, message).await.map_err(before_acting)
    }

    async fn name(&self, key: &SessionKey, message: &MessageRef) -> Result<String, EngineError> {
        let full = FullId::of(message);
        // These engines take the bare id out of it, and look no further.
        if full.is_whole() || self.info().await?.capabilities.find_by_bare_id {
            return Ok(full.to_string());
        }
        let mut names = self.names(key, message).await?;
        for name in &names {
            let found = self.stored_as(key, &message.chat, name, false).await?;
            if found.is_some() {
                return Ok(name.clone());
            }
        }
        Ok(names.swap_remove(0))
    }

    /// The full ids that a message may have. There is at least one.
    ///
    /// WhatsApp Web knows messages in groups by their writer, too, and its answer to a send does
    /// not say under which of our two names we wrote.
    async fn names(
        &self,
        key: &SessionKey,
        message: &MessageRef,
    ) -> Result<Vec<String>, EngineError> {
        let full = FullId::of(message);
        let mut names = Vec::new();
        if !full.is_whole() && full.from_me {
            let me = self.show_session(key).await?.and_then(|session| session.me);
            let me = me.map(|me| [me.phone.as_ref().map(Jid::person), me.lid]);
            for own in me.into_iter().flatten().flatten() {
                let participant = Some(own);
                let full = FullId {
                    participant,
                    ..full.clone()
                };
                names.push(full.to_string());
            }
        }
        names.push(full.to_string());
        Ok(names)
    }
}

/// What an error means that came before the call it was in preparation of.
pub(crate) fn before_acting(error: EngineError) -> EngineError {
    if error.had_no_effect() {
        error
    } else {
        EngineError::Unreachable
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
