//! Cut off at the worst moments.

use serde_json::json;

use super::{LOGGED, arrive, last_id, log_many, numbers, texts, until_text};
use crate::support::{Event, Session, TestApp};

#[tokio::test]
async fn whoever_is_cut_off_right_after_the_snapshot_misses_nothing() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    arrive(&app, &session.engine, &["before"]).await;
    until_text(&mut events, "before").await;

    let place = session.events().await.next().await.id.unwrap();
    arrive(&app, &session.engine, &["meanwhile"]).await;
    let mut events = key.events_after(&session.path("/events"), &place).await;
    let again = events.next().await.id;
    assert_eq!(again.as_deref(), Some(place.as_str()));
    let told = until_text(&mut events, "meanwhile").await;
    assert_eq!(texts(&told), ["meanwhile"]);
}

#[tokio::test]
async fn a_session_to_which_nothing_happened_yet_begins_at_the_beginning() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let session = Session::create(&key).await;
    let snapshot = session.events().await.next().await;
    assert_eq!(snapshot.id, Some(session.id.to_string()));
    session.order("start").await.expect(200);
    session.events().await.status("qr_code").await;
    let place = snapshot.id.as_deref().unwrap();
    let mut events = key.events_after(&session.path("/events"), place).await;
    assert_eq!(events.next().await.status(), "qr_code");
    let told = events
        .collect_until(|event| event.status() == "qr_code")
        .await;
    let told: Vec<&str> = told.iter().map(Event::status).collect();
    assert_eq!(told, ["starting", "qr_code"]);
    assert!(events.comments().is_empty(), "{:?}", events.comments());
}

#[tokio::test]
async fn what_was_not_committed_at_the_snapshot_is_not_behind_its_id() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _) = app.working_session(&key).await;
    // An event that is being written, and one that was written after it and is committed.
    let mut open = app.rows().begin().await.unwrap();
    let writing = sqlx::query(LOGGED).bind(session.id).bind(1).bind(0);
    writing.execute(&mut *open).await.unwrap();
    arrive(&app, &session.engine, &["quicker"]).await;

    let mut fresh = session.events().await;
    let place = fresh.next().await.id.unwrap();
    open.commit().await.unwrap();
    // The stream goes on: it leaves out what its snapshot shows, and only that.
    arrive(&app, &session.engine, &["later"]).await;
    let told = until_text(&mut fresh, "later").await;
    assert_eq!(texts(&told), ["n1", "later"]);
    // Cut off after the snapshot, it comes back to all that its id does not stand for.
    let mut again = key.events_after(&session.path("/events"), &place).await;
    let told = until_text(&mut again, "later").await;
    assert_eq!(texts(&told), ["n1", "quicker", "later"]);
}

#[tokio::test]
async fn whoever_is_cut_off_while_catching_up_goes_on_where_that_was() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _) = app.working_session(&key).await;
    let mut place = session.events().await.next().await.id.unwrap();
    log_many(&app, session.id, 1000, 0).await;
    let mut heard: Vec<Event> = Vec::new();
    // In the middle of a page, at its end, right after the snapshot, and to the end.
    for stop in ["n130", "n200", "", "n730", "n1000"] {
        let mut events = key.events_after(&session.path("/events"), &place).await;
        let mut told = vec![events.next().await];
        if !stop.is_empty() {
            told.extend(until_text(&mut events, stop).await);
        }
        last_id(&told).clone_into(&mut place);
        heard.extend(told);
    }
    assert_eq!(texts(&heard), numbers(1, 1000));
}

#[tokio::test]
async fn a_stream_ends_with_the_key_that_opened_it_and_tells_nothing_more() {
    let app = TestApp::start().await;
    let owner = app.full_key();
    let (session, mut theirs) = app.working_session(&owner).await;
    let body = json!({"name": "Lesser key", "scopes": ["sessions:read"]});
    let made = owner.post("/api-keys", body).await.expect(201);
    let key = app.with_key(made["raw_key"].as_str().unwrap());
    let path = session.path("/events");
    let mut events = key.events(&path).await;
    assert_eq!(events.next().await.status(), "working");

    // Somebody else's change ends nothing.
    let other = owner.post("/api-keys", json!({"name": "Other"})).await;
    let other = other.expect(201)["id"].as_str().unwrap().to_owned();
    owner
        .delete(&format!("/api-keys/{other}"))
        .await
        .expect(200);
    arrive(&app, &session.engine, &["one"]).await;
    until_text(&mut events, "one").await;

    let id = made["id"].as_str().unwrap();
    owner.delete(&format!("/api-keys/{id}")).await.expect(200);
    arrive(&app, &session.engine, &["two"]).await;
    until_text(&mut theirs, "two").await;
    assert!(events.rest().await.is_empty());
    let why = "the key or token is no longer good";
    assert_eq!(events.comments().last().map(String::as_str), Some(why));
}
