use serde_json::json;

use super::{arrive, last_id, log_many, numbers, texts, until_text};
use crate::support::{Event, TestApp};

#[tokio::test]
async fn whoever_was_cut_off_misses_nothing_and_hears_nothing_twice() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    arrive(&app, &session.engine, &["one", "two"]).await;
    let told = until_text(&mut events, "two").await;
    assert_eq!(texts(&told), ["one", "two"]);
    drop(events);

    arrive(&app, &session.engine, &["three", "four"]).await;
    let mut events = key
        .events_after(&session.path("/events"), last_id(&told))
        .await;
    let snapshot = events.next().await;
    assert_eq!(
        (snapshot.name.as_str(), snapshot.status()),
        ("session.status", "working")
    );
    arrive(&app, &session.engine, &["five"]).await;
    let told = until_text(&mut events, "five").await;
    assert_eq!(texts(&told), ["three", "four", "five"]);
    assert!(told.iter().all(|event| event.id.is_some()), "{told:?}");
    drop(events);

    // Nothing happened since: nothing is told but where it stands.
    let last = last_id(&told);
    let mut events = key.events_after(&session.path("/events"), last).await;
    let snapshot = events.next().await;
    assert_eq!(snapshot.id.as_deref(), Some(last));
    assert_eq!(snapshot.envelope["id"], json!(null));
    arrive(&app, &session.engine, &["six"]).await;
    let told = until_text(&mut events, "six").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(events.comments().is_empty(), "{:?}", events.comments());
}

#[tokio::test]
async fn resuming_in_the_middle_tells_the_rest_in_the_same_order() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _) = app.scannable_session(&key).await;
    let mut events = session.events().await;
    // Where it begins, too, is a place to go on from.
    let snapshot = events.next().await;
    app.sim.scan(&session.engine).await.unwrap();
    session.events().await.status("working").await;
    arrive(&app, &session.engine, &["one", "two", "three"]).await;
    let mut all: Vec<Event> = until_text(&mut events, "three").await;
    all.insert(0, snapshot);
    for (at, event) in all.iter().enumerate().take(all.len() - 1) {
        let id = event.id.as_deref().unwrap();
        let mut again = key.events_after(&session.path("/events"), id).await;
        // Cut off again before anything else arrives, it comes back to the same place.
        assert_eq!(again.next().await.id.as_deref(), Some(id));
        let rest = until_text(&mut again, "three").await;
        assert_eq!(rest, all[at + 1..], "after {event:?}");
    }
}

#[tokio::test]
async fn a_restart_of_the_server_loses_nothing() {
    let mut app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    arrive(&app, &session.engine, &["before"]).await;
    let told = until_text(&mut events, "before").await;
    app.stop().await;
    // While nobody listens: the engine tries again until somebody does.
    let inbound = mf_waha_sim::Inbound::text("15550000002@c.us", "meanwhile");
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    app.start_again().await;
    let mut events = key
        .events_after(&session.path("/events"), last_id(&told))
        .await;
    let told = until_text(&mut events, "meanwhile").await;
    assert_eq!(texts(&told), ["meanwhile"]);
    arrive(&app, &session.engine, &["after"]).await;
    let told = until_text(&mut events, "after").await;
    assert_eq!(texts(&told), ["after"]);
}

#[tokio::test]
async fn an_id_that_is_none_of_the_sessions_is_said_to_be_unknown_and_the_present_is_told() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    arrive(&app, &session.engine, &["one"]).await;
    let of_another = until_text(&mut events, "one").await;
    let (other, _events) = app.working_session(&key).await;
    for id in [
        last_id(&of_another),
        &session.id.to_string(),
        "rubbish",
        "0197f000-0000-7000-8000-000000000000",
    ] {
        let mut events = key.events_after(&other.path("/events"), id).await;
        let snapshot = events.next().await;
        assert_eq!(snapshot.status(), "working", "{id}");
        let said = events.comments().join("\n");
        assert!(said.contains("not known"), "{id}: {said:?}");
        let text = format!("for {id}");
        arrive(&app, &other.engine, &[&text]).await;
        let told = until_text(&mut events, &text).await;
        assert_eq!(told.len(), 1, "{id}: {told:?}");
        drop(events);
        // It has a place of its own now: whoever is cut off here does not begin anew again.
        let place = snapshot.id.as_deref().unwrap();
        let mut again = key.events_after(&other.path("/events"), place).await;
        again.next().await;
        assert_eq!(until_text(&mut again, &text).await, told, "{id}");
        assert!(again.comments().is_empty(), "{:?}", again.comments());
    }
}

#[tokio::test]
async fn an_event_that_the_log_no_longer_has_is_unknown() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _) = app.working_session(&key).await;
    let told = vec![session.events().await.next().await];
    sqlx::query("DELETE FROM event")
        .execute(app.rows())
        .await
        .unwrap();
    let mut events = key
        .events_after(&session.path("/events"), last_id(&told))
        .await;
    let snapshot = events.next().await;
    assert!(events.comments()[0].contains("no longer"));
    // The log has nothing of it, so its place is the log's beginning.
    assert_eq!(snapshot.id, Some(session.id.to_string()));
}

#[tokio::test]
async fn no_id_at_all_is_nothing_to_complain_of() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _) = app.working_session(&key).await;
    let mut events = key.events_after(&session.path("/events"), "").await;
    assert_eq!(events.next().await.status(), "working");
    arrive(&app, &session.engine, &["hello"]).await;
    assert_eq!(until_text(&mut events, "hello").await.len(), 1);
    assert!(events.comments().is_empty(), "{:?}", events.comments());
}

#[tokio::test]
async fn clients_that_cannot_set_headers_say_it_in_the_address() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    arrive(&app, &session.engine, &["one", "two", "three"]).await;
    let told = until_text(&mut events, "three").await;
    let after = |text: &str| {
        let event = told.iter().find(|event| event.data()["message"] == text);
        event.unwrap().id.clone().unwrap()
    };
    let (one, two) = (after("one"), after("two"));
    let rest = async |query: &str, header: Option<&str>| {
        let path = session.path(&format!("/events?{query}"));
        let mut events = match header {
            Some(id) => key.events_after(&path, id).await,
            None => key.events(&path).await,
        };
        texts(&until_text(&mut events, "three").await)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (both, last) = (["two", "three"], ["three"]);
    assert_eq!(rest(&format!("last_event_id={one}"), None).await, both);
    assert_eq!(rest(&format!("lastEventId={one}"), None).await, both);
    // The header is what the browser sets, and newer than the address that it began with.
    let begun = format!("last_event_id={one}");
    assert_eq!(rest(&begun, Some(&two)).await, last);
    let come_back = format!("last_event_id={one}&lastEventId={two}");
    assert_eq!(rest(&come_back, None).await, last);
    let token = app.owner().await.secret().to_owned();
    let path = session.path(&format!("/events?token={token}&last_event_id={two}"));
    let mut events = app.anonymous().events(&path).await;
    assert_eq!(texts(&until_text(&mut events, "three").await), last);
}

#[tokio::test]
async fn more_than_a_page_was_missed_and_all_of_it_is_told() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    arrive(&app, &session.engine, &["first"]).await;
    let first = until_text(&mut events, "first").await;
    // As many as fill pages to the last place.
    log_many(&app, session.id, 1000, 0).await;
    let mut events = key
        .events_after(&session.path("/events"), last_id(&first))
        .await;
    let told = until_text(&mut events, "n1000").await;
    assert_eq!(texts(&told), numbers(1, 1000));
    arrive(&app, &session.engine, &["then"]).await;
    assert_eq!(texts(&until_text(&mut events, "then").await), ["then"]);
}

#[tokio::test]
async fn the_log_is_no_way_around_the_history_that_keys_may_not_read() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    arrive(&app, &session.engine, &["long ago"]).await;
    let told = until_text(&mut events, "long ago").await;
    let last = last_id(&told);
    sqlx::query("UPDATE event SET created_at = created_at - interval '25 hours'")
        .execute(app.rows())
        .await
        .unwrap();
    arrive(&app, &session.engine, &["lately"]).await;
    until_text(&mut events, "lately").await;
    let whole = session.id.to_string();
    let heard = async |key: &crate::support::Client, last: &str, next: &str| {
        let mut events = key.events_after(&session.path("/events"), last).await;
        assert_eq!(events.next().await.status(), "working");
        arrive(&app, &session.engine, &[next]).await;
        let told = until_text(&mut events, next).await;
        texts(&told)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let settings = |open: bool| json!({"chat_history_access_enabled": open});
    key.patch("/tenant/settings", settings(false))
        .await
        .expect(200);
    assert_eq!(heard(&key, &whole, "one").await, ["lately", "one"]);
    key.patch("/tenant/settings", settings(true))
        .await
        .expect(200);
    assert_eq!(
        heard(&key, &whole, "two").await,
        ["long ago", "lately", "one", "two"]
    );
    key.patch("/tenant/settings", settings(false))
        .await
        .expect(200);
    // Whoever logged in may.
    let owner = app.owner().await;
    assert_eq!(
        heard(&owner, last, "three").await,
        ["lately", "one", "two", "three"]
    );
}
