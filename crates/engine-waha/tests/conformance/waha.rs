//! What is WAHA's own and not every engine's.

use std::time::Duration;

use mf_domain::{Jid, PhoneNumber, WaMessageId};
use mf_engine::conformance::World as _;
use mf_engine::{Engine as _, EngineError, SessionKey, TextToSend};
use mf_engine_waha::{Waha, WahaConfig, WahaError};
use mf_waha_sim::{Dialect, Status};
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    receiver,
    world::{SimWorld, adapter},
};

const SECOND: Duration = Duration::from_secs(1);

fn key() -> SessionKey {
    SessionKey::of(uuid::Uuid::from_u128(1).into())
}

fn hello() -> TextToSend {
    TextToSend {
        chat: Jid::parse("15550000002@c.us").unwrap(),
        text: "hello".to_owned(),
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
    assert_eq!(
        waha.send_text(&key(), &hello()).await,
        Err(EngineError::Refused)
    );
}

#[tokio::test]
async fn an_empty_answer_means_taken() {
    assert_eq!(
        answering(201, "").await.send_text(&key(), &hello()).await,
        Ok(None)
    );
}

#[tokio::test]
async fn an_unreadable_answer_means_taken() {
    for body in ["<html>", "{\"id\":", "[]", "{}"] {
        let waha = answering(201, body).await;
        assert_eq!(waha.send_text(&key(), &hello()).await, Ok(None), "{body}");
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
    let refused = waha.send_text(&key(), &hello()).await;
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
    assert_eq!(waha.send_text(&key(), &hello()).await, Ok(None));
}

#[tokio::test]
async fn what_goes_wrong_before_a_send_is_no_send() {
    let address = receiver::serve(|_| (502, String::new())).await;
    let waha = adapter(&address, "k", SECOND);
    assert_eq!(waha.info().await, Err(EngineError::Interrupted));
    assert_eq!(
        waha.send_text(&key(), &hello()).await,
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
    waha.send_text(&key(), &hello()).await.unwrap();
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
