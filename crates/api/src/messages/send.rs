use axum::http::StatusCode;
use mf_engine::{EngineError, MediaKind};
use mf_http_kit::{
    ApiError, ApiResult, Body, Caller, Reply, Upload,
    caller::MessagesSend,
    openapi::{AuthErrors, EngineErrors, InputErrors, NotFoundError, ServerErrors},
};
use mf_services::{Draft, MediaRefused, Recipient, SendRefused, SendRequest};

use super::{
    dto::MessageSentOut,
    form_dto::{MediaForm, MessageForm},
    kinds_dto::{ContactSend, LocationSend, PollSend, SendTarget},
    media_dto::{MediaSend, MessageSend},
};

type Sent = ApiResult<(StatusCode, Reply<MessageSentOut>)>;

/// Send a message
///
/// Words, a file, or both. Answers once WhatsApp has it, with `status` `sent`; or `pending`
/// where the engine is away or the session on its way back: then it leaves by itself, within
/// an hour. Files come by address, in base64, or in a form (`multipart/form-data`, field
/// `file`).
#[utoipa::path(
    post, path = "/messages/send", tag = "messages",
    request_body(content((MessageSend = "application/json"), (MessageForm = "multipart/form-data"))),
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 201, body = MessageSentOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn send_message(
    caller: Caller<MessagesSend>,
    Upload {
        input,
        file,
        place: _place,
    }: Upload<MessageSend>,
) -> Sent {
    let request = SendRequest {
        session_id: input.session_id.into(),
        to: input.target().recipient()?,
        draft: input.draft(file)?,
        reply_to: input.reply_to.filter(|id| !id.is_empty()),
        queue: input.queue,
    };
    answer(&caller, request).await
}

/// Send a sticker
///
/// A WebP picture, by `sticker_url`, `media_url`, in base64, or in a form.
#[utoipa::path(
    post, path = "/messages/send/sticker", tag = "messages",
    request_body(content((MediaSend = "application/json"), (MediaForm = "multipart/form-data"))),
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 201, body = MessageSentOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn send_sticker(caller: Caller<MessagesSend>, upload: Upload<MediaSend>) -> Sent {
    send_media(&caller, upload, MediaKind::Sticker).await
}

/// Send a GIF
///
/// A GIF or an MP4, by `gif_url`, `media_url`, in base64, or in a form. It plays again and
/// again, without sound.
#[utoipa::path(
    post, path = "/messages/send/gif", tag = "messages",
    request_body(content((MediaSend = "application/json"), (MediaForm = "multipart/form-data"))),
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 201, body = MessageSentOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn send_gif(caller: Caller<MessagesSend>, upload: Upload<MediaSend>) -> Sent {
    send_media(&caller, upload, MediaKind::Gif).await
}

/// Send a voice note
///
/// Opus in Ogg is sent as it is; other sound is converted by the engine.
#[utoipa::path(
    post, path = "/messages/send/voice", tag = "messages",
    request_body(content((MediaSend = "application/json"), (MediaForm = "multipart/form-data"))),
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 201, body = MessageSentOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn send_voice(caller: Caller<MessagesSend>, upload: Upload<MediaSend>) -> Sent {
    send_media(&caller, upload, MediaKind::Voice).await
}

/// Send a poll
///
/// What is chosen comes as `poll.vote`.
#[utoipa::path(
    post, path = "/messages/send/poll", tag = "messages", request_body = PollSend,
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 201, body = MessageSentOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn send_poll(caller: Caller<MessagesSend>, Body(body): Body<PollSend>) -> Sent {
    let poll = body.poll();
    send_draft(&caller, body.to, Draft::Poll(poll)).await
}

/// Send a location
#[utoipa::path(
    post, path = "/messages/send/location", tag = "messages", request_body = LocationSend,
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 201, body = MessageSentOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn send_location(
    caller: Caller<MessagesSend>,
    Body(body): Body<LocationSend>,
) -> Sent {
    let place = body.place();
    send_draft(&caller, body.to, Draft::Location(place)).await
}

/// Send contact cards
#[utoipa::path(
    post, path = "/messages/send/contact", tag = "messages", request_body = ContactSend,
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 201, body = MessageSentOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn send_contact(
    caller: Caller<MessagesSend>,
    Body(body): Body<ContactSend>,
) -> Sent {
    let cards = body.cards();
    send_draft(&caller, body.to, Draft::Contacts(cards)).await
}

async fn send_media(
    caller: &Caller<MessagesSend>,
    Upload {
        input,
        file,
        place: _place,
    }: Upload<MediaSend>,
    kind: MediaKind,
) -> Sent {
    let request = SendRequest {
        session_id: input.session_id.into(),
        to: input.target().recipient()?,
        draft: input.draft(kind, file)?,
        reply_to: input.reply_to.filter(|id| !id.is_empty()),
        queue: input.queue,
    };
    answer(caller, request).await
}

async fn send_draft(caller: &Caller<MessagesSend>, to: SendTarget, draft: Draft) -> Sent {
    let request = SendRequest {
        session_id: to.session_id.into(),
        to: to.target().recipient()?,
        draft,
        reply_to: to.reply_to.filter(|id| !id.is_empty()),
        queue: to.queue,
    };
    answer(caller, request).await
}

async fn answer(caller: &Caller<MessagesSend>, request: SendRequest) -> Sent {
    let services = &caller.services;
    let message = services.send(caller.tenant(), request).await;
    let message = message.map_err(refused)?;
    let shown = MessageSentOut::new(message, services);
    Ok((StatusCode::CREATED, Reply(shown)))
}

pub(super) fn refused(refusal: SendRefused) -> ApiError {
    match refusal {
        SendRefused::SessionNotFound => ApiError::not_found("Session"),
        SendRefused::ChatNotFound => ApiError::not_found("Chat"),
        SendRefused::ReplyNotFound | SendRefused::NotConnected(_) => {
            ApiError::bad_request(refusal.to_string())
        }
        SendRefused::Media(refused @ MediaRefused::TooLarge) => {
            ApiError::too_large_because(refused.to_string())
        }
        SendRefused::Media(MediaRefused::Failed(error)) | SendRefused::Failed(error) => {
            error.into()
        }
        SendRefused::Media(MediaRefused::Store(error)) => ApiError::internal(error),
        SendRefused::Media(refused) => ApiError::bad_request(refused.to_string()),
        SendRefused::Unknown {
            error: EngineError::Timeout,
            ..
        } => ApiError::gateway_timeout(refusal.to_string()),
        SendRefused::Away | SendRefused::Unknown { .. } => {
            ApiError::bad_gateway(refusal.to_string())
        }
        SendRefused::Refused(error) | SendRefused::Engine(error) => error.into(),
    }
}

/// A chat in a path, with the session that it is in.
pub(super) fn chat_in_path(chat: &str) -> ApiResult<Recipient> {
    super::target::recipient(chat)
        .map_err(|invalid| ApiError::invalid(mf_http_kit::Faults::path("chat_id", invalid)))
}
