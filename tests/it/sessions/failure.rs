use serde_json::{Value, json};

use crate::support::{Session, TestApp};

#[tokio::test]
async fn a_start_without_an_engine_fails_with_a_sentence_and_no_address() {
    let app = TestApp::start().await;
    let session = Session::create(&app.full_key()).await;
    app.wire.cut().await;
    let answer = session.order("start").await;
    let sentence = answer.refused(502);
    assert!(sentence.contains("WhatsApp engine"), "{sentence}");
    assert!(
        !sentence.contains("127.0.0.1") && !sentence.contains("http"),
        "{sentence}"
    );
    let shown = session.get().await;
    assert_eq!(shown["status"], "failed");
    let reason = shown["last_error"].as_str().unwrap();
    assert!(reason.contains("could not be started"), "{reason}");
    assert!(
        !reason.contains("127.0.0.1") && !reason.contains("http"),
        "{reason}"
    );

    app.wire.mend().await;
    let mut events = session.events().await;
    session.order("start").await.expect(200);
    events.status("qr_code").await;
    assert_eq!(session.get().await["last_error"], Value::Null);
}

#[tokio::test]
async fn an_engine_that_is_too_slow_is_a_gateway_timeout() {
    let app = TestApp::builder();
    let app = app.set("MOLTFLOW_ENGINE_TIMEOUT", 1).start().await;
    let session = Session::create(&app.full_key()).await;
    // The answer to whatever is asked first does not come.
    app.wire.hold_answers("/api/sessions/");
    let answer = session.order("start").await;
    let sentence = answer.refused(504);
    assert!(sentence.contains("WhatsApp engine"), "{sentence}");
    assert_eq!(session.get().await["status"], "failed");
    app.wire.release();
}

#[tokio::test]
async fn a_wrong_key_for_the_engine_is_told_to_the_operator() {
    let app = TestApp::builder();
    let app = app
        .set("MOLTFLOW_ENGINE_API_KEY", "another key")
        .start()
        .await;
    let session = Session::create(&app.full_key()).await;
    let sentence = session.order("start").await.refused(502);
    assert!(sentence.contains("MOLTFLOW_ENGINE_API_KEY"), "{sentence}");
    assert_eq!(session.get().await["status"], "failed");
}

#[tokio::test]
async fn an_engine_that_fails_inside_shows_nothing_of_itself() {
    let app = TestApp::start().await;
    let session = Session::create(&app.full_key()).await;
    app.sim
        .fail_next(mf_waha_sim::Failure::new(500).on("/api/sessions").times(5));
    let answer = session.order("start").await;
    assert_eq!(answer.refused(502), "The WhatsApp engine failed");
    assert!(!answer.text().contains("simulated"), "{answer}");
}

#[tokio::test]
async fn an_order_to_a_session_that_is_not_there_is_not_found() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let path = "/sessions/0197f000-0000-7000-8000-000000000000";
    let nothing = json!({"detail": "Session not found"});
    for order in ["start", "stop", "restart", "logout"] {
        let answer = key.order(&format!("{path}/{order}")).await;
        assert_eq!(answer.expect(404), nothing, "{order}");
    }
    for part in ["", "/qr", "/events", "/settings"] {
        let answer = key.get(&format!("{path}{part}")).await;
        assert_eq!(answer.expect(404), nothing, "{part}");
    }
}
