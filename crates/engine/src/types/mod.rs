//! What crosses the trait.

mod channel;
mod chat;
mod contact;
mod group;
mod label;
mod sending;
mod server;
mod session;

pub use channel::{ChannelInfo, ChannelRole, NewChannel};
pub use chat::{ChatOverview, EnginePage, FoundMessage, MediaStream, MessageRef, MessagesQuery};
pub use contact::{EngineContact, LidMapping};
pub use group::{GroupInfo, GroupRole, Participant, ParticipantOutcome};
pub use label::{EngineLabel, NewEngineLabel};
pub use sending::{ContactCard, Content, FileToSend, MediaKind, Outgoing, Place, Poll, ReplyTo};
pub use server::{Capabilities, EngineInfo, Feature, FeatureSet};
pub use session::{EngineSession, Me, SessionKey, SessionSpec};
