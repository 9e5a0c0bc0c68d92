use std::sync::Arc;

use tokio::sync::{Notify, futures::Notified};

/// Rung after a commit, so that background work need not wait for its next poll.
///
/// A bell that is rung while nobody listens is heard by the next who does: at most one ring
/// is kept, which is enough, since whoever wakes looks at the database for all there is.
#[derive(Debug, Clone, Default)]
pub struct Wake {
    events: Arc<Notify>,
    outbox: Arc<Notify>,
    media: Arc<Notify>,
}

impl Wake {
    /// Waits until the event log has grown.
    pub fn events(&self) -> Notified<'_> {
        self.events.notified()
    }

    /// Waits until a message may be due.
    pub fn outbox(&self) -> Notified<'_> {
        self.outbox.notified()
    }

    /// Waits until there may be a file to fetch.
    pub fn media(&self) -> Notified<'_> {
        self.media.notified()
    }

    /// Says that the event log has grown.
    pub(crate) fn ring_events(&self) {
        self.events.notify_one();
    }

    /// Says that a message may be due.
    pub fn ring_outbox(&self) {
        self.outbox.notify_one();
    }

    /// Says that there may be a file to fetch.
    pub(crate) fn ring_media(&self) {
        self.media.notify_one();
    }
}
