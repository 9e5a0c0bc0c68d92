//! Calls that come in.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::config::Dialect;
use crate::ids::{as_jid, now_ms, rfc3339};
use crate::session::Session;
use crate::sim::Sim;

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) video: bool,
    /// In seconds.
    pub(crate) since: i64,
}

impl Call {
    pub(crate) fn new(from: String, video: bool) -> Self {
        Self {
            id: format!("{:032X}", rand::random::<u128>()),
            from,
            video,
            since: now_ms() / 1000,
        }
    }

    fn show(&self, engine: Dialect, event: &str) -> Value {
        let jid = as_jid(&self.from);
        let data = match engine {
            Dialect::Noweb => json!({
                "chatId": jid, "from": jid, "id": self.id, "date": rfc3339(self.since * 1000),
                "offline": false, "status": event, "isVideo": self.video, "isGroup": false,
            }),
            Dialect::Gows => json!({
                "From": jid, "Timestamp": rfc3339(self.since * 1000), "CallCreator": jid,
                "CallID": self.id, "RemotePlatform": "android", "RemoteVersion": "2.26.1",
            }),
            Dialect::Webjs => json!({
                "id": self.id, "from": self.from, "timestamp": self.since,
                "isVideo": self.video, "isGroup": false, "canHandleLocally": false,
                "outgoing": false, "webClientShouldHandle": false,
            }),
        };
        json!({
            "id": self.id,
            "from": self.from,
            "timestamp": self.since,
            "isVideo": self.video,
            "isGroup": false,
            "_data": data,
        })
    }
}

impl Sim {
    /// Tells of a call. WEBJS does not notice that one is accepted.
    pub(crate) fn tell_of_call(&self, session: &Arc<Session>, call: &Call, event: &str) {
        let engine = self.world.config.engine;
        let (name, raw) = match event {
            "accepted" if engine == Dialect::Webjs => return,
            "accepted" => ("call.accepted", "accept"),
            "rejected" => ("call.rejected", "reject"),
            _ => ("call.received", "offer"),
        };
        self.emit(session, name, &call.show(engine, raw));
        self.note_change();
    }

    /// Ends a call. `None` when there is none of that id.
    pub(crate) fn end_call(&self, session: &Arc<Session>, id: &str, event: &str) -> Option<()> {
        let call = session.state().realm.calls.remove(id)?;
        self.tell_of_call(session, &call, event);
        Some(())
    }
}
