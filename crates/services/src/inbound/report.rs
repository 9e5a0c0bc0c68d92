use chrono::{DateTime, Utc};
use mf_domain::{EventName, Jid, SessionId};
use mf_engine::{
    CallReport, CallState, GroupChange, GroupReport, LabelChange, LabelReport, MessageRef,
    ParticipantChange, PollVote, PresenceReport, Reaction,
};
use mf_store::{Target, TenantTx};
use serde_json::{Value, json};

use super::told::{self, Who};
use crate::{ServiceError, Services, content::clean};

impl Services {
    /// Takes in that somebody reacted to a message. The newest reaction of each counts.
    pub(crate) async fn take_reaction(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        reaction: &Reaction,
    ) -> Result<(), ServiceError> {
        let emoji = clean(&reaction.emoji);
        let changed = tx
            .reactions()
            .put(
                session,
                &reaction.message.id,
                reaction.sender.as_ref(),
                &emoji,
                reaction.at,
            )
            .await?;
        if changed {
            self.tell_reaction(tx, session, reaction, &emoji).await?;
        }
        Ok(())
    }

    /// Takes in how this account has just reacted through this server.
    pub(crate) async fn take_own_reaction(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        reaction: &Reaction,
    ) -> Result<(), ServiceError> {
        let (message, emoji) = (&reaction.message.id, &reaction.emoji);
        let changed = tx
            .reactions()
            .put_own(session, message, emoji, reaction.at)
            .await?;
        if changed {
            self.tell_reaction(tx, session, reaction, emoji).await?;
        }
        Ok(())
    }

    async fn tell_reaction(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        reaction: &Reaction,
        emoji: &str,
    ) -> Result<(), ServiceError> {
        let message = tx
            .messages()
            .lookup_in(session, &reaction.message.id)
            .await?;
        let who = Who::of(tx, session, reaction.sender.as_ref()).await?;
        let chat = message.as_ref().map_or_else(
            || reaction.message.chat.to_string(),
            |message| message.wa_chat_id.clone(),
        );
        let data = json!({
            "session_id": session,
            "chat_id": chat,
            "message": emoji,
            "direction": told::direction(reaction.from_me),
            "message_id": message.as_ref().map(|message| message.id),
            "wa_message_id": reaction.message.id.as_str(),
            "reaction": emoji,
            "removed": emoji.is_empty(),
            "from_me": reaction.from_me,
            "sender_phone": who.phone,
            "sender_lid": who.lid,
            "reacted_at": reaction.at,
        });
        self.tell(tx, EventName::MessageReaction, session, &data)
            .await
    }

    /// Takes in that a message says something else now, if whoever did that may.
    pub(crate) async fn take_edit(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        message: &MessageRef,
        text: &str,
        at: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let edited = tx
            .messages()
            .edit(session, &target(message), &clean(text), at)
            .await?;
        match edited {
            Some(message) => {
                self.tell_message(tx, EventName::MessageEdited, &message)
                    .await
            }
            None => Ok(()),
        }
    }

    /// Takes in that a message was taken back, if whoever did that may.
    pub(crate) async fn take_revocation(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        message: &MessageRef,
        at: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let revoked = tx.messages().revoke(session, &target(message), at).await?;
        let Some(message) = revoked else {
            return Ok(());
        };
        self.tell_message(tx, EventName::MessageRevoked, &message)
            .await
    }

    /// Takes in what somebody chose in a poll. The newest choice of each counts.
    pub(super) async fn take_vote(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        vote: &PollVote,
    ) -> Result<(), ServiceError> {
        let Some(options) = &vote.options else {
            // The engine could not read it, and nobody else can.
            return Ok(());
        };
        let options: Vec<String> = options.iter().map(|option| clean(option)).collect();
        let changed = tx
            .polls()
            .vote(
                session,
                &vote.poll.id,
                vote.voter.as_ref(),
                &options,
                vote.at,
            )
            .await?;
        if !changed {
            return Ok(());
        }
        let poll = tx.messages().lookup_in(session, &vote.poll.id).await?;
        let who = Who::of(tx, session, vote.voter.as_ref()).await?;
        let chat = poll.as_ref().map_or_else(
            || vote.poll.chat.to_string(),
            |poll| poll.wa_chat_id.clone(),
        );
        let data = json!({
            "session_id": session,
            "chat_id": chat,
            "message": options.join(", "),
            "direction": told::direction(vote.from_me),
            "message_id": poll.as_ref().map(|poll| poll.id),
            "wa_message_id": vote.poll.id.as_str(),
            "title": poll.as_ref().and_then(|poll| poll.content.clone()),
            "options": options,
            "from_me": vote.from_me,
            "sender_phone": who.phone,
            "sender_lid": who.lid,
            "voted_at": vote.at,
        });
        self.tell(tx, EventName::PollVote, session, &data).await
    }

    /// Takes in that something about a group changed.
    pub(super) async fn take_group(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        report: &GroupReport,
    ) -> Result<(), ServiceError> {
        let mut data = json!({
            "session_id": session,
            "chat_id": report.group.as_str(),
            "wa_group_id": report.group.as_str(),
            "changed_at": report.at,
        });
        let (name, more) = match &report.change {
            GroupChange::Joined(info) => {
                // People come before chats, wherever both are locked.
                let participants = told::participants(tx, session, &info.participants).await?;
                self.rename_group_chat(tx, session, report, info.subject.as_deref())
                    .await?;
                let more = json!({
                    "name": info.subject, "description": info.description,
                    "participants": participants,
                });
                (EventName::GroupJoined, more)
            }
            GroupChange::Left => (EventName::GroupLeft, json!({})),
            GroupChange::Updated {
                subject,
                description,
            } => {
                self.rename_group_chat(tx, session, report, subject.as_deref())
                    .await?;
                let more = json!({"name": subject, "description": description});
                (EventName::GroupUpdated, more)
            }
            GroupChange::Participants { what, participants } => {
                let participants = told::participants(tx, session, participants).await?;
                let action = match what {
                    ParticipantChange::Joined => "joined",
                    ParticipantChange::Left => "left",
                    ParticipantChange::Promoted => "promoted",
                    ParticipantChange::Demoted => "demoted",
                };
                let more = json!({"action": action, "participants": participants});
                (EventName::GroupParticipants, more)
            }
        };
        merge(&mut data, more);
        self.tell(tx, name, session, &data).await
    }

    async fn rename_group_chat(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        report: &GroupReport,
        subject: Option<&str>,
    ) -> Result<(), ServiceError> {
        if let Some(subject) = subject.map(clean).filter(|subject| !subject.is_empty()) {
            tx.chats()
                .rename(session, &report.group, &subject, report.at)
                .await?;
        }
        Ok(())
    }

    /// Takes in that something about a label changed. The newest report of each counts.
    pub(super) async fn take_label(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        report: &LabelReport,
    ) -> Result<(), ServiceError> {
        let (name, changed, data) = match &report.change {
            LabelChange::Upserted(label) => {
                let changed = tx
                    .wa_labels()
                    .put_label(session, &told::label(label), report.at)
                    .await?;
                (
                    EventName::LabelUpdated,
                    changed,
                    told::label_data(session, label),
                )
            }
            LabelChange::Deleted(label) => {
                let changed = tx
                    .wa_labels()
                    .remove_label(session, &label.id, report.at)
                    .await?;
                (
                    EventName::LabelDeleted,
                    changed,
                    told::label_data(session, label),
                )
            }
            LabelChange::Chat {
                label,
                chat,
                carried,
            } => {
                let changed = tx
                    .wa_labels()
                    .put_label_chat(session, label, chat, *carried, report.at)
                    .await?;
                let name = if *carried {
                    EventName::LabelChatAdded
                } else {
                    EventName::LabelChatRemoved
                };
                let data = json!({
                    "session_id": session, "chat_id": chat.as_str(), "wa_label_id": label,
                });
                (name, changed, data)
            }
        };
        if changed {
            self.tell(tx, name, session, &data).await?;
        }
        Ok(())
    }

    /// Tells that somebody calls. Calls are not kept: there is nothing of them to read later.
    pub(super) async fn take_call(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        report: &CallReport,
    ) -> Result<(), ServiceError> {
        let name = match report.state {
            CallState::Received => EventName::CallReceived,
            CallState::Accepted => EventName::CallAccepted,
            CallState::Rejected => EventName::CallRejected,
        };
        let who = Who::of(tx, session, report.from.as_ref()).await?;
        let data = json!({
            "session_id": session,
            "chat_id": report.from.as_ref().map(Jid::as_str),
            "call_id": report.id,
            "sender_phone": who.phone,
            "sender_lid": who.lid,
            "is_video": report.video,
            "is_group": report.group,
            "called_at": report.at,
        });
        self.tell(tx, name, session, &data).await
    }

    /// Tells who is there, or types. It is true for a moment only, and not kept.
    pub(super) async fn take_presence(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        report: &PresenceReport,
    ) -> Result<(), ServiceError> {
        let mut presences = Vec::with_capacity(report.presences.len());
        for presence in &report.presences {
            let who = Who::of(tx, session, Some(&presence.participant)).await?;
            presences.push(json!({
                "id": presence.participant.as_str(), "phone": who.phone, "lid": who.lid,
                "state": presence.state, "last_seen": presence.last_seen,
            }));
        }
        let data = json!({
            "session_id": session, "chat_id": report.chat.as_str(), "presences": presences,
        });
        self.tell(tx, EventName::PresenceUpdate, session, &data)
            .await
    }
}

fn target(message: &MessageRef) -> Target<'_> {
    Target {
        id: &message.id,
        chat: &message.chat,
        from_me: message.from_me,
        writer: message.participant.as_ref(),
    }
}

fn merge(data: &mut Value, more: Value) {
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
}
