//! A first start with nothing configured, and the starts after it.

use std::os::unix::fs::PermissionsExt as _;

use mf_chaos::{descendants, is_alive};
use serde_json::json;

use super::{
    client::{id_of, log_in, new_session, send, until, until_session, until_settled},
    rig::World,
};

#[tokio::test]
async fn a_first_start_from_nothing_says_how_to_send_a_message_and_that_works() {
    let world = World::new();
    let server = world.start().await;
    let said = server.stdout.text();
    let first = world.first_run();
    assert_eq!(first.base_url, server.base_url);
    for shown in [
        &format!("{}/api/v2", server.base_url),
        &format!("{}/docs", server.base_url),
        &format!("export MOLTFLOW_API_KEY={}", first.api_key),
        &format!("{} / {}", first.email, first.password),
    ] {
        assert!(said.contains(shown), "{shown} is not in:\n{said}");
    }
    assert_eq!(said.matches("curl -X POST").count(), 3, "{said}");
    for file in ["first-run.json", "secrets.json"] {
        let meta = world.data_dir().join(file).metadata().unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{file}");
    }

    let client = server.client(&first.api_key);
    let (owner, login) = log_in(&server.base_url, &first.email, &first.password).await;
    assert_eq!(login["user"]["tenant_id"], first.tenant_id.to_string());
    owner.get("/auth/me").await.expect(200);

    // As the curl commands have it: the simulator's phone scans by itself.
    let session = new_session(&client, "First").await;
    until_session(&client, &session, "working").await;
    let sent = send(&client, &session, "15550000001", "Hello")
        .await
        .expect(201);
    assert_eq!(sent["status"], "sent");
    let path = format!("/messages/{}", id_of(&sent));
    let message = until(&client, &path, |answer| answer.json()["status"] == "read").await;
    assert_eq!(message.json()["content"], "Hello");

    let processes = descendants(server.pid());
    assert!(!processes.is_empty(), "there is no database");
    server.stop().await;
    let left: Vec<_> = processes.into_iter().filter(|pid| is_alive(*pid)).collect();
    assert!(left.is_empty(), "still there: {left:?}");
    assert_eq!(world.postmaster(), None);

    the_second_start_finds_everything(&world, &session).await;
}

async fn the_second_start_finds_everything(world: &World, session: &str) {
    let first = world.first_run();
    let server = world.start().await;
    let said = server.stdout.text();
    for secret in [&first.api_key, &first.password] {
        assert!(!said.contains(secret), "{said}");
    }
    for hint in ["moltflow keys create", "moltflow users set-password"] {
        assert!(said.contains(hint), "{said}");
    }
    let client = server.client(&first.api_key);
    let sessions = client.get("/sessions").await.expect(200);
    assert_eq!(sessions.as_array().unwrap().len(), 1, "{sessions}");
    assert_eq!(sessions[0]["id"], session);
    until_session(&client, session, "working").await;
    let sent = send(&client, session, "15550000001", "Again")
        .await
        .expect(201);
    until_settled(&client, &id_of(&sent)).await;
    server.stop().await;
}

#[tokio::test]
async fn a_killed_server_starts_again_on_the_database_that_outlived_it() {
    let world = World::new();
    let server = world.start().await;
    let key = world.first_run().api_key;
    let client = server.client(&key);
    let made = client
        .post("/sessions", json!({"name": "Kept"}))
        .await
        .expect(201);
    let postmaster = world.postmaster().unwrap();
    server.kill().await;
    assert!(is_alive(postmaster), "a crash of ours ended the database");

    let server = world.start().await;
    let said = server.stdout.text();
    assert!(said.contains("reused"), "{said}");
    assert_eq!(world.postmaster(), Some(postmaster));
    let sessions = server.client(&key).get("/sessions").await.expect(200);
    assert_eq!(sessions[0]["id"], made["id"]);

    // And when both were killed, as by a reboot.
    let processes = descendants(postmaster);
    server.kill().await;
    rustix::process::kill_process(postmaster, rustix::process::Signal::KILL).unwrap();
    let server = world.start().await;
    assert_ne!(world.postmaster(), Some(postmaster));
    let sessions = server.client(&key).get("/sessions").await.expect(200);
    assert_eq!(sessions[0]["id"], made["id"]);
    let left: Vec<_> = processes.into_iter().filter(|pid| is_alive(*pid)).collect();
    assert!(left.is_empty(), "of the killed database: {left:?}");
    server.stop().await;
    assert_eq!(world.postmaster(), None);
}
