//! Text, and what browsers take it for.

use super::{Kind, Sniffed};

const HTML: Sniffed = Sniffed::new("text/html", "html", Kind::Active);
const SVG: Sniffed = Sniffed::new("image/svg+xml", "svg", Kind::Active);

pub(super) fn find(head: &[u8]) -> Option<Sniffed> {
    let text = text_of(head)?.to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<') {
        return Some(markup(text));
    }
    let found = if text.starts_with("begin:vcard") {
        Sniffed::document("text/vcard", "vcf")
    } else if text.starts_with("begin:vcalendar") {
        Sniffed::document("text/calendar", "ics")
    } else if text.starts_with("#!") {
        // Behind blanks or a byte order mark, or in UTF-16.
        Sniffed::new("text/x-shellscript", "sh", Kind::Program)
    } else if text.starts_with("%pdf-") {
        // Readers forgive what is before it.
        Sniffed::document("application/pdf", "pdf")
    } else {
        Sniffed::document("text/plain", "txt")
    };
    Some(found)
}

/// Whether there are no bytes that text does not have.
pub(super) fn is_text(head: &[u8]) -> bool {
    text_of(head).is_some()
}

/// The text, if it is one: UTF-16 with a mark, or bytes among which there are no control
/// characters, in whatever encoding (WHATWG's "binary data byte").
fn text_of(head: &[u8]) -> Option<String> {
    match head {
        [] => None,
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => {
            let text = !head.iter().copied().any(is_binary);
            text.then(|| String::from_utf8_lossy(head).into_owned())
        }
    }
}

fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .filter_map(|pair| pair.first_chunk::<2>().copied().map(unit))
        .collect();
    let text = String::from_utf16_lossy(&units);
    let binary = |character: char| u8::try_from(character).is_ok_and(is_binary);
    (!text.is_empty() && !text.chars().any(binary)).then_some(text)
}

fn is_binary(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

/// What begins with `<`, in lower case. Where one cannot be sure, it is what a browser would run.
fn markup(text: &str) -> Sniffed {
    if TAGS.iter().any(|tag| is_tag(text, tag)) {
        HTML
    } else if text.contains("<svg") || text.contains("www.w3.org/2000/svg") {
        SVG
    } else if text.contains("www.w3.org/1999/xhtml")
        || text.contains("<html")
        || text.contains("<script")
    {
        HTML
    } else if text.starts_with("<?xml") {
        Sniffed::document("application/xml", "xml")
    } else {
        Sniffed::document("text/plain", "txt")
    }
}

/// WHATWG's table of HTML's beginnings, without comments, which other markup has too.
const TAGS: [&str; 16] = [
    "<!doctype html",
    "<html",
    "<head",
    "<script",
    "<iframe",
    "<h1",
    "<div",
    "<font",
    "<table",
    "<a",
    "<style",
    "<title",
    "<b",
    "<body",
    "<br",
    "<p",
];

fn is_tag(text: &str, tag: &str) -> bool {
    text.strip_prefix(tag)
        .is_some_and(|rest| rest.starts_with([' ', '>', '\t', '\n', '\r', '/']))
}
