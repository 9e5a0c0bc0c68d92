//! What happens to messages that are there.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use mf_domain::{Jid, JidKind};
use mf_engine::{EngineEvent, MessageRef, Reaction};
use serde_json::Value;

use super::{decode::Reason, message};
use crate::{
    ids::{self, FullId},
    json,
};

const NO_TIME: &str = "the change has no time";

pub(super) fn reaction(
    payload: &Value,
    told: Option<DateTime<Utc>>,
) -> Result<EngineEvent, Reason> {
    let act = message::full_id(payload)?;
    let target = json::text(payload, "/reaction/messageId")
        .or_else(|| json::text(payload, "/reaction/messageId/_serialized"))
        .ok_or("the reaction names no message")?;
    let from_me = json::flag(payload, "/fromMe").unwrap_or(act.from_me);
    let sender = (!from_me).then(|| writer(payload, &act)).flatten();
    let message = target_message(target, &act.chat)?;
    Ok(EngineEvent::Reaction(Reaction {
        message,
        from_me,
        sender,
        emoji: json::text(payload, "/reaction/text")
            .unwrap_or_default()
            .to_owned(),
        at: moment(payload, told)?,
    }))
}

pub(super) fn edited(payload: &Value, told: Option<DateTime<Utc>>) -> Result<EngineEvent, Reason> {
    let act = message::full_id(payload)?;
    let target = ["/editedMessageId", "/editedMessageId/_serialized"]
        .iter()
        .find_map(|pointer| ids::bare(json::text(payload, pointer)?))
        .ok_or("the change names no message")?;
    Ok(EngineEvent::Edited {
        message: of_same_writer(payload, act, target),
        // A caption can be taken away.
        text: json::text(payload, "/body").unwrap_or_default().to_owned(),
        at: moment(payload, told)?,
    })
}

pub(super) fn revoked(payload: &Value, told: Option<DateTime<Utc>>) -> Result<EngineEvent, Reason> {
    // The act of taking it back may be somebody else's, an administrator's: the message itself
    // says more, where it is told.
    let part = ["before", "after"]
        .into_iter()
        .filter_map(|name| payload.get(name))
        .find(|part| message::full_id(part).is_ok())
        .unwrap_or(payload);
    let act = message::full_id(part)?;
    let target = json::text(payload, "/revokedMessageId")
        .and_then(ids::bare)
        .or_else(|| revoked_by_library(part))
        .or_else(|| {
            payload
                .get("before")
                .is_some_and(Value::is_object)
                .then(|| act.id.clone())
        })
        .ok_or("the change names no message")?;
    let after = payload.get("after").unwrap_or(&Value::Null);
    Ok(EngineEvent::Revoked {
        message: of_same_writer(part, act, target),
        at: json::moment(after, "/timestamp")
            .or(told)
            .or_else(|| json::moment(part, "/timestamp"))
            .ok_or(NO_TIME)?,
    })
}

/// Where servers of before there was a member of its own for it have it.
fn revoked_by_library(part: &Value) -> Option<mf_domain::WaMessageId> {
    [
        "/_data/message/protocolMessage/key/id",
        "/_data/Message/protocolMessage/key/ID",
        "/_data/Message/protocolMessage/key/id",
    ]
    .iter()
    .find_map(|pointer| ids::bare(json::text(part, pointer)?))
}

fn of_same_writer(payload: &Value, act: FullId, target: mf_domain::WaMessageId) -> MessageRef {
    let among_several = act.chat.is_group() || act.chat.kind() == JidKind::Broadcast;
    let participant = among_several.then(|| writer(payload, &act)).flatten();
    MessageRef {
        chat: act.chat,
        id: target,
        from_me: act.from_me,
        participant,
    }
}

/// Who did it: in a chat of two it is the other, where it was not this account.
fn writer(payload: &Value, act: &FullId) -> Option<Jid> {
    if !act.chat.is_group() && act.chat.kind() != JidKind::Broadcast {
        return Some(act.chat.clone());
    }
    act.participant.clone().or_else(|| message::writer(payload))
}

/// A message by its full id, or by its bare one in this chat.
fn target_message(id: &str, chat: &Jid) -> Result<MessageRef, Reason> {
    if let Some(full) = FullId::parse(id) {
        return Ok(full.message());
    }
    let id = ids::bare(id).ok_or("the change names no message")?;
    Ok(MessageRef {
        chat: chat.clone(),
        id,
        from_me: false,
        participant: None,
    })
}

/// When it was done. WhatsApp counts seconds, and people change their minds within one: what
/// was told later was done later, but not in another second.
fn moment(payload: &Value, told: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, Reason> {
    let Some(second) = json::moment(payload, "/timestamp").map(|at| at.trunc_subsecs(0)) else {
        return told.ok_or_else(|| NO_TIME.to_owned());
    };
    let last = second + TimeDelta::milliseconds(999);
    Ok(told.map_or(second, |told| told.clamp(second, last)))
}
