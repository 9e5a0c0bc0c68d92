use std::sync::Arc;

use chrono::TimeDelta;
use mf_domain::{Ids, SystemClock};
use mf_outbound::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;
use crate::OsEntropy;
use crate::webhooks::signature::WebhookSecret;

/// Longer than anything here takes, and short for bodies that do not end.
const QUICK: Patience = Patience {
    timeout: Duration::from_secs(30),
    body_timeout: Duration::from_millis(50),
    ..PATIENCE
};

fn outbound() -> Outbound {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let policy = Policy {
        allow_loopback: true,
        ..Policy::default()
    };
    Outbound::new(policy, "test", QUICK.timeout).unwrap()
}

fn signing() -> Signing {
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(OsEntropy));
    Signing {
        current: WebhookSecret::generate(&ids),
        previous: None,
    }
}

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_287_600, 0).unwrap()
}

async fn told(url: &str, patience: Patience) -> Attempted {
    let attempt = Attempt {
        url,
        signing: &signing(),
        event_id: "019aa0c0-0000-7000-8000-000000000001",
        event_name: "message.received",
        body: Bytes::from_static(b"{}"),
        at: at(),
    };
    attempt_within(&outbound(), attempt, patience).await
}

/// Takes one request, and answers as told. Says what it was asked.
async fn endpoint(answer: Vec<u8>) -> (String, oneshot::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (heard, asked) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"{}") {
            assert!(stream.read_buf(&mut request).await.unwrap() > 0);
        }
        let _ = heard.send(String::from_utf8(request).unwrap());
        stream.write_all(&answer).await.unwrap();
        // Until the other side has had enough.
        let _ = stream.read_u8().await;
    });
    (url, asked)
}

async fn answered(answer: impl Into<Vec<u8>>) -> Attempted {
    let (url, _asked) = endpoint(answer.into()).await;
    told(&url, QUICK).await
}

/// A whole answer.
fn with_body(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn an_endpoint_gets_the_envelope_signed() {
    let (url, asked) = endpoint(with_body("204 No Content", b"")).await;
    let attempted = told(&url, QUICK).await;
    assert!(attempted.success);
    assert_eq!(attempted.status_code, Some(204));
    assert_eq!((attempted.error, attempted.response), (None, None));
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("POST /hook HTTP/1.1\r\n"), "{asked}");
    for header in [
        "content-type: application/json",
        "user-agent: MoltFlow-Webhooks/",
        "x-webhook-event: message.received",
        "x-webhook-timestamp: 1795287600",
        "x-webhook-signature: ",
        "webhook-id: 019aa0c0-0000-7000-8000-000000000001",
        "webhook-timestamp: 1795287600",
        "webhook-signature: v1,",
    ] {
        let count = asked.matches(&format!("\r\n{header}")).count();
        assert_eq!(count, 1, "{header} in {asked}");
    }
}

#[tokio::test]
async fn statuses_are_told_in_sentences() {
    for (status, success, gone, error) in [
        (200, true, false, None),
        (202, true, false, None),
        (
            302,
            false,
            false,
            Some("The endpoint answered 302: redirects are not followed"),
        ),
        (404, false, false, Some("The endpoint answered 404")),
        (410, false, true, Some("The endpoint answered 410")),
        (500, false, false, Some("The endpoint answered 500")),
    ] {
        let attempted = answered(with_body(&format!("{status} X"), b"said")).await;
        assert_eq!(attempted.status_code, Some(status));
        assert_eq!(attempted.success, success, "{status}");
        assert_eq!(attempted.gone, gone, "{status}");
        assert_eq!(attempted.error.as_deref(), error, "{status}");
        assert_eq!(attempted.response.as_deref(), Some("said"), "{status}");
        assert_eq!(attempted.retry_after, None, "{status}");
    }
}

#[tokio::test]
async fn an_event_has_arrived_although_the_answer_never_ends() {
    let attempted = answered("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nso far").await;
    assert!(attempted.success);
    assert_eq!(attempted.error, None);
    assert_eq!(attempted.response.as_deref(), Some("so far"));
}

#[tokio::test]
async fn a_status_that_does_not_come_is_a_failure() {
    let (url, _asked) = endpoint(Vec::new()).await;
    let patience = Patience {
        timeout: Duration::from_millis(50),
        ..QUICK
    };
    let attempted = told(&url, patience).await;
    assert!(!attempted.success);
    assert_eq!(attempted.status_code, None);
    assert!(attempted.latency >= patience.timeout);
    let error = attempted.error.unwrap();
    assert_eq!(error, "The endpoint did not answer within 0.05 seconds");
}

#[tokio::test]
async fn an_address_that_is_not_public_is_not_tried() {
    for (url, error) in [
        ("https://10.0.0.1/", "The address is not public"),
        ("http://example.com/", "Only https addresses are accepted"),
    ] {
        let attempted = told(url, QUICK).await;
        assert!(!attempted.success);
        assert_eq!(attempted.error.as_deref(), Some(error));
    }
}

#[tokio::test]
async fn an_endpoint_that_is_busy_says_for_how_long() {
    for (status, expected) in [(429, Some(120)), (503, Some(120)), (500, None), (200, None)] {
        let answer =
            format!("HTTP/1.1 {status} X\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n");
        let attempted = answered(answer).await;
        let expected = expected.map(Duration::from_secs);
        assert_eq!(attempted.retry_after, expected, "{status}");
    }
}

#[test]
fn a_wait_is_in_seconds_or_until_a_date_and_never_longer_than_a_day() {
    let day = 24 * 60 * 60;
    for (text, expected) in [
        ("0", Some(0)),
        (" 17 ", Some(17)),
        ("99999999", Some(day)),
        ("Sat, 21 Nov 2026 19:01:00 GMT", Some(60)),
        ("Sat, 21 Nov 2026 18:59:00 GMT", Some(0)),
        ("Sun, 21 Nov 2027 19:00:00 GMT", Some(day)),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
    ] {
        let expected = expected.map(Duration::from_secs);
        assert_eq!(wait(text, at()), expected, "{text}");
    }
    let later = at() + TimeDelta::seconds(10);
    let until = "Sat, 21 Nov 2026 19:01:00 GMT";
    assert_eq!(wait(until, later), Some(Duration::from_secs(50)));
}

#[tokio::test]
async fn the_first_kibibyte_of_an_answer_is_kept() {
    let attempted = answered(with_body("500 X", &vec![b'x'; 70_000])).await;
    assert_eq!(attempted.response.unwrap(), "x".repeat(1024));
    // No half of a character, where one crosses the border.
    let attempted = answered(with_body("500 X", "世".repeat(400).as_bytes())).await;
    assert_eq!(attempted.response.unwrap(), "世".repeat(341));
}

#[test]
fn what_is_kept_is_text_that_the_database_takes() {
    assert_eq!(shown(b""), None);
    assert_eq!(shown(b"a\0b\xffc").as_deref(), Some("a\u{fffd}b\u{fffd}c"));
    assert!(shown(&[0xff; 1027]).unwrap().len() <= SHOWN);
}

#[test]
fn an_attempt_takes_fifteen_seconds_at_the_most() {
    assert_eq!(PATIENCE.timeout, Duration::from_secs(15));
    assert_eq!(
        PostError::Timeout(PATIENCE.timeout).to_string(),
        "The endpoint did not answer within 15 seconds"
    );
}
