//! Files: out to WhatsApp byte for byte, and in from it for a while.

use axum::Router;
use axum::routing::get;
use mf_waha_sim::{Config, Dialect, Inbound, InboundContent as Content, MediaDrop, MediaFile};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::support::{FRIEND, KEY, Waha, heard, keeping, parts, soon, waha, waha_with};

const ENGINES: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];
/// Of the five bytes `hello`.
const SUM: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

async fn working(engine: Dialect) -> Waha {
    let waha = waha(engine).await;
    waha.working("main", heard(keeping()).await).await;
    waha
}

fn hello(mimetype: &str) -> Value {
    json!({
        "session": "main", "chatId": FRIEND, "caption": "look",
        "file": {"mimetype": mimetype, "filename": "a.bin", "data": "aGVsbG8="},
    })
}

fn image() -> Inbound {
    Inbound::of(
        FRIEND,
        Content::Image(MediaFile::new("image/png", *b"hello")),
    )
}

/// The path behind a file's address.
fn path(media: &Value) -> String {
    let url = media["url"].as_str().unwrap();
    url.strip_prefix("http://localhost:3000")
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn each_kind_of_file_arrives_byte_for_byte() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let sends = [
            ("/api/sendImage", "image/png", "image", "look"),
            ("/api/sendFile", "application/pdf", "document", "look"),
            ("/api/sendVoice", "audio/ogg; codecs=opus", "voice", ""),
            ("/api/sendVideo", "video/mp4", "video", "look"),
            ("/api/sendVideo", "image/gif", "gif", "look"),
        ];
        for (route, mimetype, kind, caption) in sends {
            let (status, _) = waha.post(route, hello(mimetype)).await;
            assert_eq!(status, 201, "{engine} {route}");
            let sent = waha.sim.sent("main").pop().unwrap();
            assert_eq!((sent.kind.as_str(), sent.text.as_str()), (kind, caption));
            assert_eq!(sent.media_sha256.as_deref(), Some(SUM));
            assert_eq!(sent.media_size, Some(5));
            assert_eq!(sent.mimetype.as_deref(), Some(mimetype));
            assert_eq!(sent.filename.as_deref(), Some("a.bin"));
        }
    }
}

#[tokio::test]
async fn a_video_can_be_a_note_and_what_is_converted_says_so() {
    let waha = working(Dialect::Noweb).await;
    let mut body = hello("video/webm");
    body["asNote"] = json!(true);
    body["convert"] = json!(true);
    assert_eq!(waha.post("/api/sendVideo", body).await.0, 201);
    let sent = waha.sim.sent("main").pop().unwrap();
    assert_eq!(sent.kind, "video_note");
    assert_eq!(sent.mimetype.as_deref(), Some("video/mp4"));
    assert_eq!(sent.payload, json!({"converted": true}));
}

#[tokio::test]
async fn answers_to_files_differ_as_those_to_texts_do() {
    let waha = working(Dialect::Noweb).await;
    let (_, body) = waha.post("/api/sendImage", hello("image/png")).await;
    assert_eq!(body["message"]["imageMessage"]["caption"], "look");
    assert_eq!(body["status"], "PENDING");
    let waha = working(Dialect::Gows).await;
    let (_, body) = waha.post("/api/sendImage", hello("image/png")).await;
    assert!(body["id"].as_str().unwrap().starts_with("true_"), "{body}");
    let waha = working(Dialect::Webjs).await;
    let (_, body) = waha.post("/api/sendImage", hello("image/png")).await;
    assert_eq!(
        (&body["type"], &body["hasMedia"]),
        (&json!("image"), &json!(true))
    );
}

#[tokio::test]
async fn files_take_no_id_from_the_caller_on_any_engine() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let mut body = hello("image/png");
        body["id"] = json!("3EB0AA");
        waha.post("/api/sendImage", body.clone()).await;
        waha.post("/api/sendImage", body).await;
        let sent = waha.sim.sent("main");
        assert_eq!(sent.len(), 2, "{engine}");
        assert!(sent.iter().all(|sent| sent.id != "3EB0AA"));
    }
}

#[tokio::test]
async fn stickers_are_sent_by_later_versions_and_only_as_webp() {
    let old = working(Dialect::Noweb).await;
    let (status, body) = old.post("/api/sendSticker", hello("image/webp")).await;
    assert_eq!(
        (status, &body["message"]),
        (404, &json!("Cannot POST /api/sendSticker"))
    );
    for engine in ENGINES {
        let waha = waha_with(Config {
            engine,
            version: "2026.8.2".to_owned(),
            ..Config::quick(KEY)
        })
        .await;
        waha.working("main", json!({})).await;
        let (status, _) = waha.post("/api/sendSticker", hello("image/png")).await;
        assert_eq!(status, 422);
        assert!(waha.sim.sent("main").is_empty());
        assert_eq!(
            waha.post("/api/sendSticker", hello("image/webp")).await.0,
            201
        );
        assert_eq!(waha.sim.sent("main")[0].kind, "sticker");
    }
}

/// A server with one file, at the returned address.
async fn elsewhere() -> String {
    let router = Router::new().route("/file", get(async || "hello"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    base
}

#[tokio::test]
async fn a_file_given_by_its_address_is_fetched_and_one_that_is_not_there_is_an_error() {
    let base = elsewhere().await;
    let waha = working(Dialect::Gows).await;
    let body = |path: &str| {
        json!({
            "session": "main", "chatId": FRIEND,
            "file": {"mimetype": "text/plain", "url": format!("{base}{path}")},
        })
    };
    assert_eq!(waha.post("/api/sendFile", body("/file")).await.0, 201);
    assert_eq!(waha.sim.sent("main")[0].media_sha256.as_deref(), Some(SUM));
    let (status, answer) = waha.post("/api/sendFile", body("/missing")).await;
    assert_eq!(status, 500);
    let message = &answer["exception"]["message"];
    assert_eq!(message, "Request failed with status code 404");
    let (status, _) = waha
        .post(
            "/api/sendFile",
            json!({"session": "main", "chatId": FRIEND}),
        )
        .await;
    assert_eq!(status, 500);
    assert_eq!(waha.sim.sent("main").len(), 1);
}

#[tokio::test]
async fn a_body_of_more_than_two_megabytes_is_taken() {
    let waha = working(Dialect::Noweb).await;
    let mut body = hello("application/pdf");
    body["file"]["data"] = json!("AAAA".repeat(1_000_000));
    assert_eq!(waha.post("/api/sendFile", body).await.0, 201);
    assert_eq!(waha.sim.sent("main")[0].media_size, Some(3_000_000));
}

#[tokio::test]
async fn what_comes_in_can_be_fetched_with_the_key_by_header_or_query() {
    for engine in ENGINES {
        let waha = working(engine).await;
        waha.sim.inbound("main", image()).await.unwrap();
        let told = waha.event("message.any", |_| true).await;
        assert_eq!(told["media"]["mimetype"], "image/png");
        assert_eq!(told["media"]["error"], Value::Null);
        let path = path(&told["media"]);
        let response = waha.call(Method::GET, &path, None).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "image/png");
        assert_eq!(&response.bytes().await.unwrap()[..], b"hello");
        let url = |query: &str| format!("{}{path}{query}", waha.base);
        let by_query = waha.http.get(url(&format!("?x-api-key={KEY}"))).send();
        assert_eq!(soon(by_query).await.unwrap().status(), 200);
        let without = soon(waha.http.get(url("")).send()).await.unwrap();
        assert_eq!(without.status(), 401);
    }
}

#[tokio::test]
async fn a_file_whose_time_is_over_is_gone_until_the_message_is_asked_for() {
    let waha = working(Dialect::Gows).await;
    let shown = waha.sim.inbound("main", image()).await.unwrap();
    let first = path(&shown["media"]);
    assert_eq!(waha.post("/sim/files/expire", json!({})).await.0, 200);
    let (status, body) = waha.get(&first).await;
    assert_eq!(status, 404);
    assert_eq!(body["error"]["code"], 404);
    assert_eq!(body["error"]["key"], "FILE_NOT_FOUND");
    let id = shown["id"].as_str().unwrap().replace('@', "%40");
    let message = format!("/api/main/chats/15550000002%40c.us/messages/{id}");
    let (_, without) = waha.get(&format!("{message}?downloadMedia=false")).await;
    assert_eq!(
        (&without["hasMedia"], &without["media"]),
        (&json!(true), &Value::Null)
    );
    let (_, again) = waha.get(&message).await;
    let second = path(&again["media"]);
    assert_ne!(first, second);
    let response = waha.call(Method::GET, &second, None).await;
    assert_eq!(&response.bytes().await.unwrap()[..], b"hello");
}

#[tokio::test]
async fn a_file_is_gone_when_its_lifetime_is_over() {
    let waha = waha_with(Config {
        files_lifetime: Some(std::time::Duration::ZERO),
        base_url: "https://waha.example.com/".to_owned(),
        ..Config::quick(KEY)
    })
    .await;
    waha.working("main", json!({})).await;
    let shown = waha.sim.inbound("main", image()).await.unwrap();
    let url = shown["media"]["url"].as_str().unwrap();
    let path = url.strip_prefix("https://waha.example.com").unwrap();
    assert_eq!(waha.get(path).await.0, 404);
}

#[tokio::test]
async fn lists_download_unless_told_not_to() {
    let waha = working(Dialect::Noweb).await;
    waha.sim.inbound("main", image()).await.unwrap();
    let list = "/api/main/chats/15550000002%40c.us/messages?limit=1";
    let (_, body) = waha.get(list).await;
    assert!(body[0]["media"]["url"].is_string());
    let (_, body) = waha.get(&format!("{list}&downloadMedia=false")).await;
    assert_eq!(body[0]["media"], Value::Null);
    let later = waha_with(Config {
        version: "2026.8.2".to_owned(),
        ..Config::quick(KEY)
    })
    .await;
    later.working("main", keeping()).await;
    later.sim.inbound("main", image()).await.unwrap();
    let (_, body) = later.get(&format!("{list}&downloadMedia=false")).await;
    let media = &body[0]["media"];
    assert_eq!(
        (&media["url"], &media["mimetype"]),
        (&Value::Null, &json!("image/png"))
    );
}

#[tokio::test]
async fn a_download_that_fails_at_first_works_when_the_message_is_asked_for() {
    let waha = working(Dialect::Gows).await;
    let order = json!({"dropped": "at_first"});
    assert_eq!(waha.post("/sim/media", order).await.0, 200);
    let shown = waha.sim.inbound("main", image()).await.unwrap();
    assert_eq!(
        (&shown["hasMedia"], &shown["media"]["url"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(shown["media"]["error"]["code"], 13);
    let id = shown["id"].as_str().unwrap().replace('@', "%40");
    let message = format!("/api/main/chats/15550000002%40c.us/messages/{id}");
    let (_, body) = waha.get(&message).await;
    assert!(body["media"]["url"].is_string());

    waha.sim.set_media_dropped(MediaDrop::Always);
    let (_, body) = waha.get(&message).await;
    assert!(body["media"]["error"].is_object());

    waha.sim.set_media_dropped(MediaDrop::Next(2));
    for works in [false, false, true] {
        let (_, body) = waha.get(&message).await;
        assert_eq!(body["media"]["url"].is_string(), works);
    }
}

#[tokio::test]
async fn conversion_gives_the_bytes_back_under_another_type_and_owns_up_to_it() {
    let waha = working(Dialect::Noweb).await;
    let given = json!({"data": "aGVsbG8="});
    let binary = waha
        .call(Method::POST, "/api/main/media/convert/voice", Some(&given))
        .await;
    assert_eq!(binary.status(), 201);
    assert_eq!(binary.headers()["content-type"], "audio/ogg; codecs=opus");
    assert_eq!(binary.headers()["x-waha-sim-converted"], "no");
    assert_eq!(&binary.bytes().await.unwrap()[..], b"hello");
    let url = format!("{}/api/main/media/convert/video", waha.base);
    let request = waha.http.post(url).header("X-Api-Key", KEY);
    let answer = request
        .header("accept", "application/json")
        .json(&given)
        .send();
    let (status, body) = parts(soon(answer).await.unwrap()).await;
    assert_eq!(status, 201);
    assert_eq!(body, json!({"mimetype": "video/mp4", "data": "aGVsbG8="}));
    assert_eq!(
        waha.post("/api/main/media/convert/video", json!({}))
            .await
            .0,
        400
    );
}
