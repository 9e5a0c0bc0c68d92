//! A server that is told to stop finishes what it has.

use mf_test_support::{TestDatabase, http};
use mf_waha_sim::Dialect;
use tokio::net::TcpStream;

use super::{
    client::{send, text_to},
    gate::HELD_UP,
    rig::eventually,
    scene::Scene,
};

#[tokio::test]
async fn a_server_told_to_stop_answers_what_it_has_and_takes_nothing_new() {
    let database = TestDatabase::create().await;
    let scene = Scene::on(&database.url(), Dialect::Noweb).await;
    let (mut server, client) = scene.start().await;
    let session = scene.working_session(&client, "Draining").await;
    send(&client, &session, "15550000002", "Before")
        .await
        .expect(201);
    let mut events = client.events(&format!("/sessions/{session}/events")).await;
    events.named("session.status").await;

    let url = format!("{}/api/v2/messages/send", server.base_url);
    let under_way = http()
        .post(url)
        .header("x-api-key", client.secret())
        .json(&text_to(&session, "15550000003", HELD_UP))
        .send();
    let under_way = tokio::spawn(under_way);
    scene.engine.until_held(1).await;

    server.ask_to_stop();
    // The stream ends first of all, and says what to do.
    events.rest().await;
    let comments = events.comments().join("\n");
    assert!(comments.contains("going down"), "{comments}");
    assert!(comments.contains("Last-Event-ID"), "{comments}");
    let addr = server.addr().to_owned();
    eventually("refusing connections", async || {
        TcpStream::connect(&addr).await.is_err()
    })
    .await;
    assert!(!under_way.is_finished(), "it was cut off");

    scene.engine.open();
    let answer = under_way.await.unwrap().unwrap();
    assert_eq!(answer.status(), 201);
    let answer: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(answer["status"], "sent", "{answer}");
    let said = server.ended().await;
    assert!(!said.contains("did not finish in time"), "{said}");
    assert_eq!(scene.sim.sent_by_all().len(), 2);
}
