//! Streams of MPEG audio, which have frames and no header.

use super::{Kind, Sniffed};

pub(super) fn find(head: &[u8]) -> Option<Sniffed> {
    if tagged(head) || is_mp3(head) {
        Some(Sniffed::new("audio/mpeg", "mp3", Kind::Audio))
    } else if is_adts(head) {
        Some(Sniffed::new("audio/aac", "aac", Kind::Audio))
    } else {
        None
    }
}

/// A tag of ID3v2: version, revision, flags, and a length whose bytes have seven bits.
fn tagged(head: &[u8]) -> bool {
    match head {
        [b'I', b'D', b'3', version, revision, _, a, b, c, d, ..] => {
            (2..=4).contains(version) && *revision < 0xff && (a | b | c | d) & 0x80 == 0
        }
        _ => false,
    }
}

/// A frame of layer III: eleven bits of sync, and none of the values that are reserved.
fn is_mp3(head: &[u8]) -> bool {
    let [0xff, second, third, ..] = head else {
        return false;
    };
    let version = (second >> 3) & 0b11;
    let layer = (second >> 1) & 0b11;
    let bitrate = third >> 4;
    let rate = (third >> 2) & 0b11;
    second >> 5 == 0b111
        && version != 0b01
        && layer == 0b01
        && bitrate != 0
        && bitrate != 0b1111
        && rate != 0b11
}

/// A frame of AAC: twelve bits of sync, layer 0, one of thirteen rates.
fn is_adts(head: &[u8]) -> bool {
    let [0xff, second, third, ..] = head else {
        return false;
    };
    second & 0xf6 == 0xf0 && (third >> 2) & 0b1111 < 13
}
