//! A small server with one route of each kind, and a client for it.
#![allow(dead_code)] // Most fields are only there to be checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use mf_domain::{Entropy, Ids, Invalid, PhoneNumber, SystemClock};
use mf_http_kit::{
    ApiError, ApiResult, Body, ClientLimits, Cors, Faults, HttpSettings, Input, OptionalBody, Page,
    Path, Query, RawBody, harden, serve,
};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Send {
    pub(crate) session_id: Uuid,
    #[schema(min_length = 1, max_length = 4096)]
    pub(crate) message: String,
    pub(crate) phone: Option<String>,
    #[schema(max_items = 3)]
    pub(crate) contacts: Option<Vec<Contact>>,
    pub(crate) place: Option<Place>,
    pub(crate) mode: Option<Mode>,
    pub(crate) due_at: Option<DateTime<Utc>>,
    #[schema(minimum = 0.5, maximum = 1)]
    pub(crate) score: Option<f64>,
    #[schema(minimum = 1, maximum = 10)]
    pub(crate) tries: Option<i32>,
    #[serde(default)]
    pub(crate) queue: bool,
    #[schema(pattern = "^#[0-9A-F]{6}$")]
    pub(crate) color: Option<String>,
    pub(crate) config: Option<Value>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Contact {
    pub(crate) phone: String,
    #[schema(min_length = 2)]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Place {
    pub(crate) latitude: f64,
    pub(crate) tags: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    All,
    FirstMessage,
}

impl Input for Send {
    fn check(&self, faults: &mut Faults) {
        if let Some(phone) = &self.phone {
            faults.keep("phone", PhoneNumber::parse(phone));
        }
        for (index, contact) in self.contacts.iter().flatten().enumerate() {
            faults.keep(
                ("contacts", index, "phone"),
                PhoneNumber::parse(&contact.phone),
            );
        }
    }
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct Options {
    #[serde(default)]
    pub(crate) reason: String,
}

impl Input for Options {}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    pub(crate) session_id: Uuid,
    pub(crate) is_active: Option<bool>,
    pub(crate) min_score: Option<f64>,
    pub(crate) tag: Option<Vec<i64>>,
    #[param(max_length = 5)]
    pub(crate) search: Option<String>,
    #[param(inline)]
    pub(crate) mode: Option<Mode>,
}

impl Input for Filter {
    fn check(&self, faults: &mut Faults) {
        if self.search.as_deref() == Some("bad") {
            faults.add("search", Invalid::new("value_error.search", "not that"));
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the outer")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("the secret inner")]
struct Inner;

#[utoipa::path(get, path = "/things/{id}", responses((status = 200, body = String)))]
async fn read_thing(Path(id): Path<Uuid>) -> String {
    id.to_string()
}

#[utoipa::path(delete, path = "/things/{id}", responses((status = 200, body = String)))]
async fn delete_thing(Path(id): Path<Uuid>) -> String {
    id.to_string()
}

fn nested() -> Router {
    let inner = OpenApiRouter::<()>::new().routes(routes!(read_thing, delete_thing));
    let (router, _) = OpenApiRouter::new()
        .nest("/api/v2", inner)
        .split_for_parts();
    router
}

fn routes() -> Router {
    Router::new()
        .route(
            "/send",
            post(async |Body(send): Body<Send>| format!("{send:?}")),
        )
        .route(
            "/optional",
            post(async |OptionalBody(options): OptionalBody<Options>| options.reason),
        )
        .route(
            "/free",
            post(async |Body(value): Body<Value>| value.to_string()),
        )
        .route("/raw", post(async |RawBody(bytes): RawBody| bytes))
        .route(
            "/things",
            get(
                async |Query(page): Query<Page>, Query(filter): Query<Filter>| {
                    format!("{page:?} {filter:?}")
                },
            ),
        )
        .route(
            "/page",
            get(async |Query(page): Query<Page>| format!("{page:?}")),
        )
        .route(
            "/chat/{session_id}/{number}",
            get(async |Path((id, number)): Path<(Uuid, i64)>| format!("{id} {number}")),
        )
        .route("/name/{name}", get(async |Path(name): Path<String>| name))
        .route("/slow", get(async || std::future::pending::<&str>().await))
        .route(
            "/panic",
            get(async || -> String { panic!("a secret of the handler") }),
        )
        .route("/long", get(async || "x".repeat(10_000)))
        .route(
            "/fail",
            get(async || -> ApiResult<String> { Err(ApiError::internal(Outer(Inner))) }),
        )
        .route(
            "/axum",
            get(async |axum::Extension(n): axum::Extension<u8>| n.to_string()),
        )
        .route(
            "/teapot",
            get(async || (StatusCode::IM_A_TEAPOT, "plain words")),
        )
        .merge(nested())
}

struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

pub(crate) struct App {
    origin: String,
    client: reqwest::Client,
}

pub(crate) async fn app() -> App {
    app_with(|_| {}).await
}

pub(crate) async fn app_with(change: impl FnOnce(&mut HttpSettings)) -> App {
    crate::log::start();
    // A second installation is refused, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(Counting(AtomicU8::new(0))));
    let mut settings = HttpSettings::new(ids);
    settings.body_limit = 64 * 1024;
    settings.request_timeout = Duration::from_millis(300);
    settings.cors = Cors::parse(&["https://app.example"]).unwrap();
    change(&mut settings);
    let router = harden(routes(), &settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let limits = ClientLimits {
        head: Duration::from_mins(1),
        stalled: Duration::from_mins(1),
        connections: 1000,
    };
    tokio::spawn(serve(listener, router, limits, CancellationToken::new()));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    App { origin, client }
}

impl App {
    pub(crate) fn address(&self) -> &str {
        self.origin.trim_start_matches("http://")
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().unwrap();
        self.client
            .request(method, format!("{}{path}", self.origin))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        answer(self.request("POST", path).body(body)).await
    }

    pub(crate) async fn post_as(&self, kind: &str, path: &str, body: &'static str) -> Answer {
        answer(
            self.request("POST", path)
                .header("content-type", kind)
                .body(body),
        )
        .await
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response: Response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// A refusal of one sentence.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, sentence: &str) {
        let body = format!("{{\"detail\":\"{sentence}\"}}");
        assert_eq!((self.status, self.text.as_str()), (status, body.as_str()));
        assert_eq!(self.header("content-type"), "application/json");
    }

    /// A 422 with exactly these faults: `loc` as JSON, `msg`, `type`.
    #[track_caller]
    pub(crate) fn lists(&self, faults: &[(&str, &str, &str)]) {
        let faults: Vec<String> = faults
            .iter()
            .map(|(loc, msg, code)| {
                format!("{{\"loc\":{loc},\"msg\":\"{msg}\",\"type\":\"{code}\"}}")
            })
            .collect();
        let body = format!("{{\"detail\":[{}]}}", faults.join(","));
        assert_eq!((self.status, self.text.as_str()), (422, body.as_str()));
        assert_eq!(self.header("content-type"), "application/json");
    }

    #[track_caller]
    pub(crate) fn succeeds(&self) -> &str {
        assert_eq!(self.status, 200, "{}", self.text);
        &self.text
    }
}
