use mf_waha_sim::{ChannelRole, Dialect, NewChannel};
use reqwest::Method;
use serde_json::json;

use super::support::waha;

const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];

fn channel(name: &str, role: ChannelRole) -> NewChannel {
    NewChannel {
        name: name.to_owned(),
        role,
        ..NewChannel::default()
    }
}

#[tokio::test]
async fn channels_are_listed_by_what_one_is_there() {
    for engine in ALL {
        let waha = waha(engine).await;
        waha.working("main", json!({})).await;
        waha.sim
            .add_channel("main", channel("Mine", ChannelRole::Owner))
            .unwrap();
        waha.sim
            .add_channel("main", channel("Theirs", ChannelRole::Subscriber))
            .unwrap();
        let (_, all) = waha.get("/api/main/channels").await;
        assert_eq!(all.as_array().unwrap().len(), 2, "{engine}");
        let (_, own) = waha.get("/api/main/channels?role=OWNER").await;
        assert_eq!(
            (own.as_array().unwrap().len(), &own[0]["name"]),
            (1, &json!("Mine"))
        );
        assert_eq!(waha.get("/api/main/channels?role=BOSS").await.0, 400);
    }
}

#[tokio::test]
async fn channels_are_written_to_by_those_who_run_them() {
    for engine in ALL {
        let waha = waha(engine).await;
        waha.working("main", json!({})).await;
        for (role, status) in [
            (ChannelRole::Owner, 201),
            (ChannelRole::Admin, 201),
            (ChannelRole::Subscriber, 500),
        ] {
            let id = waha.sim.add_channel("main", channel("News", role)).unwrap();
            let post = json!({"session": "main", "chatId": id, "text": "hi"});
            assert_eq!(waha.send(post).await.0, status, "{engine} {role:?}");
        }
        assert_eq!(waha.sim.sent("main").len(), 2);
    }
}

#[tokio::test]
async fn a_channel_is_made_found_by_its_link_and_deleted() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    let (status, made) = waha
        .post("/api/main/channels", json!({"name": "News"}))
        .await;
    assert_eq!((status, &made["role"]), (201, &json!("OWNER")));
    let code = made["invite"].as_str().unwrap().rsplit('/').next().unwrap();
    let (_, found) = waha.get(&format!("/api/main/channels/{code}")).await;
    assert_eq!(found, made);
    let path = format!(
        "/api/main/channels/{}",
        made["id"].as_str().unwrap().replace('@', "%40")
    );
    assert_eq!(
        waha.call(Method::DELETE, &path, None)
            .await
            .status()
            .as_u16(),
        200
    );
    assert_eq!(waha.get("/api/main/channels").await.1, json!([]));
}

#[tokio::test]
async fn channels_are_found_followed_and_left() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", json!({})).await;
    let text = json!({"text": "recipes", "categories": [], "limit": 5, "startCursor": ""});
    let (status, page) = waha.post("/api/main/channels/search/by-text", text).await;
    let found = &page["channels"][0];
    assert_eq!((status, &page["page"]["hasNextPage"]), (200, &json!(false)));
    assert_eq!(
        (&found["name"], found.get("role")),
        (&json!("Street Food Weekly"), None)
    );
    let path = format!(
        "/api/main/channels/{}",
        found["id"].as_str().unwrap().replace('@', "%40")
    );
    let (_, posts) = waha
        .get(&format!(
            "{path}/messages/preview?downloadMedia=false&limit=5"
        ))
        .await;
    assert!(
        posts[0]["message"]["body"]
            .as_str()
            .unwrap()
            .contains("stalls")
    );
    assert_eq!(waha.get("/api/main/channels").await.1, json!([]));
    assert_eq!(waha.post(&format!("{path}/follow"), json!({})).await.0, 201);
    assert_eq!(
        waha.get("/api/main/channels").await.1[0]["role"],
        "SUBSCRIBER"
    );
    waha.post(&format!("{path}/unfollow"), json!({})).await;
    assert_eq!(waha.get("/api/main/channels").await.1, json!([]));
}

#[tokio::test]
async fn what_an_engine_cannot_do_with_channels_is_not_implemented() {
    for (engine, method, path) in [
        (Dialect::Webjs, Method::POST, "/api/main/channels"),
        (
            Dialect::Noweb,
            Method::POST,
            "/api/main/channels/1%40newsletter/follow",
        ),
        (
            Dialect::Gows,
            Method::DELETE,
            "/api/main/channels/1%40newsletter",
        ),
    ] {
        let waha = waha(engine).await;
        waha.working("main", json!({})).await;
        let answer = waha.call(method, path, Some(&json!({"name": "x"}))).await;
        assert_eq!(answer.status().as_u16(), 501, "{engine}");
    }
}
