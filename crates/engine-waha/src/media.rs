//! The files of messages: at WAHA itself, or where WAHA puts them.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use mf_engine::{EngineError, MediaStream};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderValue},
    redirect,
};
use serde_json::Value;

use crate::{WahaError, endpoint, failure, json};

/// Fetches files. A client of its own: the key must not go to others, and a large file may take
/// longer than any call.
pub(crate) struct Files {
    http: Client,
    /// Without a slash at its end.
    base: String,
    key: HeaderValue,
}

/// Where a file is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// At WAHA.
    Own(String),
    /// In a storage that WAHA put it into. The URL is signed: it needs no key, and gets none.
    Elsewhere(Url),
}

impl Files {
    pub(crate) fn new(
        base: &str,
        key: HeaderValue,
        connect_timeout: Duration,
        read_timeout: Duration,
    ) -> Result<Self, WahaError> {
        let http = Client::builder()
            .connect_timeout(connect_timeout)
            // Between two pieces, not for the whole of it.
            .read_timeout(read_timeout)
            .pool_idle_timeout(Duration::from_secs(4))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(WahaError::Client)?;
        Ok(Self {
            http,
            base: base.to_owned(),
            key,
        })
    }

    pub(crate) async fn fetch(&self, url: &str) -> Result<Option<MediaStream>, EngineError> {
        let place = place(&self.base, url).ok_or_else(|| EngineError::Rejected {
            detail: "the file's address cannot be read".to_owned(),
        })?;
        let response = self
            .request(&place)
            .send()
            .await
            .map_err(|error| failure::of_transport(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(Some(stream(response)));
        }
        let gone = match place {
            Place::Own(_) => status == StatusCode::NOT_FOUND,
            // What a signed address says when its time is over, or the file was removed.
            Place::Elsewhere(_) => matches!(status.as_u16(), 403 | 404 | 410),
        };
        let body = response.bytes().await.unwrap_or_default();
        if gone && (matches!(place, Place::Elsewhere(_)) || says_gone(&body)) {
            return Ok(None);
        }
        Err(failure::of_answer(&endpoint::FILE, status, &body))
    }

    fn request(&self, place: &Place) -> RequestBuilder {
        match place {
            Place::Own(url) => self.http.get(url).header("x-api-key", &self.key),
            Place::Elsewhere(url) => self.http.get(url.clone()),
        }
    }
}

/// WAHA writes its own address as it is configured there, which is often one that leads
/// nowhere from here: its files are asked for where WAHA is known to be.
fn place(base: &str, url: &str) -> Option<Place> {
    let url = match Url::parse(url) {
        Ok(url) => url,
        Err(_) => Url::parse(base).ok()?.join(url).ok()?,
    };
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    // Parsing has taken every `..` out: what follows stays below the files.
    if let Some(at) = url.path().find(endpoint::FILE.path) {
        let mut own = format!("{base}{}", url.path().get(at..)?);
        if let Some(query) = url.query() {
            own.push('?');
            own.push_str(query);
        }
        return Some(Place::Own(own));
    }
    Some(Place::Elsewhere(url))
}

/// Whether WAHA says that it has the file no more. The 404 of something in between is not that.
fn says_gone(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    json::text(&body, "/error/key") == Some("FILE_NOT_FOUND")
        || json::text(&body, "/message").is_some_and(|said| said.contains("not found"))
}

fn stream(response: Response) -> MediaStream {
    let mimetype = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    MediaStream {
        mimetype,
        length: response.content_length(),
        body: response
            .bytes_stream()
            .map_err(|error| failure::of_transport(&error))
            .boxed(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, place};

    #[test]
    fn wahas_own_files_are_asked_for_where_waha_is() {
        for (url, own) in [
            (
                "http://localhost:3000/api/files/s/a.jpeg",
                "http://waha:3000/x/api/files/s/a.jpeg",
            ),
            (
                "https://public.example/prefix/api/files/s/a.jpeg?x=1",
                "http://waha:3000/x/api/files/s/a.jpeg?x=1",
            ),
            (
                "/api/files/s/a.jpeg",
                "http://waha:3000/x/api/files/s/a.jpeg",
            ),
        ] {
            let place = place("http://waha:3000/x", url);
            assert_eq!(place, Some(Place::Own(own.to_owned())), "{url}");
        }
    }

    #[test]
    fn the_key_goes_nowhere_else() {
        for url in [
            "https://bucket.s3.example/a.jpeg?X-Amz-Signature=1",
            "http://localhost:3000/api/files/../sessions",
            "http://localhost:3000/api/files/%2e%2e/sessions",
        ] {
            let place = place("http://waha:3000", url);
            assert!(matches!(place, Some(Place::Elsewhere(_))), "{url}");
        }
        assert_eq!(place("http://waha:3000", "file:///etc/passwd"), None);
    }
}
