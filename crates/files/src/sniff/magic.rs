use super::{Kind, Sniffed};

/// A signature at the beginning, and what it says.
type Row = (&'static [u8], Sniffed);

const fn row(
    magic: &'static [u8],
    mimetype: &'static str,
    extension: &'static str,
    kind: Kind,
) -> Row {
    (magic, Sniffed::new(mimetype, extension, kind))
}

const BINARY: &str = "application/x-executable";
const MACH: &str = "application/x-mach-binary";

/// Signatures that need no second look, each long enough to be no accident or followed by bytes
/// that no text has. A longer one stands before one that it begins with.
#[rustfmt::skip]
const ROWS: [Row; 52] = [
    row(b"\xff\xd8\xff", "image/jpeg", "jpg", Kind::Image),
    row(b"\x89PNG\r\n\x1a\n", "image/png", "png", Kind::Image),
    row(b"GIF87a", "image/gif", "gif", Kind::Image),
    row(b"GIF89a", "image/gif", "gif", Kind::Image),
    row(b"II*\0", "image/tiff", "tif", Kind::Image),
    row(b"MM\0*", "image/tiff", "tif", Kind::Image),
    row(b"8BPS\0\x01", "image/vnd.adobe.photoshop", "psd", Kind::Image),
    row(b"\xff\x0a", "image/jxl", "jxl", Kind::Image),
    row(b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl", "jxl", Kind::Image),
    row(b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2", "jp2", Kind::Image),
    row(b"\0\0\x01\0", "image/vnd.microsoft.icon", "ico", Kind::Image),
    row(b"%PDF-", "application/pdf", "pdf", Kind::Document),
    row(b"{\\rtf", "application/rtf", "rtf", Kind::Document),
    row(b"%!PS-Adobe", "application/postscript", "ps", Kind::Document),
    row(b"AC10", "image/vnd.dwg", "dwg", Kind::Document),
    row(b"SQLite format 3\0", "application/vnd.sqlite3", "sqlite", Kind::Document),
    row(b"Rar!\x1a\x07", "application/vnd.rar", "rar", Kind::Document),
    row(b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", "7z", Kind::Document),
    row(b"\x1f\x8b\x08", "application/gzip", "gz", Kind::Document),
    row(b"BZh", "application/x-bzip2", "bz2", Kind::Document),
    row(b"\xfd7zXZ\0", "application/x-xz", "xz", Kind::Document),
    row(b"\x28\xb5\x2f\xfd", "application/zstd", "zst", Kind::Document),
    row(b"wOFF", "font/woff", "woff", Kind::Document),
    row(b"wOF2", "font/woff2", "woff2", Kind::Document),
    row(b"fLaC", "audio/flac", "flac", Kind::Audio),
    row(b"MThd\0\0\0\x06", "audio/midi", "mid", Kind::Audio),
    // Before the `#!` of scripts.
    row(b"#!AMR-WB\n", "audio/amr-wb", "awb", Kind::Audio),
    row(b"#!AMR\n", "audio/amr", "amr", Kind::Audio),
    row(b"\0\0\x01\xba", "video/mpeg", "mpg", Kind::Video),
    row(b"\0\0\x01\xb3", "video/mpeg", "mpg", Kind::Video),
    row(b"FLV\x01", "video/x-flv", "flv", Kind::Video),
    row(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf", "wmv", Kind::Video),
    row(b"FWS", "application/x-shockwave-flash", "swf", Kind::Active),
    row(b"CWS", "application/x-shockwave-flash", "swf", Kind::Active),
    row(b"ZWS", "application/x-shockwave-flash", "swf", Kind::Active),
    row(b"MZ", "application/vnd.microsoft.portable-executable", "exe", Kind::Program),
    row(b"\x7fELF", BINARY, "elf", Kind::Program),
    row(b"\xfe\xed\xfa\xce", MACH, "macho", Kind::Program),
    row(b"\xfe\xed\xfa\xcf", MACH, "macho", Kind::Program),
    row(b"\xce\xfa\xed\xfe", MACH, "macho", Kind::Program),
    row(b"\xcf\xfa\xed\xfe", MACH, "macho", Kind::Program),
    // Both programs for all of Apple's processors, and classes of Java.
    row(b"\xca\xfe\xba\xbe", BINARY, "class", Kind::Program),
    row(b"dex\n", "application/vnd.android.dex", "dex", Kind::Program),
    row(b"\0asm", "application/wasm", "wasm", Kind::Program),
    row(b"!<arch>\ndebian", "application/vnd.debian.binary-package", "deb", Kind::Program),
    row(b"\xed\xab\xee\xdb", "application/x-rpm", "rpm", Kind::Program),
    row(b"xar!\0", "application/x-xar", "pkg", Kind::Program),
    row(b"Cr24", "application/x-google-chrome-extension", "crx", Kind::Program),
    row(b"L\0\0\0\x01\x14\x02\0", "application/x-ms-shortcut", "lnk", Kind::Program),
    row(b"ITSF\x03\0\0\0", "application/vnd.ms-htmlhelp", "chm", Kind::Program),
    row(b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed", "cab", Kind::Program),
    row(b"#!", "text/x-shellscript", "sh", Kind::Program),
];

/// The signatures that a text could begin with as well.
const LETTERS: [&[u8]; 9] = [
    b"BZh",
    b"FWS",
    b"CWS",
    b"ZWS",
    b"MZ",
    b"AC10",
    b"Cr24",
    b"wOFF",
    b"\xff\x0a",
];

pub(super) fn find(head: &[u8]) -> Option<Sniffed> {
    let (magic, found) = ROWS.iter().find(|(magic, _)| head.starts_with(magic))?;
    if LETTERS.contains(magic) && super::text::is_text(head) {
        return None;
    }
    Some(*found)
}
