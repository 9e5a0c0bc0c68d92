//! Messages, and the shapes the engines give them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::ids::{as_jid, is_group, rfc3339};

/// One message of a session's chats.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The bare id.
    pub(crate) id: String,
    pub(crate) chat: String,
    pub(crate) from_me: bool,
    /// Who wrote it, in groups.
    pub(crate) participant: Option<String>,
    pub(crate) body: String,
    /// In seconds.
    pub(crate) timestamp: i64,
    pub(crate) ack: i8,
    pub(crate) source: Source,
    /// The bare id of the message answered.
    pub(crate) reply_to: Option<String>,
    pub(crate) push_name: Option<String>,
}

/// Through what a message was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    Api,
    App,
}

/// The acknowledgement level's name.
pub(crate) fn ack_name(ack: i8) -> &'static str {
    match ack {
        -1 => "ERROR",
        0 => "PENDING",
        1 => "SERVER",
        2 => "DEVICE",
        3 => "READ",
        4 => "PLAYED",
        _ => "UNKNOWN",
    }
}

impl Message {
    /// `{fromMe}_{chat}_{id}[_{participant}]`
    pub(crate) fn full_id(&self) -> String {
        let mut id = format!("{}_{}_{}", self.from_me, self.chat, self.id);
        if let Some(participant) = &self.participant {
            id.push('_');
            id.push_str(participant);
        }
        id
    }

    /// `from` and `to`, which every engine understands differently.
    fn ends(&self, engine: Dialect, me: &str) -> (Value, Value) {
        let chat = self.chat.as_str();
        match (engine, is_group(chat), self.from_me) {
            (Dialect::Noweb, true, _) => (json!(chat), json!(chat)),
            (Dialect::Gows, true, _) => (json!(chat), json!(self.participant)),
            (Dialect::Noweb | Dialect::Gows, false, _) => (json!(chat), Value::Null),
            (Dialect::Webjs, _, true) => (json!(me), json!(chat)),
            (Dialect::Webjs, _, false) => (json!(chat), json!(me)),
        }
    }

    /// The message as events and the chats API show it.
    pub(crate) fn show(&self, engine: Dialect, me: &str) -> Value {
        let (from, to) = self.ends(engine, me);
        let mut shown = json!({
            "id": self.full_id(),
            "timestamp": self.timestamp,
            "from": from,
            "fromMe": self.from_me,
            "source": self.source,
            "to": to,
            "participant": self.participant,
            "body": self.body,
            "hasMedia": false,
            "media": null,
            "ack": self.ack,
            "ackName": ack_name(self.ack),
            "vCards": [],
            "_data": self.raw(engine, me),
        });
        if let Some(answered) = &self.reply_to {
            shown["replyTo"] = json!({"id": answered, "hasMedia": false, "media": null});
        }
        shown
    }

    /// The payload of an acknowledgement.
    pub(crate) fn acknowledged(
        &self,
        engine: Dialect,
        me: &str,
        ack: i8,
        participant: Option<&str>,
    ) -> Value {
        let (from, to) = self.ends(engine, me);
        json!({
            "id": self.full_id(),
            "from": from,
            "to": to,
            "participant": participant,
            "fromMe": self.from_me,
            "ack": ack,
            "ackName": ack_name(ack),
        })
    }

    /// The answer to the request that sent the message; no two engines agree.
    pub(crate) fn sent_answer(&self, engine: Dialect, me: &str) -> Value {
        match engine {
            Dialect::Noweb => self.raw(engine, me),
            Dialect::Gows => json!({"id": self.full_id(), "_data": self.raw(engine, me)}),
            Dialect::Webjs => json!({
                "_data": self.raw(engine, me),
                "id": self.webjs_id(),
                "ack": self.ack,
                "hasMedia": false,
                "body": self.body,
                "type": "chat",
                "timestamp": self.timestamp,
                "from": me,
                "to": self.chat,
                "deviceType": "web",
                "isForwarded": false,
                "forwardingScore": 0,
                "fromMe": true,
                "hasQuotedMsg": self.reply_to.is_some(),
                "vCards": [],
                "mentionedIds": [],
                "links": [],
            }),
        }
    }

    /// In answers to a send the id lacks the participant, unlike in the event.
    fn webjs_id(&self) -> Value {
        json!({
            "fromMe": self.from_me,
            "remote": self.chat,
            "id": self.id,
            "_serialized": format!("{}_{}_{}", self.from_me, self.chat, self.id),
        })
    }

    /// What the engine's library knows of the message.
    fn raw(&self, engine: Dialect, me: &str) -> Value {
        match engine {
            Dialect::Noweb => self.raw_noweb(),
            Dialect::Gows => self.raw_gows(me),
            Dialect::Webjs => json!({
                "id": self.webjs_id(),
                "body": self.body,
                "type": "chat",
                "t": self.timestamp,
                "notifyName": self.push_name,
                "from": if self.from_me { me } else { &self.chat },
                "to": if self.from_me { &self.chat } else { me },
                "author": self.participant,
                "ack": self.ack,
                "isNewMsg": true,
            }),
        }
    }

    fn raw_noweb(&self) -> Value {
        let mut key = json!({
            "remoteJid": as_jid(&self.chat),
            "fromMe": self.from_me,
            "id": self.id,
        });
        if let (Some(participant), false) = (&self.participant, self.from_me) {
            key["participant"] = json!(as_jid(participant));
        }
        let mut text = json!({"text": self.body});
        if let Some(answered) = &self.reply_to {
            text["contextInfo"] = json!({"stanzaId": answered});
        }
        // Baileys keeps protobuf's names, and its 64-bit numbers as strings.
        let status = match self.ack {
            -1 => "ERROR",
            0 => "PENDING",
            1 => "SERVER_ACK",
            2 => "DELIVERY_ACK",
            3 => "READ",
            _ => "PLAYED",
        };
        let mut raw = json!({
            "key": key,
            "message": {"extendedTextMessage": text},
            "messageTimestamp": self.timestamp.to_string(),
            "status": status,
        });
        if let Some(name) = &self.push_name {
            raw["pushName"] = json!(name);
        }
        raw
    }

    fn raw_gows(&self, me: &str) -> Value {
        let sender = match &self.participant {
            Some(participant) => participant.as_str(),
            None if self.from_me => me,
            None => &self.chat,
        };
        json!({
            "Info": {
                "Chat": as_jid(&self.chat),
                "Sender": as_jid(sender),
                "IsFromMe": self.from_me,
                "IsGroup": is_group(&self.chat),
                "ID": self.id,
                "Type": "text",
                "PushName": self.push_name.clone().unwrap_or_default(),
                "Timestamp": rfc3339(self.timestamp * 1000),
            },
            "Message": {"extendedTextMessage": {
                "text": self.body,
                "contextInfo": self.reply_to.as_ref().map(|id| json!({"stanzaID": id})),
            }},
        })
    }
}
