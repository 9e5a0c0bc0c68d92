use mf_waha_sim::Inbound;

use crate::support::{Event, EventStream, TestApp};

/// What the test's messages say, in the order told, and the last event's id.
fn texts(events: &[Event]) -> (Vec<String>, String) {
    let texts = events
        .iter()
        .filter(|event| event.name == "message.received")
        .map(|event| event.data()["message"].as_str().unwrap().to_owned())
        .collect();
    (texts, events.last().unwrap().id.clone().unwrap())
}

async fn until_text(events: &mut EventStream, text: &str) -> Vec<Event> {
    let fits = |event: &Event| event.data()["message"] == text;
    events.collect_until(fits).await
}

async fn arrive(app: &TestApp, engine: &str, texts: &[&str]) {
    for text in texts {
        let inbound = Inbound::text("15550000002@c.us", *text);
        app.sim.inbound(engine, inbound).await.unwrap();
        // One after the other: callbacks overtake each other.
        let quoted = format!("\"body\":\"{text}\"");
        app.taken(|r| r.event == "message.any" && r.body.contains(&quoted))
            .await;
    }
}

#[tokio::test]
async fn whoever_was_cut_off_misses_nothing_and_hears_nothing_twice() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    arrive(&app, &session.engine, &["one", "two"]).await;
    let (heard, last) = texts(&until_text(&mut events, "two").await);
    assert_eq!(heard, ["one", "two"]);
    drop(events);

    arrive(&app, &session.engine, &["three", "four"]).await;
    let mut events = key.events_after(&session.path("/events"), &last).await;
    let snapshot = events.next().await;
    assert_eq!(
        (snapshot.name.as_str(), snapshot.status()),
        ("session.status", "working")
    );
    arrive(&app, &session.engine, &["five"]).await;
    let told = until_text(&mut events, "five").await;
    let (heard, last) = texts(&told);
    assert_eq!(heard, ["three", "four", "five"]);
    assert!(told.iter().all(|event| event.id.is_some()), "{told:?}");
    drop(events);

    // Nothing happened since: nothing is told but where it stands.
    let mut events = key.events_after(&session.path("/events"), &last).await;
    assert_eq!(events.next().await.id, None);
    arrive(&app, &session.engine, &["six"]).await;
    let told = until_text(&mut events, "six").await;
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn resuming_in_the_middle_tells_the_rest_in_the_same_order() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _) = app.scannable_session(&key).await;
    app.sim.scan(&session.engine).await.unwrap();
    let mut events = session.events().await;
    session.events().await.status("working").await;
    arrive(&app, &session.engine, &["one", "two", "three"]).await;
    let all: Vec<Event> = until_text(&mut events, "three").await;
    let all: Vec<Event> = all.into_iter().filter(|event| event.id.is_some()).collect();
    for (at, event) in all.iter().enumerate().take(all.len() - 1) {
        let id = event.id.as_deref().unwrap();
        let mut again = key.events_after(&session.path("/events"), id).await;
        assert_eq!(again.next().await.id, None);
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
    let (_, last) = texts(&until_text(&mut events, "before").await);
    app.stop().await;
    // While nobody listens: the engine tries again until somebody does.
    let inbound = Inbound::text("15550000002@c.us", "meanwhile");
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    app.start_again().await;
    let mut events = key.events_after(&session.path("/events"), &last).await;
    let (heard, _) = texts(&until_text(&mut events, "meanwhile").await);
    assert_eq!(heard, ["meanwhile"]);
    arrive(&app, &session.engine, &["after"]).await;
    let (heard, _) = texts(&until_text(&mut events, "after").await);
    assert_eq!(heard, ["after"]);
}

#[tokio::test]
async fn an_id_that_is_none_of_the_sessions_is_no_place_to_resume() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    arrive(&app, &session.engine, &["one"]).await;
    let (_, last) = texts(&until_text(&mut events, "one").await);
    let (other, _events) = app.working_session(&key).await;
    for id in [
        last.as_str(),
        "rubbish",
        "",
        "0197f000-0000-7000-8000-000000000000",
    ] {
        let mut events = key.events_after(&other.path("/events"), id).await;
        assert_eq!(events.next().await.status(), "working", "{id}");
        let text = format!("for {id}");
        arrive(&app, &other.engine, &[&text]).await;
        let told = until_text(&mut events, &text).await;
        assert_eq!(told.len(), 1, "{id}: {told:?}");
    }
}

#[tokio::test]
async fn more_than_a_page_was_missed_and_all_of_it_is_told() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    arrive(&app, &session.engine, &["first"]).await;
    let (_, last) = texts(&until_text(&mut events, "first").await);
    // As many as would fill several pages, without anybody's help but the log's.
    sqlx::query(
        "INSERT INTO event (id, tenant_id, session_id, name, data)
         SELECT gen_random_uuid(), tenant_id, id, 'message.received',
             json_build_object('session_id', id, 'message', 'n' || n)
         FROM wa_session, generate_series(1, 1000) AS n ORDER BY n",
    )
    .execute(app.rows())
    .await
    .unwrap();
    let mut events = key.events_after(&session.path("/events"), &last).await;
    let (heard, _) = texts(&until_text(&mut events, "n1000").await);
    let expected: Vec<String> = (1..=1000).map(|n| format!("n{n}")).collect();
    assert_eq!(heard, expected);
}
