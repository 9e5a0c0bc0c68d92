use mf_waha_sim::Dialect;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::{FRIEND, KEY, parts, waha};

#[tokio::test]
async fn without_the_key_nothing_but_ping_and_health_is_answered() {
    let waha = waha(Dialect::Noweb).await;
    for path in ["/api/sessions", "/api/server/version", "/sim/sent"] {
        let response = waha
            .http
            .get(format!("{}{path}", waha.base))
            .send()
            .await
            .unwrap();
        let (status, body) = parts(response).await;
        assert_eq!(status, 401);
        assert_eq!(body, json!({"message": "Unauthorized", "statusCode": 401}));
    }
    let ping = waha
        .http
        .get(format!("{}/ping", waha.base))
        .send()
        .await
        .unwrap();
    assert_eq!(parts(ping).await, (200, json!({"message": "pong"})));
    let health = waha
        .http
        .get(format!("{}/health", waha.base))
        .send()
        .await
        .unwrap();
    assert_eq!(parts(health).await.1["status"], "ok");
}

#[tokio::test]
async fn the_version_says_which_waha_on_which_engine() {
    let waha = waha(Dialect::Gows).await;
    for path in ["/api/server/version", "/api/version"] {
        let (_, body) = waha.get(path).await;
        assert_eq!(
            (&body["version"], &body["engine"]),
            (&json!("2026.7.1"), &json!("GOWS"))
        );
    }
    let (_, body) = waha.get("/api/server/status").await;
    assert!(body["startTimestamp"].is_i64() && body["uptime"].is_i64());
}

#[tokio::test]
async fn an_unknown_route_is_named_back() {
    let waha = waha(Dialect::Noweb).await;
    let (status, body) = waha.get("/nowhere?at=all").await;
    assert_eq!(status, 404);
    let expected = json!({
        "statusCode": 404, "message": "Cannot GET /nowhere?at=all", "error": "Not Found",
    });
    assert_eq!(body, expected);
    let (status, body) = waha.put("/api/sessions", json!({})).await;
    assert_eq!(
        (status, &body["message"]),
        (404, &json!("Cannot PUT /api/sessions"))
    );
}

#[tokio::test]
async fn what_the_engine_lacks_is_not_implemented() {
    let waha = waha(Dialect::Gows).await;
    let (status, body) = waha.post("/api/forwardMessage", json!({})).await;
    assert_eq!((status, &body["error"]), (501, &json!("Not Implemented")));
    assert_eq!(body["statusCode"], 501);
    let message = body["message"].as_str().unwrap();
    assert!(
        message.starts_with("The method is not implemented by 'GOWS' engine"),
        "{message}"
    );
}

#[tokio::test]
async fn what_is_not_imitated_says_so_instead_of_pretending() {
    let waha = waha(Dialect::Noweb).await;
    let (status, body) = waha.post("/api/sendList", json!({})).await;
    assert_eq!(status, 501);
    assert_eq!(
        body["message"],
        "waha-sim does not imitate POST /api/sendList"
    );
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_bad_request() {
    let waha = waha(Dialect::Noweb).await;
    let response = waha
        .http
        .post(format!("{}/api/sendText", waha.base))
        .header("X-Api-Key", KEY)
        .header("content-type", "application/json")
        .body("{not json")
        .send()
        .await
        .unwrap();
    let (status, body) = parts(response).await;
    assert_eq!((status, &body["error"]), (400, &json!("Bad Request")));
}

#[tokio::test]
async fn session_names_and_callbacks_are_checked() {
    let waha = waha(Dialect::Noweb).await;
    let hook = |url: &str, events: Value| json!({"config": {"webhooks": [{"url": url, "events": events}]}});
    let refused = [
        json!({"name": "with space"}),
        json!({"name": "x".repeat(55)}),
        json!({"name": 5}),
        hook("localhost:3000/hook", json!(["message"])),
        hook("ftp://example.com", json!(["message"])),
        hook("http://example.com", json!(["no.such.event"])),
        hook("http://example.com", json!("message")),
        json!({"config": {"webhooks": [
            {"url": "http://a", "events": [], "retries": {"policy": "often"}}
        ]}}),
    ];
    for body in refused {
        let (status, answer) = waha.post("/api/sessions", body.clone()).await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!("Bad Request")),
            "{body}"
        );
        assert!(answer["message"].is_array(), "{answer}");
    }
    let longest = json!({"name": "x".repeat(54)});
    assert_eq!(waha.post("/api/sessions", longest).await.0, 201);
    let (status, _) = waha
        .post(
            "/api/sessions",
            hook("http://receiver:8080/x", json!(["*"])),
        )
        .await;
    assert_eq!(status, 201);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let waha = waha(Dialect::Noweb).await;
    waha.create("main", json!({})).await;
    let (status, body) = waha.post("/api/sessions", json!({"name": "main"})).await;
    let expected = json!({
        "statusCode": 422,
        "message": "Session 'main' already exists. Use PUT to update it.",
        "error": "Unprocessable Entity",
    });
    assert_eq!((status, body), (422, expected));
}

#[tokio::test]
async fn an_unknown_session_is_not_found_by_its_own_routes_and_unprocessable_elsewhere() {
    let waha = waha(Dialect::Noweb).await;
    let missing = json!({"statusCode": 404, "message": "Session not found", "error": "Not Found"});
    assert_eq!(waha.get("/api/sessions/x").await, (404, missing.clone()));
    for action in ["start", "stop", "restart", "logout"] {
        let answer = waha
            .post(&format!("/api/sessions/x/{action}"), json!({}))
            .await;
        assert_eq!(answer, (404, missing.clone()), "{action}");
    }
    let (status, body) = waha
        .send(json!({"session": "x", "chatId": FRIEND, "text": "hi"}))
        .await;
    let expected = json!({"error": "Session \"x\" does not exist", "session": "x"});
    assert_eq!((status, body), (422, expected));
    let (_, body) = waha.send(json!({"chatId": FRIEND, "text": "hi"})).await;
    assert_eq!(body["error"], "Session \"undefined\" does not exist");
}

#[tokio::test]
async fn a_session_that_does_not_work_cannot_send() {
    let waha = waha(Dialect::Noweb).await;
    waha.create("main", json!({})).await;
    let (status, body) = waha
        .send(json!({"session": "main", "chatId": FRIEND, "text": "hi"}))
        .await;
    assert_eq!(status, 422);
    assert_eq!(
        (&body["status"], &body["expected"]),
        (&json!("STOPPED"), &json!(["WORKING"]))
    );
    assert!(body.get("statusCode").is_none() && body.get("message").is_none());
}

#[tokio::test]
async fn a_missing_chat_is_a_type_error_that_gives_the_request_away() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    let request = json!({"session": "main", "text": "secret"});
    let (status, body) = waha.send(request.clone()).await;
    assert_eq!((status, &body["statusCode"]), (500, &json!(500)));
    assert_eq!(body["exception"]["name"], "TypeError");
    assert!(body["exception"]["stack"].is_string());
    assert_eq!(body["request"]["body"], request);
    assert_eq!(body["request"]["path"], "/api/sendText");
    assert_eq!(body["request"]["method"], "POST");
    assert_eq!(body["version"]["version"], "2026.7.1");
}

#[tokio::test]
async fn a_chat_that_is_none_makes_each_engine_throw_its_own_error() {
    let errors = [
        (Dialect::Webjs, "not-a-chat", "wid error: invalid wid"),
        (Dialect::Noweb, "not-a-chat", "jidDecode"),
        (
            Dialect::Gows,
            "15550000002:3@c.us",
            "must be a user JID with no device part",
        ),
    ];
    for (engine, chat, expected) in errors {
        let waha = waha(engine).await;
        waha.working("main", json!({})).await;
        let (status, body) = waha
            .send(json!({"session": "main", "chatId": chat, "text": "hi"}))
            .await;
        let message = body["exception"]["message"].as_str().unwrap();
        assert!(status == 500 && message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn handlers_without_a_result_answer_with_nothing() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    let body = json!({"session": "main", "chatId": FRIEND});
    for path in ["/api/startTyping", "/api/stopTyping"] {
        let response = waha.call(Method::POST, path, Some(&body)).await;
        assert_eq!(response.status(), 201);
        assert!(response.bytes().await.unwrap().is_empty());
    }
    let (status, _) = waha
        .post("/api/main/presence", json!({"presence": "offline"}))
        .await;
    assert_eq!(status, 201);
    assert_eq!(
        waha.get("/api/sessions/main").await.1["presence"],
        "offline"
    );
}
