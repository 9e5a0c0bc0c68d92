//! Ids are UUIDs with a type of their own, so that a chat's cannot be given for a session's.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl $name {
            /// The bare UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )+};
}

ids! {
    /// A customer of the server: everything belongs to one, and none sees another's.
    TenantId;
    /// Somebody who can log in.
    UserId;
    /// A credential for programs.
    ApiKeyId;
    /// All refresh tokens that descend from one login.
    RefreshFamilyId;
    /// A WhatsApp number connected to the server.
    SessionId;
    /// A conversation of a session. WhatsApp's own name for it is a [`crate::Jid`].
    ChatId;
    /// A person that a session has met.
    ContactId;
    /// A message in either direction. WhatsApp's own is a [`crate::WaMessageId`].
    MessageId;
    /// A file that came or goes with a message.
    MediaId;
    /// One thing that happened, as webhooks and streams tell it.
    EventId;
    /// A place where a tenant wants events sent to.
    WebhookId;
    /// One event on its way to one webhook.
    DeliveryId;
}
