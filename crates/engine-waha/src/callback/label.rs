//! What changed about a label.

use chrono::{DateTime, Utc};
use mf_domain::Jid;
use mf_engine::{LabelChange, LabelReport};
use serde_json::Value;

use super::decode::Reason;
use crate::{json, labels::read_label, listing::jid};

/// Reads a report about a label. It carries no time of its own but the envelope's.
pub(super) fn read(
    name: &str,
    payload: &Value,
    told: Option<DateTime<Utc>>,
) -> Result<Option<LabelReport>, Reason> {
    let label = || read_label((None, payload)).ok_or("the label has no id");
    let change = match name {
        "label.upsert" => LabelChange::Upserted(label()?),
        "label.deleted" => LabelChange::Deleted(label()?),
        "label.chat.added" | "label.chat.deleted" => LabelChange::Chat {
            label: label_id(payload).ok_or("the label has no id")?,
            chat: chat(payload).ok_or("the label's chat is none that is known here")?,
            carried: name == "label.chat.added",
        },
        _ => return Ok(None),
    };
    let at = json::moment(payload, "/timestamp")
        .or(told)
        .ok_or("the change of a label has no time")?;
    Ok(Some(LabelReport { at, change }))
}

fn label_id(payload: &Value) -> Option<String> {
    let told = json::text(payload, "/labelId").map(str::to_owned);
    let counted = || json::number(payload, "/labelId").map(|id| id.to_string());
    let shown = || read_label((None, payload.get("label")?)).map(|label| label.id);
    told.or_else(counted).or_else(shown)
}

fn chat(payload: &Value) -> Option<Jid> {
    jid(payload, &["/chatId", "/chatId/_serialized"])
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use mf_engine::LabelChange;
    use serde_json::{Value, json};

    use super::{Reason, read};

    fn change(name: &str, payload: &Value) -> Result<Option<LabelChange>, Reason> {
        let told = DateTime::from_timestamp(1_783_641_600, 0);
        Ok(read(name, payload, told)?.map(|report| {
            assert_eq!(Some(report.at), told);
            report.change
        }))
    }

    #[test]
    fn a_label_comes_and_goes() {
        let label = json!({"id": "7", "name": "Lead", "color": 3, "colorHex": "#dfaef0"});
        let LabelChange::Upserted(new) = change("label.upsert", &label).unwrap().unwrap() else {
            panic!("a new label");
        };
        assert_eq!(
            (new.id.as_str(), new.name.as_str(), new.color),
            ("7", "Lead", Some(3))
        );
        let gone = change("label.deleted", &label).unwrap();
        assert_eq!(gone, Some(LabelChange::Deleted(new)));
    }

    #[test]
    fn a_chat_gets_a_label_and_loses_it() {
        for (name, carried) in [("label.chat.added", true), ("label.chat.deleted", false)] {
            for id in [json!("7"), json!(7)] {
                let payload =
                    json!({"labelId": id, "chatId": "15550000002@s.whatsapp.net", "label": null});
                let Ok(Some(LabelChange::Chat {
                    label,
                    chat,
                    carried: told,
                })) = change(name, &payload)
                else {
                    panic!("a chat's label");
                };
                assert_eq!((label.as_str(), chat.as_str()), ("7", "15550000002@c.us"));
                assert_eq!(told, carried);
            }
        }
    }

    #[test]
    fn a_label_without_its_id_is_unreadable() {
        for (name, payload) in [
            ("label.upsert", json!({"name": "Lead"})),
            ("label.deleted", json!(null)),
            ("label.chat.added", json!({"chatId": "15550000002@c.us"})),
            (
                "label.chat.added",
                json!({"labelId": "7", "chatId": "nobody"}),
            ),
        ] {
            assert!(change(name, &payload).is_err(), "{name} {payload}");
        }
        let label = json!({"id": "7"});
        assert!(
            read("label.upsert", &label, None).is_err(),
            "without a time"
        );
        assert_eq!(change("label.renumbered", &label), Ok(None));
    }
}
