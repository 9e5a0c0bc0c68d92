//! WhatsApp as the product needs it: a trait, its types, and its errors.
//!
//! An engine is a program elsewhere that holds the connection to WhatsApp. Everything that
//! differs between engines (names of statuses, forms of ids, empty answers) ends at the
//! adapter: what crosses this trait is in our words.

mod callback;
mod error;
mod types;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use callback::{Callback, CallbackError, EngineEvent, InboundMessage, StatusReport};
pub use error::EngineError;
pub use types::{
    Capabilities, EngineInfo, EngineSession, FoundMessage, Me, ReplyTo, SessionKey, SessionSpec,
    TextToSend,
};

use async_trait::async_trait;
use mf_domain::{Jid, PhoneNumber, WaMessageId};

/// A connection to WhatsApp that somebody else holds.
///
/// Calls may take as long as the engine's own timeouts (seconds); none of them may be made
/// inside a database transaction. Lifecycle calls to one session must not overlap: the
/// caller serialises them.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
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

    /// Sends a text. The id that comes back is the bare one; `None` where the engine took
    /// the message but did not say under which id.
    async fn send_text(
        &self,
        key: &SessionKey,
        text: &TextToSend,
    ) -> Result<Option<WaMessageId>, EngineError>;

    /// Whether WhatsApp has a message of ours, and how far it came.
    async fn find_message(
        &self,
        key: &SessionKey,
        chat: &Jid,
        id: &WaMessageId,
    ) -> Result<Option<FoundMessage>, EngineError>;

    /// Shows, or stops showing, that somebody is typing in a chat.
    async fn typing(&self, key: &SessionKey, chat: &Jid, typing: bool) -> Result<(), EngineError>;

    /// The chat of a phone number, or `None` where nobody on WhatsApp has it.
    async fn look_up_number(
        &self,
        key: &SessionKey,
        phone: &PhoneNumber,
    ) -> Result<Option<Jid>, EngineError>;

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
}
