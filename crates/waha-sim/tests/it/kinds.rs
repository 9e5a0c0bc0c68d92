//! What messages are made of, as each engine shows it.

use mf_waha_sim::{Cards, Dialect, Inbound, InboundContent as Content, MediaFile, Place, Poll};
use serde_json::{Value, json};

use super::support::{FRIEND, Waha, heard, waha};

const ENGINES: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];

async fn working(engine: Dialect) -> Waha {
    let waha = waha(engine).await;
    waha.working("main", heard(json!({})).await).await;
    waha
}

fn file(mimetype: &str) -> MediaFile {
    MediaFile::new(mimetype, *b"bytes").named("name.bin")
}

/// The member of WhatsApp's message that says what it is, in either spelling.
fn proto(shown: &Value, engine: Dialect) -> Value {
    match engine {
        Dialect::Noweb => shown["_data"]["message"].clone(),
        _ => shown["_data"]["Message"].clone(),
    }
}

#[tokio::test]
async fn each_engine_names_the_kinds_of_files_in_its_own_words() {
    let kinds = [
        (
            Content::Image(file("image/png")),
            "imageMessage",
            "image",
            "image",
        ),
        (
            Content::Document(file("a/b")),
            "documentMessage",
            "document",
            "document",
        ),
        (
            Content::Audio(file("audio/mpeg")),
            "audioMessage",
            "audio",
            "audio",
        ),
        (
            Content::Voice(file("audio/ogg")),
            "audioMessage",
            "ptt",
            "ptt",
        ),
        (
            Content::Video(file("video/mp4")),
            "videoMessage",
            "video",
            "video",
        ),
        (
            Content::VideoNote(file("video/mp4")),
            "ptvMessage",
            "ptv",
            "ptv",
        ),
        (
            Content::Gif(file("video/mp4")),
            "videoMessage",
            "gif",
            "video",
        ),
        (
            Content::Sticker(file("image/webp")),
            "stickerMessage",
            "sticker",
            "sticker",
        ),
    ];
    for engine in ENGINES {
        let waha = working(engine).await;
        for (content, member, media_type, web_type) in kinds.clone() {
            let kind = content.kind();
            let shown = waha
                .sim
                .inbound("main", Inbound::of(FRIEND, content))
                .await
                .unwrap();
            assert_eq!(shown["hasMedia"], true, "{engine} {kind}");
            assert!(shown["media"]["mimetype"].is_string(), "{engine} {kind}");
            if engine == Dialect::Webjs {
                assert_eq!(shown["_data"]["type"], web_type);
                assert_eq!(shown["_data"]["isGif"] == true, kind == "gif");
                continue;
            }
            assert!(proto(&shown, engine)[member].is_object(), "{shown}");
            if engine == Dialect::Gows {
                assert_eq!(shown["_data"]["Info"]["MediaType"], media_type);
            }
        }
    }
}

#[tokio::test]
async fn voice_notes_and_gifs_carry_their_marks() {
    for (engine, ptt) in [(Dialect::Noweb, "ptt"), (Dialect::Gows, "PTT")] {
        let waha = working(engine).await;
        let voice = Inbound::of(FRIEND, Content::Voice(file("audio/ogg; codecs=opus")));
        let shown = waha.sim.inbound("main", voice).await.unwrap();
        assert_eq!(proto(&shown, engine)["audioMessage"][ptt], true);
        let gif = Inbound::of(FRIEND, Content::Gif(file("video/mp4")));
        let shown = waha.sim.inbound("main", gif).await.unwrap();
        assert_eq!(proto(&shown, engine)["videoMessage"]["gifPlayback"], true);
    }
}

#[tokio::test]
async fn only_documents_carry_their_name_and_a_caption_is_the_body() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let document = Inbound {
            text: "the caption".to_owned(),
            ..Inbound::of(FRIEND, Content::Document(file("application/pdf")))
        };
        let shown = waha.sim.inbound("main", document).await.unwrap();
        assert_eq!(shown["media"]["filename"], "name.bin");
        assert_eq!(shown["body"], "the caption");
        let image = Inbound::of(FRIEND, Content::Image(file("image/png")));
        let shown = waha.sim.inbound("main", image).await.unwrap();
        assert_eq!(shown["media"]["filename"], Value::Null);
        let nothing = if engine == Dialect::Webjs {
            json!("")
        } else {
            Value::Null
        };
        assert_eq!(shown["body"], nothing);
    }
}

#[tokio::test]
async fn a_document_with_a_caption_is_wrapped_on_noweb_and_gows() {
    for engine in [Dialect::Noweb, Dialect::Gows] {
        let waha = working(engine).await;
        let document = Inbound {
            text: "the caption".to_owned(),
            ..Inbound::of(FRIEND, Content::Document(file("application/pdf")))
        };
        let shown = waha.sim.inbound("main", document).await.unwrap();
        let inner = &proto(&shown, engine)["documentWithCaptionMessage"]["message"];
        assert_eq!(inner["documentMessage"]["fileName"], "name.bin");
        assert_eq!(inner["documentMessage"]["caption"], "the caption");
    }
}

#[tokio::test]
async fn a_place_has_its_degrees_as_text_except_on_webjs() {
    let place = Content::Location(Place {
        latitude: 52.5,
        longitude: 13.25,
        name: Some("Here".to_owned()),
        address: None,
    });
    for engine in ENGINES {
        let waha = working(engine).await;
        let shown = waha
            .sim
            .inbound("main", Inbound::of(FRIEND, place.clone()))
            .await
            .unwrap();
        let degrees = if engine == Dialect::Webjs {
            (json!(52.5), json!(13.25))
        } else {
            (json!("52.5"), json!("13.25"))
        };
        let location = &shown["location"];
        assert_eq!(
            (&location["latitude"], &location["longitude"]),
            (&degrees.0, &degrees.1)
        );
        assert_eq!(location["name"], "Here");
        assert_eq!(shown["hasMedia"], false);
    }
}

#[tokio::test]
async fn cards_come_as_they_are() {
    let card = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nEND:VCARD".to_owned();
    for engine in ENGINES {
        let waha = working(engine).await;
        for count in [1, 2] {
            let vcards = vec![card.clone(); count];
            let content = Content::Contact(Cards {
                vcards: vcards.clone(),
            });
            let shown = waha
                .sim
                .inbound("main", Inbound::of(FRIEND, content))
                .await
                .unwrap();
            assert_eq!(shown["vCards"], json!(vcards));
            let named = match (engine, count) {
                (Dialect::Webjs, 1) => shown["_data"]["type"] == "vcard",
                (Dialect::Webjs, _) => shown["_data"]["type"] == "multi_vcard",
                (_, 1) => proto(&shown, engine)["contactMessage"]["displayName"] == "Ada",
                (_, _) => {
                    proto(&shown, engine)["contactsArrayMessage"]["contacts"][1]["vcard"]
                        == card.as_str()
                }
            };
            assert!(named, "{shown}");
        }
    }
}

#[tokio::test]
async fn a_poll_shows_its_question_and_answers_in_the_librarys_words() {
    let poll = Content::Poll(Poll {
        name: "Lunch?".to_owned(),
        options: vec!["yes".to_owned(), "no".to_owned()],
        multiple_answers: false,
    });
    for engine in ENGINES {
        let waha = working(engine).await;
        let shown = waha
            .sim
            .inbound("main", Inbound::of(FRIEND, poll.clone()))
            .await
            .unwrap();
        if engine == Dialect::Webjs {
            let data = &shown["_data"];
            assert_eq!(data["pollName"], "Lunch?");
            assert_eq!(data["pollOptions"][1], json!({"name": "no", "localId": 1}));
            assert_eq!(data["pollSelectableOptionsCount"], 1);
        } else {
            let expected = json!({
                "name": "Lunch?",
                "options": [{"optionName": "yes"}, {"optionName": "no"}],
                "selectableOptionsCount": 1,
            });
            assert_eq!(proto(&shown, engine)["pollCreationMessageV3"], expected);
        }
    }
}

#[tokio::test]
async fn the_writers_other_id_shows_where_the_engine_shows_it() {
    let from = "123456789@lid";
    for engine in ENGINES {
        let waha = working(engine).await;
        let direct = Inbound {
            sender_alt: Some(FRIEND.to_owned()),
            ..Inbound::text(from, "hi")
        };
        let shown = waha.sim.inbound("main", direct).await.unwrap();
        let in_group = Inbound {
            sender_alt: Some(FRIEND.to_owned()),
            participant: Some(from.to_owned()),
            ..Inbound::text("123456@g.us", "hi")
        };
        let grouped = waha.sim.inbound("main", in_group).await.unwrap();
        let jid = "15550000002@s.whatsapp.net";
        match engine {
            Dialect::Noweb => {
                assert_eq!(shown["_data"]["key"]["remoteJidAlt"], jid);
                assert_eq!(grouped["_data"]["key"]["participantAlt"], jid);
            }
            Dialect::Gows => {
                assert_eq!(shown["_data"]["Info"]["SenderAlt"], jid);
                assert_eq!(grouped["_data"]["Info"]["SenderAlt"], jid);
            }
            Dialect::Webjs => assert!(!shown.to_string().contains("15550000002")),
        }
    }
}

#[tokio::test]
async fn an_answer_quotes_what_it_answers_and_has_its_own_time() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let first = waha
            .sim
            .inbound("main", Inbound::text(FRIEND, "question"))
            .await
            .unwrap();
        let answer = Inbound {
            reply_to: Some(first["id"].as_str().unwrap().to_owned()),
            timestamp: Some(1_700_000_000),
            ..Inbound::text(FRIEND, "answer")
        };
        let shown = waha.sim.inbound("main", answer).await.unwrap();
        let bare = first["id"].as_str().unwrap().split('_').nth(2).unwrap();
        assert_eq!(shown["replyTo"]["id"], bare);
        assert_eq!(shown["replyTo"]["body"], "question");
        assert_eq!(shown["replyTo"]["participant"], FRIEND);
        assert_eq!(shown["timestamp"], 1_700_000_000);
    }
}

#[tokio::test]
async fn everything_can_be_brought_in_over_http() {
    let waha = working(Dialect::Noweb).await;
    let orders = [
        json!({"kind": "image", "mimetype": "image/png", "data": "aGVsbG8="}),
        json!({"kind": "document", "mimetype": "text/plain", "filename": "a.txt", "data": ""}),
        json!({"kind": "video_note", "mimetype": "video/mp4", "data": "aGVsbG8="}),
        json!({"kind": "location", "latitude": 1.5, "longitude": 2}),
        json!({"kind": "contact", "vcards": ["BEGIN:VCARD\nEND:VCARD"]}),
        json!({"kind": "poll", "name": "?", "options": ["a"], "multipleAnswers": true}),
        json!({"kind": "text"}),
    ];
    for content in orders {
        let order = json!({"from": FRIEND, "text": "hi", "content": content});
        let (status, shown) = waha.post("/sim/sessions/main/inbound", order).await;
        assert_eq!(status, 201, "{shown}");
    }
    let wrong = json!({"from": FRIEND, "content": {"kind": "telepathy"}});
    assert_eq!(waha.post("/sim/sessions/main/inbound", wrong).await.0, 400);
}

#[tokio::test]
async fn the_echo_number_names_the_kind_of_what_is_no_text() {
    let waha = working(Dialect::Gows).await;
    let body = json!({
        "session": "main", "chatId": "15550000001@c.us",
        "latitude": 1, "longitude": 2, "title": "Here",
    });
    assert_eq!(waha.post("/api/sendLocation", body).await.0, 201);
    waha.event("message", |payload| payload["body"] == "echo: location")
        .await;
}

#[tokio::test]
async fn a_text_has_no_file() {
    let waha = working(Dialect::Noweb).await;
    let inbound = Inbound::text(FRIEND, "hi");
    let shown = waha.sim.inbound("main", inbound).await.unwrap();
    assert_eq!(
        (&shown["hasMedia"], &shown["media"]),
        (&json!(false), &Value::Null)
    );
}
