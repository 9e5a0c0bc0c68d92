use mf_waha_sim::Status;
use serde_json::{Value, json};

use super::steps;
use crate::support::{Session, TestApp};

#[tokio::test]
async fn from_the_start_to_the_scan_every_step_is_told_in_order() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let session = Session::create(&key).await;
    let mut events = session.events().await;
    let started = session.order("start").await.expect(200);
    assert!(["starting", "qr_code"].contains(&started["status"].as_str().unwrap()));
    let mut told = events
        .collect_until(|event| event.status() == "qr_code")
        .await;
    let phone = Some("4915112345678".to_owned());
    let name = Some("Ada".to_owned());
    app.sim.scan_as(&session.engine, phone, name).await.unwrap();
    told.extend(
        events
            .collect_until(|event| event.name == "session.connected")
            .await,
    );
    let expected = [
        "session.status stopped",
        "session.status starting",
        "session.status qr_code",
        "session.status working",
        "session.connected working",
    ];
    assert_eq!(steps(&told), expected);

    let connected = told.last().unwrap().data();
    assert_eq!(connected["session_id"], json!(session.id));
    assert_eq!(connected["phone_number"], "4915112345678");
    assert_eq!(connected["push_name"], "Ada");
    assert_eq!(connected["previous_status"], "qr_code");
    let shown = session.get().await;
    assert_eq!(shown["status"], "working");
    assert_eq!(shown["phone_number"], "4915112345678");
    assert_eq!(shown["push_name"], "Ada");
    assert_eq!(shown["last_error"], Value::Null);
}

#[tokio::test]
async fn starting_a_session_that_runs_changes_nothing() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _events) = app.scannable_session(&key).await;
    let qr = key.get(&session.path("/qr?format=raw")).await.text();
    let answer = session.order("start").await.expect(200);
    assert_eq!(answer["status"], "qr_code");
    assert_eq!(key.get(&session.path("/qr?format=raw")).await.text(), qr);
    app.sim.scan(&session.engine).await.unwrap();
    session.events().await.status("working").await;
    let told = app.count("SELECT count(*) FROM event").await;
    let answer = session.order("start").await.expect(200);
    assert_eq!(answer["status"], "working");
    assert_eq!(answer, session.get().await);
    assert_eq!(app.count("SELECT count(*) FROM event").await, told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_starts_at_once_one_does_it() {
    let app = TestApp::start().await;
    let session = Session::create(&app.full_key()).await;
    let mut events = session.events().await;
    let (one, other) = tokio::join!(session.order("start"), session.order("start"));
    one.expect(200);
    other.expect(200);
    events.status("qr_code").await;
    let starts = "SELECT count(*) FROM event WHERE body::json #>> '{data,status}' = 'starting'";
    assert_eq!(app.count(starts).await, 1);
}

#[tokio::test]
async fn a_stopped_session_keeps_its_pairing() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let phone = session.get().await["phone_number"].clone();
    let stopped = session.order("stop").await.expect(200);
    assert_eq!(stopped["status"], "stopped");
    assert_eq!(stopped["phone_number"], phone);
    assert_eq!(app.sim.status(&session.engine), Some(Status::Stopped));
    let disconnected = events.named("session.disconnected").await;
    assert_eq!(disconnected.status(), "stopped");
    // Stopping it again is fine.
    assert_eq!(session.order("stop").await.expect(200)["status"], "stopped");

    session.order("start").await.expect(200);
    let told = events
        .collect_until(|event| event.name == "session.connected")
        .await;
    assert!(
        !steps(&told).contains(&"session.status qr_code".to_owned()),
        "{told:?}"
    );
    assert_eq!(session.get().await["phone_number"], phone);
}

#[tokio::test]
async fn stopping_a_session_that_never_ran_is_fine() {
    let app = TestApp::start().await;
    let session = Session::create(&app.full_key()).await;
    assert_eq!(session.order("stop").await.expect(200)["status"], "stopped");
}

#[tokio::test]
async fn a_restart_comes_back_without_a_scan() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    session.order("restart").await.expect(200);
    let told = events
        .collect_until(|event| event.status() == "working")
        .await;
    let told = steps(&told);
    assert!(
        told.contains(&"session.status starting".to_owned()),
        "{told:?}"
    );
    assert!(
        !told.contains(&"session.status qr_code".to_owned()),
        "{told:?}"
    );
    assert_eq!(session.get().await["status"], "working");
}

#[tokio::test]
async fn after_a_logout_the_next_start_shows_a_new_code() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.scannable_session(&key).await;
    let first = key.get(&session.path("/qr?format=raw")).await.text();
    app.sim.scan(&session.engine).await.unwrap();
    events.named("session.connected").await;
    let answer = session.order("logout").await.expect(200);
    assert_eq!(answer["status"], "stopped");
    assert_eq!(answer["phone_number"], Value::Null);
    assert_eq!(answer["push_name"], Value::Null);
    events.named("session.disconnected").await;
    session.order("start").await.expect(200);
    events.status("qr_code").await;
    let second = key.get(&session.path("/qr?format=raw")).await.text();
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_connection_that_comes_back_by_itself_is_no_disconnection() {
    // Slowly enough for the report of the loss to arrive before that of the return.
    let app = TestApp::builder()
        .engine(|engine| engine.start_delay = std::time::Duration::from_millis(500))
        .start()
        .await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim.disconnect(&session.engine).unwrap();
    let mut told = events
        .collect_until(|event| event.status() == "working")
        .await;
    // Nobody was told that it was lost, so nobody is told that it is back.
    session.order("stop").await.expect(200);
    told.extend(
        events
            .collect_until(|event| event.name == "session.disconnected")
            .await,
    );
    let told = steps(&told);
    let expected = [
        "session.status starting",
        "session.status working",
        "session.status stopped",
        "session.disconnected stopped",
    ];
    assert_eq!(told, expected);
}
