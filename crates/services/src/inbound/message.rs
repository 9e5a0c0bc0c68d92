use chrono::{DateTime, Utc};
use mf_domain::{
    ContentStorage, Direction, EventName, JidKind, MediaId, MessageStatus, SessionId, WaMessageId,
};
use mf_engine::{Attachment, Identity, InboundMedia, InboundMessage};
use mf_store::{Advance, ChatPeer, MediaOrigin, NewInbound, NewMedia, Stored, TenantTx};

use crate::{
    ServiceError, Services,
    content::{Extra, clean, words_of_inbound},
    media::UNKNOWN,
};

/// How a message came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The engine told us as it happened, or we found it afterwards: clients are told.
    Live,
    /// It is from before the session was ours to tell of: it is kept, and nobody is told.
    History,
}

impl Services {
    /// Takes in a message, whoever wrote it. A repeat changes nothing.
    pub(crate) async fn take_message(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        message: &InboundMessage,
        freshness: Freshness,
    ) -> Result<(), ServiceError> {
        if let Some(Identity { phone, lid }) = &message.alternate {
            // Before the message: so that it is filed with the person, not beside them.
            tx.contacts()
                .learn(session, phone.as_str(), lid.user())
                .await?;
        }
        let keep_content =
            tx.tenants().settings().await?.store_message_content == ContentStorage::Full;
        let direction = if message.from_me {
            Direction::Outbound
        } else {
            Direction::Inbound
        };
        let participant = participant(message);
        // In a group the participant wrote it; elsewhere whoever the chat is with.
        let writer = participant.or_else(|| is_direct(message).then_some(&message.chat));
        let sender_phone = writer
            .filter(|_| !message.from_me)
            .and_then(mf_domain::Jid::phone)
            .map(|phone| phone.to_string());
        let text = words_of_inbound(message);
        let extra =
            Extra::of_attachment(message.attachment.as_ref(), &message.mentions).into_value();
        let file = file_of(message).map(|media| self.new_media(session, message, media));
        let media = file.as_ref().map(NewMedia::shown);
        let name = message.sender_name.as_deref().map(clean);
        let new = NewInbound {
            id: self.ids.mint(),
            session_id: session,
            peer: ChatPeer {
                jid: &message.chat,
                push_name: name
                    .as_deref()
                    .filter(|_| !message.from_me && is_direct(message)),
            },
            new_chat_id: self.ids.mint(),
            new_contact_id: self.ids.mint(),
            wa_message_id: &message.id,
            direction,
            kind: message.kind,
            content: text.as_deref(),
            keep_content,
            extra: extra.as_ref(),
            media: media.as_ref(),
            status: status_of(message),
            error: None,
            sender: participant.filter(|_| !message.from_me),
            sender_phone: sender_phone.as_deref(),
            sender_name: name.as_deref().filter(|_| !message.from_me),
            reply_to: message.reply_to.as_ref().map(WaMessageId::as_str),
            sent_at: message.at,
            quiet: freshness == Freshness::History,
        };
        match tx.messages().take_in(&new).await? {
            Stored::New(stored) => {
                if let Some(file) = file
                    && stored.revoked_at.is_none()
                {
                    let file = NewMedia {
                        message_id: Some(stored.id),
                        ..file
                    };
                    tx.media().add(&file).await?;
                }
                match freshness {
                    Freshness::Live => self.tell_arrival(tx, *stored, text).await,
                    Freshness::History => Ok(()),
                }
            }
            // Its file came with it the first time.
            Stored::Arrived(stored) => self.tell_arrival(tx, *stored, text).await,
            // The report of one of ours is WhatsApp's word that it has it.
            Stored::Known(Some(advance)) => self.tell_advance(tx, &advance).await,
            Stored::Known(None) => Ok(()),
        }
    }

    fn new_media<'a>(
        &self,
        session: SessionId,
        message: &'a InboundMessage,
        media: &'a InboundMedia,
    ) -> NewMedia<'a> {
        let id: MediaId = self.ids.mint();
        NewMedia {
            id,
            session_id: session,
            message_id: None,
            mimetype: media.mimetype.as_deref().unwrap_or(UNKNOWN),
            filename: media.filename.as_deref(),
            size: None,
            origin: MediaOrigin::Engine {
                url: media.url.as_deref(),
                wa_message_id: &message.id,
                chat_jid: message.chat.as_str(),
                from_me: message.from_me,
            },
        }
    }

    async fn tell_arrival(
        &self,
        tx: &mut TenantTx,
        mut message: mf_store::Message,
        text: Option<String>,
    ) -> Result<(), ServiceError> {
        if message.revoked_at.is_none() && message.content.is_none() {
            // Whoever keeps no texts wants to be told them all the same.
            message.content = text;
        }
        let message = &message;
        if message.direction == Direction::Inbound {
            return self
                .tell_message(tx, EventName::MessageReceived, message)
                .await;
        }
        self.tell_message(tx, EventName::MessageSent, message)
            .await?;
        // Reports that came before it have been taken into it.
        match EventName::of_message_status(message.status) {
            None | Some(EventName::MessageSent) => Ok(()),
            Some(further) => self.tell_message(tx, further, message).await,
        }
    }

    /// Moves a message of ours on, as WhatsApp says.
    pub(super) async fn take_ack(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        id: &WaMessageId,
        status: MessageStatus,
        at: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let error =
            (status == MessageStatus::Failed).then_some("WhatsApp could not deliver the message.");
        let advanced = tx
            .messages()
            .advance(session, id, status, at, error)
            .await?;
        match advanced {
            Some(advance) => self.tell_advance(tx, &advance).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn tell_advance(
        &self,
        tx: &mut TenantTx,
        advance: &Advance,
    ) -> Result<(), ServiceError> {
        if advance.overtook_sent {
            // The engine's answer to the send has not been written down yet, and will have
            // nothing left to tell.
            self.tell_message(tx, EventName::MessageSent, &advance.message)
                .await?;
        }
        if let Some(name) = EventName::of_message_status(advance.message.status) {
            self.tell_message(tx, name, &advance.message).await?;
        }
        Ok(())
    }

    /// Takes in that what others wrote was read, here or on the phone.
    pub(super) async fn take_own_reading(
        &self,
        tx: &mut TenantTx,
        session: SessionId,
        id: &WaMessageId,
        status: MessageStatus,
        at: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        if !matches!(status, MessageStatus::Read | MessageStatus::Played) {
            return Ok(());
        }
        tx.messages().read_here(session, id, at).await?;
        Ok(())
    }
}

/// Who wrote a message where that is not whoever the chat is with.
fn participant(message: &InboundMessage) -> Option<&mf_domain::Jid> {
    match message.chat.kind() {
        JidKind::Group | JidKind::Broadcast => message.participant.as_ref(),
        _ => None,
    }
}

fn is_direct(message: &InboundMessage) -> bool {
    matches!(message.chat.kind(), JidKind::Person | JidKind::Hidden)
}

const fn status_of(message: &InboundMessage) -> MessageStatus {
    match (message.from_me, message.status) {
        (false, _) => MessageStatus::Delivered,
        (true, None | Some(MessageStatus::Pending)) => MessageStatus::Sent,
        (true, Some(status)) => status,
    }
}

const fn file_of(message: &InboundMessage) -> Option<&InboundMedia> {
    match &message.attachment {
        Some(Attachment::Media(media)) => Some(media),
        _ => None,
    }
}
