use serde_json::{Value, json};

use super::{Hook, start};
use crate::support::TestApp;

const URL: &str = "https://example.com/hook";
const NO_WEBHOOK: &str = "SELECT count(*) FROM webhook";

#[tokio::test]
async fn every_fault_of_a_webhook_is_told_at_once() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let answer = key.post("/webhooks", json!({})).await;
    assert_eq!(
        answer.faults(),
        [
            "body.url: field required (value_error.missing)",
            "body.events: field required (value_error.missing)",
        ]
    );
    let body = json!({
        "name": "", "url": "h".repeat(2049), "events": [], "is_active": "perhaps",
        "secret": "7 chars",
    });
    let faults = key.post("/webhooks", body).await.faults();
    let of = |field: &str| {
        let place = format!("body.{field}: ");
        let found = faults.iter().find(|fault| fault.starts_with(&place));
        found.unwrap_or_else(|| panic!("{field} is fine: {faults:?}"))
    };
    assert!(of("name").contains("at least 1 characters"));
    assert!(of("url").contains("at most 2048 characters"));
    assert!(of("events").contains("at least 1 items"));
    assert!(of("is_active").contains("boolean"));
    assert!(of("secret").contains("at least 8 characters"));
    let body = json!({
        "name": "n".repeat(101), "url": URL, "events": vec!["*"; 51], "secret": "s".repeat(256),
    });
    let faults = key.post("/webhooks", body).await.faults();
    assert_eq!(faults.len(), 3, "{faults:?}");
    let body = json!({"name": "  ", "url": URL, "events": ["*"]});
    assert_eq!(
        key.post("/webhooks", body).await.faults(),
        ["body.name: value is blank (value_error.blank)"]
    );
    assert_eq!(app.count(NO_WEBHOOK).await, 0);
}

#[tokio::test]
async fn an_unknown_event_is_named_by_its_place_with_those_that_are_known() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let events = json!(["message.received", "message", "*", "MESSAGE.SENT", ""]);
    let body = json!({"url": URL, "events": events});
    let answer = key.post("/webhooks", body).await;
    let faults = answer.faults();
    let places: Vec<Value> = answer.json()["detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["loc"].clone())
        .collect();
    // Positions are numbers.
    assert_eq!(
        json!(places),
        json!([
            ["body", "events", 1],
            ["body", "events", 3],
            ["body", "events", 4]
        ])
    );
    for known in ["*", "message.received", "lead.detected", "webhook.disabled"] {
        assert!(faults[0].contains(known), "{faults:?}");
    }
    let hook = Hook::on(&key, URL, &["*"]).await;
    let answer = key.patch(&hook.path(""), json!({"events": ["nope"]})).await;
    assert!(
        answer.faults()[0].starts_with("body.events.0: "),
        "{answer}"
    );
    assert_eq!(hook.get().await["events"], json!(["*"]));
}

#[tokio::test]
async fn every_documented_event_can_be_subscribed_to() {
    let app = TestApp::start().await;
    let events = json!([
        "message.received",
        "message.sent",
        "message.delivered",
        "message.read",
        "message.failed",
        "session.connected",
        "session.disconnected",
        "session.status",
        "lead.detected",
        "group.message",
        "group.message.analyzed",
        "bulk_send.completed",
        "schedule.executed",
        "review.collected",
        "*",
    ]);
    let body = json!({"url": URL, "events": events});
    let made = app.full_key().post("/webhooks", body).await.expect(201);
    assert_eq!(made["events"], events);
}

#[tokio::test]
async fn an_address_that_nothing_is_sent_to_is_refused_with_the_reason() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let hook = Hook::on(&key, URL, &["*"]).await;
    for (url, reason) in [
        ("nowhere", "The address is not a valid URL"),
        ("https://", "The address is not a valid URL"),
        ("http://example.com/", "Only https addresses are accepted"),
        ("ftp://example.com/", "Only https addresses are accepted"),
        (
            "https://user:word@example.com/",
            "The address contains credentials",
        ),
        ("https://10.0.0.7/", "The address is not public"),
        (
            "https://169.254.169.254/latest",
            "The address is not public",
        ),
        ("https://[::1]/", "The address is not public"),
        ("https://0x7f.1/", "The address is not public"),
        ("https://localhost/", "The address is not public"),
        (
            "https://example.com:22/",
            "The port of the address is not accepted",
        ),
        (
            "https://exam\tple.com/",
            "The address contains control characters",
        ),
        (
            "https://example.com/hook#here",
            "The address has a fragment (#…), which is never sent",
        ),
    ] {
        let expected = [format!("body.url: {reason} (value_error.url)")];
        let body = json!({"url": url, "events": ["*"]});
        assert_eq!(
            key.post("/webhooks", body).await.faults(),
            expected,
            "{url}"
        );
        let patched = key.patch(&hook.path(""), json!({"url": url})).await;
        assert_eq!(patched.faults(), expected, "{url}");
    }
    assert_eq!(app.count(NO_WEBHOOK).await, 1);
    assert_eq!(hook.get().await["url"], URL);
}

#[tokio::test]
async fn what_the_operator_allows_is_allowed() {
    let app = start().await;
    let key = app.full_key();
    for url in ["http://127.0.0.1:8080/a", "http://example.com/"] {
        Hook::on(&key, url, &["*"]).await;
    }
    let body = json!({"url": "http://10.0.0.7/", "events": ["*"]});
    assert_eq!(
        key.post("/webhooks", body).await.faults(),
        ["body.url: The address is not public (value_error.url)"]
    );
}

#[tokio::test]
async fn a_secret_that_cannot_be_copied_safely_is_refused() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let hook = Hook::on(&key, URL, &["*"]).await;
    for secret in [
        " begins blank",
        "ends blank ",
        "has\ta tab",
        "has\na line",
        "whsec_not base64!",
    ] {
        let body = json!({"url": URL, "events": ["*"], "secret": secret});
        let made = key.post("/webhooks", body).await;
        let patched = key.patch(&hook.path(""), json!({"secret": secret})).await;
        let rotated = hook.path("/rotate-secret");
        let rotated = key.post(&rotated, json!({"secret": secret})).await;
        for answer in [made, patched, rotated] {
            let faults = answer.faults();
            assert!(faults[0].starts_with("body.secret: "), "{answer}");
            assert!(!answer.text().contains(secret.trim()), "{answer}");
        }
    }
    assert_eq!(app.count(NO_WEBHOOK).await, 1);
}

#[tokio::test]
async fn a_key_that_may_read_webhooks_changes_none() {
    let app = TestApp::start().await;
    let hook = Hook::on(&app.full_key(), URL, &["*"]).await;
    let reader = app.key(&["webhooks:read"]).await;
    for path in [
        "/webhooks".to_owned(),
        hook.path(""),
        hook.path("/deliveries"),
    ] {
        assert_eq!(reader.get(&path).await.status, 200, "{path}");
    }
    let body = json!({"url": URL, "events": ["*"]});
    let since = hook.path("/replay?since=2026-01-01T00:00:00Z");
    for answer in [
        reader.post("/webhooks", body).await,
        reader.patch(&hook.path(""), json!({"name": "Mine"})).await,
        reader.delete(&hook.path("")).await,
        reader.order(&hook.path("/test")).await,
        reader.order(&hook.path("/rotate-secret")).await,
        reader.order(&since).await,
    ] {
        assert_eq!(
            answer.refused(403),
            "Missing required scope: webhooks:manage"
        );
        assert_eq!(answer.header("x-required-scopes"), Some("webhooks:manage"));
    }
    assert_eq!(hook.get().await["name"], "example.com");
    // Whoever may change them may look at them.
    let manager = app.key(&["webhooks:manage"]).await;
    assert_eq!(manager.get("/webhooks").await.status, 200);
    let stranger = app.key(&["messages:send"]).await;
    let answer = stranger.get("/webhooks").await;
    assert_eq!(answer.refused(403), "Missing required scope: webhooks:read");
}

#[tokio::test]
async fn what_cannot_be_replayed_is_refused_by_its_place() {
    let app = TestApp::start().await;
    let hook = Hook::on(&app.full_key(), URL, &["*"]).await;
    let refused = async |query: &str| hook.order(&format!("/replay{query}")).await.faults();
    let missing = "query.since: field required (value_error.missing)";
    let unreadable = "query.since: invalid datetime format (value_error.datetime)";
    assert_eq!(refused("").await, [missing]);
    assert_eq!(refused("?until=2026-01-01T00:00:00Z").await, [missing]);
    assert_eq!(refused("?since=").await, [missing]);
    assert_eq!(refused("?since=yesterday").await, [unreadable]);
    assert_eq!(refused("?since=2026-01-01").await, [unreadable]);
    assert_eq!(
        refused("?since=x&until=y").await,
        [
            unreadable,
            "query.until: invalid datetime format (value_error.datetime)"
        ]
    );
    let backwards = "?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z";
    assert_eq!(
        refused(backwards).await,
        ["query.until: until must be later than since (value_error.range)"]
    );
    let what = refused("?since=2026-01-01T00:00:00Z&what=some").await;
    assert!(what[0].starts_with("query.what: "), "{what:?}");
    // As many languages write it, without the escape that a URL would need.
    for since in ["2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00%2B01:00"] {
        let replayed = hook.order(&format!("/replay?since={since}")).await;
        assert_eq!(replayed.expect(200), json!({"replayed": 0}), "{since}");
    }
}

#[tokio::test]
async fn what_cannot_be_filtered_by_is_refused_by_its_place() {
    let app = TestApp::start().await;
    let hook = Hook::on(&app.full_key(), URL, &["*"]).await;
    for (query, place) in [
        ("status=lost", "query.status"),
        ("event=nope", "query.event"),
        ("since=then", "query.since"),
        ("until=now", "query.until"),
        ("limit=0", "query.limit"),
        ("limit=101", "query.limit"),
        ("offset=-1", "query.offset"),
    ] {
        let path = hook.path(&format!("/deliveries?{query}"));
        let faults = hook.client.get(&path).await.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with(&format!("{place}: ")), "{faults:?}");
    }
}
