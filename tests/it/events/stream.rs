use reqwest::Method;
use serde_json::json;

use crate::support::{Session, TestApp};

#[tokio::test]
async fn the_first_event_says_where_the_session_stands() {
    let app = TestApp::start().await;
    let (session, _) = app.working_session(&app.full_key()).await;
    let mut events = session.events().await;
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    assert_eq!(events.header("x-accel-buffering"), Some("no"));
    let cache = events.header("cache-control").unwrap();
    assert!(
        cache.contains("no-cache") || cache.contains("no-store"),
        "{cache}"
    );
    let snapshot = events.next().await;
    assert_eq!(snapshot.name, "session.status");
    assert_eq!(snapshot.envelope["event"], "session.status");
    assert_eq!(snapshot.status(), "working");
    assert_eq!(snapshot.data()["session_id"], json!(session.id));
    let shown = session.get().await;
    assert_eq!(snapshot.data()["phone_number"], shown["phone_number"]);
    // It is in no log, and yet a place to resume from: after an event before it.
    assert_eq!(snapshot.envelope["id"], json!(null));
    let known = sqlx::query("SELECT FROM event WHERE id::text = $1")
        .bind(snapshot.id.unwrap())
        .fetch_optional(app.rows());
    assert!(known.await.unwrap().is_some());
}

#[tokio::test]
async fn every_event_has_an_envelope_with_its_id_in_both_places() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    session.send("15550000001", "ping").await;
    let told = events
        .collect_until(|event| event.name == "message.received")
        .await;
    for event in told {
        assert_eq!(event.envelope["id"], json!(event.id), "{event:?}");
        assert_eq!(event.envelope["event"], json!(event.name), "{event:?}");
        assert_eq!(event.data()["session_id"], json!(session.id), "{event:?}");
        assert!(
            event.envelope["timestamp"].as_str().unwrap().ends_with('Z'),
            "{event:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_tells_of_its_own_session_alone() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (one, mut of_one) = app.working_session(&key).await;
    let (other, mut of_other) = app.working_session(&key).await;
    one.send("15550000002", "from one").await;
    other.send("15550000002", "from the other").await;
    for (session, events) in [(one, &mut of_one), (other, &mut of_other)] {
        for event in events
            .collect_until(|event| event.name == "message.read")
            .await
        {
            assert_eq!(event.data()["session_id"], json!(session.id), "{event:?}");
        }
    }
}

#[tokio::test]
async fn many_streams_of_one_session_are_told_the_same() {
    let app = TestApp::start().await;
    let (session, _) = app.working_session(&app.full_key()).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut events = session.events().await;
        events.next().await;
        streams.push(events);
    }
    session.send("15550000002", "hello").await;
    let mut told = Vec::new();
    for events in &mut streams {
        told.push(
            events
                .collect_until(|event| event.name == "message.read")
                .await,
        );
    }
    assert!(told.iter().all(|events| *events == told[0]), "{told:?}");
}

#[tokio::test]
async fn browsers_may_show_an_access_token_in_the_address() {
    let app = TestApp::start().await;
    let session = Session::create(&app.full_key()).await;
    let owner = app.owner().await;
    let nobody = app.anonymous();
    let path = session.path(&format!("/events?token={}", owner.secret()));
    let mut events = nobody.events(&path).await;
    assert_eq!(events.next().await.status(), "stopped");

    // A key in an address would be in every log.
    let with_key = session.path(&format!("/events?token={}", app.full_key().secret()));
    let answer = nobody.get(&with_key).await;
    assert_eq!(answer.refused(401), "Invalid or expired token");
    let answer = nobody.get(&session.path("/events?token=")).await;
    assert_eq!(answer.refused(401), "Invalid or expired token");
    let answer = nobody.get(&session.path("/events")).await;
    assert_eq!(answer.refused(401), "Not authenticated");
}

#[tokio::test]
async fn no_other_route_takes_a_token_in_the_address() {
    let app = TestApp::start().await;
    let session = Session::create(&app.full_key()).await;
    let owner = app.owner().await;
    for path in [
        "/sessions".to_owned(),
        "/auth/me".to_owned(),
        session.path(""),
        session.path("/qr"),
    ] {
        let call = app.anonymous();
        let answer = call.call(Method::GET, &format!("{path}?token={}", owner.secret()));
        assert_eq!(
            answer.send().await.refused(401),
            "Not authenticated",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_foreign_session_has_no_stream() {
    let app = TestApp::start().await;
    let session = Session::create(&app.full_key()).await;
    let neighbour = app.other_tenant().await.key;
    let answer = neighbour.get(&session.path("/events")).await;
    assert_eq!(answer.refused(404), "Session not found");
    let lesser = app.key(&["messages:send"]).await;
    let answer = lesser.get(&session.path("/events")).await;
    assert_eq!(answer.refused(403), "Missing required scope: sessions:read");
}

#[tokio::test]
async fn a_stream_ends_when_the_server_goes_down() {
    let mut app = TestApp::start().await;
    let (_session, mut events) = app.working_session(&app.full_key()).await;
    app.stop().await;
    events.rest().await;
    let comments = events.comments();
    assert!(
        comments
            .iter()
            .any(|comment| comment.contains("going down")),
        "{comments:?}"
    );
}
