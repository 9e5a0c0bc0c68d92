use base64::{Engine as _, engine::general_purpose::STANDARD};
use mf_waha_sim::{Inbound, InboundContent, MediaFile};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, EventStream, Form, Session, TestApp, samples};

const FRIEND: &str = "15550000002@c.us";

/// More than a chunk of any kind, no part like another, and well worth compressing.
fn story() -> Vec<u8> {
    (0..40_000)
        .flat_map(|line| format!("line {line}\n").into_bytes())
        .collect()
}

/// A file comes in. Gives what clients are told of it.
async fn receive(
    app: &TestApp,
    session: &Session,
    events: &mut EventStream,
    content: InboundContent,
) -> Value {
    let inbound = Inbound::of(FRIEND, content);
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    events.named("message.received").await.data()["media"].clone()
}

async fn read(client: &Client, media: &Value, headers: &[(&str, &str)]) -> Answer {
    let path = format!("/media/{}", media["id"].as_str().unwrap());
    let mut call = client.call(Method::GET, &path);
    for (name, value) in headers {
        call = call.header(name, value);
    }
    call.send().await
}

#[tokio::test]
async fn a_file_that_came_in_is_read_byte_for_byte() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    let bytes = samples::png("a picture");
    let content = InboundContent::Image(MediaFile::new("image/png", bytes.clone()));
    let media = receive(&app, &session, &mut events, content).await;
    let answer = session.file(&media).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.body, bytes);
    let length = bytes.len().to_string();
    let etag = format!("\"{}\"", samples::sha256(&bytes));
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", &length),
        ("etag", &etag),
        ("accept-ranges", "bytes"),
        ("content-disposition", "inline"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let cache = answer.header("cache-control").unwrap();
    assert!(cache.starts_with("private"), "{cache}");
    assert!(cache.contains("immutable"), "{cache}");
    // It is in the history as well, and here by now.
    let page = key.get(&format!("/messages/chats/{FRIEND}")).await;
    let shown = page.expect(200)["messages"][0]["media"].clone();
    assert_eq!(shown["id"], media["id"]);
    assert_eq!(shown["url"], media["url"]);
    assert_eq!(shown["status"], "stored");
    assert_eq!(shown["size"], json!(bytes.len()));
}

#[tokio::test]
async fn a_part_is_answered_as_asked_for() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    let bytes = story();
    let file = MediaFile::new("text/plain", bytes.clone()).named("story.txt");
    let media = receive(&app, &session, &mut events, InboundContent::Document(file)).await;
    let size = bytes.len();
    for (range, part) in [
        ("bytes=0-0", 0..1),
        ("bytes=0-", 0..size),
        ("bytes=1000-300000", 1000..300_001),
        ("bytes=400000-", 400_000..size),
        ("bytes=-5", size - 5..size),
        ("bytes=400000-99999999", 400_000..size),
    ] {
        let answer = read(
            &key,
            &media,
            &[("range", range), ("accept-encoding", "gzip")],
        )
        .await;
        assert_eq!(answer.status, 206, "{range}: {answer}");
        assert!(answer.body == bytes[part.clone()], "{range}");
        let expected = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        assert_eq!(answer.header("content-range"), Some(expected.as_str()));
        assert_eq!(
            answer.header("content-length"),
            Some(part.len().to_string().as_str())
        );
    }
    let answer = read(&key, &media, &[("range", &format!("bytes={size}-"))]).await;
    let sentence = answer.refused(416);
    assert!(sentence.contains(&size.to_string()), "{sentence}");
    let expected = format!("bytes */{size}");
    assert_eq!(answer.header("content-range"), Some(expected.as_str()));
    // Several at once, or nothing that can be read: all of it, and never compressed, or its
    // parts would be those of something else.
    for range in ["bytes=0-1,4-5", "lines=0-1", "nonsense"] {
        let headers = [("range", range), ("accept-encoding", "gzip")];
        let answer = read(&key, &media, &headers).await;
        assert_eq!(answer.status, 200, "{range}");
        assert!(answer.body == bytes, "{range}");
        assert_eq!(
            answer.header("content-length"),
            Some(size.to_string().as_str())
        );
    }
    let disposition = "attachment; filename=\"story.txt\"";
    let answer = read(&key, &media, &[]).await;
    assert_eq!(answer.header("content-disposition"), Some(disposition));
}

#[tokio::test]
async fn a_file_that_is_known_is_not_sent_again() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    let bytes = samples::pdf("a plan");
    let file = MediaFile::new("application/pdf", bytes.clone()).named("plan.pdf");
    let media = receive(&app, &session, &mut events, InboundContent::Document(file)).await;
    let etag = format!("\"{}\"", samples::sha256(&bytes));
    let weak = format!("W/{etag}");
    for known in [etag.as_str(), &weak, "*"] {
        let answer = read(&key, &media, &[("if-none-match", known)]).await;
        assert_eq!(answer.status, 304, "{known}");
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("etag"), Some(etag.as_str()));
    }
    let answer = read(&key, &media, &[("if-none-match", "\"another\"")]).await;
    assert_eq!(answer.status, 200);
    // A part of another file is no part of this one.
    let range = ("range", "bytes=0-3");
    let answer = read(&key, &media, &[range, ("if-range", &etag)]).await;
    assert_eq!(answer.status, 206);
    let date = "Sat, 21 Nov 2026 00:00:00 GMT";
    for unknown in ["\"another\"", weak.as_str(), date] {
        let answer = read(&key, &media, &[range, ("if-range", unknown)]).await;
        assert_eq!(answer.status, 200, "{unknown}");
        assert_eq!(answer.body, bytes);
    }
}

#[tokio::test]
async fn a_head_says_what_there_is_without_sending_it() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    let bytes = samples::mp4("a film");
    let content = InboundContent::Video(MediaFile::new("video/mp4", bytes.clone()));
    let media = receive(&app, &session, &mut events, content).await;
    let path = format!("/media/{}", media["id"].as_str().unwrap());
    let answer = key.call(Method::HEAD, &path).send().await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("content-type"), Some("video/mp4"));
    assert_eq!(
        answer.header("content-length"),
        Some(bytes.len().to_string().as_str())
    );
}

#[tokio::test]
async fn what_a_stranger_sends_as_a_page_runs_nowhere() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    let page = b"<!doctype html><script>alert(1)</script>".to_vec();
    let drawing = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec();
    for (mimetype, bytes) in [("text/html", page), ("image/svg+xml", drawing)] {
        let file = MediaFile::new(mimetype, bytes).named("Füße\".html");
        let media = receive(&app, &session, &mut events, InboundContent::Document(file)).await;
        let answer = read(&key, &media, &[]).await;
        assert_eq!(answer.status, 200, "{answer}");
        let disposition = answer.header("content-disposition").unwrap();
        let expected =
            "attachment; filename=\"F__e_.html\"; filename*=UTF-8''F%C3%BC%C3%9Fe%22.html";
        assert_eq!(disposition, expected, "{mimetype}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("sandbox"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn a_file_that_was_sent_is_read_as_well() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _events) = app.working_session(&key).await;
    let bytes = samples::jpeg("a photo");
    let data = STANDARD.encode(&bytes);
    let sent = session
        .post(json!({"chat_id": FRIEND, "media_base64": data}))
        .await;
    let media = sent.expect(201)["media"].clone();
    let answer = session.file(&media).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.body, bytes);
    assert_eq!(answer.header("content-type"), Some("image/jpeg"));
}

#[tokio::test]
async fn files_may_be_larger_than_other_bodies() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _events) = app.working_session(&key).await;
    let mut bytes = samples::pdf("a long plan");
    bytes.resize(3 * 1024 * 1024, b'x');
    let data = STANDARD.encode(&bytes);
    let by_text = json!({"chat_id": FRIEND, "media_base64": data});
    let form = Form::default()
        .text("session_id", &session.id.to_string())
        .text("chat_id", FRIEND)
        .file("file", "plan.pdf", "application/pdf", &bytes);
    for sent in [
        session.post(by_text).await,
        form.post(&key, "/messages/send").await,
    ] {
        let media = sent.expect(201)["media"].clone();
        assert_eq!(media["size"], json!(bytes.len()));
        let answer = session.file(&media).await;
        assert!(answer.body == bytes, "{}", answer.status);
    }
    let title = "x".repeat(2 * 1024 * 1024);
    let poll = json!({"chat_id": FRIEND, "title": title, "options": ["a", "b"]});
    let answer = session.post_to("/messages/send/poll", poll).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn what_is_no_file_is_not_found() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let nothing = "/media/0197f000-0000-7000-8000-000000000001";
    assert_eq!(key.get(nothing).await.refused(404), "Media not found");
    assert_eq!(key.get("/media/nonsense").await.faults().len(), 1);
    assert_eq!(app.anonymous().get(nothing).await.status, 401);
}

#[tokio::test]
async fn a_file_that_the_engine_never_had_is_told_as_lost() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    let content = InboundContent::Image(MediaFile::new("image/png", samples::png("lost")));
    let media = receive(&app, &session, &mut events, content).await;
    // As if it had not been copied just now.
    assert_eq!(read(&key, &media, &[]).await.status, 200);
    sqlx::query("UPDATE media SET state = 'lost', sha256 = NULL, stored_at = NULL")
        .execute(app.rows())
        .await
        .unwrap();
    let sentence = read(&key, &media, &[]).await.refused(404);
    assert!(sentence.contains("lost"), "{sentence}");
}

#[tokio::test]
async fn an_address_for_the_engine_that_nobody_made_opens_nothing() {
    let app = TestApp::start().await;
    let nobody = app.anonymous().root();
    for ticket in ["x", "AAAA", "..%2F..%2Fsecret", &"A".repeat(200)] {
        let answer = nobody.get(&format!("/engine/media/{ticket}")).await;
        assert_eq!(answer.refused(404), "Media not found", "{ticket}");
    }
}
