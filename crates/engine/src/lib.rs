//! WhatsApp as the product needs it: a trait, its types, and its errors.
//!
//! An engine is a program elsewhere that holds the connection to WhatsApp. Everything that
//! differs between engines (names of statuses, forms of ids, empty answers) ends at the
//! adapter: what crosses this trait is in our words.

mod callback;
mod channels;
mod error;
mod groups;
mod labels;
mod types;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use callback::{
    Attachment, CallReport, CallState, Callback, CallbackError, EngineEvent, GroupChange,
    GroupReport, Identity, InboundMedia, InboundMessage, LabelChange, LabelReport,
    ParticipantChange, PollVote, Presence, PresenceReport, Reaction, StatusReport,
};
pub use channels::Channels;
pub use error::EngineError;
pub use groups::Groups;
pub use labels::Labels;
pub use types::{
    Capabilities, ChannelInfo, ChannelRole, ChatOverview, ContactCard, Content, EngineContact,
    EngineInfo, EngineLabel, EnginePage, EngineSession, Feature, FeatureSet, FileToSend,
    FoundMessage, GroupInfo, GroupRole, LidMapping, Me, MediaKind, MediaStream, MessageRef,
    MessagesQuery, NewChannel, NewEngineLabel, Outgoing, Participant, ParticipantOutcome, Place,
    Poll, ReplyTo, SessionKey, SessionSpec,
};

use async_trait::async_trait;
use mf_domain::{Jid, PhoneNumber, WaMessageId};

/// A connection to WhatsApp that somebody else holds.
///
/// Calls may take as long as the engine's own timeouts (seconds); none of them may be made
/// inside a database transaction. Lifecycle calls to one session must not overlap: the
/// caller serialises them.
#[async_trait]
pub trait Engine: Groups + Labels + Channels + Send + Sync + 'static {
    /// What people call it, for error sentences: `WAHA`. Never its address.
    fn name(&self) -> &'static str;

    /// What runs there. Asks the engine the first time, and again after it was away.
    async fn info(&self) -> Result<EngineInfo, EngineError>;

    /// Whether it answers at all.
    async fn ping(&self) -> Result<(), EngineError>;

    /// Every session that the engine has, running or not.
    async fn sessions(&self) -> Result<Vec<EngineSession>, EngineError>;

    /// One session, or `None` where the engine has none of that name.
    async fn session(&self, key: &SessionKey) -> Result<Option<EngineSession>, EngineError>;

    /// Makes the session run with exactly this configuration: creates it where it is missing,
    /// corrects it where it differs, starts it where it stands still. A session that already
    /// runs is left alone.
    async fn start(&self, spec: &SessionSpec) -> Result<EngineSession, EngineError>;

    /// Stops it; the pairing is kept. A session that the engine does not have is stopped.
    async fn stop(&self, key: &SessionKey) -> Result<(), EngineError>;

    /// Stops and starts it, correcting its configuration where it differs.
    async fn restart(&self, spec: &SessionSpec) -> Result<EngineSession, EngineError>;

    /// Gives up the pairing. Afterwards the session is stopped.
    async fn logout(&self, key: &SessionKey) -> Result<(), EngineError>;

    /// Removes it with all that the engine keeps of it. Removing a missing one succeeds.
    async fn delete(&self, key: &SessionKey) -> Result<(), EngineError>;

    /// The text that the present QR code says. [`EngineError::NotReady`] where there is none.
    async fn qr(&self, key: &SessionKey) -> Result<String, EngineError>;

    /// The code that pairs the session when it is typed on the phone with this number, instead
    /// of scanning. [`EngineError::NotReady`] where the session does not wait for pairing.
    async fn pairing_code(
        &self,
        key: &SessionKey,
        phone: &PhoneNumber,
    ) -> Result<String, EngineError>;

    /// Asks WhatsApp something harmless through the session. That it answers is the proof that
    /// the session lives: engines have been seen to call a dead one working.
    async fn probe(&self, key: &SessionKey) -> Result<(), EngineError>;

    /// Sends a message. The id that comes back is the bare one; `None` where the engine took
    /// the message but did not say under which id.
    async fn send(
        &self,
        key: &SessionKey,
        message: &Outgoing,
    ) -> Result<Option<WaMessageId>, EngineError>;

    /// Reacts to a message; an empty `emoji` takes the reaction back.
    async fn react(
        &self,
        key: &SessionKey,
        message: &MessageRef,
        emoji: &str,
    ) -> Result<(), EngineError>;

    /// Marks a message with a star, or takes it off.
    async fn star(
        &self,
        key: &SessionKey,
        message: &MessageRef,
        star: bool,
    ) -> Result<(), EngineError>;

    /// Changes the text, or the caption, of a message of ours.
    async fn edit(
        &self,
        key: &SessionKey,
        message: &MessageRef,
        text: &str,
    ) -> Result<(), EngineError>;

    /// Takes a message back for everybody.
    async fn unsend(&self, key: &SessionKey, message: &MessageRef) -> Result<(), EngineError>;

    /// Shows the writers that what is in a chat was read.
    async fn mark_read(&self, key: &SessionKey, chat: &Jid) -> Result<(), EngineError>;

    /// Whether WhatsApp has a message of ours, and how far it came.
    async fn find_message(
        &self,
        key: &SessionKey,
        chat: &Jid,
        id: &WaMessageId,
    ) -> Result<Option<FoundMessage>, EngineError>;

    /// Conversations, the one with the newest message first.
    async fn chats(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<ChatOverview>, EngineError>;

    /// Messages of a chat, newest first. What cannot be read is left out.
    async fn messages(
        &self,
        key: &SessionKey,
        chat: &Jid,
        query: MessagesQuery,
    ) -> Result<Vec<InboundMessage>, EngineError>;

    /// One message, with its media made ready for [`Engine::fetch_media`]. `None` where the
    /// engine does not have it.
    async fn message(
        &self,
        key: &SessionKey,
        message: &MessageRef,
    ) -> Result<Option<InboundMessage>, EngineError>;

    /// The file that an [`InboundMedia::url`] names. `None` where the engine has it no more.
    async fn fetch_media(&self, url: &str) -> Result<Option<MediaStream>, EngineError>;

    /// Shows, or stops showing, that somebody is typing in a chat.
    async fn typing(&self, key: &SessionKey, chat: &Jid, typing: bool) -> Result<(), EngineError>;

    /// The chat of a phone number, or `None` where nobody on WhatsApp has it.
    async fn look_up_number(
        &self,
        key: &SessionKey,
        phone: &PhoneNumber,
    ) -> Result<Option<Jid>, EngineError>;

    /// Everybody the account knows.
    async fn contacts(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<EngineContact>, EngineError>;

    /// Where the picture of a person or a group is, for a few hours; `None` where there is none
    /// or it is not shown to us.
    async fn picture(&self, key: &SessionKey, jid: &Jid) -> Result<Option<String>, EngineError>;

    /// The number behind a hidden id; `None` where the engine does not know it (yet).
    async fn phone_of(
        &self,
        key: &SessionKey,
        lid: &Jid,
    ) -> Result<Option<PhoneNumber>, EngineError>;

    /// The hidden id of a number; `None` where the engine does not know it (yet).
    async fn lid_of(
        &self,
        key: &SessionKey,
        phone: &PhoneNumber,
    ) -> Result<Option<Jid>, EngineError>;

    /// Every pair of hidden id and number that the engine knows.
    async fn lids(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<LidMapping>, EngineError>;

    /// Checks and reads a callback.
    ///
    /// `header` looks up a request header by its lower-case name. `secret` is the session's
    /// own callback key. The signature is checked over `body` as it came, before anything in
    /// it is looked at.
    fn read_callback(
        &self,
        secret: &[u8],
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
    ) -> Result<Callback, CallbackError>;

    /// Reads a callback that was kept since it could not be read. Its signature was found good
    /// when it came.
    fn read_kept_callback(&self, body: &[u8]) -> Result<Callback, CallbackError>;
}
