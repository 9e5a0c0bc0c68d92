//! What purpose and operator decide.

use std::process::Command;

use mf_outbound::{Policy, Purpose, Refused};
use reqwest::Method;

use crate::support::{Canary, Names, Server, get, outbound, strict, with_home};

#[test]
fn webhooks_go_to_https_and_media_may_come_over_http() {
    let outbound = strict();
    let check = |url: &str, purpose| outbound.check_url(url, purpose).err();
    assert_eq!(check("http://example.com/", Purpose::Media), None);
    assert_eq!(
        check("http://example.com/", Purpose::Webhook),
        Some(Refused::NotHttps)
    );
    assert_eq!(
        check("data:text/plain,x", Purpose::Webhook),
        Some(Refused::NotHttps)
    );
    assert_eq!(
        check("file:///etc/passwd", Purpose::Media),
        Some(Refused::NotHttp)
    );
}

#[test]
fn the_operator_may_allow_http_for_webhooks() {
    let policy = Policy {
        allow_http: true,
        ..Policy::default()
    };
    let outbound = outbound(policy, Names::of(&[]));
    let check = |url: &str| outbound.check_url(url, Purpose::Webhook).err();
    assert_eq!(check("http://example.com/"), None);
    assert_eq!(check("http://10.0.0.1/"), Some(Refused::NotPublic));
}

#[test]
fn ports_where_no_site_is_are_refused() {
    let outbound = strict();
    for url in [
        "https://example.com:25/",
        "http://example.com:6667/",
        "http://example.com:0/",
    ] {
        assert_eq!(
            outbound.check_url(url, Purpose::Media),
            Err(Refused::Port),
            "{url}"
        );
    }
}

#[tokio::test]
async fn localhost_is_reached_where_loopback_is_allowed() {
    let server = Server::saying(&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"]).await;
    let policy = Policy {
        allow_loopback: true,
        ..Policy::default()
    };
    let names = Names::of(&[("localhost", &[&["127.0.0.1"]])]);
    let url = format!("http://localhost:{}/", server.port());
    let body = get(&outbound(policy, names), &url).await;
    assert_eq!(body.as_deref(), Ok(&b"hi"[..]));
}

#[tokio::test]
async fn a_request_of_ones_own_is_judged_twice_as_well() {
    let canary = Canary::on("127.0.0.2");
    let outbound = with_home(&[("inside.example", &[&["127.0.0.2"]])]);
    let literal = format!("https://127.0.0.2:{}/", canary.port());
    let refused = outbound.request(Method::POST, &literal, Purpose::Webhook);
    assert_eq!(refused.err(), Some(Refused::NotPublic));

    let named = format!("https://inside.example:{}/", canary.port());
    let request = outbound.request(Method::POST, &named, Purpose::Webhook);
    let error = request.unwrap().body("x").send().await.unwrap_err();
    assert_eq!(Refused::behind(&error), Some(Refused::NotPublic));
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_request_of_ones_own_follows_no_redirect() {
    let canary = Canary::on("127.0.0.1");
    let answer = format!(
        "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:{}/\r\nContent-Length: 0\r\n\r\n",
        canary.port()
    );
    let server = Server::saying(&[&answer]).await;
    let request = with_home(&[]).request(Method::POST, &server.url("/"), Purpose::Media);
    let response = request.unwrap().body("x").send().await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(canary.connections(), 0);
}

/// What the next test has done in a process of its own, since the environment is read there.
#[tokio::test]
async fn an_allowed_name_is_dialled_directly() {
    let server = Server::saying(&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"]).await;
    let outbound = with_home(&[("home.example", &[&["127.0.0.1"]])]);
    let url = format!("http://home.example:{}/", server.port());
    assert_eq!(get(&outbound, &url).await.as_deref(), Ok(&b"hi"[..]));
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let proxy = Canary::on("127.0.0.1");
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "policy::an_allowed_name_is_dialled_directly"]);
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ] {
        child.env(name, &url);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}");
    assert_eq!(proxy.connections(), 0);
}
