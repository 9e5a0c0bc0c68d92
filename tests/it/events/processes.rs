//! Several processes on one database: each tells everything.

use mf_server::Role;

use super::{arrive, last_id, texts, until_text};
use crate::support::{Event, TestApp};

#[tokio::test]
async fn another_process_tells_the_same() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut here) = app.working_session(&key).await;
    let (second, origin) = app.second_server(Role::Http).await;
    let mut there = key.at(&origin).events(&session.path("/events")).await;
    assert_eq!(there.next().await.status(), "working");
    arrive(&app, &session.engine, &["hello"]).await;
    let (one, other) = (
        here.named("message.received").await,
        there.named("message.received").await,
    );
    assert_eq!(one, other);
    drop(there);
    app.within(second.shutdown()).await;
}

#[tokio::test]
async fn what_was_heard_at_one_process_is_a_place_to_go_on_from_at_another() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    let (second, origin) = app.second_server(Role::Http).await;
    let path = session.path("/events");
    let processes = [key.at(&origin), key.clone()];
    let mut heard: Vec<Event> = Vec::new();
    let mut expected = Vec::new();
    // From one to the other and back, as soon as there is something to come back with: the
    // next process may not have come as far as the one before.
    for turn in 0..12 {
        let text = format!("turn {turn}");
        arrive(&app, &session.engine, &[&text]).await;
        heard.extend(until_text(&mut events, &text).await);
        expected.push(text);
        let process = &processes[turn % 2];
        events = process.events_after(&path, last_id(&heard)).await;
        assert_eq!(events.next().await.id.as_deref(), Some(last_id(&heard)));
    }
    assert_eq!(texts(&heard), expected);
    assert!(events.comments().is_empty(), "{:?}", events.comments());
    drop(events);
    app.within(second.shutdown()).await;
}

#[tokio::test]
async fn processes_that_were_cut_off_from_the_database_tell_what_happened_all_the_same() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut here) = app.working_session(&key).await;
    let (second, origin) = app.second_server(Role::Http).await;
    let mut there = key.at(&origin).events(&session.path("/events")).await;
    there.next().await;
    for turn in 0..3 {
        // Whatever they hold: those that listen, those that are about to write.
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'moltflow'";
        assert!(app.count(cut).await > 1);
        let text = format!("turn {turn}");
        arrive(&app, &session.engine, &[&text]).await;
        let told = until_text(&mut here, &text).await;
        assert_eq!(texts(&told), [text.as_str()]);
        let told = until_text(&mut there, &text).await;
        assert_eq!(texts(&told), [text.as_str()]);
    }
    drop(there);
    app.within(second.shutdown()).await;
}
