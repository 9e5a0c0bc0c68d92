//! The database is killed under a running server, and comes back.

use std::time::{Duration, Instant};

use mf_local_postgres::{LocalPostgres, Options};
use mf_test_support::soon;
use mf_waha_sim::Dialect;
use rustix::process::{Pid, Signal, kill_process};

use super::{
    client::{send, until},
    rig::{Ended, eventually},
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
    let first = Ended(pid_of(&postgres));
    let scene = Scene::on(postgres.url(), Dialect::Noweb).await;
    // An ack that is quicker than the engine's answer would leave no `sent` to be told.
    scene.sim.set_manual_acks(true);
    let (server, client) = scene.start().await;
    let root = client.root();
    let session = scene.working_session(&client, "Robust").await;
    let mut events = client.events(&format!("/sessions/{session}/events")).await;
    send(&client, &session, "15550000002", "Before")
        .await
        .expect(201);
    events.named("message.sent").await;

    kill_process(pid_of(&postgres), Signal::KILL).unwrap();
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
    drop((first, postgres));
    let postgres = LocalPostgres::start(&options).await.unwrap();
    let _second = Ended(pid_of(&postgres));
    assert_eq!(postgres.url(), url, "it came back elsewhere");
    let back = Instant::now();
    until(&root, "/health/ready", |answer| answer.status == 200).await;
    // A connection may be found dead only now: that is told in the same way.
    eventually("sending again", async || {
        let answer = send(&client, &session, "15550000002", "Afterwards").await;
        assert!([201, 503].contains(&answer.status), "{answer}");
        answer.status == 201
    })
    .await;
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
    // What was refused was not sent, and what was accepted was sent once.
    let sent = scene.sim.sent_by_all();
    let texts: Vec<_> = sent.iter().map(|sent| sent.text.as_str()).collect();
    assert_eq!(texts, ["Before", "Afterwards"]);

    server.stop().await;
    soon(postgres.stop()).await.unwrap();
}

fn pid_of(postgres: &LocalPostgres) -> Pid {
    Pid::from_raw(postgres.pid().cast_signed()).unwrap()
}
