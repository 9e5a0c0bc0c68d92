use bytes::Bytes;
use mf_store::{EventPosition, LoggedEvent};

/// An event as streams carry it: written once, and shared by all that tell it.
#[derive(Debug)]
pub struct Frame {
    /// Where the event stands in the log.
    pub position: EventPosition,
    /// Its `id:`, `event:` and `data:`, and the empty line.
    pub bytes: Bytes,
}

impl Frame {
    /// An event of the log.
    pub fn of(event: &LoggedEvent) -> Self {
        let id = event.id.to_string();
        Self {
            position: event.position,
            bytes: Self::write(&id, &event.name, &event.body),
        }
    }

    /// The bytes of an event with this `id:`, `event:` and `data:`.
    pub fn write(id: &str, name: &str, data: &str) -> Bytes {
        let mut text = String::with_capacity(data.len() + name.len() + 80);
        field(&mut text, "id: ", id);
        field(&mut text, "event: ", name);
        // Whoever reads puts the lines of several `data:` together again.
        for line in data.split(['\n', '\r']).filter(|line| !line.is_empty()) {
            field(&mut text, "data: ", line);
        }
        text.push('\n');
        text.into()
    }
}

fn field(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str(value);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::Frame;

    #[test]
    fn an_event_is_its_fields_and_an_empty_line() {
        let bytes = Frame::write("7", "session.status", r#"{"a":1}"#);
        assert_eq!(
            bytes,
            "id: 7\nevent: session.status\ndata: {\"a\":1}\n\n".as_bytes()
        );
    }

    #[test]
    fn json_over_several_lines_stays_one_event() {
        let bytes = Frame::write("7", "x", "{\r\n\"a\":1\n}");
        assert_eq!(
            bytes,
            "id: 7\nevent: x\ndata: {\ndata: \"a\":1\ndata: }\n\n".as_bytes()
        );
    }
}
