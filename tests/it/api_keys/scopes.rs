use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

async fn create(app: &TestApp, body: Value) -> Answer {
    app.full_key().post("/api-keys", body).await
}

#[tokio::test]
async fn a_preset_stands_for_its_scopes() {
    let app = TestApp::start().await;
    for (preset, scopes) in [
        ("Messaging", json!(["sessions:read", "messages:send"])),
        (
            "Outreach",
            json!([
                "sessions:read",
                "messages:send",
                "custom-groups:manage",
                "bulk-send:manage",
                "scheduled:manage",
                "leads:read",
            ]),
        ),
        ("Full Access", json!(["*"])),
    ] {
        let body = json!({"name": preset, "preset": preset});
        let key = create(&app, body).await.expect(201);
        assert_eq!(key["scopes"], scopes, "{preset}");
    }
    let body = json!({"name": "reader", "preset": "Read Only"});
    let key = create(&app, body).await.expect(201);
    let scopes = key["scopes"].as_array().unwrap();
    assert!(scopes.len() > 10, "{key}");
    assert!(
        scopes
            .iter()
            .all(|s| s.as_str().unwrap().ends_with(":read")),
        "{key}"
    );
}

#[tokio::test]
async fn every_unknown_scope_is_named_by_its_place() {
    let app = TestApp::start().await;
    let scopes = [
        "sessions:read",
        "sessions:write",
        "messages:send",
        "everything",
    ];
    let answer = create(&app, json!({"name": "a", "scopes": scopes})).await;
    let body = answer.expect(422);
    let places: Vec<&Value> = body["detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["loc"])
        .collect();
    // Positions are numbers.
    assert_eq!(
        places,
        [&json!(["body", "scopes", 1]), &json!(["body", "scopes", 3])]
    );
    assert_eq!(app.count("SELECT count(*) FROM api_key").await, 1);
}

#[tokio::test]
async fn a_key_without_scopes_may_do_everything() {
    let app = TestApp::start().await;
    for body in [
        json!({"name": "a"}),
        json!({"name": "b", "scopes": null}),
        json!({"name": "c", "scopes": []}),
    ] {
        let key = create(&app, body.clone()).await.expect(201);
        assert_eq!(key["scopes"], json!(["*"]), "{body}");
        let key = app.with_key(key["raw_key"].as_str().unwrap());
        key.get("/api-keys").await.expect(200);
    }
}

#[tokio::test]
async fn an_operator_can_ask_for_scopes() {
    let app = TestApp::builder();
    let app = app.set("MOLTFLOW_REQUIRE_KEY_SCOPES", true).start().await;
    for body in [json!({"name": "a"}), json!({"name": "a", "scopes": []})] {
        let faults = create(&app, body).await.faults();
        assert_eq!(
            faults,
            ["body.scopes: field required (value_error.missing)"]
        );
    }
    for body in [
        json!({"name": "a", "scopes": ["sessions:read"]}),
        json!({"name": "a", "preset": "Read Only"}),
        json!({"name": "a", "scopes": ["*"]}),
    ] {
        create(&app, body).await.expect(201);
    }
}

#[tokio::test]
async fn a_lesser_key_makes_no_keys_and_sees_none() {
    let app = TestApp::start().await;
    let own = app.full_key().get("/api-keys").await.expect(200)[0]["id"].clone();
    let path = format!("/api-keys/{}", own.as_str().unwrap());
    // Every resource there is, and still not `*`.
    let lesser = app
        .key(&["account:manage", "settings:manage", "sessions:manage"])
        .await;
    for answer in [
        lesser
            .post(
                "/api-keys",
                json!({"name": "a", "scopes": ["sessions:read"]}),
            )
            .await,
        lesser.get("/api-keys").await,
        lesser.get(&path).await,
        lesser.delete(&path).await,
        lesser.order(&format!("{path}/rotate")).await,
    ] {
        assert_eq!(answer.refused(403), "Missing required scope: *");
        assert_eq!(answer.header("x-required-scopes"), Some("*"));
    }
    assert_eq!(app.count("SELECT count(*) FROM api_key").await, 2);
}

#[tokio::test]
async fn the_right_to_change_comes_with_the_right_to_read() {
    let app = TestApp::start().await;
    let manager = app.key(&["sessions:manage"]).await;
    manager.get("/sessions").await.expect(200);
    let reader = app.key(&["sessions:read"]).await;
    reader.get("/sessions").await.expect(200);
    let answer = reader.post("/sessions", json!({"name": "a"})).await;
    assert_eq!(
        answer.refused(403),
        "Missing required scope: sessions:manage"
    );
    assert_eq!(answer.header("x-required-scopes"), Some("sessions:manage"));
}

#[tokio::test]
async fn a_member_who_logged_in_grants_no_more_than_they_have() {
    let app = TestApp::start().await;
    sqlx::query("UPDATE app_user SET role = 'member'")
        .execute(app.rows())
        .await
        .unwrap();
    let member = app.owner().await;
    let answer = member
        .post("/api-keys", json!({"name": "a", "scopes": ["*"]}))
        .await;
    assert_eq!(
        answer.refused(403),
        "An API key cannot grant more than its maker has"
    );
    let key = member
        .post("/api-keys", json!({"name": "a"}))
        .await
        .expect(201);
    assert_ne!(key["scopes"], json!(["*"]));
}
