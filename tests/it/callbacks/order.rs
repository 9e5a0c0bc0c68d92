//! Reports come late, twice and in any order: what they leave behind is the same.

use std::sync::Arc;

use mf_test_support::Client;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    script::{self, BEGIN, Dice, Happening},
    sign, signing_key,
};
use crate::support::{Session, TestApp};

const HAPPENINGS: usize = 1000;
/// How many messages a client sent before.
const SENT: usize = 10;

/// A session that messages were sent through, and to which things are told.
struct World {
    app: Arc<TestApp>,
    session: Session,
    key: String,
    /// WhatsApp's ids of the messages sent.
    sent: Vec<String>,
}

impl World {
    async fn begin(app: &Arc<TestApp>, client: &Client) -> Self {
        let (session, _events) = app.working_session(client).await;
        let key = signing_key(app, &session).await;
        let mut sent = Vec::new();
        for number in 0..SENT {
            let (phone, text) = (script::recipient(number), script::text_of(number));
            let answer = session.send(&phone, &text).await;
            sent.push(answer["wa_message_id"].as_str().unwrap().to_owned());
        }
        Self {
            app: Arc::clone(app),
            session,
            key,
            sent,
        }
    }

    /// As the engine posts it.
    async fn tell(&self, happening: &Happening) {
        let mut envelope = super::envelope(&self.session, happening.name, &happening.payload);
        envelope["timestamp"] = json!(happening.at);
        let body = envelope.to_string();
        let path = format!("/engine/waha/{}", self.session.id);
        let call = self.app.anonymous().root().call(Method::POST, &path);
        let answer = call
            .header("content-type", "application/json")
            .header("x-webhook-hmac", &sign(&self.key, &body))
            .header("x-webhook-hmac-algorithm", "sha512")
            .body(body)
            .send()
            .await;
        assert_eq!(answer.status, 200, "{happening:?}: {answer}");
    }

    /// Everything that is kept of the session, without our own ids and the time of arrival.
    async fn kept(&self) -> Value {
        let mut kept = json!({});
        for (name, query) in KEPT {
            let rows: Value = sqlx::query_scalar(*query)
                .bind(self.session.id)
                .bind(BEGIN)
                .fetch_one(self.app.rows())
                .await
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            kept[name] = rows;
        }
        // WhatsApp's ids of the messages sent are by chance, too.
        let mut text = kept.to_string();
        for (number, id) in self.sent.iter().enumerate() {
            text = text.replace(id, &format!("sent-{number}"));
        }
        serde_json::from_str(&text).unwrap()
    }
}

/// What is kept, as one list of objects each. `$1` is the session, and what is a day after `$2`
/// belongs to the test and not to the story.
const KEPT: &[(&str, &str)] = &[
    (
        "message",
        "SELECT coalesce(jsonb_agg(to_jsonb(m)
             - '{id,tenant_id,session_id,chat_id,created_at,sender_contact_id}'::text[]
             - (SELECT array_agg(a.attname::text) FROM pg_attribute a
                WHERE a.attrelid = 'message'::regclass AND a.attname LIKE 'outbox%')
             || jsonb_build_object('chat', c.jid, 'writer', coalesce(p.phone, p.lid),
                 'sort_at', CASE WHEN m.sort_at < to_timestamp($2 + 86400) THEN m.sort_at END,
                 'sent_at', CASE WHEN m.sent_at < to_timestamp($2 + 86400) THEN m.sent_at END)
             ORDER BY m.direction, m.content_preview, m.wa_message_id), '[]')
         FROM message m JOIN chat c ON c.id = m.chat_id
         LEFT JOIN contact p ON p.id = m.sender_contact_id
         WHERE m.session_id = $1",
    ),
    (
        "chat",
        "SELECT coalesce(jsonb_agg(to_jsonb(c)
             - '{id,tenant_id,session_id,created_at,contact_id,merged_into,last_message_at}'::text[]
             || jsonb_build_object('into', i.jid, 'phone', p.phone, 'lid', p.lid,
                 'last_message_at', CASE WHEN c.last_message_at < to_timestamp($2 + 86400)
                     THEN c.last_message_at END)
             ORDER BY c.jid), '[]')
         FROM chat c LEFT JOIN chat i ON i.id = c.merged_into
         LEFT JOIN contact p ON p.id = c.contact_id
         WHERE c.session_id = $1 AND $2 > 0",
    ),
    (
        "contact",
        "SELECT coalesce(jsonb_agg(to_jsonb(p)
             - '{id,tenant_id,session_id,created_at,updated_at,lid_asked_at}'::text[]
             ORDER BY p.phone, p.lid), '[]')
         FROM contact p WHERE p.session_id = $1 AND $2 > 0",
    ),
    (
        "reaction",
        "SELECT coalesce(jsonb_agg(to_jsonb(r) - '{tenant_id,session_id}'::text[]
             ORDER BY r.wa_message_id, r.sender), '[]')
         FROM message_reaction r WHERE r.session_id = $1 AND $2 > 0",
    ),
    (
        "vote",
        "SELECT coalesce(jsonb_agg(to_jsonb(v) - '{tenant_id,session_id}'::text[]
             ORDER BY v.wa_message_id, v.voter), '[]')
         FROM poll_vote v WHERE v.session_id = $1 AND $2 > 0",
    ),
    (
        "label",
        "SELECT coalesce(jsonb_agg(to_jsonb(l) - '{tenant_id,session_id}'::text[]
             ORDER BY l.wa_label_id), '[]')
         FROM wa_label l WHERE l.session_id = $1 AND $2 > 0",
    ),
    (
        "labelled",
        "SELECT coalesce(jsonb_agg(to_jsonb(l) - '{tenant_id,session_id}'::text[]
             ORDER BY l.wa_label_id, l.jid), '[]')
         FROM wa_label_chat l WHERE l.session_id = $1 AND $2 > 0",
    ),
    (
        "waiting",
        "SELECT coalesce(jsonb_agg(k.wa_message_id), '[]')
         FROM message_mark k WHERE k.session_id = $1 AND $2 > 0",
    ),
    // Of each message clients hear once that it is there.
    (
        "told",
        "SELECT coalesce(jsonb_agg(told ORDER BY told), '[]') FROM (
             SELECT concat(body::json#>>'{data,wa_message_id}', ' ', name, ' ', count(*)) AS told
             FROM event
             WHERE session_id = $1 AND $2 > 0 AND name IN ('message.received', 'message.sent')
             GROUP BY body::json#>>'{data,wa_message_id}', name
         ) AS t",
    ),
];

/// What differs, a few lines of it.
fn assert_same(expected: &Value, got: &Value, about: &str) {
    for (name, _) in KEPT {
        let rows = |kept: &Value| kept[name].as_array().unwrap().clone();
        let (expected, got) = (rows(expected), rows(got));
        let lacking: Vec<_> = expected.iter().filter(|row| !got.contains(row)).collect();
        let extra: Vec<_> = got.iter().filter(|row| !expected.contains(row)).collect();
        assert!(
            lacking.is_empty() && extra.is_empty(),
            "{about}: {name}: {} rows and {} rows\nonly in order: {:#?}\nonly otherwise: {:#?}",
            expected.len(),
            got.len(),
            &lacking[..lacking.len().min(2)],
            &extra[..extra.len().min(2)],
        );
        assert_eq!(expected.len(), got.len(), "{about}: {name}");
    }
}

/// Tells all of it, in that order.
async fn tell(world: Arc<World>, story: Vec<Happening>) {
    for happening in &story {
        world.tell(happening).await;
    }
}

/// A world to which the story is told in order, and one to which it is told shuffled and with
/// repeats, `lanes` at a time.
async fn compare(seed: u64, lanes: usize) {
    let app = Arc::new(TestApp::start().await);
    // What the engine says itself of the messages sent would be beside the story.
    app.sim.set_manual_acks(true);
    let one = Arc::new(World::begin(&app, &app.full_key()).await);
    let other = Arc::new(World::begin(&app, &app.other_tenant().await.key).await);
    let mut telling = JoinSet::new();
    let story = script::write(seed, HAPPENINGS, &one.sent);
    telling.spawn(tell(Arc::clone(&one), story));
    let mut story = script::write(seed, HAPPENINGS, &other.sent);
    story.extend(story.clone());
    Dice(seed).shuffle(&mut story);
    for part in story.chunks(story.len().div_ceil(lanes)) {
        telling.spawn(tell(Arc::clone(&other), part.to_vec()));
    }
    telling.join_all().await;

    let expected = one.kept().await;
    let texts = expected["message"].as_array().unwrap().len();
    assert!(texts > HAPPENINGS / 3, "{texts}");
    // What became of the messages sent can be told without looking.
    for (number, status) in
        (0..SENT).zip(["played", "read", "read", "failed", "sent"].iter().cycle())
    {
        let id = format!("sent-{number}");
        let rows = expected["message"].as_array().unwrap();
        let row = rows.iter().find(|row| row["wa_message_id"] == id).unwrap();
        assert_eq!(row["status"], *status, "{row}");
    }
    for name in ["chat", "contact", "reaction", "vote", "label", "labelled"] {
        let rows = expected[name].as_array().unwrap().len();
        assert!(rows > 2, "{name}: {rows}");
    }
    assert_eq!(
        expected["waiting"],
        json!([]),
        "nothing waits for what never came"
    );
    assert_same(&expected, &other.kept().await, &format!("seed {seed}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_reports_in_any_order_and_twice_leave_the_same_behind() {
    compare(20_261_121, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_they_do_where_many_come_at_a_time() {
    compare(7, 8).await;
}
