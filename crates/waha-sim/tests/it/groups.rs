use mf_waha_sim::{Dialect, Inbound, NewGroup, Role};
use serde_json::{Value, json};

use super::support::{FRIEND, Waha, heard, waha};

const OTHER: &str = "15550000003@c.us";
const PRIVATE: &str = "15550000403@c.us";
const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];

async fn with_account(engine: Dialect) -> Waha {
    let waha = waha(engine).await;
    waha.working("main", heard(json!({})).await).await;
    waha
}

fn path(id: &str, rest: &str) -> String {
    format!("/api/main/groups/{}{rest}", id.replace('@', "%40"))
}

/// Makes a group over HTTP and gives its id out of whatever the engine answers.
async fn make(waha: &Waha, people: &[&str]) -> (String, Value) {
    let people: Vec<_> = people.iter().map(|id| json!({"id": id})).collect();
    let body = json!({"name": "Lunch", "participants": people});
    let (status, answer) = waha.post("/api/main/groups", body).await;
    assert_eq!(status, 201, "{answer}");
    let id = [&answer["id"], &answer["JID"], &answer["gid"]["_serialized"]]
        .into_iter()
        .find_map(Value::as_str);
    (id.unwrap().to_owned(), answer)
}

async fn members(waha: &Waha, id: &str) -> Vec<Value> {
    let (status, body) = waha.get(&path(id, "/participants/v2")).await;
    assert_eq!(status, 200, "{body}");
    body.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_group_one_makes_is_answered_in_the_engines_own_shape_and_told() {
    for (engine, field) in [
        (Dialect::Noweb, "/subject"),
        (Dialect::Gows, "/Name"),
        (Dialect::Webjs, "/title"),
    ] {
        let waha = with_account(engine).await;
        let (id, answer) = make(&waha, &[FRIEND]).await;
        assert_eq!(answer.pointer(field), Some(&json!("Lunch")), "{engine}");
        let told = waha.event("group.v2.join", |_| true).await;
        assert_eq!(told["group"]["id"], json!(id));
        assert_eq!(told["group"]["subject"], "Lunch");
        assert_eq!(told["group"]["participants"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn groups_are_a_map_on_noweb_and_lists_elsewhere() {
    for engine in ALL {
        let waha = with_account(engine).await;
        let (id, _) = make(&waha, &[FRIEND]).await;
        let (_, groups) = waha.get("/api/main/groups").await;
        let (whole, named) = match engine {
            Dialect::Noweb => (&groups[&id], "/participants/0/id"),
            Dialect::Gows => (&groups[0], "/Participants/0/JID"),
            Dialect::Webjs => (&groups[0], "/groupMetadata/participants/0/id/_serialized"),
        };
        assert!(whole.pointer(named).is_some(), "{engine}: {groups}");
        let (_, slim) = waha.get("/api/main/groups?exclude=participants").await;
        let slim = slim.get(&id).unwrap_or(&slim[0]);
        assert!(slim.pointer(named).is_none(), "{engine}: {slim}");
        assert_eq!(
            waha.get("/api/main/groups/count").await.1,
            json!({"count": 1})
        );
    }
}

#[tokio::test]
async fn groups_are_listed_in_pages_sorted_by_subject() {
    let waha = with_account(Dialect::Gows).await;
    for subject in ["Beta", "Alpha", "Gamma"] {
        waha.sim
            .add_group("main", NewGroup::named(subject, &[FRIEND]))
            .unwrap();
    }
    let query = "/api/main/groups?sortBy=subject&sortOrder=desc&limit=1&offset=1";
    let (_, page) = waha.get(query).await;
    assert_eq!(
        (page.as_array().unwrap().len(), &page[0]["Name"]),
        (1, &json!("Beta"))
    );
    assert_eq!(waha.get("/api/main/groups?sortBy=size").await.0, 400);
}

#[tokio::test]
async fn adding_somebody_who_forbids_it_is_answered_with_success_and_does_nothing() {
    for engine in ALL {
        let waha = with_account(engine).await;
        let (id, _) = make(&waha, &[FRIEND]).await;
        let people = json!({"participants": [{"id": PRIVATE}, {"id": OTHER}, {"id": FRIEND}]});
        let (status, answer) = waha.post(&path(&id, "/participants/add"), people).await;
        assert_eq!(status, 200, "{engine}");
        let codes = match engine {
            Dialect::Noweb => json!([
                answer[0]["status"],
                answer[1]["status"],
                answer[2]["status"]
            ]),
            Dialect::Gows => json!([answer[0]["Error"], answer[1]["Error"], answer[2]["Error"]]),
            Dialect::Webjs => json!([
                answer[PRIVATE]["code"],
                answer[OTHER]["code"],
                answer[FRIEND]["code"]
            ]),
        };
        let expected = match engine {
            Dialect::Noweb => json!(["403", "200", "409"]),
            Dialect::Gows => json!([403, 0, 409]),
            Dialect::Webjs => json!([403, 200, 409]),
        };
        assert_eq!(codes, expected, "{engine}");
        if engine == Dialect::Gows {
            assert!(answer[0]["AddRequest"]["Code"].is_string());
        }
        let told = waha
            .event("group.v2.participants", |p| p["type"] == "join")
            .await;
        assert_eq!(
            told["participants"].as_array().unwrap().len(),
            1,
            "{engine}"
        );
        assert_eq!(members(&waha, &id).await.len(), 3, "{engine}");
    }
}

#[tokio::test]
async fn new_groups_know_their_members_by_hidden_ids() {
    for engine in ALL {
        let waha = with_account(engine).await;
        let (id, _) = make(&waha, &[FRIEND]).await;
        let shown = members(&waha, &id).await;
        let friend = &shown[1];
        assert!(friend["id"].as_str().unwrap().ends_with("@lid"), "{engine}");
        let number = if engine == Dialect::Webjs {
            json!(null)
        } else {
            json!(FRIEND)
        };
        assert_eq!(
            (&friend["pn"], &friend["role"]),
            (&number, &json!("participant"))
        );
        assert_eq!(shown[0]["role"], "superadmin");
    }
}

#[tokio::test]
async fn members_are_promoted_demoted_and_removed() {
    let waha = with_account(Dialect::Gows).await;
    let (id, _) = make(&waha, &[FRIEND, OTHER]).await;
    let friend = json!({"participants": [{"id": FRIEND}]});
    for (step, kind, role) in [
        ("/admin/promote", "promote", json!("admin")),
        ("/admin/demote", "demote", json!("participant")),
    ] {
        assert_eq!(waha.post(&path(&id, step), friend.clone()).await.0, 200);
        waha.event("group.v2.participants", |p| p["type"] == kind)
            .await;
        assert_eq!(members(&waha, &id).await[1]["role"], role);
    }
    waha.post(&path(&id, "/participants/remove"), friend).await;
    let told = waha
        .event("group.v2.participants", |p| p["type"] == "leave")
        .await;
    assert_eq!(told["participants"][0]["role"], "left");
    assert_eq!(members(&waha, &id).await.len(), 2);
}

#[tokio::test]
async fn a_group_one_left_cannot_be_written_to_any_more() {
    for engine in ALL {
        let waha = with_account(engine).await;
        let (id, _) = make(&waha, &[FRIEND]).await;
        let message = json!({"session": "main", "chatId": id, "text": "hi"});
        assert_eq!(waha.send(message.clone()).await.0, 201, "{engine}");
        let (status, _) = waha.post(&path(&id, "/leave"), json!({})).await;
        assert_eq!(status, 200);
        waha.event("group.v2.leave", |p| p["group"]["id"] == json!(id))
            .await;
        let (status, answer) = waha.send(message).await;
        assert_eq!(
            (status, &answer["statusCode"]),
            (500, &json!(500)),
            "{engine}"
        );
        assert_eq!(waha.sim.sent("main").len(), 1);
        assert_eq!(waha.get("/api/main/groups/count").await.1["count"], 0);
    }
}

#[tokio::test]
async fn admins_alone_write_where_it_is_set_so() {
    let waha = with_account(Dialect::Noweb).await;
    let announcing = NewGroup {
        announce: true,
        ..NewGroup::named("News", &[FRIEND])
    };
    let id = waha.sim.add_group("main", announcing).unwrap();
    let message = json!({"session": "main", "chatId": id, "text": "hi"});
    assert_eq!(waha.send(message.clone()).await.0, 500);
    let (status, _) = waha
        .put(&path(&id, "/subject"), json!({"subject": "Mine"}))
        .await;
    assert_eq!(status, 200, "members may rename it");
    let setting = path(&id, "/settings/security/messages-admin-only");
    assert_eq!(
        waha.put(&setting, json!({"adminsOnly": false})).await.0,
        500
    );
    let me = format!(
        "{}@c.us",
        waha.sim.group_members("main", &id).unwrap()[1]
            .0
            .trim_end_matches("@c.us")
    );
    waha.sim.group_promote("main", &id, &me).unwrap();
    assert_eq!(waha.send(message).await.0, 201);
    assert_eq!(
        waha.put(&setting, json!({"adminsOnly": false})).await.0,
        200
    );
    assert_eq!(waha.get(&setting).await.1, json!({"adminsOnly": false}));
}

#[tokio::test]
async fn webjs_answers_false_where_one_may_not_change_a_group() {
    let waha = with_account(Dialect::Webjs).await;
    let locked = NewGroup {
        locked: true,
        ..NewGroup::named("News", &[FRIEND])
    };
    let id = waha.sim.add_group("main", locked).unwrap();
    let (status, answer) = waha
        .put(&path(&id, "/subject"), json!({"subject": "Mine"}))
        .await;
    assert_eq!((status, answer), (200, json!(false)));
}

#[tokio::test]
async fn a_changed_subject_and_description_are_told_and_shown() {
    for engine in ALL {
        let waha = with_account(engine).await;
        let (id, _) = make(&waha, &[FRIEND]).await;
        waha.put(&path(&id, "/subject"), json!({"subject": "Dinner"}))
            .await;
        waha.put(
            &path(&id, "/description"),
            json!({"description": "At eight"}),
        )
        .await;
        waha.event("group.v2.update", |p| p["group"]["subject"] == "Dinner")
            .await;
        waha.event("group.v2.update", |p| {
            p["group"]["description"] == "At eight"
        })
        .await;
        let (_, group) = waha.get(&path(&id, "")).await;
        let subject = ["/subject", "/Name", "/groupMetadata/subject"];
        let found = subject.iter().find_map(|at| group.pointer(at));
        assert_eq!(found, Some(&json!("Dinner")), "{engine}");
    }
}

#[tokio::test]
async fn what_others_do_in_a_group_is_told() {
    for engine in ALL {
        let waha = with_account(engine).await;
        let id = waha
            .sim
            .add_group("main", NewGroup::named("Team", &[FRIEND]))
            .unwrap();
        waha.event("group.v2.join", |p| p["group"]["subject"] == "Team")
            .await;
        waha.sim.group_join("main", &id, OTHER).unwrap();
        let told = waha
            .event("group.v2.participants", |p| p["type"] == "join")
            .await;
        assert_eq!(told["participants"][0]["id"], OTHER);
        waha.sim.group_promote("main", &id, OTHER).unwrap();
        waha.event("group.v2.participants", |p| p["type"] == "promote")
            .await;
        waha.sim.group_leave("main", &id, OTHER).unwrap();
        waha.event("group.v2.participants", |p| p["type"] == "leave")
            .await;
        waha.sim.rename_group("main", &id, "Crew").unwrap();
        waha.event("group.v2.update", |p| p["group"]["subject"] == "Crew")
            .await;
        assert!(waha.sim.group_join("main", "1@g.us", OTHER).is_err());
    }
}

#[tokio::test]
async fn the_time_of_a_group_event_is_in_milliseconds_except_on_webjs() {
    for (engine, digits) in [
        (Dialect::Noweb, 13),
        (Dialect::Gows, 13),
        (Dialect::Webjs, 10),
    ] {
        let waha = with_account(engine).await;
        waha.sim
            .add_group("main", NewGroup::named("Team", &[FRIEND]))
            .unwrap();
        let told = waha.event("group.v2.join", |_| true).await;
        assert_eq!(told["timestamp"].to_string().len(), digits, "{engine}");
    }
}

#[tokio::test]
async fn a_group_is_joined_by_its_code_until_that_is_revoked() {
    let waha = with_account(Dialect::Noweb).await;
    let outside = NewGroup {
        joined: false,
        ..NewGroup::named("Open", &[FRIEND])
    };
    let id = waha.sim.add_group("main", outside).unwrap();
    let code = waha.sim.group_invite("main", &id).unwrap();
    let (_, info) = waha
        .get(&format!("/api/main/groups/join-info?code={code}"))
        .await;
    assert_eq!(info["subject"], "Open");
    let link = format!("https://chat.whatsapp.com/{code}");
    let (status, joined) = waha
        .post("/api/main/groups/join", json!({"code": link}))
        .await;
    assert_eq!((status, joined), (200, json!({"id": id})));
    assert_eq!(
        waha.get(&path(&id, "/invite-code")).await.0,
        500,
        "for admins only"
    );

    let (mine, _) = make(&waha, &[FRIEND]).await;
    let (_, old) = waha.get(&path(&mine, "/invite-code")).await;
    let (_, new) = waha
        .post(&path(&mine, "/invite-code/revoke"), json!({}))
        .await;
    assert!(new.is_string() && new != old);
    let (status, _) = waha
        .post("/api/main/groups/join", json!({"code": old}))
        .await;
    assert_eq!(status, 500);
}

#[tokio::test]
async fn a_group_nobody_mentioned_before_exists_once_somebody_writes_in_it() {
    let waha = with_account(Dialect::Gows).await;
    let hello = Inbound {
        participant: Some(OTHER.to_owned()),
        ..Inbound::text("123456@g.us", "hi")
    };
    waha.sim.inbound("main", hello).await.unwrap();
    let known = waha.sim.group_members("main", "123456@g.us").unwrap();
    assert!(
        known.contains(&(OTHER.to_owned(), Role::Superadmin)),
        "{known:?}"
    );
    assert_eq!(waha.get("/api/main/groups/count").await.1["count"], 1);
}

#[tokio::test]
async fn deleting_a_group_takes_webjs() {
    for engine in ALL {
        let waha = with_account(engine).await;
        let (id, _) = make(&waha, &[FRIEND]).await;
        let answer = waha
            .call(reqwest::Method::DELETE, &path(&id, ""), None)
            .await;
        let expected = if engine == Dialect::Webjs { 200 } else { 501 };
        assert_eq!(answer.status().as_u16(), expected, "{engine}");
    }
}

#[tokio::test]
async fn a_groups_picture_is_set_and_taken_away() {
    let waha = with_account(Dialect::Gows).await;
    let (id, _) = make(&waha, &[FRIEND]).await;
    let picture = path(&id, "/picture");
    assert_eq!(waha.get(&picture).await.1, json!({"url": null}));
    let file = json!({"file": {"mimetype": "image/jpeg", "data": "aGVsbG8="}});
    assert_eq!(waha.put(&picture, file).await.1, json!({"success": true}));
    assert!(
        waha.get(&picture).await.1["url"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );
    waha.call(reqwest::Method::DELETE, &picture, None).await;
    assert_eq!(waha.get(&picture).await.1, json!({"url": null}));
}
