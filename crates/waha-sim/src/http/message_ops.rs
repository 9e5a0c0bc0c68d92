//! What the API does to messages that are there: react, star, edit, take back, pin, forward, vote.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::actions::{
    Actor, edit_proto, find, find_bare, reaction_proto, revoke_proto, vote_proto,
};
use crate::config::Dialect;
use crate::content::Content;
use crate::error::{ApiError, nothing};
use crate::ids::{as_chat, bare_id, destination, is_group};
use crate::message::Message;
use crate::sending::Draft;
use crate::session::{Session, Status};
use crate::sim::Sim;

use super::chats::stored;
use super::chatting::{answer_shown, named};
use super::extract::Body;

pub(super) fn routes() -> Router<Sim> {
    let pin_path = "/api/{session}/chats/{chat}/messages/{id}/pin";
    let unpin_path = "/api/{session}/chats/{chat}/messages/{id}/unpin";
    Router::new()
        .route("/api/reaction", put(react))
        .route("/api/star", put(star))
        .route("/api/forwardMessage", post(forward))
        .route("/api/sendPollVote", post(vote))
        .route(
            "/api/{session}/chats/{chat}/messages/{id}",
            put(edit).delete(revoke),
        )
        .route(pin_path, post(pin))
        .route(unpin_path, post(unpin))
}

fn id_of<'a>(body: &'a Value, field: &str) -> Result<&'a str, ApiError> {
    body[field]
        .as_str()
        .ok_or_else(|| ApiError::undefined("split"))
}

/// The message, and whether the session has it. WhatsApp Web does nothing without it; the others
/// take the caller's word, and WhatsApp drops what it cannot place.
fn target(
    sim: &Sim,
    session: &Session,
    full: &str,
    method: &str,
) -> Result<(Message, bool), ApiError> {
    if let Some(message) = find(session, full)?.filter(|message| !message.revoked) {
        return Ok((message, true));
    }
    if sim.world.config.engine == Dialect::Webjs {
        return Err(ApiError::undefined(method));
    }
    let mut parts = full.split('_');
    let from_me = parts.next() == Some("true");
    let chat = as_chat(parts.next().unwrap_or_default());
    let message = Message {
        id: bare_id(full)?.to_owned(),
        chat,
        from_me,
        participant: parts.nth(1).map(str::to_owned),
        ..Message::default()
    };
    Ok((message, false))
}

/// The engine's answer to an action: WhatsApp Web has none.
fn answer_action(
    sim: &Sim,
    session: &Session,
    status: StatusCode,
    action: &Message,
    proto: &Value,
) -> Response {
    if sim.world.config.engine == Dialect::Webjs {
        return nothing(status);
    }
    let body = sim.action_answer(session, action, proto);
    (status, Json(body)).into_response()
}

/// An action on a message that is not there: sent, and without effect.
fn stray(on: &Message) -> Message {
    Message {
        id: crate::ids::message_id(),
        from_me: true,
        ..on.clone()
    }
}

async fn react(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(&body), Status::Working).await?;
    let id = id_of(&body, "messageId")?;
    let emoji = body["reaction"].as_str().unwrap_or_default();
    let (on, known) = target(&sim, &session, id, "react")?;
    let action = if known {
        sim.react_to(&session, &on, &Actor::api(), emoji)
    } else {
        stray(&on)
    };
    let proto = reaction_proto(sim.world.config.engine, &on, emoji);
    Ok(answer_action(
        &sim,
        &session,
        StatusCode::OK,
        &action,
        &proto,
    ))
}

async fn star(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(&body), Status::Working).await?;
    let (on, known) = target(&sim, &session, id_of(&body, "messageId")?, "star")?;
    if known {
        let starred = json!(body["star"] == true);
        sim.note_action(&session, &on.chat, "star", Some(&on.id), starred);
    }
    Ok(nothing(StatusCode::OK))
}

async fn edit(
    State(sim): State<Sim>,
    Path((name, chat, id)): Path<(String, String, String)>,
    Body(body): Body,
) -> Result<Response, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let engine = sim.world.config.engine;
    destination(engine, &chat)?;
    let text = body["text"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("match"))?;
    let (on, known) = target(&sim, &session, &id, "edit")?;
    // What others wrote, and what has no text, WhatsApp leaves as it is.
    let editable = on.content.file().is_some() || matches!(on.content, Content::Text);
    let action = if known && on.from_me && editable {
        sim.edit_message(&session, &on, &Actor::api(), text)
    } else if engine == Dialect::Webjs {
        return Ok(nothing(StatusCode::OK));
    } else {
        stray(&on)
    };
    if engine == Dialect::Webjs {
        let me = session.state().own_id();
        let edited = find_bare(&session, &on.id).unwrap_or(on);
        return Ok(Json(edited.sent_answer(engine, &me)).into_response());
    }
    let proto = edit_proto(engine, &on, text);
    Ok(answer_action(
        &sim,
        &session,
        StatusCode::OK,
        &action,
        &proto,
    ))
}

async fn revoke(
    State(sim): State<Sim>,
    Path((name, chat, id)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let engine = sim.world.config.engine;
    destination(engine, &chat)?;
    let (on, known) = target(&sim, &session, &id, "delete")?;
    // In groups admins may take back what others wrote.
    let action = if known && (on.from_me || is_group(&on.chat)) {
        sim.revoke_message(&session, &on, &Actor::api())
    } else {
        stray(&on)
    };
    let proto = revoke_proto(engine, &on);
    Ok(answer_action(
        &sim,
        &session,
        StatusCode::OK,
        &action,
        &proto,
    ))
}

async fn pin(
    State(sim): State<Sim>,
    Path((name, _, id)): Path<(String, String, String)>,
    Body(body): Body,
) -> Result<Response, ApiError> {
    mark(&sim, &name, &id, "pin", body["duration"].clone()).await
}

async fn unpin(
    State(sim): State<Sim>,
    Path((name, _, id)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    mark(&sim, &name, &id, "unpin", Value::Null).await
}

async fn mark(
    sim: &Sim,
    name: &str,
    id: &str,
    kind: &str,
    value: Value,
) -> Result<Response, ApiError> {
    let session = sim.session_in(name, Status::Working).await?;
    let (on, known) = target(sim, &session, id, kind)?;
    if known {
        sim.note_action(&session, &on.chat, kind, Some(&on.id), value);
    }
    Ok((StatusCode::CREATED, Json(json!({"success": true}))).into_response())
}

async fn forward(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let name = named(&body);
    stored(&sim, &name).await?;
    let session = sim.session_in(&name, Status::Working).await?;
    let id = id_of(&body, "messageId")?;
    let Some(original) = find(&session, id)?.filter(|message| !message.revoked) else {
        return Err(ApiError::Unprocessable(format!(
            "Message with id '{id}' not found"
        )));
    };
    let to = sim.address(&session, &body)?;
    let draft = Draft {
        body: &original.body,
        content: original.content.clone(),
        id: body["id"].as_str(),
        converted: false,
    };
    let message = sim.send(&session, to, draft);
    if sim.world.config.engine == Dialect::Webjs {
        return Ok((StatusCode::CREATED, Json(json!({"sent": true}))).into_response());
    }
    Ok(answer_shown(&sim, &session, &message))
}

async fn vote(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(&body), Status::Working).await?;
    let engine = sim.world.config.engine;
    let id = id_of(&body, "pollMessageId")?;
    let votes = body["votes"]
        .as_array()
        .ok_or_else(|| ApiError::undefined("map"))?;
    let found = find(&session, id)?.filter(|message| !message.revoked);
    let Some((on, poll)) = found.and_then(|on| match on.content.clone() {
        Content::Poll(poll) => Some((on, poll)),
        _ => None,
    }) else {
        return Err(match engine {
            Dialect::Gows => ApiError::grpc("original message secret key not found"),
            _ => ApiError::undefined("vote"),
        });
    };
    // Answers travel as hashes, and those that fit nothing are no votes.
    let chosen: Vec<String> = poll
        .options
        .iter()
        .filter(|option| votes.iter().any(|vote| vote == option.as_str()))
        .cloned()
        .collect();
    let action = sim.vote_in(&session, &on, &Actor::api(), Some(&chosen));
    if engine == Dialect::Webjs {
        return Ok(nothing(StatusCode::CREATED));
    }
    let proto = vote_proto(engine, &on);
    Ok(answer_action(
        &sim,
        &session,
        StatusCode::CREATED,
        &action,
        &proto,
    ))
}
