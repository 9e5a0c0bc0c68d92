//! Payloads as each of WAHA's engines sends them.

use mf_domain::{Jid, MessageKind, MessageStatus, SessionStatus, WaMessageId};
use mf_engine::{Callback, EngineEvent, InboundMessage};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::decode;

fn read(body: &[u8]) -> Result<Callback, String> {
    decode::decode(body).map(|report| report.callback)
}

fn envelope(event: &str, payload: &Value) -> Value {
    json!({
        "id": "evt_01aaaaaaaaaaaaaaaaaaaaaaaa",
        "timestamp": 1_783_641_600_123_i64,
        "event": event,
        "session": "mf_00000000000000000000000000000007",
        "metadata": {"tenant_id": "8", "session_id": "7"},
        "me": {"id": "15550000001@c.us", "pushName": "Me"},
        "payload": payload,
        "engine": "NOWEB",
        "environment": {"version": "2026.7.1", "engine": "NOWEB", "tier": "CORE", "browser": null},
    })
}

fn callback(event: &str, payload: &Value) -> Result<Callback, String> {
    read(envelope(event, payload).to_string().as_bytes())
}

fn event(name: &str, payload: &Value) -> EngineEvent {
    callback(name, payload).unwrap().event
}

fn message(payload: &Value) -> InboundMessage {
    match event("message.any", payload) {
        EngineEvent::Message(message) => *message,
        other => panic!("{other:?}"),
    }
}

fn ignored(name: &str) -> EngineEvent {
    EngineEvent::Ignored {
        name: name.to_owned(),
    }
}

fn jid(text: &str) -> Jid {
    Jid::parse(text).unwrap()
}

#[test]
fn the_envelope_says_what_when_and_whose() {
    let callback = callback("presence.update", &Value::Null).unwrap();
    assert_eq!(
        callback.id.as_deref(),
        Some("evt_01aaaaaaaaaaaaaaaaaaaaaaaa")
    );
    assert_eq!(
        callback.session.as_str(),
        "mf_00000000000000000000000000000007"
    );
    assert_eq!(callback.at.unwrap().timestamp_millis(), 1_783_641_600_123);
    assert_eq!(callback.me.unwrap().push_name.as_deref(), Some("Me"));
    assert_eq!(callback.event, ignored("presence.update"));
}

#[test]
fn an_envelope_of_2024_has_neither_id_nor_time() {
    let mut old = envelope("session.status", &json!({"name": "s", "status": "WORKING"}));
    for name in ["id", "timestamp", "me", "metadata", "environment"] {
        old.as_object_mut().unwrap().remove(name);
    }
    let callback = read(old.to_string().as_bytes()).unwrap();
    assert_eq!((callback.id, callback.at, callback.me), (None, None, None));
}

#[test]
fn a_status_is_dated_by_its_last_entry_in_the_history() {
    let payload = json!({
        "name": "s", "status": "STARTING", "data": null,
        "statuses": [
            {"status": "STARTING", "timestamp": 1_783_641_600_000_i64},
            {"status": "WORKING", "timestamp": 1_783_641_601_000_i64},
            {"status": "STARTING", "timestamp": "1783641602000"},
        ],
    });
    let EngineEvent::Status(report) = event("session.status", &payload) else {
        panic!("a status");
    };
    assert_eq!(report.status, Some(SessionStatus::Starting));
    assert_eq!(report.since.unwrap().timestamp(), 1_783_641_602);
}

#[test]
fn every_status_has_a_word_and_a_new_one_keeps_its_own() {
    for (raw, status) in [
        ("STOPPED", Some(SessionStatus::Stopped)),
        ("STARTING", Some(SessionStatus::Starting)),
        ("SCAN_QR_CODE", Some(SessionStatus::QrCode)),
        ("PASSKEY_REQUIRED", Some(SessionStatus::QrCode)),
        ("PASSKEY_CONFIRMATION_REQUIRED", Some(SessionStatus::QrCode)),
        ("WORKING", Some(SessionStatus::Working)),
        ("FAILED", Some(SessionStatus::Failed)),
        ("HIBERNATING", None),
    ] {
        let EngineEvent::Status(report) = event("session.status", &json!({"status": raw})) else {
            panic!("a status");
        };
        assert_eq!((report.raw.as_str(), report.status), (raw, status));
    }
}

#[test]
fn noweb_tells_a_message_of_ours_as_if_from_the_other() {
    let seen = message(&json!({
        "id": "true_15550000002@c.us_3EB0AA", "timestamp": "1783641600", "from": "15550000002@c.us",
        "fromMe": true, "source": "api", "to": null, "participant": null, "body": "hello",
        "hasMedia": false, "media": null, "ack": 0, "ackName": "PENDING",
        "replyTo": {"id": "3EB0BB", "body": "?"},
        "_data": {
            "key": {"remoteJid": "15550000002@s.whatsapp.net", "fromMe": true, "id": "3EB0AA"},
            "message": {"extendedTextMessage": {"text": "hello"}}, "pushName": "Me",
        },
    }));
    assert_eq!(
        (seen.id, seen.chat),
        (WaMessageId::new("3EB0AA"), jid("15550000002@c.us"))
    );
    assert!(seen.from_me && seen.via_api);
    assert_eq!(seen.sender_name, None, "ours is no name of the other");
    assert_eq!(seen.reply_to, Some(WaMessageId::new("3EB0BB")));
    assert_eq!(seen.status, Some(MessageStatus::Pending));
    assert_eq!(seen.at.timestamp(), 1_783_641_600);
}

#[test]
fn gows_names_the_writer_where_others_name_the_receiver() {
    let seen = message(&json!({
        "id": "false_120363040000000000@g.us_AA_15550000002:7@s.whatsapp.net",
        "timestamp": 1_783_641_600, "from": "120363040000000000@g.us", "fromMe": false,
        "to": "15550000002@c.us", "participant": "15550000002@c.us", "body": null,
        "hasMedia": true, "media": {"url": null, "mimetype": "audio/ogg", "error": {"code": 13}},
        "ack": null, "ackName": "UNKNOWN",
        "_data": {"Info": {"PushName": "Ada"}, "Message": {"audioMessage": {"PTT": true}}},
    }));
    assert_eq!(seen.chat, jid("120363040000000000@g.us"));
    assert_eq!(seen.participant, Some(jid("15550000002@c.us")));
    assert_eq!((seen.kind, seen.text), (MessageKind::Voice, None));
    assert_eq!(seen.sender_name.as_deref(), Some("Ada"));

    let ours = message(&json!({
        "id": "true_220000055551@lid_3EB0_15550000001@c.us", "timestamp": 1_783_641_600,
        "body": "hello", "ack": 1, "_data": {"Message": {"conversation": "hello"}},
    }));
    assert_eq!(
        (ours.chat, ours.participant),
        (jid("220000055551@lid"), None)
    );
    assert!(!ours.via_api, "nothing says that it was");
}

#[test]
fn webjs_may_show_ids_as_objects_and_places_as_pictures() {
    let seen = message(&json!({
        "id": {"fromMe": false, "_serialized": "false_15550000002@c.us_AA"},
        "timestamp": 1_783_641_600.5, "from": "15550000002@c.us", "to": "15550000001@c.us",
        "body": "/9j/4AAQSkZJRgABAQAAAQ", "location": {"latitude": 1.5, "name": "Harbour"},
        "_data": {"type": "location", "notifyName": "Ada"},
    }));
    assert_eq!(
        (seen.kind, seen.text.as_deref()),
        (MessageKind::Location, Some("Harbour"))
    );
    assert_eq!(seen.sender_name.as_deref(), Some("Ada"));
}

#[test]
fn a_message_without_a_time_has_that_of_its_report() {
    let payload = json!({"id": "false_15550000002@c.us_AA", "timestamp": null, "body": "hello"});
    assert_eq!(message(&payload).at.timestamp_millis(), 1_783_641_600_123);
}

#[test]
fn acks_say_how_far_a_message_came() {
    for (ack, name, status) in [
        (json!(-1), "ERROR", MessageStatus::Failed),
        (json!(1), "SERVER", MessageStatus::Sent),
        (json!("2"), "DEVICE", MessageStatus::Delivered),
        (json!(null), "READ", MessageStatus::Read),
        (json!(4), "PLAYED", MessageStatus::Played),
    ] {
        for event_name in ["message.ack", "message.ack.group"] {
            let payload = json!({
                "id": "true_120363040000000000@g.us_3EB0_15550000001@c.us",
                "from": "120363040000000000@g.us", "participant": "15550000002@c.us",
                "fromMe": true, "ack": ack, "ackName": name,
            });
            let expected = EngineEvent::Ack {
                id: WaMessageId::new("3EB0"),
                chat: jid("120363040000000000@g.us"),
                from_me: true,
                status,
            };
            assert_eq!(event(event_name, &payload), expected);
        }
    }
}

#[test]
fn what_says_nothing_is_ignored() {
    let id = "true_15550000002@c.us_3EB0";
    for (name, payload) in [
        (
            "message.ack",
            json!({"id": id, "ack": 0, "ackName": "PENDING"}),
        ),
        (
            "message.ack",
            json!({"id": id, "ack": null, "ackName": "UNKNOWN"}),
        ),
        (
            "message",
            json!({"id": id, "timestamp": 1, "body": "told by message.any as well"}),
        ),
        (
            "message.any",
            json!({"id": id, "_data": {"type": "e2e_notification"}}),
        ),
        ("call.received", json!({})),
        ("event.of.the.future", json!({"a": 1})),
    ] {
        assert_eq!(event(name, &payload), ignored(name));
    }
}

#[test]
fn what_cannot_be_read_says_why_and_nothing_else() {
    for (body, reason) in [
        (
            r#"{"text":"secret"#.to_owned(),
            "no JSON at line 1, column 15",
        ),
        ("[]".to_owned(), "the event has no name"),
        (
            json!({"event": "message.any"}).to_string(),
            "the event names no session",
        ),
        (
            json!({"event": "message.any", "session": "secret"}).to_string(),
            "the session is none of this server's",
        ),
        (
            envelope("session.status", &json!({})).to_string(),
            "the status is missing",
        ),
        (
            envelope("message.any", &json!({"body": "secret"})).to_string(),
            "the message has no id",
        ),
        (
            envelope("message.any", &json!({"id": "false_1@secret_AA"})).to_string(),
            "the message's id names no chat that is known here",
        ),
    ] {
        assert_eq!(read(body.as_bytes()).unwrap_err(), reason);
    }
    assert!(read(&[0xff, 0xfe]).is_err());
    assert!(read("[".repeat(1000).as_bytes()).is_err());
}

/// Any JSON, of the members that are looked at and others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9@._]{0,12}".prop_map(Value::from),
        Just(Value::from("true_15550000002@c.us_3EB0")),
        Just(Value::from("WORKING")),
    ];
    let name = prop_oneof![
        Just("id"),
        Just("_serialized"),
        Just("timestamp"),
        Just("status"),
        Just("statuses"),
        Just("ack"),
        Just("_data"),
        Just("message"),
        Just("Message"),
        Just("ephemeralMessage"),
        Just("Info"),
        Just("media"),
        Just("location"),
        Just("body"),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_payload_makes_the_reader_stumble(
        payload in any_json(),
        name in prop_oneof![
            Just("session.status"), Just("message.any"), Just("message.ack"), Just("other"),
        ],
    ) {
        let _ = callback(name, &payload);
    }

    #[test]
    fn no_bytes_do_either(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = read(&body);
    }
}
