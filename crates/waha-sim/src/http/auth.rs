//! Pairing: `/api/{s}/auth`.

use std::io::Cursor;

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{GrayImage, ImageFormat, Luma};
use qrcode::{Color, QrCode};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::error::ApiError;
use crate::session::Status;
use crate::sim::Sim;

use super::extract::{Body, Params};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/{session}/auth/qr", get(qr))
        .route("/api/{session}/auth/request-code", post(request_code))
}

async fn qr(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let session = sim.session_in(&name, Status::ScanQrCode).await?;
    let text = {
        let state = session.state();
        let status = state.status;
        state.qr.clone().ok_or(ApiError::WrongStatus {
            session: name,
            status,
            expected: Status::ScanQrCode,
        })?
    };
    if params.get("format").is_some_and(|format| format == "raw") {
        return Ok(Json(json!({"value": text})).into_response());
    }
    let png = draw(&text).map_err(|message| ApiError::engine("Error", message))?;
    // Compared as a whole: any other header, however much it prefers JSON, gets the picture.
    if headers
        .get(ACCEPT)
        .is_some_and(|accept| accept == "application/json")
    {
        let data = STANDARD.encode(png);
        return Ok(Json(json!({"mimetype": "image/png", "data": data})).into_response());
    }
    Ok(([(CONTENT_TYPE, "image/png")], png).into_response())
}

/// A QR code in black and white, with the quiet zone scanners need.
fn draw(text: &str) -> Result<Vec<u8>, String> {
    const SCALE: u32 = 4;
    const QUIET: u32 = 4;
    let code = QrCode::new(text).map_err(|error| error.to_string())?;
    let width = u32::try_from(code.width()).map_err(|error| error.to_string())?;
    let colors = code.to_colors();
    let side = (width + 2 * QUIET) * SCALE;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let module = |at: u32| (at / SCALE).checked_sub(QUIET).filter(|at| *at < width);
        let dark = match (module(x), module(y)) {
            (Some(x), Some(y)) => colors.get((y * width + x) as usize) == Some(&Color::Dark),
            _ => false,
        };
        Luma([if dark { 0 } else { 255 }])
    });
    let mut png = Cursor::new(Vec::new());
    picture
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| error.to_string())?;
    Ok(png.into_inner())
}

async fn request_code(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let session = sim
        .session(&name)
        .ok_or_else(|| ApiError::NoSuchSession(name.clone()))?;
    let status = session.state().status;
    let expected = Status::ScanQrCode;
    if status == Status::Stopped {
        sim.session_in(&name, expected).await?;
    } else if status != expected {
        let shown = serde_json::to_value(status).unwrap_or_default();
        return Err(ApiError::Unprocessable(format!(
            "Can request code only in SCAN_QR_CODE status. The current status is '{}'",
            shown.as_str().unwrap_or_default()
        )));
    }
    let phone = body["phoneNumber"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("replace"))?;
    if sim.world.config.engine == Dialect::Noweb && !body["method"].is_null() {
        return Err(ApiError::Unprocessable(
            "NOWEB engine doesn't support any 'method', remove it".to_owned(),
        ));
    }
    if phone.is_empty() {
        return Err(ApiError::engine("Error", "phone number is too short"));
    }
    let code = pairing_code();
    let code = match sim.world.config.engine {
        Dialect::Webjs => code,
        Dialect::Noweb | Dialect::Gows => format!("{}-{}", &code[..4], &code[4..]),
    };
    Ok((StatusCode::CREATED, Json(json!({"code": code}))))
}

/// Eight characters of the alphabet WhatsApp uses for them.
fn pairing_code() -> String {
    const ALPHABET: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";
    rand::random::<[u8; 8]>()
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
        .collect()
}
