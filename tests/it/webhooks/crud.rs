use serde_json::{Value, json};

use super::{Hook, eventually, soon, start};
use crate::support::TestApp;

const URL: &str = "https://example.com/hooks?token=1";

#[tokio::test]
async fn a_webhook_is_made_with_the_documented_fields() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let body = json!({
        "name": " Orders ", "url": URL, "events": ["message.received", "lead.detected"],
    });
    let made = key.post("/webhooks", body).await.expect(201);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() >= 38, "{made}");
    let expected = json!({
        "id": made["id"], "name": "Orders", "url": URL,
        "events": ["message.received", "lead.detected"], "is_active": true, "has_secret": true,
        "created_at": made["created_at"], "updated_at": made["updated_at"],
        "last_delivery_at": null, "failure_count": 0,
        "disabled_reason": null, "disabled_at": null, "secret": secret,
    });
    assert_eq!(made, expected);
    for time in ["created_at", "updated_at"] {
        assert!(made[time].as_str().unwrap().ends_with('Z'), "{made}");
    }
}

#[tokio::test]
async fn its_secret_is_answered_at_its_making_and_never_again() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let chosen = "a secret, chosen by a client";
    for secret in [None, Some(chosen)] {
        let body = json!({"url": URL, "events": ["*"], "secret": secret});
        let hook = Hook::make(&key, body).await;
        if let Some(chosen) = secret {
            assert_eq!(hook.secret, chosen);
        }
        let path = hook.path("");
        let list = key.get("/webhooks").await;
        let one = key.get(&path).await;
        let patched = key.patch(&path, json!({"name": "Renamed"})).await;
        let replaced = json!({"secret": "another secret of ours"});
        let replaced = key.patch(&path, replaced).await;
        let gone = key.delete(&path).await;
        for answer in [list, one, patched, replaced, gone] {
            let text = answer.text();
            assert_eq!(answer.status, 200, "{answer}");
            assert!(!text.contains(&hook.secret), "{answer}");
            assert!(!text.contains("another secret"), "{answer}");
            assert!(!text.contains("\"secret\""), "{answer}");
        }
    }
}

#[tokio::test]
async fn no_row_holds_a_secret_that_can_be_read() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let body = json!({"url": URL, "events": ["*"], "secret": "zebra-quartz-zebra"});
    let hook = Hook::make(&key, body).await;
    let rotate = json!({"secret": "zebra-onyx-zebra"});
    key.post(&hook.path("/rotate-secret"), rotate)
        .await
        .expect(200);
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT secret FROM webhook UNION ALL SELECT previous_secret FROM webhook",
    )
    .fetch_all(app.rows())
    .await
    .unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let read = row.windows(5).any(|five| five == b"zebra");
        assert!(!read, "the secret is in its row");
    }
}

#[tokio::test]
async fn a_webhook_without_a_name_is_called_as_its_host() {
    let app = TestApp::start().await;
    let body = json!({"url": "https://hooks.example.com:8443/a?b=c", "events": ["*"]});
    let made = app.full_key().post("/webhooks", body).await.expect(201);
    assert_eq!(made["name"], "hooks.example.com");
}

#[tokio::test]
async fn events_that_are_named_twice_are_kept_once() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let events = json!(["message.sent", "message.received", "message.sent"]);
    let hook = Hook::make(&key, json!({"url": URL, "events": events})).await;
    let expected = json!(["message.sent", "message.received"]);
    assert_eq!(hook.get().await["events"], expected);
    let patched = hook.patch(json!({"events": ["*", "*"]})).await;
    assert_eq!(patched["events"], json!(["*"]));
}

#[tokio::test]
async fn a_new_webhook_is_well_and_has_nothing_behind_it() {
    let app = TestApp::start().await;
    let hook = Hook::on(&app.full_key(), URL, &["*"]).await;
    let shown = hook.get().await;
    let expected = json!({
        "status": "healthy", "pending": 0, "dead": 0, "oldest_pending_at": null,
        "next_attempt_at": null, "delivered_count": 0, "failed_attempt_count": 0,
        "success_rate": null, "latency_ms": null, "failing_since": null, "last_error": null,
        "blocked_until": null,
    });
    assert_eq!(shown["health"], expected);
    assert_eq!(shown["secret_rotation"], Value::Null);
    let deliveries = hook.client.get(&hook.path("/deliveries")).await.expect(200);
    let expected = json!({
        "items": [], "total": 0, "limit": 50, "offset": 0, "has_more": false,
    });
    assert_eq!(deliveries, expected);
    let off = hook.patch(json!({"is_active": false})).await;
    assert_eq!(off["is_active"], false);
    assert_eq!(hook.get().await["health"]["status"], "off");
}

#[tokio::test]
async fn a_change_leaves_alone_what_it_does_not_name() {
    let app = TestApp::start().await;
    let hook = Hook::on(&app.full_key(), URL, &["message.sent"]).await;
    let mut expected = hook.patch(json!({})).await;
    for (patch, field) in [
        (json!({"name": " Renamed "}), "name"),
        (json!({"url": "https://example.org/"}), "url"),
        (json!({"events": ["*"]}), "events"),
        (json!({"is_active": false}), "is_active"),
        (json!({"is_active": true}), "is_active"),
        (
            json!({"name": null, "url": null, "unknown": 1}),
            "failure_count",
        ),
    ] {
        let patched = hook.patch(patch.clone()).await;
        expected["updated_at"] = patched["updated_at"].clone();
        match &patch[field] {
            Value::Null => {}
            Value::String(text) => expected[field] = json!(text.trim()),
            other => expected[field] = other.clone(),
        }
        assert_eq!(patched, expected, "{patch}");
        let shown = hook.get().await;
        assert_eq!(shown[field], expected[field], "{patch}");
    }
}

#[tokio::test]
async fn the_list_is_a_bare_one_newest_first() {
    let app = TestApp::start().await;
    let key = app.full_key();
    assert_eq!(key.get("/webhooks").await.expect(200), json!([]));
    for name in ["one", "two", "three"] {
        Hook::make(&key, json!({"name": name, "url": URL, "events": ["*"]})).await;
    }
    let names = async |query: &str| {
        let list = key.get(&format!("/webhooks{query}")).await.expect(200);
        let list = list.as_array().unwrap().clone();
        let name = |one: &Value| one["name"].as_str().unwrap().to_owned();
        list.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["three", "two", "one"]);
    assert_eq!(names("?limit=1").await, ["three"]);
    assert_eq!(names("?limit=2&offset=1").await, ["two", "one"]);
    assert_eq!(names("?offset=3").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_deleted_webhook_is_gone_and_what_waited_for_it() {
    let mut scene = super::Scene::set().await;
    let hook = scene.hook("/gone").await;
    let other = scene.hook("/stays").await;
    scene
        .receiver
        .answer("/gone", crate::support::Told::status(500));
    scene.tell("one").await;
    let waiting = hook.attempted(1).await;
    let deleted = scene.key.delete(&hook.path("")).await.expect(200);
    assert_eq!(deleted, json!({"status": "deleted", "id": hook.id}));
    for path in [hook.path(""), hook.path("/deliveries")] {
        let answer = scene.key.get(&path).await;
        assert_eq!(answer.refused(404), "Webhook not found");
    }
    let id = waiting[0]["id"].as_str().unwrap();
    let answer = scene.key.get(&format!("/webhooks/deliveries/{id}")).await;
    assert_eq!(answer.refused(404), "Delivery not found");
    let again = scene.key.delete(&hook.path("")).await;
    assert_eq!(again.refused(404), "Webhook not found");
    // Nothing goes there any more, and what goes elsewhere still does.
    super::pass_time(&scene.app).await;
    scene.tell("two").await;
    scene.receiver.arrived("/stays", 2).await;
    assert_eq!(scene.receiver.arrivals("/gone").len(), 1);
    assert_eq!(other.get().await["health"]["status"], "healthy");
}

#[tokio::test]
async fn a_webhook_that_is_deleted_while_it_is_being_told_does_no_harm() {
    let mut scene = super::Scene::set().await;
    let hook = scene.hook("/slow").await;
    let other = scene.hook("/quick").await;
    let held = scene.receiver.hold("/slow");
    scene.tell("one").await;
    scene.receiver.arrived("/slow", 1).await;
    scene.key.delete(&hook.path("")).await.expect(200);
    held.release();
    scene.tell("two").await;
    scene.receiver.arrived("/quick", 2).await;
    let delivered = other.attempted(2).await;
    assert!(delivered.iter().all(|one| one["status"] == "delivered"));
    assert_eq!(
        scene
            .app
            .count("SELECT count(*) FROM webhook_delivery")
            .await,
        2
    );
}

/// Whoever is just telling an event is waited for, and those who come after are not.
#[tokio::test]
async fn a_webhook_that_is_being_deleted_is_off_for_everybody_at_once() {
    let app = start().await;
    let key = app.full_key();
    let hook = Hook::on(&key, URL, &["*"]).await;
    let mut telling = app.rows().begin().await.unwrap();
    sqlx::query("SELECT FROM webhook FOR KEY SHARE")
        .execute(&mut *telling)
        .await
        .unwrap();
    let path = hook.path("");
    let (deleted, ()) = tokio::join!(key.delete(&path), async {
        let waits = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                     WHERE a.datname = current_database() AND NOT l.granted";
        soon(eventually(async || {
            (app.count(waits).await > 0).then_some(())
        }))
        .await;
        let on = "SELECT count(*) FROM webhook WHERE is_active";
        assert_eq!(app.count(on).await, 0);
        telling.commit().await.unwrap();
    });
    deleted.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM webhook").await, 0);
    assert_eq!(key.delete(&path).await.refused(404), "Webhook not found");
}

#[tokio::test]
async fn the_log_and_the_webhooks_do_not_stand_in_each_others_way() {
    let app = start().await;
    let key = app.full_key();
    // No webhook has that id, and no delivery this one.
    let answer = key.get("/webhooks/deliveries").await;
    assert_eq!(
        answer.faults(),
        ["path.webhook_id: value is not a valid uuid (type_error.uuid)"]
    );
    let nothing = "0197f000-0000-7000-8000-000000000001";
    for (path, sentence) in [
        (
            format!("/webhooks/deliveries/{nothing}"),
            "Delivery not found",
        ),
        (
            format!("/webhooks/{nothing}/deliveries"),
            "Webhook not found",
        ),
        (format!("/webhooks/{nothing}"), "Webhook not found"),
    ] {
        assert_eq!(key.get(&path).await.refused(404), sentence, "{path}");
    }
    for (path, sentence) in [
        (
            format!("/webhooks/deliveries/{nothing}/replay"),
            "Delivery not found",
        ),
        (
            format!("/webhooks/{nothing}/replay?since=2026-01-01T00:00:00Z"),
            "Webhook not found",
        ),
        (format!("/webhooks/{nothing}/test"), "Webhook not found"),
        (
            format!("/webhooks/{nothing}/rotate-secret"),
            "Webhook not found",
        ),
    ] {
        assert_eq!(key.order(&path).await.refused(404), sentence, "{path}");
    }
}
