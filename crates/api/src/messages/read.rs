use mf_domain::Direction;
use mf_http_kit::{
    ApiError, ApiResult, Caller, Path, Reply,
    caller::MessagesRead,
    openapi::{AuthErrors, NotFoundError, ParamErrors, ServerErrors},
};

use super::{access::let_read_history, dto::MessageOut, history::find_message};

/// Get a message
///
/// By its id here or at WhatsApp. An API key sees what others wrote only where the tenant
/// lets keys read the history.
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
    let mut tx = caller.begin_reading().await?;
    let message = find_message(&mut tx, None, &id).await?;
    let message = message.ok_or_else(|| ApiError::not_found("Message"))?;
    if message.direction == Direction::Inbound {
        let_read_history(&caller, &mut tx).await?;
    }
    tx.commit().await?;
    Ok(Reply(MessageOut::new(message, &caller.services)))
}
