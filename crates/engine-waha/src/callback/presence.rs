//! Who is there.

use mf_engine::{Presence, PresenceReport};
use serde_json::Value;

use super::decode::Reason;
use crate::{json, listing::jid};

/// Reads a report of who is there in a chat. Whoever cannot be read is left out; where that
/// leaves nobody, the report says nothing.
pub(super) fn read(payload: &Value) -> Result<Option<PresenceReport>, Reason> {
    let chat = jid(payload, &["/id", "/id/_serialized"]).ok_or("the chat is none known here")?;
    let told = payload.get("presences").and_then(Value::as_array);
    let presences: Vec<_> = told.into_iter().flatten().filter_map(read_one).collect();
    Ok((!presences.is_empty()).then_some(PresenceReport { chat, presences }))
}

fn read_one(one: &Value) -> Option<Presence> {
    Some(Presence {
        participant: jid(one, &["/participant", "/participant/_serialized"])?,
        state: json::text(one, "/lastKnownPresence")?.to_owned(),
        last_seen: json::moment(one, "/lastSeen"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn everybody_of_whom_something_is_known_is_told() {
        let payload = json!({"id": "120363@g.us", "presences": [
            {"participant": "15550000002@c.us", "lastKnownPresence": "typing", "lastSeen": null},
            {"participant": "179@lid", "lastKnownPresence": "offline",
                "lastSeen": 1_783_641_600},
            {"participant": "nobody", "lastKnownPresence": "online"},
            {"participant": "15550000003@c.us", "lastKnownPresence": null},
        ]});
        let report = read(&payload).unwrap().unwrap();
        assert_eq!(report.chat.as_str(), "120363@g.us");
        let [typing, gone] = report.presences.as_slice() else {
            panic!("two of them");
        };
        assert_eq!((typing.state.as_str(), typing.last_seen), ("typing", None));
        assert_eq!(gone.last_seen.unwrap().timestamp(), 1_783_641_600);
    }

    #[test]
    fn a_report_of_nobody_says_nothing() {
        for presences in [json!(null), json!([]), json!([7])] {
            let payload = json!({"id": "15550000002@c.us", "presences": presences});
            assert_eq!(read(&payload), Ok(None));
        }
        assert!(read(&json!({"id": null, "presences": []})).is_err());
    }
}
