//! Payloads as each of WAHA's engines sends them.

use mf_domain::{Jid, MessageKind, MessageStatus, SessionStatus, WaMessageId};
use mf_engine::{
    Attachment, Callback, EngineEvent, Identity, InboundMessage, MessageRef, PollVote, Reaction,
};
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
    let callback = callback("engine.event", &Value::Null).unwrap();
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
    assert_eq!(callback.event, ignored("engine.event"));
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
        (
            "group.v2.update",
            json!({"timestamp": 1, "group": {"id": "1@g.us", "membersCanSendMessages": true}}),
        ),
        (
            "presence.update",
            json!({"id": "15550000002@c.us", "presences": null}),
        ),
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

fn their_message(chat: &str, id: &str, participant: Option<&str>) -> MessageRef {
    MessageRef {
        chat: jid(chat),
        id: WaMessageId::new(id),
        from_me: false,
        participant: participant.map(jid),
    }
}

#[test]
fn who_is_named_is_read_from_each_library() {
    let base = json!({"id": "false_120363@g.us_AA_15550000002@c.us", "timestamp": 1, "body": "@1"});
    for data in [
        json!({"message": {"extendedTextMessage": {"text": "@1", "contextInfo":
            {"mentionedJid": ["15550000003@s.whatsapp.net", "22:1@lid", "nobody"]}}}}),
        json!({"Message": {"extendedTextMessage": {"text": "@1", "contextInfo":
            {"mentionedJID": ["15550000003@s.whatsapp.net", "22@lid"]}}}}),
        json!({"type": "chat", "mentionedJidList":
            ["15550000003@c.us", {"_serialized": "22@lid"}, "22@lid"]}),
    ] {
        let mut payload = base.clone();
        payload["_data"] = data;
        let named = message(&payload).mentions;
        assert_eq!(named, [jid("15550000003@c.us"), jid("22@lid")], "{payload}");
    }
}

#[test]
fn a_file_is_told_with_where_it_is() {
    let seen = message(&json!({
        "id": "false_220000055551@lid_AA", "timestamp": 1, "body": "look", "hasMedia": true,
        "media": {"url": "http://localhost:3000/api/files/s/AA.jpeg", "mimetype": "image/jpeg",
            "filename": null, "error": null},
        "_data": {"Info": {"MediaType": "image", "SenderAlt": "15550000002@s.whatsapp.net"},
            "Message": {"imageMessage": {"caption": "look"}}},
    }));
    let Some(Attachment::Media(media)) = &seen.attachment else {
        panic!("a file: {seen:?}");
    };
    assert!(media.url.as_deref().unwrap().ends_with("/AA.jpeg"));
    assert_eq!(media.mimetype.as_deref(), Some("image/jpeg"));
    assert_eq!(
        (media.filename.as_ref(), seen.text.as_deref()),
        (None, Some("look"))
    );
    let told = Identity {
        phone: jid("15550000002@c.us").phone().unwrap(),
        lid: jid("220000055551@lid"),
    };
    assert_eq!(seen.alternate, Some(told));
}

#[test]
fn a_reaction_names_the_message_and_the_person() {
    let payload = |from_me: bool, message_id: Value| {
        json!({
            "id": format!("{from_me}_120363@g.us_BB_15550000002@c.us"),
            "timestamp": 1_783_641_600.25, "from": "120363@g.us", "fromMe": from_me,
            "participant": "15550000002@c.us",
            "reaction": {"text": "👍", "messageId": message_id},
        })
    };
    let full = json!("false_120363@g.us_AA_15550000003@c.us");
    let message = their_message("120363@g.us", "AA", Some("15550000003@c.us"));
    for (from_me, sender) in [(false, Some(jid("15550000002@c.us"))), (true, None)] {
        let expected = EngineEvent::Reaction(Reaction {
            message: message.clone(),
            from_me,
            sender,
            emoji: "👍".to_owned(),
            at: chrono::DateTime::from_timestamp_millis(1_783_641_600_123).unwrap(),
        });
        assert_eq!(
            event("message.reaction", &payload(from_me, full.clone())),
            expected
        );
    }
    let mut gone = payload(false, json!("AA"));
    gone["reaction"]["text"] = Value::Null;
    let EngineEvent::Reaction(reaction) = event("message.reaction", &gone) else {
        panic!("a reaction");
    };
    assert_eq!(reaction.emoji, "");
    assert_eq!(reaction.message, their_message("120363@g.us", "AA", None));
}

#[test]
fn of_two_changes_in_one_second_the_one_told_later_is_later() {
    let payload = json!({
        "id": "false_15550000002@c.us_BB", "timestamp": 1_783_641_600, "fromMe": false,
        "reaction": {"text": "👍", "messageId": "AA"},
    });
    let at = |told: i64| {
        let mut envelope = envelope("message.reaction", &payload);
        envelope["timestamp"] = json!(told);
        match read(envelope.to_string().as_bytes()).unwrap().event {
            EngineEvent::Reaction(reaction) => reaction.at.timestamp_millis(),
            other => panic!("{other:?}"),
        }
    };
    let second = 1_783_641_600_000;
    assert_eq!(at(second + 120), second + 120);
    // What is told late is of that second all the same, and so it is by a clock that is behind.
    assert_eq!(at(second + 5000), second + 999);
    assert_eq!(at(second - 5000), second);
}

#[test]
fn an_edit_is_of_the_message_and_not_of_itself() {
    let payload = json!({
        "id": "false_15550000002@c.us_BB", "timestamp": 1_783_641_600, "fromMe": false,
        "body": "there", "editedMessageId": "AA", "_data": {"message": {"editedMessage":
            {"message": {"protocolMessage": {"type": "MESSAGE_EDIT"}}}}},
    });
    let EngineEvent::Edited { message, text, at } = event("message.edited", &payload) else {
        panic!("an edit");
    };
    assert_eq!(message, their_message("15550000002@c.us", "AA", None));
    assert_eq!((text.as_str(), at.timestamp()), ("there", 1_783_641_600));
    // The same is told as a message, too: it is none.
    assert_eq!(event("message.any", &payload), ignored("message.any"));
}

#[test]
fn what_was_taken_back_is_found_in_every_version() {
    let act = |id: &str, data: Value| {
        json!({"id": format!("false_15550000002@c.us_{id}"), "timestamp": 1_783_641_600,
            "fromMe": false, "_data": data})
    };
    for payload in [
        json!({"revokedMessageId": "AA", "before": null, "after": act("BB", json!({}))}),
        json!({"before": null, "after": act("BB", json!({"message": {"protocolMessage":
            {"type": "REVOKE", "key": {"id": "AA"}}}}))}),
        json!({"before": null, "after": act("BB", json!({"Message": {"protocolMessage":
            {"type": 0, "key": {"ID": "AA"}}}}))}),
        json!({"before": act("AA", json!({})), "after": act("BB", json!({}))}),
    ] {
        let EngineEvent::Revoked { message, at } = event("message.revoked", &payload) else {
            panic!("taken back: {payload}");
        };
        assert_eq!(
            message,
            their_message("15550000002@c.us", "AA", None),
            "{payload}"
        );
        assert_eq!(at.timestamp(), 1_783_641_600);
    }
}

#[test]
fn a_vote_is_all_that_is_chosen_now() {
    let payload = |options: Value| {
        json!({
            "vote": {"id": "false_120363@g.us_BB_22:3@lid", "from": "120363@g.us",
                "fromMe": false, "participant": "22@lid", "selectedOptions": options,
                "timestamp": 1_783_641_600_500_i64},
            "poll": {"id": "true_120363@g.us_3EB0_15550000001@c.us", "fromMe": true},
        })
    };
    let expected = |options: Option<&[&str]>| {
        EngineEvent::PollVote(PollVote {
            poll: MessageRef {
                from_me: true,
                ..their_message("120363@g.us", "3EB0", Some("15550000001@c.us"))
            },
            from_me: false,
            voter: Some(jid("22@lid")),
            options: options.map(|all| all.iter().map(|&one| one.to_owned()).collect()),
            at: chrono::DateTime::from_timestamp_millis(1_783_641_600_500).unwrap(),
        })
    };
    let both = payload(json!(["Now", "Later"]));
    assert_eq!(event("poll.vote", &both), expected(Some(&["Now", "Later"])));
    assert_eq!(event("poll.vote", &payload(json!([]))), expected(Some(&[])));
    assert_eq!(
        event("poll.vote.failed", &payload(json!([]))),
        expected(None)
    );
}

#[test]
fn a_change_of_nothing_is_kept_for_somebody_to_look_at() {
    let id = "false_15550000002@c.us_AA";
    for (name, payload, reason) in [
        (
            "message.reaction",
            json!({"id": id}),
            "the reaction names no message",
        ),
        (
            "message.edited",
            json!({"id": id, "body": "secret"}),
            "the change names no message",
        ),
        (
            "message.revoked",
            json!({"after": {"id": id}}),
            "the change names no message",
        ),
        ("message.revoked", json!({}), "the message has no id"),
        (
            "poll.vote",
            json!({"vote": {"id": id}}),
            "the message has no id",
        ),
    ] {
        assert_eq!(callback(name, &payload).unwrap_err(), reason);
    }
}

#[test]
fn a_callback_that_was_kept_is_read_like_any_other() {
    let body = envelope("session.status", &json!({"status": "WORKING"})).to_string();
    let kept = super::read_kept(body.as_bytes()).unwrap();
    assert!(matches!(kept.callback.event, EngineEvent::Status(_)));
    assert!(super::read_kept(b"{").is_err());
}

/// Names of members that are looked at.
const MEMBERS: &[&str] = &[
    "id",
    "_serialized",
    "timestamp",
    "status",
    "statuses",
    "ack",
    "_data",
    "message",
    "Message",
    "ephemeralMessage",
    "Info",
    "SenderAlt",
    "key",
    "remoteJidAlt",
    "media",
    "url",
    "mimetype",
    "location",
    "latitude",
    "body",
    "participant",
    "fromMe",
    "imageMessage",
    "contactMessage",
    "contactsArrayMessage",
    "contacts",
    "vcard",
    "vCards",
    "pollCreationMessageV3",
    "name",
    "options",
    "optionName",
    "contextInfo",
    "mentionedJid",
    "reaction",
    "messageId",
    "text",
    "editedMessageId",
    "revokedMessageId",
    "before",
    "after",
    "vote",
    "poll",
    "selectedOptions",
    "group",
    "participants",
    "role",
    "type",
    "labelId",
    "chatId",
    "label",
    "color",
    "from",
    "presences",
    "lastKnownPresence",
    "messageStubType",
    "replyTo",
    "hasMedia",
];

/// Every event that is asked for, and some other.
const EVENTS: &[&str] = &[
    "session.status",
    "message.any",
    "message.ack",
    "message.ack.group",
    "message.reaction",
    "message.edited",
    "message.revoked",
    "poll.vote",
    "poll.vote.failed",
    "group.v2.join",
    "group.v2.leave",
    "group.v2.update",
    "group.v2.participants",
    "label.upsert",
    "label.deleted",
    "label.chat.added",
    "label.chat.deleted",
    "call.received",
    "call.accepted",
    "call.rejected",
    "presence.update",
    "other",
];

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
        Just(Value::from("120363@g.us")),
        Just(Value::from("promote")),
        Just(Value::from(
            "false_120363040000000000@g.us_AA_15550000003@c.us"
        )),
        Just(Value::from("220000055551@lid")),
        Just(Value::from("BEGIN:VCARD\nFN:A\nTEL;waid=15550000002:+1")),
    ];
    let name = prop::sample::select(MEMBERS);
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// An object with several of these members at once.
fn any_object() -> impl Strategy<Value = serde_json::Map<String, Value>> {
    let name = prop::sample::select(MEMBERS).prop_map(str::to_owned);
    prop::collection::btree_map(name, any_json(), 4..16)
        .prop_map(|members| members.into_iter().collect())
}

#[test]
fn no_text_of_a_stranger_holds_what_a_database_does_not() {
    let read = message(&json!({
        "id": "false_120363@g.us_A\u{0}A_15550000002@c.us", "timestamp": 1_783_641_600,
        "fromMe": false, "body": "a\u{0}b", "hasMedia": true,
        "replyTo": {"id": "B\u{0}B"},
        "media": {"url": "http://x/\u{0}", "mimetype": "a/\u{0}", "filename": "\u{0}.txt"},
        "_data": {"notifyName": "A\u{0}", "message": {"documentMessage": {}}},
    }));
    assert_eq!(read.id.as_str(), "A\u{fffd}A");
    assert!(!format!("{read:?}").contains("\\0"), "{read:?}");
    assert_eq!(read.reply_to, Some(WaMessageId::new("B\u{fffd}B")));
    let Some(Attachment::Media(media)) = read.attachment else {
        panic!("a file");
    };
    assert_eq!(media.filename.as_deref(), Some("\u{fffd}.txt"));
}

#[test]
fn a_message_whose_id_is_longer_than_any_is_unreadable() {
    let id = format!("false_15550000002@c.us_{}", "A".repeat(257));
    let payload = json!({"id": id, "timestamp": 1_783_641_600, "body": "hello"});
    let reason = callback("message.any", &payload).unwrap_err();
    assert!(reason.contains("too long"), "{reason}");
}

#[test]
fn every_event_that_is_asked_for_is_tried() {
    for name in crate::dialect::events("2026.8.2") {
        assert!(EVENTS.contains(&name), "{name}");
    }
}

proptest! {
    #[test]
    fn no_payload_makes_the_reader_stumble(
        payload in any_json(),
        name in prop::sample::select(EVENTS),
    ) {
        let _ = callback(name, &payload);
        let _ = super::message(&payload);
    }

    #[test]
    fn nor_does_one_that_begins_well(
        mut payload in any_object(),
        name in prop::sample::select(EVENTS),
    ) {
        payload.entry("id").or_insert("false_15550000002@c.us_AA".into());
        let payload = Value::Object(payload);
        let _ = callback(name, &payload);
        let _ = super::message(&payload);
    }

    #[test]
    fn no_bytes_do_either(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = read(&body);
    }
}
