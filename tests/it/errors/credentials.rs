use reqwest::Method;
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn without_a_credential_nobody_is_let_in() {
    let app = TestApp::start().await;
    let answer = app.anonymous().get("/sessions").await;
    assert_eq!(answer.expect(401), json!({"detail": "Not authenticated"}));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn what_is_no_credential_of_any_form_counts_as_none() {
    let app = TestApp::start().await;
    for header in ["", "Bearer", "Basic b3duZXI6cGFzc3dvcmQ=", "Token abc"] {
        let call = app.anonymous().call(Method::GET, "/sessions");
        let answer = call.header("authorization", header).send().await;
        assert_eq!(answer.refused(401), "Not authenticated", "{header:?}");
    }
}

#[tokio::test]
async fn rubbish_is_refused_by_what_it_pretends_to_be() {
    let app = TestApp::start().await;
    for key in [
        "rubbish",
        "mf_",
        "",
        "mf_0000000000000000000000000000000000000000000",
    ] {
        let answer = app.with_key(key).get("/sessions").await;
        assert_eq!(
            answer.expect(401),
            json!({"detail": "Invalid API key"}),
            "{key}"
        );
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    for token in ["rubbish", "a.b.c"] {
        let answer = app.with_bearer(token).get("/sessions").await;
        assert_eq!(
            answer.expect(401),
            json!({"detail": "Invalid or expired token"}),
            "{token}"
        );
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[tokio::test]
async fn the_scheme_may_be_written_in_any_case() {
    let app = TestApp::start().await;
    let raw = app.full_key().secret().to_owned();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let call = app.anonymous().call(Method::GET, "/sessions");
        let answer = call
            .header("authorization", &format!("{scheme} {raw}"))
            .send()
            .await;
        answer.expect(200);
    }
}

#[tokio::test]
async fn a_key_without_the_scope_is_told_which() {
    let app = TestApp::start().await;
    let lesser = app.key(&["labels:read"]).await;
    let send = json!({
        "session_id": "0197f000-0000-7000-8000-000000000000", "phone": "15550000002",
        "message": "hello",
    });
    for (answer, scope) in [
        (lesser.get("/sessions").await, "sessions:read"),
        (
            lesser.post("/sessions", json!({"name": "a"})).await,
            "sessions:manage",
        ),
        (lesser.get("/messages/3EB0").await, "messages:read"),
        (lesser.post("/messages/send", send).await, "messages:send"),
    ] {
        let expected = json!({"detail": format!("Missing required scope: {scope}")});
        assert_eq!(answer.expect(403), expected);
        assert_eq!(answer.header("x-required-scopes"), Some(scope));
    }
}

#[tokio::test]
async fn who_may_not_learns_that_before_what_is_wrong_with_the_body() {
    let app = TestApp::start().await;
    let lesser = app.key(&["sessions:read"]).await;
    lesser.post("/sessions", json!({})).await.refused(403);
    app.anonymous()
        .post("/sessions", json!({}))
        .await
        .refused(401);
    // And as little does a body that is too large, or none at all.
    let call = app.anonymous().call(Method::POST, "/sessions");
    call.body("x".repeat(2 << 20)).send().await.refused(401);
}
