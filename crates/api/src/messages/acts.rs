use mf_domain::MessageText;
use mf_domain::SessionId;
use mf_http_kit::{
    ApiError, ApiResult, Body, Caller, Faults, OptionalBody, Path, Reply,
    caller::MessagesSend,
    openapi::{AuthErrors, EngineErrors, InputErrors, NotFoundError, ParamErrors, ServerErrors},
};
use mf_services::ActRefused;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access::without_what_may_not_be_read,
    dto::MessageOut,
    kinds_dto::{MessageEdit, MessageStar, ReactionSend, TypingIn},
    send::chat_in_path,
};

/// That something was done.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {
    /// Always true.
    success: bool,
}

const DONE: Reply<Done> = Reply(Done { success: true });

/// React to a message
///
/// With one emoji; an empty one takes the reaction back.
#[utoipa::path(
    post, path = "/messages/send/reaction", tag = "messages", request_body = ReactionSend,
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 200, body = MessageOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn send_reaction(
    caller: Caller<MessagesSend>,
    Body(body): Body<ReactionSend>,
) -> ApiResult<Reply<MessageOut>> {
    let session = Some(body.session_id.into());
    let services = &caller.services;
    let message = services
        .react(caller.tenant(), session, &body.message_id, &body.reaction)
        .await
        .map_err(refused)?;
    let message = without_what_may_not_be_read(&caller, message).await?;
    Ok(Reply(MessageOut::new(message, services)))
}

/// Edit a message
///
/// Of our own, its words or its caption. WhatsApp allows it for about a quarter of an hour.
#[utoipa::path(
    post, path = "/messages/{message_id}/edit", tag = "messages", request_body = MessageEdit,
    params(("message_id" = String, Path, description = "The message's UUID, or WhatsApp's id")),
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 200, body = MessageOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn edit_message(
    caller: Caller<MessagesSend>,
    Path(id): Path<String>,
    Body(body): Body<MessageEdit>,
) -> ApiResult<Reply<MessageOut>> {
    let text = MessageText::parse(body.message)
        .map_err(|invalid| ApiError::invalid(Faults::body("message", invalid)))?;
    let services = &caller.services;
    let message = services.edit(caller.tenant(), &id, &text).await;
    let message = message.map_err(refused)?;
    Ok(Reply(MessageOut::new(message, services)))
}

/// Take a message back
///
/// For everybody, where WhatsApp still allows it. What it said is removed here as well.
#[utoipa::path(
    delete, path = "/messages/{message_id}", tag = "messages",
    params(("message_id" = String, Path, description = "The message's UUID, or WhatsApp's id")),
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 200, body = MessageOut),
        AuthErrors, NotFoundError, ParamErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn unsend_message(
    caller: Caller<MessagesSend>,
    Path(id): Path<String>,
) -> ApiResult<Reply<MessageOut>> {
    let services = &caller.services;
    let message = services.unsend(caller.tenant(), &id).await;
    let message = message.map_err(refused)?;
    Ok(Reply(MessageOut::new(message, services)))
}

/// Star a message
#[utoipa::path(
    post, path = "/messages/{message_id}/star", tag = "messages", request_body = MessageStar,
    params(("message_id" = String, Path, description = "The message's UUID, or WhatsApp's id")),
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 200, body = MessageOut),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn star_message(
    caller: Caller<MessagesSend>,
    Path(id): Path<String>,
    Body(body): Body<MessageStar>,
) -> ApiResult<Reply<MessageOut>> {
    let services = &caller.services;
    let message = services.star(caller.tenant(), &id, body.star).await;
    let message = message.map_err(refused)?;
    let message = without_what_may_not_be_read(&caller, message).await?;
    Ok(Reply(MessageOut::new(message, services)))
}

/// Mark a chat as read
///
/// The writers see it, and nothing in the chat counts as unread any more.
#[utoipa::path(
    post, path = "/messages/chat/{session_id}/{chat_id}/read", tag = "messages",
    params(
        ("session_id" = Uuid, Path, description = "The session's id"),
        ("chat_id" = String, Path, description = "The chat's UUID, or WhatsApp's id"),
    ),
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 200, body = Done),
        AuthErrors, NotFoundError, ParamErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn mark_chat_read(
    caller: Caller<MessagesSend>,
    Path((session, chat)): Path<(Uuid, String)>,
) -> ApiResult<Reply<Done>> {
    let chat = chat_in_path(&chat)?;
    caller
        .services
        .mark_chat_read(caller.tenant(), SessionId::from(session), &chat)
        .await
        .map_err(refused)?;
    Ok(DONE)
}

/// Show that somebody is typing
///
/// Or, with `{"typing": false}`, that nobody is any more.
#[utoipa::path(
    post, path = "/messages/chat/{session_id}/{chat_id}/typing", tag = "messages",
    request_body = Option<TypingIn>,
    params(
        ("session_id" = Uuid, Path, description = "The session's id"),
        ("chat_id" = String, Path, description = "The chat's UUID, or WhatsApp's id"),
    ),
    security(("ApiKeyAuth" = ["messages:send"]), ("BearerAuth" = ["messages:send"])),
    responses(
        (status = 200, body = Done),
        AuthErrors, NotFoundError, InputErrors, EngineErrors, ServerErrors,
    ),
)]
pub(crate) async fn show_typing(
    caller: Caller<MessagesSend>,
    Path((session, chat)): Path<(Uuid, String)>,
    OptionalBody(body): OptionalBody<TypingIn>,
) -> ApiResult<Reply<Done>> {
    let chat = chat_in_path(&chat)?;
    caller
        .services
        .show_typing(
            caller.tenant(),
            SessionId::from(session),
            &chat,
            body.typing,
        )
        .await
        .map_err(refused)?;
    Ok(DONE)
}

fn refused(refusal: ActRefused) -> ApiError {
    match refusal {
        ActRefused::SessionNotFound => ApiError::not_found("Session"),
        ActRefused::ChatNotFound => ApiError::not_found("Chat"),
        ActRefused::MessageNotFound => ApiError::not_found("Message"),
        ActRefused::NotSent | ActRefused::NotOurs | ActRefused::Unsent | ActRefused::NoWords => {
            ApiError::bad_request(refusal.to_string())
        }
        ActRefused::NotConnected(_) => ApiError::bad_request(refusal.to_string()),
        ActRefused::Failed(error) => error.into(),
    }
}
