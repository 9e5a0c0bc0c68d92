//! How HTTP asks for a part of a file, or for a file that is not known yet; and how a file is
//! named and shown. RFC 9110 and RFC 6266.

use std::ops::Range;

/// What of a file is to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// These bytes of it, at least one and none behind its end.
    Bytes(Range<u64>),
    /// A part that it does not have.
    Nowhere,
}

impl Part {
    /// Reads `Range`. Several ranges at once, other units, and what cannot be read are answered
    /// with the whole file, as RFC 9110 allows.
    pub(super) fn of(range: Option<&str>, size: u64) -> Self {
        let Some((from, to)) = range.and_then(bounds) else {
            return Self::Whole;
        };
        let range = match (from, to) {
            (None, Some(last)) => size.saturating_sub(last)..size,
            (Some(from), None) => from..size,
            (Some(from), Some(to)) if from <= to => from..to.saturating_add(1).min(size),
            _ => return Self::Whole,
        };
        if range.is_empty() {
            Self::Nowhere
        } else {
            Self::Bytes(range)
        }
    }
}

/// The two numbers of `bytes=1-2`, of which one may be missing.
fn bounds(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, range) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (from, to) = range.split_once('-')?;
    Some((number(from)?, number(to)?))
}

/// Digits, or nothing. A number too large for us is larger than any file.
#[allow(
    clippy::option_option,
    reason = "no number is something else than a bad one"
)]
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

/// Whether `If-None-Match` names what we have, so that it need not be sent again.
pub(super) fn is_known(if_none_match: &str, etag: &str) -> bool {
    if_none_match.split(',').map(str::trim).any(|known| {
        let opaque = known.strip_prefix("W/").unwrap_or(known);
        known == "*" || opaque == etag
    })
}

/// Whether it is inline in a page that a browser shows it, and not a download. Drawings that
/// may hold scripts are none.
fn is_shown(mimetype: &str) -> bool {
    let essence = mimetype.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    let (kind, rest) = essence.split_once('/').unwrap_or_default();
    match kind {
        "image" => !rest.starts_with("svg"),
        "audio" | "video" => true,
        _ => essence == "application/pdf",
    }
}

/// `Content-Disposition`: whether the file is shown or saved, and under which name. The name is
/// said twice where it is not plain ASCII: newer clients take the second.
pub(super) fn disposition(mimetype: &str, filename: Option<&str>) -> String {
    let how = if is_shown(mimetype) {
        "inline"
    } else {
        "attachment"
    };
    let Some(name) = filename.filter(|name| !name.is_empty()) else {
        return how.to_owned();
    };
    let name: String = name
        .chars()
        .filter(|letter| !letter.is_control())
        // Whoever wrote the message chose the name, and it must lead nowhere.
        .map(|letter| {
            if matches!(letter, '/' | '\\') {
                '_'
            } else {
                letter
            }
        })
        .collect();
    // A per cent sign would make older clients read escapes.
    let is_plain = |letter: char| (letter == ' ' || letter.is_ascii_graphic()) && letter != '%';
    let plain: String = name
        .chars()
        .map(|letter| {
            if is_plain(letter) && letter != '"' {
                letter
            } else {
                '_'
            }
        })
        .collect();
    if plain == name {
        format!("{how}; filename=\"{plain}\"")
    } else {
        let escaped = escape(&name);
        format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{escaped}")
    }
}

/// RFC 8187: what is no `attr-char` becomes `%XX`.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                escaped.push(digit.to_ascii_uppercase());
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_taken_as_far_as_the_file_goes() {
        for (range, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-5", 2..6),
            ("bytes=2-", 2..10),
            ("bytes=2-99", 2..10),
            ("bytes=0-99999999999999999999999", 0..10),
            ("bytes=-3", 7..10),
            ("bytes=-99", 0..10),
            ("Bytes = 9-9", 9..10),
        ] {
            assert_eq!(Part::of(Some(range), 10), Part::Bytes(expected), "{range}");
        }
    }

    #[test]
    fn what_lies_behind_the_end_is_nowhere() {
        for (range, size) in [
            ("bytes=10-", 10),
            ("bytes=10-12", 10),
            ("bytes=99999999999999999999999-", 10),
            ("bytes=-0", 10),
            ("bytes=0-", 0),
            ("bytes=-1", 0),
        ] {
            assert_eq!(Part::of(Some(range), size), Part::Nowhere, "{range}");
        }
    }

    #[test]
    fn what_is_no_single_range_of_bytes_is_ignored() {
        for range in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=a-b",
            "bytes=1-2,4-5",
            "items=0-1",
            "bytes=+1-2",
            "bytes=1--2",
            "0-1",
        ] {
            assert_eq!(Part::of(Some(range), 10), Part::Whole, "{range:?}");
        }
        assert_eq!(Part::of(None, 10), Part::Whole);
    }

    #[test]
    fn a_known_file_is_found_among_others() {
        let etag = "\"abc\"";
        for known in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(is_known(known, etag), "{known}");
        }
        for known in ["", "\"x\"", "abc", "\"ab\", \"c\""] {
            assert!(!is_known(known, etag), "{known}");
        }
    }

    #[test]
    fn names_break_no_header_and_lead_nowhere() {
        for (name, expected) in [
            (None, "attachment"),
            (Some(""), "attachment"),
            (Some("plan.txt"), "attachment; filename=\"plan.txt\""),
            (
                Some("Füße \"1\".txt"),
                "attachment; filename=\"F__e _1_.txt\"; \
                 filename*=UTF-8''F%C3%BC%C3%9Fe%20%221%22.txt",
            ),
            (
                Some("../../etc/passwd\r\nX: y"),
                "attachment; filename=\".._.._etc_passwdX: y\"",
            ),
            (
                Some("50%.txt"),
                "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt",
            ),
        ] {
            assert_eq!(disposition("text/plain", name), expected, "{name:?}");
        }
    }

    #[test]
    fn only_what_a_browser_shows_safely_is_inline() {
        for shown in [
            "image/png",
            "Image/JPEG; q=1",
            "audio/ogg; codecs=opus",
            "video/mp4",
            "application/pdf",
        ] {
            assert_eq!(disposition(shown, None), "inline", "{shown}");
        }
        for saved in [
            "image/svg+xml",
            "text/html",
            "application/octet-stream",
            "",
            "imagepng",
        ] {
            assert_eq!(disposition(saved, None), "attachment", "{saved}");
        }
    }
}
