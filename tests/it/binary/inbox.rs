//! What the engine reported and an older version could not read, as an operator deals with it.

use mf_test_support::TestDatabase;
use serde_json::{Value, json};
use uuid::Uuid;

use super::rig::World;

/// Keeps a callback as if it could not have been read when it came.
async fn keep(database: &TestDatabase, session: Uuid, reason: &str, body: &str) -> String {
    let id = Uuid::from_u128(u128::from(body.len() as u64));
    let insert = "INSERT INTO rejected_callback (id, tenant_id, session_id, reason, body)
                  SELECT $1, tenant_id, id, $3, $4 FROM wa_session WHERE id = $2";
    sqlx::query(insert)
        .bind(id)
        .bind(session)
        .bind(reason)
        .bind(body.as_bytes())
        .execute(database.rows())
        .await
        .unwrap();
    id.to_string()
}

async fn rejected(world: &World, more: &[&str]) -> Vec<Value> {
    let printed = world
        .succeed(&[&["inbox", "rejected", "--json"], more].concat())
        .await;
    serde_json::from_str(&printed).unwrap()
}

fn message(session: Uuid) -> String {
    json!({
        "id": "evt_01k0000000000000000000000000", "timestamp": 1_790_000_000_000_u64,
        "event": "message.any", "session": format!("mf_{}", session.simple()), "metadata": {},
        "me": null, "engine": "NOWEB",
        "environment": {"version": "2026.7.1", "engine": "NOWEB", "tier": "CORE"},
        "payload": {
            "id": "false_15550000002@c.us_AAAA", "timestamp": 1_790_000_000,
            "from": "15550000002@c.us", "fromMe": false, "source": "app", "to": null,
            "participant": null, "body": "I was here", "hasMedia": false, "media": null,
            "ack": 1, "ackName": "SERVER", "vCards": [], "_data": {},
        },
    })
    .to_string()
}

#[tokio::test]
async fn what_could_not_be_read_is_listed_shown_taken_in_and_dropped() {
    let database = TestDatabase::create().await;
    let world = World::on(&database.url());
    let server = world.start().await;
    let first = world.first_run();
    let client = server.client(&first.api_key);
    let session = client
        .post("/sessions", json!({"name": "Front desk"}))
        .await;
    let session = Uuid::try_parse(session.expect(201)["id"].as_str().unwrap()).unwrap();
    let body = message(session);
    let readable = keep(&database, session, "it was new then", &body).await;
    let rubbish = keep(&database, session, "it is no JSON", "{").await;

    let listed = rejected(&world, &[]).await;
    assert_eq!(listed.len(), 2, "{listed:?}");
    let row = listed.iter().find(|row| row["id"] == readable).unwrap();
    assert_eq!(row["reason"], "it was new then");
    assert_eq!(row["session_id"], json!(session));
    assert_eq!(row["tenant_id"], json!(first.tenant_id));
    assert_eq!(row["bytes"], body.len());
    // The list is for everybody's eyes; the message is not.
    assert!(!json!(listed).to_string().contains("I was here"));
    assert_eq!(rejected(&world, &["--limit", "1"]).await.len(), 1);
    let theirs = Uuid::from_u128(1).to_string();
    assert_eq!(rejected(&world, &["--tenant", &theirs]).await.len(), 0);
    let printed = world.succeed(&["inbox", "rejected"]).await;
    assert!(printed.contains("it is no JSON"), "{printed}");
    assert_eq!(world.succeed(&["inbox", "show", &readable]).await, body);

    world.succeed(&["inbox", "retry", &readable]).await;
    let content: String = sqlx::query_scalar("SELECT content FROM message")
        .fetch_one(database.rows())
        .await
        .unwrap();
    assert_eq!(content, "I was here");
    let said = world.fail(1, &["inbox", "retry", &rubbish]).await;
    assert!(said.contains("is kept"), "{said}");
    let left = rejected(&world, &[]).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["id"], json!(rubbish));

    world.succeed(&["inbox", "drop", &rubbish]).await;
    assert!(rejected(&world, &[]).await.is_empty());
    for what in ["show", "retry", "drop"] {
        let said = world.fail(1, &["inbox", what, &rubbish]).await;
        assert!(said.contains("there is no rejected callback"), "{said}");
    }
    server.stop().await;
    database.remove().await;
}
