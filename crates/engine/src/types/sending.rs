use mf_domain::{Jid, MessageKind, PhoneNumber, WaMessageId};

/// A message on its way out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// To whom.
    pub chat: Jid,
    /// What.
    pub content: Content,
    /// The message that it answers.
    pub reply_to: Option<ReplyTo>,
    /// The id to send under, where the engine takes one.
    pub id: Option<WaMessageId>,
}

/// What a message says. None of it belongs in a log.
#[derive(Clone, PartialEq)]
pub enum Content {
    /// Words.
    Text(String),
    /// A file, shown as its kind says.
    Media {
        /// As what it is shown.
        kind: MediaKind,
        /// The file.
        file: FileToSend,
        /// Words below it.
        caption: Option<String>,
    },
    /// A question with answers to choose from.
    Poll(Poll),
    /// A place on the map.
    Location(Place),
    /// Whom to call.
    Contacts(Vec<ContactCard>),
}

/// What kind it is, and nothing that is in it.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({})", self.kind())
    }
}

impl Content {
    /// What a message with this content is made of.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Media { kind, .. } => kind.message_kind(),
            Self::Poll(_) => MessageKind::Poll,
            Self::Location(_) => MessageKind::Location,
            Self::Contacts(_) => MessageKind::Contact,
        }
    }
}

/// As what a file is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A short film that plays again and again, without sound.
    Gif,
    /// A sound file.
    Audio,
    /// A voice note: Opus in Ogg.
    Voice,
    /// A sticker: WebP.
    Sticker,
    /// A file.
    Document,
}

impl MediaKind {
    /// What a message with such a file is made of.
    pub const fn message_kind(self) -> MessageKind {
        match self {
            Self::Image => MessageKind::Image,
            Self::Video => MessageKind::Video,
            Self::Gif => MessageKind::Gif,
            Self::Audio => MessageKind::Audio,
            Self::Voice => MessageKind::Voice,
            Self::Sticker => MessageKind::Sticker,
            Self::Document => MessageKind::Document,
        }
    }

    /// The kind of file that a message is made of, if it is made of one.
    pub const fn of_message(kind: MessageKind) -> Option<Self> {
        Some(match kind {
            MessageKind::Image => Self::Image,
            MessageKind::Video => Self::Video,
            MessageKind::Gif => Self::Gif,
            MessageKind::Audio => Self::Audio,
            MessageKind::Voice => Self::Voice,
            MessageKind::Sticker => Self::Sticker,
            MessageKind::Document => Self::Document,
            _ => return None,
        })
    }
}

/// A file that the engine fetches and sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileToSend {
    /// Its type, such as `image/jpeg`.
    pub mimetype: String,
    /// Its name, as the recipient sees it.
    pub filename: Option<String>,
    /// Where the engine can fetch it. A secret of its own: whoever knows it gets the file.
    pub url: String,
}

/// A question with answers to choose from.
#[derive(Clone, PartialEq, Eq)]
pub struct Poll {
    /// The question.
    pub title: String,
    /// The answers, 2 to 12.
    pub options: Vec<String>,
    /// Whether more than one may be chosen.
    pub multiple: bool,
}

/// A place on the map.
#[derive(Clone, PartialEq)]
pub struct Place {
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Degrees, east is positive.
    pub longitude: f64,
    /// What is there.
    pub title: Option<String>,
    /// Where that is, in words.
    pub address: Option<String>,
}

/// Whom to call.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactCard {
    /// The name shown.
    pub full_name: String,
    /// The number.
    pub phone: Option<PhoneNumber>,
    /// Where they work.
    pub organization: Option<String>,
}

macro_rules! private_debug {
    ($($name:ident),+) => {$(
        /// People's words and places do not belong in logs.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}
private_debug!(Poll, Place, ContactCard);

/// A message that another one answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTo {
    /// Its bare id.
    pub id: WaMessageId,
    /// Whether the session itself wrote it.
    pub from_me: bool,
    /// Who wrote it, in a group.
    pub participant: Option<Jid>,
}
