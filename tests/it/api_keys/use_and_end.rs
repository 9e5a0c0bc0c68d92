use mf_server::Role;
use serde_json::{Value, json};

use crate::support::{Client, TestApp, soon};

/// A key and where to delete it.
async fn key(app: &TestApp) -> (Client, Value, String) {
    let body = json!({"name": "mortal", "preset": "Messaging"});
    let key = app.full_key().post("/api-keys", body).await.expect(201);
    let client = app.with_key(key["raw_key"].as_str().unwrap());
    let path = format!("/api-keys/{}", key["id"].as_str().unwrap());
    (client, key, path)
}

#[tokio::test]
async fn a_key_is_accepted_as_a_bearer_token() {
    let app = TestApp::start().await;
    let raw = app.full_key().secret().to_owned();
    app.with_bearer(&raw).get("/sessions").await.expect(200);
    let wrong = app.with_bearer("mf_wrong").get("/sessions").await;
    assert_eq!(wrong.refused(401), "Invalid API key");
}

#[tokio::test]
async fn a_deleted_key_is_refused_from_the_next_request_on() {
    let app = TestApp::start().await;
    let (mortal, key, path) = key(&app).await;
    // Once to look it up, once out of memory.
    mortal.get("/sessions").await.expect(200);
    mortal.get("/sessions").await.expect(200);
    let answer = app.full_key().delete(&path).await.expect(200);
    assert_eq!(answer, json!({"status": "deleted", "id": key["id"]}));
    let refused = mortal.get("/sessions").await;
    assert_eq!(refused.refused(401), "Invalid API key");
    app.full_key().get(&path).await.refused(404);
    app.full_key().delete(&path).await.refused(404);
}

#[tokio::test]
async fn a_rotated_key_is_another_key_with_the_same_id_and_scopes() {
    let app = TestApp::start().await;
    let (old, key, path) = key(&app).await;
    old.get("/sessions").await.expect(200);
    let rotated = app
        .full_key()
        .order(&format!("{path}/rotate"))
        .await
        .expect(200);
    for same in ["id", "name", "scopes", "created_at"] {
        assert_eq!(rotated[same], key[same], "{same}");
    }
    assert_ne!(rotated["raw_key"], key["raw_key"]);
    assert_ne!(rotated["key_prefix"], key["key_prefix"]);
    assert_eq!(old.get("/sessions").await.refused(401), "Invalid API key");
    let new = app.with_key(rotated["raw_key"].as_str().unwrap());
    new.get("/sessions").await.expect(200);
}

#[tokio::test]
async fn a_key_past_its_time_is_refused() {
    let app = TestApp::start().await;
    let (mortal, _, _) = key(&app).await;
    sqlx::query("UPDATE api_key SET expires_at = now() WHERE name = 'mortal'")
        .execute(app.rows())
        .await
        .unwrap();
    let answer = mortal.get("/sessions").await;
    assert_eq!(answer.refused(401), "Invalid API key");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_key_deleted_at_one_server_is_soon_refused_at_the_others() {
    let app = TestApp::start().await;
    let (mortal, _, path) = key(&app).await;
    let (second, origin) = app.second_server(Role::Http).await;
    let there = mortal.at(&origin);
    // Long enough for it to be kept in memory there.
    for _ in 0..20 {
        there.get("/sessions").await.expect(200);
    }
    app.full_key().delete(&path).await.expect(200);
    assert_eq!(
        mortal.get("/sessions").await.refused(401),
        "Invalid API key"
    );
    soon(async { while there.get("/sessions").await.status != 401 {} }).await;
    app.within(second.shutdown()).await;
}

#[tokio::test]
async fn a_key_that_was_used_says_so_once_the_server_has_gone_down() {
    let mut app = TestApp::start().await;
    let (mortal, key, _) = key(&app).await;
    assert_eq!(key["last_used_at"], Value::Null);
    mortal.get("/sessions").await.expect(200);
    app.stop().await;
    let used = "SELECT count(*) FROM api_key WHERE name = 'mortal' AND last_used_at IS NOT NULL";
    assert_eq!(app.count(used).await, 1);
}
