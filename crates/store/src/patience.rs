use std::{io::ErrorKind, time::Duration};

use tokio::time::timeout;

use crate::{StoreError, StoreResult};

/// Does it, or gives up after `limit`. A database that is gone without a word, with its host or
/// the network, would be waited for as long as the system goes on sending: a quarter of an hour.
pub(crate) async fn in_time<T, E>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> StoreResult<T>
where
    StoreError: From<E>,
{
    match timeout(limit, work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(timed_out().into()),
    }
}

pub(crate) fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(ErrorKind::TimedOut.into())
}
