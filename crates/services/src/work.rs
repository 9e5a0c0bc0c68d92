//! Work done side by side: a piece that panics is said once, and takes no other with it.

use std::future::pending;

use tokio::task::{JoinError, JoinSet};
use tracing::error;

/// What a piece of work came to. `None` where it did not come to its end.
pub(crate) fn outcome<T>(ended: Result<T, JoinError>) -> Option<T> {
    ended
        .inspect_err(|error| {
            if error.is_panic() {
                error!(error = %error, "a fault of this server: a piece of work broke off");
            }
        })
        .ok()
}

/// Waits until one piece of work has ended, if there is any, and looks which others have.
pub(crate) async fn next<T: 'static>(work: &mut JoinSet<T>) -> Vec<T> {
    let mut ended = Vec::new();
    if let Some(one) = work.join_next().await {
        ended.extend(outcome(one));
    }
    while let Some(one) = work.try_join_next() {
        ended.extend(outcome(one));
    }
    ended
}

/// The same for a loop that waits for other things as well: without work it waits for ever.
pub(crate) async fn ended<T: 'static>(work: &mut JoinSet<T>) -> Vec<T> {
    if work.is_empty() {
        return pending().await;
    }
    next(work).await
}

/// Waits until all work has ended.
pub(crate) async fn drain<T: 'static>(work: &mut JoinSet<T>) {
    while let Some(one) = work.join_next().await {
        outcome(one);
    }
}

/// Does something for each, so many at a time, until all is done.
pub(crate) async fn for_each<T, F>(
    items: impl IntoIterator<Item = T>,
    at_a_time: usize,
    job: impl Fn(T) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut work = JoinSet::new();
    for item in items {
        if work.len() >= at_a_time {
            next(&mut work).await;
        }
        work.spawn(job(item));
    }
    drain(&mut work).await;
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    };

    use tokio::task::yield_now;

    use super::for_each;

    #[tokio::test]
    async fn all_is_done_some_at_a_time_whatever_becomes_of_one() {
        let (done, now, most) = <(Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        for_each(0..10, 3, |item| {
            let (done, now, most) = (Arc::clone(&done), Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                yield_now().await;
                now.fetch_sub(1, SeqCst);
                assert_ne!(item, 4);
                done.fetch_add(1, SeqCst);
            }
        })
        .await;
        assert_eq!((done.load(SeqCst), most.load(SeqCst)), (9, 3));
    }
}
