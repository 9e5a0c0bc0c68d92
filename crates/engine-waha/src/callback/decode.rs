use mf_engine::{Callback, EngineEvent, SessionKey, StatusReport};
use serde_json::Value;

use super::{Report, call, changes, group, label, message, poll, presence};
use crate::{failure, ids::FullId, json, messages::ack_status, sessions::read_me};

/// What stood in the way of reading a callback. Never anything out of it.
pub(super) type Reason = String;

pub(super) fn decode(body: &[u8]) -> Result<Report, Reason> {
    let envelope: Value = serde_json::from_slice(body).map_err(|error| {
        format!(
            "no JSON at line {}, column {}",
            error.line(),
            error.column()
        )
    })?;
    let envelope = json::cleaned(&envelope);
    let name = json::text(&envelope, "/event").ok_or("the event has no name")?;
    let session = json::text(&envelope, "/session").ok_or("the event names no session")?;
    let session = SessionKey::session_id(session).ok_or("the session is none of this server's")?;
    let origin = json::text(&envelope, "/environment/version")
        .zip(json::text(&envelope, "/environment/engine"))
        .map(|(version, engine)| (version.to_owned(), engine.to_owned()));
    let callback = Callback {
        id: json::text(&envelope, "/id").map(str::to_owned),
        session: SessionKey::of(session),
        at: json::moment(&envelope, "/timestamp"),
        me: envelope.get("me").and_then(read_me),
        event: event(name, &envelope)?,
    };
    Ok(Report { callback, origin })
}

fn event(name: &str, envelope: &Value) -> Result<EngineEvent, Reason> {
    let payload = envelope.get("payload").unwrap_or(&Value::Null);
    let told = json::moment(envelope, "/timestamp");
    let event = match name {
        "session.status" => Some(EngineEvent::Status(status(payload)?)),
        "message.any" => {
            message::read(payload, told)?.map(|message| EngineEvent::Message(Box::new(message)))
        }
        "message.reaction" => Some(changes::reaction(payload, told)?),
        "message.edited" => Some(changes::edited(payload, told)?),
        "message.revoked" => Some(changes::revoked(payload, told)?),
        "poll.vote" => Some(EngineEvent::PollVote(poll::vote(payload, told, false)?)),
        "poll.vote.failed" => Some(EngineEvent::PollVote(poll::vote(payload, told, true)?)),
        "message.ack" | "message.ack.group" => ack(payload)?,
        _ if name.starts_with("group.v2.") => {
            group::read(name, payload, told)?.map(EngineEvent::Group)
        }
        _ if name.starts_with("label.") => {
            label::read(name, payload, told)?.map(EngineEvent::Label)
        }
        _ if name.starts_with("call.") => call::read(name, payload, told)?.map(EngineEvent::Call),
        "presence.update" => presence::read(payload)?.map(EngineEvent::Presence),
        _ => None,
    };
    Ok(event.unwrap_or_else(|| EngineEvent::Ignored {
        name: name.to_owned(),
    }))
}

fn status(payload: &Value) -> Result<StatusReport, Reason> {
    let raw = json::text(payload, "/status").ok_or("the status is missing")?;
    // The last few statuses, each with its moment; one may be in it more than once.
    let history = payload.get("statuses").and_then(Value::as_array);
    let since = history
        .into_iter()
        .flatten()
        .filter(|point| json::text(point, "/status") == Some(raw))
        .filter_map(|point| json::moment(point, "/timestamp"))
        .max();
    Ok(StatusReport {
        status: failure::session_status(raw),
        raw: raw.to_owned(),
        since,
    })
}

/// `None` where the report says nothing: "pending" is what every message is before it.
fn ack(payload: &Value) -> Result<Option<EngineEvent>, Reason> {
    let status = ack_status(payload).filter(|status| *status != mf_domain::MessageStatus::Pending);
    let Some(status) = status else {
        return Ok(None);
    };
    let id = message::full_id(payload)?;
    let FullId {
        from_me, chat, id, ..
    } = id;
    Ok(Some(EngineEvent::Ack {
        id,
        chat,
        from_me,
        status,
    }))
}
