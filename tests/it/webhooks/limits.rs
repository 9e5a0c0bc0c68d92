use serde_json::json;
use tokio::task::JoinSet;

use super::Hook;
use crate::support::TestApp;

const URL: &str = "https://example.com/hook";

/// So many webhooks, made without asking anybody.
async fn stock_up(app: &TestApp, client: &crate::support::Client, count: i32) {
    Hook::on(client, URL, &["*"]).await;
    for sql in [
        "INSERT INTO webhook (id, tenant_id, name, url, events, secret)
         SELECT gen_random_uuid(), tenant_id, name, url, events, secret
         FROM webhook, generate_series(2, $1)",
        "INSERT INTO webhook_state (webhook_id, tenant_id, allowance)
         SELECT id, tenant_id, $1 FROM webhook
         WHERE id NOT IN (SELECT webhook_id FROM webhook_state)",
    ] {
        let query = sqlx::query(sql).bind(count);
        query.execute(app.rows()).await.unwrap();
    }
}

#[tokio::test]
async fn the_hundred_and_first_webhook_is_refused() {
    let app = TestApp::start().await;
    let key = app.full_key();
    stock_up(&app, &key, 99).await;
    let hundredth = Hook::on(&key, URL, &["*"]).await;
    let body = json!({"url": URL, "events": ["*"]});
    let answer = key.post("/webhooks", body.clone()).await;
    assert!(answer.refused(403).contains("100"), "{answer}");
    let list = key.get("/webhooks").await.expect(200);
    assert_eq!(list.as_array().unwrap().len(), 100);
    // Others have their own.
    let neighbour = app.other_tenant().await.key;
    Hook::on(&neighbour, URL, &["*"]).await;
    key.delete(&hundredth.path("")).await.expect(200);
    key.post("/webhooks", body).await.expect(201);
}

#[tokio::test]
async fn many_who_make_webhooks_at_once_do_not_make_too_many() {
    let app = TestApp::start().await;
    let key = app.full_key();
    stock_up(&app, &key, 95).await;
    let mut making = JoinSet::new();
    for _ in 0..20 {
        let key = key.clone();
        let body = json!({"url": URL, "events": ["*"]});
        making.spawn(async move { key.post("/webhooks", body).await.status });
    }
    let statuses = making.join_all().await;
    let made = statuses.iter().filter(|status| **status == 201).count();
    let refused = statuses.iter().filter(|status| **status == 403).count();
    assert_eq!((made, refused), (5, 15), "{statuses:?}");
    assert_eq!(app.count("SELECT count(*) FROM webhook").await, 100);
}
