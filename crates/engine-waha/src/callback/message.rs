use chrono::{DateTime, Utc};
use mf_domain::{Jid, MessageKind, WaMessageId};
use mf_engine::InboundMessage;
use serde_json::Value;

use super::{
    decode::Reason,
    kind::{self, Content},
};
use crate::{
    ids::{self, FullId},
    json,
    messages::ack_status,
};

/// Reads a message; `None` for what WhatsApp shows as none, such as notices about encryption.
pub(super) fn read(
    payload: &Value,
    told: Option<DateTime<Utc>>,
) -> Result<Option<InboundMessage>, Reason> {
    let Content::Of(kind) = kind::of(payload) else {
        return Ok(None);
    };
    let FullId {
        from_me,
        chat,
        id,
        participant,
    } = full_id(payload)?;
    let at = json::moment(payload, "/timestamp")
        .or(told)
        .ok_or("the message has no time")?;
    // Between two people GOWS names this account in the place of a group's writer.
    let participant = participant
        .or_else(|| writer(payload))
        .filter(|_| chat.is_group() || chat.kind() == mf_domain::JidKind::Broadcast);
    Ok(Some(InboundMessage {
        id,
        chat,
        from_me,
        via_api: json::text(payload, "/source") == Some("api"),
        participant,
        // Ours comes with the session; here it would be taken for the other's.
        sender_name: sender_name(payload).filter(|_| !from_me),
        kind,
        text: text(payload, kind),
        reply_to: answered(payload),
        at,
        status: from_me.then(|| ack_status(payload)).flatten(),
    }))
}

/// The id of the message that an event is about. The conversation is taken from it: `from`
/// and `to` mean something else on every engine.
pub(super) fn full_id(payload: &Value) -> Result<FullId, Reason> {
    let id = ["/id", "/id/_serialized"]
        .iter()
        .find_map(|pointer| json::text(payload, pointer))
        .ok_or("the message has no id")?;
    FullId::parse(id).ok_or_else(|| "the message's id names no chat that is known here".to_owned())
}

fn writer(payload: &Value) -> Option<Jid> {
    ["/participant", "/author"]
        .iter()
        .find_map(|pointer| Jid::parse(json::text(payload, pointer)?).ok())
}

fn sender_name(payload: &Value) -> Option<String> {
    [
        "/_data/notifyName",
        "/_data/pushName",
        "/_data/Info/PushName",
    ]
    .iter()
    .find_map(|pointer| json::text(payload, pointer))
    .map(str::to_owned)
}

fn text(payload: &Value, kind: MessageKind) -> Option<String> {
    let text = match kind {
        // The body is a small picture of the map, or the whole card.
        MessageKind::Location => [
            "/location/name",
            "/location/description",
            "/location/address",
        ]
        .iter()
        .find_map(|pointer| json::text(payload, pointer)),
        MessageKind::Contact => None,
        _ => json::text(payload, "/body"),
    };
    text.map(str::to_owned)
}

fn answered(payload: &Value) -> Option<WaMessageId> {
    ["/replyTo/id", "/replyTo/id/_serialized"]
        .iter()
        .find_map(|pointer| ids::bare(json::text(payload, pointer)?))
}
