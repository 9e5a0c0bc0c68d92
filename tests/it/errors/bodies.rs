use reqwest::Method;
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn json_that_cannot_be_read_is_a_bad_request() {
    let app = TestApp::start().await;
    let key = app.full_key();
    for body in [
        "{",
        "{\"name\": }",
        "nonsense",
        "{\"name\": \"a\"} more",
        "\u{feff}{}",
    ] {
        let answer = key.call(Method::POST, "/sessions").body(body).send().await;
        assert!(answer.refused(400).contains("JSON"), "{body}: {answer}");
    }
    let latin = b"{\"name\": \"Gr\xfc\xdfe\"}".to_vec();
    let answer = key.call(Method::POST, "/sessions").body(latin).send().await;
    assert!(answer.refused(400).contains("UTF-8"), "{answer}");
}

#[tokio::test]
async fn everything_missing_is_listed_at_once() {
    let app = TestApp::start().await;
    let answer = app.full_key().post("/messages/send", json!({})).await;
    let faults = answer.faults();
    for field in ["session_id", "message"] {
        let fault = format!("body.{field}: field required (value_error.missing)");
        assert!(faults.contains(&fault), "{faults:?}");
    }
}

#[tokio::test]
async fn what_is_missing_and_what_is_wrong_are_listed_together() {
    let app = TestApp::start().await;
    let body = json!({"session_id": 5, "phone": ["15550000002"], "queue": "perhaps"});
    let faults = app.full_key().post("/messages/send", body).await.faults();
    for place in ["session_id", "phone", "message", "queue"] {
        let about = faults
            .iter()
            .filter(|f| f.starts_with(&format!("body.{place}: ")));
        assert_eq!(about.count(), 1, "{place}: {faults:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_there_or_no_object_is_invalid() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let answer = key.order("/sessions").await;
    assert_eq!(
        answer.faults(),
        ["body: field required (value_error.missing)"]
    );
    for body in [json!([]), json!("name"), json!(5)] {
        let faults = key.post("/sessions", body.clone()).await.faults();
        assert!(faults[0].starts_with("body: "), "{body}: {faults:?}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_too_large() {
    let app = TestApp::start().await;
    let body = json!({"name": "x".repeat(1 << 20)});
    let answer = app.full_key().post("/sessions", body).await;
    assert!(answer.refused(413).contains("too large"), "{answer}");
}

#[tokio::test]
async fn curl_says_form_and_sends_json_and_some_say_nothing() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let body = r#"{"name": "Front desk"}"#;
    let call = || key.call(Method::POST, "/sessions").body(body);
    call().send().await.expect(201);
    for kind in [
        "application/x-www-form-urlencoded",
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
    ] {
        call().header("content-type", kind).send().await.expect(201);
    }
    for kind in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
    ] {
        call()
            .header("content-type", kind)
            .send()
            .await
            .refused(415);
    }
    let form = key.call(Method::POST, "/sessions").body("name=Front+desk");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    form.send().await.refused(415);
    // What curl says of everything that it sends: begun as JSON, it is judged as such.
    for body in ["{\"name\"", "[1", "{\"name\": \"ok\\ud800\"}"] {
        let call = key.call(Method::POST, "/sessions").body(body);
        let call = call.header("content-type", "application/x-www-form-urlencoded");
        let refusal = call.send().await.refused(400);
        assert!(refusal.starts_with("Malformed JSON"), "{refusal}");
    }
}

#[tokio::test]
async fn fields_that_are_not_known_are_ignored() {
    let app = TestApp::start().await;
    let body = json!({"name": "Front desk", "color": "blue", "id": "mine"});
    let session = app.full_key().post("/sessions", body).await.expect(201);
    assert_ne!(session["id"], "mine");
    assert_eq!(session.get("color"), None);
}
