//! Sends and receipts on the pretended WhatsApp network.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Dialect;
use crate::content::Content;
use crate::error::ApiError;
use crate::ids::{
    ECHO, RESTRICTED, as_jid, bare_id, destination, exists, is_group, message_id, now_ms,
    number_of_chat, phone_message_id, same_person,
};
use crate::inbound::quoted;
use crate::media::Showing;
use crate::message::{Message, Quoted, Source};
use crate::presence::Presence;
use crate::record::{SentMessage, push_bounded};
use crate::session::{Session, State, Status};
use crate::sim::{Sim, lock};

/// How long WhatsApp keeps what is for a session that is away.
const KEPT: Duration = Duration::from_mins(1);

/// Where a request sends something, once the engine accepts it.
pub(crate) struct Address {
    pub(crate) chat: String,
    number: Option<String>,
    /// Whether anybody is there.
    reachable: bool,
    reply_to: Option<Quoted>,
    mentions: Vec<String>,
}

/// What a request sends there.
pub(crate) struct Draft<'a> {
    /// The text, or the caption.
    pub(crate) body: &'a str,
    pub(crate) content: Content,
    /// The id the caller wants, where the engine and the route take one.
    pub(crate) id: Option<&'a str>,
    /// Whether the file was to be converted.
    pub(crate) converted: bool,
}

impl Sim {
    /// Where the request goes. Nothing is validated up front: what is missing shows where it is
    /// used first.
    pub(crate) fn address(&self, session: &Session, request: &Value) -> Result<Address, ApiError> {
        let engine = self.world.config.engine;
        let given = request["chatId"]
            .as_str()
            .ok_or_else(|| ApiError::undefined("includes"))?;
        let chat = destination(engine, given)?;
        self.may_write(session, &chat)?;
        self.may_write(session, &chat)?;
        let reply_to = match request["reply_to"].as_str() {
            None | Some("") => None,
            Some(full) => Some(quoted(session, bare_id(full)?)),
        };
        let number = number_of_chat(&chat);
        let reachable = number.as_deref().is_none_or(exists);
        if number.as_deref() == Some(RESTRICTED) || self.is_restricted(session, &chat) {
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
        let mentions = request["mentions"].as_array().into_iter().flatten();
        Ok(Address {
            chat,
            number,
            reachable,
            reply_to,
            mentions: mentions
                .filter_map(|mention| mention.as_str().map(str::to_owned))
                .collect(),
        })
    }

    /// Whether the account may not write there for now: to people who never wrote to it.
    fn is_restricted(&self, session: &Session, chat: &str) -> bool {
        if !lock(&self.world.faults).restricted.contains(&session.name) {
            return false;
        }
        let Some(number) = number_of_chat(chat) else {
            return false;
        };
        let state = session.state();
        let wrote = |message: &Message| {
            !message.from_me && number_of_chat(&message.chat).as_ref() == Some(&number)
        };
        !state.messages.iter().any(wrote)
    }

    /// Sends it and gives the message as WhatsApp has it.
    pub(crate) fn send(&self, session: &Arc<Session>, to: Address, draft: Draft<'_>) -> Message {
        let engine = self.world.config.engine;
        let wanted_id = draft.id.filter(|id| !id.is_empty());
        let id = match (engine, wanted_id) {
            (Dialect::Noweb | Dialect::Gows, Some(id)) => id.to_owned(),
            _ => message_id(),
        };
        if let Some(known) = find_own(session, &to.chat, &id) {
            // The network drops it: to the recipients it is the message they already have.
            self.note_again(session, &known);
            return Message { ack: 0, ..known };
        }
        let me = session.state().own_id();
        let message = Message {
            id,
            from_me: true,
            participant: is_group(&to.chat).then_some(me),
            chat: to.chat,
            body: draft.body.to_owned(),
            content: draft.content,
            timestamp: now_ms() / 1000,
            // whatsmeow returns once the server has the message, the others before.
            ack: i8::from(engine == Dialect::Gows),
            source: Source::Api,
            reply_to: to.reply_to,
            ..Message::default()
        };
        self.keep(session, &message);
        if to.reachable {
            self.note_sent(session, &message, to.mentions, draft.converted);
        }
        let shown = self.show(session, &message, Showing::Event);
        self.emit(session, "message.any", &shown);
        self.acknowledge_by_itself(session, &message, to.reachable);
        if to.number.as_deref() == Some(ECHO) {
            self.echo(session, &message);
        }
        message
    }

    /// Puts a message into its chat.
    pub(crate) fn keep(&self, session: &Session, message: &Message) {
        let mut state = session.state();
        state.touch();
        let same = |kept: &Message| kept.id == message.id && kept.chat == message.chat;
        if !state.messages.iter().any(same) {
            push_bounded(&mut state.messages, message.clone());
        }
        state.realm.notice(message);
        drop(state);
        self.note_change();
    }

    /// Counts what the network was given.
    fn note_sent(
        &self,
        session: &Session,
        message: &Message,
        mentions: Vec<String>,
        converted: bool,
    ) {
        let file = message.content.file();
        let payload = if converted {
            json!({"converted": true})
        } else {
            message.content.payload()
        };
        let entry = SentMessage {
            session: session.name.clone(),
            chat: message.chat.clone(),
            id: message.id.clone(),
            text: message.body.clone(),
            kind: message.content.kind().to_owned(),
            mimetype: file.map(|file| file.mimetype.clone()),
            filename: file.and_then(|file| file.filename.clone()),
            media_sha256: file.map(|file| hex::encode(file.sha256())),
            media_size: file.map(|file| file.data().len() as u64),
            payload,
            reply_to: message
                .reply_to
                .as_ref()
                .map(|answered| answered.id.clone()),
            mentions,
            timestamp: message.timestamp,
            deliveries: 1,
            submissions: 1,
        };
        push_bounded(&mut lock(&self.world.sent), entry);
        self.note_change();
    }

    /// The same message was handed in again.
    fn note_again(&self, session: &Session, message: &Message) {
        let same = |entry: &&mut SentMessage| {
            entry.session == session.name && entry.chat == message.chat && entry.id == message.id
        };
        if let Some(entry) = lock(&self.world.sent).iter_mut().find(same) {
            entry.submissions += 1;
        }
        self.note_change();
    }

    /// SERVER, DEVICE, READ in their time; ERROR alone when there is nobody to deliver to.
    fn acknowledge_by_itself(&self, session: &Arc<Session>, message: &Message, reachable: bool) {
        let delays = {
            let faults = lock(&self.world.faults);
            if faults.manual_acks {
                return;
            }
            faults.ack_delays.or(self.world.config.ack_delays)
        };
        let Some(delays) = delays else {
            return;
        };
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
        self.acknowledge_by(session, id, ack, None)
    }

    /// The same by one member of a group; `None` is everybody.
    pub(crate) fn acknowledge_by(
        &self,
        session: &Arc<Session>,
        id: &str,
        ack: i8,
        by: Option<&str>,
    ) -> bool {
        let message = {
            let mut state = session.state();
            let deaf = state.zombie;
            let Some(message) = state.messages.iter_mut().find(|message| message.id == id) else {
                return false;
            };
            if deaf {
                return true;
            }
            message.ack = ack;
            message.clone()
        };
        self.emit_ack(session, &message, ack, by);
        self.note_change();
        true
    }

    fn emit_ack(&self, session: &Arc<Session>, message: &Message, ack: i8, by: Option<&str>) {
        if !self.tells_receipts(session) {
            return;
        }
        let engine = self.world.config.engine;
        let (me, readers) = {
            let state = session.state();
            (state.own_id(), readers(&state, message, ack, by))
        };
        let Some(readers) = readers else {
            let told = message.acknowledged(engine, &me, ack, None);
            return self.emit(session, "message.ack", &told);
        };
        for reader in readers {
            let told = message.acknowledged(engine, &me, ack, Some(&reader));
            self.emit(session, "message.ack.group", &told);
        }
    }

    /// On WEBJS acknowledgements and presence are asked for in the config.
    fn tells_receipts(&self, session: &Session) -> bool {
        self.world.config.engine != Dialect::Webjs || session.state().flag("/webjs/tagsEventsOn")
    }

    /// A message from a phone: somebody else's, or the own one when `from_me`.
    pub(crate) fn receive(&self, session: &Arc<Session>, message: &Message) -> Value {
        let ignored = {
            let mut state = session.state();
            if state.zombie {
                state.held.push(message.clone());
                return message.show(self.world.config.engine, &state.own_id());
            }
            match message.chat.split_once('@').map(|(_, server)| server) {
                Some("g.us") => state.flag("/ignore/groups"),
                Some("newsletter") => state.flag("/ignore/channels"),
                Some("broadcast") => {
                    state.flag("/ignore/broadcast") || state.flag("/ignore/status")
                }
                _ => false,
            }
        };
        let shown = self.show(session, message, Showing::Event);
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
            sim.see(&session, &message.chat, &message.chat, Presence::Typing);
            tokio::time::sleep(sim.world.config.echo_delay).await;
            if !back_at_work(&session).await {
                return;
            }
            sim.see(&session, &message.chat, &message.chat, Presence::Paused);
            let heard = match &message.content {
                Content::Text => message.body.as_str(),
                other => other.kind(),
            };
            let answer = Message {
                id: phone_message_id(),
                body: format!("echo: {heard}"),
                chat: message.chat.clone(),
                timestamp: now_ms() / 1000,
                ack: 1,
                push_name: Some("Echo".to_owned()),
                ..Message::default()
            };
            sim.receive(&session, &answer);
        });
    }

    /// Reads what came in, all of the chat or just those with these ids. NOWEB tells so as if
    /// somebody had acknowledged it.
    pub(crate) fn mark_seen(
        &self,
        session: &Arc<Session>,
        chat: &str,
        ids: &[&str],
    ) -> Vec<String> {
        let seen: Vec<Message> = {
            let mut state = session.state();
            let unread = |m: &&mut Message| {
                let here = m.chat == chat || same_person(&m.chat, chat);
                let wanted = ids.is_empty() || ids.contains(&m.id.as_str());
                !m.from_me && here && wanted && m.ack < 3
            };
            state.marks.entry(chat.to_owned()).or_default().unread = false;
            let messages = state.messages.iter_mut().filter(unread);
            messages
                .map(|message| {
                    message.ack = 3;
                    message.clone()
                })
                .collect()
        };
        for message in &seen {
            self.note_action(
                session,
                &message.chat,
                "seen",
                Some(&message.id),
                Value::Null,
            );
        }
        if self.world.config.engine == Dialect::Noweb {
            for message in &seen {
                self.emit_ack(session, message, 3, None);
            }
        }
        seen.iter().map(Message::full_id).collect()
    }
}

/// In groups everybody acknowledges for themselves, the server apart; `None` is no group's.
fn readers(state: &State, message: &Message, ack: i8, by: Option<&str>) -> Option<Vec<String>> {
    if !is_group(&message.chat) || ack <= 1 {
        return None;
    }
    if let Some(by) = by {
        return Some(vec![by.to_owned()]);
    }
    if !message.from_me {
        // Told of what came in, it is the writer who stands there.
        return Some(message.participant.iter().cloned().collect());
    }
    let group = state.realm.groups.get(&message.chat)?;
    let me = state.realm.me();
    let others = group.members.iter().filter(|member| member.person != me);
    Some(others.map(|member| group.id_of(&member.person)).collect())
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
