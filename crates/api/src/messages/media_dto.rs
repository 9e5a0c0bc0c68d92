use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use mf_domain::{Invalid, MessageText};
use mf_engine::MediaKind;
use mf_http_kit::{ApiError, Faults, Input, UploadedFile};
use mf_services::{Draft, MediaSource};
use serde::{Deserialize, de::IgnoredAny};
use utoipa::ToSchema;
use uuid::Uuid;

use super::target::{self, Target};

/// What most clients mean by base64, with or without the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A message to send: words, a file, or a file with words below it.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MessageSend {
    /// Through which session.
    pub(crate) session_id: Uuid,
    /// To whom: WhatsApp's id of the chat, such as `15551234567@c.us` or `…@g.us`, or the
    /// chat's UUID. One of `chat_id` and `phone` is required.
    #[schema(max_length = 128, example = "15551234567@c.us")]
    pub(crate) chat_id: Option<String>,
    /// To whom: the number with its country code.
    #[schema(max_length = 64, example = "15551234567")]
    pub(crate) phone: Option<String>,
    /// What: 1 to 4,096 characters. With a file it is the caption, and may be left out.
    #[schema(max_length = 4096, example = "Hello from MoltFlow")]
    pub(crate) message: Option<String>,
    /// A file to send, by its address: fetched by this server, up to 64 MB. What it is is told
    /// by its bytes.
    #[schema(max_length = 2048, example = "https://example.com/picture.jpg")]
    pub(crate) media_url: Option<String>,
    /// A file to send, in base64.
    pub(crate) media_base64: Option<String>,
    /// The file's name, as the recipient sees it.
    #[schema(max_length = 255)]
    pub(crate) filename: Option<String>,
    /// The file's type, believed only where its bytes do not tell.
    #[schema(max_length = 127)]
    pub(crate) mimetype: Option<String>,
    /// The message that it answers: its id here or at WhatsApp.
    #[schema(max_length = 128)]
    pub(crate) reply_to: Option<String>,
    /// Whether it may wait where the engine is away. `false` asks for an error instead.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(crate) queue: bool,
    /// A form brings a file: see `Upload`.
    #[serde(default)]
    #[schema(ignore)]
    file: Option<IgnoredAny>,
}

pub(super) const fn yes() -> bool {
    true
}

impl MessageSend {
    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            chat_id: self.chat_id.as_deref(),
            phone: self.phone.as_deref(),
        }
    }

    /// Without blanks alone: clients send `""` with a file.
    fn words(&self) -> Option<&str> {
        self.message
            .as_deref()
            .filter(|text| !text.trim().is_empty())
    }

    fn has_media(&self) -> bool {
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        given(&self.media_url) || given(&self.media_base64) || self.file.is_some()
    }

    /// What is to be said. `file` came with the form.
    pub(crate) fn draft(&self, file: Option<UploadedFile>) -> Result<Draft, ApiError> {
        let words = self.words().map(MessageText::parse).transpose();
        let words = words.map_err(|invalid| ApiError::invalid(Faults::body("message", invalid)))?;
        let given = Given {
            urls: &[self.media_url.as_deref()],
            base64: &[("media_base64", self.media_base64.as_deref())],
            filename: self.filename.as_deref(),
            mimetype: self.mimetype.as_deref(),
        };
        match (given.source(file)?, words) {
            (Some(source), caption) => Ok(source.draft(None, caption)),
            (None, Some(text)) => Ok(Draft::Text(text)),
            (None, None) => Err(ApiError::invalid(Faults::body("message", missing()))),
        }
    }
}

fn missing() -> Invalid {
    Invalid::new("value_error.missing", "field required")
}

impl Input for MessageSend {
    const ONE_OF: &'static [&'static [&'static str]] = &[
        target::ONE,
        &["message", "media_url", "media_base64", "file"],
    ];

    fn check(&self, faults: &mut Faults) {
        self.target().check(faults);
        match &self.message {
            None if self.has_media() => {}
            // An empty address is none, and no words either.
            None if self.media_url.is_some() || self.media_base64.is_some() => {
                faults.add("message", missing());
            }
            None => {}
            Some(_) if self.has_media() && self.words().is_none() => {}
            Some(text) => {
                faults.keep("message", MessageText::parse(text.as_str()));
            }
        }
    }
}

/// A file to send as a sticker, a GIF or a voice note.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MediaSend {
    /// Through which session.
    pub(crate) session_id: Uuid,
    /// To whom: WhatsApp's id of the chat, or the chat's UUID. One of `chat_id` and `phone` is
    /// required.
    #[schema(max_length = 128, example = "15551234567@c.us")]
    pub(crate) chat_id: Option<String>,
    /// To whom: the number with its country code.
    #[schema(max_length = 64, example = "15551234567")]
    pub(crate) phone: Option<String>,
    /// The file's address. Of the four, and of a form's file, one is needed.
    #[schema(max_length = 2048)]
    media_url: Option<String>,
    /// The same as `media_url`, for stickers.
    #[schema(max_length = 2048)]
    sticker_url: Option<String>,
    /// The same as `media_url`, for GIFs.
    #[schema(max_length = 2048)]
    gif_url: Option<String>,
    /// The file in base64.
    media_base64: Option<String>,
    /// The same as `media_base64`.
    base64: Option<String>,
    /// Words below a GIF.
    #[schema(max_length = 4096)]
    message: Option<String>,
    /// The message that it answers: its id here or at WhatsApp.
    #[schema(max_length = 128)]
    pub(crate) reply_to: Option<String>,
    /// Whether it may wait where the engine is away. `false` asks for an error instead.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(crate) queue: bool,
}

impl MediaSend {
    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            chat_id: self.chat_id.as_deref(),
            phone: self.phone.as_deref(),
        }
    }

    /// The file to be sent, as this kind.
    pub(crate) fn draft(
        &self,
        kind: MediaKind,
        file: Option<UploadedFile>,
    ) -> Result<Draft, ApiError> {
        let given = Given {
            urls: &[
                self.media_url.as_deref(),
                self.sticker_url.as_deref(),
                self.gif_url.as_deref(),
            ],
            base64: &[
                ("media_base64", self.media_base64.as_deref()),
                ("base64", self.base64.as_deref()),
            ],
            filename: None,
            mimetype: None,
        };
        let words = self.message.as_deref().filter(|_| kind == MediaKind::Gif);
        let words = words.filter(|text| !text.trim().is_empty());
        let caption = words.map(MessageText::parse).transpose();
        let caption =
            caption.map_err(|invalid| ApiError::invalid(Faults::body("message", invalid)))?;
        match given.source(file)? {
            Some(source) => Ok(source.draft(Some(kind), caption)),
            None => Err(ApiError::invalid(Faults::body("media_url", missing()))),
        }
    }
}

impl Input for MediaSend {
    const ONE_OF: &'static [&'static [&'static str]] = &[
        target::ONE,
        &[
            "media_url",
            "sticker_url",
            "gif_url",
            "media_base64",
            "base64",
            "file",
        ],
    ];

    fn check(&self, faults: &mut Faults) {
        self.target().check(faults);
    }
}

/// The ways to give a file.
struct Given<'a> {
    urls: &'a [Option<&'a str>],
    base64: &'a [(&'static str, Option<&'a str>)],
    filename: Option<&'a str>,
    mimetype: Option<&'a str>,
}

/// A file that was given.
struct GivenFile {
    source: MediaSource,
    filename: Option<String>,
    mimetype: Option<String>,
}

impl Given<'_> {
    /// The file, however it was given. More than one is a mistake, and none may be left out.
    fn source(&self, file: Option<UploadedFile>) -> Result<Option<GivenFile>, ApiError> {
        // An empty one is none: clients fill in what they do not use.
        let urls = self.urls.iter().flatten().filter(|url| !url.is_empty());
        let texts = self
            .base64
            .iter()
            .filter_map(|(name, text)| Some((*name, text.filter(|text| !text.is_empty())?)));
        let count = urls.clone().count() + texts.clone().count() + usize::from(file.is_some());
        if count > 1 {
            return Err(ApiError::bad_request(
                "Give the file once: by its address, in base64, or in the form",
            ));
        }
        let (filename, mimetype) = (
            self.filename.map(str::to_owned),
            self.mimetype.map(str::to_owned),
        );
        if let Some(file) = file {
            return Ok(Some(GivenFile {
                source: MediaSource::Bytes(file.bytes),
                filename: filename.or(file.filename),
                mimetype: mimetype.or(file.mimetype),
            }));
        }
        let source = match (urls.clone().next(), texts.clone().next()) {
            (Some(url), _) => MediaSource::Url((*url).to_owned()),
            (None, Some((field, text))) => MediaSource::Bytes(decode(field, text)?.into()),
            (None, None) => return Ok(None),
        };
        Ok(Some(GivenFile {
            source,
            filename,
            mimetype,
        }))
    }
}

impl GivenFile {
    fn draft(self, kind: Option<MediaKind>, caption: Option<MessageText>) -> Draft {
        Draft::Media {
            source: self.source,
            kind,
            caption,
            filename: self.filename,
            mimetype: self.mimetype,
        }
    }
}

/// Browsers put `data:image/png;base64,` in front.
fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, ApiError> {
    let text = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(',').map_or(rest, |(_, data)| data),
        None => text,
    };
    // Many programs break it into lines.
    let text: String = text.split_ascii_whitespace().collect();
    BASE64.decode(text).map_err(|_| {
        let invalid = Invalid::new("value_error.base64", "value is not valid base64");
        ApiError::invalid(Faults::body(field, invalid))
    })
}
