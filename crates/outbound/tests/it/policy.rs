//! What purpose and operator decide.

use std::process::Command;

use mf_outbound::{Outbound, Policy, Purpose, Refused};

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
fn webhooks_go_to_this_machine_over_http_where_loopback_is_allowed() {
    let policy = Policy {
        allow_loopback: true,
        ..Policy::default()
    };
    let alone = outbound(policy, Names::of(&[]));
    let check = |outbound: &Outbound, url: &str| outbound.check_url(url, Purpose::Webhook).err();
    for host in [
        "127.0.0.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "LOCALHOST.",
        "hook.localhost",
    ] {
        let url = format!("http://{host}:5000/");
        assert_eq!(check(&alone, &url), None, "{url}");
        assert_eq!(check(&strict(), &url), Some(Refused::NotHttps), "{url}");
    }
    for host in [
        "example.com",
        "8.8.8.8",
        "10.0.0.1",
        "localhost.example.com",
        "[::ffff:8.8.8.8]",
    ] {
        let url = format!("http://{host}/");
        assert_eq!(check(&alone, &url), Some(Refused::NotHttps), "{url}");
    }
}

#[test]
fn a_network_that_is_allowed_is_no_leave_for_http() {
    let url = "http://127.0.0.1/";
    let refused = with_home(&[]).check_url(url, Purpose::Webhook);
    assert_eq!(refused, Err(Refused::NotHttps));
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
