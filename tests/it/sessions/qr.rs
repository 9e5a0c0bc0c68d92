use reqwest::Method;
use serde_json::json;

use crate::support::{Session, TestApp};

#[tokio::test]
async fn the_code_is_a_picture_unless_something_else_is_asked_for() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _events) = app.scannable_session(&key).await;
    let png = b"\x89PNG\r\n\x1a\n";
    for (query, accept) in [
        ("", None),
        ("?format=png", None),
        ("?format=image", None),
        ("", Some("image/png")),
        ("", Some("*/*")),
        ("", Some("text/html,image/avif,image/webp,*/*;q=0.8")),
        ("?format=png", Some("application/json")),
    ] {
        let call = key.call(Method::GET, &session.path(&format!("/qr{query}")));
        let call = match accept {
            Some(accept) => call.header("accept", accept),
            None => call,
        };
        let answer = call.send().await;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(
            answer.header("content-type"),
            Some("image/png"),
            "{query} {accept:?}"
        );
        assert!(answer.body.starts_with(png), "{query} {accept:?}");
        // IHDR: as wide as high, and wide enough for a camera.
        let side = |at: usize| u32::from_be_bytes(answer.body[at..at + 4].try_into().unwrap());
        assert_eq!(side(16), side(20));
        assert!(side(16) >= 200, "{}", side(16));
    }
}

#[tokio::test]
async fn the_code_comes_as_text_vector_and_json_too() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _events) = app.scannable_session(&key).await;
    let at_engine = {
        let raw = key.get(&session.path("/qr?format=raw")).await;
        assert!(
            raw.header("content-type")
                .unwrap()
                .starts_with("text/plain"),
            "{raw}"
        );
        raw.text()
    };
    // A reference and three keys, as WhatsApp has them.
    assert!(at_engine.starts_with("2@"), "{at_engine}");
    assert_eq!(at_engine.split(',').count(), 4, "{at_engine}");

    let svg = key.get(&session.path("/qr?format=svg")).await;
    assert_eq!(svg.header("content-type"), Some("image/svg+xml"));
    assert!(svg.text().contains("<svg"), "{svg}");

    let json = key.get(&session.path("/qr?format=json")).await.expect(200);
    assert_eq!(json["session_id"], json!(session.id));
    assert_eq!(json["status"], "qr_code");
    assert_eq!(json["qr"], json!(at_engine));
    let image = json["image"].as_str().unwrap();
    // The PNG's first bytes in base64.
    assert!(
        image.starts_with("data:image/png;base64,iVBORw0KGgo"),
        "{image}"
    );
    assert!(
        json["expires_at"].as_str().unwrap().ends_with('Z'),
        "{json}"
    );

    let call = key.call(Method::GET, &session.path("/qr"));
    let answer = call.header("accept", "application/json").send().await;
    assert_eq!(answer.expect(200)["qr"], json!(at_engine));

    let faults = key.get(&session.path("/qr?format=gif")).await.faults();
    assert!(faults[0].starts_with("query.format: "), "{faults:?}");
}

#[tokio::test]
async fn where_there_is_no_code_the_status_is_told() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let session = Session::create(&key).await;
    let answer = key.get(&session.path("/qr")).await;
    assert!(answer.refused(400).contains("stopped"), "{answer}");
    let (session, _events) = app.working_session(&key).await;
    let answer = key.get(&session.path("/qr")).await;
    assert!(answer.refused(400).contains("working"), "{answer}");
}

#[tokio::test]
async fn every_new_code_is_told() {
    let app = TestApp::builder().engine(|engine| {
        engine.qr_first = std::time::Duration::from_millis(300);
    });
    let app = app.start().await;
    let key = app.full_key();
    let (session, mut events) = app.scannable_session(&key).await;
    let first = key.get(&session.path("/qr?format=raw")).await.text();
    let again = events.status("qr_code").await;
    assert_eq!(again.data()["previous_status"], "qr_code");
    let second = key.get(&session.path("/qr?format=raw")).await.text();
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_code_that_nobody_scans_ends_in_failure_with_a_reason() {
    let app = TestApp::builder().engine(|engine| {
        engine.qr_first = std::time::Duration::from_millis(500);
        engine.qr_next = std::time::Duration::from_millis(200);
    });
    let app = app.start().await;
    let key = app.full_key();
    let (session, mut events) = app.scannable_session(&key).await;
    let failed = events.status("failed").await;
    let reason = failed.data()["reason"].as_str().unwrap();
    assert!(reason.contains("not scanned in time"), "{reason}");
    assert_eq!(session.get().await["last_error"], json!(reason));
    let answer = key.get(&session.path("/qr")).await;
    assert!(answer.refused(400).contains("failed"), "{answer}");
    // Another start, another code.
    session.order("start").await.expect(200);
    events.status("qr_code").await;
}
