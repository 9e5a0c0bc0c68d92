//! The stream of a session's events.

mod cut_off;
mod processes;
mod resume;
mod slow;
mod stream;

use mf_waha_sim::Inbound;
use uuid::Uuid;

use crate::support::{Event, EventStream, TestApp};

/// What the test's messages say, in the order told.
fn texts(events: &[Event]) -> Vec<&str> {
    let received = events
        .iter()
        .filter(|event| event.name == "message.received");
    received
        .map(|event| event.data()["message"].as_str().unwrap())
        .collect()
}

/// The id with which a browser would come back.
fn last_id(events: &[Event]) -> &str {
    let last = events.last().expect("an event was told");
    last.id.as_deref().expect("each has an id")
}

async fn until_text(events: &mut EventStream, text: &str) -> Vec<Event> {
    let fits = |event: &Event| event.data()["message"] == text;
    events.collect_until(fits).await
}

/// Somebody writes this to a session, and the server has it.
async fn arrive(app: &TestApp, engine: &str, texts: &[&str]) {
    for text in texts {
        let inbound = Inbound::text("15550000002@c.us", *text);
        app.sim.inbound(engine, inbound).await.unwrap();
        // One after the other: callbacks overtake each other.
        let quoted = format!("\"body\":\"{text}\"");
        app.taken(|r| r.event == "message.any" && r.body.contains(&quoted))
            .await;
    }
}

/// Events by the number, from `n1` on, without anybody's help but the log's.
const LOGGED: &str = "
    INSERT INTO event (id, tenant_id, session_id, name, body)
    SELECT made.id, tenant_id, session.id, 'message.received', json_build_object(
        'id', made.id, 'event', 'message.received', 'timestamp', now(),
        'data', json_build_object(
            'session_id', session.id, 'message', 'n' || n, 'padding', repeat('x', $3)))
    FROM wa_session AS session, generate_series(1, $2) AS n,
        LATERAL (SELECT gen_random_uuid() AS id WHERE n > 0) AS made
    WHERE session.id = $1 ORDER BY n";

async fn log_many(app: &TestApp, session: Uuid, count: i32, padding: i32) {
    let query = sqlx::query(LOGGED).bind(session).bind(count).bind(padding);
    query.execute(app.rows()).await.unwrap();
}

/// `n1`, `n2` and so on.
fn numbers(from: i32, to: i32) -> Vec<String> {
    (from..=to).map(|n| format!("n{n}")).collect()
}
