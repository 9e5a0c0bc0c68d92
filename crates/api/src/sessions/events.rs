use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::unfold;
use mf_domain::{EventId, EventName, SessionId};
use mf_http_kit::{
    ApiError, ApiResult, Path, StreamCaller,
    caller::SessionsRead,
    openapi::{AuthErrors, NotFoundError, ParamErrors, ServerErrors},
};
use mf_services::{Envelope, Services, SessionStatusData};
use mf_store::{EventPosition, LogView, LoggedEvent, Session, StoreResult, Tenant};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use uuid::Uuid;

use super::refused;

/// A comment as often as this keeps proxies from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events read at a time when a stream catches up.
const BATCH: i64 = 200;

/// Follow a session's events
///
/// Server-sent events: first a `session.status` that says where the session stands, then
/// everything that happens to it, each with its `id`. Whoever was cut off sends the last one
/// as `Last-Event-ID` and misses nothing. Browsers may send an access token as `?token=`.
#[utoipa::path(
    get, path = "/sessions/{session_id}/events", tag = "sessions",
    params(
        ("session_id" = Uuid, Path, description = "The session's id"),
        ("token" = Option<String>, Query, description = "An access token, where no header can be set"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that arrived"),
    ),
    security(("ApiKeyAuth" = ["sessions:read"]), ("BearerAuth" = ["sessions:read"])),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        AuthErrors, NotFoundError, ParamErrors, ServerErrors,
    ),
)]
pub(crate) async fn stream_session_events(
    StreamCaller(caller): StreamCaller<SessionsRead>,
    Path(id): Path<SessionId>,
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
    let after = match last_event_id(&headers) {
        Some(last) => tx.events().position_of(id, last).await?,
        None => None,
    };
    let view = tx.events().view().await?;
    tx.commit().await?;
    let feed = Feed {
        tenant: caller.tenant(),
        session: id,
        ready: VecDeque::from([snapshot(&caller.services, &session)?]),
        missed: after.map(|after| (after, subscription.told)),
        live: subscription.live,
        // Whoever resumes wants all that was missed, also what the snapshot shows.
        shown: after.is_none().then_some(view),
        told: subscription.told,
        services: Arc::clone(&caller.services),
        over: false,
    };
    let stream = unfold(feed, |mut feed| async move {
        let event = feed.next().await?;
        Some((Ok::<_, Infallible>(event), feed))
    });
    let heartbeat = KeepAlive::new().interval(HEARTBEAT);
    let mut response = Sse::new(stream).keep_alive(heartbeat).into_response();
    // Proxies that buffer would keep events from arriving.
    response.headers_mut().insert(
        "x-accel-buffering",
        axum::http::HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// One stream: what is ready, then what was missed, then what happens.
struct Feed {
    services: Arc<Services>,
    tenant: Tenant,
    session: SessionId,
    ready: VecDeque<Event>,
    /// What is still to be read from the log: after the first, up to the second.
    missed: Option<(EventPosition, EventPosition)>,
    live: Receiver<Arc<LoggedEvent>>,
    /// What led to the snapshot, and is not told after it.
    shown: Option<LogView>,
    told: EventPosition,
    over: bool,
}

impl Feed {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            if let Some((after, until)) = self.missed {
                if self.catch_up(after, until).await.is_err() {
                    return Some(self.end("the database is away; resume with Last-Event-ID"));
                }
                continue;
            }
            let shutdown = self.services.shutdown.clone();
            let received = tokio::select! {
                () = shutdown.cancelled() => {
                    return Some(self.end("the server is going down; resume with Last-Event-ID"));
                }
                received = self.live.recv() => received,
            };
            match received {
                Ok(event) => {
                    let read = event.position <= self.told;
                    let shown = self
                        .shown
                        .as_ref()
                        .is_some_and(|view| view.shows(event.position));
                    if !read && !shown {
                        self.ready.extend(render(&event));
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    return Some(self.end("too slow; resume with Last-Event-ID"));
                }
                // The log's reader starts anew: so shall the stream.
                Err(RecvError::Closed) => return Some(self.end("resume with Last-Event-ID")),
            }
        }
    }

    async fn catch_up(&mut self, after: EventPosition, until: EventPosition) -> StoreResult<()> {
        let mut tx = self.services.store.begin(self.tenant).await?;
        let events = tx
            .events()
            .of_session(self.session, after, until, BATCH)
            .await?;
        tx.commit().await?;
        self.missed = events.last().map(|last| (last.position, until));
        self.ready.extend(events.iter().filter_map(render));
        Ok(())
    }

    /// The last thing that is said: why, for whoever reads along.
    fn end(&mut self, reason: &str) -> Event {
        self.over = true;
        Event::default().comment(reason)
    }
}

fn last_event_id(headers: &HeaderMap) -> Option<EventId> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    Uuid::try_parse(id.trim()).ok().map(EventId::from)
}

fn render(event: &LoggedEvent) -> Option<Event> {
    let data = serde_json::to_string(&Envelope::from(event)).ok()?;
    Some(
        Event::default()
            .id(event.id.to_string())
            .event(&event.name)
            .data(data),
    )
}

/// Where the session stands. Without an id: it is in no log, and nobody resumes after it.
fn snapshot(services: &Services, session: &Session) -> ApiResult<Event> {
    let name = EventName::SessionStatus.as_str();
    let body = Envelope {
        id: None,
        event: name,
        timestamp: services.clock.now(),
        data: SessionStatusData::new(session, None),
    };
    Event::default()
        .event(name)
        .json_data(body)
        .map_err(ApiError::internal)
}
