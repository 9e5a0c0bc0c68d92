use mf_engine::{EngineError, MediaStream};
use reqwest::{
    Client, Url,
    header::{ACCEPT, HeaderMap, HeaderValue},
    redirect,
};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::time::Duration;

use crate::{
    WahaConfig, WahaError,
    endpoint::{self, Endpoint},
    failure,
    media::Files,
};

/// HTTP to one WAHA.
pub(crate) struct WahaClient {
    http: Client,
    /// Without a slash at its end.
    base: String,
    timeout: Duration,
    /// For calls in which WAHA moves a file.
    media_timeout: Duration,
    /// For the files themselves: they take as long as they take.
    files: Files,
}

/// A 2xx answer.
pub(crate) enum Answer {
    /// JSON, or nothing: an empty body is WAHA's `null`.
    Said(Value),
    /// It was done, but what was said about it did not arrive or cannot be read.
    Lost,
}

impl Answer {
    /// What was said, where a call is worth nothing without it.
    pub(crate) fn value(self) -> Result<Value, EngineError> {
        match self {
            Self::Said(value) => Ok(value),
            Self::Lost => Err(EngineError::Interrupted),
        }
    }
}

/// A call on its way out.
pub(crate) struct Call<'a> {
    endpoint: &'static Endpoint,
    path: String,
    query: &'a [(&'a str, &'a str)],
    body: Option<Value>,
    of_media: bool,
    or_words: bool,
}

impl<'a> Call<'a> {
    /// A call with what its path is filled in with, in the order of its holes.
    pub(crate) fn new(endpoint: &'static Endpoint, holes: &[&str]) -> Self {
        let mut holes = holes.iter();
        let segments = endpoint.path.split('/').map(|segment| {
            if segment.starts_with('{') {
                encode(holes.next().copied().unwrap_or_default())
            } else {
                segment.to_owned()
            }
        });
        Self {
            endpoint,
            path: segments.collect::<Vec<_>>().join("/"),
            query: &[],
            body: None,
            of_media: false,
            or_words: false,
        }
    }

    pub(crate) fn query(mut self, query: &'a [(&'a str, &'a str)]) -> Self {
        self.query = query;
        self
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// In this call WAHA moves a file, which takes longer.
    pub(crate) const fn of_media(mut self) -> Self {
        self.of_media = true;
        self
    }

    /// What is answered here may be a text without quotation marks: so WAHA gives texts that are
    /// no member of anything.
    pub(crate) const fn or_words(mut self) -> Self {
        self.or_words = true;
        self
    }
}

impl WahaClient {
    pub(crate) fn new(config: WahaConfig) -> Result<Self, WahaError> {
        let media_timeout = config.media_timeout();
        let WahaConfig {
            base_url,
            api_key,
            connect_timeout,
            call_timeout,
        } = config;
        let base = Url::parse(&base_url).map_err(|_| WahaError::BaseUrl)?;
        let sound = matches!(base.scheme(), "http" | "https")
            && base.has_host()
            && base.query().is_none()
            && base.fragment().is_none();
        if !sound {
            return Err(WahaError::BaseUrl);
        }
        let mut key =
            HeaderValue::from_str(api_key.expose_secret()).map_err(|_| WahaError::ApiKey)?;
        key.set_sensitive(true);
        let base = base.as_str().trim_end_matches('/').to_owned();
        let files = Files::new(&base, key.clone(), connect_timeout, call_timeout)?;
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", key);
        // Compared as a whole: anything beside it, and WAHA answers with pictures.
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let http = Client::builder()
            .default_headers(headers)
            .connect_timeout(connect_timeout)
            .timeout(call_timeout)
            // Node closes an idle connection after five seconds. A send that meets the closing
            // would be one of unknown outcome.
            .pool_idle_timeout(Duration::from_secs(4))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(WahaError::Client)?;
        Ok(Self {
            http,
            base,
            timeout: call_timeout,
            media_timeout,
            files,
        })
    }

    /// Makes a call.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Answer, EngineError> {
        let endpoint = call.endpoint;
        let mut request = self.http.request(
            endpoint.method.clone(),
            format!("{}{}", self.base, call.path),
        );
        if !call.query.is_empty() {
            request = request.query(call.query);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        if call.of_media {
            request = request.timeout(self.media_timeout);
        }
        let response = request
            .send()
            .await
            .map_err(|error| failure::of_transport(&error))?;
        let status = response.status();
        let body = response.bytes().await;
        if !status.is_success() {
            // The status alone says enough where the rest did not arrive.
            return Err(failure::of_answer(
                endpoint,
                status,
                &body.unwrap_or_default(),
            ));
        }
        Ok(match body {
            Ok(body) if body.trim_ascii().is_empty() => Answer::Said(Value::Null),
            Ok(body) => match serde_json::from_slice(&body) {
                Ok(value) => Answer::Said(value),
                Err(_) if call.or_words => {
                    Answer::Said(Value::String(String::from_utf8_lossy(&body).into_owned()))
                }
                Err(_) => Answer::Lost,
            },
            Err(_) => Answer::Lost,
        })
    }

    /// A file that it has, or that it says where to find.
    pub(crate) async fn file(&self, url: &str) -> Result<Option<MediaStream>, EngineError> {
        self.files.fetch(url).await
    }

    /// Whether it answers at all. Nothing is behind this call that could take time.
    pub(crate) async fn ping(&self) -> Result<(), EngineError> {
        let url = format!("{}{}", self.base, endpoint::PING.path);
        let timeout = self.timeout.min(Duration::from_secs(5));
        let response = self.http.get(url).timeout(timeout).send().await;
        let status = response
            .map_err(|error| failure::of_transport(&error))?
            .status();
        if status.is_success() {
            Ok(())
        } else {
            Err(failure::of_answer(&endpoint::PING, status, &[]))
        }
    }
}

/// Percent-encodes all but what RFC 3986 leaves alone everywhere: WAHA wants `@` as `%40`.
fn encode(segment: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(segment.len() + 8);
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::Call;
    use crate::endpoint;

    #[test]
    fn what_is_filled_in_cannot_leave_its_place() {
        let holes = ["mf_1", "1@c.us", "../a?b#c é"];
        assert_eq!(
            Call::new(&endpoint::MESSAGE, &holes).path,
            "/api/mf_1/chats/1%40c.us/messages/..%2Fa%3Fb%23c%20%C3%A9"
        );
    }
}
