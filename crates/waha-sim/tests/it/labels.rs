use mf_waha_sim::{Config, Dialect, NewLabel};
use reqwest::Method;
use serde_json::json;

use super::support::{FRIEND, KEY, Waha, heard, waha, waha_with};

const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];
const OF_FRIEND: &str = "/api/main/labels/chats/15550000002%40c.us";

async fn business(engine: Dialect) -> Waha {
    let waha = waha_with(Config {
        engine,
        business: true,
        ..Config::quick(KEY)
    })
    .await;
    let store = json!({"noweb": {"store": {"enabled": true}}});
    waha.working("main", heard(store).await).await;
    waha
}

#[tokio::test]
async fn labels_are_made_changed_and_deleted() {
    for engine in ALL {
        let waha = business(engine).await;
        let (status, made) = waha
            .post("/api/main/labels", json!({"name": "Lead", "color": 2}))
            .await;
        let expected = json!({"id": "1", "name": "Lead", "color": 2, "colorHex": "#ffd429"});
        assert_eq!((status, &made), (201, &expected), "{engine}");
        let named = json!({"name": "Client", "colorHex": "#55CCB3"});
        let (_, changed) = waha.put("/api/main/labels/1", named).await;
        assert_eq!(changed["color"], 5);
        assert_eq!(waha.get("/api/main/labels").await.1, json!([changed]));
        let gone = waha.call(Method::DELETE, "/api/main/labels/1", None).await;
        assert_eq!(gone.status().as_u16(), 200);
        assert_eq!(waha.get("/api/main/labels").await.1, json!([]));
        assert_eq!(
            waha.put("/api/main/labels/1", json!({"name": "x"})).await.0,
            404
        );
    }
}

#[tokio::test]
async fn labels_that_make_no_sense_are_refused() {
    let waha = business(Dialect::Gows).await;
    for (body, status) in [
        (json!({"color": 1}), 400),
        (json!({"name": "x", "color": "red"}), 400),
        (json!({"name": "x", "color": 20}), 422),
        (json!({"name": "x", "colorHex": "#000000"}), 422),
        (json!({"name": "x", "color": 1, "colorHex": "#ff9485"}), 422),
    ] {
        assert_eq!(
            waha.post("/api/main/labels", body.clone()).await.0,
            status,
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_chat_has_exactly_the_labels_it_was_given_last() {
    let waha = business(Dialect::Noweb).await;
    for name in ["One", "Two"] {
        waha.post("/api/main/labels", json!({"name": name})).await;
    }
    let both = json!({"labels": [{"id": "1"}, {"id": "2"}]});
    assert_eq!(waha.put(OF_FRIEND, both).await.0, 200);
    waha.put(OF_FRIEND, json!({"labels": [{"id": "2"}]})).await;
    let added = waha
        .event("label.chat.added", |p| p["labelId"] == "1")
        .await;
    assert_eq!(
        (&added["chatId"], &added["label"]["name"]),
        (&json!(FRIEND), &json!("One"))
    );
    waha.event("label.chat.deleted", |p| p["labelId"] == "1")
        .await;
    let (_, labels) = waha.get(OF_FRIEND).await;
    assert_eq!(
        (labels.as_array().unwrap().len(), &labels[0]["name"]),
        (1, &json!("Two"))
    );
    let (_, chats) = waha.get("/api/main/labels/2/chats").await;
    assert_eq!(chats[0]["id"], "15550000002@s.whatsapp.net");
    waha.put(OF_FRIEND, json!({"labels": []})).await;
    assert_eq!(waha.get(OF_FRIEND).await.1, json!([]));
}

#[tokio::test]
async fn labels_put_up_on_the_phone_are_told_except_on_webjs() {
    for engine in ALL {
        let waha = business(engine).await;
        let new = NewLabel {
            name: "Hot".to_owned(),
            ..NewLabel::default()
        };
        let id = waha.sim.put_label_on_phone("main", &new).unwrap();
        waha.sim
            .label_chat_on_phone("main", &id, FRIEND, true)
            .unwrap();
        assert_eq!(waha.get(OF_FRIEND).await.1[0]["name"], "Hot");
        waha.sim.delete_label_on_phone("main", &id).unwrap();
        assert_eq!(waha.get("/api/main/labels").await.1, json!([]));
        if engine == Dialect::Webjs {
            let told = waha.sim.callbacks();
            assert!(
                told.iter()
                    .all(|record| !record.event.starts_with("label."))
            );
        } else {
            for event in ["label.upsert", "label.chat.added", "label.deleted"] {
                waha.event(event, |_| true).await;
            }
        }
    }
}

#[tokio::test]
async fn accounts_that_are_no_business_have_no_labels() {
    for engine in ALL {
        let waha = waha(engine).await;
        let store = json!({"noweb": {"store": {"enabled": true}}});
        waha.working("main", store).await;
        let (status, list) = waha.get("/api/main/labels").await;
        if engine == Dialect::Webjs {
            assert_eq!(status, 500);
        } else {
            assert_eq!((status, list), (200, json!([])), "{engine}");
        }
        assert_eq!(
            waha.post("/api/main/labels", json!({"name": "x"})).await.0,
            500
        );
        waha.sim.set_business("main", true).unwrap();
        assert_eq!(
            waha.post("/api/main/labels", json!({"name": "x"})).await.0,
            201
        );
    }
}
