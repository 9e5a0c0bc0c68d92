use std::collections::BTreeSet;

use mf_waha_sim::{Config, Dialect, Status};
use serde_json::{Value, json};

use super::support::{KEY, Waha, heard, waha_with};

fn config(engine: Dialect, dir: &tempfile::TempDir) -> Config {
    Config {
        engine,
        seed: true,
        business: true,
        state_file: Some(dir.path().join("state.json")),
        ..Config::quick(KEY)
    }
}

async fn overview(waha: &Waha) -> Vec<Value> {
    let (status, chats) = waha.get("/api/main/chats/overview?limit=50").await;
    assert_eq!(status, 200, "{chats}");
    chats.as_array().unwrap().clone()
}

async fn history(waha: &Waha) -> Vec<Value> {
    let mut all = Vec::new();
    for chat in overview(waha).await {
        let id = chat["id"].as_str().unwrap().replace('@', "%40");
        let path = format!("/api/main/chats/{id}/messages?limit=50&downloadMedia=false");
        all.extend(waha.get(&path).await.1.as_array().unwrap().clone());
    }
    all
}

fn store() -> Value {
    json!({"noweb": {"store": {"enabled": true}}})
}

#[tokio::test]
async fn a_paired_account_has_chats_of_the_last_days_that_nobody_is_told_of() {
    for engine in [Dialect::Noweb, Dialect::Gows, Dialect::Webjs] {
        let dir = tempfile::tempdir().unwrap();
        let waha = waha_with(config(engine, &dir)).await;
        waha.working("main", heard(store()).await).await;
        let chats = overview(&waha).await;
        let of = |server: &str| {
            let ids = chats.iter().filter_map(|chat| chat["id"].as_str());
            ids.filter(|id| id.ends_with(server)).count()
        };
        assert_eq!(
            (of("@c.us"), of("@lid"), of("@g.us")),
            (3, 1, 2),
            "{engine}"
        );
        let messages = history(&waha).await;
        assert!(messages.len() > 25);
        assert!(
            messages
                .iter()
                .any(|m| m["fromMe"] == true && m["ackName"] == "READ")
        );
        assert!(messages.iter().any(|m| m["hasMedia"] == true));
        assert!(messages.iter().any(|m| m["location"].is_object()));
        assert!(messages.iter().any(|m| m["vCards"][0].is_string()));
        let told = waha.sim.callbacks();
        assert!(told.iter().all(|record| record.event == "session.status"));
    }
}

#[tokio::test]
async fn groups_contacts_labels_and_a_channel_belong_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let waha = waha_with(config(Dialect::Gows, &dir)).await;
    waha.working("main", json!({})).await;
    let (_, groups) = waha.get("/api/main/groups").await;
    let names: BTreeSet<_> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["Name"].to_string())
        .collect();
    assert_eq!(names.len(), 2);
    assert_eq!(
        waha.get("/api/contacts/all?session=main")
            .await
            .1
            .as_array()
            .unwrap()
            .len(),
        7
    );
    assert_eq!(
        waha.get("/api/main/labels")
            .await
            .1
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        waha.get("/api/main/channels?role=OWNER")
            .await
            .1
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // One person is known by the hidden id alone.
    let (_, nobody) = waha.get("/api/main/lids/98765432104321%40lid").await;
    assert_eq!(nobody["pn"], json!(null));
}

#[tokio::test]
async fn a_restart_finds_the_same_history_again() {
    let dir = tempfile::tempdir().unwrap();
    let before = waha_with(config(Dialect::Noweb, &dir)).await;
    before.working("main", store()).await;
    let first = history(&before).await;
    let groups = before.get("/api/main/groups").await.1;

    let after = waha_with(config(Dialect::Noweb, &dir)).await;
    after.reaches("main", Status::Working).await;
    assert_eq!(history(&after).await, first);
    assert_eq!(after.get("/api/main/groups").await.1, groups);
}

#[tokio::test]
async fn pairing_the_same_phone_again_brings_no_second_history() {
    let dir = tempfile::tempdir().unwrap();
    let waha = waha_with(config(Dialect::Gows, &dir)).await;
    waha.working("main", json!({})).await;
    let first = history(&waha).await;
    waha.sim.unlink("main").unwrap();
    waha.post("/api/sessions/main/restart", json!({})).await;
    waha.reaches("main", Status::ScanQrCode).await;
    waha.sim.scan("main").await.unwrap();
    waha.reaches("main", Status::Working).await;
    assert_eq!(history(&waha).await, first);
}

#[tokio::test]
async fn after_a_logout_the_same_phone_brings_the_same_groups_and_history() {
    let dir = tempfile::tempdir().unwrap();
    let waha = waha_with(config(Dialect::Gows, &dir)).await;
    waha.working("main", json!({})).await;
    let first = history(&waha).await;
    let (_, groups) = waha.get("/api/main/groups").await;
    let id = groups[0]["JID"].as_str().unwrap().replace('@', "%40");
    waha.post(&format!("/api/main/groups/{id}/leave"), json!({}))
        .await;
    waha.call(reqwest::Method::DELETE, "/api/main/labels/1", None)
        .await;
    waha.post("/api/sessions/main/logout", json!({})).await;
    waha.reaches("main", Status::ScanQrCode).await;
    waha.sim.scan("main").await.unwrap();
    waha.reaches("main", Status::Working).await;
    assert_eq!(history(&waha).await, first);
    assert_eq!(
        waha.get("/api/main/groups/count").await.1,
        json!({"count": 1})
    );
    assert_eq!(
        waha.get("/api/main/labels")
            .await
            .1
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn two_accounts_share_no_message_ids() {
    let dir = tempfile::tempdir().unwrap();
    let waha = waha_with(config(Dialect::Gows, &dir)).await;
    waha.working("main", json!({})).await;
    waha.working("other", json!({})).await;
    let ids = async |session: &str| -> BTreeSet<String> {
        let path = format!("/api/{session}/chats/all/messages?limit=99");
        let messages = waha.get(&path).await.1;
        let bare = |m: &Value| {
            m["id"]
                .as_str()
                .unwrap()
                .split('_')
                .nth(2)
                .unwrap()
                .to_owned()
        };
        messages.as_array().unwrap().iter().map(bare).collect()
    };
    assert!(ids("main").await.is_disjoint(&ids("other").await));
}
