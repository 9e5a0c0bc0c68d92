use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn whoever_logged_in_learns_who_they_are() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let me = owner.get("/auth/me").await.expect(200);
    assert_eq!(me["email"], "owner@moltflow.local");
    assert_eq!(me["role"], "owner");
    let tenant = json!({
        "id": app.first_run["tenant_id"], "name": "My business", "plan": "self_hosted",
    });
    assert_eq!(me["tenant"], tenant);
    assert!(me["created_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(owner.get("/users/me").await.expect(200), me);
}

#[tokio::test]
async fn a_key_learns_whose_it_is() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let me = owner.get("/auth/me").await.expect(200);
    // Whatever the key may do.
    let lesser = app.key(&["messages:read"]).await;
    for key in [app.full_key(), lesser] {
        assert_eq!(key.get("/auth/me").await.expect(200), me);
        assert_eq!(key.get("/users/me").await.expect(200), me);
    }
}

#[tokio::test]
async fn a_new_tenant_gets_the_plan_that_the_operator_named() {
    let app = TestApp::builder();
    let app = app.set("MOLTFLOW_DEFAULT_PLAN", "pro").start().await;
    let me = app.full_key().get("/users/me").await.expect(200);
    assert_eq!(me["tenant"]["plan"], "pro");
}
