use mf_domain::{Direction, WaMessageId};
use mf_http_kit::{
    ApiError, ApiResult, Caller, Path, Reply,
    caller::MessagesRead,
    openapi::{AuthErrors, NotFoundError, ParamErrors, ServerErrors},
};
use uuid::Uuid;

use super::dto::MessageOut;

/// Get a message
///
/// By its id here or at WhatsApp. An API key sees what others wrote only where the tenant
/// allows it to read the history.
#[utoipa::path(
    get, path = "/messages/{message_id}", tag = "messages",
    params(("message_id" = String, Path, description = "The message's UUID, or WhatsApp's id")),
    security(("ApiKeyAuth" = ["messages:read"]), ("BearerAuth" = ["messages:read"])),
    responses((status = 200, body = MessageOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn get_message(
    caller: Caller<MessagesRead>,
    Path(id): Path<String>,
) -> ApiResult<Reply<MessageOut>> {
    let mut tx = caller.begin().await?;
    // Phones mint ids of 32 hexadecimal digits: without hyphens it is WhatsApp's.
    let message = match Uuid::try_parse(&id) {
        Ok(uuid) if id.contains('-') => tx.messages().lookup(uuid.into()).await?,
        _ => tx.messages().lookup_wa(&WaMessageId::new(id)).await?,
    };
    let message = message.ok_or_else(|| ApiError::not_found("Message"))?;
    let open = tx.tenants().current().await?.chat_history_access_enabled;
    tx.commit().await?;
    if message.direction == Direction::Inbound && caller.is_api_key() && !open {
        return Err(ApiError::forbidden(
            "API keys may not read the chat history: turn on chat_history_access_enabled in the \
             tenant's settings",
        ));
    }
    Ok(Reply(message.into()))
}
