use mf_domain::{Direction, Scope};
use mf_http_kit::{ApiError, ApiResult, Caller};
use mf_store::{Message, TenantTx};

/// Refuses API keys the history of chats unless the tenant lets them read it. Whoever logged
/// in may read what their role lets them read.
pub(super) async fn let_read_history<P>(caller: &Caller<P>, tx: &mut TenantTx) -> ApiResult<()> {
    if !caller.is_api_key() || tx.tenants().settings().await?.chat_history_access_enabled {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "API keys may not read the chat history: turn on chat_history_access_enabled with \
         PATCH /api/v2/tenant/settings",
    ))
}

/// Leaves out what others wrote where the caller may send and not read: whoever may put a star on
/// a message does not learn thereby what it says.
pub(super) async fn without_what_may_not_be_read<P>(
    caller: &Caller<P>,
    message: Message,
) -> ApiResult<Message> {
    if message.direction == Direction::Outbound || !caller.is_api_key() {
        return Ok(message);
    }
    let mut tx = caller.begin().await?;
    let open = let_read_history(caller, &mut tx).await.is_ok();
    tx.commit().await?;
    if open && caller.scopes().allows(Scope::MessagesRead) {
        return Ok(message);
    }
    Ok(Message {
        content: None,
        content_preview: None,
        extra: None,
        media: None,
        reactions: None,
        poll_votes: None,
        sender_phone: None,
        sender_lid: None,
        sender_name: None,
        ..message
    })
}
