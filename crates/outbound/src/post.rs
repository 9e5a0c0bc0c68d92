use std::io;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use rustls::CertificateError;
use tokio::time::{Instant, timeout, timeout_at};

use crate::refused::causes;
use crate::{Outbound, Purpose, Refused};

/// What an endpoint is told.
pub struct Post<'a> {
    /// Judged before anything is sent.
    pub url: &'a str,
    /// Over those that the client has by itself.
    pub headers: Vec<(&'static str, String)>,
    /// Sent as it is.
    pub body: Bytes,
}

/// How much of everything an endpoint may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Time for all of it: the name, the connection, sending, and the answer up to its last byte.
    pub timeout: Duration,
    /// Of that, for the body of the answer. Once the status is here the rest changes nothing.
    pub body_timeout: Duration,
    /// Bytes of the body that are waited for, so that the connection can be used again. More of
    /// them end it.
    pub max_read: usize,
    /// Bytes of the body that are kept.
    pub max_kept: usize,
}

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// As it came: redirects are not followed.
    pub status: u16,
    /// The time until the status was here.
    pub after: Duration,
    /// As it came.
    pub retry_after: Option<String>,
    /// The beginning of the body, as far as it came in time.
    pub body: Vec<u8>,
}

/// Why there is no answer, in words for the client. None of them says what a name resolves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The address is not talked to.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No status within the time.
    #[error("The endpoint did not answer within {} seconds", .0.as_secs_f64())]
    Timeout(Duration),
    /// Nobody took the connection, or the name has no answer yet.
    #[error("No connection could be made in time")]
    ConnectTimeout,
    /// Nothing listens there.
    #[error("The connection was refused")]
    ConnectionRefused,
    /// No way there.
    #[error("The endpoint could not be reached")]
    Unreachable,
    /// Whoever answers does not prove to be the endpoint.
    #[error(transparent)]
    Certificate(#[from] BadCertificate),
    /// Not `https`, or in a way that is not ours.
    #[error("No TLS connection could be made")]
    Tls,
    /// An end in the middle, or something else than HTTP.
    #[error("The endpoint closed the connection, or its answer was not valid HTTP")]
    NoAnswer,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCertificate {
    /// It was good once.
    #[error("The certificate has expired")]
    Expired,
    /// It is somebody else's.
    #[error("The certificate is for another host")]
    OtherHost,
    /// Signed by nobody known, revoked, not to be read, and the like.
    #[error("The certificate is not valid")]
    NotValid,
}

impl Outbound {
    /// Tells an endpoint something. An answer is one whatever its status, and is complete once
    /// the status is here: a body that is slow, endless or broken is cut off.
    pub async fn post(&self, post: Post<'_>, patience: Patience) -> Result<Answered, PostError> {
        let began = Instant::now();
        let deadline = began + patience.timeout;
        let url = self.check_url(post.url, Purpose::Webhook)?;
        let mut request = self.client.post(url).body(post.body);
        for (name, value) in post.headers {
            request = request.header(name, value);
        }
        let sent = timeout_at(deadline, request.send()).await;
        let sent = sent.map_err(|_| PostError::Timeout(patience.timeout))?;
        let mut response = sent.map_err(|error| PostError::from_client(&error))?;

        let after = began.elapsed();
        let retry_after = response.headers().get(RETRY_AFTER);
        Ok(Answered {
            status: response.status().as_u16(),
            after,
            retry_after: retry_after
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            body: read(&mut response, &patience, deadline).await,
        })
    }
}

/// The beginning of the body. Reads it to its end if that is near, since a connection whose answer
/// was not read is closed with it.
async fn read(response: &mut Response, patience: &Patience, deadline: Instant) -> Vec<u8> {
    let mut kept = Vec::new();
    let reading = async {
        let mut read = 0;
        while read <= patience.max_read
            && let Ok(Some(chunk)) = response.chunk().await
        {
            read += chunk.len();
            let wanted = patience.max_kept.saturating_sub(kept.len());
            kept.extend_from_slice(&chunk[..wanted.min(chunk.len())]);
        }
    };
    // Late or not, what came is kept.
    let _ = timeout_at(deadline, timeout(patience.body_timeout, reading)).await;
    kept
}

impl PostError {
    fn from_client(error: &reqwest::Error) -> Self {
        if let Some(refused) = Refused::behind(error) {
            return Self::Refused(refused);
        }
        if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref()) {
            return Self::from_tls(tls);
        }
        let of_io = causes(error)
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .find_map(|cause| Self::from_io(cause.kind()));
        match of_io {
            Some(error) => error,
            None if error.is_timeout() => Self::ConnectTimeout,
            None if error.is_connect() => Self::Unreachable,
            None => Self::NoAnswer,
        }
    }

    fn from_tls(error: &rustls::Error) -> Self {
        let rustls::Error::InvalidCertificate(certificate) = error else {
            return Self::Tls;
        };
        Self::Certificate(match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                BadCertificate::Expired
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                BadCertificate::OtherHost
            }
            _ => BadCertificate::NotValid,
        })
    }

    fn from_io(kind: io::ErrorKind) -> Option<Self> {
        match kind {
            io::ErrorKind::ConnectionRefused => Some(Self::ConnectionRefused),
            io::ErrorKind::TimedOut => Some(Self::ConnectTimeout),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Some(Self::Unreachable)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_apart() {
        for (error, expected) in [
            (CertificateError::Expired, BadCertificate::Expired),
            (CertificateError::NotValidForName, BadCertificate::OtherHost),
            (CertificateError::UnknownIssuer, BadCertificate::NotValid),
            (CertificateError::Revoked, BadCertificate::NotValid),
        ] {
            let error = rustls::Error::InvalidCertificate(error);
            let expected = PostError::Certificate(expected);
            assert_eq!(PostError::from_tls(&error), expected, "{error}");
        }
        assert_eq!(
            PostError::from_tls(&rustls::Error::HandshakeNotComplete),
            PostError::Tls
        );
    }
}
