use std::time::Duration;

use reqwest::Response;

use super::{Behaviour, Receiver};
use crate::{Poster, Posting, Session, until};

const PATIENCE: Duration = Duration::from_secs(20);

async fn post(receiver: &Receiver, path: &str) -> reqwest::Result<Response> {
    let request = crate::api::http().unwrap().post(receiver.url(path));
    let request = request
        .header("webhook-id", "1")
        .header("x-webhook-event", "message.received");
    let body = r#"{"data":{"wa_message_id":"3EB0"}}"#;
    request.body(body).send().await
}

#[tokio::test]
async fn what_comes_is_noted_and_answered_as_it_was_told_to() {
    let receiver = Receiver::start().await.unwrap();
    let busy = Behaviour::status(429).header("retry-after", "7");
    receiver.behave("/bad/1", busy);
    assert_eq!(post(&receiver, "/good").await.unwrap().status(), 200);
    let refused = post(&receiver, "/bad/1").await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "7");

    let [arrival] = &receiver.arrivals("/good")[..] else {
        panic!("one came");
    };
    assert_eq!(arrival.webhook_id, "1");
    assert_eq!(arrival.event, "message.received");
    assert_eq!(arrival.mark.as_deref(), Some("3EB0"));
    assert_eq!(receiver.count_of("/bad/"), 1);
    assert_eq!(receiver.count_of("/bad"), 0);
    assert_eq!(receiver.count(), 2);
}

#[tokio::test]
async fn what_is_held_is_in_flight_until_it_is_let_go() {
    let receiver = Receiver::start().await.unwrap();
    receiver.behave("/held", Behaviour::Hold);
    let (answer, ()) = tokio::join!(post(&receiver, "/held"), async {
        let held = until("it is held", PATIENCE, async || {
            Ok(receiver.in_flight("/held") == (1, 1))
        });
        held.await.unwrap();
        receiver.behave("/held", Behaviour::status(500));
    });
    assert_eq!(answer.unwrap().status(), 500);
    let gone = until("it has gone", PATIENCE, async || {
        Ok(receiver.in_flight("/held") == (0, 1))
    });
    gone.await.unwrap();
}

#[tokio::test]
async fn a_flood_is_as_long_as_it_was_told_to_be() {
    let receiver = Receiver::start().await.unwrap();
    receiver.behave("/flood", Behaviour::Flood(200_000));
    let body = post(&receiver, "/flood")
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(body.len(), 200_000);
    assert_eq!(receiver.sent("/flood"), 200_000);
}

#[tokio::test]
async fn a_connection_can_be_closed_without_an_answer() {
    let receiver = Receiver::start().await.unwrap();
    receiver.behave("/closed", Behaviour::Close);
    post(&receiver, "/closed").await.unwrap_err();
    assert_eq!(receiver.count_of("/closed"), 1);
}

#[tokio::test]
async fn a_poster_repeats_what_is_not_taken_and_its_ledger_has_what_is() {
    let receiver = Receiver::start().await.unwrap();
    let session = Session {
        id: uuid::Uuid::nil(),
        engine: "mf_0".to_owned(),
        key: "00".to_owned(),
    };
    let path = format!("/engine/waha/{}", session.id);
    receiver.behave(&path, Behaviour::status(503));
    let posting = Posting::burst("A", &[session], 3);
    let poster = Poster::start(&[receiver.addr()], posting).unwrap();
    let repeated = until("they are repeated", PATIENCE, async || {
        Ok(receiver.count_of(&path) > 3)
    });
    repeated.await.unwrap();
    assert_eq!(poster.accepted(), 0);
    receiver.behave(&path, Behaviour::status(200));
    let ledger = poster.finish().await.unwrap();
    let mut marks: Vec<_> = ledger.accepted.keys().map(String::as_str).collect();
    marks.sort_unstable();
    assert_eq!(marks, ["A00000000", "A00000001", "A00000002"]);
    assert!(ledger.refused[&503] > 3);
}
