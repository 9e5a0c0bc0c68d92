use serde_json::{Value, json};

use crate::support::{Session, TestApp};

#[tokio::test]
async fn a_new_session_is_stopped_and_the_engine_knows_nothing_of_it() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let body = json!({"name": "  Front desk "});
    let session = key.post("/sessions", body).await.expect(201);
    let expected = json!({
        "id": session["id"], "name": "Front desk", "status": "stopped", "phone_number": null,
        "is_business": false, "push_name": null, "config": {}, "last_error": null,
        "created_at": session["created_at"], "updated_at": session["updated_at"],
    });
    assert_eq!(session, expected);
    for time in ["created_at", "updated_at"] {
        assert!(session[time].as_str().unwrap().ends_with('Z'), "{session}");
    }
    let session = Session::of(&key, session["id"].as_str().unwrap());
    assert_eq!(session.get().await, expected);
    assert_eq!(app.sim.status(&session.engine), None);
}

#[tokio::test]
async fn a_name_has_one_to_a_hundred_characters() {
    let app = TestApp::start().await;
    let key = app.full_key();
    for name in [
        "x".repeat(100),
        "ü".repeat(100),
        "🦀".repeat(100),
        "x".to_owned(),
    ] {
        key.post("/sessions", json!({"name": name}))
            .await
            .expect(201);
    }
    for name in [
        json!(""),
        json!("   "),
        json!("x".repeat(101)),
        json!("🦀".repeat(101)),
        json!(null),
        json!(5),
        json!("a\nb"),
        json!("a\u{0}b"),
    ] {
        let faults = key.post("/sessions", json!({"name": name})).await.faults();
        assert_eq!(faults.len(), 1, "{name}: {faults:?}");
        assert!(faults[0].starts_with("body.name: "), "{name}: {faults:?}");
    }
    assert_eq!(app.count("SELECT count(*) FROM wa_session").await, 4);
}

#[tokio::test]
async fn sessions_are_listed_newest_first_a_page_at_a_time() {
    let app = TestApp::start().await;
    let key = app.full_key();
    assert_eq!(key.get("/sessions").await.expect(200), json!([]));
    for name in ["a", "b", "c", "d", "e"] {
        key.post("/sessions", json!({"name": name}))
            .await
            .expect(201);
    }
    let names = async |query: &str| {
        let list = key.get(&format!("/sessions{query}")).await.expect(200);
        let names = list
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["name"].as_str().unwrap().to_owned());
        names.collect::<String>()
    };
    assert_eq!(names("").await, "edcba");
    assert_eq!(names("?limit=2").await, "ed");
    assert_eq!(names("?limit=2&offset=2").await, "cb");
    assert_eq!(names("?offset=4").await, "a");
    assert_eq!(names("?offset=5").await, "");
    for query in ["limit=0", "limit=101", "limit=x", "offset=-1"] {
        let faults = key.get(&format!("/sessions?{query}")).await.faults();
        let name = query.split_once('=').unwrap().0;
        assert!(
            faults[0].starts_with(&format!("query.{name}: ")),
            "{faults:?}"
        );
    }
}

#[tokio::test]
async fn a_deleted_session_is_gone_here_and_at_the_engine() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _events) = app.working_session(&key).await;
    let sent = session.send("15550000002", "hello").await;
    let answer = key.delete(&session.path("")).await.expect(200);
    assert_eq!(answer, json!({"status": "deleted", "id": session.id}));
    assert_eq!(app.sim.status(&session.engine), None);
    for answer in [
        key.get(&session.path("")).await,
        key.delete(&session.path("")).await,
        session.order("start").await,
        key.get(&session.path("/events")).await,
        session.try_send("15550000002", "hello").await,
    ] {
        assert_eq!(answer.refused(404), "Session not found");
    }
    // Its chats and messages went with it.
    let message = key
        .get(&format!("/messages/{}", sent["id"].as_str().unwrap()))
        .await;
    assert_eq!(message.refused(404), "Message not found");
    for table in ["SELECT count(*) FROM chat", "SELECT count(*) FROM contact"] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
    assert_eq!(key.get("/sessions").await.expect(200), json!([]));
}

#[tokio::test]
async fn a_session_that_never_ran_can_be_deleted() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let session = Session::create(&key).await;
    key.delete(&session.path("")).await.expect(200);
    key.get(&session.path("")).await.refused(404);
}

#[tokio::test]
async fn a_session_that_the_engine_lost_can_be_deleted() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _events) = app.working_session(&key).await;
    app.sim.reset();
    key.delete(&session.path("")).await.expect(200);
    key.get(&session.path("")).await.refused(404);
}

#[tokio::test]
async fn a_session_is_not_deleted_while_the_engine_is_away() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, _events) = app.working_session(&key).await;
    app.wire.cut().await;
    key.delete(&session.path("")).await.refused(502);
    assert_eq!(session.get().await["status"], "working");
    app.wire.mend().await;
    key.delete(&session.path("")).await.expect(200);
    assert_eq!(app.sim.status(&session.engine), None);
}

#[tokio::test]
async fn the_key_of_the_callbacks_is_kept_sealed() {
    let app = TestApp::start().await;
    let (session, _events) = app.scannable_session(&app.full_key()).await;
    let at_engine = app.at_engine(&session.engine).await;
    let key = at_engine["config"]["webhooks"][0]["hmac"]["key"]
        .as_str()
        .unwrap();
    assert_eq!(key.len(), 64, "{key}");
    let row: String = sqlx::query_scalar("SELECT s::text FROM wa_session s")
        .fetch_one(app.rows())
        .await
        .unwrap();
    assert!(!row.contains(key), "{row}");
    // The engine's list shows nothing that tells whose it is.
    assert!(
        !session
            .engine
            .contains(app.first_run["tenant_id"].as_str().unwrap())
    );
    assert_ne!(at_engine["config"]["webhooks"][0]["url"], Value::Null);
}
