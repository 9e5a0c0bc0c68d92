use std::collections::VecDeque;

use reqwest::Response;
use serde_json::Value;

use crate::{SOON, soon};

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `id:`
    pub id: Option<String>,
    /// `event:`
    pub name: String,
    /// `data:`, the envelope.
    pub envelope: Value,
}

impl Event {
    /// The envelope's `data`.
    pub fn data(&self) -> &Value {
        &self.envelope["data"]
    }

    /// The `status` in it, of a session or a message.
    pub fn status(&self) -> &str {
        self.data()["status"].as_str().unwrap_or_default()
    }
}

/// What came of a stream of server-sent events, read as a browser reads it.
#[derive(Debug, Default)]
pub struct EventText {
    unread: Vec<u8>,
    /// The events that nobody took yet.
    pub events: VecDeque<Event>,
    /// The comments so far.
    pub comments: Vec<String>,
}

/// A stream of server-sent events.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    request: String,
    text: EventText,
    seen: Vec<String>,
}

impl EventStream {
    pub(crate) fn new(response: Response, request: String) -> Self {
        Self {
            response,
            request,
            text: EventText::default(),
            seen: Vec::new(),
        }
    }

    /// A header of the answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The next event.
    pub async fn next(&mut self) -> Event {
        let next = soon(self.try_next()).await;
        next.unwrap_or_else(|| panic!("{} ended: {:?}", self.request, self.comments()))
    }

    /// The next event, or nothing at the stream's end.
    pub async fn try_next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.text.events.pop_front() {
                self.seen.push(format!("{} {}", event.name, event.status()));
                return Some(event);
            }
            let chunk = self.response.chunk().await.ok()??;
            self.text.read(&chunk);
        }
    }

    /// The next event that fits; those before it are dropped.
    pub async fn until(&mut self, fits: impl Fn(&Event) -> bool) -> Event {
        self.collect_until(fits).await.pop().expect("the one found")
    }

    /// The next event of this name.
    pub async fn named(&mut self, name: &str) -> Event {
        self.until(|event| event.name == name).await
    }

    /// The next `session.status` that says this.
    pub async fn status(&mut self, status: &str) -> Event {
        self.until(|event| event.name == "session.status" && event.status() == status)
            .await
    }

    /// Every event up to the first that fits.
    pub async fn collect_until(&mut self, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        let found = async {
            while let Some(event) = self.try_next().await {
                let found = fits(&event);
                events.push(event);
                if found {
                    return true;
                }
            }
            false
        };
        // A stuck stream must say what it had: a time-out alone says nothing.
        let found = tokio::time::timeout(SOON, found).await;
        match found.ok() {
            Some(true) => events,
            Some(false) => panic!("{} ended after {:?}", self.request, self.seen),
            None => panic!("{} is stuck after {:?}", self.request, self.seen),
        }
    }

    /// Every event up to the stream's end.
    pub async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = soon(self.try_next()).await {
            events.push(event);
        }
        events
    }

    /// The comments so far.
    pub fn comments(&self) -> &[String] {
        &self.text.comments
    }
}

impl EventText {
    /// Reads what came next.
    pub fn read(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
        while let Some(end) = self.unread.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = self.unread.drain(..end + 2).collect();
            let block = String::from_utf8(block).expect("events are UTF-8");
            let (mut id, mut name, mut data) = (None, String::new(), Vec::new());
            for line in block.lines() {
                let (field, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "" if !line.is_empty() => self.comments.push(value.to_owned()),
                    "id" => id = Some(value.to_owned()),
                    "event" => value.clone_into(&mut name),
                    "data" => data.push(value),
                    _ => {}
                }
            }
            if data.is_empty() {
                continue;
            }
            let data = data.join("\n");
            let envelope = serde_json::from_str(&data)
                .unwrap_or_else(|error| panic!("data is no JSON ({error}): {data}"));
            self.events.push_back(Event { id, name, envelope });
        }
    }
}
