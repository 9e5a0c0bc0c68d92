//! What was written, as it is read back: pages, chats, who may, and under which names.

mod access;
mod chats;
mod names;
mod pages;
mod shown;

use mf_waha_sim::Inbound;
use serde_json::Value;

use crate::support::{EventStream, Session, TestApp};

/// Somebody writes, and the server has heard of it. Gives what it tells.
async fn receive(
    app: &TestApp,
    session: &Session,
    events: &mut EventStream,
    inbound: Inbound,
) -> Value {
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    events.named("message.received").await.data().clone()
}

/// A text of that second.
fn at(second: i64, from: &str, text: &str) -> Inbound {
    Inbound {
        timestamp: Some(1_790_000_000 + second),
        ..Inbound::text(from, text)
    }
}

/// One member of each thing in a list.
fn each<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    list.iter()
        .map(|thing| thing[member].as_str().unwrap_or("null"))
        .collect()
}
