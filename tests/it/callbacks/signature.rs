use reqwest::Method;
use serde_json::json;

use super::{deliver, envelope, report, sign, signing_key, text};
use crate::support::TestApp;

#[tokio::test]
async fn what_nobody_we_know_signed_is_refused_and_not_kept() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let key = signing_key(&app, &session).await;
    let body = envelope(&session, "message.any", &text("AAAA", "forged")).to_string();
    let good = sign(&key, &body);
    let told = app.count("SELECT count(*) FROM event").await;
    for signature in [
        String::new(),
        "rubbish".to_owned(),
        sign("another key", &body),
        sign("", &body),
        sign(&key, &body.replace("forged", "other")),
        good[..64].to_owned(),
        "0".repeat(128),
    ] {
        let answer = deliver(&app, &session, &body, &signature).await;
        assert_eq!(answer.refused(401), "Invalid signature", "{signature}");
    }
    // Without any header, and with another algorithm.
    let path = format!("/engine/waha/{}", session.id);
    let call = || {
        app.anonymous()
            .root()
            .call(Method::POST, &path)
            .body(body.clone())
    };
    call().send().await.refused(401);
    let call = call().header("x-webhook-hmac", &good);
    call.header("x-webhook-hmac-algorithm", "sha256")
        .send()
        .await
        .refused(401);
    // Nor does an API key help.
    let call = app
        .full_key()
        .root()
        .call(Method::POST, &path)
        .body(body.clone());
    call.send().await.refused(401);

    assert_eq!(app.count("SELECT count(*) FROM message").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM rejected_callback").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM event").await, told);
    assert_eq!(
        deliver(&app, &session, &body, &good).await.expect(200),
        json!({"status": "ok"})
    );
    assert_eq!(app.count("SELECT count(*) FROM message").await, 1);
}

#[tokio::test]
async fn a_report_about_a_session_that_is_not_there_is_not_found() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _events) = app.working_session(&key).await;
    let body = envelope(&session, "message.any", &text("AAAA", "late")).to_string();
    let signature = sign(&signing_key(&app, &session).await, &body);
    key.delete(&session.path("")).await.expect(200);
    let answer = deliver(&app, &session, &body, &signature).await;
    assert_eq!(answer.refused(404), "Session not found");
    let call = app
        .anonymous()
        .root()
        .call(Method::POST, "/engine/waha/none");
    let faults = call.body("{}").send().await.faults();
    assert!(faults[0].starts_with("path.session_id: "), "{faults:?}");
}

#[tokio::test]
async fn one_sessions_key_does_not_open_another() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (one, _one) = app.working_session(&key).await;
    let (other, _other) = app.working_session(&key).await;
    let body = envelope(&other, "message.any", &text("AAAA", "crossed")).to_string();
    let signature = sign(&signing_key(&app, &one).await, &body);
    deliver(&app, &other, &body, &signature).await.refused(401);
    // And what is well signed for one session says nothing about another.
    let answer = deliver(&app, &one, &body, &signature).await;
    answer.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM message").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM rejected_callback").await, 1);
}

#[tokio::test]
async fn rubbish_that_is_well_signed_is_kept_and_answered() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let key = signing_key(&app, &session).await;
    let nameless = envelope(&session, "message.any", &json!({"body": "no id"})).to_string();
    let rubbish = [
        "{",
        "[]",
        "\"text\"",
        "",
        "{\"event\": \"message.any\"}",
        &nameless,
    ];
    for (count, body) in (1..).zip(rubbish) {
        let answer = deliver(&app, &session, body, &sign(&key, body)).await;
        assert_eq!(answer.expect(200), json!({"status": "ok"}), "{body}");
        let kept = app.count("SELECT count(*) FROM rejected_callback").await;
        assert_eq!(kept, count, "{body}");
    }
    let bodies: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT body FROM rejected_callback ORDER BY received_at, id")
            .fetch_all(app.rows())
            .await
            .unwrap();
    assert!(
        bodies
            .iter()
            .zip(rubbish)
            .all(|(kept, sent)| kept == sent.as_bytes())
    );
    let reasons: Vec<String> = sqlx::query_scalar("SELECT reason FROM rejected_callback")
        .fetch_all(app.rows())
        .await
        .unwrap();
    assert!(
        reasons.iter().all(|reason| !reason.is_empty()),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn an_event_that_nobody_acts_on_is_answered_and_not_kept() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let told = app.count("SELECT count(*) FROM event").await;
    for event in ["message.waiting", "engine.event", "an.event.of.tomorrow"] {
        report(&app, &session, event, json!({"anything": 1}))
            .await
            .expect(200);
    }
    assert_eq!(app.count("SELECT count(*) FROM rejected_callback").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM event").await, told);
}
