//! A server that behaves like WAHA, for machines that cannot reach WhatsApp.
//!
//! It speaks WAHA's HTTP contract and sends WAHA's callbacks; behind it is a small pretended
//! WhatsApp in memory. It shares no types with the programs it is used to test, so that a
//! misunderstanding of the contract on their side does not cancel out here.
//!
//! An account has chats, groups, contacts, labels and channels. Those of
//! [`Config::new`] start with a small history, those of [`Config::quick`] with nothing.
//!
//! [`Sim`] is both the server and its remote control: tests hold a clone and scan QR codes,
//! bring in messages and break things while the program under test talks HTTP to it.
//! [`Sim::inbound`] takes all that messages can carry ([`InboundContent`]); [`Sim::sent`] and
//! [`Sim::actions`] say what reached WhatsApp.

mod actions;
mod callbacks;
mod calls;
mod channels;
mod config;
mod content;
mod control;
mod control_groups;
mod control_messages;
mod control_world;
mod error;
mod faults;
mod group_changes;
mod group_events;
mod group_shapes;
mod groups;
mod http;
mod ids;
mod inbound;
mod labels;
mod lifecycle;
mod media;
mod message;
mod persist;
mod presence;
mod raw;
mod realm;
mod record;
mod seed;
mod seed_lines;
mod sending;
mod session;
mod sim;
mod validate;

pub use channels::ChannelRole;
pub use config::{Config, Dialect, UnknownDialect};
pub use content::{Cards, Content as InboundContent, MediaFile, Place, Poll};
pub use control::{Replay, SimError};
pub use control_groups::{NewGroup, NewMember};
pub use control_world::{NewChannel, NewContact, NewLabel};
pub use faults::{Failure, MediaDrop, Moment};
pub use groups::Role;
pub use inbound::Inbound;
pub use presence::Presence;
pub use record::{CallbackRecord, SentAction, SentMessage};
pub use session::Status;
pub use sim::Sim;
