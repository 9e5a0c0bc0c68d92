use chrono::{DateTime, Utc};
use mf_domain::{Jid, MessageKind, WaMessageId};
use mf_engine::InboundMessage;
use serde_json::Value;

use super::{
    attachment,
    decode::Reason,
    identity,
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
    let alternate = identity::of(payload, &chat, participant.as_ref(), from_me);
    Ok(Some(InboundMessage {
        id,
        chat,
        from_me,
        via_api: json::text(payload, "/source") == Some("api"),
        participant,
        alternate,
        // Ours comes with the session; here it would be taken for the other's.
        sender_name: sender_name(payload).filter(|_| !from_me),
        kind,
        text: text(payload, kind),
        attachment: attachment::of(payload, kind),
        mentions: mentions(payload),
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
    FullId::parse(id).ok_or_else(|| {
        let reason = if id.len() > ids::LONGEST {
            "the message's id is too long"
        } else {
            "the message's id names no chat that is known here"
        };
        reason.to_owned()
    })
}

/// Who wrote, where a group's message or what was done to one says so.
pub(super) fn writer(payload: &Value) -> Option<Jid> {
    json::jid(
        payload,
        &[
            "/participant",
            "/participant/_serialized",
            "/author",
            "/author/_serialized",
        ],
    )
}

/// Who is named in a message. WAHA itself does not say: each library has its own list.
fn mentions(payload: &Value) -> Vec<Jid> {
    let of_library = kind::message(payload)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|members| members.values())
        .flat_map(|member| {
            json::list(member, "/contextInfo/mentionedJid")
                .chain(json::list(member, "/contextInfo/mentionedJID"))
        });
    let of_web = [
        "/_data/mentionedJidList",
        "/_data/mentionedIds",
        "/mentionedIds",
    ]
    .into_iter()
    .flat_map(|pointer| json::list(payload, pointer));
    let mut mentions = Vec::new();
    for named in of_library.chain(of_web) {
        let jid = json::jid(named, &["", "/_serialized"]);
        if let Some(jid) = jid.filter(|jid| !mentions.contains(jid)) {
            mentions.push(jid);
        }
    }
    mentions
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
