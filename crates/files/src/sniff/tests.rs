use super::*;

fn is(head: &[u8], mimetype: &str, extension: &str, kind: Kind) {
    let found = sniff(head);
    let expected = Some((mimetype, extension, kind));
    let found = found.map(|found| (found.mimetype, found.extension, found.kind));
    assert_eq!(found, expected, "{}", head.escape_ascii());
}

/// A local header with its content.
fn entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    bytes.extend(size);
    bytes.extend(size);
    bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(name.as_bytes());
    bytes.extend(content);
    bytes
}

/// As programs write it that do not know the length beforehand.
fn streamed(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = entry(name, content);
    bytes[6] = 8;
    bytes[18..26].fill(0);
    bytes
}

fn ole(inside: &[u8]) -> Vec<u8> {
    let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    bytes.resize(512, 0);
    bytes.extend(inside);
    bytes
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn pictures_are_recognised() {
    is(
        b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        "image/jpeg",
        "jpg",
        Kind::Image,
    );
    is(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        "image/png",
        "png",
        Kind::Image,
    );
    is(b"GIF89a\x01\0\x01\0", "image/gif", "gif", Kind::Image);
    is(
        b"BM\x46\0\0\0\0\0\0\0\x36\0",
        "image/bmp",
        "bmp",
        Kind::Image,
    );
    is(
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "image/heic",
        "heic",
        Kind::Image,
    );
    is(
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif",
        "image/avif",
        "avif",
        Kind::Image,
    );
}

#[test]
fn webp_is_a_sticker_still_or_animated() {
    is(
        b"RIFF\x24\0\0\0WEBPVP8 ",
        "image/webp",
        "webp",
        Kind::Sticker,
    );
    is(
        b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0",
        "image/webp",
        "webp",
        Kind::Sticker,
    );
}

#[test]
fn video_goes_by_its_brand() {
    is(
        b"\0\0\0\x18ftypisom\0\0\x02\0isommp41",
        "video/mp4",
        "mp4",
        Kind::Video,
    );
    is(
        b"\0\0\0\x18ftypmp42\0\0\0\0isommp42",
        "video/mp4",
        "mp4",
        Kind::Video,
    );
    is(
        b"\0\0\0\x14ftypqt  \0\0\x02\0qt  ",
        "video/quicktime",
        "mov",
        Kind::Video,
    );
    is(
        b"\0\0\0\x08wide\0\0\x10\0mdat",
        "video/quicktime",
        "mov",
        Kind::Video,
    );
    is(
        b"\0\0\0\x18ftyp3gp4\0\0\0\x003gp4isom",
        "video/3gpp",
        "3gp",
        Kind::Video,
    );
    is(
        b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42",
        "audio/mp4",
        "m4a",
        Kind::Audio,
    );
    is(
        b"RIFF\x24\0\0\0AVI LIST",
        "video/x-msvideo",
        "avi",
        Kind::Video,
    );
}

#[test]
fn matroska_goes_by_its_type_and_tracks() {
    let of = |doctype: &[u8], codec: &[u8]| {
        let length = [0x80 | u8::try_from(doctype.len()).unwrap()];
        let head: [&[u8]; 6] = [
            b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82",
            &length,
            doctype,
            b"\x18\x53\x80\x67\x86",
            codec,
            b"\0",
        ];
        head.concat()
    };
    is(
        &of(b"webm", b"V_VP9 A_OPUS"),
        "video/webm",
        "webm",
        Kind::Video,
    );
    is(&of(b"webm", b"A_OPUS"), "audio/webm", "weba", Kind::Audio);
    is(
        &of(b"matroska", b"V_MPEG4"),
        "video/x-matroska",
        "mkv",
        Kind::Video,
    );
}

#[test]
fn ogg_goes_by_what_is_in_it() {
    let page = |packet: &[u8]| {
        let header = b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x13";
        [&header[..], packet].concat()
    };
    is(
        &page(b"OpusHead\x01\x01"),
        "audio/ogg; codecs=opus",
        "ogg",
        Kind::Voice,
    );
    is(&page(b"\x01vorbis\0"), "audio/ogg", "ogg", Kind::Audio);
    is(&page(b"\x80theora\x03"), "video/ogg", "ogv", Kind::Video);
    is(&page(b"CMML\0"), "application/ogg", "ogx", Kind::Document);
}

#[test]
fn sound_is_recognised() {
    is(
        b"ID3\x04\0\0\0\0\x02\x10TSSE",
        "audio/mpeg",
        "mp3",
        Kind::Audio,
    );
    is(b"\xff\xfb\x90\x64\0", "audio/mpeg", "mp3", Kind::Audio);
    is(b"\xff\xf3\x40\xc0", "audio/mpeg", "mp3", Kind::Audio);
    is(b"\xff\xf1\x50\x80\0", "audio/aac", "aac", Kind::Audio);
    is(b"\xff\xf9\x4c\x80\0", "audio/aac", "aac", Kind::Audio);
    is(b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav", "wav", Kind::Audio);
    is(b"#!AMR\n\x3c", "audio/amr", "amr", Kind::Audio);
    is(b"#!AMR-WB\n\x04", "audio/amr-wb", "awb", Kind::Audio);
    is(b"fLaC\0\0\0\x22", "audio/flac", "flac", Kind::Audio);
}

#[test]
fn office_is_told_from_zip_by_what_is_inside() {
    let types = entry("[Content_Types].xml", b"packed");
    for (folder, extension) in [
        ("word/document.xml", "docx"),
        ("xl/workbook.xml", "xlsx"),
        ("ppt/presentation.xml", "pptx"),
    ] {
        let of = |entry: fn(&str, &[u8]) -> Vec<u8>| {
            let all = [
                entry("[Content_Types].xml", b"packed"),
                entry("_rels/.rels", b"packed"),
                entry("docProps/app.xml", b"packed"),
                entry(folder, b"packed"),
            ];
            sniff(&all.concat()).unwrap()
        };
        assert_eq!(of(entry).extension, extension);
        assert_eq!(of(streamed).extension, extension);
        assert_eq!(of(entry).kind, Kind::Document);
    }
    is(&types, "application/zip", "zip", Kind::Document);
    is(
        &entry("a.txt", b"hello"),
        "application/zip",
        "zip",
        Kind::Document,
    );
    is(
        b"PK\x05\x06\0\0\0\0",
        "application/zip",
        "zip",
        Kind::Document,
    );
}

#[test]
fn a_zip_in_a_zip_does_not_count() {
    let inner = entry("word/document.xml", b"x");
    is(
        &entry("inner.zip", &inner),
        "application/zip",
        "zip",
        Kind::Document,
    );
}

#[test]
fn open_documents_say_what_they_are() {
    let of = |mimetype: &str| {
        let all = [
            entry("mimetype", mimetype.as_bytes()),
            entry("content.xml", b"x"),
        ];
        all.concat()
    };
    for (mimetype, extension) in [
        ("application/vnd.oasis.opendocument.text", "odt"),
        ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
        ("application/epub+zip", "epub"),
    ] {
        is(&of(mimetype), mimetype, extension, Kind::Document);
    }
}

#[test]
fn old_office_is_told_apart_where_the_directory_is_near() {
    is(
        &ole(&utf16("WordDocument")),
        "application/msword",
        "doc",
        Kind::Document,
    );
    is(
        &ole(&utf16("Workbook")),
        "application/vnd.ms-excel",
        "xls",
        Kind::Document,
    );
    is(
        &ole(b""),
        "application/x-ole-storage",
        "ole",
        Kind::Document,
    );
    let class = b"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
    is(&ole(class), "application/x-msi", "msi", Kind::Program);
}

#[test]
fn other_documents_are_recognised() {
    is(
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
        "application/pdf",
        "pdf",
        Kind::Document,
    );
    is(b"\n%PDF-1.4\n", "application/pdf", "pdf", Kind::Document);
    is(b"{\\rtf1\\ansi", "application/rtf", "rtf", Kind::Document);
    is(b"\x1f\x8b\x08\0", "application/gzip", "gz", Kind::Document);
    is(
        b"Rar!\x1a\x07\x01\0",
        "application/vnd.rar",
        "rar",
        Kind::Document,
    );
    is(
        b"BEGIN:VCARD\r\nVERSION:3.0",
        "text/vcard",
        "vcf",
        Kind::Document,
    );
    is(
        b"<?xml version=\"1.0\"?><Invoice/>",
        "application/xml",
        "xml",
        Kind::Document,
    );
}

#[test]
fn text_is_what_has_no_control_characters() {
    for text in [
        &b"hello"[..],
        b"name;number\r\nAnna;+49 1\r\n",
        "gr\u{fc}n \u{1f600}".as_bytes(),
        b"gr\xfcn, from a Windows of 1995",
        b"\xef\xbb\xbfa,b\n",
        b"MZ is an abbreviation, and so are BZh and FWS",
        b"BM-1 as well",
        b"ID3 is a tag of MP3",
        b"1 < 2",
        b"<3",
    ] {
        is(text, "text/plain", "txt", Kind::Document);
    }
    let wide = [&b"\xff\xfe"[..], &utf16("hello")].concat();
    is(&wide, "text/plain", "txt", Kind::Document);
    assert_eq!(sniff(b""), None);
    assert_eq!(sniff(b"\x01\x02\x03\x04"), None);
    assert_eq!(sniff(b"hello\0"), None);
}

#[test]
fn what_a_browser_runs_is_not_sendable() {
    let wide = [&b"\xff\xfe"[..], &utf16("<script>x</script>")].concat();
    for head in [
        &b"<!DOCTYPE html><html>"[..],
        b"  \n<HTML>",
        b"\xef\xbb\xbf<html lang=en>",
        b"<!-- x --><html>",
        b"<script>alert(1)</script>",
        b"<p\nonclick=x>",
        b"<x><script>y</script></x>",
        b"<?xml version=\"1.0\"?><a xmlns=\"http://www.w3.org/1999/xhtml\"/>",
        &wide,
    ] {
        is(head, "text/html", "html", Kind::Active);
    }
    for head in [
        &b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"[..],
        b"<?xml version=\"1.0\"?>\n<!-- by hand -->\n<SVG onload=x>",
        b"<s:svg xmlns:s=\"http://www.w3.org/2000/svg\">",
    ] {
        is(head, "image/svg+xml", "svg", Kind::Active);
    }
    for head in [&b"<html>"[..], b"<svg/>", b"CWS\x0a\x01\0\0\0"] {
        assert!(!sniff(head).unwrap().is_sendable());
    }
}

#[test]
fn what_a_machine_runs_is_not_sendable() {
    let jar = entry("META-INF/MANIFEST.MF", b"x");
    let apk = entry("AndroidManifest.xml", b"x");
    for head in [
        &b"MZ\x90\0\x03\0\0\0"[..],
        b"\x7fELF\x02\x01\x01\0",
        b"\xcf\xfa\xed\xfe\x07\0\0\x01",
        b"\xca\xfe\xba\xbe\0\0\0\x34",
        b"#!/bin/sh\n",
        b"\xef\xbb\xbf#!/bin/sh\n",
        b"dex\n035\0",
        b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0",
        b"!<arch>\ndebian-binary",
        &jar,
        &apk,
    ] {
        let found = sniff(head).unwrap();
        assert_eq!(found.kind, Kind::Program, "{}", head.escape_ascii());
        assert!(!found.is_sendable());
    }
}

#[test]
fn only_what_whatsapp_shows_is_native() {
    let native = |head: &[u8]| sniff(head).unwrap().is_native();
    assert!(native(b"\xff\xd8\xff\xe0"));
    assert!(native(b"\0\0\0\x18ftypisom\0\0\x02\0"));
    assert!(native(b"OggS\0\x02OpusHead"));
    assert!(!native(b"GIF89a"));
    assert!(!native(b"\0\0\0\x14ftypqt  \0\0\x02\0"));
    assert!(!native(b"%PDF-1.7"));
}

/// Every beginning of every sample, and samples with bytes turned over: the answers differ, and
/// none is a panic.
#[test]
fn broken_files_are_survived() {
    let mut samples = vec![
        [entry("[Content_Types].xml", b"x"), entry("word/a", b"y")].concat(),
        ole(&utf16("WordDocument")),
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif".to_vec(),
        b"\xff\xff\xff\xffftypmif1".to_vec(),
        b"\x1a\x45\xdf\xa3\x42\x82".to_vec(),
        b"RIFF\0\0\0\0WEBP".to_vec(),
        b"\xff\xfe<".to_vec(),
    ];
    let mut endless = entry("a", b"");
    endless[18..22].fill(0xff);
    endless[26..30].fill(0xff);
    samples.push(endless);
    for sample in samples {
        for end in 0..sample.len() {
            let _ = sniff(&sample[..end]);
            let mut turned = sample.clone();
            turned[end] ^= 0xff;
            let _ = sniff(&turned);
        }
    }
}
