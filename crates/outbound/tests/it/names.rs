//! Names, whose answers are judged when they are dialled.

use mf_outbound::{FetchError, Refused};

use crate::support::{Canary, Server, get, with_home};

const HI: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";

#[tokio::test]
async fn a_name_that_leads_inside_is_not_dialled() {
    let canary = Canary::on("127.0.0.2");
    for address in ["127.0.0.2", "::ffff:127.0.0.2", "10.0.0.1", "fe80::1", "::"] {
        let outbound = with_home(&[("inside.example", &[&[address]])]);
        let url = format!("http://inside.example:{}/", canary.port());
        let refused = Err(FetchError::Refused(Refused::NotPublic));
        assert_eq!(get(&outbound, &url).await, refused, "{address}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn one_bad_answer_among_good_ones_refuses_the_name() {
    let server = Server::saying(&[HI]).await;
    for answers in [
        ["127.0.0.1", "127.0.0.2"],
        ["127.0.0.2", "127.0.0.1"],
        ["127.0.0.1", "fd00::1"],
    ] {
        let outbound = with_home(&[("mixed.example", &[&answers])]);
        let url = format!("http://mixed.example:{}/", server.port());
        let refused = Err(FetchError::Refused(Refused::NotPublic));
        assert_eq!(get(&outbound, &url).await, refused, "{answers:?}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_name_that_changes_its_answer_is_refused_the_second_time() {
    let server = Server::saying(&[HI]).await;
    let canary = Canary::on("127.0.0.2");
    let outbound = with_home(&[("rebind.example", &[&["127.0.0.1"], &["127.0.0.2"]])]);
    let first = format!("http://rebind.example:{}/", server.port());
    assert_eq!(get(&outbound, &first).await.as_deref(), Ok(&b"hi"[..]));
    let second = format!("http://rebind.example:{}/", canary.port());
    let refused = Err(FetchError::Refused(Refused::NotPublic));
    assert_eq!(get(&outbound, &second).await, refused);
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_answer_during_a_redirect_is_refused() {
    let canary = Canary::on("127.0.0.2");
    let answer = format!(
        "HTTP/1.1 302 Found\r\nLocation: http://rebind.example:{}/\r\nContent-Length: 0\r\n\r\n",
        canary.port()
    );
    let server = Server::saying(&[&answer]).await;
    let outbound = with_home(&[("rebind.example", &[&["127.0.0.1"], &["127.0.0.2"]])]);
    let url = format!("http://rebind.example:{}/", server.port());
    let refused = Err(FetchError::Refused(Refused::NotPublic));
    assert_eq!(get(&outbound, &url).await, refused);
    assert_eq!(server.asked().len(), 1);
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_name_without_an_address_is_said_to_have_none() {
    let outbound = with_home(&[("empty.example", &[&[]])]);
    let unresolved = Err(FetchError::Refused(Refused::NotResolved));
    assert_eq!(get(&outbound, "http://empty.example/").await, unresolved);
    assert_eq!(get(&outbound, "http://never.example/").await, unresolved);
}
