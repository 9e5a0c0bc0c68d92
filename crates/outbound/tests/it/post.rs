//! Telling an endpoint something, and whatever it makes of it.

use std::future::pending;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use mf_outbound::{
    Answered, BadCertificate, Lookup, Outbound, Patience, Policy, Post, PostError, Refused,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::endpoint::Endpoint;
use crate::support::{Canary, LONG, Names, outbound, with_home};

const HI: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/// Longer than anything here takes, and short for bodies that do not end.
const PATIENCE: Patience = Patience {
    timeout: LONG,
    body_timeout: Duration::from_millis(50),
    max_read: 1000,
    max_kept: 10,
};

/// Long for bodies as well, so that it is never the time that ends them.
const PATIENT: Patience = Patience {
    body_timeout: LONG,
    ..PATIENCE
};

const IMPATIENT: Patience = Patience {
    timeout: Duration::from_millis(50),
    ..PATIENCE
};

/// 127.0.0.1 counts as the internet, and http will do.
fn at_home() -> Outbound {
    let policy = Policy {
        allow_http: true,
        allow_networks: vec!["127.0.0.1/32".parse().unwrap()],
        ..Policy::default()
    };
    let names: &[(&str, &[&[&str]])] = &[("home.example", &[&["127.0.0.1"]])];
    outbound(policy, Names::of(names))
}

async fn post(outbound: &Outbound, url: &str, patience: Patience) -> Result<Answered, PostError> {
    let post = Post {
        url,
        headers: vec![("webhook-id", "evt_1".to_owned())],
        body: Bytes::from_static(b"{\"a\":1}"),
    };
    outbound.post(post, patience).await
}

fn body(answered: &Result<Answered, PostError>) -> &str {
    std::str::from_utf8(&answered.as_ref().unwrap().body).unwrap()
}

#[tokio::test]
async fn an_endpoint_gets_exactly_the_bytes_and_the_headers() {
    let endpoint = Endpoint::saying(&[HI]).await;
    let answered = post(&at_home(), &endpoint.url(), PATIENT).await;
    assert_eq!(answered.as_ref().unwrap().status, 200);
    assert_eq!(body(&answered), "hi");
    let asked = endpoint.asked();
    assert!(asked[0].starts_with("POST / HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].contains("\r\nwebhook-id: evt_1\r\n"), "{asked:?}");
    assert!(asked[0].ends_with("\r\n\r\n{\"a\":1}"), "{asked:?}");
}

#[tokio::test]
async fn any_status_is_an_answer() {
    for (status, retry_after) in [(204, None), (410, None), (503, Some("120"))] {
        let header = retry_after.map_or(String::new(), |text| format!("Retry-After: {text}\r\n"));
        let answer = format!("HTTP/1.1 {status} Well\r\n{header}Content-Length: 0\r\n\r\n");
        let endpoint = Endpoint::saying(&[&answer]).await;
        let answered = post(&at_home(), &endpoint.url(), PATIENT).await.unwrap();
        assert_eq!(answered.status, status);
        assert_eq!(answered.retry_after.as_deref(), retry_after);
        assert_eq!(answered.body, b"");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let canary = Canary::on("127.0.0.1");
    let answer = format!(
        "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:{}/\r\nContent-Length: 0\r\n\r\n",
        canary.port()
    );
    let endpoint = Endpoint::saying(&[&answer]).await;
    let answered = post(&at_home(), &endpoint.url(), PATIENT).await;
    assert_eq!(answered.unwrap().status, 307);
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_body_that_dribbles_does_not_undo_the_status() {
    let endpoint =
        Endpoint::saying(&["HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nso far"]).await;
    let answered = post(&at_home(), &endpoint.url(), PATIENCE).await;
    assert_eq!(answered.as_ref().unwrap().status, 200);
    assert_eq!(body(&answered), "so far");
}

#[tokio::test]
async fn a_body_that_breaks_does_not_undo_the_status() {
    let broken = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n";
    let endpoint = Endpoint::saying(&[broken]).await;
    let answered = post(&at_home(), &endpoint.url(), PATIENT).await;
    assert_eq!(answered.as_ref().unwrap().status, 200);
    assert_eq!(body(&answered), "abc");
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_off() {
    let endpoint = Endpoint::without_end("HTTP/1.1 200 OK\r\n\r\n").await;
    let answered = post(&at_home(), &endpoint.url(), PATIENT).await;
    assert_eq!(body(&answered), "xxxxxxxxxx");
    // The endpoint notices.
    endpoint.ended().await;
}

#[tokio::test]
async fn a_connection_serves_again_when_its_answer_was_short() {
    let endpoint = Endpoint::saying(&[HI, HI, HI]).await;
    let outbound = at_home();
    for _ in 0..3 {
        let answered = post(&outbound, &endpoint.url(), PATIENT).await;
        assert_eq!(body(&answered), "hi");
    }
    assert_eq!(endpoint.connections(), 1);
}

#[tokio::test]
async fn a_connection_with_much_left_to_read_is_not_used_again() {
    let rest = "x".repeat(1_000_000);
    let long = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{rest}");
    let endpoint = Endpoint::saying(&[&long, HI]).await;
    let outbound = at_home();
    for expected in ["xxxxxxxxxx", "hi"] {
        let answered = post(&outbound, &endpoint.url(), PATIENT).await;
        assert_eq!(body(&answered), expected);
    }
    assert_eq!(endpoint.connections(), 2);
}

#[tokio::test]
async fn an_endpoint_that_says_nothing_is_given_up() {
    let endpoint = Endpoint::saying(&[""]).await;
    let answered = post(&at_home(), &endpoint.url(), IMPATIENT).await;
    assert_eq!(answered, Err(PostError::Timeout(IMPATIENT.timeout)));
}

/// Names that are looked up for ever.
struct Never;

#[async_trait]
impl Lookup for Never {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        pending().await
    }
}

#[tokio::test]
async fn a_name_that_is_looked_up_for_ever_is_given_up() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let with = |connect_timeout| {
        let names = Arc::new(Never);
        Outbound::with_lookup(Policy::default(), "test", connect_timeout, names).unwrap()
    };
    let url = "https://slow.example/";
    let answered = post(&with(LONG), url, IMPATIENT).await;
    assert_eq!(answered, Err(PostError::Timeout(IMPATIENT.timeout)));
    let answered = post(&with(Duration::from_millis(50)), url, PATIENT).await;
    assert_eq!(answered, Err(PostError::ConnectTimeout));
}

#[tokio::test]
async fn a_port_where_nobody_listens_refuses() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let answered = post(&at_home(), &url, PATIENT).await;
    assert_eq!(answered, Err(PostError::ConnectionRefused));
}

#[tokio::test]
async fn an_end_without_an_answer_is_none_and_neither_is_nonsense() {
    for said in ["", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200"] {
        let endpoint = Endpoint::hanging_up_after(said).await;
        let answered = post(&at_home(), &endpoint.url(), PATIENT).await;
        assert_eq!(answered, Err(PostError::NoAnswer), "{said}");
    }
}

#[tokio::test]
async fn an_endpoint_without_tls_is_not_told_over_https() {
    let endpoint = Endpoint::hanging_up_after("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let url = endpoint.url().replace("http:", "https:");
    let answered = post(&at_home(), &url, PATIENT).await;
    assert_eq!(answered, Err(PostError::Tls));
}

#[tokio::test]
async fn an_endpoint_that_vouches_for_itself_is_not_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("https://home.example:{port}/");
    let outbound = at_home();
    let (handshake, answered) = tokio::join!(
        async {
            let (stream, _) = listener.accept().await.unwrap();
            self_signed().accept(stream).await.map(drop)
        },
        post(&outbound, &url, PATIENT)
    );
    let not_valid = PostError::Certificate(BadCertificate::NotValid);
    assert_eq!(answered, Err(not_valid));
    assert!(handshake.is_err());
}

/// With a certificate for `home.example` and its key, which is good for nothing else.
fn self_signed() -> TlsAcceptor {
    let certificate = CertificateDer::from(&include_bytes!("tls/certificate.der")[..]);
    let key = PrivateKeyDer::try_from(&include_bytes!("tls/key.der")[..]).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn an_address_inside_is_judged_by_what_is_written_and_by_what_it_resolves_to() {
    let canary = Canary::on("127.0.0.2");
    let outbound = with_home(&[("inside.example", &[&["127.0.0.2"]])]);
    for host in ["127.0.0.2", "inside.example"] {
        let url = format!("https://{host}:{}/", canary.port());
        let answered = post(&outbound, &url, PATIENT).await;
        let refused = Err(PostError::Refused(Refused::NotPublic));
        assert_eq!(answered, refused, "{host}");
    }
    assert_eq!(canary.connections(), 0);
}

#[test]
fn what_went_wrong_is_said_in_a_sentence_without_what_was_resolved() {
    let seconds = PostError::Timeout(Duration::from_secs(15));
    assert_eq!(
        seconds.to_string(),
        "The endpoint did not answer within 15 seconds"
    );
    let refused = PostError::Refused(Refused::NotPublic);
    assert_eq!(refused.to_string(), "The address is not public");
}
