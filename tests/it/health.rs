//! Whether the server lives, whether it can work, and how it does.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_server_that_answers_lives() {
    let app = TestApp::start().await;
    let answer = app.anonymous().root().get("/health/live").await;
    assert_eq!(answer.expect(200), json!({"status": "ok"}));
}

#[tokio::test]
async fn a_server_without_an_engine_is_ready_and_says_so() {
    let app = TestApp::start().await;
    let nobody = app.anonymous().root();
    let ready = json!({"status": "ok", "database": "ok", "engine": "ok"});
    assert_eq!(nobody.get("/health/ready").await.expect(200), ready);
    app.wire.cut().await;
    let alone = json!({"status": "ok", "database": "ok", "engine": "unreachable"});
    assert_eq!(nobody.get("/health/ready").await.expect(200), alone);
}

#[tokio::test]
async fn the_metrics_count_requests_by_route_and_not_by_id() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let path = "/sessions/0197f000-0000-7000-8000-000000000000";
    key.get(path).await.refused(404);
    let metrics = app.anonymous().root().get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(
        metrics
            .header("content-type")
            .unwrap()
            .starts_with("text/plain")
    );
    let text = metrics.text();
    let counted = |line: &str| {
        line.starts_with("http_requests_total{")
            && line.contains(r#"route="/api/v2/sessions/{session_id}""#)
            && line.contains(r#"status="404""#)
    };
    assert!(text.lines().any(counted), "{text}");
    assert!(!text.contains("0197f000"), "{text}");
    assert!(
        text.contains("http_request_duration_seconds_bucket"),
        "{text}"
    );
}
