use mf_waha_sim::{Inbound, Replay};
use serde_json::json;

use super::{report, text};
use crate::support::TestApp;

const MESSAGES: &str = "SELECT count(*) FROM message";
const EVENTS: &str = "SELECT count(*) FROM event";

#[tokio::test]
async fn every_report_may_come_again_and_changes_nothing() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    session.send("15550000001", "ping").await;
    events.named("message.received").await;
    let inbound = Inbound::text("15550000002@c.us", "hello");
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    events.named("message.received").await;
    app.taken(|record| record.event == "message.ack" && record.body.contains("\"READ\""))
        .await;
    // What is under way has arrived once the session says so.
    session.order("stop").await.expect(200);
    app.taken(|record| record.body.contains("\"status\":\"STOPPED\""))
        .await;

    let (messages, told) = (app.count(MESSAGES).await, app.count(EVENTS).await);
    let shown = session.get().await;
    let records = app.sim.callbacks();
    assert!(records.len() > 6, "{records:?}");
    // Backwards, since repeats know no order.
    for record in records.iter().rev() {
        let again = app
            .sim
            .replay_callback(Replay::Index(record.index))
            .await
            .unwrap();
        assert_eq!(again.status, Some(200), "{}", record.body);
        assert_eq!(app.count(MESSAGES).await, messages, "{}", record.body);
        assert_eq!(app.count(EVENTS).await, told, "{}", record.body);
    }
    let mut now = session.get().await;
    now["updated_at"] = shown["updated_at"].clone();
    assert_eq!(now, shown);
    assert_eq!(app.count("SELECT count(*) FROM rejected_callback").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twins_that_come_at_once_one_is_taken_and_both_are_answered() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let received = "SELECT count(*) FROM event WHERE name = 'message.received'";
    for round in 1..=5 {
        let id = format!("TWIN{round}");
        let twin = || report(&app, &session, "message.any", text(&id, "hello"));
        let (a, b, c) = tokio::join!(twin(), twin(), twin());
        for answer in [a, b, c] {
            answer.expect(200);
        }
        assert_eq!(app.count(MESSAGES).await, round);
        assert_eq!(app.count(received).await, round);
        assert_eq!(app.count("SELECT message_count FROM chat").await, round);
        assert_eq!(
            app.count("SELECT unread_count::bigint FROM chat").await,
            round
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_come_at_once_are_all_taken() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let reports = (0..20).map(|number| {
        let app = &app;
        let session = &session;
        async move {
            let body = text(&format!("MANY{number}"), &format!("message {number}"));
            report(app, session, "message.any", body).await.expect(200)
        }
    });
    let mut waiting: Vec<_> = reports.map(Box::pin).collect();
    while let Some(one) = waiting.pop() {
        match waiting.pop() {
            Some(other) => drop(tokio::join!(one, other)),
            None => drop(one.await),
        }
    }
    assert_eq!(app.count(MESSAGES).await, 20);
    assert_eq!(app.count("SELECT message_count FROM chat").await, 20);
    let mut told = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let event = events.named("message.received").await;
        told.insert(event.data()["message"].as_str().unwrap().to_owned());
    }
    assert_eq!(told.len(), 20);
    assert_eq!(json!(told)[0], "message 0");
}
