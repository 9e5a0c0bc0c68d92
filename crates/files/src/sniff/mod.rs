//! What a file is, by its first bytes.
//!
//! The types are those that WhatsApp knows, those that people send as documents, and those that
//! nobody should be sent. Signatures are from the formats' own descriptions; text is told from
//! binary, and HTML from text, as in <https://mimesniff.spec.whatwg.org>.

mod audio;
mod boxes;
mod magic;
mod ole;
mod text;
mod zip;

#[cfg(test)]
mod tests;

/// What kind of thing a file is. Whether WhatsApp shows it as that, says
/// [`Sniffed::is_native`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A picture.
    Image,
    /// WebP, which WhatsApp uses for stickers.
    Sticker,
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
    /// Ogg with Opus, which WhatsApp uses for voice messages.
    Voice,
    /// Whatever else is opened with a program: PDF, office, text, archives.
    Document,
    /// What a browser may run scripts of: HTML, SVG, Flash.
    Active,
    /// What a machine runs.
    Program,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sniffed {
    /// For `Content-Type`.
    pub mimetype: &'static str,
    /// Without a dot.
    pub extension: &'static str,
    /// What to do with it.
    pub kind: Kind,
}

impl Sniffed {
    const fn new(mimetype: &'static str, extension: &'static str, kind: Kind) -> Self {
        Self {
            mimetype,
            extension,
            kind,
        }
    }

    const fn document(mimetype: &'static str, extension: &'static str) -> Self {
        Self::new(mimetype, extension, Kind::Document)
    }

    /// Whether it may be sent on: it neither runs by itself nor in a browser.
    pub fn is_sendable(&self) -> bool {
        !matches!(self.kind, Kind::Active | Kind::Program)
    }

    /// Whether WhatsApp shows or plays it in the chat. All else arrives as a document, or not at
    /// all. <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types>
    pub fn is_native(&self) -> bool {
        matches!(
            self.mimetype,
            "image/jpeg"
                | "image/png"
                | "image/webp"
                | "video/mp4"
                | "video/3gpp"
                | "audio/aac"
                | "audio/amr"
                | "audio/mpeg"
                | "audio/mp4"
                | OGG_OPUS
        )
    }
}

/// WhatsApp plays no Ogg whose type does not name the codec.
const OGG_OPUS: &str = "audio/ogg; codecs=opus";

/// What a file is that begins with these bytes, a few KiB of them. `None`: nothing that is known.
pub fn sniff(head: &[u8]) -> Option<Sniffed> {
    magic::find(head)
        .or_else(|| zip::find(head))
        .or_else(|| ole::find(head))
        .or_else(|| boxes::find(head))
        .or_else(|| audio::find(head))
        .or_else(|| text::find(head))
}

/// Where in `bytes` this is.
fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    position(bytes, wanted).is_some()
}
