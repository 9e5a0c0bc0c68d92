//! What the engines' libraries know of a message: `_data`, and NOWEB's answer to a send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::content::{Content, MediaFile, card_name};
use crate::ids::{as_jid, is_group, rfc3339};
use crate::message::Message;

impl Message {
    /// What the engine's library knows of the message.
    pub(crate) fn raw(&self, engine: Dialect, me: &str) -> Value {
        match engine {
            Dialect::Noweb => self.raw_noweb(&self.proto(engine)),
            Dialect::Gows => self.raw_gows(me, &self.proto(engine)),
            Dialect::Webjs => self.raw_webjs(me),
        }
    }

    /// WhatsApp's own message. Baileys spells it as protobuf's JSON does, Go by its own names.
    pub(crate) fn proto(&self, engine: Dialect) -> Value {
        if self.revoked {
            return match engine {
                Dialect::Gows => json!({"protocolMessage": {"type": 0, "key": self.key(engine)}}),
                _ => Value::Null,
            };
        }
        let (name, mut member) = member(engine, &self.content, &self.body);
        if let Some(answered) = &self.reply_to {
            let stanza = match engine {
                Dialect::Gows => "stanzaID",
                _ => "stanzaId",
            };
            let mut context = json!({});
            context[stanza] = json!(answered.id);
            if let Some(participant) = &answered.participant {
                context["participant"] = json!(as_jid(participant));
            }
            context["quotedMessage"] = json!({"conversation": answered.body});
            member["contextInfo"] = context;
        }
        let mut message = json!({});
        message[name] = member;
        if name == "documentMessage" && !self.body.is_empty() {
            message = json!({"documentWithCaptionMessage": {"message": message}});
        }
        message
    }

    /// The message's key within other messages.
    pub(crate) fn key(&self, engine: Dialect) -> Value {
        let (chat_name, id_name) = match engine {
            Dialect::Gows => ("remoteJID", "ID"),
            _ => ("remoteJid", "id"),
        };
        let mut key = json!({"fromMe": self.from_me});
        key[chat_name] = json!(as_jid(&self.chat));
        key[id_name] = json!(self.id);
        if let (Some(participant), false) = (&self.participant, self.from_me) {
            key["participant"] = json!(as_jid(participant));
        }
        key
    }

    pub(crate) fn raw_noweb(&self, proto: &Value) -> Value {
        let mut key = self.key(Dialect::Noweb);
        if let Some(alternate) = self.sender_alt.as_ref().filter(|_| !self.from_me) {
            let name = if is_group(&self.chat) {
                "participantAlt"
            } else {
                "remoteJidAlt"
            };
            key[name] = json!(as_jid(alternate));
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
            "message": proto,
            "messageTimestamp": self.timestamp.to_string(),
            "status": status,
        });
        if self.revoked {
            raw["messageStubType"] = json!("REVOKE");
        }
        if let Some(name) = &self.push_name {
            raw["pushName"] = json!(name);
        }
        raw
    }

    pub(crate) fn raw_gows(&self, me: &str, proto: &Value) -> Value {
        let sender = match &self.participant {
            Some(participant) => participant.as_str(),
            None if self.from_me => me,
            None => &self.chat,
        };
        let (kind, media) = stanza(&self.content);
        let alternate = self.sender_alt.as_deref().map(as_jid).unwrap_or_default();
        json!({
            "Info": {
                "Chat": as_jid(&self.chat),
                "Sender": as_jid(sender),
                "SenderAlt": alternate,
                "IsFromMe": self.from_me,
                "IsGroup": is_group(&self.chat),
                "ID": self.id,
                "Type": kind,
                "MediaType": media,
                "PushName": self.push_name.clone().unwrap_or_default(),
                "Timestamp": rfc3339(self.timestamp * 1000),
            },
            "Message": proto,
        })
    }

    fn raw_webjs(&self, me: &str) -> Value {
        let mut raw = json!({
            "id": self.webjs_id(),
            "body": self.body,
            "type": self.webjs_type(),
            "t": self.timestamp,
            "notifyName": self.push_name,
            "from": if self.from_me { me } else { &self.chat },
            "to": if self.from_me { &self.chat } else { me },
            "author": self.participant,
            "ack": self.ack,
            "isNewMsg": true,
        });
        if !self.revoked {
            add_webjs(&mut raw, &self.content, &self.body);
        }
        if let Some(answered) = &self.reply_to {
            raw["quotedStanzaID"] = json!(answered.id);
            raw["quotedParticipant"] = json!(answered.participant);
            raw["quotedMsg"] = json!({"type": "chat", "body": answered.body});
        }
        raw
    }

    /// WhatsApp Web's word for the kind.
    pub(crate) fn webjs_type(&self) -> &'static str {
        if self.revoked {
            return "revoked";
        }
        match &self.content {
            Content::Text => "chat",
            Content::Image(_) => "image",
            Content::Document(_) => "document",
            Content::Audio(_) => "audio",
            Content::Voice(_) => "ptt",
            Content::Video(_) | Content::Gif(_) => "video",
            Content::VideoNote(_) => "ptv",
            Content::Sticker(_) => "sticker",
            Content::Location(_) => "location",
            Content::Contact(cards) if cards.vcards.len() == 1 => "vcard",
            Content::Contact(_) => "multi_vcard",
            Content::Poll(_) => "poll_creation",
        }
    }

    /// In answers to a send the id lacks the participant, unlike in the event.
    pub(crate) fn webjs_id(&self) -> Value {
        json!({
            "fromMe": self.from_me,
            "remote": self.chat,
            "id": self.id,
            "_serialized": format!("{}_{}_{}", self.from_me, self.chat, self.id),
        })
    }
}

/// The member of WhatsApp's message that says what it is.
fn member(engine: Dialect, content: &Content, body: &str) -> (&'static str, Value) {
    let go = engine == Dialect::Gows;
    let media = |file| media_member(go, file, body);
    match content {
        Content::Text => ("extendedTextMessage", json!({"text": body})),
        Content::Image(file) => ("imageMessage", media(file)),
        Content::Document(file) => {
            let mut member = media(file);
            member["fileName"] = json!(file.filename);
            member["title"] = json!(file.filename);
            ("documentMessage", member)
        }
        Content::Audio(file) => ("audioMessage", media_member(go, file, "")),
        Content::Voice(file) => {
            let mut member = media_member(go, file, "");
            member[if go { "PTT" } else { "ptt" }] = json!(true);
            ("audioMessage", member)
        }
        Content::Video(file) => ("videoMessage", media(file)),
        Content::VideoNote(file) => ("ptvMessage", media(file)),
        Content::Gif(file) => {
            let mut member = media(file);
            member["gifPlayback"] = json!(true);
            ("videoMessage", member)
        }
        Content::Sticker(file) => {
            let mut member = media_member(go, file, "");
            member["isAnimated"] = json!(false);
            ("stickerMessage", member)
        }
        Content::Location(place) => {
            let mut member = json!({
                "degreesLatitude": place.latitude,
                "degreesLongitude": place.longitude,
            });
            if let Some(name) = &place.name {
                member["name"] = json!(name);
            }
            if let Some(address) = &place.address {
                member["address"] = json!(address);
            }
            ("locationMessage", member)
        }
        Content::Contact(cards) => {
            let shown: Vec<Value> = cards
                .vcards
                .iter()
                .map(|card| json!({"displayName": card_name(card), "vcard": card}))
                .collect();
            if let [card] = shown.as_slice() {
                return ("contactMessage", card.clone());
            }
            let title = format!("{} contacts", shown.len());
            (
                "contactsArrayMessage",
                json!({"displayName": title, "contacts": shown}),
            )
        }
        Content::Poll(poll) => {
            let options: Vec<Value> = poll
                .options
                .iter()
                .map(|option| json!({"optionName": option}))
                .collect();
            let member = json!({
                "name": poll.name,
                "options": options,
                "selectableOptionsCount": poll.selectable(),
            });
            ("pollCreationMessageV3", member)
        }
    }
}

fn media_member(go: bool, file: &MediaFile, caption: &str) -> Value {
    let sum = file.sha256();
    let path = format!(
        "/v/t62.7118-24/{}.enc",
        hex::encode(sum.get(..8).unwrap_or_default())
    );
    let url = format!("https://mmg.whatsapp.net{path}?ccb=11-4");
    let mut member = json!({
        "mimetype": file.mimetype,
        "directPath": path,
        "mediaKey": STANDARD.encode(sum),
    });
    if go {
        member["URL"] = json!(url);
        member["fileSHA256"] = json!(STANDARD.encode(sum));
        member["fileLength"] = json!(file.data.len());
    } else {
        member["url"] = json!(url);
        member["fileSha256"] = json!(STANDARD.encode(sum));
        member["fileLength"] = json!(file.data.len().to_string());
    }
    if !caption.is_empty() {
        member["caption"] = json!(caption);
    }
    member
}

/// The stanza's type, and the word whatsmeow has for what is in it.
fn stanza(content: &Content) -> (&'static str, &'static str) {
    match content {
        Content::Text => ("text", ""),
        Content::Poll(_) => ("poll", ""),
        Content::Image(_) => ("media", "image"),
        Content::Document(_) => ("media", "document"),
        Content::Audio(_) => ("media", "audio"),
        Content::Voice(_) => ("media", "ptt"),
        Content::Video(_) => ("media", "video"),
        Content::VideoNote(_) => ("media", "ptv"),
        Content::Gif(_) => ("media", "gif"),
        Content::Sticker(_) => ("media", "sticker"),
        Content::Location(_) => ("media", "location"),
        Content::Contact(cards) if cards.vcards.len() == 1 => ("media", "vcard"),
        Content::Contact(_) => ("media", "contact_array"),
    }
}

/// What WhatsApp Web has beyond the text.
fn add_webjs(raw: &mut Value, content: &Content, caption: &str) {
    if let Some(file) = content.file() {
        // The body is a preview's place, the text stands beside it.
        raw["body"] = json!("");
        raw["caption"] = json!(caption);
        raw["mimetype"] = json!(file.mimetype);
        raw["size"] = json!(file.data.len());
        raw["filehash"] = json!(STANDARD.encode(file.sha256()));
        raw["mediaKey"] = json!(STANDARD.encode(file.sha256()));
        if let Some(filename) = content.shown_filename() {
            raw["filename"] = json!(filename);
        }
        if matches!(content, Content::Gif(_)) {
            raw["isGif"] = json!(true);
        }
    }
    match content {
        Content::Location(place) => {
            raw["lat"] = json!(place.latitude);
            raw["lng"] = json!(place.longitude);
            let lines: Vec<&str> = place
                .name
                .iter()
                .chain(&place.address)
                .map(String::as_str)
                .collect();
            raw["loc"] = json!(lines.join("\n"));
        }
        Content::Contact(cards) => match cards.vcards.as_slice() {
            [card] => {
                raw["body"] = json!(card);
                raw["vcardFormattedName"] = json!(card_name(card));
            }
            cards => {
                let list: Vec<Value> = cards
                    .iter()
                    .map(|card| json!({"displayName": card_name(card), "vcard": card}))
                    .collect();
                raw["vcardList"] = json!(list);
            }
        },
        Content::Poll(poll) => {
            let options: Vec<Value> = poll
                .options
                .iter()
                .zip(0_usize..)
                .map(|(name, place)| json!({"name": name, "localId": place}))
                .collect();
            raw["pollName"] = json!(poll.name);
            raw["pollOptions"] = json!(options);
            raw["pollSelectableOptionsCount"] = json!(poll.selectable());
        }
        _ => {}
    }
}
