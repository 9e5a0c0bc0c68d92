//! Calls to the server under test, as a client makes them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};

/// How long one call may take.
const TIME_LIMIT: Duration = Duration::from_secs(40);

/// An HTTP client that goes where it is sent, straight and once.
pub(crate) fn http() -> Result<reqwest::Client> {
    // A second installation is refused, and is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .build()
        .context("an HTTP client")
}

/// Somebody who calls one server.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    /// `http://127.0.0.1:port`
    pub origin: String,
    /// The header that lets them in, and its value.
    credential: (&'static str, String),
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null where it is no JSON.
    pub body: Value,
    request: String,
}

impl Api {
    /// With an API key.
    pub fn with_key(origin: &str, key: &str) -> Result<Self> {
        Ok(Self {
            http: http()?,
            origin: origin.to_owned(),
            credential: ("x-api-key", key.to_owned()),
        })
    }

    /// The same caller at another server.
    pub fn at(&self, origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            ..self.clone()
        }
    }

    /// A stranger who signs up: the owner of a tenant of their own. The server must be started
    /// with `MOLTFLOW_SIGNUP=open`, and takes a moment to hash the password.
    pub async fn sign_up(&self, name: &str) -> Result<Self> {
        let account = json!({
            "email": format!("{name}@example.com"), "password": "correct horse battery",
            "full_name": name, "tenant_name": name,
        });
        let login = self.post("/auth/signup", &account).await?.expect(201)?;
        let token = login["access_token"].as_str().context("no token")?;
        Ok(Self {
            credential: ("authorization", format!("Bearer {token}")),
            ..self.clone()
        })
    }

    /// The header that lets them in, and its value.
    pub fn credential(&self) -> (&'static str, &str) {
        (self.credential.0, &self.credential.1)
    }

    /// GET of a path of the API, such as `/sessions`.
    pub async fn get(&self, path: &str) -> Result<Reply> {
        self.call(Method::GET, &format!("/api/v2{path}"), None)
            .await
    }

    /// GET of a path from the server's root, such as `/health/ready`.
    pub async fn get_root(&self, path: &str) -> Result<Reply> {
        self.call(Method::GET, path, None).await
    }

    /// The sum of the metrics that begin so, such as `http_requests_total{` of any labels.
    pub async fn metric(&self, begins: &str) -> Result<f64> {
        let url = format!("{}/metrics", self.origin);
        let answer = self.http.get(url).timeout(TIME_LIMIT).send().await?;
        let text = answer.error_for_status()?.text().await?;
        let lines = text.lines().filter(|line| line.starts_with(begins));
        let values = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        Ok(values.sum())
    }

    /// POST of a body to a path of the API; null is no body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        let body = (!body.is_null()).then_some(body);
        self.call(Method::POST, &format!("/api/v2{path}"), body)
            .await
    }

    /// PATCH with a body.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Reply> {
        self.call(Method::PATCH, &format!("/api/v2{path}"), Some(body))
            .await
    }

    /// Any call. `path` is from the server's root.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply> {
        let request = format!("{method} {path}");
        let mut call = self.http.request(method, format!("{}{path}", self.origin));
        call = call
            .header(self.credential.0, &self.credential.1)
            .timeout(TIME_LIMIT);
        if let Some(body) = body {
            call = call.json(body);
        }
        let response = call.send().await.with_context(|| request.clone())?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.with_context(|| request.clone())?;
        Ok(Reply {
            status,
            headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
            request,
        })
    }
}

impl Reply {
    /// The body, if the status is this one.
    pub fn expect(self, status: u16) -> Result<Value> {
        ensure!(
            self.status == status,
            "{} answered {} instead of {status}: {}",
            self.request,
            self.status,
            self.body
        );
        Ok(self.body)
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
