//! Sends and receipts on the pretended WhatsApp network.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Dialect;
use crate::error::ApiError;
use crate::ids::{
    ECHO, RESTRICTED, as_jid, bare_id, destination, exists, is_group, message_id, now_ms,
    number_of_chat, phone_message_id,
};
use crate::message::{Message, Source};
use crate::record::{SentMessage, push_bounded};
use crate::session::{Session, Status};
use crate::sim::{Sim, lock};

/// How long WhatsApp keeps what is for a session that is away.
const KEPT: Duration = Duration::from_mins(1);

impl Sim {
    /// Sends a text and gives the engine's answer to it.
    pub(crate) fn send_text(
        &self,
        session: &Arc<Session>,
        request: &Value,
    ) -> Result<Value, ApiError> {
        let engine = self.world.config.engine;
        // Nothing is validated up front: what is missing shows where it is used first.
        let given = request["chatId"]
            .as_str()
            .ok_or_else(|| ApiError::undefined("includes"))?;
        let text = request["text"]
            .as_str()
            .ok_or_else(|| ApiError::undefined("match"))?;
        let chat = destination(engine, given)?;
        let reply_to = match request["reply_to"].as_str() {
            None | Some("") => None,
            Some(full) => Some(bare_id(full)?.to_owned()),
        };
        let number = number_of_chat(&chat);
        let reachable = number.as_deref().is_none_or(exists);
        if number.as_deref() == Some(RESTRICTED) {
            return Err(match engine {
                Dialect::Gows => ApiError::grpc("server returned error 463"),
                _ => ApiError::engine("Error", "server returned error 463"),
            });
        }
        if !reachable && engine == Dialect::Gows {
            return Err(ApiError::grpc(format!(
                "no LID found for {} from server",
                as_jid(&chat)
            )));
        }
        let wanted_id = request["id"].as_str().filter(|id| !id.is_empty());
        let id = match (engine, wanted_id) {
            (Dialect::Noweb | Dialect::Gows, Some(id)) => id.to_owned(),
            _ => message_id(),
        };
        let known = find_own(session, &chat, &id);
        let me = session.state().own_id();
        if let Some(message) = known {
            // The network drops it: to the recipients it is the message they already have.
            self.note_submission(session, &message, true);
            return Ok(Message { ack: 0, ..message }.sent_answer(engine, &me));
        }
        let message = Message {
            id,
            from_me: true,
            participant: is_group(&chat).then(|| me.clone()),
            chat,
            body: text.to_owned(),
            timestamp: now_ms() / 1000,
            // whatsmeow returns once the server has the message, the others before.
            ack: i8::from(engine == Dialect::Gows),
            source: Source::Api,
            reply_to,
            push_name: None,
        };
        self.keep(session, &message);
        if reachable {
            self.note_submission(session, &message, false);
        }
        self.emit(session, "message.any", &message.show(engine, &me));
        self.acknowledge_by_itself(session, &message, reachable);
        if number.as_deref() == Some(ECHO) {
            self.echo(session, &message);
        }
        Ok(message.sent_answer(engine, &me))
    }

    /// Puts a message into its chat.
    fn keep(&self, session: &Session, message: &Message) {
        let mut state = session.state();
        state.touch();
        let same = |kept: &Message| kept.id == message.id && kept.chat == message.chat;
        if !state.messages.iter().any(same) {
            push_bounded(&mut state.messages, message.clone());
        }
        drop(state);
        self.note_change();
    }

    /// Counts what the network was given.
    fn note_submission(&self, session: &Session, message: &Message, again: bool) {
        let mut sent = lock(&self.world.sent);
        if again {
            let same = |entry: &&mut SentMessage| {
                entry.session == session.name
                    && entry.chat == message.chat
                    && entry.id == message.id
            };
            if let Some(entry) = sent.iter_mut().find(same) {
                entry.submissions += 1;
            }
        } else {
            let entry = SentMessage {
                session: session.name.clone(),
                chat: message.chat.clone(),
                id: message.id.clone(),
                text: message.body.clone(),
                timestamp: message.timestamp,
                deliveries: 1,
                submissions: 1,
            };
            push_bounded(&mut sent, entry);
        }
        drop(sent);
        self.note_change();
    }

    /// SERVER, DEVICE, READ in their time; ERROR alone when there is nobody to deliver to.
    fn acknowledge_by_itself(&self, session: &Arc<Session>, message: &Message, reachable: bool) {
        let Some(delays) = self.world.config.ack_delays else {
            return;
        };
        if lock(&self.world.faults).manual_acks {
            return;
        }
        let levels: &[i8] = if reachable { &[1, 2, 3] } else { &[-1] };
        let (sim, session, id) = (self.clone(), Arc::clone(session), message.id.clone());
        let due: Vec<_> = levels.iter().copied().zip(delays).collect();
        let sent_at = tokio::time::Instant::now();
        self.spawn(async move {
            for (ack, delay) in due {
                tokio::time::sleep_until(sent_at + delay).await;
                if !back_at_work(&session).await {
                    return;
                }
                sim.acknowledge(&session, &id, ack);
            }
        });
    }

    /// Raises a message's level and tells the callbacks. False when there is no such message.
    pub(crate) fn acknowledge(&self, session: &Arc<Session>, id: &str, ack: i8) -> bool {
        let message = {
            let mut state = session.state();
            let Some(message) = state.messages.iter_mut().find(|message| message.id == id) else {
                return false;
            };
            message.ack = ack;
            message.clone()
        };
        self.emit_ack(session, &message, ack);
        self.note_change();
        true
    }

    fn emit_ack(&self, session: &Arc<Session>, message: &Message, ack: i8) {
        if !self.tells_receipts(session) {
            return;
        }
        let engine = self.world.config.engine;
        let me = session.state().own_id();
        // In groups everybody acknowledges for themselves; the simulated ones have one member.
        let (event, participant) = if is_group(&message.chat) && ack > 1 {
            ("message.ack.group", Some("15550000002@c.us"))
        } else {
            ("message.ack", None)
        };
        self.emit(
            session,
            event,
            &message.acknowledged(engine, &me, ack, participant),
        );
    }

    /// On WEBJS acknowledgements and presence are asked for in the config.
    fn tells_receipts(&self, session: &Session) -> bool {
        self.world.config.engine != Dialect::Webjs || session.state().flag("/webjs/tagsEventsOn")
    }

    /// A message from a phone: somebody else's, or the own one when `from_me`.
    pub(crate) fn receive(&self, session: &Arc<Session>, message: &Message) -> Value {
        let engine = self.world.config.engine;
        let (me, ignored) = {
            let state = session.state();
            let ignored = match message.chat.split_once('@').map(|(_, server)| server) {
                Some("g.us") => state.flag("/ignore/groups"),
                Some("newsletter") => state.flag("/ignore/channels"),
                Some("broadcast") => {
                    state.flag("/ignore/broadcast") || state.flag("/ignore/status")
                }
                _ => false,
            };
            (state.own_id(), ignored)
        };
        let shown = message.show(engine, &me);
        if !ignored {
            self.keep(session, message);
            if !message.from_me {
                self.emit(session, "message", &shown);
            }
            self.emit(session, "message.any", &shown);
        }
        shown
    }

    fn echo(&self, session: &Arc<Session>, message: &Message) {
        let (sim, session, message) = (self.clone(), Arc::clone(session), message.clone());
        self.spawn(async move {
            sim.show_presence(&session, &message.chat, "typing");
            tokio::time::sleep(sim.world.config.echo_delay).await;
            if !back_at_work(&session).await {
                return;
            }
            sim.show_presence(&session, &message.chat, "paused");
            let answer = Message {
                id: phone_message_id(),
                from_me: false,
                body: format!("echo: {}", message.body),
                timestamp: now_ms() / 1000,
                ack: 1,
                source: Source::App,
                reply_to: None,
                push_name: Some("Echo".to_owned()),
                ..message
            };
            sim.receive(&session, &answer);
        });
    }

    fn show_presence(&self, session: &Arc<Session>, chat: &str, presence: &str) {
        let watched = session.state().watched.contains(chat);
        if watched && self.tells_receipts(session) {
            let known = json!({
                "participant": chat, "lastKnownPresence": presence, "lastSeen": null,
            });
            self.emit(
                session,
                "presence.update",
                &json!({"id": chat, "presences": [known]}),
            );
        }
    }

    /// Reads what came in. NOWEB tells so as if somebody had acknowledged it.
    pub(crate) fn mark_seen(&self, session: &Arc<Session>, chat: &str) -> Vec<String> {
        let seen: Vec<Message> = {
            let mut state = session.state();
            let unread = |m: &&mut Message| !m.from_me && m.chat == chat && m.ack < 3;
            let messages = state.messages.iter_mut().filter(unread);
            messages
                .map(|message| {
                    message.ack = 3;
                    message.clone()
                })
                .collect()
        };
        if self.world.config.engine == Dialect::Noweb {
            for message in &seen {
                self.emit_ack(session, message, 3);
            }
        }
        seen.iter().map(Message::full_id).collect()
    }
}

fn find_own(session: &Session, chat: &str, id: &str) -> Option<Message> {
    let state = session.state();
    let same = |m: &&Message| m.from_me && m.chat == chat && m.id == id;
    state.messages.iter().find(same).cloned()
}

/// What a session misses while away comes with its next connection, if that comes soon.
async fn back_at_work(session: &Session) -> bool {
    let mut status = session.status.subscribe();
    let back = status.wait_for(|status| *status == Status::Working);
    tokio::time::timeout(KEPT, back).await.is_ok()
}
