//! Containers, whose beginning says little without what is inside.

use super::{Kind, OGG_OPUS, Sniffed, contains, position};

pub(super) fn find(head: &[u8]) -> Option<Sniffed> {
    iso(head)
        .or_else(|| quicktime(head))
        .or_else(|| riff(head))
        .or_else(|| ogg(head))
        .or_else(|| matroska(head))
        .or_else(|| bitmap(head))
        .or_else(|| tar(head))
}

/// ISO base media by its brand: MP4 and its many relatives, <https://mp4ra.org/registered-types/brands>.
fn iso(head: &[u8]) -> Option<Sniffed> {
    if head.get(4..8)? != b"ftyp" {
        return None;
    }
    let brand = head.get(8..12)?;
    let found = match brand {
        b"M4A " | b"M4B " | b"M4P " => Sniffed::new("audio/mp4", "m4a", Kind::Audio),
        b"qt  " => Sniffed::new("video/quicktime", "mov", Kind::Video),
        b"avif" | b"avis" => Sniffed::new("image/avif", "avif", Kind::Image),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => HEIC,
        b"mif1" | b"msf1" => still_image(head),
        b"crx " => Sniffed::new("image/x-canon-cr3", "cr3", Kind::Image),
        [b'3', b'g', b'2', _] => Sniffed::new("video/3gpp2", "3g2", Kind::Video),
        [b'3', b'g', ..] => Sniffed::new("video/3gpp", "3gp", Kind::Video),
        _ => Sniffed::new("video/mp4", "mp4", Kind::Video),
    };
    Some(found)
}

const HEIC: Sniffed = Sniffed::new("image/heic", "heic", Kind::Image);

/// Which of them, the compatible brands say.
fn still_image(head: &[u8]) -> Sniffed {
    let size = head
        .first_chunk::<4>()
        .map(|size| u32::from_be_bytes(*size));
    let end = size.map_or(0, |size| size as usize).min(head.len());
    let brands = head.get(16..end).unwrap_or_default();
    if contains(brands, b"avif") {
        Sniffed::new("image/avif", "avif", Kind::Image)
    } else if contains(brands, b"heic") || contains(brands, b"heix") {
        HEIC
    } else {
        Sniffed::new("image/heif", "heif", Kind::Image)
    }
}

/// QuickTime from before there were brands.
fn quicktime(head: &[u8]) -> Option<Sniffed> {
    let first = head.get(4..8)?;
    matches!(first, b"moov" | b"mdat" | b"wide" | b"pnot")
        .then(|| Sniffed::new("video/quicktime", "mov", Kind::Video))
        // The length in front of it, of which no text is made.
        .filter(|_| !super::text::is_text(head))
}

fn riff(head: &[u8]) -> Option<Sniffed> {
    if !head.starts_with(b"RIFF") {
        return None;
    }
    match head.get(8..12)? {
        b"WEBP" => Some(Sniffed::new("image/webp", "webp", Kind::Sticker)),
        b"WAVE" => Some(Sniffed::new("audio/wav", "wav", Kind::Audio)),
        b"AVI " => Some(Sniffed::new("video/x-msvideo", "avi", Kind::Video)),
        _ => None,
    }
}

/// Ogg: every stream in it begins with a page of its own that names the codec, and these come
/// first (RFC 3533, 4).
fn ogg(head: &[u8]) -> Option<Sniffed> {
    if !head.starts_with(b"OggS\0") {
        return None;
    }
    let found = if contains(head, b"\x80theora") {
        Sniffed::new("video/ogg", "ogv", Kind::Video)
    } else if contains(head, b"OpusHead") {
        Sniffed::new(OGG_OPUS, "ogg", Kind::Voice)
    } else if [&b"\x01vorbis"[..], b"\x7fFLAC", b"Speex   "]
        .iter()
        .any(|codec| contains(head, codec))
    {
        Sniffed::new("audio/ogg", "ogg", Kind::Audio)
    } else {
        Sniffed::document("application/ogg", "ogx")
    };
    Some(found)
}

/// Matroska and WebM, which browsers record voices into as well (RFC 9559: the codec's id begins
/// with the letter of its kind).
fn matroska(head: &[u8]) -> Option<Sniffed> {
    if !head.starts_with(b"\x1a\x45\xdf\xa3") {
        return None;
    }
    let sounds_only = contains(head, b"A_") && !contains(head, b"V_");
    let at = position(head, b"\x42\x82")?;
    let doctype = head.get(at + 3..)?;
    let found = match (doctype.starts_with(b"webm"), sounds_only) {
        (true, true) => Sniffed::new("audio/webm", "weba", Kind::Audio),
        (true, false) => Sniffed::new("video/webm", "webm", Kind::Video),
        (false, true) => Sniffed::new("audio/x-matroska", "mka", Kind::Audio),
        (false, false) => Sniffed::new("video/x-matroska", "mkv", Kind::Video),
    };
    Some(found)
}

/// BMP: two letters, and four bytes that are zero.
fn bitmap(head: &[u8]) -> Option<Sniffed> {
    (head.starts_with(b"BM") && head.get(6..10)? == [0; 4])
        .then(|| Sniffed::new("image/bmp", "bmp", Kind::Image))
}

fn tar(head: &[u8]) -> Option<Sniffed> {
    (head.get(257..262)? == b"ustar").then(|| Sniffed::document("application/x-tar", "tar"))
}
