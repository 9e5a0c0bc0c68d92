//! Engines differ in who chooses a message's id, in what they answer, and in what they report
//! first. Whatever they do, a message is sent once and stands once in the history.

use mf_waha_sim::{Dialect, Failure};

use crate::support::{EventStream, Session, TestApp, soon};

const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];

/// One message sent, one row, and it was read.
async fn sent_once(app: &TestApp, session: &Session) {
    let got = session.sent(&app.sim);
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!((got[0].deliveries, got[0].submissions), (1, 1), "{got:?}");
    assert_eq!(app.count("SELECT count(*) FROM message").await, 1);
    assert_eq!(app.count("SELECT message_count FROM chat").await, 1);
    let known = "SELECT count(*) FROM message WHERE wa_message_id IS NOT NULL AND status = 'read'";
    assert_eq!(app.count(known).await, 1);
    let told = "SELECT count(*) FROM event WHERE name = 'message.sent'";
    assert!(app.count(told).await <= 1);
    assert_eq!(
        app.count("SELECT count(*) FROM event WHERE name = 'message.received'")
            .await,
        0
    );
}

/// An app whose messages are acknowledged by [`read`] alone.
async fn start(dialect: Dialect) -> (TestApp, Session, EventStream) {
    let app = TestApp::builder().dialect(dialect).start().await;
    app.sim.set_manual_acks(true);
    let (session, events) = app.working_session(&app.full_key()).await;
    (app, session, events)
}

/// The recipient reads the message that was sent last, as soon as its report was taken.
async fn read(app: &TestApp, session: &Session, events: &mut EventStream) {
    let last = |_: &_| session.sent(&app.sim).pop();
    let id = soon(app.sim.until(last)).await.id;
    app.reported(&id).await;
    app.sim.ack(&session.engine, &id, 3).unwrap();
    events.named("message.read").await;
}

#[tokio::test]
async fn a_message_is_sent_once_and_stands_once_in_the_history() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        session.send("15550000002", "hello").await;
        read(&app, &session, &mut events).await;
        sent_once(&app, &session).await;
    }
}

#[tokio::test]
async fn so_it_does_where_the_report_comes_before_the_answer() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        app.wire.hold_answers("POST /api/sendText");
        let sending = tokio::spawn({
            let session = session.clone();
            async move { session.send("15550000002", "hello").await }
        });
        // Everything was reported, up to the reading of it, and nothing answered yet.
        read(&app, &session, &mut events).await;
        app.wire.release();
        let sent = sending.await.unwrap();
        assert_eq!(sent["status"], "read", "{dialect}: {sent}");
        sent_once(&app, &session).await;
    }
}

#[tokio::test]
async fn so_it_does_where_the_answer_says_nothing() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let nothing = Failure::new(201).on("/api/sendText").after();
        app.sim.fail_next(nothing);
        session.send("15550000002", "hello").await;
        read(&app, &session, &mut events).await;
        sent_once(&app, &session).await;
    }
}

#[tokio::test]
async fn so_it_does_where_the_answer_is_lost() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let lost = Failure::new(0).on("/api/sendText").after();
        app.sim.fail_next(lost);
        let sent = session.send("15550000002", "hello").await;
        assert_ne!(sent["status"], "failed", "{dialect}: {sent}");
        read(&app, &session, &mut events).await;
        sent_once(&app, &session).await;
    }
}

#[tokio::test]
async fn two_of_the_same_text_are_two_messages() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        for _ in 0..2 {
            session.send("15550000002", "hello").await;
            read(&app, &session, &mut events).await;
        }
        assert_eq!(session.sent(&app.sim).len(), 2, "{dialect}");
        let ids = "SELECT count(DISTINCT wa_message_id) FROM message WHERE status = 'read'";
        assert_eq!(app.count(ids).await, 2, "{dialect}");
        assert_eq!(
            app.count("SELECT count(*) FROM message").await,
            2,
            "{dialect}"
        );
    }
}
