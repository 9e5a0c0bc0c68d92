use mf_domain::{Invalid, Jid, SessionId, WaMessageId};
use mf_http_kit::{
    ApiError, ApiResult, Caller, Faults, Path, Query, Reply,
    caller::MessagesRead,
    openapi::{AuthErrors, NotFoundError, ParamErrors, ServerErrors},
};
use mf_services::Recipient;
use mf_store::{ChatRef, ChatRow, Cursor, Message, PageSpec, TenantTx};
use uuid::Uuid;

use super::{
    access::let_read_history,
    dto::MessageOut,
    history_dto::{ChatOut, ChatQuery, ChatsOrHistory, HistoryOut, HistoryQuery, said},
    target,
};

/// List chats
///
/// Of all sessions, the last active first.
#[utoipa::path(
    get, path = "/messages/chats", tag = "messages", params(ChatQuery),
    security(("ApiKeyAuth" = ["messages:read"]), ("BearerAuth" = ["messages:read"])),
    responses((status = 200, body = Vec<ChatOut>), AuthErrors, ParamErrors, ServerErrors),
)]
pub(crate) async fn list_chats(
    caller: Caller<MessagesRead>,
    Query(query): Query<ChatQuery>,
) -> ApiResult<Reply<Vec<ChatOut>>> {
    let mut tx = caller.begin_reading().await?;
    let_read_history(&caller, &mut tx).await?;
    let search = said(query.search.as_ref());
    let chats = tx
        .chats()
        .list(None, search, query.limit, query.offset)
        .await?;
    tx.commit().await?;
    Ok(Reply(chats.into_iter().map(ChatOut::from).collect()))
}

/// List a session's chats, or a chat's messages
///
/// With a session's id: its chats, the last active first, as a bare list. With a chat's id,
/// here or at WhatsApp, or a number: its messages, as at `/messages/chat`; where several
/// sessions have that chat, of the one that was active last.
#[utoipa::path(
    get, path = "/messages/chats/{chat}", tag = "messages",
    params(
        ("chat" = String, Path, description = "A session's UUID; or a chat's UUID, or WhatsApp's id of it"),
        HistoryQuery,
    ),
    security(("ApiKeyAuth" = ["messages:read"]), ("BearerAuth" = ["messages:read"])),
    responses((status = 200, body = ChatsOrHistory), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn list_session_chats(
    caller: Caller<MessagesRead>,
    Path(named): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<Reply<ChatsOrHistory>> {
    let named = chat_in_path("chat", &named)?;
    let mut tx = caller.begin_reading().await?;
    let_read_history(&caller, &mut tx).await?;
    if let Recipient::Chat(id) = named {
        let session = SessionId::from(id.uuid());
        if tx.sessions().lookup(session).await?.is_some() {
            let search = said(query.search.as_ref());
            let chats = tx
                .chats()
                .list(Some(session), search, query.limit, query.offset)
                .await?;
            tx.commit().await?;
            let chats = chats.into_iter().map(ChatOut::from).collect();
            return Ok(Reply(ChatsOrHistory::Chats(chats)));
        }
    }
    let chat = match &named {
        // A UUID of nothing is first of all not a session's.
        Recipient::Chat(id) => (ChatRef::Id(*id), "Session"),
        Recipient::Jid(jid) => (ChatRef::Jid { session: None, jid }, "Chat"),
    };
    let found = tx.chats().find(chat.0).await?;
    let found = found.ok_or_else(|| ApiError::not_found(chat.1))?;
    let page = read_page(&caller, &mut tx, &found, &query).await?;
    tx.commit().await?;
    Ok(Reply(ChatsOrHistory::History(page)))
}

/// List a chat's messages
///
/// Newest first. An API key may do so only where the tenant lets keys read the history:
/// `chat_history_access_enabled` in its settings.
#[utoipa::path(
    get, path = "/messages/chat/{session_id}/{chat_id}", tag = "messages",
    params(
        ("session_id" = Uuid, Path, description = "The session's id"),
        ("chat_id" = String, Path, description = "The chat's UUID, or WhatsApp's id, or a number"),
        HistoryQuery,
    ),
    security(("ApiKeyAuth" = ["messages:read"]), ("BearerAuth" = ["messages:read"])),
    responses((status = 200, body = HistoryOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn list_chat_messages(
    caller: Caller<MessagesRead>,
    Path((session, named)): Path<(Uuid, String)>,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<Reply<HistoryOut>> {
    let session = SessionId::from(session);
    let named = chat_in_path("chat_id", &named)?;
    let mut tx = caller.begin_reading().await?;
    let_read_history(&caller, &mut tx).await?;
    if tx.sessions().lookup(session).await?.is_none() {
        return Err(ApiError::not_found("Session"));
    }
    let chat = match &named {
        Recipient::Chat(id) => ChatRef::Id(*id),
        Recipient::Jid(jid) => ChatRef::Jid {
            session: Some(session),
            jid,
        },
    };
    let found = tx.chats().find(chat).await?;
    let found = found
        .filter(|chat| chat.session_id == session)
        .ok_or_else(|| ApiError::not_found("Chat"))?;
    let page = read_page(&caller, &mut tx, &found, &query).await?;
    tx.commit().await?;
    Ok(Reply(page))
}

/// A chat by WhatsApp's id, by ours, or by the bare number. Lists that cannot be written to
/// can be read.
fn chat_in_path(parameter: &'static str, text: &str) -> ApiResult<Recipient> {
    let chat = if text.contains('@') {
        Jid::parse(text).map(Recipient::Jid)
    } else {
        target::recipient(text)
    };
    chat.map_err(|invalid| ApiError::invalid(Faults::path(parameter, invalid)))
}

async fn read_page(
    caller: &Caller<MessagesRead>,
    tx: &mut TenantTx,
    chat: &ChatRow,
    query: &HistoryQuery,
) -> ApiResult<HistoryOut> {
    let spec = PageSpec {
        // One more, to know whether there is more.
        limit: query.limit.saturating_add(1),
        offset: query.offset,
        before: cursor(tx, chat, "before", said(query.before.as_ref())).await?,
        after: cursor(tx, chat, "after", said(query.after.as_ref())).await?,
        search: said(query.search.as_ref()),
    };
    let (mut messages, total) = tx.messages().page(chat.id, &spec).await?;
    let limit = usize::try_from(query.limit).unwrap_or(0);
    let has_more = messages.len() > limit;
    let forwards = spec.after.is_some() && spec.before.is_none();
    // The one too many is the farthest: the newest, where the page goes on to newer ones.
    let surplus = messages.len().saturating_sub(limit);
    if forwards {
        messages.drain(..surplus);
    } else {
        messages.truncate(limit);
    }
    let services = &caller.services;
    let shown = |message| MessageOut::new(message, services);
    Ok(HistoryOut {
        messages: messages.into_iter().map(shown).collect(),
        total,
        limit: query.limit,
        offset: query.offset,
        has_more,
    })
}

/// Where the page begins or ends: a message of this very chat.
async fn cursor(
    tx: &mut TenantTx,
    chat: &ChatRow,
    parameter: &'static str,
    id: Option<&str>,
) -> ApiResult<Option<Cursor>> {
    let Some(id) = id else {
        return Ok(None);
    };
    let message = find_message(tx, Some(chat.session_id), id).await?;
    let Some(message) = message.filter(|message| message.chat_id == chat.id) else {
        let invalid = Invalid::new("value_error.message_id", "no such message in this chat");
        return Err(ApiError::invalid(Faults::query(parameter, invalid)));
    };
    Ok(tx.messages().cursor(message.id).await?)
}

/// A message by its id here or at WhatsApp.
pub(super) async fn find_message(
    tx: &mut TenantTx,
    session: Option<SessionId>,
    id: &str,
) -> ApiResult<Option<Message>> {
    // Phones mint ids of 32 hexadecimal digits: without hyphens it is WhatsApp's.
    if let Ok(uuid) = Uuid::try_parse(id)
        && id.contains('-')
    {
        return Ok(tx.messages().lookup(uuid.into()).await?);
    }
    let id = WaMessageId::new(id);
    Ok(match session {
        Some(session) => tx.messages().lookup_in(session, &id).await?,
        None => tx.messages().lookup_wa(&id).await?,
    })
}
