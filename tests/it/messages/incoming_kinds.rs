//! What comes in besides words: told with what it carries, and its file copied before the
//! engine forgets it.
//!
//! The simulator says, as WAHA does by default, that its files are at `http://localhost:3000`,
//! where nobody is: whoever believes it copies nothing.

use mf_waha_sim::{
    Cards, Dialect, Inbound, InboundContent as Content, MediaDrop, MediaFile, Place, Poll,
};
use serde_json::{Value, json};

use crate::support::{EventStream, Session, TestApp, samples, soon};

const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];
const FRIEND: &str = "15550000002@c.us";
const STORED: &str = "SELECT count(*) FROM media WHERE state = 'stored'";

async fn start(dialect: Dialect) -> (TestApp, Session, EventStream) {
    let app = TestApp::builder().dialect(dialect).start().await;
    let (session, events) = app.working_session(&app.full_key()).await;
    (app, session, events)
}

/// Something from a friend; what clients are told of it, and what the history has.
async fn arrive(
    app: &TestApp,
    session: &Session,
    events: &mut EventStream,
    inbound: Inbound,
) -> [Value; 2] {
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    let told = events.named("message.received").await.data().clone();
    let shown = session.message(&json!({"id": told["message_id"]})).await;
    [told, shown]
}

/// Waits until that many files are here.
async fn copied(app: &TestApp, count: i64) {
    soon(async { while app.count(STORED).await < count {} }).await;
}

fn files() -> Vec<(Content, &'static str, Vec<u8>)> {
    let file = |mimetype: &str, bytes: &[u8]| MediaFile::new(mimetype, bytes);
    let (png, pdf) = (samples::png("in"), samples::pdf("in"));
    let (mp3, opus) = (samples::mp3("in"), samples::opus("in"));
    let (mp4, webp) = (samples::mp4("in"), samples::webp("in"));
    let gif = samples::mp4("in, again and again");
    let document = file("application/pdf", &pdf).named("Angebot.pdf");
    vec![
        (Content::Image(file("image/png", &png)), "image", png),
        (Content::Document(document), "document", pdf),
        (Content::Audio(file("audio/mpeg", &mp3)), "audio", mp3),
        (
            Content::Voice(file("audio/ogg; codecs=opus", &opus)),
            "voice",
            opus,
        ),
        (Content::Video(file("video/mp4", &mp4)), "video", mp4),
        (Content::Gif(file("video/mp4", &gif)), "gif", gif),
        (Content::Sticker(file("image/webp", &webp)), "sticker", webp),
    ]
}

#[tokio::test]
async fn files_of_every_kind_are_copied_and_served_after_the_engine_forgot_them() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let mut arrived = Vec::new();
        for (content, kind, bytes) in files() {
            let mimetype = content.file().unwrap().mimetype.clone();
            let inbound = Inbound::of(FRIEND, content);
            let seen = arrive(&app, &session, &mut events, inbound).await;
            for seen in &seen {
                assert_eq!(seen["message_type"], kind, "{dialect}: {seen}");
                let media = &seen["media"];
                assert_eq!(media["mimetype"], json!(mimetype), "{dialect}: {seen}");
                assert!(media["url"].is_string(), "{dialect}: {seen}");
            }
            let named = if kind == "document" {
                json!("Angebot.pdf")
            } else {
                Value::Null
            };
            assert_eq!(seen[0]["media"]["filename"], named, "{dialect} {kind}");
            arrived.push((seen[0].clone(), mimetype, bytes));
        }
        copied(&app, 7).await;
        app.sim.expire_files();
        app.wire.cut().await;
        for (told, mimetype, bytes) in arrived {
            let shown = session.message(&json!({"id": told["message_id"]})).await;
            assert_eq!(shown["media"]["status"], "stored", "{dialect}: {shown}");
            assert_eq!(shown["media"]["size"], json!(bytes.len()), "{dialect}");
            // As clients were told it at first.
            let file = session.file(&told["media"]).await;
            assert_eq!(file.status, 200, "{dialect}: {file}");
            assert_eq!(file.body, bytes, "{dialect} {mimetype}");
            assert_eq!(file.header("content-type"), Some(mimetype.as_str()));
        }
        app.wire.mend().await;
    }
}

#[tokio::test]
async fn whoever_asks_for_a_file_at_once_waits_for_it() {
    let (app, session, mut events) = start(Dialect::Noweb).await;
    let picture = samples::png("at once");
    let content = Content::Image(MediaFile::new("image/png", picture.clone()));
    app.sim
        .inbound(&session.engine, Inbound::of(FRIEND, content))
        .await
        .unwrap();
    let told = events.named("message.received").await;
    let file = session.file(&told.data()["media"]).await;
    assert_eq!(file.status, 200, "{file}");
    assert_eq!(file.body, picture);
}

#[tokio::test]
async fn words_below_a_picture_are_its_content() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let picture = MediaFile::new("image/jpeg", samples::jpeg("with words"));
        let inbound = Inbound {
            text: "Look".to_owned(),
            ..Inbound::of(FRIEND, Content::Image(picture))
        };
        for seen in arrive(&app, &session, &mut events, inbound).await {
            assert_eq!(seen["message_type"], "image", "{dialect}: {seen}");
            assert_eq!(seen["content"], "Look", "{dialect}: {seen}");
        }
    }
}

#[tokio::test]
async fn a_place_is_told_with_its_degrees_and_name() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let place = Place {
            latitude: 38.7223,
            longitude: -9.1393,
            name: Some("The bakery".to_owned()),
            address: Some("Rua do Exemplo 12".to_owned()),
        };
        let inbound = Inbound::of(FRIEND, Content::Location(place));
        for seen in arrive(&app, &session, &mut events, inbound).await {
            assert_eq!(seen["message_type"], "location", "{dialect}: {seen}");
            let place = &seen["location"];
            assert_eq!(place["latitude"], 38.7223, "{dialect}: {seen}");
            assert_eq!(place["longitude"], -9.1393, "{dialect}: {seen}");
            assert_eq!(place["title"], "The bakery", "{dialect}: {seen}");
            assert_eq!(place["address"], "Rua do Exemplo 12", "{dialect}: {seen}");
        }
    }
}

#[tokio::test]
async fn contact_cards_are_told_with_name_and_number() {
    let card = |name: &str, number: &str| {
        format!(
            "BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nORG:Navy;\n\
             TEL;type=CELL;type=VOICE;waid={number}:+{number}\nEND:VCARD"
        )
    };
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        for count in [1, 2] {
            let mut vcards = vec![card("Grace", "15550000007"), card("Ada", "15550000008")];
            vcards.truncate(count);
            let inbound = Inbound::of(FRIEND, Content::Contact(Cards { vcards }));
            for seen in arrive(&app, &session, &mut events, inbound).await {
                assert_eq!(seen["message_type"], "contact", "{dialect}: {seen}");
                let cards = seen["contacts"].as_array().unwrap();
                assert_eq!(cards.len(), count, "{dialect}: {seen}");
                assert_eq!(cards[0]["full_name"], "Grace", "{dialect}: {seen}");
                assert_eq!(cards[0]["phone"], "15550000007", "{dialect}: {seen}");
                assert_eq!(cards[0]["organization"], "Navy", "{dialect}: {seen}");
            }
        }
    }
}

#[tokio::test]
async fn a_poll_of_others_is_told_with_its_answers_and_its_votes() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let poll = Poll {
            name: "When?".to_owned(),
            options: ["Monday", "Tuesday", "Sunday"].map(str::to_owned).to_vec(),
            multiple_answers: true,
        };
        let group = "120363000000000001@g.us";
        let inbound = Inbound {
            participant: Some("15550000007@c.us".to_owned()),
            ..Inbound::of(group, Content::Poll(poll))
        };
        let seen = arrive(&app, &session, &mut events, inbound).await;
        for seen in &seen {
            assert_eq!(seen["message_type"], "poll", "{dialect}: {seen}");
            assert_eq!(seen["poll"]["title"], "When?", "{dialect}: {seen}");
            let options = json!(["Monday", "Tuesday", "Sunday"]);
            assert_eq!(seen["poll"]["options"], options, "{dialect}: {seen}");
            assert_eq!(seen["poll"]["allow_multiple"], true, "{dialect}: {seen}");
        }
        let id = seen[0]["wa_message_id"].as_str().unwrap();
        for (voter, choice) in [
            ("15550000008@c.us", &["Monday", "Sunday"][..]),
            ("15550000009@c.us", &["Tuesday"]),
        ] {
            let voting = app.sim.vote(&session.engine, id, voter, choice);
            voting.await.unwrap();
            let told = events.named("poll.vote").await;
            assert_eq!(told.data()["options"], json!(choice), "{dialect}");
        }
        let votes = &session.message(&seen[1]).await["poll"]["votes"];
        assert_eq!(
            votes.as_array().map(Vec::len),
            Some(2),
            "{dialect}: {votes}"
        );
    }
}

#[tokio::test]
async fn a_vote_that_the_engine_cannot_read_is_no_vote() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let poll = Poll {
            name: "When?".to_owned(),
            options: ["Monday", "Tuesday"].map(str::to_owned).to_vec(),
            multiple_answers: false,
        };
        let inbound = Inbound::of(FRIEND, Content::Poll(poll));
        let [_, shown] = arrive(&app, &session, &mut events, inbound).await;
        let id = shown["wa_message_id"].as_str().unwrap();
        let voting = app.sim.vote(&session.engine, id, FRIEND, &["Monday"]);
        voting.await.unwrap();
        events.named("poll.vote").await;
        let voting = app.sim.vote_unreadably(&session.engine, id, FRIEND);
        voting.await.unwrap();
        app.taken(|record| record.event == "poll.vote.failed").await;
        let votes = session.message(&shown).await["poll"]["votes"].clone();
        assert_eq!(votes[0]["options"], json!(["Monday"]), "{dialect}: {votes}");
    }
}

#[tokio::test]
async fn a_file_that_the_engine_dropped_is_asked_for_again_and_arrives() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        app.sim.set_media_dropped(MediaDrop::AtFirst);
        let voice = samples::opus("dropped");
        let file = MediaFile::new("audio/ogg; codecs=opus", voice.clone());
        for (chat, participant) in [
            (FRIEND, None),
            (
                "120363000000000001@g.us",
                Some("15550000007@c.us".to_owned()),
            ),
        ] {
            let inbound = Inbound {
                participant,
                ..Inbound::of(chat, Content::Voice(file.clone()))
            };
            let [told, _] = arrive(&app, &session, &mut events, inbound).await;
            let file = session.file(&told["media"]).await;
            assert_eq!(file.status, 200, "{dialect} {chat}: {file}");
            assert_eq!(file.body, voice, "{dialect} {chat}");
        }
    }
}

#[tokio::test]
async fn a_file_that_the_engine_has_forgotten_is_asked_for_again_and_arrives() {
    let (app, session, mut events) = start(Dialect::Gows).await;
    // Nobody can copy it before it is gone.
    app.wire.cut().await;
    let picture = samples::png("forgotten");
    let content = Content::Image(MediaFile::new("image/png", picture.clone()));
    app.sim
        .inbound(&session.engine, Inbound::of(FRIEND, content))
        .await
        .unwrap();
    let told = events.named("message.received").await;
    app.sim.expire_files();
    app.wire.mend().await;
    let file = session.file(&told.data()["media"]).await;
    assert_eq!(file.status, 200, "{file}");
    assert_eq!(file.body, picture);
}

#[tokio::test]
async fn a_file_that_the_engine_never_has_is_lost_and_said_to_be_so() {
    let (app, session, mut events) = start(Dialect::Noweb).await;
    app.sim.set_media_dropped(MediaDrop::Always);
    let content = Content::Image(MediaFile::new("image/png", samples::png("lost")));
    let inbound = Inbound::of(FRIEND, content);
    let [told, shown] = arrive(&app, &session, &mut events, inbound).await;
    assert_eq!(shown["media"]["status"], "pending", "{shown}");
    // The last attempt, days later.
    let tried = "SELECT count(*) FROM media WHERE attempts > 0 AND claim_id IS NULL";
    soon(async { while app.count(tried).await == 0 {} }).await;
    sqlx::query("UPDATE media SET attempts = 100, next_at = now()")
        .execute(app.rows())
        .await
        .unwrap();
    let lost = "SELECT count(*) FROM media WHERE state = 'lost'";
    soon(async { while app.count(lost).await == 0 {} }).await;
    let shown = session.message(&shown).await;
    assert_eq!(shown["media"]["status"], "lost", "{shown}");
    let sentence = session.file(&told["media"]).await.refused(404);
    assert!(sentence.contains("lost"), "{sentence}");
}

#[tokio::test]
async fn a_file_sent_from_the_own_phone_is_copied_as_well() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let picture = samples::jpeg("from the phone");
        let inbound = Inbound {
            from_me: true,
            ..Inbound::of(
                FRIEND,
                Content::Image(MediaFile::new("image/jpeg", picture.clone())),
            )
        };
        app.sim.inbound(&session.engine, inbound).await.unwrap();
        let told = events.named("message.sent").await;
        assert_eq!(told.data()["message_type"], "image", "{dialect}");
        let file = session.file(&told.data()["media"]).await;
        assert_eq!(file.body, picture, "{dialect}");
    }
}
