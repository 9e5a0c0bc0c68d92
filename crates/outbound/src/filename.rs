//! What a file is called, as far as a server lets on.

/// Characters of a name that are kept; the longest that common file systems take, in ASCII.
const MAX_CHARS: usize = 200;

/// The name in a `Content-Disposition` (RFC 6266), else the last part of the path.
pub(crate) fn hint(disposition: Option<&str>, path: &str) -> Option<String> {
    disposition
        .and_then(from_disposition)
        .or_else(|| clean(&percent_decoded(path.rsplit('/').next()?)))
}

/// `filename*` comes before `filename`, wherever they stand.
fn from_disposition(value: &str) -> Option<String> {
    let mut plain = None;
    for (name, value) in parameters(value) {
        match name.as_str() {
            "filename*" => {
                if let Some(name) = extended(&value).and_then(|name| clean(&name)) {
                    return Some(name);
                }
            }
            "filename" => plain = plain.or_else(|| clean(&value)),
            _ => {}
        }
    }
    plain
}

/// `charset'language'name` of RFC 8187, which demands UTF-8.
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let charset = parts.next()?;
    let name = parts.nth(1)?;
    charset
        .eq_ignore_ascii_case("utf-8")
        .then(|| percent_decoded(name))
}

/// The parameters after the first `;`, with quotes removed.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut rest = value.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.rsplit(';').next().unwrap_or_default();
        let (value, left) = parameter_value(after.trim_start());
        all.push((name.trim().to_ascii_lowercase(), value));
        rest = left;
    }
    all
}

/// A value, quoted or not, and what follows it.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, character) in quoted.char_indices() {
        match character {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '"' if !escaped => return (value, &quoted[at + 1..]),
            // Not an escape but a path of Windows, which some write there.
            other if escaped && other != '"' && other != '\\' => value.push('\\'),
            _ => {}
        }
        escaped = false;
        value.push(character);
    }
    (value, "")
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [b'%', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                bytes.push(nibble(*high) << 4 | nibble(*low));
                rest = after;
            }
            [byte, after @ ..] => {
                bytes.push(*byte);
                rest = after;
            }
            [] => return String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

/// The value of a hexadecimal digit.
fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// A name without folders, and without what makes it look like another.
fn clean(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .filter(|character| !character.is_control() && !is_deceptive(*character))
        .collect();
    let kept = kept.trim().trim_matches('.').trim();
    (!kept.is_empty()).then(|| shortened(kept))
}

/// Marks that turn the direction of text or are not seen: `exe.gnp` can read as `png.exe`.
fn is_deceptive(character: char) -> bool {
    matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// Cut in front of its extension, so that it keeps it.
fn shortened(name: &str) -> String {
    let count = name.chars().count();
    if count <= MAX_CHARS {
        return name.to_owned();
    }
    let extension = name
        .rfind('.')
        .map_or("", |dot| &name[dot..])
        .chars()
        .take(16)
        .collect::<String>();
    let keep = MAX_CHARS - extension.chars().count();
    name.chars().take(keep).chain(extension.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disposition_says_the_name() {
        for (value, name) in [
            ("attachment; filename=\"a b.pdf\"", "a b.pdf"),
            ("attachment; filename=a.pdf", "a.pdf"),
            ("inline; x=\"a;b=c\"; filename=\"d.pdf\"", "d.pdf"),
            ("attachment; FileName=a.pdf; size=3", "a.pdf"),
            ("attachment; filename=\"a\\\"b.pdf\"", "a\"b.pdf"),
            (
                "attachment; filename=a.pdf; filename*=UTF-8''%C3%A4.pdf",
                "ä.pdf",
            ),
            (
                "attachment; filename*=utf-8'de'%E2%82%AC.pdf; filename=a.pdf",
                "€.pdf",
            ),
            (
                "attachment; filename=a.pdf; filename*=iso-8859-1''%E4.pdf",
                "a.pdf",
            ),
        ] {
            assert_eq!(
                hint(Some(value), "/x.png").as_deref(),
                Some(name),
                "{value}"
            );
        }
    }

    #[test]
    fn without_one_the_path_does() {
        assert_eq!(hint(None, "/a/b%20c.png").as_deref(), Some("b c.png"));
        assert_eq!(hint(Some("attachment"), "/c.png").as_deref(), Some("c.png"));
        assert_eq!(hint(None, "/a/"), None);
        assert_eq!(hint(None, "/"), None);
    }

    #[test]
    fn a_name_has_no_folders_and_hides_nothing() {
        for (value, name) in [
            ("a; filename=\"../../etc/passwd\"", "passwd"),
            ("a; filename=\"C:\\temp\\a.txt\"", "a.txt"),
            ("a; filename*=UTF-8''..%2F..%2Fa.txt", "a.txt"),
            ("a; filename*=UTF-8''a%00%0Ab.txt", "ab.txt"),
            ("a; filename*=UTF-8''a%E2%80%AEgnp.exe", "agnp.exe"),
        ] {
            assert_eq!(hint(Some(value), "/").as_deref(), Some(name), "{value}");
        }
        assert_eq!(hint(Some("a; filename=\"..\""), "/"), None);
        assert_eq!(hint(Some("a; filename=\"\""), "/"), None);
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = hint(None, &format!("/{}.pdf", "ä".repeat(400))).unwrap();
        assert_eq!(name.chars().count(), MAX_CHARS);
        assert_eq!(name.rsplit_once('.').unwrap().1, "pdf");
    }

    #[test]
    fn nonsense_is_survived() {
        for value in [
            "",
            ";",
            ";=",
            ";=;=",
            "; filename",
            "; filename=\"",
            "; filename*='",
            "%",
        ] {
            assert_eq!(
                hint(Some(value), "/%zz%"),
                Some("%zz%".to_owned()),
                "{value}"
            );
        }
    }
}
