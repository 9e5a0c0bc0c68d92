//! Files that clients send: where they come from, what is refused, and what becomes of them
//! while the engine is away.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mf_waha_sim::Status;
use serde_json::{Value, json};

use crate::support::{Answer, EventStream, Form, Session, Shelf, TestApp, samples, soon};

const FRIEND: &str = "15550000002";
const MESSAGES: &str = "SELECT count(*) FROM message";
/// What is left of a file that was refused is a note that there is nothing.
const FILES: &str = "SELECT count(*) FROM media WHERE state = 'stored' OR message_id IS NOT NULL";

/// An app whose clients may name addresses on this machine.
async fn open_minded() -> (TestApp, Session, EventStream) {
    let app = TestApp::builder()
        .set("MOLTFLOW_WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8")
        .start()
        .await;
    let (session, events) = app.working_session(&app.full_key()).await;
    (app, session, events)
}

async fn send_url(session: &Session, url: &str) -> Answer {
    session
        .post(json!({"phone": FRIEND, "media_url": url}))
        .await
}

async fn send_bytes(session: &Session, bytes: &[u8]) -> Answer {
    let data = STANDARD.encode(bytes);
    session
        .post(json!({"phone": FRIEND, "media_base64": data}))
        .await
}

/// Nothing was stored, and nobody got anything.
async fn nothing_happened(app: &TestApp, session: &Session, about: &str) {
    assert_eq!(app.count(MESSAGES).await, 0, "{about}");
    assert_eq!(app.count(FILES).await, 0, "{about}");
    assert_eq!(app.kept_files(), 0, "{about}");
    assert_eq!(session.sent(&app.sim), [], "{about}");
}

#[tokio::test]
async fn the_picture_at_an_address_arrives_byte_for_byte() {
    let (app, session, _events) = open_minded().await;
    let shelf = Shelf::open().await;
    let mut picture = samples::jpeg("a large one");
    // More than any buffer on the way.
    picture.extend((0..3_000_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[2]));
    let url = shelf.put("/photos/summer.jpg?size=full", "text/plain", &picture);
    let answer = send_url(&session, &url).await.expect(201);
    let got = session.sent(&app.sim).pop().unwrap();
    assert_eq!(got.kind, "image");
    assert_eq!(got.media_sha256, Some(samples::sha256(&picture)));
    assert_eq!(got.media_size, Some(picture.len() as u64));
    assert_eq!(answer["media"]["filename"], "summer.jpg");
    assert_eq!(shelf.visits(), 1);
    assert_eq!(session.file(&answer["media"]).await.body, picture);
}

#[tokio::test]
async fn an_address_may_redirect_to_another() {
    let (app, session, _events) = open_minded().await;
    let shelf = Shelf::open().await;
    let picture = samples::png("elsewhere");
    let there = shelf.put("/there.png", "image/png", &picture);
    let here = shelf.redirect("/here", &there);
    send_url(&session, &here).await.expect(201);
    let got = session.sent(&app.sim).pop().unwrap();
    assert_eq!(got.media_sha256, Some(samples::sha256(&picture)));
}

#[tokio::test]
async fn addresses_inside_the_operators_network_are_refused_and_not_visited() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let canary = Shelf::open().await;
    canary.put("/", "image/png", &samples::png("secret"));
    let port = canary.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "localhost.",
        "app.localhost",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            let sentence = send_url(&session, &url).await.refused(400);
            assert!(sentence.contains("not public"), "{url}: {sentence}");
        }
    }
    for (url, word) in [
        ("not an address", "URL"),
        ("ftp://example.com/a.png", "http"),
        ("file:///etc/passwd", "http"),
        ("http://user:password@example.com/a.png", "credentials"),
    ] {
        let sentence = send_url(&session, url).await.refused(400);
        assert!(sentence.contains(word), "{url}: {sentence}");
        assert!(!sentence.contains("password"), "{sentence}");
    }
    for (path, field) in [
        ("/messages/send/sticker", "sticker_url"),
        ("/messages/send/gif", "gif_url"),
        ("/messages/send/voice", "media_url"),
    ] {
        let mut body = json!({"phone": FRIEND});
        body[field] = json!(format!("http://127.0.0.1:{port}/"));
        let sentence = session.post_to(path, body).await.refused(400);
        assert!(sentence.contains("not public"), "{path}: {sentence}");
    }
    assert_eq!(canary.visits(), 0);
    nothing_happened(&app, &session, "private addresses").await;
}

#[tokio::test]
async fn a_redirect_does_not_lead_inside_either() {
    // Whoever may be asked is at one address of this machine, and what is secret at another.
    let app = TestApp::builder()
        .set("MOLTFLOW_WEBHOOK_ALLOW_NETWORKS", "127.0.0.1/32")
        .start()
        .await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let (outside, canary) = (Shelf::open().await, Shelf::open().await);
    canary.put("/", "image/png", &samples::png("secret"));
    let port = canary.port();
    for host in ["127.0.0.2", "[::1]", "[::ffff:127.0.0.3]", "10.0.0.1"] {
        let url = outside.redirect("/picture", &format!("http://{host}:{port}/"));
        let sentence = send_url(&session, &url).await.refused(400);
        assert!(sentence.contains("not public"), "{host}: {sentence}");
        assert_eq!(canary.visits(), 0, "{host}");
    }
    nothing_happened(&app, &session, "redirects").await;
}

#[tokio::test]
async fn what_is_not_to_be_had_is_said_to_be_so() {
    let (app, session, _events) = open_minded().await;
    let shelf = Shelf::open().await;
    let around = shelf.redirect("/around", "/around");
    let missing = around.replace("/around", "/missing");
    let sentence = send_url(&session, &missing).await.refused(400);
    assert!(sentence.contains("404"), "{sentence}");
    let sentence = send_url(&session, &around).await.refused(400);
    assert!(sentence.contains("redirects"), "{sentence}");
    nothing_happened(&app, &session, "missing").await;
}

/// One byte more than may be sent.
fn too_large() -> Vec<u8> {
    let mut large = samples::pdf("too large");
    large.resize((64 << 20) + 1, b'x');
    large
}

#[tokio::test]
async fn a_file_of_more_than_64_megabytes_is_refused_in_a_form() {
    let (app, session, _events) = open_minded().await;
    let form = Form::default()
        .text("session_id", &session.id.to_string())
        .text("phone", FRIEND)
        .file("file", "large.pdf", "application/pdf", &too_large());
    let answer = form.post(session.client(), "/messages/send").await;
    assert_eq!(answer.status, 413, "{answer}");
    nothing_happened(&app, &session, "too large").await;
}

#[tokio::test]
async fn a_file_of_64_megabytes_is_sent_and_one_byte_more_is_refused() {
    let (app, session, _events) = open_minded().await;
    let shelf = Shelf::open().await;
    let mut large = too_large();
    let url = shelf.put("/large.pdf", "application/pdf", &large);
    let answer = send_url(&session, &url).await;
    assert_eq!(answer.status, 413, "{answer}");
    nothing_happened(&app, &session, "too large").await;
    large.pop();
    let url = shelf.put("/largest.pdf", "application/pdf", &large);
    send_url(&session, &url).await.expect(201);
    let got = session.sent(&app.sim).pop().unwrap();
    assert_eq!(got.media_size, Some(64 << 20));
}

#[tokio::test]
async fn what_nobody_should_open_is_not_sent() {
    let (app, session, _events) = open_minded().await;
    let shelf = Shelf::open().await;
    for (bytes, word) in [
        (&b""[..], "empty"),
        (
            b"<!DOCTYPE html><html><script>alert(1)</script></html>",
            "text/html",
        ),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "svg"),
        (b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0", "executable"),
    ] {
        // Whatever it is said to be.
        let url = shelf.put("/picture.png", "image/png", bytes);
        let form = Form::default()
            .text("session_id", &session.id.to_string())
            .text("phone", FRIEND)
            .file("file", "picture.png", "image/png", bytes);
        let mut answers = vec![
            send_url(&session, &url).await,
            form.post(session.client(), "/messages/send").await,
        ];
        if !bytes.is_empty() {
            // Without a letter of base64 there is no file at all.
            answers.push(send_bytes(&session, bytes).await);
        }
        for answer in answers {
            let sentence = answer.refused(400);
            assert!(sentence.contains(word), "{word}: {sentence}");
        }
    }
    nothing_happened(&app, &session, "not sendable").await;
}

#[tokio::test]
async fn a_file_that_cannot_be_shown_as_what_it_is_sent_as_is_refused() {
    let (app, session, _events) = open_minded().await;
    for (path, bytes, word) in [
        ("/messages/send/sticker", samples::png("no sticker"), "WebP"),
        ("/messages/send/voice", samples::mp4("no voice"), "sound"),
        ("/messages/send/gif", samples::pdf("no film"), "GIF"),
        ("/messages/send/gif", b"just words".to_vec(), "GIF"),
    ] {
        let body = json!({"phone": FRIEND, "media_base64": STANDARD.encode(&bytes)});
        let sentence = session.post_to(path, body).await.refused(400);
        assert!(sentence.contains(word), "{path}: {sentence}");
    }
    nothing_happened(&app, &session, "wrong kind").await;
}

#[tokio::test]
async fn a_file_is_given_once_and_rightly() {
    let (app, session, _events) = open_minded().await;
    let answer = session
        .post(json!({"phone": FRIEND, "media_base64": "§§§"}))
        .await;
    let faults = answer.faults();
    assert!(faults[0].starts_with("body.media_base64: "), "{faults:?}");
    let body = json!({"phone": FRIEND, "base64": "not base64!"});
    let answer = session.post_to("/messages/send/sticker", body).await;
    let faults = answer.faults();
    assert!(faults[0].starts_with("body.base64: "), "{faults:?}");

    let data = STANDARD.encode(samples::png("twice"));
    let shelf = Shelf::open().await;
    let url = shelf.put("/twice.png", "image/png", &samples::png("twice"));
    let body = json!({"phone": FRIEND, "media_url": url, "media_base64": data});
    let sentence = session.post(body).await.refused(400);
    assert!(sentence.contains("once"), "{sentence}");
    let form = Form::default()
        .text("session_id", &session.id.to_string())
        .text("phone", FRIEND)
        .text("media_url", &url)
        .file("file", "a.png", "image/png", &samples::png("twice"));
    let sentence = form
        .post(session.client(), "/messages/send")
        .await
        .refused(400);
    assert!(sentence.contains("once"), "{sentence}");
    let form = Form::default()
        .text("session_id", &session.id.to_string())
        .text("phone", FRIEND)
        .file("file", "a.png", "image/png", &samples::png("one"))
        .file("other", "b.png", "image/png", &samples::png("two"));
    let sentence = form
        .post(session.client(), "/messages/send")
        .await
        .refused(400);
    assert!(sentence.contains("more than one"), "{sentence}");
    // Nor is it left out.
    for path in [
        "/messages/send/sticker",
        "/messages/send/gif",
        "/messages/send/voice",
    ] {
        let faults = session
            .post_to(path, json!({"phone": FRIEND}))
            .await
            .faults();
        assert!(faults[0].contains("field required"), "{path}: {faults:?}");
    }
    assert_eq!(shelf.visits(), 0);
    nothing_happened(&app, &session, "given wrongly").await;
}

#[tokio::test]
async fn for_a_session_that_cannot_send_nothing_is_fetched() {
    let (app, session, mut events) = open_minded().await;
    session.order("stop").await.expect(200);
    events.status("stopped").await;
    let shelf = Shelf::open().await;
    let url = shelf.put("/a.png", "image/png", &samples::png("in vain"));
    let sentence = send_url(&session, &url).await.refused(400);
    assert!(sentence.contains("stopped"), "{sentence}");
    let unknown = json!({
        "session_id": "0197f000-0000-7000-8000-000000000000", "phone": FRIEND, "media_url": url,
    });
    let answer = session.client().post("/messages/send", unknown).await;
    assert_eq!(answer.refused(404), "Session not found");
    assert_eq!(shelf.visits(), 0);
    nothing_happened(&app, &session, "stopped").await;
}

/// The file of a pending message, as WhatsApp got it in the end.
async fn arrived(app: &TestApp, session: &Session, pending: &Value, bytes: &[u8]) {
    let gone = |_: &_| session.sent(&app.sim).pop();
    let got = soon(app.sim.until(gone)).await;
    assert_eq!(got.media_sha256, Some(samples::sha256(bytes)));
    assert_eq!(session.sent(&app.sim).len(), 1);
    assert_eq!((got.deliveries, got.submissions), (1, 1));
    app.reported(&got.id).await;
    let sent = "SELECT count(*) FROM message WHERE status <> 'pending' AND status <> 'failed'";
    soon(async { while app.count(sent).await != 1 {} }).await;
    let shown = session.message(pending).await;
    assert_eq!(session.file(&shown["media"]).await.body, bytes);
    assert_eq!(app.count(MESSAGES).await, 1);
}

#[tokio::test]
async fn while_the_engine_is_away_a_file_waits_and_then_arrives() {
    let (app, session, mut events) = open_minded().await;
    let shelf = Shelf::open().await;
    let picture = samples::png("patient");
    let url = shelf.put("/a.png", "image/png", &picture);
    app.wire.cut().await;
    let pending = send_url(&session, &url).await.expect(201);
    assert_eq!(pending["status"], "pending");
    assert_eq!(session.file(&pending["media"]).await.body, picture);
    app.wire.mend().await;
    let sent = events.named("message.sent").await;
    assert_eq!(sent.data()["message_id"], pending["id"]);
    arrived(&app, &session, &pending, &picture).await;
    // It was fetched once, when it was asked for.
    assert_eq!(shelf.visits(), 1);
}

#[tokio::test]
async fn while_the_session_is_on_its_way_back_a_file_waits_as_well() {
    let (app, session, mut events) = open_minded().await;
    app.sim
        .set_status(&session.engine, Status::Starting)
        .unwrap();
    events.status("starting").await;
    let voice = samples::opus("patient");
    let body = json!({"phone": FRIEND, "media_base64": STANDARD.encode(&voice)});
    let pending = session
        .post_to("/messages/send/voice", body)
        .await
        .expect(201);
    assert_eq!(pending["status"], "pending");
    app.sim
        .set_status(&session.engine, Status::Working)
        .unwrap();
    arrived(&app, &session, &pending, &voice).await;
}

#[tokio::test]
async fn a_file_that_waits_survives_a_restart_of_the_server() {
    let (mut app, session, _) = open_minded().await;
    app.wire.cut().await;
    let document = samples::pdf("patient");
    let pending = send_bytes(&session, &document).await.expect(201);
    assert_eq!(pending["status"], "pending");
    app.stop().await;
    app.wire.mend().await;
    app.start_again().await;
    arrived(&app, &session, &pending, &document).await;
}

#[tokio::test]
async fn a_file_that_left_before_the_server_went_down_is_not_sent_again() {
    let mut app = TestApp::builder()
        .set("MOLTFLOW_SHUTDOWN_SECONDS", 1)
        .start()
        .await;
    app.sim.set_manual_acks(true);
    let (session, _) = app.working_session(&app.full_key()).await;
    let picture = samples::png("in between");
    app.wire.hold_answers("POST /api/sendImage");
    let sending = tokio::spawn({
        let (session, picture) = (session.clone(), picture.clone());
        async move { send_bytes(&session, &picture).await.status }
    });
    app.wire.held(1).await;
    let id = session.sent(&app.sim).pop().unwrap().id;
    app.reported(&id).await;
    // It does not wait for an answer that does not come.
    app.stop().await;
    sending.abort();
    app.wire.release();
    app.start_again().await;
    let known = json!({"id": id});
    let shown = session.message(&known).await;
    assert_eq!(shown["status"], "sent", "{shown}");
    assert_eq!(session.file(&shown["media"]).await.body, picture);
    // What comes next is the next.
    session.send(FRIEND, "and now?").await;
    let got = session.sent(&app.sim);
    assert_eq!(got.len(), 2, "{got:?}");
    assert!(got.iter().all(|sent| sent.submissions == 1), "{got:?}");
    assert_eq!(app.count(MESSAGES).await, 2);
}
