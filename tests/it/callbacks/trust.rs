//! What a report is believed: who may change what, what proves life, and what cannot be kept.

use mf_waha_sim::Inbound;
use serde_json::{Value, json};

use super::{deliver, envelope, report, sign, signing_key, text};
use crate::support::{Session, TestApp, soon};

const HEARD: &str =
    "SELECT count(*) FROM wa_session WHERE last_seen_at > now() - interval '1 hour'";
const RECEIVED: &str = "SELECT count(*) FROM event WHERE name = 'message.received'";
const KEPT: &str = "SELECT count(*) FROM rejected_callback";

/// An edit, or taking back, of the message of this bare id.
fn act(chat: &str, from_me: bool, id: &str) -> Value {
    json!({
        "id": format!("{from_me}_{chat}_ACT"), "timestamp": 1_790_000_005, "fromMe": from_me,
        "body": "rewritten", "editedMessageId": id, "revokedMessageId": id, "_data": {},
    })
}

/// Delivers an event that happened that many seconds ago.
async fn report_of(app: &TestApp, session: &Session, event: &str, payload: &Value, ago: i64) {
    let now = "SELECT (extract(epoch FROM now()) * 1000)::bigint";
    let mut envelope = envelope(session, event, payload);
    envelope["timestamp"] = json!(app.count(now).await - ago * 1000);
    let body = envelope.to_string();
    let signature = sign(&signing_key(app, session).await, &body);
    deliver(app, session, &body, &signature).await.expect(200);
}

#[tokio::test]
async fn whoever_knows_the_id_of_a_message_cannot_change_it_from_their_own_chat() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    report(&app, &session, "message.any", text("AA01", "theirs"))
        .await
        .expect(200);
    let theirs = json!({"id": events.named("message.received").await.data()["message_id"]});
    let ours = session.send("15550000002", "ours").await;
    let our_id = ours["wa_message_id"].as_str().unwrap();
    for (chat, from_me, id) in [
        ("15550000009@c.us", false, "AA01"),
        ("120363000000000001@g.us", false, "AA01"),
        ("15550000009@c.us", false, our_id),
        ("15550000002@c.us", false, our_id),
    ] {
        for event in ["message.edited", "message.revoked"] {
            report(&app, &session, event, act(chat, from_me, id))
                .await
                .expect(200);
        }
    }
    assert_eq!(session.message(&theirs).await["content"], "theirs");
    assert_eq!(session.message(&ours).await["content"], "ours");
    let changes = "SELECT count(*) FROM event WHERE name IN ('message.edited', 'message.revoked')";
    assert_eq!(app.count(changes).await, 0);

    let edit = act("15550000002@c.us", false, "AA01");
    report(&app, &session, "message.edited", edit)
        .await
        .expect(200);
    assert_eq!(session.message(&theirs).await["content"], "rewritten");
}

#[tokio::test]
async fn what_a_stranger_puts_anywhere_in_a_message_is_stored() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let mut odd = text("A\u{0}A", "look");
    odd["hasMedia"] = json!(true);
    odd["replyTo"] = json!({"id": "B\u{0}B"});
    odd["media"] = json!({"url": null, "mimetype": "a/\u{0}", "filename": "\u{0}.pdf"});
    odd["_data"] = json!({"notifyName": "N\u{0}", "message": {"documentMessage": {}}});
    report(&app, &session, "message.any", odd).await.expect(200);
    assert_eq!(app.count(RECEIVED).await, 1);
    let label = json!({"id": "7\u{0}", "name": "L\u{0}", "color": 1, "colorHex": "#\u{0}"});
    report(&app, &session, "label.upsert", label)
        .await
        .expect(200);
    assert_eq!(app.count("SELECT count(*) FROM wa_label").await, 1);
    assert_eq!(app.count(KEPT).await, 0);
}

#[tokio::test]
async fn what_the_database_cannot_hold_is_kept_for_somebody_to_look_at() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    // Longer than an index takes, and of nothing that could be pressed together.
    let endless: String = (0..400).map(|n| sign("key", &n.to_string())).collect();
    let label = json!({"id": endless, "name": "Lead", "color": 1, "colorHex": "#dfaef0"});
    report(&app, &session, "label.upsert", label)
        .await
        .expect(200);
    assert_eq!(app.count(KEPT).await, 1);
    let endless = text(&"A".repeat(300), "hello");
    report(&app, &session, "message.any", endless)
        .await
        .expect(200);
    assert_eq!(app.count(KEPT).await, 2);
    assert_eq!(app.count("SELECT count(*) FROM message").await, 0);
}

#[tokio::test]
async fn what_the_engine_can_say_of_a_dead_session_is_no_proof_of_life() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let silence = "UPDATE wa_session SET last_seen_at = now() - interval '2 hours'";
    sqlx::query(silence).execute(app.rows()).await.unwrap();
    let mut ours = text("3EB0OURS", "sent, says the engine");
    ours["id"] = json!("true_15550000002@c.us_3EB0OURS");
    ours["fromMe"] = json!(true);
    ours["source"] = json!("api");
    let theirs = text("AA01", "hello");
    for (event, payload, ago) in [
        ("message.any", &ours, 0),
        (
            "message.edited",
            &act("15550000002@c.us", true, "3EB0OURS"),
            0,
        ),
        ("engine.event", &json!({}), 0),
        // Repeated, because nobody took it when it came.
        ("message.any", &theirs, 120),
    ] {
        report_of(&app, &session, event, payload, ago).await;
        assert_eq!(app.count(HEARD).await, 0, "{event} {ago}");
    }
    report_of(&app, &session, "message.any", &text("AA02", "hello"), 0).await;
    assert_eq!(app.count(HEARD).await, 1);
}

#[tokio::test]
async fn a_message_that_was_found_as_history_and_is_reported_after_all_is_told() {
    let app = TestApp::builder()
        .engine(|engine| engine.seed = true)
        .start()
        .await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let looked = "SELECT count(*) FROM wa_session WHERE caught_up_at IS NOT NULL";
    soon(async { while app.count(looked).await == 0 {} }).await;
    assert_eq!(app.count(RECEIVED).await, 0);
    let newest = "SELECT m.wa_message_id, c.jid, m.content FROM message m
                  JOIN chat c ON c.id = m.chat_id
                  WHERE m.direction = 'inbound' AND m.message_type = 'text' AND NOT m.is_group
                  ORDER BY m.sort_at DESC LIMIT 1";
    let (id, chat, content): (String, String, String) =
        sqlx::query_as(newest).fetch_one(app.rows()).await.unwrap();
    let mut again = text(&id, &content);
    again["id"] = json!(format!("false_{chat}_{id}"));
    for _ in 0..2 {
        report(&app, &session, "message.any", again.clone())
            .await
            .expect(200);
        assert_eq!(app.count(RECEIVED).await, 1);
    }
    let inbound = Inbound::text("15550000002@c.us", "and now?");
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    app.taken(|record| record.body.contains("and now?")).await;
    assert_eq!(app.count(RECEIVED).await, 2);
}
