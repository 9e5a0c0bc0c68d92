use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::Frame;

/// Events that a stream may lag behind before it is dropped, and resumes. More than are told
/// at one go, or a burst would drop those who keep up.
pub(super) const MOST_EVENTS: usize = 1024;
/// The same in bytes, so that many who do not read cost little even where events are large.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// A queue that was longer gives its room back once it is empty.
const KEPT_ROOM: usize = 16;

/// A reader lagged too far behind. What waited for it is gone from here, and stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSlow;

/// What waits for one stream. Empty it takes next to no room: there are many.
#[derive(Debug, Default)]
pub(super) struct Line {
    queue: Mutex<Queue>,
    grown: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<Frame>>,
    bytes: usize,
    too_slow: bool,
}

impl Line {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that runs under this lock can leave the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was room for it. If not, there never will be again.
    pub(super) fn put(&self, frame: &Arc<Frame>) -> bool {
        let mut queue = self.queue();
        queue.bytes += frame.bytes.len();
        let full = queue.too_slow || queue.waiting.len() >= MOST_EVENTS || queue.bytes > MOST_BYTES;
        if full {
            *queue = Queue {
                too_slow: true,
                ..Queue::default()
            };
        } else {
            queue.waiting.push_back(Arc::clone(frame));
        }
        drop(queue);
        self.grown.notify_one();
        !full
    }

    /// What comes next.
    pub(super) async fn next(&self) -> Result<Arc<Frame>, TooSlow> {
        loop {
            if let Some(next) = self.queue().take()? {
                return Ok(next);
            }
            self.grown.notified().await;
        }
    }
}

impl Queue {
    fn take(&mut self) -> Result<Option<Arc<Frame>>, TooSlow> {
        if self.too_slow {
            return Err(TooSlow);
        }
        let Some(next) = self.waiting.pop_front() else {
            return Ok(None);
        };
        self.bytes -= next.bytes.len();
        if self.waiting.is_empty() && self.waiting.capacity() > KEPT_ROOM {
            self.waiting = VecDeque::new();
        }
        Ok(Some(next))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use mf_store::EventPosition;

    use super::{Line, MOST_BYTES, MOST_EVENTS, TooSlow};
    use crate::hub::Frame;

    fn frame(length: usize) -> Arc<Frame> {
        Arc::new(Frame {
            position: EventPosition::default(),
            bytes: Bytes::from(vec![b'x'; length]),
        })
    }

    #[tokio::test]
    async fn what_is_put_in_comes_out_in_its_order() {
        let line = Line::default();
        for length in 1..=50 {
            assert!(line.put(&frame(length)));
        }
        for length in 1..=50 {
            assert_eq!(line.next().await.unwrap().bytes.len(), length);
        }
        assert_eq!(line.queue().waiting.capacity(), 0, "room was kept for none");
    }

    #[tokio::test]
    async fn a_reader_that_keeps_up_may_be_told_any_number() {
        let line = Line::default();
        let large = frame(MOST_BYTES / 4);
        for _ in 0..MOST_EVENTS * 2 {
            assert!(line.put(&large));
            line.next().await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_too_much_for_one_line_is_held_no_longer() {
        let large = frame(MOST_BYTES / 4);
        let line = Line::default();
        while line.put(&large) {}
        assert_eq!(Arc::strong_count(&large), 1);
        assert_eq!(line.next().await.unwrap_err(), TooSlow);
        assert!(!line.put(&frame(1)), "it listens again");
        assert_eq!(line.next().await.unwrap_err(), TooSlow);
    }
}
