//! What holds for every request, whatever its route.

mod cors;
mod guard;
mod linger;
mod observe;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state};
use mf_domain::Ids;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::sensitive_headers::{
    SetSensitiveRequestHeadersLayer, SetSensitiveResponseHeadersLayer,
};
use tower_http::set_header::SetResponseHeaderLayer;

pub use cors::Cors;

use crate::ApiError;

/// How requests are treated before and after their handlers.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Which web pages may call the API from a browser. None unless set.
    pub cors: Cors,
    /// Most bytes of a body, 1 MiB unless set. A route that takes more puts its own
    /// [`DefaultBodyLimit`] on itself, which wins.
    pub body_limit: usize,
    /// How long a handler may take to begin its answer, 60 s unless set. Streams begin at
    /// once and are not cut.
    pub request_timeout: Duration,
    /// Where request ids come from.
    pub ids: Ids,
}

impl HttpSettings {
    /// The settings as they are when nothing is said.
    pub fn new(ids: Ids) -> Self {
        Self {
            cors: Cors::None,
            body_limit: 1024 * 1024,
            request_timeout: Duration::from_mins(1),
            ids,
        }
    }
}

/// Puts the finished router, state and all routes included, behind everything that holds for
/// every request.
pub fn harden(router: Router, settings: &HttpSettings) -> Router {
    let secret = [
        header::AUTHORIZATION,
        header::COOKIE,
        HeaderName::from_static("x-api-key"),
    ];
    // From the outside in. The id comes before whatever may log; CORS before whatever may
    // refuse, so that a page can read the refusal; the panic catcher is innermost, so that
    // a panic is an answer to all the others.
    let layers = ServiceBuilder::new()
        .layer(SetSensitiveRequestHeadersLayer::new(secret))
        .layer(from_fn_with_state(settings.ids.clone(), observe::observe))
        .layer(SetSensitiveResponseHeadersLayer::new([header::SET_COOKIE]))
        .option_layer(settings.cors.layer())
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(CompressionLayer::new())
        .layer(from_fn(guard::no_plain_text))
        .layer(from_fn_with_state(
            settings.request_timeout,
            guard::time_out,
        ))
        .layer(from_fn(linger::linger))
        .layer(CatchPanicLayer::custom(guard::answer_panic))
        .layer(DefaultBodyLimit::max(settings.body_limit));
    router
        .fallback(async || ApiError::unknown_route())
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .layer(layers)
}

/// A header of every answer that does not say otherwise itself.
fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
