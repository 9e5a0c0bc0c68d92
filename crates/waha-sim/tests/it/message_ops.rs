//! What is done to messages that are there, by the API and by phones.

use mf_waha_sim::{Dialect, Inbound, InboundContent as Content, Poll};
use reqwest::Method;
use serde_json::{Value, json};

use super::support::{FRIEND, Waha, heard, keeping, parts, waha};

const ENGINES: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];
const GROUP: &str = "123456@g.us";

async fn working(engine: Dialect) -> Waha {
    let waha = waha(engine).await;
    waha.working("main", heard(keeping()).await).await;
    waha
}

/// A text of the other side; its full id.
async fn received(waha: &Waha) -> String {
    let shown = waha.sim.inbound("main", Inbound::text(FRIEND, "hello"));
    shown.await.unwrap()["id"].as_str().unwrap().to_owned()
}

/// A text of our own; its full id.
async fn sent(waha: &Waha) -> String {
    waha.send(json!({"session": "main", "chatId": FRIEND, "text": "hello"}))
        .await;
    format!("true_{FRIEND}_{}", waha.sim.sent("main").pop().unwrap().id)
}

fn bare(full: &str) -> &str {
    full.split('_').nth(2).unwrap()
}

fn path(id: &str) -> String {
    let id = id.replace('@', "%40");
    format!("/api/main/chats/15550000002%40c.us/messages/{id}")
}

async fn delete(waha: &Waha, path: &str) -> (u16, Value) {
    parts(waha.call(Method::DELETE, path, None).await).await
}

#[tokio::test]
async fn a_reaction_of_ours_reaches_whatsapp_and_is_told_as_ours() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let id = received(&waha).await;
        let body = json!({"session": "main", "messageId": id, "reaction": "👍"});
        let (status, answer) = waha.put("/api/reaction", body).await;
        assert_eq!(status, 200);
        match engine {
            Dialect::Noweb => assert!(answer["message"]["reactionMessage"].is_object()),
            Dialect::Gows => assert!(answer["id"].is_string()),
            Dialect::Webjs => assert_eq!(answer, Value::Null),
        }
        let action = waha.sim.actions("main").pop().unwrap();
        assert_eq!(
            (action.kind.as_str(), action.value),
            ("reaction", json!("👍"))
        );
        assert_eq!(action.message_id.as_deref(), Some(bare(&id)));
        let told = waha.event("message.reaction", |_| true).await;
        assert_eq!(told["reaction"], json!({"text": "👍", "messageId": id}));
        assert_eq!(
            (&told["fromMe"], &told["source"]),
            (&json!(true), &json!("api"))
        );
    }
}

#[tokio::test]
async fn somebody_elses_reaction_is_told_and_is_no_message() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let id = sent(&waha).await;
        waha.sim.react("main", &id, FRIEND, "❤").await.unwrap();
        waha.sim.react("main", bare(&id), FRIEND, "").await.unwrap();
        for emoji in ["❤", ""] {
            let told = waha
                .event("message.reaction", |p| p["reaction"]["text"] == emoji)
                .await;
            assert_eq!(told["reaction"]["messageId"], id);
            assert_eq!(
                (&told["fromMe"], &told["source"]),
                (&json!(false), &json!("app"))
            );
        }
        let messages = waha.sim.callbacks();
        let mut messages = messages
            .iter()
            .filter(|r| r.event.starts_with("message.any"));
        assert!(messages.all(|record| !record.body.contains('❤')));
    }
}

#[tokio::test]
async fn in_groups_reactions_say_who_reacted_and_in_chats_of_two_there_is_nobody_else() {
    let waha = working(Dialect::Gows).await;
    let shown = waha.sim.inbound("main", Inbound::text(GROUP, "hi all"));
    let id = shown.await.unwrap()["id"].as_str().unwrap().to_owned();
    let other = "15550000009@c.us";
    let order = json!({"messageId": id, "from": other, "emoji": "!"});
    assert_eq!(waha.post("/sim/sessions/main/react", order).await.0, 200);
    let told = waha.event("message.reaction", |_| true).await;
    assert_eq!(
        (&told["participant"], &told["from"]),
        (&json!(other), &json!(GROUP))
    );
    let direct = received(&waha).await;
    assert!(waha.sim.react("main", &direct, other, "!").await.is_err());
    assert!(
        waha.sim
            .react("main", "unknown", FRIEND, "!")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn ids_of_the_wrong_form_make_the_engine_throw() {
    let waha = working(Dialect::Gows).await;
    for id in ["3EB0AA", "true_a_b_c_d"] {
        let body = json!({"session": "main", "messageId": id, "reaction": "!"});
        let (status, body) = waha.put("/api/reaction", body).await;
        let message = body["exception"]["message"].as_str().unwrap();
        assert!(status == 500 && message.starts_with("Message id be in format"));
        let (status, _) = waha.put(&path(id), json!({"text": "new"})).await;
        assert_eq!(status, 500);
        assert_eq!(delete(&waha, &path(id)).await.0, 500);
    }
}

#[tokio::test]
async fn what_is_done_to_an_unknown_message_has_no_effect_and_webjs_throws() {
    let id = "false_15550000002@c.us_AAAA";
    let body = json!({"session": "main", "messageId": id, "reaction": "!"});
    for engine in ENGINES {
        let waha = working(engine).await;
        let expected = if engine == Dialect::Webjs { 500 } else { 200 };
        assert_eq!(waha.put("/api/reaction", body.clone()).await.0, expected);
        assert_eq!(delete(&waha, &path(id)).await.0, expected);
        assert!(waha.sim.actions("main").is_empty());
    }
}

#[tokio::test]
async fn an_edit_changes_the_message_and_names_it_by_its_bare_id() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let id = sent(&waha).await;
        let (status, _) = waha.put(&path(&id), json!({"text": "better"})).await;
        assert_eq!(status, 200);
        let told = waha.event("message.edited", |_| true).await;
        assert_eq!(
            (&told["body"], &told["fromMe"]),
            (&json!("better"), &json!(true))
        );
        assert_eq!(told["editedMessageId"], bare(&id));
        assert_eq!(told["id"] == id.as_str(), engine == Dialect::Webjs);
        assert_eq!(waha.get(&path(&id)).await.1["body"], "better");
        let action = waha.sim.actions("main").pop().unwrap();
        assert_eq!(
            (action.kind.as_str(), action.value),
            ("edit", json!("better"))
        );
    }
}

#[tokio::test]
async fn what_others_wrote_cannot_be_edited() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let id = received(&waha).await;
        assert_eq!(waha.put(&path(&id), json!({"text": "mine"})).await.0, 200);
        assert_eq!(waha.get(&path(&id)).await.1["body"], "hello");
        assert!(waha.sim.actions("main").is_empty());
    }
}

#[tokio::test]
async fn the_other_side_edits_and_takes_back() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let id = received(&waha).await;
        let order = json!({"messageId": id, "text": "hallo"});
        assert_eq!(waha.post("/sim/sessions/main/edit", order).await.0, 200);
        let told = waha.event("message.edited", |_| true).await;
        assert_eq!(
            (&told["body"], &told["fromMe"]),
            (&json!("hallo"), &json!(false))
        );
        let order = json!({"messageId": id});
        assert_eq!(waha.post("/sim/sessions/main/revoke", order).await.0, 200);
        let told = waha.event("message.revoked", |_| true).await;
        assert_eq!(told["revokedMessageId"], bare(&id));
        assert_eq!(told["before"], Value::Null);
        assert_eq!(told["after"]["fromMe"], false);
        let kind = match engine {
            Dialect::Noweb => &told["after"]["_data"]["message"]["protocolMessage"]["type"],
            Dialect::Gows => &told["after"]["_data"]["Message"]["protocolMessage"]["type"],
            Dialect::Webjs => &told["after"]["_data"]["type"],
        };
        let expected = match engine {
            Dialect::Noweb => json!("REVOKE"),
            Dialect::Gows => json!(0),
            Dialect::Webjs => json!("revoked"),
        };
        assert_eq!(kind, &expected);
    }
}

#[tokio::test]
async fn what_is_taken_back_can_no_longer_be_read() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let id = sent(&waha).await;
        let (status, answer) = delete(&waha, &path(&id)).await;
        assert_eq!(status, 200);
        assert_eq!(answer == Value::Null, engine == Dialect::Webjs);
        let told = waha.event("message.revoked", |_| true).await;
        assert_eq!(told["revokedMessageId"], bare(&id));
        let (status, body) = waha.get(&path(&id)).await;
        if engine == Dialect::Webjs {
            assert_eq!((status, &body["body"]), (200, &json!("")));
        } else {
            assert_eq!(status, 404);
        }
        assert_eq!(waha.sim.actions("main").pop().unwrap().kind, "revoke");
        assert!(waha.sim.edit("main", &id, "still there").await.is_err());
    }
}

async fn poll(waha: &Waha, multiple: bool) -> String {
    let body = json!({
        "session": "main", "chatId": FRIEND,
        "poll": {"name": "Lunch?", "options": ["yes", "no"], "multipleAnswers": multiple},
    });
    let (status, _) = waha.post("/api/sendPoll", body).await;
    assert_eq!(status, 201);
    let sent = waha.sim.sent("main").pop().unwrap();
    assert_eq!(sent.kind, "poll");
    assert_eq!(sent.payload["options"], json!(["yes", "no"]));
    format!("true_{FRIEND}_{}", sent.id)
}

#[tokio::test]
async fn a_vote_tells_the_whole_choice_and_the_poll() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let id = poll(&waha, true).await;
        let both = ["yes", "no"];
        waha.sim.vote("main", &id, FRIEND, &both).await.unwrap();
        let told = waha.event("poll.vote", |_| true).await;
        assert_eq!(told["vote"]["selectedOptions"], json!(both));
        assert_eq!(told["vote"]["fromMe"], false);
        assert_eq!(
            (&told["poll"]["id"], &told["poll"]["fromMe"]),
            (&json!(id), &json!(true))
        );
        // In milliseconds.
        assert!(told["vote"]["timestamp"].as_i64().unwrap() > 1_000_000_000_000);
        let order = json!({"messageId": id, "voter": FRIEND});
        assert_eq!(waha.post("/sim/sessions/main/vote", order).await.0, 200);
        let told = waha.event("poll.vote.failed", |_| true).await;
        let nothing = if engine == Dialect::Gows {
            Value::Null
        } else {
            json!([])
        };
        assert_eq!(told["vote"]["selectedOptions"], nothing);
    }
}

#[tokio::test]
async fn a_vote_that_no_phone_could_cast_is_refused() {
    let waha = working(Dialect::Noweb).await;
    let id = poll(&waha, false).await;
    let both = ["yes", "no"];
    assert!(waha.sim.vote("main", &id, FRIEND, &both).await.is_err());
    assert!(
        waha.sim
            .vote("main", &id, FRIEND, &["perhaps"])
            .await
            .is_err()
    );
    let text = sent(&waha).await;
    assert!(waha.sim.vote("main", &text, FRIEND, &[]).await.is_err());
}

#[tokio::test]
async fn we_can_vote_except_on_noweb() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let content = Content::Poll(Poll {
            name: "Lunch?".to_owned(),
            options: vec!["yes".to_owned(), "no".to_owned()],
            multiple_answers: false,
        });
        let shown = waha.sim.inbound("main", Inbound::of(FRIEND, content));
        let id = shown.await.unwrap()["id"].clone();
        let body = json!({
            "session": "main", "chatId": FRIEND, "pollMessageId": id, "votes": ["no", "never"],
        });
        let (status, _) = waha.post("/api/sendPollVote", body).await;
        if engine == Dialect::Noweb {
            assert_eq!(status, 501);
            continue;
        }
        assert_eq!(status, 201);
        let told = waha.event("poll.vote", |_| true).await;
        assert_eq!(told["vote"]["selectedOptions"], json!(["no"]));
        assert_eq!(told["vote"]["fromMe"], true);
        assert_eq!(waha.sim.actions("main").pop().unwrap().value, json!(["no"]));
    }
}

#[tokio::test]
async fn places_and_cards_arrive_as_given() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let body = json!({
            "session": "main", "chatId": FRIEND, "id": "3EB0AA",
            "latitude": 52.5, "longitude": 13.25, "title": "Here",
        });
        assert_eq!(waha.post("/api/sendLocation", body).await.0, 201);
        let sent = waha.sim.sent("main").pop().unwrap();
        assert_eq!(sent.kind, "location");
        assert_eq!(sent.payload["name"], "Here");
        assert_eq!(sent.id == "3EB0AA", engine != Dialect::Webjs);
        let body = json!({
            "session": "main", "chatId": FRIEND,
            "contacts": [
                {"vcard": "BEGIN:VCARD\nFN:Ada\nEND:VCARD"},
                {"fullName": "Bob", "organization": "Acme", "phoneNumber": "+1 555", "whatsappId": "1555"},
            ],
        });
        assert_eq!(waha.post("/api/sendContactVcard", body).await.0, 201);
        let sent = waha.sim.sent("main").pop().unwrap();
        let cards = &sent.payload["vcards"];
        assert_eq!(
            (sent.kind.as_str(), &cards[0]),
            ("contact", &json!("BEGIN:VCARD\nFN:Ada\nEND:VCARD"))
        );
        let made = cards[1].as_str().unwrap();
        assert!(made.contains("FN:Bob\nORG:Acme;\nTEL;type=CELL;type=VOICE;waid=1555:+1 555"));
    }
}

#[tokio::test]
async fn what_a_poll_or_a_place_lacks_makes_the_engine_throw() {
    let waha = working(Dialect::Noweb).await;
    let bare = json!({"session": "main", "chatId": FRIEND});
    for route in [
        "/api/sendPoll",
        "/api/sendLocation",
        "/api/sendContactVcard",
        "/api/sendImage",
    ] {
        assert_eq!(waha.post(route, bare.clone()).await.0, 500, "{route}");
    }
    assert!(waha.sim.sent("main").is_empty());
}

#[tokio::test]
async fn noweb_answers_polls_and_forwards_as_in_events() {
    let waha = working(Dialect::Noweb).await;
    let body = json!({
        "session": "main", "chatId": FRIEND,
        "poll": {"name": "?", "options": ["a", "b"], "multipleAnswers": false},
    });
    let (_, answer) = waha.post("/api/sendPoll", body).await;
    assert!(answer["id"].as_str().unwrap().starts_with("true_"));
    let id = received(&waha).await;
    let body = json!({"session": "main", "chatId": "15550000003", "messageId": id});
    let (status, answer) = waha.post("/api/forwardMessage", body).await;
    assert_eq!((status, &answer["body"]), (201, &json!("hello")));
    assert_eq!(
        waha.sim.sent("main").pop().unwrap().chat,
        "15550000003@c.us"
    );
}

#[tokio::test]
async fn a_forward_says_little_on_webjs_and_nothing_is_forwarded_that_is_not_there() {
    let waha = working(Dialect::Webjs).await;
    let id = received(&waha).await;
    let body = json!({"session": "main", "chatId": FRIEND, "messageId": id});
    let answer = waha.post("/api/forwardMessage", body).await;
    assert_eq!(answer, (201, json!({"sent": true})));
    let id = "false_15550000002@c.us_AAAA";
    let body = json!({"session": "main", "chatId": FRIEND, "messageId": id});
    assert_eq!(waha.post("/api/forwardMessage", body).await.0, 422);
}

#[tokio::test]
async fn stars_pins_and_archives_are_kept_and_not_to_be_had_on_gows() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let id = received(&waha).await;
        let star = json!({"session": "main", "chatId": FRIEND, "messageId": id, "star": true});
        let starred = waha.put("/api/star", star).await.0;
        let pin = format!("{}/pin", path(&id));
        let pinned = waha.post(&pin, json!({"duration": 86400})).await;
        let archived = waha
            .post("/api/main/chats/15550000002%40c.us/archive", json!({}))
            .await;
        if engine == Dialect::Gows {
            assert_eq!((starred, pinned.0, archived.0), (501, 501, 501));
            continue;
        }
        assert_eq!((starred, pinned.0, archived.0), (200, 201, 201));
        assert_eq!(pinned.1, json!({"success": true}));
        let done: Vec<_> = waha
            .sim
            .actions("main")
            .into_iter()
            .map(|a| a.kind)
            .collect();
        assert_eq!(done, ["star", "pin", "archive"]);
        let (_, chats) = waha.get("/api/main/chats").await;
        assert_eq!(chats[0]["archived"], true);
        if engine == Dialect::Webjs {
            let told = waha.event("chat.archive", |_| true).await;
            assert_eq!(
                (&told["id"], &told["archived"]),
                (&json!(FRIEND), &json!(true))
            );
        }
    }
}

#[tokio::test]
async fn chats_are_listed_in_the_engines_own_shape_and_order() {
    for engine in ENGINES {
        let waha = working(engine).await;
        for (chat, time) in [("15550000003@c.us", 30), (FRIEND, 20), (GROUP, 10)] {
            let inbound = Inbound {
                timestamp: Some(time),
                push_name: Some("Ada".to_owned()),
                ..Inbound::text(chat, "hi")
            };
            waha.sim.inbound("main", inbound).await.unwrap();
        }
        let ids = async |query: &str| {
            let (status, body) = waha.get(&format!("/api/main/chats{query}")).await;
            assert_eq!(status, 200, "{body}");
            let id = |chat: &Value| match engine {
                Dialect::Webjs => chat["id"]["_serialized"].as_str().unwrap().to_owned(),
                _ => chat["id"]
                    .as_str()
                    .unwrap()
                    .replace("s.whatsapp.net", "c.us"),
            };
            body.as_array().unwrap().iter().map(id).collect::<Vec<_>>()
        };
        let by_time = "?sortBy=conversationTimestamp";
        assert_eq!(
            ids(&format!("{by_time}&sortOrder=desc&limit=2")).await,
            ["15550000003@c.us", FRIEND]
        );
        assert_eq!(
            ids(&format!("{by_time}&sortOrder=asc&offset=1")).await,
            [FRIEND, "15550000003@c.us"]
        );
        assert_eq!(ids("?sortBy=id").await, [GROUP, FRIEND, "15550000003@c.us"]);
        assert_eq!(waha.get("/api/main/chats?sortBy=colour").await.0, 400);
    }
}

#[tokio::test]
async fn the_overview_can_be_asked_for_certain_chats() {
    let waha = working(Dialect::Gows).await;
    for chat in [FRIEND, "15550000003@c.us", "15550000004@c.us"] {
        waha.sim
            .inbound("main", Inbound::text(chat, "hi"))
            .await
            .unwrap();
    }
    let path = "/api/main/chats/overview";
    let (_, body) = waha
        .get(&format!(
            "{path}?ids=15550000002%40c.us&ids=15550000003%40c.us"
        ))
        .await;
    assert_eq!(body.as_array().unwrap().len(), 2);
    let asked = json!({"pagination": {"limit": 5}, "filter": {"ids": [FRIEND]}});
    let (status, body) = waha.post(path, asked).await;
    assert_eq!((status, &body[0]["id"]), (201, &json!(FRIEND)));
    assert_eq!(body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_chat_can_be_cleared_on_webjs_alone() {
    for engine in ENGINES {
        let waha = working(engine).await;
        received(&waha).await;
        let (status, _) = delete(&waha, "/api/main/chats/15550000002%40c.us/messages").await;
        let gone = engine == Dialect::Webjs;
        assert_eq!(status, if gone { 200 } else { 501 });
        let (_, left) = waha.get("/api/main/chats").await;
        assert_eq!(left.as_array().unwrap().is_empty(), gone);
    }
}

#[tokio::test]
async fn only_the_messages_named_are_marked_as_seen() {
    let waha = working(Dialect::Gows).await;
    let first = received(&waha).await;
    received(&waha).await;
    let body = json!({"session": "main", "chatId": FRIEND, "messageIds": [first]});
    assert_eq!(waha.post("/api/sendSeen", body).await.0, 201);
    let seen = waha.sim.actions("main");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].message_id.as_deref(), Some(bare(&first)));
}
