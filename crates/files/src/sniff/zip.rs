//! ZIP, and what is made of it.

use super::{Kind, Sniffed, position};

const LOCAL: &[u8] = b"PK\x03\x04";
const ZIP: Sniffed = Sniffed::document("application/zip", "zip");

/// An entry's local header (APPNOTE, 4.3.7).
struct Entry<'a> {
    name: &'a [u8],
    /// What follows the header, as far as it is there.
    after: &'a [u8],
    /// Bytes of the content, where the header knows.
    packed: usize,
}

pub(super) fn find(head: &[u8]) -> Option<Sniffed> {
    // Empty, or in several volumes.
    if head.starts_with(b"PK\x05\x06") || head.starts_with(b"PK\x07\x08") {
        return Some(ZIP);
    }
    if !head.starts_with(LOCAL) {
        return None;
    }
    let entries = entries(head);
    let declared = entries.first().and_then(declared);
    let told = || entries.iter().find_map(|entry| by_name(entry.name));
    Some(declared.or_else(told).unwrap_or(ZIP))
}

/// All entries whose header is in the head.
fn entries(head: &[u8]) -> Vec<Entry<'_>> {
    let mut all = Vec::new();
    let mut rest = head;
    while let Some(at) = position(rest, LOCAL) {
        let Some(entry) = entry(&rest[at..]) else {
            break;
        };
        // Content that is a ZIP itself has headers too; where the length is known it is skipped.
        rest = entry.after.get(entry.packed..).unwrap_or_default();
        all.push(entry);
    }
    all
}

fn entry(header: &[u8]) -> Option<Entry<'_>> {
    let short = |at: usize| {
        let bytes = header.get(at..at + 2)?.first_chunk::<2>()?;
        Some(usize::from(u16::from_le_bytes(*bytes)))
    };
    let packed = header.get(18..22)?.first_chunk::<4>()?;
    let name_end = 30 + short(26)?;
    Some(Entry {
        name: header.get(30..name_end)?,
        after: header.get(name_end + short(28)?..).unwrap_or_default(),
        packed: usize::try_from(u32::from_le_bytes(*packed)).ok()?,
    })
}

/// OpenDocument and EPUB say what they are in a first entry that is not packed.
fn declared(first: &Entry<'_>) -> Option<Sniffed> {
    if first.name != b"mimetype" {
        return None;
    }
    let says = |mimetype: &&str| first.after.starts_with(mimetype.as_bytes());
    DECLARED
        .iter()
        .find(|(mimetype, _)| says(mimetype))
        .map(|(mimetype, extension)| Sniffed::document(mimetype, extension))
}

const DECLARED: [(&str, &str); 5] = [
    ("application/vnd.oasis.opendocument.text", "odt"),
    ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
    ("application/vnd.oasis.opendocument.presentation", "odp"),
    ("application/vnd.oasis.opendocument.graphics", "odg"),
    ("application/epub+zip", "epub"),
];

/// Microsoft's documents have a folder of the program's name; Java's and Android's programs have
/// files that nothing else has.
fn by_name(name: &[u8]) -> Option<Sniffed> {
    const OFFICE: [(&[u8], Sniffed); 4] = [
        (
            b"word/",
            Sniffed::document(
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "docx",
            ),
        ),
        (
            b"xl/",
            Sniffed::document(
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "xlsx",
            ),
        ),
        (
            b"ppt/",
            Sniffed::document(
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
                "pptx",
            ),
        ),
        (
            b"visio/",
            Sniffed::document("application/vnd.ms-visio.drawing", "vsdx"),
        ),
    ];
    match name {
        b"AndroidManifest.xml" | b"classes.dex" => Some(Sniffed::new(
            "application/vnd.android.package-archive",
            "apk",
            Kind::Program,
        )),
        b"META-INF/MANIFEST.MF" => Some(Sniffed::new(
            "application/java-archive",
            "jar",
            Kind::Program,
        )),
        _ => OFFICE
            .iter()
            .find(|(folder, _)| name.starts_with(folder))
            .map(|(_, found)| *found),
    }
}
