//! Files small enough to look at, and real enough to be told apart.

use sha2::{Digest as _, Sha256};

/// The SHA-256 of bytes, in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A file of one format, no two alike.
fn made(magic: &[u8], what: &str) -> Vec<u8> {
    // Bytes that no text has, and some that headers of HTTP end with.
    [magic, what.as_bytes(), b"\0\xff\xfe\r\n\r\n\x80".as_slice()].concat()
}

/// A picture.
pub(crate) fn png(what: &str) -> Vec<u8> {
    made(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", what)
}

/// A photo.
pub(crate) fn jpeg(what: &str) -> Vec<u8> {
    made(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01", what)
}

/// A moving picture.
pub(crate) fn gif(what: &str) -> Vec<u8> {
    made(b"GIF89a\x01\0\x01\0", what)
}

/// A sticker.
pub(crate) fn webp(what: &str) -> Vec<u8> {
    made(b"RIFF\x40\0\0\0WEBPVP8L", what)
}

/// A film.
pub(crate) fn mp4(what: &str) -> Vec<u8> {
    made(b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", what)
}

/// Music.
pub(crate) fn mp3(what: &str) -> Vec<u8> {
    made(b"ID3\x03\0\0\0\0\0\x0a", what)
}

/// Spoken words.
pub(crate) fn opus(what: &str) -> Vec<u8> {
    made(
        b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01\x01",
        what,
    )
}

/// A document.
pub(crate) fn pdf(what: &str) -> Vec<u8> {
    made(b"%PDF-1.7\n", what)
}
