//! What can be sent besides words: in every dialect, by every way to give a file.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mf_waha_sim::{Dialect, SentMessage};
use serde_json::{Value, json};

use crate::support::{EventStream, Form, Session, Shelf, TestApp, samples};

const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];
const FRIEND: &str = "15550000002";

/// The version since when WAHA sends everything.
const NEWEST: &str = "2026.8.2";

/// A file, and what becomes of it.
struct Case {
    /// The address that takes it.
    path: &'static str,
    bytes: Vec<u8>,
    /// What it is by its bytes.
    mimetype: &'static str,
    /// What clients are told.
    message_type: &'static str,
    /// As what the engine sends it.
    kind: &'static str,
    /// As what the engine says it is.
    sent_as: &'static str,
}

const SEND: &str = "/messages/send";

fn cases(way: &str) -> Vec<Case> {
    let case = |path, bytes, mimetype, message_type, kind| Case {
        path,
        bytes,
        mimetype,
        message_type,
        kind,
        sent_as: mimetype,
    };
    let opus = "audio/ogg; codecs=opus";
    vec![
        case(SEND, samples::png(way), "image/png", "image", "image"),
        case(SEND, samples::jpeg(way), "image/jpeg", "image", "image"),
        case(SEND, samples::mp4(way), "video/mp4", "video", "video"),
        // No engine has a call for sound that is no voice note.
        case(SEND, samples::mp3(way), "audio/mpeg", "audio", "document"),
        case(SEND, samples::opus(way), opus, "voice", "voice"),
        case(
            SEND,
            samples::pdf(way),
            "application/pdf",
            "document",
            "document",
        ),
        case(
            "/messages/send/voice",
            samples::opus(&format!("{way} voice")),
            opus,
            "voice",
            "voice",
        ),
        case(
            "/messages/send/sticker",
            samples::webp(way),
            "image/webp",
            "sticker",
            "sticker",
        ),
        Case {
            // The engine makes a film of it.
            sent_as: "video/mp4",
            ..case(
                "/messages/send/gif",
                samples::gif(way),
                "image/gif",
                "gif",
                "gif",
            )
        },
    ]
}

/// An app whose clients may name addresses on this machine.
async fn start(dialect: Dialect) -> (TestApp, Session, EventStream) {
    let app = TestApp::builder()
        .dialect(dialect)
        .engine(|engine| NEWEST.clone_into(&mut engine.version))
        .set("MOLTFLOW_WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8")
        .start()
        .await;
    app.sim.set_manual_acks(true);
    let (session, events) = app.working_session(&app.full_key()).await;
    (app, session, events)
}

/// The last message that WhatsApp got.
fn last(app: &TestApp, session: &Session) -> SentMessage {
    session.sent(&app.sim).pop().expect("something was sent")
}

/// The answer, the history, the stream and WhatsApp itself say the same of a file.
async fn check(
    app: &TestApp,
    session: &Session,
    events: &mut EventStream,
    case: &Case,
    answer: Value,
) {
    let about = format!("{} {}", case.path, case.mimetype);
    assert_eq!(answer["status"], "sent", "{about}: {answer}");
    let got = last(app, session);
    assert_eq!(got.kind, case.kind, "{about}");
    assert_eq!(
        got.media_sha256,
        Some(samples::sha256(&case.bytes)),
        "{about}"
    );
    assert_eq!(got.mimetype.as_deref(), Some(case.sent_as), "{about}");
    assert_eq!((got.deliveries, got.submissions), (1, 1), "{about}");

    let told = events
        .until(|event| event.name == "message.sent" && event.data()["message_id"] == answer["id"])
        .await;
    let shown = session.message(&answer).await;
    assert_eq!(shown["wa_message_id"], json!(got.id), "{about}");
    for seen in [&answer, &shown, told.data()] {
        assert_eq!(seen["message_type"], case.message_type, "{about}: {seen}");
        let media = &seen["media"];
        assert_eq!(media["mimetype"], case.mimetype, "{about}: {seen}");
        assert_eq!(media["size"], json!(case.bytes.len()), "{about}: {seen}");
        assert_eq!(media["status"], "stored", "{about}: {seen}");
        assert_eq!(media["url"], answer["media"]["url"], "{about}: {seen}");
    }
    let file = session.file(&shown["media"]).await;
    assert_eq!(file.status, 200, "{file}");
    assert_eq!(file.body, case.bytes, "{about}");
    assert_eq!(file.header("content-type"), Some(case.mimetype), "{about}");
}

#[tokio::test]
async fn a_file_in_base64_arrives_byte_for_byte() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        for case in cases("in base64") {
            let body = json!({"phone": FRIEND, "media_base64": STANDARD.encode(&case.bytes)});
            let answer = session.post_to(case.path, body).await.expect(201);
            check(&app, &session, &mut events, &case, answer).await;
        }
    }
}

#[tokio::test]
async fn a_file_at_an_address_arrives_byte_for_byte() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let shelf = Shelf::open().await;
        for (number, case) in cases("at an address").into_iter().enumerate() {
            // What it is is told by its bytes, and not by whoever has it.
            let path = format!("/file/{number}");
            let url = shelf.put(&path, "application/octet-stream", &case.bytes);
            let body = json!({"phone": FRIEND, "media_url": url});
            let answer = session.post_to(case.path, body).await.expect(201);
            check(&app, &session, &mut events, &case, answer).await;
        }
    }
}

#[tokio::test]
async fn a_file_in_a_form_arrives_byte_for_byte() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        for case in cases("in a form") {
            let form = Form::default()
                .text("session_id", &session.id.to_string())
                .text("phone", FRIEND)
                .file("file", "a file", "application/x-whatever", &case.bytes);
            let answer = form.post(session.client(), case.path).await.expect(201);
            assert_eq!(answer["media"]["filename"], "a file", "{answer}");
            check(&app, &session, &mut events, &case, answer).await;
        }
    }
}

#[tokio::test]
async fn words_go_below_a_file_and_a_document_keeps_its_name() {
    for dialect in ALL {
        let (app, session, _events) = start(dialect).await;
        let data = STANDARD.encode(samples::png("with words"));
        // As browsers have it.
        let data = format!("data:image/png;base64,{data}");
        let body = json!({"phone": FRIEND, "message": "Look", "media_base64": data});
        let sent = session.post(body).await.expect(201);
        assert_eq!(last(&app, &session).text, "Look", "{dialect}");
        assert_eq!(session.message(&sent).await["content"], "Look");

        let data = STANDARD.encode(samples::pdf("with a name"));
        let body = json!({
            "phone": FRIEND, "message": "", "media_base64": data, "filename": "Angebot 7.pdf",
        });
        let sent = session.post(body).await.expect(201);
        let got = last(&app, &session);
        assert_eq!(got.filename.as_deref(), Some("Angebot 7.pdf"), "{dialect}");
        assert_eq!(got.text, "", "{dialect}");
        let shown = session.message(&sent).await;
        assert_eq!(shown["media"]["filename"], "Angebot 7.pdf", "{dialect}");
        assert_eq!(shown["content"], Value::Null, "{dialect}: {shown}");
    }
}

#[tokio::test]
async fn a_sticker_is_refused_where_the_engine_is_too_old_for_it() {
    for dialect in ALL {
        let app = TestApp::builder().dialect(dialect).start().await;
        let (session, _events) = app.working_session(&app.full_key()).await;
        let data = STANDARD.encode(samples::webp("too new"));
        let body = json!({"phone": FRIEND, "media_base64": data});
        let answer = session.post_to("/messages/send/sticker", body).await;
        let sentence = answer.refused(400);
        assert!(sentence.contains("stickers"), "{dialect}: {sentence}");
        assert!(sentence.contains(NEWEST), "{dialect}: {sentence}");
        assert_eq!(session.sent(&app.sim), [], "{dialect}");
        assert_eq!(app.count("SELECT count(*) FROM message").await, 0);
    }
}

#[tokio::test]
async fn a_poll_arrives_with_its_answers() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        for multiple in [false, true] {
            let body = json!({
                "phone": FRIEND, "title": "When?", "options": ["Monday", "Tuesday", "never"],
                "allow_multiple": multiple,
            });
            let sent = session
                .post_to("/messages/send/poll", body)
                .await
                .expect(201);
            let got = last(&app, &session);
            assert_eq!(got.kind, "poll", "{dialect}");
            let payload = json!({
                "name": "When?", "options": ["Monday", "Tuesday", "never"],
                "multipleAnswers": multiple,
            });
            assert_eq!(got.payload, payload, "{dialect}");
            let told = events.named("message.sent").await;
            assert_eq!(told.data()["message_id"], sent["id"]);
            let shown = session.message(&sent).await;
            for seen in [&shown, told.data()] {
                assert_eq!(seen["message_type"], "poll", "{dialect}: {seen}");
                assert_eq!(seen["content"], "When?", "{dialect}: {seen}");
                assert_eq!(seen["poll"]["title"], "When?", "{dialect}: {seen}");
                let options = json!(["Monday", "Tuesday", "never"]);
                assert_eq!(seen["poll"]["options"], options, "{dialect}: {seen}");
                assert_eq!(seen["poll"]["allow_multiple"], multiple, "{dialect}");
            }
        }
        assert_eq!(
            app.count("SELECT count(*) FROM message").await,
            2,
            "{dialect}"
        );
    }
}

#[tokio::test]
async fn what_is_chosen_in_a_poll_is_told_and_kept() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let body = json!({
            "phone": FRIEND, "title": "When?", "options": ["Monday", "Tuesday"],
        });
        let sent = session
            .post_to("/messages/send/poll", body)
            .await
            .expect(201);
        let id = sent["wa_message_id"].as_str().map(str::to_owned);
        let id = id.unwrap_or(last(&app, &session).id);
        app.reported(&id).await;
        let voter = format!("{FRIEND}@c.us");
        for choice in [&["Monday"][..], &["Tuesday"], &[]] {
            let voting = app.sim.vote(&session.engine, &id, &voter, choice);
            voting.await.unwrap();
            let told = events.named("poll.vote").await;
            assert_eq!(told.data()["message_id"], sent["id"], "{dialect}");
            assert_eq!(told.data()["options"], json!(choice), "{dialect}");
            assert_eq!(told.data()["sender_phone"], FRIEND, "{dialect}");
            let counted = session.message(&sent).await["poll"]["votes"].clone();
            match choice {
                [] => assert_eq!(counted, json!([]), "{dialect}"),
                chosen => {
                    assert_eq!(counted[0]["voter"], FRIEND, "{dialect}: {counted}");
                    assert_eq!(counted[0]["options"], json!(chosen), "{dialect}: {counted}");
                    assert_eq!(counted[1], Value::Null, "{dialect}: {counted}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_place_arrives_where_it_is() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let body = json!({
            "phone": FRIEND, "latitude": 52.5163, "longitude": -13.3777, "title": "The gate",
        });
        let sent = session
            .post_to("/messages/send/location", body)
            .await
            .expect(201);
        let got = last(&app, &session);
        assert_eq!(got.kind, "location", "{dialect}");
        assert_eq!(got.payload["latitude"], 52.5163, "{dialect}");
        assert_eq!(got.payload["longitude"], -13.3777, "{dialect}");
        assert_eq!(got.payload["name"], "The gate", "{dialect}");
        let told = events.named("message.sent").await;
        for seen in [&session.message(&sent).await, told.data()] {
            assert_eq!(seen["message_type"], "location", "{dialect}: {seen}");
            let place = &seen["location"];
            assert_eq!(place["latitude"], 52.5163, "{dialect}: {seen}");
            assert_eq!(place["longitude"], -13.3777, "{dialect}: {seen}");
            assert_eq!(place["title"], "The gate", "{dialect}: {seen}");
        }
        // Without a name it is a place as well.
        let body = json!({"phone": FRIEND, "latitude": 0, "longitude": 0});
        let nameless = session.post_to("/messages/send/location", body).await;
        assert_eq!(
            nameless.expect(201)["location"]["latitude"],
            0.0,
            "{dialect}"
        );
    }
}

#[tokio::test]
async fn contact_cards_arrive_with_name_and_number() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let contacts = json!([
            {"full_name": "Grace Hopper", "phone": "+15550000007", "organization": "Navy"},
            {"full_name": "Ada", "phone": "15550000008"},
        ]);
        let body = json!({"phone": FRIEND, "contacts": contacts});
        let sent = session
            .post_to("/messages/send/contact", body)
            .await
            .expect(201);
        let got = last(&app, &session);
        assert_eq!(got.kind, "contact", "{dialect}");
        let cards = got.payload["vcards"].as_array().unwrap();
        assert_eq!(cards.len(), 2, "{dialect}: {cards:?}");
        for (card, words) in cards.iter().zip([
            ["FN:Grace Hopper", "15550000007", "ORG:Navy"],
            ["FN:Ada", "15550000008", "TEL"],
        ]) {
            let card = card.as_str().unwrap();
            assert!(words.iter().all(|word| card.contains(word)), "{card}");
        }
        let told = events.named("message.sent").await;
        for seen in [&session.message(&sent).await, told.data()] {
            assert_eq!(seen["message_type"], "contact", "{dialect}: {seen}");
            let shown = &seen["contacts"];
            assert_eq!(shown[0]["full_name"], "Grace Hopper", "{dialect}: {seen}");
            assert_eq!(shown[0]["phone"], "15550000007", "{dialect}: {seen}");
            assert_eq!(shown[0]["organization"], "Navy", "{dialect}: {seen}");
            assert_eq!(shown[1]["full_name"], "Ada", "{dialect}: {seen}");
        }
    }
}

/// Everything that can be sent, by the route of the engine that sends it.
fn everything() -> Vec<(&'static str, &'static str, Value)> {
    let file = |bytes: &[u8]| json!({"phone": FRIEND, "media_base64": STANDARD.encode(bytes)});
    let poll = json!({"phone": FRIEND, "title": "When?", "options": ["now", "later"]});
    let place = json!({"phone": FRIEND, "latitude": 1.5, "longitude": 2.25, "title": "Here"});
    let nowhere = json!({"phone": FRIEND, "latitude": 1.5, "longitude": 2.25});
    let cards = json!({
        "phone": FRIEND, "contacts": [{"full_name": "Ada", "phone": "15550000008"}],
    });
    vec![
        ("POST /api/sendImage", SEND, file(&samples::png("early"))),
        ("POST /api/sendVideo", SEND, file(&samples::mp4("early"))),
        ("POST /api/sendFile", SEND, file(&samples::mp3("early"))),
        ("POST /api/sendFile", SEND, file(&samples::pdf("early"))),
        ("POST /api/sendVoice", SEND, file(&samples::opus("early"))),
        (
            "POST /api/sendSticker",
            "/messages/send/sticker",
            file(&samples::webp("early")),
        ),
        (
            "POST /api/sendVideo",
            "/messages/send/gif",
            file(&samples::gif("early")),
        ),
        ("POST /api/sendPoll", "/messages/send/poll", poll),
        ("POST /api/sendLocation", "/messages/send/location", place),
        ("POST /api/sendLocation", "/messages/send/location", nowhere),
        (
            "POST /api/sendContactVcard",
            "/messages/send/contact",
            cards,
        ),
    ]
}

#[tokio::test]
async fn whatever_is_reported_before_it_is_answered_stands_once_in_the_history() {
    for dialect in ALL {
        let (app, session, _events) = start(dialect).await;
        for (count, (request, path, body)) in (1..).zip(everything()) {
            app.wire.hold_answers(request);
            let sending = tokio::spawn({
                let session = session.clone();
                async move { session.post_to(path, body).await.expect(201) }
            });
            let found = |_: &_| session.sent(&app.sim).into_iter().nth(count - 1);
            let got = crate::support::soon(app.sim.until(found)).await;
            app.reported(&got.id).await;
            app.wire.release();
            let sent = sending.await.unwrap();
            let shown = session.message(&sent).await;
            assert_eq!(shown["wa_message_id"], json!(got.id), "{dialect} {request}");
            assert_eq!(shown["status"], "sent", "{dialect} {request}: {shown}");
            let rows = app.count("SELECT count(*) FROM message").await;
            assert_eq!(rows, i64::try_from(count).unwrap(), "{dialect} {request}");
        }
    }
}
