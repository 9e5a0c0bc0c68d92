use mf_waha_sim::{Config, Status};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::support::{KEY, Waha, client, soon, waha_with};

fn config(dir: &tempfile::TempDir) -> Config {
    Config {
        state_file: Some(dir.path().join("state.json")),
        ..Config::quick(KEY)
    }
}

#[tokio::test]
async fn sessions_survive_a_restart_and_those_that_ran_run_again() {
    let dir = tempfile::tempdir().unwrap();
    let before = waha_with(config(&dir)).await;
    before
        .working("paired", json!({"metadata": {"a": "b"}}))
        .await;
    before.create("stopped", json!({})).await;
    let (_, me) = before.get("/api/sessions/paired/me").await;

    let after = waha_with(config(&dir)).await;
    after.reaches("paired", Status::Working).await;
    assert_eq!(after.get("/api/sessions/paired/me").await.1, me);
    let (_, info) = after.get("/api/sessions/paired").await;
    assert_eq!(info["config"], json!({"metadata": {"a": "b"}}));
    assert_eq!(after.sim.status("stopped"), Some(Status::Stopped));
}

#[tokio::test]
async fn ending_the_server_leaves_running_sessions_noted_as_running() {
    let dir = tempfile::tempdir().unwrap();
    let sim = mf_waha_sim::Sim::new(config(&dir));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (end, ended) = oneshot::channel::<()>();
    let server = tokio::spawn(sim.clone().serve(listener, async {
        let _ = ended.await;
    }));
    let before = Waha {
        sim,
        http: client(),
        base,
    };
    before.working("main", json!({})).await;
    end.send(()).unwrap();
    soon(server).await.unwrap().unwrap();

    let after = waha_with(config(&dir)).await;
    after.reaches("main", Status::Working).await;
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_state_file() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let waha = waha_with(config(&dir)).await;
    waha.create("main", json!({})).await;
    let mode = std::fs::metadata(dir.path().join("state.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn an_unreadable_state_file_is_set_aside_and_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("state.json"), "{half").unwrap();
    let waha = waha_with(config(&dir)).await;
    waha.create("main", json!({})).await;
    let aside = std::fs::read_to_string(dir.path().join("state.json.unreadable")).unwrap();
    assert_eq!(aside, "{half");
}
