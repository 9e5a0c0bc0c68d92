use serde_json::{Value, json};

use super::{Hook, Scene, delivery, pass_time};
use crate::support::Told;

#[tokio::test]
async fn a_delivery_tells_what_became_of_it() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let taken = Told::status(202).body("taken \u{fffd}\u{7fff}");
    scene.receiver.answer("/hook", taken);
    let id = scene.tell("hello").await;
    let listed = hook.attempted(1).await.remove(0);
    let expected = json!({
        "id": listed["id"], "webhook_id": hook.id, "event_id": id, "event": "message.received",
        "status": "delivered", "attempt_count": 1, "next_attempt_at": null,
        "last_status_code": 202, "last_latency_ms": listed["last_latency_ms"],
        "last_error": null, "event_at": listed["event_at"], "created_at": listed["created_at"],
        "finished_at": listed["finished_at"],
    });
    assert_eq!(listed, expected);
    assert!(
        listed["last_latency_ms"].as_f64().unwrap() > 0.0,
        "{listed}"
    );
    for time in ["event_at", "created_at", "finished_at"] {
        assert!(listed[time].as_str().unwrap().ends_with('Z'), "{listed}");
    }
    let shown = delivery(&scene.key, &listed).await;
    for (field, value) in listed.as_object().unwrap() {
        assert_eq!(&shown[field], value, "{field}");
    }
    let attempts = json!([{
        "number": 1, "at": shown["attempts"][0]["at"], "status_code": 202,
        "latency_ms": listed["last_latency_ms"], "error": null,
        "response": "taken \u{fffd}\u{7fff}",
    }]);
    assert_eq!(shown["attempts"], attempts);
    let arrivals = scene.receiver.arrivals("/hook");
    assert_eq!(shown["payload"], arrivals[0].envelope());
    // And the webhook with it.
    let webhook = hook.get().await;
    assert_ne!(webhook["last_delivery_at"], Value::Null);
    assert_eq!(webhook["failure_count"], 0);
    let health = &webhook["health"];
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["delivered_count"], 1);
    assert_eq!(health["success_rate"], 1.0);
    assert_eq!(health["latency_ms"], listed["last_latency_ms"]);
}

#[tokio::test]
async fn deliveries_are_listed_by_what_is_asked_for() {
    let mut scene = Scene::set().await;
    let url = scene.receiver.url("/hook");
    let events = ["message.received", "message.sent"];
    let hook = Hook::on(&scene.key, &url, &events).await;
    scene.receiver.answer("/hook", Told::status(500));
    let first = scene.tell("one").await;
    hook.attempted(1).await;
    scene.receiver.answer("/hook", Told::status(200));
    let second = scene.tell("two").await;
    scene.session.send("15550000002", "three").await;
    let third = scene.events.named("message.sent").await.id.unwrap();
    hook.attempted(3).await;
    let ids = async |query: &str| -> Vec<String> {
        let deliveries = hook.deliveries(query).await;
        let id = |one: &Value| one["event_id"].as_str().unwrap().to_owned();
        deliveries.iter().map(id).collect()
    };
    let (one, two, three) = (first.as_str(), second.as_str(), third.as_str());
    assert_eq!(ids("").await, [three, two, one]);
    assert_eq!(ids("status=pending").await, [one]);
    assert_eq!(ids("status=delivered").await, [three, two]);
    assert_eq!(ids("status=dead").await, Vec::<String>::new());
    assert_eq!(ids("event=message.sent").await, [three]);
    let of_both = ids("event=message.received&status=delivered").await;
    assert_eq!(of_both, [two]);
    assert_eq!(ids("event=lead.detected").await, Vec::<String>::new());
    let middle = hook.deliveries("").await[1]["event_at"].clone();
    let middle = middle.as_str().unwrap();
    assert_eq!(ids(&format!("since={middle}")).await, [three, two]);
    assert_eq!(ids(&format!("until={middle}")).await, [one]);
    let page = hook
        .client
        .get(&hook.path("/deliveries?limit=1&offset=1"))
        .await
        .expect(200);
    assert_eq!(page["items"][0]["event_id"], json!(second));
    let envelope = json!({
        "items": page["items"], "total": 3, "limit": 1, "offset": 1, "has_more": true,
    });
    assert_eq!(page, envelope);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_sent_is_shown_to_those_who_may_read_messages() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.tell("for some eyes only").await;
    let listed = hook.attempted(1).await.remove(0);
    let shown = async |client: &crate::support::Client| delivery(client, &listed).await;
    let payload = shown(&scene.key).await["payload"].clone();
    assert_eq!(payload["data"]["message"], "for some eyes only");
    let reader = scene.app.key(&["webhooks:read"]).await;
    let without = shown(&reader).await;
    assert_eq!(without["payload"], Value::Null);
    assert_eq!(without["attempts"].as_array().unwrap().len(), 1);
    let both = scene.app.key(&["webhooks:read", "messages:read"]).await;
    assert_eq!(shown(&both).await["payload"], payload);

    let owner = scene.app.owner().await;
    let closed = json!({"chat_history_access_enabled": false});
    owner.patch("/tenant/settings", closed).await.expect(200);
    assert_eq!(shown(&both).await["payload"], Value::Null);
    assert_eq!(shown(&owner).await["payload"], payload);
}

#[tokio::test]
async fn a_delivery_outlives_its_event() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.tell("hello").await;
    let listed = hook.attempted(1).await.remove(0);
    sqlx::query("DELETE FROM event")
        .execute(scene.app.rows())
        .await
        .unwrap();
    let shown = delivery(&scene.key, &listed).await;
    assert_eq!(shown["payload"], Value::Null);
    assert_eq!(shown["status"], "delivered");
    let path = format!(
        "/webhooks/deliveries/{}/replay",
        listed["id"].as_str().unwrap()
    );
    let answer = scene.key.order(&path).await;
    assert_eq!(
        answer.refused(400),
        "The event is no longer kept: there is nothing to send"
    );
    pass_time(&scene.app).await;
    assert_eq!(scene.receiver.arrivals("/hook").len(), 1);
}

#[tokio::test]
async fn no_delivery_is_shown_to_anybody_else() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.tell("hello").await;
    let listed = hook.attempted(1).await.remove(0);
    let neighbour = scene.app.other_tenant().await.key;
    let id = listed["id"].as_str().unwrap();
    let path = format!("/webhooks/deliveries/{id}");
    assert_eq!(
        neighbour.get(&path).await.refused(404),
        "Delivery not found"
    );
    let replay = neighbour.order(&format!("{path}/replay")).await;
    assert_eq!(replay.refused(404), "Delivery not found");
    for rest in ["", "/deliveries"] {
        let answer = neighbour.get(&hook.path(rest)).await;
        assert_eq!(answer.refused(404), "Webhook not found", "{rest}");
    }
    for rest in [
        "/test",
        "/rotate-secret",
        "/replay?since=2026-01-01T00:00:00Z",
    ] {
        let answer = neighbour.order(&hook.path(rest)).await;
        assert_eq!(answer.refused(404), "Webhook not found", "{rest}");
    }
    assert_eq!(neighbour.get("/webhooks").await.expect(200), json!([]));
    assert_eq!(scene.receiver.arrivals("/hook").len(), 1);
}

#[tokio::test]
async fn the_delivery_log_holds_nothing_of_what_people_write() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.receiver.answer_once("/hook", Told::status(500));
    scene.tell("zebra-quartz").await;
    hook.attempted(1).await;
    pass_time(&scene.app).await;
    hook.attempted(2).await;
    for query in [
        "SELECT count(*) FROM webhook_delivery d WHERE d::text LIKE '%zebra%'",
        "SELECT count(*) FROM webhook_delivery d WHERE d::text LIKE '%15550000002%'",
        "SELECT count(*) FROM webhook_state s WHERE s::text LIKE '%zebra%'",
    ] {
        assert_eq!(scene.app.count(query).await, 0, "{query}");
    }
}
