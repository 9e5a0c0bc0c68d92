use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn settings_begin_open_for_whoever_runs_the_server() {
    let app = TestApp::start().await;
    let settings = app.full_key().get("/tenant/settings").await.expect(200);
    let expected = json!({
        "chat_history_access_enabled": true,
        "message_retention_days": null,
        "store_message_content": "full",
    });
    assert_eq!(settings, expected);
}

#[tokio::test]
async fn a_change_leaves_alone_what_it_does_not_name() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let mut expected = owner.get("/tenant/settings").await.expect(200);
    for (patch, field) in [
        (
            json!({"message_retention_days": 30}),
            "message_retention_days",
        ),
        (
            json!({"store_message_content": "preview"}),
            "store_message_content",
        ),
        (
            json!({"chat_history_access_enabled": false}),
            "chat_history_access_enabled",
        ),
        (
            json!({"message_retention_days": 3650}),
            "message_retention_days",
        ),
        // For ever.
        (
            json!({"message_retention_days": null}),
            "message_retention_days",
        ),
        (
            json!({"store_message_content": "full"}),
            "store_message_content",
        ),
    ] {
        let answered = owner.patch("/tenant/settings", patch.clone()).await;
        expected[field] = patch[field].clone();
        assert_eq!(answered.expect(200), expected, "{patch}");
        assert_eq!(owner.get("/tenant/settings").await.expect(200), expected);
    }
    let nothing = json!({
        "chat_history_access_enabled": null, "store_message_content": null, "unknown": 1,
    });
    let answered = owner.patch("/tenant/settings", nothing).await;
    assert_eq!(answered.expect(200), expected);
}

#[tokio::test]
async fn a_change_that_makes_no_sense_changes_nothing() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let before = owner.get("/tenant/settings").await.expect(200);
    for (field, value) in [
        ("message_retention_days", json!(0)),
        ("message_retention_days", json!(-1)),
        ("message_retention_days", json!(3651)),
        ("message_retention_days", json!(1.5)),
        ("message_retention_days", json!("a week")),
        ("store_message_content", json!("none")),
        ("store_message_content", json!(1)),
        ("chat_history_access_enabled", json!("maybe")),
    ] {
        let patch = json!({field: value, "chat_history_access_enabled": false});
        let patch = if field == "chat_history_access_enabled" {
            json!({field: value})
        } else {
            patch
        };
        let faults = owner.patch("/tenant/settings", patch).await.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].starts_with(&format!("body.{field}: ")),
            "{faults:?}"
        );
    }
    assert_eq!(owner.get("/tenant/settings").await.expect(200), before);
}

#[tokio::test]
async fn members_see_the_settings_and_do_not_change_them() {
    let patch = json!({"message_retention_days": 7});
    for (role, status) in [("member", 403), ("admin", 200), ("owner", 200)] {
        let app = TestApp::start().await;
        sqlx::query("UPDATE app_user SET role = $1")
            .bind(role)
            .execute(app.rows())
            .await
            .unwrap();
        let somebody = app.owner().await;
        somebody.get("/tenant/settings").await.expect(200);
        let answer = somebody.patch("/tenant/settings", patch.clone()).await;
        assert_eq!(answer.status, status, "{role}: {answer}");
    }
}

#[tokio::test]
async fn a_key_changes_settings_by_its_scope_alone() {
    let app = TestApp::start().await;
    let patch = json!({"message_retention_days": 7});
    let reader = app.key(&["settings:read"]).await;
    reader.get("/tenant/settings").await.expect(200);
    let answer = reader.patch("/tenant/settings", patch.clone()).await;
    assert_eq!(
        answer.refused(403),
        "Missing required scope: settings:manage"
    );
    let manager = app.key(&["settings:manage"]).await;
    manager.patch("/tenant/settings", patch).await.expect(200);
    let other = app.key(&["messages:send"]).await;
    other.get("/tenant/settings").await.refused(403);
}

#[tokio::test]
async fn each_tenant_has_its_own() {
    let app = TestApp::start().await;
    let neighbour = app.other_tenant().await.key;
    let patch = json!({"message_retention_days": 7});
    neighbour.patch("/tenant/settings", patch).await.expect(200);
    let own = app.full_key().get("/tenant/settings").await.expect(200);
    assert_eq!(own["message_retention_days"], json!(null));
}

#[tokio::test]
async fn a_setting_that_would_protect_and_is_not_enforced_is_refused() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let patch = json!({"allowed_numbers": ["15550000001"], "require_approval": true});
    assert_eq!(
        owner.patch("/tenant/settings", patch).await.faults(),
        [
            "body.allowed_numbers: this server does not enforce this setting yet \
             (value_error.not_supported)",
            "body.require_approval: this server does not enforce this setting yet \
             (value_error.not_supported)",
        ]
    );
}
