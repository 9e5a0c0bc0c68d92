use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use mf_domain::SessionId;
use mf_services::{Frame, Services, Subscription};
use mf_store::{EventPosition, LogView, StoreResult};
use tokio::time::{sleep, timeout};

use super::pass::Pass;

/// A comment as often as this keeps proxies from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events read at a time when a stream catches up: all that it holds of them at once.
const PAGE: i64 = 100;

/// One stream. It keeps little while nothing happens: there are many.
pub(super) struct Feed {
    services: Arc<Services>,
    pass: Pass,
    session: SessionId,
    /// What is told next.
    ready: VecDeque<Bytes>,
    stage: Stage,
}

enum Stage {
    /// Has told the log up to here, and reads on.
    Behind(EventPosition),
    /// Tells what happens.
    Live(Live),
    /// Has said why it ends.
    Over,
}

struct Live {
    subscription: Subscription,
    /// What stands in the log up to here was told, or was there before the stream.
    told: EventPosition,
    /// What led to the snapshot, and is not told after it.
    shown: Option<LogView>,
}

impl Live {
    fn is_new(&self, frame: &Frame) -> bool {
        let shows = |view: &LogView| view.shows(frame.position);
        frame.position > self.told && !self.shown.as_ref().is_some_and(shows)
    }
}

impl Feed {
    /// A stream that says nothing yet.
    pub(super) fn new(services: &Arc<Services>, pass: Pass, session: SessionId) -> Self {
        Self {
            services: Arc::clone(services),
            pass,
            session,
            ready: VecDeque::new(),
            stage: Stage::Over,
        }
    }

    /// Says this before anything that happens.
    pub(super) fn say(&mut self, event: Bytes) {
        self.ready.push_back(event);
    }

    /// Says this to whoever reads along: clients do not see it.
    pub(super) fn comment(&mut self, text: &str) {
        self.ready.push_back(format!(": {text}\n\n").into());
    }

    /// Tells what happens from a subscription on, but for what a snapshot shows already.
    pub(super) fn begin(&mut self, subscription: Subscription, shown: LogView) {
        self.stage = Stage::Live(Live {
            told: subscription.told(),
            subscription,
            shown: Some(shown),
        });
    }

    /// Tells everything after a place in the log: also what the snapshot shows, since whoever
    /// resumes wants all that was missed.
    pub(super) fn resume(&mut self, after: EventPosition) {
        self.stage = Stage::Behind(after);
    }

    /// The stream itself.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        // Boxed, since it is moved at each step.
        unfold(Box::new(self), |mut feed| async move {
            let next = feed.next().await?;
            Some((Ok(next), feed))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                if self.ready.is_empty() {
                    // Nor is the room of a page kept.
                    self.ready = VecDeque::new();
                }
                return Some(ready);
            }
            match &self.stage {
                Stage::Over => return None,
                _ if self.services.shutdown.is_cancelled() => {
                    self.end("the server is going down; resume with Last-Event-ID");
                }
                // Before anything more is told.
                _ if !self.pass.is_good().await => {
                    self.end("the key or token is no longer good");
                }
                Stage::Behind(after) => {
                    let after = *after;
                    // Boxed: what a query takes is large, and held only while it runs.
                    let page = timeout(HEARTBEAT, Box::pin(self.catch_up(after)));
                    if !matches!(page.await, Ok(Ok(()))) {
                        self.end("the database is away; resume with Last-Event-ID");
                    }
                }
                Stage::Live(live) => {
                    tokio::select! {
                        next = live.subscription.next() => match next {
                            Ok(frame) if live.is_new(&frame) => {
                                self.ready.push_back(frame.bytes.clone());
                            }
                            Ok(_) => {}
                            Err(_) => self.end("too slow; resume with Last-Event-ID"),
                        },
                        () = self.services.shutdown.cancelled() => {}
                        () = sleep(HEARTBEAT) => {
                            self.pass.doubt();
                            self.ready.push_back(Bytes::from_static(b":\n\n"));
                        }
                    }
                    if !self.ready.is_empty() && !self.pass.is_good().await {
                        self.ready.clear();
                    }
                }
            }
        }
    }

    /// Reads a page of what was missed, up to where others were told. Only when that was the
    /// last one does it begin to listen: what happens while pages are read would pile up.
    async fn catch_up(&mut self, after: EventPosition) -> StoreResult<()> {
        let subscription = self.services.hub.subscribe(self.session);
        let until = subscription.told();
        let mut tx = self.services.store.begin(self.pass.tenant()).await?;
        let events = tx
            .events()
            .of_session(self.session, after, until, PAGE)
            .await?;
        tx.commit().await?;
        let last = events.last().map_or(after, |last| last.position);
        let full = i64::try_from(events.len()).is_ok_and(|count| count == PAGE);
        self.stage = if full {
            Stage::Behind(last)
        } else {
            Stage::Live(Live {
                subscription,
                // Another process may have told more than this one has so far.
                told: last.max(until),
                shown: None,
            })
        };
        let frames = events.iter().map(|event| Frame::of(event).bytes);
        self.ready.extend(frames);
        Ok(())
    }

    /// The last thing that is said: why, for whoever reads along.
    fn end(&mut self, reason: &str) {
        self.stage = Stage::Over;
        self.comment(reason);
    }
}
