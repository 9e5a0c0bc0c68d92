use std::borrow::Cow;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use mf_domain::Ids;
use tracing::Instrument as _;

use crate::RequestId;
use crate::request_id::HEADER;

/// Gives the request its id, its span, its line in the log and its place in the numbers.
pub(super) async fn observe(State(ids): State<Ids>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers(), &ids);
    let method = method_label(request.method());
    let route = route_label(&request);
    request.extensions_mut().insert(id.clone());
    // Of the highest level, so that the id is there however little is logged. The path as
    // sent stays out of it, and the query above all: it may hold a token.
    let span = tracing::error_span!("http.request", request_id = %id, method, route = %route);
    let header = id.header();
    let work = async {
        let started = Instant::now();
        let mut response = next.run(request).await;
        record(method, route, response.status(), started.elapsed());
        if let Some(value) = header {
            response.headers_mut().insert(HEADER, value);
        }
        response
    };
    id.scope(work.instrument(span)).await
}

fn record(method: &'static str, route: Cow<'static, str>, status: StatusCode, took: Duration) {
    let code = status.as_u16();
    let millis = took.as_millis();
    if route.starts_with("/health") || route == "/metrics" {
        tracing::debug!(status = code, latency_ms = millis, "answered");
    } else {
        tracing::info!(status = code, latency_ms = millis, "answered");
    }
    metrics::counter!(
        "http_requests_total",
        "method" => method, "route" => route.clone(), "status" => code.to_string(),
    )
    .increment(1);
    metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route)
        .record(took.as_secs_f64());
}

/// The route's pattern, so that ids in paths make no series and no log entry of their own.
fn route_label(request: &Request) -> Cow<'static, str> {
    match request.extensions().get::<MatchedPath>() {
        Some(path) => Cow::Owned(path.as_str().to_owned()),
        None => Cow::Borrowed("unmatched"),
    }
}

/// A client may invent methods; a label must not take every word.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
