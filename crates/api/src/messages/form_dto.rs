//! Bodies as forms, for the document: the same fields, and a file beside them.

use utoipa::ToSchema;

use super::media_dto::{MediaSend, MessageSend};

/// The bytes of a file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it only documents")]
pub(crate) struct FileBytes(Vec<u8>);

/// A message to send, as a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only documents")]
pub(crate) struct MessageForm {
    #[serde(flatten)]
    fields: MessageSend,
    /// The file.
    #[schema(value_type = String, format = Binary, required = false)]
    file: Option<FileBytes>,
}

/// A file to send as a sticker, a GIF or a voice note, as a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only documents")]
pub(crate) struct MediaForm {
    #[serde(flatten)]
    fields: MediaSend,
    /// The file.
    #[schema(value_type = String, format = Binary, required = false)]
    file: Option<FileBytes>,
}
