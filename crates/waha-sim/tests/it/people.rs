use mf_waha_sim::{Dialect, Inbound, NewContact, Presence, Sim};
use serde_json::json;

use super::support::{FRIEND, heard, keeping, waha};

const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];

#[tokio::test]
async fn brazilian_numbers_exist_as_they_are_registered() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    for (asked, real) in [
        ("5511987654321", "5511987654321"),
        ("551187654321", "5511987654321"),
        ("5541987654321", "554187654321"),
        ("554187654321", "554187654321"),
    ] {
        let path = format!("/api/contacts/check-exists?phone={asked}&session=main");
        let expected = json!({"numberExists": true, "chatId": format!("{real}@c.us")});
        assert_eq!(waha.get(&path).await.1, expected, "{asked}");
        assert_eq!(Sim::real_chat(asked), Some(format!("{real}@c.us")));
    }
    let lost = json!({"session": "main", "chatId": "5541987654321@c.us", "text": "oi"});
    waha.send(lost).await;
    assert!(waha.sim.sent("main").is_empty(), "nobody has that number");
}

#[tokio::test]
async fn people_one_has_met_are_contacts() {
    for engine in ALL {
        let waha = waha(engine).await;
        waha.working("main", keeping()).await;
        let hello = Inbound {
            push_name: Some("Ada".to_owned()),
            ..Inbound::text(FRIEND, "hi")
        };
        waha.sim.inbound("main", hello).await.unwrap();
        let known = NewContact {
            id: "15550000003@c.us".to_owned(),
            name: Some("Zoe Z".to_owned()),
            ..NewContact::default()
        };
        waha.sim.know_contact("main", known).unwrap();
        let query = "/api/contacts/all?session=main&sortBy=id&sortOrder=desc&limit=1&offset=1";
        let (_, page) = waha.get(query).await;
        assert_eq!(
            (&page[0]["id"], &page[0]["pushname"]),
            (&json!(FRIEND), &json!("Ada"))
        );
        let by_query = "/api/contacts?session=main&contactId=15550000002";
        let (_, one) = waha.get(by_query).await;
        assert_eq!(one, page[0], "{engine}");
        assert_eq!(one["number"].is_string(), engine == Dialect::Webjs);
    }
}

#[tokio::test]
async fn of_strangers_noweb_has_nothing_to_say() {
    for engine in ALL {
        let waha = waha(engine).await;
        waha.working("main", keeping()).await;
        let (status, body) = waha.get("/api/main/contacts/15550000009%40c.us").await;
        assert_eq!(status, 200);
        assert_eq!(body.is_null(), engine == Dialect::Noweb, "{engine}");
    }
}

#[tokio::test]
async fn a_contact_is_renamed() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", json!({})).await;
    let name = json!({"firstName": "Ada", "lastName": "Lovelace"});
    let (_, done) = waha
        .put("/api/main/contacts/15550000002%40c.us", name)
        .await;
    assert_eq!(done, json!({"success": true}));
    let (_, one) = waha.get("/api/main/contacts/15550000002%40c.us").await;
    assert_eq!(one["name"], "Ada Lovelace");
}

#[tokio::test]
async fn blocking_and_abouts_take_webjs() {
    for engine in ALL {
        let waha = waha(engine).await;
        waha.working("main", json!({})).await;
        let who = json!({"session": "main", "contactId": FRIEND});
        let (status, _) = waha.post("/api/contacts/block", who).await;
        let about = "/api/contacts/about?session=main&contactId=15550000002";
        let expected = if engine == Dialect::Webjs {
            (201, 200)
        } else {
            (501, 501)
        };
        assert_eq!((status, waha.get(about).await.0), expected, "{engine}");
        if engine == Dialect::Webjs {
            let (_, one) = waha.get("/api/main/contacts/15550000002%40c.us").await;
            assert_eq!(one["isBlocked"], true);
        }
    }
}

#[tokio::test]
async fn the_number_behind_a_hidden_id_can_be_unknown_at_first() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", json!({})).await;
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "hi"))
        .await
        .unwrap();
    let (_, pair) = waha.get("/api/main/lids/pn/15550000002").await;
    let lid = pair["lid"].as_str().unwrap().to_owned();
    assert_eq!(waha.get("/api/main/lids").await.1, json!([pair]));
    assert_eq!(
        waha.get("/api/main/lids/count").await.1,
        json!({"count": 1})
    );

    waha.sim.set_lid_known("main", &lid, false).unwrap();
    let path = format!("/api/main/lids/{}", lid.replace('@', "%40"));
    assert_eq!(
        waha.get(&path).await,
        (200, json!({"lid": lid, "pn": null}))
    );
    assert_eq!(
        waha.get("/api/main/lids/pn/15550000002").await.1["lid"],
        json!(null)
    );
    assert_eq!(
        waha.get("/api/main/lids/count").await.1,
        json!({"count": 0})
    );

    waha.sim.set_lid_known("main", &lid, true).unwrap();
    assert_eq!(waha.get(&path).await.1["pn"], FRIEND);
}

#[tokio::test]
async fn the_profile_is_read_and_changed() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", json!({})).await;
    let done = json!({"success": true});
    assert_eq!(
        waha.put("/api/main/profile/name", json!({"name": "Shop"}))
            .await
            .1,
        done
    );
    assert_eq!(
        waha.put("/api/main/profile/status", json!({"status": "Open"}))
            .await
            .1,
        done
    );
    let file = json!({"file": {"mimetype": "image/jpeg", "data": "aGVsbG8="}});
    assert_eq!(waha.put("/api/main/profile/picture", file).await.1, done);
    let (_, profile) = waha.get("/api/main/profile").await;
    let (_, me) = waha.get("/api/sessions/main/me").await;
    assert_eq!(
        (&profile["name"], &profile["id"]),
        (&json!("Shop"), &me["id"])
    );
    assert_eq!(me["pushName"], "Shop");
    let query = format!("contactId={}&session=main", me["id"].as_str().unwrap());
    let (_, picture) = waha
        .get(&format!("/api/contacts/profile-picture?{query}"))
        .await;
    assert_eq!(picture["profilePictureURL"], profile["picture"]);
    waha.call(reqwest::Method::DELETE, "/api/main/profile/picture", None)
        .await;
    assert_eq!(
        waha.get("/api/main/profile").await.1["picture"],
        json!(null)
    );
}

#[tokio::test]
async fn presence_is_told_once_somebody_asked_for_it() {
    for engine in ALL {
        let waha = waha(engine).await;
        let config = json!({"webjs": {"tagsEventsOn": true}});
        waha.working("main", heard(config).await).await;
        waha.sim
            .presence("main", FRIEND, FRIEND, Presence::Online)
            .unwrap();
        waha.post("/api/main/presence/15550000002%40c.us/subscribe", json!({}))
            .await;
        waha.sim
            .presence("main", FRIEND, FRIEND, Presence::Recording)
            .unwrap();
        let told = waha.event("presence.update", |_| true).await;
        assert_eq!(
            told["presences"][0]["lastKnownPresence"], "recording",
            "{engine}"
        );
        let (_, known) = waha.get("/api/main/presence/15550000002%40c.us").await;
        assert_eq!(known, told);
        let (status, all) = waha.get("/api/main/presence").await;
        if engine == Dialect::Webjs {
            assert_eq!(status, 501);
        } else {
            assert_eq!(all, json!([known]));
        }
    }
}

#[tokio::test]
async fn webjs_keeps_presence_to_itself_without_the_tags() {
    let waha = waha(Dialect::Webjs).await;
    waha.working("main", heard(json!({})).await).await;
    waha.post("/api/main/presence/15550000002%40c.us/subscribe", json!({}))
        .await;
    waha.sim
        .presence("main", FRIEND, FRIEND, Presence::Typing)
        .unwrap();
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "hi"))
        .await
        .unwrap();
    waha.event("message.any", |_| true).await;
    let told = waha.sim.callbacks();
    assert!(told.iter().all(|record| record.event != "presence.update"));
}

#[tokio::test]
async fn calls_come_in_and_are_taken_or_refused() {
    for engine in ALL {
        let waha = waha(engine).await;
        waha.working("main", heard(json!({})).await).await;
        let id = waha.sim.call("main", FRIEND, true).unwrap();
        let told = waha.event("call.received", |_| true).await;
        assert_eq!((&told["id"], &told["from"]), (&json!(id), &json!(FRIEND)));
        assert_eq!(
            (&told["isVideo"], &told["isGroup"]),
            (&json!(true), &json!(false))
        );
        let refuse = json!({"from": FRIEND, "id": id});
        assert_eq!(waha.post("/api/main/calls/reject", refuse).await.0, 201);
        waha.event("call.rejected", |payload| payload["id"] == json!(id))
            .await;

        let taken = waha.sim.call("main", FRIEND, false).unwrap();
        waha.sim.accept_call("main", &taken).unwrap();
        if engine != Dialect::Webjs {
            waha.event("call.accepted", |payload| payload["id"] == json!(taken))
                .await;
        }
        assert!(waha.sim.accept_call("main", &taken).is_err());
    }
}
