use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::sync::{Notify, futures::Notified};

/// Rung after a commit, so that background work need not wait for its next poll.
///
/// A bell that is rung while nobody listens is heard by the next who does: at most one ring
/// is kept, which is enough, since whoever wakes looks at the database for all there is.
///
/// What is rung here is rung in the other processes, too, a moment later: see `Peers`.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    bells: [Notify; Bell::ALL.len()],
    /// Bells rung here of which the other processes were not told yet.
    unannounced: AtomicU8,
    announce: Notify,
}

/// What there may be to do. The number stands for it between processes, of other versions
/// too: it is never given to something else.
#[derive(Debug, Clone, Copy)]
enum Bell {
    Events = 0,
    Outbox = 1,
    Deliveries = 2,
    Media = 3,
}

impl Bell {
    const ALL: [Self; 4] = [Self::Events, Self::Outbox, Self::Deliveries, Self::Media];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Wake {
    /// Waits until the event log has grown.
    pub fn events(&self) -> Notified<'_> {
        self.wait(Bell::Events)
    }

    /// Waits until a message may be due.
    pub fn outbox(&self) -> Notified<'_> {
        self.wait(Bell::Outbox)
    }

    /// Waits until a webhook may be due.
    pub fn deliveries(&self) -> Notified<'_> {
        self.wait(Bell::Deliveries)
    }

    /// Waits until there may be a file to fetch.
    pub fn media(&self) -> Notified<'_> {
        self.wait(Bell::Media)
    }

    /// Says that the event log has grown.
    pub(crate) fn ring_events(&self) {
        self.ring(Bell::Events);
    }

    /// Says that a message may be due.
    pub fn ring_outbox(&self) {
        self.ring(Bell::Outbox);
    }

    /// Says that a webhook may be due.
    pub fn ring_deliveries(&self) {
        self.ring(Bell::Deliveries);
    }

    /// Says that there may be a file to fetch.
    pub(crate) fn ring_media(&self) {
        self.ring(Bell::Media);
    }

    fn wait(&self, bell: Bell) -> Notified<'_> {
        self.0.bells[bell as usize].notified()
    }

    fn ring(&self, bell: Bell) {
        self.0.bells[bell as usize].notify_one();
        self.owe(bell.bit());
    }

    /// Rings what was rung elsewhere, and tells nobody.
    pub(crate) fn echo(&self, rung: u8) {
        for bell in Bell::ALL {
            if rung & bell.bit() != 0 {
                self.0.bells[bell as usize].notify_one();
            }
        }
    }

    /// Rings everything: for whoever may have missed some of it.
    pub(crate) fn echo_all(&self) {
        self.echo(u8::MAX);
    }

    /// Waits until there is something to announce.
    pub(crate) async fn unannounced(&self) {
        while self.0.unannounced.load(Ordering::SeqCst) == 0 {
            self.0.announce.notified().await;
        }
    }

    /// Takes what there is to announce.
    pub(crate) fn take_unannounced(&self) -> u8 {
        self.0.unannounced.swap(0, Ordering::SeqCst)
    }

    /// Notes that this is to be announced.
    pub(crate) fn owe(&self, rung: u8) {
        self.0.unannounced.fetch_or(rung, Ordering::SeqCst);
        self.0.announce.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::{Bell, Wake};

    #[tokio::test]
    async fn what_is_rung_here_is_announced_once_for_many_rings() {
        let wake = Wake::default();
        wake.ring_events();
        wake.ring_events();
        wake.ring_outbox();
        wake.unannounced().await;
        let owed = Bell::Events.bit() | Bell::Outbox.bit();
        assert_eq!(wake.take_unannounced(), owed);
        assert_eq!(wake.take_unannounced(), 0);
    }

    #[tokio::test]
    async fn what_was_rung_elsewhere_is_heard_here_and_not_announced_again() {
        let wake = Wake::default();
        // A later version has bells that this one does not know.
        wake.echo(Bell::Deliveries.bit() | 1 << 7);
        wake.deliveries().await;
        assert_eq!(wake.take_unannounced(), 0);
        tokio::select! {
            biased;
            () = wake.outbox() => panic!("a bell was rung that nobody rang"),
            () = ready(()) => {}
        }
    }
}
