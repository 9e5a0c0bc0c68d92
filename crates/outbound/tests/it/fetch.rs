//! Redirects, sizes, times, and what is said about the body.

use std::time::Duration;

use mf_outbound::{FetchError, Limits, Refused};

use crate::support::{Canary, Server, fetch, get, limits, with_home};

fn redirect(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

const HI: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";

#[tokio::test]
async fn redirects_are_followed_to_the_end() {
    let server = Server::saying(&[&redirect("/b"), &redirect("?c"), HI]).await;
    let body = get(&with_home(&[]), &server.url("/a")).await;
    assert_eq!(body.as_deref(), Ok(&b"hi"[..]));
    let asked = server.asked();
    let lines: Vec<_> = asked
        .iter()
        .filter_map(|asked| asked.lines().next())
        .collect();
    assert_eq!(
        lines,
        ["GET /a HTTP/1.1", "GET /b HTTP/1.1", "GET /b?c HTTP/1.1"]
    );
}

#[tokio::test]
async fn a_redirect_to_the_inside_is_refused() {
    let canary = Canary::on("127.0.0.2");
    let port = canary.port();
    for (to, expected) in [
        (format!("http://127.0.0.2:{port}/"), Refused::NotPublic),
        (format!("//127.0.0.2:{port}/"), Refused::NotPublic),
        (format!("http://2130706434:{port}/"), Refused::NotPublic),
        (
            format!("https://[::ffff:127.0.0.2]:{port}/"),
            Refused::NotPublic,
        ),
        (format!("http://inside.example:{port}/"), Refused::NotPublic),
        (
            format!("http://a:b@127.0.0.1:{port}/"),
            Refused::Credentials,
        ),
        ("file:///etc/passwd".to_owned(), Refused::NotHttp),
        ("http://127.0.0.1:25/".to_owned(), Refused::Port),
        ("http://[".to_owned(), Refused::Malformed),
    ] {
        let server = Server::saying(&[&redirect(&to)]).await;
        let outbound = with_home(&[("inside.example", &[&["127.0.0.2"]])]);
        let refused = Err(FetchError::Refused(expected));
        assert_eq!(get(&outbound, &server.url("/")).await, refused, "{to}");
        assert_eq!(canary.connections(), 0, "{to}");
    }
}

#[tokio::test]
async fn redirects_end_somewhere() {
    let again = redirect("/");
    let server = Server::saying(&[&again, &again, &again, &again]).await;
    let body = get(&with_home(&[]), &server.url("/")).await;
    assert_eq!(body, Err(FetchError::TooManyRedirects));
    assert_eq!(server.asked().len(), 4, "the first, and three redirects");
}

#[tokio::test]
async fn other_answers_than_200_are_named() {
    for (answer, status) in [
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 404),
        ("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 500),
        ("HTTP/1.1 204 Nothing\r\n\r\n", 204),
        ("HTTP/1.1 206 Part\r\nContent-Length: 1\r\n\r\nx", 206),
        ("HTTP/1.1 302 Nowhere\r\nContent-Length: 0\r\n\r\n", 302),
    ] {
        let server = Server::saying(&[answer]).await;
        let body = get(&with_home(&[]), &server.url("/")).await;
        assert_eq!(body, Err(FetchError::Status(status)));
    }
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_read() {
    let server = Server::saying(&["HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"]).await;
    let outbound = with_home(&[]);
    let answer = outbound.get(&server.url("/"), limits()).await;
    assert_eq!(answer.err(), Some(FetchError::TooLarge));
}

#[tokio::test]
async fn a_body_that_grows_too_large_is_cut_off() {
    let endless = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        format!("64\r\n{}\r\n", "x".repeat(100)).repeat(11)
    );
    let unbounded = format!("HTTP/1.0 200 OK\r\n\r\n{}", "x".repeat(1100));
    for answer in [&endless, &unbounded] {
        let server = Server::saying(&[answer]).await;
        let body = get(&with_home(&[]), &server.url("/")).await;
        assert_eq!(body, Err(FetchError::TooLarge));
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}",
        "x".repeat(1000)
    );
    let server = Server::saying(&[&answer]).await;
    let body = get(&with_home(&[]), &server.url("/")).await.unwrap();
    assert_eq!(body.len(), 1000);
}

#[tokio::test]
async fn what_follows_the_announced_length_is_not_taken() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, and more";
    let server = Server::saying(&[answer]).await;
    let body = get(&with_home(&[]), &server.url("/")).await;
    assert_eq!(body.as_deref(), Ok(&b"hi"[..]));
}

#[tokio::test]
async fn a_server_that_stalls_is_given_up() {
    let limits = Limits {
        timeout: Duration::from_millis(200),
        ..limits()
    };
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    ] {
        let server = Server::saying(&[answer]).await;
        let body = fetch(&with_home(&[]), &server.url("/"), limits).await;
        assert_eq!(body, Err(FetchError::Timeout), "{answer}");
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_unreachable() {
    let free = {
        let server = Canary::on("127.0.0.1");
        server.port()
    };
    let body = get(&with_home(&[]), &format!("http://127.0.0.1:{free}/")).await;
    assert_eq!(body, Err(FetchError::Unreachable));
}

#[tokio::test]
async fn a_server_that_does_not_speak_http_is_unreachable() {
    let server = Server::saying(&["SSH-2.0-OpenSSH_9.2\r\n\r\n"]).await;
    let body = get(&with_home(&[]), &server.url("/")).await;
    assert_eq!(body, Err(FetchError::Unreachable));
}

#[tokio::test]
async fn type_name_and_length_are_passed_on() {
    let server = Server::saying(&["HTTP/1.1 200 OK\r\n\
         Content-Type: Image/PNG; charset=binary\r\n\
         Content-Disposition: attachment; filename=\"../a.png\"\r\n\
         Content-Length: 2\r\n\r\nhi"])
    .await;
    let fetched = with_home(&[]).get(&server.url("/b.png"), limits()).await;
    let fetched = fetched.ok().unwrap();
    assert_eq!(fetched.mimetype.as_deref(), Some("image/png"));
    assert_eq!(fetched.filename.as_deref(), Some("a.png"));
    assert_eq!(fetched.length, Some(2));
}

#[tokio::test]
async fn the_name_is_that_of_where_a_redirect_ends() {
    let server = Server::saying(&[&redirect("/files/r%C3%A9sum%C3%A9.pdf?x=/y"), HI]).await;
    let fetched = with_home(&[]).get(&server.url("/go"), limits()).await;
    let fetched = fetched.ok().unwrap();
    assert_eq!(fetched.filename.as_deref(), Some("résumé.pdf"));
}

#[tokio::test]
async fn the_server_hears_who_asks_and_no_more() {
    let server = Server::saying(&[&redirect("/b"), HI]).await;
    get(&with_home(&[]), &server.url("/a?secret=1"))
        .await
        .unwrap();
    let asked = server.asked().join("").to_ascii_lowercase();
    assert!(asked.contains("user-agent: moltflow-test\r\n"));
    assert!(!asked.contains("referer"));
    assert!(!asked.contains("cookie"));
}
