use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;

use crate::{Answer, EventStream, soon};

/// What a caller shows to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing.
    None,
    /// `X-API-Key`.
    ApiKey(String),
    /// `Authorization: Bearer`.
    Bearer(String),
}

/// One caller of one server. Paths are those of the API, `/sessions`; [`Client::root`] has the
/// others.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    origin: String,
    prefix: &'static str,
    credential: Credential,
}

/// A request that is still being put together.
#[derive(Debug)]
pub struct Call {
    builder: RequestBuilder,
    request: String,
}

/// The HTTP client of a test: no proxy, no redirects, and a connection for each request, since
/// servers of tests go and come back.
pub fn http() -> reqwest::Client {
    // A second installation is refused, and is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .build()
        .expect("an HTTP client")
}

impl Client {
    /// A caller of the server at `origin`, such as `http://127.0.0.1:8080`.
    pub fn new(origin: &str, credential: Credential) -> Self {
        Self {
            http: http(),
            origin: origin.to_owned(),
            prefix: "/api/v2",
            credential,
        }
    }

    /// The same caller, for paths that begin at the server's root.
    pub fn root(&self) -> Self {
        Self {
            prefix: "",
            ..self.clone()
        }
    }

    /// The same caller at another server.
    pub fn at(&self, origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            ..self.clone()
        }
    }

    /// Another caller of the same server.
    pub fn with(&self, credential: Credential) -> Self {
        Self {
            credential,
            ..self.clone()
        }
    }

    /// What the caller shows.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The key or token that the caller shows.
    pub fn secret(&self) -> &str {
        match &self.credential {
            Credential::None => panic!("nobody in particular has no secret"),
            Credential::ApiKey(secret) | Credential::Bearer(secret) => secret,
        }
    }

    /// Begins a request.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let request = format!("{method} {}{path}", self.prefix);
        let url = format!("{}{}{path}", self.origin, self.prefix);
        let builder = self.http.request(method, url);
        let builder = match &self.credential {
            Credential::None => builder,
            Credential::ApiKey(key) => builder.header("x-api-key", key),
            Credential::Bearer(token) => builder.bearer_auth(token),
        };
        Call { builder, request }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send().await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path).json(&body).send().await
    }

    /// POST without a body.
    pub async fn order(&self, path: &str) -> Answer {
        self.call(Method::POST, path).send().await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path).json(&body).send().await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).send().await
    }

    /// Opens an event stream.
    pub async fn events(&self, path: &str) -> EventStream {
        self.call(Method::GET, path).stream().await
    }

    /// Opens an event stream again, after the event of this id.
    pub async fn events_after(&self, path: &str, last: &str) -> EventStream {
        self.call(Method::GET, path)
            .header("last-event-id", last)
            .stream()
            .await
    }
}

impl Call {
    /// With a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self {
            builder: self.builder.header(name, value),
            ..self
        }
    }

    /// With headers.
    pub fn headers(self, headers: HeaderMap) -> Self {
        Self {
            builder: self.builder.headers(headers),
            ..self
        }
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        Self {
            builder: self.builder.json(body),
            request: format!("{} {body}", self.request),
        }
    }

    /// With a body that is said to be nothing in particular.
    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self {
            builder: self.builder.body(body),
            ..self
        }
    }

    /// Sends it, and waits for the whole answer.
    pub async fn send(self) -> Answer {
        let Self { builder, request } = self;
        let response = soon(builder.send())
            .await
            .unwrap_or_else(|error| panic!("{request} was not answered: {error:?}"));
        soon(Answer::of(response, request)).await
    }

    /// Sends it, and follows the event stream that it answers.
    pub async fn stream(self) -> EventStream {
        let Self { builder, request } = self;
        let builder = builder.header("accept", "text/event-stream");
        let response = soon(builder.send())
            .await
            .unwrap_or_else(|error| panic!("{request} was not answered: {error:?}"));
        if response.status() == 200 {
            return EventStream::new(response, request);
        }
        panic!("{}", Answer::of(response, request).await)
    }
}
