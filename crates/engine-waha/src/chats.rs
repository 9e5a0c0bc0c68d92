//! Conversations: which there are, what is in them, and how we are present in them.

use mf_domain::Jid;
use mf_engine::{ChatOverview, EngineError, EnginePage, InboundMessage, MessagesQuery, SessionKey};
use serde_json::{Value, json};

use crate::{Waha, callback, client::Call, endpoint, json};

/// How many pages in a row may hold nothing that can be shown. An empty page would be taken for
/// the end, so that after so many it is an error.
const BARREN: u32 = 20;

impl Waha {
    pub(crate) async fn list_chats(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<ChatOverview>, EngineError> {
        let mut offset = page.offset;
        for _ in 0..BARREN {
            let listed = self.page_of_chats(key, page.limit, offset).await?;
            let read: Vec<_> = listed.iter().filter_map(read_chat).collect();
            if listed.is_empty() || !read.is_empty() {
                return Ok(read);
            }
            offset = offset.saturating_add(page.limit);
        }
        Err(unreadable())
    }

    async fn page_of_chats(
        &self,
        key: &SessionKey,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<Value>, EngineError> {
        let (limit, offset) = (limit.to_string(), offset.to_string());
        let query = [("limit", limit.as_str()), ("offset", offset.as_str())];
        let call = Call::new(&endpoint::CHATS, &[key.as_str()]).query(&query);
        match self.ask(call).await? {
            Value::Array(chats) => Ok(chats),
            _ => Err(EngineError::Interrupted),
        }
    }

    pub(crate) async fn list_messages(
        &self,
        key: &SessionKey,
        chat: &Jid,
        query: MessagesQuery,
    ) -> Result<Vec<InboundMessage>, EngineError> {
        let mut offset = query.page.offset;
        for _ in 0..BARREN {
            let shown = self.page_of_messages(key, chat, query, offset).await?;
            let read: Vec<_> = shown.iter().filter_map(readable).collect();
            if shown.is_empty() || !read.is_empty() {
                return Ok(read);
            }
            offset = offset.saturating_add(query.page.limit);
        }
        Err(unreadable())
    }

    async fn page_of_messages(
        &self,
        key: &SessionKey,
        chat: &Jid,
        query: MessagesQuery,
        offset: u32,
    ) -> Result<Vec<Value>, EngineError> {
        let (limit, offset) = (query.page.limit.to_string(), offset.to_string());
        let since = query.since.map(|since| since.timestamp().to_string());
        let mut parameters = vec![
            ("limit", limit.as_str()),
            ("offset", offset.as_str()),
            ("sortBy", "timestamp"),
            ("sortOrder", "desc"),
            // WAHA would fetch every file of the page before it answers.
            ("downloadMedia", "false"),
        ];
        if let Some(since) = &since {
            parameters.push(("filter.timestamp.gte", since));
        }
        let holes = [key.as_str(), chat.as_str()];
        let call = Call::new(&endpoint::MESSAGES, &holes).query(&parameters);
        match self.ask(call).await? {
            Value::Array(messages) => Ok(messages),
            _ => Err(EngineError::Interrupted),
        }
    }

    pub(crate) async fn see(&self, key: &SessionKey, chat: &Jid) -> Result<(), EngineError> {
        let body = json!({"session": key.as_str(), "chatId": chat.as_str()});
        let call = Call::new(&endpoint::SEND_SEEN, &[]).body(body);
        self.call(call).await.map(drop)
    }

    pub(crate) async fn show_typing(
        &self,
        key: &SessionKey,
        chat: &Jid,
        typing: bool,
    ) -> Result<(), EngineError> {
        let endpoint = if typing {
            &endpoint::START_TYPING
        } else {
            &endpoint::STOP_TYPING
        };
        let body = json!({"session": key.as_str(), "chatId": chat.as_str()});
        let call = Call::new(endpoint, &[]).body(body);
        self.call(call).await.map(drop)
    }
}

/// Where the end of a list is, it is not known.
fn unreadable() -> EngineError {
    EngineError::Failed {
        detail: "a list that goes on and on with nothing that can be read".to_owned(),
    }
}

fn read_chat(chat: &Value) -> Option<ChatOverview> {
    Some(ChatOverview {
        chat: json::jid(chat, &["/id", "/id/_serialized", "/_chat/id/_serialized"])?,
        name: json::text(chat, "/name").map(str::to_owned),
        last_at: json::moment(chat, "/lastMessage/timestamp")
            .or_else(|| json::moment(chat, "/_chat/conversationTimestamp"))
            .or_else(|| json::moment(chat, "/_chat/timestamp")),
    })
}

/// A message of a list. What is none, or cannot be read, must not hide the others.
fn readable(message: &Value) -> Option<InboundMessage> {
    callback::message(message)
        .inspect_err(|reason| tracing::debug!(reason, "left out of a list of messages"))
        .ok()
        .flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read_chat;

    #[test]
    fn a_chat_is_read_in_the_shape_of_each_engine() {
        let chat = read_chat(&json!({
            "id": "15550000002@c.us", "name": "Ada", "picture": null,
            "lastMessage": {"timestamp": 1_783_641_600}, "_chat": {},
        }))
        .unwrap();
        assert_eq!(chat.chat.as_str(), "15550000002@c.us");
        assert_eq!(chat.name.as_deref(), Some("Ada"));
        assert_eq!(chat.last_at.unwrap().timestamp(), 1_783_641_600);

        let chat = read_chat(&json!({
            "id": {"_serialized": "120363@g.us"}, "name": null, "lastMessage": null,
            "_chat": {"timestamp": "1783641600"},
        }))
        .unwrap();
        assert_eq!((chat.chat.as_str(), chat.name), ("120363@g.us", None));
        assert_eq!(chat.last_at.unwrap().timestamp(), 1_783_641_600);
        assert_eq!(read_chat(&json!({"id": "somebody@example"})), None);
    }
}
