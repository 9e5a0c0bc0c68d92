use mf_domain::{Jid, JidKind};

/// Who is on the other side of a chat, as the columns of `chat` and `contact` want it.
#[derive(Debug, Clone)]
pub struct ChatPeer<'a> {
    /// The conversation.
    pub jid: &'a Jid,
    /// The name that a person gives themselves, where it is known.
    pub push_name: Option<&'a str>,
}

impl ChatPeer<'_> {
    /// Digits, where the JID is a person's number.
    pub(crate) fn phone(&self) -> Option<&str> {
        (self.jid.kind() == JidKind::Person).then(|| self.jid.user())
    }

    /// The hidden id, where the JID is one.
    pub(crate) fn lid(&self) -> Option<&str> {
        (self.jid.kind() == JidKind::Hidden).then(|| self.jid.user())
    }
}
