//! Messages, as events and the chats API show them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::content::Content;
use crate::ids::is_group;

/// One message of a session's chats.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    /// The bare id.
    pub(crate) id: String,
    pub(crate) chat: String,
    pub(crate) from_me: bool,
    /// Who wrote it, in groups.
    pub(crate) participant: Option<String>,
    /// The writer's other id: the number beside the hidden id, or the other way round.
    pub(crate) sender_alt: Option<String>,
    /// The text, or the caption.
    pub(crate) body: String,
    pub(crate) content: Content,
    /// In seconds.
    pub(crate) timestamp: i64,
    pub(crate) ack: i8,
    pub(crate) source: Source,
    pub(crate) reply_to: Option<Quoted>,
    pub(crate) push_name: Option<String>,
    /// Taken back for everybody; nothing of it is shown any more.
    pub(crate) revoked: bool,
}

/// The message that another one answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quoted {
    /// The bare id.
    pub(crate) id: String,
    /// Who wrote it; unknown when the session does not have the message.
    pub(crate) participant: Option<String>,
    pub(crate) body: String,
    pub(crate) has_media: bool,
}

/// Through what a message was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    Api,
    #[default]
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

    /// Who wrote it.
    pub(crate) fn author<'a>(&'a self, me: &'a str) -> &'a str {
        match &self.participant {
            Some(participant) => participant,
            None if self.from_me => me,
            None => &self.chat,
        }
    }

    /// `from` and `to`, which every engine understands differently.
    pub(crate) fn ends(&self, engine: Dialect, me: &str) -> (Value, Value) {
        let chat = self.chat.as_str();
        match (engine, is_group(chat), self.from_me) {
            (Dialect::Noweb, true, _) => (json!(chat), json!(chat)),
            (Dialect::Gows, true, _) => (json!(chat), json!(self.participant)),
            (Dialect::Noweb | Dialect::Gows, false, _) => (json!(chat), Value::Null),
            (Dialect::Webjs, _, true) => (json!(me), json!(chat)),
            (Dialect::Webjs, _, false) => (json!(chat), json!(me)),
        }
    }

    pub(crate) fn has_media(&self) -> bool {
        !self.revoked && self.content.file().is_some()
    }

    /// The message as events and the chats API show it, its file left out.
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
            "body": self.shown_body(engine),
            "hasMedia": self.has_media(),
            "media": null,
            "ack": self.ack,
            "ackName": ack_name(self.ack),
            "vCards": self.cards(),
            "_data": self.raw(engine, me),
        });
        if let Some(location) = self.location(engine) {
            shown["location"] = location;
        }
        if let Some(answered) = &self.reply_to {
            shown["replyTo"] = json!({
                "id": answered.id,
                "participant": answered.participant,
                "body": answered.body,
                "hasMedia": answered.has_media,
                "media": null,
            });
        }
        shown
    }

    /// The text. Where there is none, NOWEB and GOWS say null and WEBJS what it has.
    fn shown_body(&self, engine: Dialect) -> Value {
        let body = match (engine, &self.content) {
            _ if self.revoked => "",
            (Dialect::Webjs, Content::Poll(poll)) => &poll.name,
            (Dialect::Webjs, Content::Contact(cards)) => match cards.vcards.as_slice() {
                [card] => card,
                _ => "",
            },
            _ => &self.body,
        };
        if body.is_empty() && engine != Dialect::Webjs {
            return Value::Null;
        }
        json!(body)
    }

    fn cards(&self) -> &[String] {
        match &self.content {
            Content::Contact(cards) if !self.revoked => &cards.vcards,
            _ => &[],
        }
    }

    fn location(&self, engine: Dialect) -> Option<Value> {
        let Content::Location(place) = &self.content else {
            return None;
        };
        if self.revoked {
            return None;
        }
        // Documented as texts, and WhatsApp Web's numbers go through as they are.
        let degrees = |degrees: f64| match engine {
            Dialect::Webjs => json!(degrees),
            Dialect::Noweb | Dialect::Gows => json!(degrees.to_string()),
        };
        Some(json!({
            "live": false,
            "latitude": degrees(place.latitude),
            "longitude": degrees(place.longitude),
            "name": place.name,
            "address": place.address,
            "url": null,
            "description": null,
            "thumbnail": null,
        }))
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
            Dialect::Webjs => {
                let mut answer = json!({
                    "_data": self.raw(engine, me),
                    "id": self.webjs_id(),
                    "ack": self.ack,
                    "hasMedia": self.has_media(),
                    "body": self.shown_body(engine),
                    "type": self.webjs_type(),
                    "timestamp": self.timestamp,
                    "from": me,
                    "to": self.chat,
                    "deviceType": "web",
                    "isForwarded": false,
                    "forwardingScore": 0,
                    "fromMe": true,
                    "hasQuotedMsg": self.reply_to.is_some(),
                    "vCards": self.cards(),
                    "mentionedIds": [],
                    "links": [],
                });
                if let Some(location) = self.location(engine) {
                    answer["location"] = location;
                }
                answer
            }
        }
    }

    /// What quotes of the message say of it.
    pub(crate) fn quoted(&self, me: &str) -> Quoted {
        Quoted {
            id: self.id.clone(),
            participant: Some(self.author(me).to_owned()),
            body: if self.revoked {
                String::new()
            } else {
                self.body.clone()
            },
            has_media: self.has_media(),
        }
    }
}
