//! The database is killed under a running server, and comes back.

use std::time::{Duration, Instant};

use mf_local_postgres::{LocalPostgres, Options};
use mf_test_support::soon;
use mf_waha_sim::Dialect;
use rustix::process::{Pid, Signal, kill_process};

use super::{
    client::{send, until},
    scene::Scene,
};

#[tokio::test]
async fn a_server_whose_database_was_killed_recovers_by_itself() {
    let folder = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir_in("/tmp")
        .unwrap();
    let mut options = Options::new(folder.path(), "moltflow");
    // A killed process loses nothing of what it has written: only a power cut would.
    options.settings = vec![("fsync".to_owned(), "off".to_owned())];
    let postgres = LocalPostgres::start(&options).await.unwrap();
    let scene = Scene::on(postgres.url(), Dialect::Noweb).await;
    let (server, client) = scene.start().await;
    let root = client.root();
    let session = scene.working_session(&client, "Robust").await;
    let mut events = client.events(&format!("/sessions/{session}/events")).await;
    send(&client, &session, "15550000002", "Before")
        .await
        .expect(201);
    events.named("message.sent").await;

    let pid = Pid::from_raw(postgres.pid().cast_signed()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    let refused = until(&client, "/sessions", |answer| answer.status != 200).await;
    refused.refused(503);
    let seconds = refused.header("retry-after").expect("Retry-After");
    assert!(seconds.parse::<u64>().is_ok(), "{seconds}");
    let refused = send(&client, &session, "15550000002", "Meanwhile").await;
    refused.refused(503);
    assert!(refused.header("retry-after").is_some(), "{refused}");
    let unready = root.get("/health/ready").await.expect(503);
    assert_eq!(unready["database"], "unreachable");
    root.get("/health/live").await.expect(200);

    let url = postgres.url().to_owned();
    drop(postgres);
    let postgres = LocalPostgres::start(&options).await.unwrap();
    assert_eq!(postgres.url(), url, "it came back elsewhere");
    let back = Instant::now();
    until(&root, "/health/ready", |answer| answer.status == 200).await;
    let sent = send(&client, &session, "15550000002", "Afterwards")
        .await
        .expect(201);
    assert_eq!(sent["status"], "sent");
    // The stream was open all the time.
    let told = events
        .until(|event| event.data()["content"] == "Afterwards")
        .await;
    assert_eq!(told.name, "message.sent");
    let took = back.elapsed();
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    println!(
        r#"{{"test": "database_away", "recovered_ms": {}}}"#,
        took.as_millis()
    );
    // Messages sent meanwhile are no messages: the client was told.
    assert_eq!(scene.sim.sent_by_all().len(), 2);

    server.stop().await;
    soon(postgres.stop()).await.unwrap();
}
