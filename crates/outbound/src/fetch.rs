use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, LOCATION,
};
use reqwest::{Response, StatusCode, Url};
use tokio::time::{Instant, timeout_at};

use crate::{Outbound, Purpose, Refused, filename};

/// How much of everything a fetch may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the body.
    pub max_bytes: u64,
    /// Time for all of it: names, connections, redirects, and the body up to its last byte, with
    /// what its reader takes meanwhile.
    pub timeout: Duration,
    /// Redirects followed, each of them judged like the first address.
    pub max_redirects: u32,
}

/// The body as it arrives. An error is its last item.
pub type Body = BoxStream<'static, Result<Bytes, FetchError>>;

/// What a server gives. All but the bytes is what it says, and may be wrong.
pub struct Fetched {
    /// From `Content-Type`: type and subtype in lower case, without parameters.
    pub mimetype: Option<String>,
    /// From `Content-Disposition`, else from the end of the path; no path, no control characters.
    pub filename: Option<String>,
    /// From `Content-Length`.
    pub length: Option<u64>,
    /// At most as many bytes as allowed, whatever the length says.
    pub body: Body,
}

/// Why nothing, or not all of it, was fetched; in words for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address, or that of a redirect, is not talked to.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No connection, no TLS, no HTTP, or an end in the middle.
    #[error("The address could not be reached")]
    Unreachable,
    /// Anything but 200.
    #[error("The address answered with status {0}")]
    Status(u16),
    /// More bytes than allowed, announced or arriving.
    #[error("What is at the address is too large")]
    TooLarge,
    /// Not done within the time.
    #[error("The address took too long")]
    Timeout,
    /// More redirects than are followed.
    #[error("The address redirects too often")]
    TooManyRedirects,
}

impl FetchError {
    fn from_client(error: &reqwest::Error) -> Self {
        if let Some(refused) = Refused::behind(error) {
            return Self::Refused(refused);
        }
        tracing::debug!(
            timeout = error.is_timeout(),
            connect = error.is_connect(),
            "an address of a tenant could not be reached"
        );
        if error.is_timeout() {
            Self::Timeout
        } else {
            Self::Unreachable
        }
    }
}

impl Outbound {
    /// Fetches media: follows redirects, and stops at whichever limit comes first.
    pub async fn get(&self, url: &str, limits: Limits) -> Result<Fetched, FetchError> {
        let deadline = Instant::now() + limits.timeout;
        let url = self.check_url(url, Purpose::Media)?;
        let answered = timeout_at(deadline, self.follow(url, limits.max_redirects));
        let response = answered.await.map_err(|_| FetchError::Timeout)??;

        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let length = response.content_length();
        if length.is_some_and(|length| length > limits.max_bytes) {
            return Err(FetchError::TooLarge);
        }
        let disposition = header(&response, &CONTENT_DISPOSITION);
        Ok(Fetched {
            mimetype: header(&response, &CONTENT_TYPE).and_then(|value| essence(&value)),
            filename: filename::hint(disposition.as_deref(), response.url().path()),
            length,
            body: limited(response, limits.max_bytes, deadline),
        })
    }

    /// The first answer that is no redirect.
    async fn follow(&self, mut url: Url, max_redirects: u32) -> Result<Response, FetchError> {
        for _ in 0..=max_redirects {
            let request = self
                .client
                .get(url)
                .header(ACCEPT, "*/*")
                // Packed bytes would be counted and kept as they are.
                .header(ACCEPT_ENCODING, "identity");
            let sent = request.send().await;
            let response = sent.map_err(|error| FetchError::from_client(&error))?;
            let Some(target) = redirect_of(&response) else {
                return Ok(response);
            };
            url = response
                .url()
                .join(&target)
                .map_err(|_| Refused::Malformed)?;
            self.check(&url, Purpose::Media)?;
        }
        Err(FetchError::TooManyRedirects)
    }
}

fn redirect_of(response: &Response) -> Option<String> {
    match response.status().as_u16() {
        301 | 302 | 303 | 307 | 308 => header(response, &LOCATION),
        _ => None,
    }
}

/// The header's text; some servers send UTF-8 where ASCII was meant.
fn header(response: &Response, name: &HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    std::str::from_utf8(value.as_bytes())
        .ok()
        .map(str::to_owned)
}

/// `image/png` of `Image/PNG; charset=binary`.
fn essence(value: &str) -> Option<String> {
    let essence = value.split(';').next().unwrap_or_default().trim();
    let part = |part: &str| {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
        !part.is_empty() && part.bytes().all(token)
    };
    let (kind, subtype) = essence.split_once('/')?;
    (part(kind) && part(subtype)).then(|| essence.to_ascii_lowercase())
}

/// A body on its way.
struct Arriving {
    response: Response,
    /// Bytes that may still come.
    left: u64,
    deadline: Instant,
}

impl Arriving {
    async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        let arrived = timeout_at(self.deadline, self.response.chunk()).await;
        let arrived = arrived.map_err(|_| FetchError::Timeout)?;
        let chunk = arrived.map_err(|error| FetchError::from_client(&error))?;
        if let Some(chunk) = &chunk {
            let more = self.left.checked_sub(chunk.len() as u64);
            self.left = more.ok_or(FetchError::TooLarge)?;
        }
        Ok(chunk)
    }
}

fn limited(response: Response, max_bytes: u64, deadline: Instant) -> Body {
    let arriving = Arriving {
        response,
        left: max_bytes,
        deadline,
    };
    // What failed is dropped with its connection, and nothing follows.
    stream::unfold(Some(arriving), |arriving| async {
        let mut arriving = arriving?;
        match arriving.next().await {
            Ok(chunk) => Some((Ok(chunk?), Some(arriving))),
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_reduced_to_type_and_subtype() {
        let of = |value| essence(value);
        assert_eq!(
            of("Image/PNG; charset=binary").as_deref(),
            Some("image/png")
        );
        assert_eq!(
            of(" application/vnd.ms-excel ").as_deref(),
            Some("application/vnd.ms-excel")
        );
        for wrong in ["", "image", "image/", "/png", "image/p ng", "a/b/c"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
