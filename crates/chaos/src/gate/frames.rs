//! Messages of PostgreSQL's protocol from the client's side, and what they say of events.

use std::collections::HashSet;

/// The first messages of a connection have no kind.
const UNTYPED: u8 = 0;
/// "Can we speak TLS?": another message without a kind follows.
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// One message: its kind and what is in it.
pub(super) struct Frame {
    kind: u8,
    body: Vec<u8>,
}

/// Bytes as they come, cut into messages.
#[derive(Default)]
pub(super) struct Frames {
    unread: Vec<u8>,
    started: bool,
}

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next whole message.
    pub(super) fn next_frame(&mut self) -> Option<Frame> {
        let head = usize::from(self.started);
        let length = self.unread.get(head..head + 4)?;
        let length = u32::from_be_bytes(length.try_into().ok()?);
        let whole = head + usize::try_from(length).ok()?;
        if self.unread.len() < whole {
            return None;
        }
        let rest = self.unread.split_off(whole);
        let frame = std::mem::replace(&mut self.unread, rest);
        let kind = if self.started { frame[0] } else { UNTYPED };
        let body = frame[head + 4..].to_vec();
        if !self.started {
            let code = body.first_chunk().map(|code| u32::from_be_bytes(*code));
            self.started = !matches!(code, Some(SSL_REQUEST | GSS_REQUEST));
        }
        Some(Frame { kind, body })
    }
}

/// What one connection has prepared, and whether its transaction wrote an event.
#[derive(Default)]
pub(super) struct Statements {
    /// Names of prepared statements that do.
    writers: HashSet<Vec<u8>>,
    wrote: bool,
}

impl Statements {
    /// Whether this message commits a transaction that wrote an event.
    pub(super) fn commits_event(&mut self, frame: &Frame) -> bool {
        match frame.kind {
            // Parse: a name and a text.
            b'P' => {
                let (name, rest) = text(&frame.body);
                let (sql, _) = text(rest);
                if writes_event(sql) {
                    self.writers.insert(name.to_vec());
                } else {
                    self.writers.remove(name);
                }
                self.ends(sql)
            }
            // Bind: a portal and the name of a statement.
            b'B' => {
                let (_, rest) = text(&frame.body);
                self.wrote |= self.writers.contains(text(rest).0);
                false
            }
            b'Q' => {
                let (sql, _) = text(&frame.body);
                self.wrote |= writes_event(sql);
                self.ends(sql)
            }
            _ => false,
        }
    }

    /// Whether this ends a transaction that wrote an event, well.
    fn ends(&mut self, sql: &[u8]) -> bool {
        let begins = |word: &str| {
            let start = sql.get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        };
        let (commits, over) = (begins("COMMIT"), begins("ROLLBACK") || begins("BEGIN"));
        let wrote = self.wrote;
        self.wrote &= !(commits || over);
        commits && wrote
    }
}

fn writes_event(sql: &[u8]) -> bool {
    let sql = String::from_utf8_lossy(sql);
    let words: Vec<&str> = sql.split_whitespace().collect();
    words
        .windows(3)
        .any(|three| three[..2] == ["INSERT", "INTO"] && three[2].trim_end_matches('(') == "event")
}

/// A text up to its zero, and what follows.
fn text(body: &[u8]) -> (&[u8], &[u8]) {
    let end = body.iter().position(|byte| *byte == 0);
    let end = end.unwrap_or(body.len());
    (&body[..end], body.get(end + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    fn untyped(code: u32) -> Vec<u8> {
        [8_u32.to_be_bytes(), code.to_be_bytes()].concat()
    }

    /// Whether each message commits an event, when the bytes come in pieces of this size.
    fn commits(bytes: &[u8], piece: usize) -> Vec<bool> {
        let (mut frames, mut statements) = (Frames::default(), Statements::default());
        let mut said = Vec::new();
        for piece in bytes.chunks(piece) {
            frames.push(piece);
            while let Some(frame) = frames.next_frame() {
                said.push(statements.commits_event(&frame));
            }
        }
        said
    }

    #[test]
    fn only_a_transaction_that_wrote_an_event_commits_one() {
        let bytes = [
            untyped(SSL_REQUEST),
            untyped(196_608),
            typed(
                b'P',
                b"s1\0WITH told AS (\n INSERT INTO event (id) VALUES ($1)) SELECT 1\0\0\0",
            ),
            typed(b'P', b"s2\0INSERT INTO event_other (id) VALUES ($1)\0\0\0"),
            typed(b'Q', b"BEGIN\0"),
            typed(b'B', b"\0s2\0\0\0"),
            typed(b'Q', b"COMMIT\0"),
            typed(b'Q', b"BEGIN; SET LOCAL ROLE x\0"),
            typed(b'B', b"\0s1\0\0\0"),
            typed(b'Q', b"COMMIT\0"),
            typed(b'Q', b"BEGIN\0"),
            typed(b'B', b"\0s1\0\0\0"),
            typed(b'Q', b"ROLLBACK\0"),
            typed(b'Q', b"COMMIT\0"),
        ]
        .concat();
        let mut expected = vec![false; 14];
        expected[9] = true;
        assert_eq!(commits(&bytes, bytes.len()), expected);
        assert_eq!(commits(&bytes, 7), expected);
    }
}
