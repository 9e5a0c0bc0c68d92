//! Files on their way: what comes in is kept for a while at `/api/files`, what goes out is
//! fetched from where the request says.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::callbacks::Courier;
use crate::config::Config;
use crate::content::{MediaFile, decode_base64};
use crate::error::ApiError;
use crate::message::Message;
use crate::session::Session;
use crate::sim::{Sim, lock};

/// The files that can be fetched, by session and name.
#[derive(Debug, Default)]
pub(crate) struct Files {
    kept: BTreeMap<(String, String), Kept>,
    /// Counts files put up again, which get a new name.
    again: u64,
}

#[derive(Debug)]
struct Kept {
    file: MediaFile,
    message: String,
    /// Whether it was taken away already; its name stays taken.
    gone: bool,
    until: Option<Instant>,
}

impl Kept {
    fn is_there(&self) -> bool {
        !self.gone && self.until.is_none_or(|until| Instant::now() < until)
    }
}

impl Files {
    /// Puts the file up and gives its name. A file that is still there keeps its name.
    fn put(
        &mut self,
        session: &str,
        message: &str,
        file: &MediaFile,
        until: Option<Instant>,
    ) -> String {
        for kept in self.kept.values_mut().filter(|kept| !kept.is_there()) {
            // Only the name is needed from here on.
            kept.gone = true;
            kept.file.data = axum::body::Bytes::new();
        }
        let there = self
            .kept
            .iter_mut()
            .find(|((of, _), kept)| of == session && kept.message == message && kept.is_there());
        if let Some(((_, name), kept)) = there {
            kept.until = until;
            return name.clone();
        }
        let ending = ending(&file.mimetype);
        let mut name = format!("{message}.{ending}");
        if self.kept.contains_key(&(session.to_owned(), name.clone())) {
            self.again += 1;
            name = format!("{message}-{}.{ending}", self.again);
        }
        let kept = Kept {
            file: file.clone(),
            message: message.to_owned(),
            gone: false,
            until,
        };
        self.kept.insert((session.to_owned(), name.clone()), kept);
        name
    }

    pub(crate) fn get(&self, session: &str, name: &str) -> Option<MediaFile> {
        let kept = self.kept.get(&(session.to_owned(), name.to_owned()))?;
        kept.is_there().then(|| kept.file.clone())
    }

    /// As if the lifetime of all were over.
    pub(crate) fn expire(&mut self) {
        for kept in self.kept.values_mut() {
            kept.gone = true;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}

/// The file name's ending.
fn ending(mimetype: &str) -> &str {
    let plain = mimetype.split(';').next().unwrap_or_default().trim();
    match plain {
        "image/jpeg" => "jpeg",
        "audio/ogg" => "oga",
        "audio/mpeg" => "mp3",
        "text/plain" => "txt",
        _ => match plain.split_once('/') {
            Some((_, kind)) if kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) => kind,
            _ => "bin",
        },
    }
}

/// What a message is shown for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Showing {
    /// A callback; the file is downloaded for it.
    Event,
    /// A list of messages.
    List { download: bool },
    /// The answer to a question for this message.
    One { download: bool },
}

impl Sim {
    /// The message with its file, put up to be fetched.
    pub(crate) fn show(&self, session: &Session, message: &Message, showing: Showing) -> Value {
        let me = session.state().own_id();
        let mut shown = message.show(self.world.config.engine, &me);
        if message.has_media() {
            shown["media"] = self.show_media(session, message, showing);
        }
        shown
    }

    fn show_media(&self, session: &Session, message: &Message, showing: Showing) -> Value {
        let Some(file) = message.content.file() else {
            return Value::Null;
        };
        let (download, by_id) = match showing {
            Showing::Event => (true, false),
            Showing::List { download } => (download, false),
            Showing::One { download } => (download, true),
        };
        let media = |url: Value, error: Value| {
            json!({
                "url": url,
                "mimetype": file.mimetype,
                "filename": message.content.shown_filename(),
                "error": error,
            })
        };
        if !download {
            // Later versions say at least what it is.
            return if since(&self.world.config, [2026, 8, 2]) {
                media(Value::Null, Value::Null)
            } else {
                Value::Null
            };
        }
        if lock(&self.world.faults).drops_media(by_id) {
            let details = "failed to download media: unexpected status code 403";
            return media(Value::Null, json!({"code": 13, "details": details}));
        }
        let config = &self.world.config;
        let until = config.files_lifetime.map(|life| Instant::now() + life);
        let name = lock(&self.world.files).put(&session.name, &message.id, file, until);
        let base = config.base_url.trim_end_matches('/');
        let url = format!("{base}/api/files/{}/{name}", session.name);
        media(json!(url), Value::Null)
    }

    /// The file of a request: given within, or fetched from where it is said to be.
    pub(crate) async fn load(&self, file: &Value, default: &str) -> Result<MediaFile, ApiError> {
        if !file.is_object() {
            let shown = if file.is_null() {
                "undefined".to_owned()
            } else {
                file.to_string()
            };
            return Err(ApiError::engine(
                "TypeError",
                format!("Cannot use 'in' operator to search for 'url' in {shown}"),
            ));
        }
        let data = match (file["url"].as_str(), file["data"].as_str()) {
            (Some(url), _) => self.fetch(url).await?,
            (None, Some(data)) => decode_base64(data),
            (None, None) => {
                return Err(ApiError::engine(
                    "TypeError",
                    "The first argument must be of type string or an instance of Buffer, \
                     ArrayBuffer, or Array or an Array-like Object. Received undefined",
                ));
            }
        };
        let text = |name: &str| file[name].as_str().filter(|text| !text.is_empty());
        Ok(MediaFile {
            mimetype: text("mimetype").unwrap_or(default).to_owned(),
            filename: text("filename").map(str::to_owned),
            data,
        })
    }

    async fn fetch(&self, url: &str) -> Result<axum::body::Bytes, ApiError> {
        let courier: &Courier = &self.world.courier;
        let agent = format!("WAHA/{}", self.world.config.version);
        let failed = |message: String| ApiError::engine("AxiosError", message);
        let client = courier
            .client(&agent)
            .ok_or_else(|| failed("no HTTP client".to_owned()))?;
        let answer = client
            .get(url)
            .send()
            .await
            .map_err(|error| failed(format!("fetch failed: {error}")))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(failed(format!(
                "Request failed with status code {}",
                status.as_u16()
            )));
        }
        answer
            .bytes()
            .await
            .map_err(|error| failed(format!("aborted: {error}")))
    }
}

/// Whether the imitated WAHA is at least of that version.
pub(crate) fn since(config: &Config, version: [u32; 3]) -> bool {
    let mut parts = config
        .version
        .split('.')
        .map(|part| part.parse().unwrap_or(0));
    let own: [u32; 3] = std::array::from_fn(|_| parts.next().unwrap_or(0));
    own >= version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_number_by_number() {
        let of = |version: &str| Config {
            version: version.to_owned(),
            ..Config::quick("key")
        };
        assert!(since(&of("2026.8.2"), [2026, 8, 2]));
        assert!(since(&of("2026.10.1"), [2026, 8, 2]));
        assert!(!since(&of("2026.7.1"), [2026, 8, 2]));
        assert!(!since(&of("2025.12.9"), [2026, 8, 2]));
    }

    #[test]
    fn a_file_put_up_again_after_its_end_has_another_name() {
        let mut files = Files::default();
        let file = MediaFile::new("image/png", *b"png");
        let first = files.put("main", "AAAA", &file, None);
        assert_eq!(files.put("main", "AAAA", &file, None), first);
        files.expire();
        assert!(files.get("main", &first).is_none());
        let second = files.put("main", "AAAA", &file, None);
        assert_ne!(first, second);
        assert_eq!(files.get("main", &second), Some(file));
    }
}
