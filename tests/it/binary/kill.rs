//! The server is killed while messages are on their way: each is sent once or not at all, and
//! it is known which.

use std::collections::{BTreeMap, BTreeSet};

use mf_test_support::{Client, TestDatabase, http};
use mf_waha_sim::Dialect;
use serde_json::Value;
use sqlx::PgPool;

use super::{
    client::{text_to, until, until_session, until_settled},
    gate::{CUT, LOST_AFTER, LOST_BEFORE},
    rig::eventually,
    scene::{Scene, engine_name},
};

/// Asks for a message to be sent, and does not wait for the answer: the server will be killed.
fn send_in_vain(client: &Client, base_url: &str, session: &str, phone: &str, text: &str) {
    let request = http()
        .post(format!("{base_url}/api/v2/messages/send"))
        .header("x-api-key", client.secret())
        .json(&text_to(session, phone, text));
    tokio::spawn(request.send());
}

/// The id of the message with this text.
async fn message_of(rows: &PgPool, text: &str) -> String {
    sqlx::query_scalar("SELECT id::text FROM message WHERE content = $1")
        .bind(text)
        .fetch_one(rows)
        .await
        .unwrap()
}

async fn count(rows: &PgPool) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM message");
    count.fetch_one(rows).await.unwrap()
}

/// Three messages on three sessions, and the server is killed: of the first the engine never
/// hears; the second it sends, and reports; the third it sends, and the report is lost too.
/// Their texts, and the messages as they stand once each was settled.
struct Aftermath {
    scene: Scene,
    database: TestDatabase,
    client: Client,
    _server: super::rig::Server,
    /// By text.
    messages: BTreeMap<String, Value>,
}

const UNREPORTED: &str = "lost-after cut-off";

impl Aftermath {
    async fn of(dialect: Dialect) -> Self {
        assert_eq!(UNREPORTED, format!("{LOST_AFTER} {CUT}"));
        let database = TestDatabase::create().await;
        let mut scene = Scene::on(&database.url(), dialect).await;
        // The claim of a killed server stands for ten seconds longer.
        scene.world.set("MOLTFLOW_ENGINE_TIMEOUT", "5");
        let (server, client) = scene.start().await;
        let texts = [LOST_BEFORE, LOST_AFTER, UNREPORTED];
        let mut sessions = Vec::new();
        for text in texts {
            sessions.push(scene.working_session(&client, text).await);
        }
        for (session, text) in sessions.iter().zip(texts) {
            send_in_vain(&client, &server.base_url, session, "15550000005", text);
        }
        scene.engine.until_held(3).await;
        let sim = scene.sim.clone();
        mf_test_support::soon(sim.until(|sim| (sim.sent_by_all().len() == 2).then_some(()))).await;
        server.kill().await;

        scene.engine.open();
        let (server, client) = scene.start().await;
        let mut messages = BTreeMap::new();
        for (session, text) in sessions.iter().zip(texts) {
            until_session(&client, session, "working").await;
            let id = message_of(database.rows(), text).await;
            messages.insert(text.to_owned(), until_settled(&client, &id).await);
        }
        Self {
            scene,
            database,
            client,
            _server: server,
            messages,
        }
    }

    /// How often, and under how many ids, recipients got this text; how often the engine was
    /// asked.
    fn deliveries(&self, text: &str) -> (u32, usize, u32) {
        let sent = self.scene.sim.sent_by_all();
        let sent: Vec<_> = sent.iter().filter(|sent| sent.text == text).collect();
        let ids: BTreeSet<_> = sent.iter().map(|sent| &sent.id).collect();
        (
            sent.iter().map(|sent| sent.deliveries).sum(),
            ids.len(),
            sent.iter().map(|sent| sent.submissions).sum(),
        )
    }

    fn error_of(&self, text: &str) -> &Value {
        assert_eq!(self.messages[text]["status"], "failed", "{text}");
        &self.messages[text]["error"]
    }

    fn assert_sent(&self, text: &str) {
        let status = self.messages[text]["status"].as_str().unwrap();
        assert!(
            ["sent", "delivered", "read"].contains(&status),
            "{text}: {status}"
        );
    }
}

#[tokio::test]
async fn where_we_choose_the_id_a_message_cut_off_by_a_kill_is_sent_once() {
    let after = Aftermath::of(Dialect::Noweb).await;
    for text in [LOST_BEFORE, LOST_AFTER, UNREPORTED] {
        after.assert_sent(text);
        // Asked for by its id first, so that what was sent is not even submitted again.
        assert_eq!(after.deliveries(text), (1, 1, 1), "{text}");
        let sent = after.scene.sim.sent_by_all();
        let sent = sent.iter().find(|sent| sent.text == text).unwrap();
        assert_eq!(after.messages[text]["wa_message_id"], sent.id, "{text}");
    }
    assert_eq!(count(after.database.rows()).await, 3);
}

#[tokio::test]
async fn where_the_engine_chooses_the_id_a_message_cut_off_by_a_kill_is_not_sent_again() {
    let after = Aftermath::of(Dialect::Webjs).await;
    assert_eq!(after.error_of(LOST_BEFORE), "outcome unknown");
    assert_eq!(after.deliveries(LOST_BEFORE), (0, 0, 0));
    after.assert_sent(LOST_AFTER);
    assert_eq!(after.deliveries(LOST_AFTER), (1, 1, 1));
    assert_eq!(after.deliveries(UNREPORTED), (1, 1, 1));

    // Nobody told of it. Found in the chat when the session came back, or reported at last:
    // WhatsApp's word counts for more than our doubts.
    after.scene.callbacks.open();
    let path = format!(
        "/messages/{}",
        message_of(after.database.rows(), UNREPORTED).await
    );
    let message = until(&after.client, &path, |answer| {
        answer.json()["status"] != "failed"
    })
    .await;
    assert_eq!(message.json()["error"], Value::Null);
    assert_eq!(after.deliveries(UNREPORTED), (1, 1, 1));
    assert_eq!(
        count(after.database.rows()).await,
        3,
        "it stands there twice"
    );
}

const SESSIONS: usize = 5;
const EACH: usize = 4;

#[tokio::test]
async fn of_twenty_messages_cut_off_by_a_kill_none_is_lost_doubled_or_overtaken() {
    let database = TestDatabase::create().await;
    let mut scene = Scene::on(&database.url(), Dialect::Noweb).await;
    scene.world.set("MOLTFLOW_ENGINE_TIMEOUT", "5");
    let (server, client) = scene.start().await;
    let mut sessions = Vec::new();
    for number in 0..SESSIONS {
        let name = format!("Session {number}");
        sessions.push(scene.working_session(&client, &name).await);
    }
    let mut expected = Vec::new();
    for place in 0..EACH {
        for (number, session) in sessions.iter().enumerate() {
            // The first of each is with the engine; the others wait behind it.
            let fate = [LOST_BEFORE, LOST_AFTER][number % 2];
            let text = format!("{fate} {place} of {number}");
            let phone = format!("1555100{number}{place}00");
            send_in_vain(&client, &server.base_url, session, &phone, &text);
            expected.push((session.clone(), text));
            let accepted = i64::try_from(expected.len()).unwrap();
            let rows = database.rows();
            eventually("accepted", async || count(rows).await == accepted).await;
        }
    }
    scene.engine.until_held(SESSIONS).await;
    server.kill().await;

    scene.engine.open();
    let (_server, client) = scene.start().await;
    let mut unaccounted = 0;
    for (_, text) in &expected {
        let message = until_settled(&client, &message_of(database.rows(), text).await).await;
        unaccounted += usize::from(message["status"] == "failed");
    }
    let sent = scene.sim.sent_by_all();
    let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for sent in &sent {
        ids.entry(&sent.chat).or_default().insert(&sent.id);
        assert_eq!(sent.deliveries, 1, "{sent:?}");
    }
    let twice = ids.values().filter(|ids| ids.len() > 1).count();
    let figures = format!(
        r#"{{"test": "kill", "messages": {}, "unaccounted": {unaccounted}, "recipients_with_two_ids": {twice}}}"#,
        expected.len(),
    );
    println!("{figures}");
    assert_eq!(
        (ids.len(), unaccounted, twice),
        (SESSIONS * EACH, 0, 0),
        "{figures}"
    );
    for session in &sessions {
        let came = scene.sim.sent(&engine_name(session)).into_iter();
        let came: Vec<String> = came.map(|sent| sent.text).collect();
        let accepted = expected.iter().filter(|(of, _)| of == session);
        let accepted: Vec<String> = accepted.map(|(_, text)| text.clone()).collect();
        assert_eq!(came, accepted, "they came in another order");
    }
}
