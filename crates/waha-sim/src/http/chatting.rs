//! Sending what needs no file, typing and reading.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::content::{Cards, Content, Place, Poll};
use crate::error::{ApiError, nothing};
use crate::ids::{bare_id, destination, message_id};
use crate::media::Showing;
use crate::message::Message;
use crate::sending::Draft;
use crate::session::{Session, Status};
use crate::sim::{Sim, lock};

use super::extract::Body;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/sendText", post(send_text))
        .route("/api/sendPoll", post(send_poll))
        .route("/api/sendLocation", post(send_location))
        .route("/api/sendContactVcard", post(send_contacts))
        .route("/api/startTyping", post(start_typing))
        .route("/api/stopTyping", post(stop_typing))
        .route("/api/sendSeen", post(send_seen))
        .route("/api/{session}/new-message-id", get(new_message_id))
}

/// The session a body names. Leaving it out names one called `undefined`.
pub(super) fn named(body: &Value) -> String {
    match &body["session"] {
        Value::String(name) => name.clone(),
        Value::Null => "undefined".to_owned(),
        other => other.to_string(),
    }
}

/// The answer to a send, unless it was ordered to say nothing.
pub(super) fn answer(sim: &Sim, session: &Session, message: &Message) -> Response {
    if lock(&sim.world.faults).empty_answers {
        return nothing(StatusCode::CREATED);
    }
    let me = session.state().own_id();
    let body = message.sent_answer(sim.world.config.engine, &me);
    (StatusCode::CREATED, Json(body)).into_response()
}

/// The same, where NOWEB answers as in events.
pub(super) fn answer_shown(sim: &Sim, session: &Session, message: &Message) -> Response {
    if sim.world.config.engine != Dialect::Noweb || lock(&sim.world.faults).empty_answers {
        return answer(sim, session, message);
    }
    let shown = sim.show(session, message, Showing::List { download: false });
    (StatusCode::CREATED, Json(shown)).into_response()
}

async fn send_text(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(&body), Status::Working).await?;
    if !body["chatId"].is_string() {
        return Err(ApiError::undefined("includes"));
    }
    let text = body["text"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("match"))?;
    let to = sim.address(&session, &body)?;
    let draft = Draft {
        body: text,
        content: Content::Text,
        id: body["id"].as_str(),
        converted: false,
    };
    let message = sim.send(&session, to, draft);
    Ok(answer(&sim, &session, &message))
}

async fn send_poll(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(&body), Status::Working).await?;
    let to = sim.address(&session, &body)?;
    let poll = &body["poll"];
    let name = poll["name"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("name"))?;
    let options = poll["options"]
        .as_array()
        .ok_or_else(|| ApiError::undefined("map"))?;
    if to.chat.ends_with("@newsletter") {
        return Err(ApiError::engine(
            "Error",
            "polls cannot be sent to channels",
        ));
    }
    let content = Content::Poll(Poll {
        name: name.to_owned(),
        options: options.iter().map(as_text).collect(),
        multiple_answers: poll["multipleAnswers"] == true,
    });
    let draft = Draft {
        body: "",
        content,
        id: body["id"].as_str(),
        converted: false,
    };
    let message = sim.send(&session, to, draft);
    Ok(answer_shown(&sim, &session, &message))
}

/// What JavaScript makes of a value where it wants a text.
fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

async fn send_location(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(&body), Status::Working).await?;
    let to = sim.address(&session, &body)?;
    let degrees = |name: &str| {
        body[name]
            .as_f64()
            .ok_or_else(|| ApiError::engine("TypeError", format!("{name}: number expected")))
    };
    let content = Content::Location(Place {
        latitude: degrees("latitude")?,
        longitude: degrees("longitude")?,
        name: body["title"].as_str().map(str::to_owned),
        address: None,
    });
    let draft = Draft {
        body: "",
        content,
        id: body["id"].as_str(),
        converted: false,
    };
    let message = sim.send(&session, to, draft);
    Ok(answer(&sim, &session, &message))
}

async fn send_contacts(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(&body), Status::Working).await?;
    let to = sim.address(&session, &body)?;
    let contacts = body["contacts"]
        .as_array()
        .ok_or_else(|| ApiError::undefined("map"))?;
    let content = Content::Contact(Cards {
        vcards: contacts.iter().map(vcard).collect(),
    });
    let draft = Draft {
        body: "",
        content,
        id: body["id"].as_str(),
        converted: false,
    };
    let message = sim.send(&session, to, draft);
    Ok(answer(&sim, &session, &message))
}

/// The card as given, or made of its parts.
fn vcard(contact: &Value) -> String {
    if let Some(card) = contact["vcard"].as_str() {
        return card.to_owned();
    }
    let text = |name: &str| contact[name].as_str().unwrap_or_default();
    let mut lines = vec![
        "BEGIN:VCARD".to_owned(),
        "VERSION:3.0".to_owned(),
        format!("FN:{}", text("fullName")),
    ];
    if !text("organization").is_empty() {
        lines.push(format!("ORG:{};", text("organization")));
    }
    let known = match text("whatsappId") {
        "" => String::new(),
        id => format!(";waid={id}"),
    };
    lines.push(format!(
        "TEL;type=CELL;type=VOICE{known}:{}",
        text("phoneNumber")
    ));
    lines.push("END:VCARD".to_owned());
    lines.join("\n")
}

async fn start_typing(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    typing(&sim, &body, "typing").await
}

async fn stop_typing(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    typing(&sim, &body, "paused").await
}

async fn typing(sim: &Sim, body: &Value, kind: &str) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(body), Status::Working).await?;
    let chat = chat_of(sim, body)?;
    sim.note_action(&session, &chat, kind, None, Value::Null);
    Ok(nothing(StatusCode::CREATED))
}

async fn send_seen(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(&body), Status::Working).await?;
    let chat = chat_of(&sim, &body)?;
    let given = body["messageIds"].as_array().into_iter().flatten();
    let ids = given
        .chain(Some(&body["messageId"]))
        .filter_map(Value::as_str)
        .map(bare_id)
        .collect::<Result<Vec<_>, _>>()?;
    sim.mark_seen(&session, &chat, &ids);
    Ok((StatusCode::CREATED, Json(json!({"success": true}))).into_response())
}

fn chat_of(sim: &Sim, body: &Value) -> Result<String, ApiError> {
    let given = body["chatId"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("includes"))?;
    destination(sim.world.config.engine, given)
}

async fn new_message_id(
    State(sim): State<Sim>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    sim.session_in(&name, Status::Working).await?;
    if sim.world.config.engine == Dialect::Webjs {
        return Err(ApiError::NotImplemented(sim.world.config.engine));
    }
    Ok(Json(json!({"id": message_id()})))
}
