use serde_json::json;

use super::document::{Ids, Operation, ids_of, operations};
use crate::support::TestApp;

/// Whether an id of somebody's is part of the call.
fn names_something(operation: &Operation) -> bool {
    !operation.holes.is_empty() || operation.id.starts_with("send_")
}

#[tokio::test]
async fn what_is_anothers_is_not_there() {
    let app = TestApp::start().await;
    let owner = app.full_key();
    let theirs = ids_of(&app, &owner).await;
    let nothing = Ids::of_nothing();
    let neighbour = app.other_tenant().await.key;
    for operation in operations(&app).await.iter().filter(|o| names_something(o)) {
        let ways = theirs.in_other_words().into_iter();
        for (theirs, nothing) in ways.zip(nothing.in_other_words()) {
            let bodies = operation.bodies(&theirs);
            for (body, blank) in bodies.iter().zip(operation.bodies(&nothing)) {
                let foreign = operation.call(&neighbour, &theirs, body.as_ref()).await;
                let absent = operation.call(&neighbour, &nothing, blank.as_ref()).await;
                assert_eq!(foreign.expect(404), absent.expect(404), "{foreign}");
            }
        }
    }
    // Nothing happened to what the neighbour called.
    let session = owner
        .get(&format!("/sessions/{}", theirs.session))
        .await
        .expect(200);
    assert_eq!(session["status"], "working");
    assert_eq!(session["config"], json!({}));
    owner
        .get(&format!("/api-keys/{}", theirs.key))
        .await
        .expect(200);
    let message = owner.get(&format!("/messages/{}", theirs.message)).await;
    let message = message.expect(200);
    assert_eq!(message["content"], "hello");
    assert_eq!(message["starred"], false);
    let media = owner.get(&format!("/media/{}", theirs.media)).await;
    assert_eq!(media.status, 200);
    assert_eq!(app.sim.sent_by_all().len(), 1);
    assert_eq!(app.sim.actions_of_all(), []);
}

#[tokio::test]
async fn ones_own_session_reaches_nothing_of_anothers() {
    let app = TestApp::start().await;
    let theirs = ids_of(&app, &app.full_key()).await;
    let neighbour = app.other_tenant().await.key;
    let (session, _events) = app.working_session(&neighbour).await;
    let nothing = Ids::of_nothing();
    let friend = "15550000003@c.us";
    let send = async |chat: &str, reply: Option<&str>| {
        let mut body = json!({"chat_id": chat, "message": "hello"});
        if let Some(reply) = reply {
            body["reply_to"] = json!(reply);
        }
        session.post(body).await
    };
    let (foreign, absent) = (
        send(&theirs.chat, None).await,
        send(&nothing.chat, None).await,
    );
    assert_eq!(foreign.expect(404), absent.expect(404));
    for (theirs, nothing) in [
        (&theirs.message, &nothing.message),
        (&theirs.wa_message, &nothing.wa_message),
    ] {
        let foreign = send(friend, Some(theirs)).await;
        let absent = send(friend, Some(nothing)).await;
        assert_eq!(foreign.expect(400), absent.expect(400));
    }
    let react = async |message: &str| {
        let body = json!({"message_id": message, "reaction": "👍"});
        session.post_to("/messages/send/reaction", body).await
    };
    for (theirs, nothing) in [
        (&theirs.message, &nothing.message),
        (&theirs.wa_message, &nothing.wa_message),
    ] {
        let (foreign, absent) = (react(theirs).await, react(nothing).await);
        assert_eq!(foreign.expect(404), absent.expect(404));
    }
    let read = async |rest: &str| {
        let path = format!("/messages/chat/{}/{rest}", session.id);
        neighbour.get(&path).await
    };
    let (foreign, absent) = (read(&theirs.chat).await, read(&nothing.chat).await);
    assert_eq!(foreign.expect(404), absent.expect(404));
    assert_eq!(foreign.refused(404), "Chat not found");
    session.send("15550000003", "hello").await;
    for cursor in ["before", "after"] {
        let read = async |id: &str| read(&format!("{friend}?{cursor}={id}")).await;
        let (foreign, absent) = (read(&theirs.message).await, read(&nothing.message).await);
        assert_eq!(foreign.expect(422), absent.expect(422));
    }
    assert_eq!(session.sent(&app.sim).len(), 1);
}

#[tokio::test]
async fn lists_are_of_ones_own_alone() {
    let app = TestApp::start().await;
    let theirs = ids_of(&app, &app.full_key()).await;
    let neighbour = app.other_tenant().await.key;
    for operation in operations(&app).await {
        if operation.method != reqwest::Method::GET || !operation.holes.is_empty() {
            continue;
        }
        let answer = operation.call(&neighbour, &theirs, None).await;
        answer.expect(200);
        for id in [&theirs.session, &theirs.key, &theirs.message, &theirs.chat] {
            assert!(!answer.text().contains(id), "{answer}");
        }
    }
}

#[tokio::test]
async fn the_neighbours_password_opens_the_neighbours_tenant() {
    let app = TestApp::start().await;
    let neighbour = app.other_tenant().await;
    let body = json!({"email": neighbour.email, "password": neighbour.password});
    let login = app.anonymous().post("/auth/login", body).await.expect(200);
    assert_ne!(login["user"]["tenant_id"], app.first_run["tenant_id"]);
    let me = neighbour.key.get("/users/me").await.expect(200);
    assert_eq!(me["tenant"]["id"], login["user"]["tenant_id"]);
}
