//! What WAHA does with labels.

use async_trait::async_trait;
use mf_domain::Jid;
use mf_engine::{EngineError, EngineLabel, Labels, NewEngineLabel, SessionKey};
use serde_json::{Value, json};
use tracing::instrument;

use crate::{
    Waha,
    client::{Answer, Call},
    endpoint, json,
    listing::{Entry, absent, entries, first_text, jid, says},
};

#[async_trait]
impl Labels for Waha {
    #[instrument(name = "engine.labels", skip_all, fields(session = key.as_str()))]
    async fn labels(&self, key: &SessionKey) -> Result<Vec<EngineLabel>, EngineError> {
        let call = Call::new(&endpoint::LABELS, &[key.as_str()]);
        read_labels(&self.ask(call).await.map_err(in_our_words)?)
    }

    #[instrument(name = "engine.create_label", skip_all, fields(session = key.as_str()))]
    async fn create_label(
        &self,
        key: &SessionKey,
        label: &NewEngineLabel,
    ) -> Result<EngineLabel, EngineError> {
        let call = Call::new(&endpoint::CREATE_LABEL, &[key.as_str()]).body(wanted(label));
        let answer = self.ask(call).await.map_err(in_our_words)?;
        let made = read_label((None, &answer)).ok_or(EngineError::Interrupted)?;
        Ok(completed(made, label))
    }

    #[instrument(name = "engine.update_label", skip_all, fields(session = key.as_str()))]
    async fn update_label(
        &self,
        key: &SessionKey,
        id: &str,
        label: &NewEngineLabel,
    ) -> Result<EngineLabel, EngineError> {
        let call = Call::new(&endpoint::UPDATE_LABEL, &[key.as_str(), id]).body(wanted(label));
        let answer = self.call(call).await.map_err(in_our_words)?;
        // It was done; what it looks like now is what was asked for.
        let told = match &answer {
            Answer::Said(answer) => read_label((None, answer)),
            Answer::Lost => None,
        };
        let blank = || EngineLabel {
            id: id.to_owned(),
            name: String::new(),
            color: None,
            color_hex: None,
        };
        Ok(completed(told.unwrap_or_else(blank), label))
    }

    #[instrument(name = "engine.delete_label", skip_all, fields(session = key.as_str()))]
    async fn delete_label(&self, key: &SessionKey, id: &str) -> Result<(), EngineError> {
        let call = Call::new(&endpoint::DELETE_LABEL, &[key.as_str(), id]);
        let gone = absent(self.call(call).await, &["not found", "not-found"]);
        gone.map(drop).map_err(in_our_words)
    }

    #[instrument(name = "engine.labels_of_chat", skip_all, fields(session = key.as_str()))]
    async fn labels_of_chat(
        &self,
        key: &SessionKey,
        chat: &Jid,
    ) -> Result<Vec<EngineLabel>, EngineError> {
        let call = Call::new(&endpoint::LABELS_OF_CHAT, &[key.as_str(), chat.as_str()]);
        read_labels(&self.ask(call).await.map_err(in_our_words)?)
    }

    #[instrument(name = "engine.set_labels_of_chat", skip_all, fields(session = key.as_str()))]
    async fn set_labels_of_chat(
        &self,
        key: &SessionKey,
        chat: &Jid,
        ids: &[String],
    ) -> Result<(), EngineError> {
        let labels: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        let call = Call::new(&endpoint::SET_LABELS, &[key.as_str(), chat.as_str()]);
        let call = call.body(json!({"labels": labels}));
        self.call(call).await.map(drop).map_err(in_our_words)
    }

    #[instrument(name = "engine.chats_of_label", skip_all, fields(session = key.as_str()))]
    async fn chats_of_label(&self, key: &SessionKey, id: &str) -> Result<Vec<Jid>, EngineError> {
        let call = Call::new(&endpoint::CHATS_OF_LABEL, &[key.as_str(), id]);
        let answer = self.ask(call).await.map_err(in_our_words)?;
        let chats = entries(&answer)?.into_iter();
        Ok(chats.filter_map(|(_, chat)| read_chat(chat)).collect())
    }
}

/// How engines say that the account may have no labels.
const NO_BUSINESS: &[&str] = &["business", "not-allowed", "error 405"];

/// Only accounts of WhatsApp Business have labels; engines learn that when they try.
fn in_our_words(error: EngineError) -> EngineError {
    if says(&error, NO_BUSINESS) {
        EngineError::Unsupported {
            what: "labels on an account that is none of WhatsApp Business".to_owned(),
        }
    } else {
        error
    }
}

fn wanted(label: &NewEngineLabel) -> Value {
    let mut body = json!({"name": label.name});
    if let Some(color) = label.color {
        body["color"] = color.into();
    }
    body
}

/// What the engine left unsaid is as it was asked for.
fn completed(mut told: EngineLabel, asked: &NewEngineLabel) -> EngineLabel {
    if told.name.is_empty() {
        told.name.clone_from(&asked.name);
    }
    told.color = told.color.or(asked.color);
    told
}

fn read_labels(answer: &Value) -> Result<Vec<EngineLabel>, EngineError> {
    Ok(entries(answer)?
        .into_iter()
        .filter_map(read_label)
        .collect())
}

/// Reads a label; its id is a number in quotation marks, or one without.
pub(crate) fn read_label((_, label): Entry<'_>) -> Option<EngineLabel> {
    let id = match label.get("id")? {
        Value::String(id) if !id.is_empty() => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    let color = json::number(label, "/color").and_then(|color| u8::try_from(color).ok());
    Some(EngineLabel {
        id,
        name: first_text(label, &["/name"]).unwrap_or_default(),
        color: color.filter(|color| *color < 20),
        color_hex: first_text(label, &["/colorHex"]),
    })
}

fn read_chat(chat: &Value) -> Option<Jid> {
    let named = jid(chat, &["/id", "/id/_serialized", "/JID", "/jid", "/chatId"]);
    named.or_else(|| Jid::parse(chat.as_str()?).ok())
}

#[cfg(test)]
mod tests {
    use mf_engine::EngineError;
    use serde_json::json;

    use super::{in_our_words, read_chat, read_labels};

    #[test]
    fn labels_are_read_and_what_is_none_is_left_out() {
        let answer = json!([
            {"id": "1", "name": "Lead", "color": 0, "colorHex": "#ff9485"},
            {"id": 2, "name": "Paid", "color": "19"},
            {"id": "3", "name": "Odd", "color": 4_294_967_295_u32},
            {"id": null, "name": "none"},
            "none",
        ]);
        let labels = read_labels(&answer).unwrap();
        let shown: Vec<_> = labels
            .iter()
            .map(|label| (label.id.as_str(), label.name.as_str(), label.color))
            .collect();
        assert_eq!(
            shown,
            [
                ("1", "Lead", Some(0)),
                ("2", "Paid", Some(19)),
                ("3", "Odd", None)
            ]
        );
        assert_eq!(labels[0].color_hex.as_deref(), Some("#ff9485"));
        assert_eq!(read_labels(&json!(null)), Ok(vec![]));
    }

    #[test]
    fn a_labelled_chat_is_read_from_each_engines_object() {
        for chat in [
            json!({"id": "15550000002@s.whatsapp.net", "name": "Ann"}),
            json!({"id": {"_serialized": "15550000002@c.us"}}),
            json!({"JID": "15550000002@s.whatsapp.net"}),
            json!("15550000002@c.us"),
        ] {
            assert_eq!(
                read_chat(&chat).unwrap().as_str(),
                "15550000002@c.us",
                "{chat}"
            );
        }
        assert_eq!(read_chat(&json!({"name": "nobody"})), None);
    }

    #[test]
    fn that_an_account_is_no_business_is_not_supported_rather_than_failed() {
        let detail = "500: [LT01] Only Whatsapp business".to_owned();
        let said = in_our_words(EngineError::Failed { detail });
        assert!(matches!(said, EngineError::Unsupported { .. }));
        let detail = "500: boom".to_owned();
        let other = EngineError::Failed { detail };
        assert_eq!(in_our_words(other.clone()), other);
    }
}
