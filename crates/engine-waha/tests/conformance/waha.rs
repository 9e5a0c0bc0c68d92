//! What is WAHA's own and not every engine's.

use std::time::Duration;

use mf_domain::{Jid, MessageKind, MessageStatus, PhoneNumber, WaMessageId};
use mf_engine::conformance::World as _;
use mf_engine::{
    Content, Engine as _, EngineError, EnginePage, FileToSend, MediaKind, MessageRef,
    MessagesQuery, Outgoing, SessionKey,
};
use mf_engine_waha::{Waha, WahaConfig, WahaError};
use mf_waha_sim::{Dialect, Status};
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    receiver::{self, Request},
    world::{SimWorld, adapter},
};

const SECOND: Duration = Duration::from_secs(1);

fn key() -> SessionKey {
    SessionKey::of(uuid::Uuid::from_u128(1).into())
}

fn hello() -> Outgoing {
    Outgoing {
        chat: Jid::parse("15550000002@c.us").unwrap(),
        content: Content::Text("hello".to_owned()),
        reply_to: None,
        id: Some(WaMessageId::new("3EB0")),
    }
}

/// A WAHA that answers every call alike, except for its version.
async fn answering(status: u16, body: &'static str) -> Waha {
    let address = receiver::serve(move |request| match request.target.as_str() {
        "/api/server/version" => (200, r#"{"version":"2026.7.1","engine":"NOWEB"}"#.to_owned()),
        _ => (status, body.to_owned()),
    })
    .await;
    adapter(&address, "k", SECOND)
}

#[test]
fn an_address_that_is_none_is_refused_at_once() {
    for base_url in [
        "",
        "waha:3000",
        "ftp://waha",
        "http://waha/?a=b",
        "http://waha/#a",
    ] {
        let waha = Waha::new(WahaConfig::new(base_url, "k".into()));
        assert!(matches!(waha, Err(WahaError::BaseUrl)), "{base_url}");
    }
    let waha = Waha::new(WahaConfig::new("http://waha:3000", "a\nb".into()));
    assert!(matches!(waha, Err(WahaError::ApiKey)));
}

#[tokio::test]
async fn neither_key_nor_address_is_shown() {
    let config = WahaConfig::new("http://waha:3000", "hush".into());
    assert!(!format!("{config:?}").contains("hush"));
    assert_eq!(
        format!("{:?}", adapter("http://waha:3000", "hush", SECOND)),
        "Waha"
    );
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let world = SimWorld::new(Dialect::Noweb).await;
    let waha = adapter(world.base_url(), "another", SECOND);
    assert_eq!(waha.ping().await, Ok(()));
    assert_eq!(waha.info().await, Err(EngineError::Refused));
    assert_eq!(waha.send(&key(), &hello()).await, Err(EngineError::Refused));
}

#[tokio::test]
async fn an_empty_answer_means_taken() {
    assert_eq!(
        answering(201, "").await.send(&key(), &hello()).await,
        Ok(None)
    );
}

#[tokio::test]
async fn an_unreadable_answer_means_taken() {
    for body in ["<html>", "{\"id\":", "[]", "{}"] {
        let waha = answering(201, body).await;
        assert_eq!(waha.send(&key(), &hello()).await, Ok(None), "{body}");
    }
}

#[tokio::test]
async fn a_message_that_is_answered_with_nothing_is_not_there() {
    let chat = hello().chat;
    for (status, body) in [
        (200, ""),
        (200, "null"),
        (404, r#"{"message":"Message not found"}"#),
    ] {
        let waha = answering(status, body).await;
        let found = waha
            .find_message(&key(), &chat, &WaMessageId::new("3EB0"))
            .await;
        assert_eq!(found, Ok(None), "{status} {body}");
    }
}

#[tokio::test]
async fn somebody_elses_404_creates_no_session() {
    let waha = answering(404, "<html>not found</html>").await;
    assert!(matches!(
        waha.session(&key()).await,
        Err(EngineError::Rejected { .. })
    ));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let waha = answering(307, "").await;
    let refused = waha.send(&key(), &hello()).await;
    assert!(
        matches!(refused, Err(EngineError::Rejected { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_hidden_chat_is_taken_from_the_look_up() {
    let waha = answering(200, r#"{"numberExists":true,"chatId":"22000055551@lid"}"#).await;
    let phone = PhoneNumber::parse("15550000002").unwrap();
    let chat = waha.look_up_number(&key(), &phone).await.unwrap().unwrap();
    assert_eq!(chat.as_str(), "22000055551@lid");
    let waha = answering(200, r#"{"numberExists":true}"#).await;
    assert_eq!(
        waha.look_up_number(&key(), &phone).await,
        Ok(Some(Jid::person(&phone)))
    );
}

#[tokio::test]
async fn an_answer_cut_off_after_its_status_means_taken() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in [
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 43\r\n\r\n\
             {\"version\":\"2026.7.1\",\"engine\":\"NOWEB\"}    ",
            "HTTP/1.1 201 Created\r\ncontent-length: 1000\r\n\r\n{\"id\":",
        ] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let waha = adapter(&address, "k", 5 * SECOND);
    assert_eq!(waha.send(&key(), &hello()).await, Ok(None));
}

#[tokio::test]
async fn what_goes_wrong_before_a_send_is_no_send() {
    let address = receiver::serve(|_| (502, String::new())).await;
    let waha = adapter(&address, "k", SECOND);
    assert_eq!(waha.info().await, Err(EngineError::Interrupted));
    assert_eq!(
        waha.send(&key(), &hello()).await,
        Err(EngineError::Unreachable)
    );
}

#[tokio::test]
async fn a_failed_session_is_brought_back_by_a_start() {
    let world = SimWorld::new(Dialect::Noweb).await;
    let spec = world.spec();
    world.engine().start(&spec).await.unwrap();
    world
        .sim()
        .set_status(spec.key.as_str(), Status::Failed)
        .unwrap();
    let started = world.engine().start(&spec).await.unwrap();
    assert_ne!(started.raw_status, "FAILED");
}

#[tokio::test]
async fn a_status_without_a_word_of_ours_keeps_its_own() {
    let body = r#"{"name":"x","status":"HIBERNATING","me":null}"#;
    let session = answering(200, body)
        .await
        .session(&key())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (session.status, session.raw_status.as_str()),
        (None, "HIBERNATING")
    );
}

#[tokio::test]
async fn a_server_before_2026_4_3_is_given_no_id_and_asked_for_no_new_events() {
    let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let address = receiver::serve(move |request| {
        let answer = match (request.method.as_str(), request.target.as_str()) {
            (_, "/api/server/version") => (200, r#"{"version":"2024.10.8","engine":"NOWEB"}"#),
            ("GET", _) => (404, r#"{"message":"Session not found"}"#),
            _ => (201, r#"{"name":"mf","status":"STARTING"}"#),
        };
        sender.send(request).unwrap();
        (answer.0, answer.1.to_owned())
    })
    .await;
    let waha = adapter(&address, "k", SECOND);
    waha.start(&SimWorld::new(Dialect::Noweb).await.spec())
        .await
        .unwrap();
    waha.send(&key(), &hello()).await.unwrap();
    let mut bodies = Vec::new();
    while let Ok(request) = requests.try_recv() {
        bodies.extend(serde_json::from_slice::<serde_json::Value>(&request.body));
    }
    let [created, sent] = bodies.as_slice() else {
        panic!("{bodies:?}");
    };
    let events = created["config"]["webhooks"][0]["events"]
        .as_array()
        .unwrap();
    assert!(!events.contains(&"message.ack.group".into()), "{events:?}");
    assert_eq!(created["start"], true);
    assert_eq!(sent.get("id"), None);
}

#[tokio::test]
async fn a_sticker_goes_out_since_2026_8_2() {
    for dialect in [Dialect::Noweb, Dialect::Gows, Dialect::Webjs] {
        let world = SimWorld::of_version(dialect, "2026.8.2").await;
        mf_engine::conformance::a_file_of_every_kind_arrives_byte_for_byte(&world).await;
        let sent = world.sent().await;
        assert!(sent.iter().any(|sent| sent.kind == MessageKind::Sticker));
    }
}

#[tokio::test]
async fn a_sticker_before_that_is_refused_without_asking() {
    let waha = answering(500, "").await;
    let out = Outgoing {
        content: media(MediaKind::Sticker),
        ..hello()
    };
    let Err(EngineError::Unsupported { what }) = waha.send(&key(), &out).await else {
        panic!("it was sent");
    };
    assert!(what.contains("2026.8.2"), "{what}");
}

fn media(kind: MediaKind) -> Content {
    Content::Media {
        kind,
        file: FileToSend {
            mimetype: "image/webp".to_owned(),
            filename: None,
            url: "http://moltflow:8000/file".to_owned(),
        },
        caption: None,
    }
}

#[tokio::test]
async fn only_files_may_take_longer_than_a_call() {
    let config = WahaConfig::new("http://waha:3000", "k".into());
    assert_eq!(config.media_timeout(), 60 * SECOND);
    let patient = WahaConfig {
        call_timeout: 90 * SECOND,
        ..config
    };
    assert_eq!(patient.media_timeout(), 90 * SECOND);

    let world = SimWorld::new(Dialect::Noweb).await;
    world.engine().start(&world.spec()).await.unwrap();
    let hasty = adapter(world.base_url(), "the-key", Duration::from_millis(100));
    hasty.info().await.unwrap();
    world.sim().set_slow(Duration::from_millis(500));
    let text = hasty.send(&key(), &hello()).await;
    assert_eq!(text, Err(EngineError::Timeout));
    let out = Outgoing {
        content: media(MediaKind::Image),
        ..hello()
    };
    let file = hasty.send(&key(), &out).await;
    assert_eq!(file, Err(EngineError::SessionMissing), "it answered");
}

/// WhatsApp Web knows what we wrote in a group by one of our names, and nobody says by which.
#[tokio::test]
async fn our_message_in_a_group_is_found_under_either_of_our_names() {
    for known in ["15550000001@c.us", "2200001@lid"] {
        let full = format!("true_120363@g.us_3EB0_{known}");
        let path = full.replace('@', "%40");
        let (sender, mut changed) = tokio::sync::mpsc::unbounded_channel();
        let address = receiver::serve(move |request| {
            let answer = match (request.method.as_str(), request.target.as_str()) {
                (_, "/api/server/version") => r#"{"version":"2026.7.1","engine":"WEBJS"}"#,
                ("GET", target) if target.starts_with("/api/sessions/") => {
                    r#"{"name":"mf","status":"WORKING",
                        "me":{"id":"15550000001@c.us","lid":"2200001@lid"}}"#
                }
                ("GET", target) if target.contains(&path) => r#"{"id":"…","ack":3}"#,
                ("GET", _) => "",
                _ => {
                    sender.send(request).unwrap();
                    "{}"
                }
            };
            (200, answer.to_owned())
        })
        .await;
        let waha = adapter(&address, "k", SECOND);
        let message = MessageRef {
            chat: Jid::parse("120363@g.us").unwrap(),
            id: WaMessageId::new("3EB0"),
            from_me: true,
            participant: None,
        };
        let found = waha.find_message(&key(), &message.chat, &message.id).await;
        assert_eq!(found.unwrap().unwrap().status, Some(MessageStatus::Read));
        waha.react(&key(), &message, "👍").await.unwrap();
        let body = String::from_utf8(changed.recv().await.unwrap().body).unwrap();
        assert!(body.contains(&full), "{body}");
    }
}

#[tokio::test]
async fn a_page_of_notices_is_not_the_end_of_a_chat() {
    let address = receiver::serve(|request| {
        let answer = match request.target.as_str() {
            "/api/server/version" => r#"{"version":"2026.7.1","engine":"NOWEB"}"#,
            target if target.contains("offset=0&") => {
                r#"[{"id":"true_15550000002@c.us_A","_data":{"type":"e2e_notification"}},
                    {"id":"unreadable","timestamp":1},null]"#
            }
            target if target.contains("offset=3&") => {
                r#"[{"id":"false_15550000002@c.us_B","timestamp":1,"body":"hello"}]"#
            }
            _ => "[]",
        };
        (200, answer.to_owned())
    })
    .await;
    let waha = adapter(&address, "k", SECOND);
    let page = |offset| MessagesQuery {
        since: None,
        page: EnginePage { limit: 3, offset },
    };
    let chat = hello().chat;
    let found = waha.messages(&key(), &chat, page(0)).await.unwrap();
    assert_eq!(found[0].id, WaMessageId::new("B"));
    assert_eq!(waha.messages(&key(), &chat, page(6)).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_page_of_chats_of_unknown_kinds_is_not_the_end_of_the_list() {
    let address = receiver::serve(|request| {
        let answer = match request.target.as_str() {
            "/api/server/version" => r#"{"version":"2026.7.1","engine":"NOWEB"}"#,
            target if target.ends_with("offset=2") => r#"[{"id":"15550000002@c.us"}]"#,
            target if target.ends_with("offset=4") => "[]",
            _ => r#"[{"id":"somebody@example"},{"id":"another@example"}]"#,
        };
        (200, answer.to_owned())
    })
    .await;
    let waha = adapter(&address, "k", SECOND);
    let page = |offset| EnginePage { limit: 2, offset };
    let found = waha.chats(&key(), page(0)).await.unwrap();
    assert_eq!(found[0].chat, hello().chat);
    assert_eq!(waha.chats(&key(), page(4)).await, Ok(Vec::new()));
    // Nobody is to take it for the end either that there seems to be none.
    let endless = waha.chats(&key(), page(6)).await;
    assert!(
        matches!(endless, Err(EngineError::Failed { .. })),
        "{endless:?}"
    );
}

/// Who asked for what, with which key.
async fn file_server(
    status: u16,
    body: &'static str,
) -> (String, tokio::sync::mpsc::UnboundedReceiver<Request>) {
    let (sender, requests) = tokio::sync::mpsc::unbounded_channel();
    let address = receiver::serve(move |request| {
        sender.send(request).unwrap();
        (status, body.to_owned())
    })
    .await;
    (address, requests)
}

fn has_key(request: &Request) -> bool {
    request.headers.iter().any(|(name, _)| name == "x-api-key")
}

#[tokio::test]
async fn the_key_goes_with_files_of_wahas_own_and_with_no_others() {
    let (waha_address, mut at_waha) = file_server(200, "a file").await;
    let (storage_address, mut at_storage) = file_server(200, "another").await;
    let waha = adapter(&waha_address, "k", SECOND);
    let own = "http://localhost:3000/api/files/s/a.jpeg?x=1";
    let stream = waha.fetch_media(own).await.unwrap().unwrap();
    assert_eq!(stream.length, Some(6));
    let request = at_waha.recv().await.unwrap();
    assert_eq!(request.target, "/api/files/s/a.jpeg?x=1");
    assert!(has_key(&request));

    let signed = format!("{storage_address}/bucket/a.jpeg?signature=1");
    assert!(waha.fetch_media(&signed).await.unwrap().is_some());
    let request = at_storage.recv().await.unwrap();
    assert_eq!(request.target, "/bucket/a.jpeg?signature=1");
    assert!(!has_key(&request));
}

#[tokio::test]
async fn a_file_that_is_gone_is_none_and_other_refusals_are_errors() {
    let own = "http://localhost:3000/api/files/s/a.jpeg";
    let gone = r#"{"error":{"code":404,"key":"FILE_NOT_FOUND","message":"…","details":{}}}"#;
    for (status, body, is_gone) in [
        (404, gone, true),
        (
            404,
            r#"{"message":"File not found: a.jpeg","statusCode":404}"#,
            true,
        ),
        (404, "<html>not found</html>", false),
        (403, r#"{"message":"Forbidden","statusCode":403}"#, false),
    ] {
        let (address, _requests) = file_server(status, body).await;
        let fetched = adapter(&address, "k", SECOND).fetch_media(own).await;
        match fetched {
            Ok(found) => assert!(is_gone && found.is_none(), "{status} {body}"),
            Err(_) => assert!(!is_gone, "{status} {body}"),
        }
    }
    let (storage, _requests) = file_server(403, "<Error><Code>AccessDenied</Code></Error>").await;
    let waha = answering(200, "").await;
    let expired = waha.fetch_media(&format!("{storage}/a?sig=1")).await;
    assert!(matches!(expired, Ok(None)));
    assert!(waha.fetch_media("file:///etc/passwd").await.is_err());
}

#[tokio::test]
async fn a_probe_asks_for_our_own_number() {
    let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let address = receiver::serve(move |request| {
        let answer = match request.target.as_str() {
            target if target.starts_with("/api/sessions/") => {
                r#"{"name":"mf","status":"WORKING","me":{"id":"15550000001@c.us"}}"#
            }
            _ => r#"{"numberExists":true}"#,
        };
        sender.send(request).unwrap();
        (200, answer.to_owned())
    })
    .await;
    adapter(&address, "k", SECOND).probe(&key()).await.unwrap();
    requests.recv().await.unwrap();
    let asked = requests.recv().await.unwrap().target;
    assert!(asked.contains("check-exists?phone=15550000001"), "{asked}");
}

#[tokio::test]
async fn a_callback_from_another_version_makes_it_ask_again() {
    let asked = std::sync::atomic::AtomicU32::new(0);
    let address = receiver::serve(move |_| {
        let engine = match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => r#"{"version":"2026.7.1","engine":"WEBJS"}"#,
            _ => r#"{"version":"2026.7.1","engine":"NOWEB"}"#,
        };
        (200, engine.to_owned())
    })
    .await;
    let waha = adapter(&address, "k", SECOND);
    for _ in 0..2 {
        assert_eq!(waha.info().await.unwrap().dialect, "WEBJS");
    }
    let world = SimWorld::new(Dialect::Noweb).await;
    let spec = world.spec();
    world.engine().start(&spec).await.unwrap();
    let received = world.next_callback().await;
    let secret = spec.callback_secret.expose_secret();
    let header = |name: &str| received.header(name);
    waha.read_callback(secret, &header, &received.body).unwrap();
    assert_eq!(waha.info().await.unwrap().dialect, "NOWEB");
}
