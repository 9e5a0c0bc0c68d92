//! What happens to every request, whatever its route.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::app::{answer, app, app_with};
use mf_http_kit::Cors;

#[tokio::test]
async fn an_unknown_route_is_a_404() {
    let app = app().await;
    for path in ["/nowhere", "/api/v2/nowhere", "/"] {
        app.get(path).await.refuses(404, "Not Found");
    }
}

#[tokio::test]
async fn a_wrong_method_is_a_405_that_names_the_right_ones() {
    let app = app().await;
    let plain = answer(app.request("PUT", "/send")).await;
    plain.refuses(405, "Method Not Allowed");
    assert_eq!(plain.header("allow"), "POST");
    let nested = answer(app.request("POST", "/api/v2/things/1")).await;
    nested.refuses(405, "Method Not Allowed");
    assert_eq!(nested.header("allow"), "GET,HEAD,DELETE");
}

#[tokio::test]
async fn a_handler_past_its_time_is_a_504() {
    app()
        .await
        .get("/slow")
        .await
        .refuses(504, "The request took too long");
}

#[tokio::test]
async fn a_500_shows_the_request_id_and_nothing_else() {
    let app = app().await;
    for path in ["/fail", "/panic", "/axum"] {
        let answer = answer(app.request("GET", path).header("x-request-id", "abc.1")).await;
        let body = r#"{"detail":"Internal Server Error","request_id":"abc.1"}"#;
        assert_eq!((answer.status, answer.text.as_str()), (500, body), "{path}");
        assert_eq!(answer.header("x-request-id"), "abc.1");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn the_server_lives_on_after_a_panic() {
    let app = app().await;
    assert_eq!(app.get("/panic").await.status, 500);
    app.get("/page").await.succeeds();
}

#[tokio::test]
async fn a_library_refusing_in_plain_text_is_translated() {
    app()
        .await
        .get("/teapot")
        .await
        .refuses(418, "I'm a teapot");
}

#[tokio::test]
async fn a_sane_request_id_is_kept() {
    let app = app().await;
    for id in ["a", "A-b_c.9", &"x".repeat(128)] {
        let request = app.request("GET", "/nowhere").header("x-request-id", id);
        assert_eq!(answer(request).await.header("x-request-id"), id);
    }
}

#[tokio::test]
async fn another_request_id_is_replaced() {
    let app = app().await;
    for id in ["", "a b", "a\"b", "é", &"x".repeat(129)] {
        let request = app.request("GET", "/page").header("x-request-id", id);
        let minted = answer(request).await.header("x-request-id").to_owned();
        assert!(
            uuid::Uuid::try_parse(&minted).is_ok(),
            "{id:?} gave {minted:?}"
        );
    }
}

#[tokio::test]
async fn no_answer_is_cached_or_sniffed() {
    for path in ["/page", "/nowhere"] {
        let answer = app().await.get(path).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_ask() {
    let app = app().await;
    let plain = app.get("/long").await;
    assert_eq!(plain.header("content-encoding"), "");
    let request = app
        .request("HEAD", "/long")
        .header("accept-encoding", "gzip");
    assert_eq!(answer(request).await.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_call_and_read_refusals() {
    let app = app().await;
    let preflight = app
        .request("OPTIONS", "/send")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-api-key,content-type");
    let preflight = answer(preflight).await;
    assert_eq!(preflight.status, 200);
    assert_eq!(
        preflight.header("access-control-allow-origin"),
        "https://app.example"
    );
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        "x-api-key,content-type"
    );

    let request = app
        .request("GET", "/panic")
        .header("origin", "https://app.example");
    let refusal = answer(request).await;
    assert_eq!(
        refusal.header("access-control-allow-origin"),
        "https://app.example"
    );
    for name in [
        "x-request-id",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "retry-after",
        "x-required-scopes",
        "idempotent-replayed",
    ] {
        assert!(
            refusal
                .header("access-control-expose-headers")
                .contains(name),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_page_of_another_origin_may_not() {
    let app = app().await;
    for origin in [
        "https://evil.example",
        "https://app.example.evil.example",
        "null",
    ] {
        let answer = answer(app.request("GET", "/page").header("origin", origin)).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
    }
    let closed = app_with(|settings| settings.cors = Cors::None).await;
    let request = closed
        .request("GET", "/page")
        .header("origin", "https://app.example");
    assert_eq!(
        answer(request).await.header("access-control-allow-origin"),
        ""
    );
}

#[tokio::test]
async fn a_sender_that_listens_only_when_done_still_hears_the_refusal() {
    let app = app().await;
    for (path, status) in [("/send", "413"), ("/nowhere", "404"), ("/page", "405")] {
        let length = 8 * 1024 * 1024;
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        let mut stream = tokio::net::TcpStream::connect(app.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; length]).await.unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(
            std::str::from_utf8(&start).unwrap(),
            format!("HTTP/1.1 {status}")
        );
    }
}
