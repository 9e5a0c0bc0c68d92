//! What has to be looked at again and again while something goes on, because only the most of it
//! counts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use rustix::process::Pid;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::{Rig, resident_bytes};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The most that was seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Peaks {
    /// Memory of the server that was resident, in bytes.
    pub(super) resident: u64,
    /// Deliveries to one endpoint that were under way.
    pub(super) to_one: i64,
}

/// Looks in the background. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Watch {
    peaks: Arc<Mutex<Peaks>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Begins.
    pub(super) fn begin(rig: &Rig) -> Result<Self> {
        let peaks = Arc::<Mutex<Peaks>>::default();
        let (seen, pid) = (Arc::clone(&peaks), rig.server()?.pid()?);
        let rows = rig.database.rows().clone();
        let task = tokio::spawn(async move {
            loop {
                look(pid, &rows, &seen).await;
                sleep(PAUSE).await;
            }
        });
        Ok(Self { peaks, task })
    }

    /// The most so far.
    pub(super) fn peaks(&self) -> Peaks {
        *self.peaks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What cannot be looked at is not seen: that the server is gone shows elsewhere.
async fn look(pid: Pid, rows: &PgPool, seen: &Mutex<Peaks>) {
    let to_one = "SELECT coalesce(max(held), 0) FROM (
        SELECT count(*) AS held FROM webhook_delivery WHERE claim_id IS NOT NULL
        GROUP BY webhook_id) AS each";
    let to_one: i64 = sqlx::query_scalar(to_one)
        .fetch_one(rows)
        .await
        .unwrap_or_default();
    let resident = resident_bytes(pid).unwrap_or_default();
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.resident = seen.resident.max(resident);
    seen.to_one = seen.to_one.max(to_one);
}
