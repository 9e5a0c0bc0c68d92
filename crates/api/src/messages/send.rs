use axum::http::StatusCode;
use mf_domain::MessageText;
use mf_http_kit::{
    ApiError, ApiResult, Body, Caller, Faults, Reply,
    caller::MessagesSend,
    openapi::{AuthErrors, EngineErrors, InputErrors, NotFoundError, ServerErrors},
};
use mf_services::{SendRefused, TextMessage};

use super::dto::{MessageSend, MessageSentOut};

/// Send a message
///
/// Answers once WhatsApp has it, with `status` `sent`; or `pending` where the engine is away
/// or the session on its way back: then it leaves by itself, within an hour.
#[utoipa::path(
    post, path = "/messages/send", tag = "messages", request_body = MessageSend,
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 201, body = MessageSentOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn send_message(
    caller: Caller<MessagesSend>,
    Body(body): Body<MessageSend>,
) -> ApiResult<(StatusCode, Reply<MessageSentOut>)> {
    if body.has_media() {
        return Err(ApiError::bad_request(
            "This server sends text only: leave out media_url and media_base64",
        ));
    }
    let to = body
        .recipient()
        .map_err(|(field, invalid)| ApiError::invalid(Faults::body(field, invalid)))?;
    let text = MessageText::parse(body.message)
        .map_err(|invalid| ApiError::invalid(Faults::body("message", invalid)))?;
    let message = TextMessage {
        session_id: body.session_id.into(),
        to,
        text,
        reply_to: body.reply_to,
        queue: body.queue,
    };
    let message = caller
        .services
        .send_text(caller.tenant(), message)
        .await
        .map_err(refused)?;
    Ok((StatusCode::CREATED, Reply(message.into())))
}

fn refused(refusal: SendRefused) -> ApiError {
    match refusal {
        SendRefused::SessionNotFound => ApiError::not_found("Session"),
        SendRefused::ChatNotFound => ApiError::not_found("Chat"),
        SendRefused::ReplyNotFound | SendRefused::NotConnected(_) => {
            ApiError::bad_request(refusal.to_string())
        }
        SendRefused::Away => ApiError::bad_gateway(refusal.to_string()),
        SendRefused::Refused(error) | SendRefused::Engine(error) => error.into(),
        SendRefused::Failed(error) => error.into(),
    }
}
