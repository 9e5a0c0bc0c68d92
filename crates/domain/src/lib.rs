//! The words of the business: ids, JIDs, phone numbers, scopes, plans, status machines.
//!
//! Nothing here does IO, knows SQL or HTTP, or reads a clock by itself. Whatever can be
//! said wrongly is parsed once, here, into a type that cannot hold the wrong thing.

mod clock;
mod delivery;
mod email;
mod entropy;
mod event;
mod id;
mod jid;
mod media;
mod message;
mod phone;
mod plan;
mod role;
mod scope;
mod session;
mod tenant;
mod text;

pub use clock::{Clock, SystemClock};
pub use delivery::{DELIVERY_CAP, DeliveryState, MAX_WEBHOOKS};
pub use email::Email;
pub use entropy::{Entropy, Ids};
pub use event::EventName;
pub use id::{
    ApiKeyId, ChatId, ContactId, DeliveryId, EventId, MediaId, MessageId, RefreshFamilyId,
    SessionId, TenantId, UserId, WebhookId,
};
pub use jid::{Jid, JidKind};
pub use media::MediaState;
pub use message::{Direction, MessageKind, MessageStatus, WaMessageId};
pub use phone::PhoneNumber;
pub use plan::{PlanId, PlanLimits};
pub use role::Role;
pub use scope::{Preset, Scope, ScopeSet};
pub use session::{SessionName, SessionStatus};
pub use tenant::ContentStorage;
pub use text::{MessageText, preview};

/// A text that is not what its place asks for.
///
/// The message is a sentence that a client may read; `code` is the machine's word for it
/// and becomes the `type` of a validation error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// What is wrong, for people.
    pub message: String,
    /// What is wrong, for programs, such as `value_error.phone`.
    pub code: &'static str,
}

impl Invalid {
    /// A refusal with its sentence and its code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code,
        }
    }
}
