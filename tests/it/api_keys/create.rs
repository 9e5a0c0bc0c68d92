use serde_json::{Value, json};
use sha2::Digest as _;

use crate::support::TestApp;

#[tokio::test]
async fn a_new_key_is_shown_once_and_works() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let body = json!({"name": "n8n", "scopes": ["sessions:read", "messages:send"]});
    let key = owner.post("/api-keys", body).await.expect(201);
    let raw = key["raw_key"].as_str().unwrap();
    let letters = raw.strip_prefix("mf_").unwrap();
    assert!(letters.len() >= 40, "{raw}");
    assert!(letters.chars().all(|c| c.is_ascii_alphanumeric()), "{raw}");
    assert!(raw.starts_with(key["key_prefix"].as_str().unwrap()));
    assert_eq!(key["name"], "n8n");
    assert_eq!(key["scopes"], json!(["sessions:read", "messages:send"]));
    assert_eq!(key["is_active"], true);
    for unset in ["expires_at", "last_used_at"] {
        assert_eq!(key[unset], Value::Null, "{unset}");
    }
    assert!(key["created_at"].as_str().unwrap().ends_with('Z'));
    app.with_key(raw).get("/sessions").await.expect(200);

    // Nobody ever sees it again.
    let path = format!("/api-keys/{}", key["id"].as_str().unwrap());
    let shown = owner.get(&path).await;
    let mut expected = key.clone();
    expected.as_object_mut().unwrap().remove("raw_key");
    assert_eq!(shown.expect(200), expected);
    let list = owner.get("/api-keys").await;
    assert_eq!(list.expect(200)[0], expected);
    for answer in [shown, list] {
        assert!(!answer.text().contains(raw), "{answer}");
    }
}

#[tokio::test]
async fn keys_are_listed_newest_first() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    for name in ["one", "two"] {
        let body = json!({"name": name, "preset": "Messaging"});
        owner.post("/api-keys", body).await.expect(201);
    }
    let list = owner.get("/api-keys").await.expect(200);
    let names: Vec<&Value> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|k| &k["name"])
        .collect();
    assert_eq!(names, ["two", "one", "First key"]);
}

#[tokio::test]
async fn only_the_hash_of_a_key_is_kept() {
    let app = TestApp::start().await;
    let raw = app.full_key().secret().to_owned();
    let rows: Vec<String> = sqlx::query_scalar("SELECT k::text FROM api_key k")
        .fetch_all(app.rows())
        .await
        .unwrap();
    for row in rows {
        assert!(!row.contains(&raw), "{row}");
        assert!(!row.contains(&hex::encode(&raw)), "{row}");
    }
    let hash = sha2::Sha256::digest(&raw).to_vec();
    let found: i64 = sqlx::query_scalar("SELECT count(*) FROM api_key WHERE key_hash = $1")
        .bind(hash)
        .fetch_one(app.rows())
        .await
        .unwrap();
    assert_eq!(found, 1);
}

#[tokio::test]
async fn a_key_for_some_days_ends_after_them() {
    let app = TestApp::start().await;
    let body = json!({"name": "for a week", "expires_in_days": 7});
    let key = app.full_key().post("/api-keys", body).await.expect(201);
    let in_a_week: bool = sqlx::query_scalar(
        "SELECT expires_at BETWEEN now() + interval '6 days 23 hours' AND now() + interval '7 days'
         FROM api_key WHERE name = 'for a week'",
    )
    .fetch_one(app.rows())
    .await
    .unwrap();
    assert!(in_a_week, "{key}");
    assert!(key["expires_at"].as_str().unwrap().ends_with('Z'), "{key}");
}

#[tokio::test]
async fn a_key_needs_a_name_and_a_sane_time() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    for (body, place) in [
        (json!({}), "body.name: field required"),
        (json!({"name": ""}), "body.name: "),
        (json!({"name": "  "}), "body.name: "),
        (json!({"name": "x".repeat(101)}), "body.name: "),
        (json!({"name": 5}), "body.name: "),
        (
            json!({"name": "a", "expires_in_days": 0}),
            "body.expires_in_days: ",
        ),
        (
            json!({"name": "a", "expires_in_days": 4000}),
            "body.expires_in_days: ",
        ),
        (
            json!({"name": "a", "expires_in_days": "soon"}),
            "body.expires_in_days: ",
        ),
        (
            json!({"name": "a", "preset": "Everything"}),
            "body.preset: ",
        ),
        (
            json!({"name": "a", "scopes": "sessions:read"}),
            "body.scopes: ",
        ),
    ] {
        let faults = owner.post("/api-keys", body.clone()).await.faults();
        assert_eq!(faults.len(), 1, "{body}: {faults:?}");
        assert!(faults[0].starts_with(place), "{body}: {faults:?}");
    }
    assert_eq!(app.count("SELECT count(*) FROM api_key").await, 1);
}

#[tokio::test]
async fn a_key_that_is_not_there_is_not_found() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let path = "/api-keys/0197f000-0000-7000-8000-000000000000";
    assert_eq!(owner.get(path).await.refused(404), "API key not found");
    assert_eq!(owner.delete(path).await.refused(404), "API key not found");
    let rotated = owner.order(&format!("{path}/rotate")).await;
    assert_eq!(rotated.refused(404), "API key not found");
    let faults = owner.get("/api-keys/none").await.faults();
    assert_eq!(
        faults,
        ["path.key_id: value is not a valid uuid (type_error.uuid)"]
    );
}
