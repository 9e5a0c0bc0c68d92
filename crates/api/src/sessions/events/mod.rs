//! The stream of what happens to a session.

mod feed;
mod pass;

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::SubsecRound as _;
use mf_domain::{EventId, EventName, SessionId};
use mf_http_kit::{
    ApiError, ApiResult, Input, Path, Query, StreamCaller,
    caller::SessionsRead,
    openapi::{AuthErrors, NotFoundError, ParamErrors, ServerErrors},
};
use mf_services::{Envelope, Frame, Services, SessionStatusData};
use mf_store::{EventPosition, Session, TenantTx};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use self::{feed::Feed, pass::Pass};
use super::refused;

/// Said to whoever names an event that is not in the log.
const UNKNOWN: &str = "Last-Event-ID is not known here, or no longer; what happened before this \
                       moment is not told";

/// For how long whoever was cut off can come back and misses nothing, whoever it is.
const RESUMABLE: Duration = Duration::from_hours(24);

/// Where to go on, for clients that cannot set headers. `Last-Event-ID` goes before both.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Resume {
    /// The same as `Last-Event-ID`, for clients that cannot set headers. The header goes
    /// before it.
    last_event_id: Option<String>,
    /// The same, as replacements of browsers' `EventSource` send it when they come back. Goes
    /// before `last_event_id`, which may still be in the address that they began with.
    #[serde(rename = "lastEventId")]
    last_event_id_of_polyfills: Option<String>,
}

impl Input for Resume {}

/// Follow a session's events
///
/// Server-sent events: first a `session.status` that says where the session stands, then
/// everything that happens to it. Each has an `id`, the first one too: whoever is cut off sends
/// the last one that arrived as `Last-Event-ID`, as browsers do by themselves, and misses
/// nothing. The session's own id stands for the beginning of the log. An id that is not in the
/// log, or no longer, is said in a comment, and the stream begins with the present. For an API
/// key that may not read the history of chats, the log goes back for 24 hours. Comments
/// also say why a stream ends, and keep a quiet one open. Browsers may send an access token as
/// `?token=`.
#[utoipa::path(
    get, path = "/sessions/{session_id}/events", tag = "sessions",
    params(
        ("session_id" = Uuid, Path, description = "The session's id"),
        ("token" = Option<String>, Query, description = "An access token, where no header can be set"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that arrived"),
        Resume,
    ),
    security(("ApiKeyAuth" = ["sessions:read"]), ("BearerAuth" = ["sessions:read"])),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        AuthErrors, NotFoundError, ParamErrors, ServerErrors,
    ),
)]
pub(crate) async fn stream_session_events(
    StreamCaller { caller, credential }: StreamCaller<SessionsRead>,
    Path(id): Path<SessionId>,
    Query(resume): Query<Resume>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    // First the subscription, then the snapshot: what happens in between is in both, and
    // never in neither. Of one moment, so that it is known what the snapshot shows already.
    let subscription = caller.services.hub.subscribe(id);
    let mut tx = caller.begin_reading().await?;
    let session = tx
        .sessions()
        .lookup(id)
        .await?
        .ok_or_else(|| refused(mf_services::SessionRefused::NotFound))?;
    let pass = Pass::new(&caller.services, caller.tenant(), credential);
    let mut feed = Feed::new(&caller.services, pass, id);
    let said = last_event_id(&headers, &resume);
    let last = said.and_then(|said| Uuid::try_parse(said).ok());
    let reads_history =
        !caller.is_api_key() || tx.tenants().settings().await?.chat_history_access_enabled;
    match place(&mut tx, id, last, reads_history).await? {
        Some((last, place)) => {
            // Cut off before anything else arrives, it comes back with the same id.
            feed.say(snapshot(&caller.services, &session, last)?);
            feed.resume(place);
        }
        None => {
            if said.is_some() {
                feed.comment(UNKNOWN);
            }
            let last = tx.events().last_complete(id).await?;
            let last = last.map_or(id.uuid(), EventId::uuid);
            feed.say(snapshot(&caller.services, &session, last)?);
            feed.begin(subscription, tx.events().view().await?);
        }
    }
    tx.commit().await?;
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        // Proxies that buffer would keep events from arriving.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(feed.into_stream())).into_response())
}

/// The last event that arrived, as the client says.
fn last_event_id<'a>(headers: &'a HeaderMap, resume: &'a Resume) -> Option<&'a str> {
    let header = headers.get("last-event-id");
    // What is no text is no id of ours: unknown, but said.
    let header = header.map(|id| id.to_str().unwrap_or("?"));
    let of_polyfills = resume.last_event_id_of_polyfills.as_deref();
    [header, of_polyfills, resume.last_event_id.as_deref()]
        .into_iter()
        .flatten()
        .map(str::trim)
        .find(|id| !id.is_empty())
}

/// The last event that arrived and where the log goes on after it, if it is there. For whoever
/// may not read the history of chats, the log goes back for a day and no further: it would be
/// another way to read it.
async fn place(
    tx: &mut TenantTx,
    session: SessionId,
    last: Option<Uuid>,
    reads_history: bool,
) -> ApiResult<Option<(Uuid, EventPosition)>> {
    let Some(last) = last else {
        return Ok(None);
    };
    let begin = if reads_history {
        None
    } else {
        tx.events().last_older_than(session, RESUMABLE).await?
    };
    let begin = begin.unwrap_or_default();
    let place = if last == session.uuid() {
        Some(begin)
    } else {
        tx.events().position_of(session, last.into()).await?
    };
    let place = place.filter(|place| *place >= begin);
    Ok(place.map(|place| (last, place)))
}

/// Where the session stands. It is in no log, so its envelope has no id; the stream's is that
/// of the last event before it, so that whoever is cut off now misses nothing.
fn snapshot(services: &Services, session: &Session, last: Uuid) -> ApiResult<Bytes> {
    let name = EventName::SessionStatus.as_str();
    let body = Envelope {
        id: None,
        event: name,
        timestamp: services.clock.now().trunc_subsecs(6),
        data: SessionStatusData::new(session, None),
    };
    let body = serde_json::to_string(&body).map_err(ApiError::internal)?;
    Ok(Frame::write(&last.to_string(), name, &body))
}
