//! What every request passes: ordered faults, the key, and the making of 500 bodies.

use std::collections::HashMap;

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::callbacks::environment;
use crate::error::{ApiError, EngineError, nothing};
use crate::faults::{Failure, Moment};
use crate::ids::{now_ms, rfc3339};
use crate::sim::{Sim, lock};

use super::gaps;
use super::wire::Switch;

/// WAHA's limit on bodies.
const BODY_LIMIT: usize = 50 * 1024 * 1024;

pub(crate) async fn gate(State(sim): State<Sim>, request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    let uri = request.uri().clone();
    let switch = request
        .extensions()
        .get::<ConnectInfo<Switch>>()
        .map(|info| info.0.clone());
    let controlled = !uri.path().starts_with("/sim/");

    let (offline, slow) = {
        let faults = lock(&sim.world.faults);
        (controlled && faults.offline, faults.slow)
    };
    if offline {
        return cut(switch).await;
    }
    if !admitted(&sim, &request) {
        return ApiError::Unauthorized.into_response();
    }
    if controlled && !slow.is_zero() {
        tokio::time::sleep(slow).await;
    }
    let failure = if controlled {
        lock(&sim.world.faults).take(&method, uri.path())
    } else {
        None
    };

    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        let body = json!({"statusCode": 413, "message": "request entity too large"});
        return (StatusCode::PAYLOAD_TOO_LARGE, Json(body)).into_response();
    };
    let seen = Seen {
        method,
        uri,
        body: body.clone(),
    };
    if let Some(failure) = failure
        .as_ref()
        .filter(|failure| failure.when == Moment::Before)
    {
        return fail(&sim, &seen, failure, switch).await;
    }
    let engine = sim.world.config.engine;
    if gaps::lacking(engine, &parts.method, parts.uri.path()) {
        return ApiError::NotImplemented(engine).into_response();
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    match failure {
        Some(failure) => fail(&sim, &seen, &failure, switch).await,
        None => complete(&sim, &seen, response),
    }
}

/// What a 500 body repeats of the request.
struct Seen {
    method: String,
    uri: Uri,
    body: Bytes,
}

/// `/ping` and `/health` are open; everything else wants the key.
fn admitted(sim: &Sim, request: &Request) -> bool {
    if matches!(request.uri().path(), "/ping" | "/health") {
        return true;
    }
    if let Some(key) = request.headers().get("x-api-key") {
        return key.as_bytes() == sim.world.config.api_key.as_bytes();
    }
    Query::<HashMap<String, String>>::try_from_uri(request.uri()).is_ok_and(|query| {
        query
            .get("x-api-key")
            .is_some_and(|key| *key == sim.world.config.api_key)
    })
}

/// Ends the connection without an answer.
async fn cut(switch: Option<Switch>) -> Response {
    match switch {
        Some(switch) => switch.cut(),
        // Not our listener: the nearest thing to a dead server is a silent one.
        None => std::future::pending().await,
    }
    Response::default()
}

async fn fail(sim: &Sim, seen: &Seen, failure: &Failure, switch: Option<Switch>) -> Response {
    let Ok(status) = StatusCode::from_u16(failure.status) else {
        return cut(switch).await;
    };
    if let Some(body) = &failure.body {
        return (status, Json(body.clone())).into_response();
    }
    match status {
        // A success that says nothing: some releases of WAHA answer sends like that.
        status if status.is_success() => nothing(status),
        StatusCode::UNAUTHORIZED => ApiError::Unauthorized.into_response(),
        StatusCode::INTERNAL_SERVER_ERROR => complete(
            sim,
            seen,
            ApiError::engine("Error", "simulated failure").into_response(),
        ),
        _ => {
            let error = status.canonical_reason().unwrap_or_default();
            let body = json!({
                "statusCode": status.as_u16(), "message": "simulated failure", "error": error,
            });
            (status, Json(body)).into_response()
        }
    }
}

/// Engine errors get WAHA's body: the exception, and all of the request it came from.
fn complete(sim: &Sim, seen: &Seen, mut response: Response) -> Response {
    let Some(error) = response.extensions_mut().remove::<EngineError>() else {
        return response;
    };
    let query = Query::<HashMap<String, String>>::try_from_uri(&seen.uri)
        .map(|query| query.0)
        .unwrap_or_default();
    let mut exception = json!({
        "message": error.message,
        "name": error.name,
        "stack": format!(
            "{}: {}\n    at SimulatedSession.call (/app/dist/core/session.js:1:1)",
            error.name, error.message
        ),
    });
    if let Some(Value::Object(extra)) = error.extra {
        for (name, value) in extra {
            exception[name] = value;
        }
    }
    let body = json!({
        "statusCode": 500,
        "timestamp": rfc3339(now_ms()),
        "exception": exception,
        "request": {
            "path": seen.uri.path_and_query().map_or("/", |path| path.as_str()),
            "method": seen.method,
            "body": serde_json::from_slice::<Value>(&seen.body).unwrap_or_else(|_| json!({})),
            "query": query,
        },
        "version": environment(&sim.world.config),
    });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}
