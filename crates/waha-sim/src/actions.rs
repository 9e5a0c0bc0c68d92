//! What is done to messages: reactions, edits, taking back, votes. The same whether the API, the
//! own phone or somebody else does it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::config::Dialect;
use crate::content::Content;
use crate::error::ApiError;
use crate::ids::{bare_id, is_group, message_id, now_ms, phone_message_id};
use crate::message::{Message, Source};
use crate::record::{SentAction, push_bounded};
use crate::session::Session;
use crate::sim::{Sim, lock};

/// Who does something, and by what.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    /// `None` is the session's account.
    pub(crate) id: Option<String>,
    pub(crate) source: Source,
}

impl Actor {
    /// The session's account, through the API.
    pub(crate) fn api() -> Self {
        Self {
            id: None,
            source: Source::Api,
        }
    }
}

/// The message that a full id names, as far as the session has it.
pub(crate) fn find(session: &Session, full: &str) -> Result<Option<Message>, ApiError> {
    Ok(find_bare(session, bare_id(full)?))
}

pub(crate) fn find_bare(session: &Session, id: &str) -> Option<Message> {
    let state = session.state();
    state
        .messages
        .iter()
        .find(|message| message.id == id)
        .cloned()
}

impl Sim {
    /// Writes down what the session did through the API.
    pub(crate) fn note_action(
        &self,
        session: &Session,
        chat: &str,
        kind: &str,
        message_id: Option<&str>,
        value: Value,
    ) {
        session.state().touch();
        let entry = SentAction {
            session: session.name.clone(),
            chat: chat.to_owned(),
            kind: kind.to_owned(),
            message_id: message_id.map(str::to_owned),
            value,
            timestamp: now_ms() / 1000,
        };
        push_bounded(&mut lock(&self.world.actions), entry);
        self.note_change();
    }

    fn note_own(&self, session: &Session, by: &Actor, on: &Message, kind: &str, value: Value) {
        session.state().touch();
        if by.source == Source::Api {
            self.note_action(session, &on.chat, kind, Some(&on.id), value);
        }
    }

    fn change(&self, session: &Session, id: &str, change: impl FnOnce(&mut Message)) {
        let mut state = session.state();
        if let Some(message) = state.messages.iter_mut().find(|message| message.id == id) {
            change(message);
        }
        drop(state);
        self.note_change();
    }

    /// An empty reaction takes the last one back. Gives the message that carries it.
    pub(crate) fn react_to(
        &self,
        session: &Arc<Session>,
        on: &Message,
        by: &Actor,
        emoji: &str,
    ) -> Message {
        let engine = self.world.config.engine;
        let action = action(session, on, by);
        let (from, to) = action.ends(engine, &session.state().own_id());
        let payload = json!({
            "id": action.full_id(),
            "timestamp": precise(engine),
            "from": from,
            "fromMe": action.from_me,
            "source": action.source,
            "to": to,
            "participant": action.participant,
            "reaction": {"text": emoji, "messageId": on.full_id()},
        });
        self.note_own(session, by, on, "reaction", json!(emoji));
        self.emit(session, "message.reaction", &payload);
        action
    }

    /// Changes a text or a caption. Gives the message that carries the change.
    pub(crate) fn edit_message(
        &self,
        session: &Arc<Session>,
        on: &Message,
        by: &Actor,
        text: &str,
    ) -> Message {
        let engine = self.world.config.engine;
        let me = session.state().own_id();
        let action = Message {
            body: text.to_owned(),
            ..action(session, on, by)
        };
        self.change(session, &on.id, |message| {
            text.clone_into(&mut message.body);
        });
        self.note_own(session, by, on, "edit", json!(text));
        let payload = match engine {
            // WhatsApp Web tells the message itself, as it is now.
            Dialect::Webjs => {
                let edited = Message {
                    body: text.to_owned(),
                    ..on.clone()
                };
                let mut shown = edited.show(engine, &me);
                shown["_data"]["latestEditMsgKey"] = action.webjs_id();
                shown["editedMessageId"] = json!(on.id);
                shown
            }
            Dialect::Noweb | Dialect::Gows => {
                let mut shown = action.show(engine, &me);
                shown["_data"] = self.carried(&action, &me, &edit_proto(engine, on, text));
                shown["editedMessageId"] = json!(on.id);
                shown
            }
        };
        self.emit(session, "message.edited", &payload);
        action
    }

    /// Takes a message back for everybody. Gives the message that carries this.
    pub(crate) fn revoke_message(
        &self,
        session: &Arc<Session>,
        on: &Message,
        by: &Actor,
    ) -> Message {
        let engine = self.world.config.engine;
        let me = session.state().own_id();
        let action = action(session, on, by);
        self.change(session, &on.id, |message| message.revoked = true);
        self.note_own(session, by, on, "revoke", Value::Null);
        let after = match engine {
            Dialect::Webjs => {
                let revoked = Message {
                    revoked: true,
                    ..on.clone()
                };
                let mut shown = revoked.show(engine, &me);
                shown["_data"]["protocolMessageKey"] = on.webjs_id();
                shown
            }
            Dialect::Noweb | Dialect::Gows => {
                let mut shown = action.show(engine, &me);
                shown["_data"] = self.carried(&action, &me, &revoke_proto(engine, on));
                shown
            }
        };
        let payload = json!({
            "revokedMessageId": on.id,
            "_data": after["_data"],
            "after": after,
            "before": null,
        });
        self.emit(session, "message.revoked", &payload);
        action
    }

    /// Chooses among a poll's answers, in place of what was chosen before. `None` is a vote that
    /// the engine could not read.
    pub(crate) fn vote_in(
        &self,
        session: &Arc<Session>,
        poll: &Message,
        by: &Actor,
        chosen: Option<&[String]>,
    ) -> Message {
        let engine = self.world.config.engine;
        let action = action(session, poll, by);
        let me = session.state().own_id();
        let end = |message: &Message| {
            let (from, to) = message.ends(engine, &me);
            json!({
                "id": message.full_id(),
                "from": from,
                "to": to,
                "fromMe": message.from_me,
                "participant": message.participant,
            })
        };
        let mut vote = end(&action);
        vote["selectedOptions"] = match (chosen, engine) {
            (Some(options), _) => json!(options),
            (None, Dialect::Gows) => Value::Null,
            (None, _) => json!([]),
        };
        vote["timestamp"] = match (chosen, engine) {
            // Of a vote it cannot read it knows only when the message came, in seconds.
            (None, Dialect::Noweb) => json!(action.timestamp),
            _ => json!(now_ms()),
        };
        let payload = json!({"vote": vote, "poll": end(poll)});
        if let Some(options) = chosen {
            self.note_own(session, by, poll, "vote", json!(options));
        }
        let event = match chosen {
            Some(_) => "poll.vote",
            None => "poll.vote.failed",
        };
        self.emit(session, event, &payload);
        action
    }

    /// The library's view of a message that carries something for another one.
    fn carried(&self, action: &Message, me: &str, proto: &Value) -> Value {
        match self.world.config.engine {
            Dialect::Gows => action.raw_gows(me, proto),
            _ => action.raw_noweb(proto),
        }
    }

    /// The answer to a request that did something to a message.
    pub(crate) fn action_answer(
        &self,
        session: &Session,
        action: &Message,
        proto: &Value,
    ) -> Value {
        let me = session.state().own_id();
        match self.world.config.engine {
            Dialect::Noweb => action.raw_noweb(proto),
            _ => json!({"id": action.full_id(), "_data": action.raw_gows(&me, proto)}),
        }
    }
}

/// The message that carries an action on another one.
fn action(session: &Session, on: &Message, by: &Actor) -> Message {
    let me = session.state().own_id();
    let from_me = by.id.as_ref().is_none_or(|id| *id == me);
    let author = by.id.clone().unwrap_or(me);
    Message {
        id: match by.source {
            Source::Api => message_id(),
            Source::App => phone_message_id(),
        },
        chat: on.chat.clone(),
        from_me,
        participant: is_group(&on.chat).then_some(author),
        timestamp: now_ms() / 1000,
        ack: 1,
        source: by.source,
        ..Message::default()
    }
}

/// Seconds; two engines give their fraction, too.
fn precise(engine: Dialect) -> Value {
    let ms = now_ms();
    match engine {
        Dialect::Noweb => json!(ms / 1000),
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 fit into a float for ages"
        )]
        Dialect::Gows | Dialect::Webjs => json!(ms as f64 / 1000.0),
    }
}

/// WhatsApp's message that changes another one.
pub(crate) fn edit_proto(engine: Dialect, on: &Message, text: &str) -> Value {
    let mut edited = Message {
        body: text.to_owned(),
        reply_to: None,
        ..on.clone()
    }
    .proto(engine);
    if matches!(on.content, Content::Text) {
        edited = json!({"conversation": text});
    }
    match engine {
        Dialect::Gows => json!({"protocolMessage": {
            "type": 14, "key": on.key(engine), "editedMessage": edited,
        }}),
        _ => json!({"editedMessage": {"message": {"protocolMessage": {
            "type": "MESSAGE_EDIT", "key": on.key(engine), "editedMessage": edited,
        }}}}),
    }
}

/// WhatsApp's message that takes another one back.
pub(crate) fn revoke_proto(engine: Dialect, on: &Message) -> Value {
    let kind = match engine {
        Dialect::Gows => json!(0),
        _ => json!("REVOKE"),
    };
    json!({"protocolMessage": {"type": kind, "key": on.key(engine)}})
}

/// WhatsApp's message that reacts to another one.
pub(crate) fn reaction_proto(engine: Dialect, on: &Message, emoji: &str) -> Value {
    json!({"reactionMessage": {
        "key": on.key(engine), "text": emoji, "senderTimestampMs": now_ms().to_string(),
    }})
}

/// WhatsApp's message that votes.
pub(crate) fn vote_proto(engine: Dialect, poll: &Message) -> Value {
    json!({"pollUpdateMessage": {
        "pollCreationMessageKey": poll.key(engine), "senderTimestampMS": now_ms(),
    }})
}
