use std::time::Duration;

use mf_waha_sim::{Config, Dialect, Inbound, Status};
use serde_json::json;

use super::support::{FRIEND, KEY, heard, waha, waha_with};

const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];
const CHAT: &str = "/api/main/chats/15550000002%40c.us/messages?limit=9";

async fn store() -> serde_json::Value {
    heard(json!({"noweb": {"store": {"enabled": true}}})).await
}

#[tokio::test]
async fn a_zombie_works_by_its_own_account_and_gets_nothing_through() {
    for engine in ALL {
        let waha = waha(engine).await;
        waha.working("main", store().await).await;
        waha.sim.set_zombie("main", true).unwrap();
        let (_, before) = waha.get("/api/sessions/main").await;
        assert_eq!(before["status"], "WORKING");
        let (status, answer) = waha
            .send(json!({"session": "main", "chatId": FRIEND, "text": "hi"}))
            .await;
        let said = answer["exception"]["message"]
            .as_str()
            .unwrap()
            .to_lowercase();
        assert_eq!(
            (status, said.contains("timed out")),
            (500, true),
            "{engine}: {said}"
        );
        for path in [
            "/api/contacts/check-exists?phone=15550000002&session=main",
            "/api/main/profile",
            "/api/main/groups",
        ] {
            assert_eq!(waha.get(path).await.0, 500, "{engine} {path}");
        }
        assert_eq!(waha.get(CHAT).await.0, 200, "the store still answers");
        assert_eq!(waha.get("/api/sessions/main/me").await.0, 200);
        let (_, after) = waha.get("/api/sessions/main").await;
        assert_eq!(before["timestamps"], after["timestamps"]);
        assert!(waha.sim.sent("main").is_empty());
    }
}

#[tokio::test]
async fn what_a_zombie_misses_is_in_the_chats_after_a_restart_and_never_told() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", store().await).await;
    waha.sim.set_zombie("main", true).unwrap();
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "missed"))
        .await
        .unwrap();
    assert_eq!(waha.get(CHAT).await.1, json!([]));
    waha.post("/api/sessions/main/restart", json!({})).await;
    waha.reaches("main", Status::Working).await;
    assert_eq!(waha.get(CHAT).await.1[0]["body"], "missed");
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "heard"))
        .await
        .unwrap();
    waha.event("message.any", |payload| payload["body"] == "heard")
        .await;
    let told = waha.sim.callbacks();
    assert!(told.iter().all(|record| !record.body.contains("missed")));
}

#[tokio::test]
async fn a_zombie_can_leave_it_to_the_caller_to_give_up() {
    let config = Config {
        zombie_wait: None,
        ..Config::quick(KEY)
    };
    let waha = waha_with(config).await;
    waha.working("main", json!({})).await;
    waha.sim.set_zombie("main", true).unwrap();
    let profile = waha
        .http
        .get(format!("{}/api/main/profile", waha.base))
        .header("X-Api-Key", KEY)
        .timeout(Duration::from_millis(200));
    assert!(profile.send().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn starts_fail_as_often_as_ordered() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    waha.sim.fail_starts("main", 2).unwrap();
    for _ in 0..2 {
        waha.post("/api/sessions/main/restart", json!({})).await;
        waha.reaches("main", Status::Failed).await;
    }
    waha.post("/api/sessions/main/restart", json!({})).await;
    waha.reaches("main", Status::Working).await;
}

#[tokio::test]
async fn messages_that_came_while_nobody_listened_are_in_the_chats_and_never_told() {
    for engine in ALL {
        let waha = waha(engine).await;
        waha.working("main", store().await).await;
        let missed = vec![
            Inbound::text(FRIEND, "one"),
            Inbound {
                from_me: true,
                ..Inbound::text(FRIEND, "two")
            },
        ];
        let shown = waha.sim.while_away("main", missed).unwrap();
        let (_, found) = waha.get(CHAT).await;
        assert_eq!(
            (&found[0]["id"], &found[1]["id"]),
            (&shown[1]["id"], &shown[0]["id"])
        );
        waha.sim
            .inbound("main", Inbound::text(FRIEND, "three"))
            .await
            .unwrap();
        waha.event("message.any", |payload| payload["body"] == "three")
            .await;
        let told = waha.sim.callbacks();
        assert!(
            told.iter()
                .all(|r| !r.body.contains("\"one\"") && !r.body.contains("\"two\""))
        );
    }
}

#[tokio::test]
async fn all_of_it_can_be_ordered_over_http() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", store().await).await;
    for (order, body, status) in [
        (
            "while-away",
            json!([{"from": FRIEND, "text": "missed"}]),
            201,
        ),
        (
            "groups",
            json!({"id": "77@g.us", "subject": "Team", "participants": [{"id": FRIEND}]}),
            201,
        ),
        ("groups/77@g.us", json!({"join": "15550000003@c.us"}), 200),
        ("groups/78@g.us", json!({"subject": "none"}), 404),
        ("labels", json!({"name": "Hot"}), 201),
        ("channels", json!({"name": "News", "role": "OWNER"}), 201),
        ("contacts", json!({"id": FRIEND, "name": "Ada"}), 200),
        (
            "presence",
            json!({"chatId": FRIEND, "presence": "typing"}),
            200,
        ),
        ("calls", json!({"from": FRIEND, "video": true}), 201),
        ("business", json!({"business": true}), 200),
        ("lid-known", json!({"lid": "1", "known": false}), 200),
        ("fail-starts", json!({"count": 0}), 200),
        ("zombie", json!({"zombie": true}), 200),
        ("zombie", json!({"zombie": 1}), 400),
    ] {
        let path = format!("/sim/sessions/main/{order}");
        let (got, answer) = waha.post(&path, body).await;
        assert_eq!(got, status, "{order}: {answer}");
    }
    let (_, group) = waha.get("/sim/sessions/main/groups/77@g.us").await;
    assert_eq!(group["participants"].as_array().unwrap().len(), 3);
}
