//! That somebody calls, or what became of it.

use chrono::{DateTime, Utc};
use mf_engine::{CallReport, CallState};
use serde_json::Value;

use super::decode::Reason;
use crate::{json, listing::jid};

/// Reads a report about a call.
pub(super) fn read(
    name: &str,
    payload: &Value,
    told: Option<DateTime<Utc>>,
) -> Result<Option<CallReport>, Reason> {
    let state = match name {
        "call.received" => CallState::Received,
        "call.accepted" => CallState::Accepted,
        "call.rejected" => CallState::Rejected,
        _ => return Ok(None),
    };
    let flag = |pointer| json::flag(payload, pointer).unwrap_or(false);
    Ok(Some(CallReport {
        id: json::text(payload, "/id")
            .ok_or("the call has no id")?
            .to_owned(),
        from: jid(payload, &["/from", "/from/_serialized"]),
        video: flag("/isVideo"),
        group: flag("/isGroup"),
        at: json::moment(payload, "/timestamp")
            .or(told)
            .ok_or("the call has no time")?,
        state,
    }))
}

#[cfg(test)]
mod tests {
    use mf_engine::CallState;
    use serde_json::json;

    use super::read;

    #[test]
    fn a_call_is_read_with_what_became_of_it() {
        let payload = json!({"id": "CA11", "from": "15550000002@s.whatsapp.net",
            "timestamp": 1_783_641_600, "isVideo": true, "isGroup": false, "_data": {}});
        for (name, state) in [
            ("call.received", CallState::Received),
            ("call.accepted", CallState::Accepted),
            ("call.rejected", CallState::Rejected),
        ] {
            let call = read(name, &payload, None).unwrap().unwrap();
            assert_eq!((call.id.as_str(), call.state), ("CA11", state));
            assert_eq!(call.from.unwrap().as_str(), "15550000002@c.us");
            assert_eq!((call.video, call.group), (true, false));
            assert_eq!(call.at.timestamp(), 1_783_641_600);
        }
        assert_eq!(read("call.forgotten", &payload, None), Ok(None));
    }

    #[test]
    fn a_call_may_come_from_nobody_but_not_from_never() {
        let told = chrono::DateTime::from_timestamp(7, 0);
        let call = read("call.rejected", &json!({"id": "CA11"}), told);
        assert_eq!(call.unwrap().unwrap().from, None);
        assert!(read("call.rejected", &json!({"id": "CA11"}), None).is_err());
        assert!(read("call.received", &json!({}), told).is_err());
    }
}
