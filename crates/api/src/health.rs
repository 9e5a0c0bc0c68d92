use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use mf_http_kit::Reply;
use mf_services::Services;
use serde_json::json;

/// Renders the metrics in Prometheus' text form.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Whether it lives, whether it can work, and how it does.
pub(crate) fn router(services: Arc<Services>, metrics: Metrics) -> Router {
    let metrics = get(move || async move {
        (
            [(
                header::CONTENT_TYPE,
                "text/plain; version=0.0.4; charset=utf-8",
            )],
            metrics(),
        )
    });
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(services)
        .route("/metrics", metrics)
}

/// The process answers. Nothing else is looked at: a restart mends nothing else.
async fn live() -> Response {
    Reply(json!({"status": "ok"})).into_response()
}

/// Requests can be served: the database is there, and no shutdown has begun. The engine is
/// only told of: without it messages wait, and everything else works.
async fn ready(State(services): State<Arc<Services>>) -> Response {
    let (database, engine) = tokio::join!(services.store.ping(), services.engine.ping());
    let going = services.shutdown.is_cancelled();
    let ready = database.is_ok() && !going;
    let word = |ok: bool| if ok { "ok" } else { "unreachable" };
    let body = json!({
        "status": if going { "shutting down" } else if ready { "ok" } else { "unavailable" },
        "database": word(database.is_ok()),
        "engine": word(engine.is_ok()),
    });
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Reply(body)).into_response()
}
