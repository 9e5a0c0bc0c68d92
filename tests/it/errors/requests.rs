use reqwest::Method;
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_route_that_is_not_there_is_not_found() {
    let app = TestApp::start().await;
    let not_found = json!({"detail": "Not Found"});
    let key = app.full_key();
    for client in [&key, &key.root(), &app.anonymous().root()] {
        for path in [
            "/nowhere",
            "/sessions/a/b/c/d",
            "/api/v1/sessions",
            "/api/v2/",
        ] {
            assert_eq!(client.get(path).await.expect(404), not_found, "{path}");
        }
    }
}

#[tokio::test]
async fn a_method_that_is_not_there_is_told_those_that_are() {
    let app = TestApp::start().await;
    let key = app.full_key();
    for (method, path, expected) in [
        (Method::PUT, "/sessions", ["GET", "POST"].as_slice()),
        (Method::GET, "/auth/login", &["POST"]),
        (
            Method::PATCH,
            "/sessions/0197f000-0000-7000-8000-000000000000",
            &["GET", "DELETE"],
        ),
        (Method::DELETE, "/messages/send", &["POST"]),
    ] {
        let answer = key.call(method, path).send().await;
        assert_eq!(
            answer.expect(405),
            json!({"detail": "Method Not Allowed"}),
            "{path}"
        );
        let allow = answer.header("allow").unwrap_or_default();
        for method in expected {
            assert!(
                allow.split(',').any(|word| word.trim() == *method),
                "{path}: {allow}"
            );
        }
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_a_sane_one_is_kept() {
    let app = TestApp::start().await;
    let nobody = app.anonymous().root();
    let (one, other) = (
        nobody.get("/health/live").await,
        nobody.get("/nowhere").await,
    );
    let (one, other) = (one.header("x-request-id"), other.header("x-request-id"));
    assert_ne!(one.unwrap(), other.unwrap());

    let with = async |id: &str| {
        let call = nobody.call(Method::GET, "/api/v2/sessions");
        let answer = call.header("x-request-id", id).send().await;
        answer.header("x-request-id").unwrap().to_owned()
    };
    let long = "x".repeat(129);
    assert_eq!(with("trace-1.2_a").await, "trace-1.2_a");
    for insane in ["", "with blanks", "<script>", long.as_str()] {
        assert_ne!(with(insane).await, insane);
    }
}

#[tokio::test]
async fn a_broken_query_and_a_wrong_parameter_are_told_apart() {
    let app = TestApp::start().await;
    let key = app.full_key();
    assert!(
        key.get("/sessions?limit=%zz")
            .await
            .refused(400)
            .contains("query")
    );
    let faults = key.get("/sessions?limit=0&offset=-1").await.faults();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("query.limit: "), "{faults:?}");
    assert!(faults[1].starts_with("query.offset: "), "{faults:?}");
    let faults = key.get("/sessions/none").await.faults();
    assert_eq!(
        faults,
        ["path.session_id: value is not a valid uuid (type_error.uuid)"]
    );
}

#[tokio::test]
async fn an_error_inside_shows_nothing_but_the_requests_id() {
    let app = TestApp::start().await;
    // The one thing that no request can bring about by itself.
    sqlx::query("ALTER TABLE wa_session RENAME TO elsewhere")
        .execute(app.rows())
        .await
        .unwrap();
    let answer = app.full_key().get("/sessions").await;
    let id = answer.header("x-request-id").unwrap();
    let expected = json!({"detail": "Internal Server Error", "request_id": id});
    assert_eq!(answer.expect(500), expected);
}

#[tokio::test]
async fn a_page_of_a_named_origin_may_call_and_no_other() {
    let app = TestApp::builder();
    let app = app
        .set("MOLTFLOW_CORS_ORIGINS", "https://app.example.com")
        .start()
        .await;
    let from = async |origin: &str| {
        let call = app.anonymous().call(Method::OPTIONS, "/sessions");
        let call = call.header("origin", origin);
        let call = call.header("access-control-request-method", "POST");
        let call = call.header("access-control-request-headers", "x-api-key,content-type");
        let answer = call.send().await;
        answer
            .header("access-control-allow-origin")
            .map(str::to_owned)
    };
    let ours = from("https://app.example.com").await;
    assert_eq!(ours.as_deref(), Some("https://app.example.com"));
    assert_eq!(from("https://evil.example.com").await, None);
}
