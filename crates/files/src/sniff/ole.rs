//! Compound files: the office of before 2007, and installers.
//! <https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb>

use super::{Kind, Sniffed, contains};

const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// Class of an installer, `000C1084-0000-0000-C000-000000000046`, as it is stored.
const INSTALLER: &[u8] = b"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";

/// The directory, which names the streams, may be anywhere in the file. Where it is not in the
/// head, all that is known is that it is one of these.
pub(super) fn find(head: &[u8]) -> Option<Sniffed> {
    if !head.starts_with(MAGIC) {
        return None;
    }
    let has = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        contains(head, &wide)
    };
    let found = if contains(head, INSTALLER) {
        Sniffed::new("application/x-msi", "msi", Kind::Program)
    } else if has("WordDocument") {
        Sniffed::document("application/msword", "doc")
    } else if has("PowerPoint Document") {
        Sniffed::document("application/vnd.ms-powerpoint", "ppt")
    } else if has("Workbook") || has("Book\0") {
        Sniffed::document("application/vnd.ms-excel", "xls")
    } else if has("__properties_version1.0") {
        Sniffed::document("application/vnd.ms-outlook", "msg")
    } else {
        Sniffed::document("application/x-ole-storage", "ole")
    };
    Some(found)
}
