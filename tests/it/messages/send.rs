use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn a_message_is_sent_and_answered_in_both_documented_forms() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let sent = session.send("+15550000002", "Hello").await;
    let wa_id = sent["wa_message_id"].as_str().unwrap();
    let expected = json!({
        "id": sent["id"], "session_id": session.id, "chat_id": sent["chat_id"],
        "wa_chat_id": "15550000002@c.us", "wa_message_id": wa_id, "direction": "outbound",
        "message_type": "text", "content": "Hello", "content_preview": "Hello",
        "status": "sent", "media": null, "sender_phone": null, "sender_name": null,
        "is_group": false, "error": null, "sent_at": sent["sent_at"], "delivered_at": null,
        "read_at": null, "created_at": sent["created_at"], "edited_at": null,
        "revoked_at": null, "starred": false, "reply_to": null, "sender_lid": null,
        "contact_id": sent["contact_id"], "contact_phone": "15550000002", "contact_lid": null,
        "location": null, "contacts": null, "poll": null, "mentions": [], "reactions": [],
        "success": true,
        "result": {"key": {"id": wa_id, "remoteJid": "15550000002@c.us"}},
    });
    assert_eq!(sent, expected);
    for time in ["sent_at", "created_at"] {
        assert!(sent[time].as_str().unwrap().ends_with('Z'), "{sent}");
    }
    let [delivered] = &session.sent(&app.sim)[..] else {
        panic!("{:?}", session.sent(&app.sim));
    };
    assert_eq!(delivered.chat, "15550000002@c.us");
    assert_eq!(delivered.text, "Hello");
    assert_eq!(delivered.id, wa_id);
    assert_eq!((delivered.deliveries, delivered.submissions), (1, 1));

    let told = events.named("message.sent").await;
    assert_eq!(told.envelope["id"], json!(told.id.unwrap()));
    let data = &told.envelope["data"];
    assert_eq!(data["session_id"], json!(session.id));
    assert_eq!(data["chat_id"], "15550000002@c.us");
    assert_eq!(data["message"], "Hello");
    assert_eq!(data["direction"], "outbound");
    assert_eq!(data["message_id"], sent["id"]);
}

#[tokio::test]
async fn a_chat_is_named_in_any_of_its_forms() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let first = session.send("15550000002", "first").await;
    let mut count = 1;
    for to in [
        json!({"phone": "+15550000002"}),
        json!({"phone": "15550000002@c.us"}),
        json!({"chat_id": "15550000002@c.us"}),
        json!({"chat_id": "15550000002@s.whatsapp.net"}),
        json!({"chat_id": "15550000002"}),
        json!({"chat_id": first["chat_id"]}),
        json!({"chat_id": "15550000002@c.us", "phone": "15550000003"}),
    ] {
        let mut body = to.clone();
        body["message"] = json!("again");
        let sent = session.post(body).await.expect(201);
        assert_eq!(sent["chat_id"], first["chat_id"], "{to}");
        assert_eq!(sent["wa_chat_id"], "15550000002@c.us", "{to}");
        count += 1;
        let got = session.sent(&app.sim);
        assert_eq!(got.len(), count, "{to}");
        assert_eq!(got.last().unwrap().chat, "15550000002@c.us", "{to}");
    }
    assert_eq!(app.count("SELECT count(*) FROM chat").await, 1);
    assert_eq!(app.count("SELECT message_count FROM chat").await, 8);
}

#[tokio::test]
async fn groups_and_channels_and_hidden_numbers_can_be_written_to() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    for (chat, is_group) in [
        ("120363000000000001@g.us", true),
        ("4915112345678-1598000000@g.us", true),
        ("120363000000000002@newsletter", false),
        ("220000000555@lid", false),
    ] {
        let body = json!({"chat_id": chat, "message": "hello"});
        let sent = session.post(body).await.expect(201);
        assert_eq!(sent["wa_chat_id"], chat);
        assert_eq!(sent["is_group"], is_group, "{chat}");
        assert_eq!(session.sent(&app.sim).last().unwrap().chat, chat);
    }
}

#[tokio::test]
async fn an_answer_says_which_message_it_answers() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    session.send("15550000001", "ping").await;
    let received = events.named("message.received").await;
    let (ours, theirs) = (
        received.data()["message_id"].clone(),
        &received.data()["wa_message_id"],
    );
    for reply_to in [&ours, theirs] {
        let body = json!({"phone": "15550000001", "message": "pong", "reply_to": reply_to});
        let sent = session.post(body).await.expect(201);
        let id = sent["wa_message_id"].as_str().unwrap();
        // As the engine tells it, and as it was asked.
        let record = app
            .taken(|r| r.event == "message.any" && r.body.contains(id))
            .await;
        let told: Value = serde_json::from_str(&record.body).unwrap();
        assert_eq!(&told["payload"]["replyTo"]["id"], theirs);
    }
    let none = json!({"phone": "15550000001", "message": "pong", "reply_to": "3EB0NONE"});
    let answer = session.post(none).await;
    assert!(answer.refused(400).contains("reply"), "{answer}");
}

#[tokio::test]
async fn a_text_of_4096_characters_is_sent_and_one_more_is_not() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    for letter in ["x", "ü", "🦀"] {
        let longest = letter.repeat(4096);
        let sent = session.send("15550000002", &longest).await;
        assert_eq!(sent["content"], json!(longest));
        assert_eq!(sent["content_preview"], json!(letter.repeat(500)));
        assert_eq!(session.sent(&app.sim).last().unwrap().text, longest);
        let answer = session.try_send("15550000002", &letter.repeat(4097)).await;
        let faults = answer.faults();
        let fault = "body.message: ensure this value has at most 4096 characters \
                     (value_error.any_str.max_length)";
        assert_eq!(faults, [fault]);
    }
    assert_eq!(session.sent(&app.sim).len(), 3);
    assert_eq!(app.count("SELECT count(*) FROM message").await, 3);
}

#[tokio::test]
async fn a_text_arrives_as_it_was_written() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    for text in [
        "Zeile 1\nZeile 2",
        "  around  ",
        "\"quoted\" \\ {json}",
        "مرحبا 👋🏽",
        "*bold*",
    ] {
        let sent = session.send("15550000002", text).await;
        assert_eq!(sent["content"], json!(text));
        assert_eq!(session.sent(&app.sim).last().unwrap().text, text);
        assert_eq!(session.message(&sent).await["content"], json!(text));
    }
}

#[tokio::test]
async fn a_message_is_found_by_our_id_and_by_whatsapps() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let key = app.full_key();
    let (session, _events) = app.working_session(&key).await;
    let mut sent = session.send("15550000002", "hello").await;
    for answer_only in ["success", "result"] {
        sent.as_object_mut().unwrap().remove(answer_only);
    }
    for id in ["id", "wa_message_id"] {
        let path = format!("/messages/{}", sent[id].as_str().unwrap());
        assert_eq!(key.get(&path).await.expect(200), sent, "{id}");
    }
    for unknown in [
        "0197f000-0000-7000-8000-000000000000",
        "3EB0",
        "%F0%9F%A6%80",
    ] {
        let answer = key.get(&format!("/messages/{unknown}")).await;
        assert_eq!(answer.refused(404), "Message not found", "{unknown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_at_once_through_one_session_are_each_sent_once() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, _events) = app.working_session(&app.full_key()).await;
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..100 {
        let session = session.clone();
        sending.spawn(async move {
            let phone = format!("1555000{:04}", 1000 + number % 10);
            session.send(&phone, &format!("message {number}")).await
        });
    }
    for sent in sending.join_all().await {
        assert_eq!(sent["status"], "sent", "{sent}");
    }
    let got = session.sent(&app.sim);
    assert_eq!(got.len(), 100);
    assert!(
        got.iter()
            .all(|sent| (sent.deliveries, sent.submissions) == (1, 1))
    );
    let mut texts: Vec<&str> = got.iter().map(|sent| sent.text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 100);
    assert_eq!(app.count("SELECT count(*) FROM message").await, 100);
    assert_eq!(app.count("SELECT count(*) FROM chat").await, 10);
    assert_eq!(
        app.count("SELECT count(*) FROM event WHERE name = 'message.sent'")
            .await,
        100
    );
}
