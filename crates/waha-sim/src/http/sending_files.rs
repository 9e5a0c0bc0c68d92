//! Sending files, converting them, and fetching those that came in.

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::content::{Content, MediaFile};
use crate::error::ApiError;
use crate::media::since;
use crate::sending::Draft;
use crate::session::Status;
use crate::sim::{Sim, lock};

use super::chatting::{answer, named};
use super::extract::Body;

const VOICE: &str = "audio/ogg; codecs=opus";
const VIDEO: &str = "video/mp4";

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/sendImage", post(send_image))
        .route("/api/sendFile", post(send_document))
        .route("/api/sendVoice", post(send_voice))
        .route("/api/sendVideo", post(send_video))
        .route("/api/sendSticker", post(send_sticker))
        .route("/api/{session}/media/convert/voice", post(convert_voice))
        .route("/api/{session}/media/convert/video", post(convert_video))
        .route("/api/files/{session}/{name}", get(file))
}

/// Sends the request's file as what `kind` makes of it. None of these routes takes an id.
async fn send(
    sim: &Sim,
    body: &Value,
    default: &str,
    kind: impl FnOnce(MediaFile) -> Content,
) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(body), Status::Working).await?;
    let to = sim.address(&session, body)?;
    let mut file = sim.load(&body["file"], default).await?;
    let converts = matches!(default, VOICE | VIDEO) && body["convert"] == true;
    let gif = default == VIDEO && file.mimetype == "image/gif";
    if converts {
        default.clone_into(&mut file.mimetype);
    }
    let caption = match default {
        // Neither carries a text.
        VOICE | "image/webp" => "",
        _ => body["caption"].as_str().unwrap_or_default(),
    };
    let draft = Draft {
        body: caption,
        content: if gif { Content::Gif(file) } else { kind(file) },
        id: None,
        converted: converts,
    };
    let message = sim.send(&session, to, draft);
    Ok(answer(sim, &session, &message))
}

async fn send_image(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    send(&sim, &body, "image/jpeg", Content::Image).await
}

async fn send_document(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    send(&sim, &body, "application/octet-stream", Content::Document).await
}

async fn send_voice(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    send(&sim, &body, VOICE, Content::Voice).await
}

async fn send_video(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let kind = if body["asNote"] == true {
        Content::VideoNote
    } else {
        Content::Video
    };
    send(&sim, &body, VIDEO, kind).await
}

async fn send_sticker(
    State(sim): State<Sim>,
    method: Method,
    uri: Uri,
    Body(body): Body,
) -> Result<Response, ApiError> {
    if !since(&sim.world.config, [2026, 8, 2]) {
        return Err(ApiError::NotFound(format!(
            "Cannot {method} {}",
            uri.path()
        )));
    }
    // Nothing is converted to what stickers have to be.
    let mimetype = &body["file"]["mimetype"];
    if !(mimetype.is_null() || mimetype == "image/webp") {
        return Err(ApiError::Unprocessable(
            "Sticker file must be 'image/webp'".to_owned(),
        ));
    }
    send(&sim, &body, "image/webp", Content::Sticker).await
}

async fn convert_voice(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, ApiError> {
    convert(&sim, &name, &headers, &body, VOICE).await
}

async fn convert_video(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, ApiError> {
    convert(&sim, &name, &headers, &body, VIDEO).await
}

/// The bytes as they came, said to be what they should have become; a header owns up to it.
async fn convert(
    sim: &Sim,
    name: &str,
    headers: &HeaderMap,
    body: &Value,
    target: &str,
) -> Result<Response, ApiError> {
    sim.local_session_in(name, Status::Working).await?;
    if !(body["url"].is_string() || body["data"].is_string()) {
        return Err(ApiError::Invalid(vec![
            "url must be a URL address".to_owned(),
            "data must be a string".to_owned(),
        ]));
    }
    let file = sim.load(body, target).await?;
    let mark = ("x-waha-sim-converted", "no");
    let wants_json = headers
        .get(ACCEPT)
        .is_some_and(|accept| accept.as_bytes() == b"application/json");
    Ok(if wants_json {
        let shown = json!({"mimetype": target, "data": STANDARD.encode(file.data())});
        (StatusCode::CREATED, [mark], Json(shown)).into_response()
    } else {
        let kind = (CONTENT_TYPE.as_str(), target);
        (StatusCode::CREATED, [mark, kind], file.data).into_response()
    })
}

async fn file(State(sim): State<Sim>, Path((session, name)): Path<(String, String)>) -> Response {
    let found = lock(&sim.world.files).get(&session, &name);
    match found {
        Some(file) => ([(CONTENT_TYPE, file.mimetype)], file.data).into_response(),
        None => {
            let error = json!({
                "code": 404,
                "key": "FILE_NOT_FOUND",
                "message": "File not found",
                "details": format!("{session}/{name} does not exist"),
            });
            (StatusCode::NOT_FOUND, Json(json!({"error": error}))).into_response()
        }
    }
}
