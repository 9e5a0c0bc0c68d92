use mf_store::{StoreResult, SystemTx};

use crate::{ServiceError, Services};

/// Rows removed in one transaction.
const BATCH: i64 = 1000;

/// What is done in small steps, so that nobody waits for it.
#[derive(Clone, Copy)]
enum Chore {
    /// What waits for a webhook that stays off is given up.
    BuryDeliveries,
    /// What became of deliveries is forgotten.
    SweepDeliveries,
    /// Events that are not to be kept, and go with no day.
    ExpireEvents,
}

impl Services {
    /// Keeps the event log in order: there are tables for the days to come, and what is kept
    /// no longer goes, with the deliveries of it.
    pub async fn retain_events(&self) -> Result<(), ServiceError> {
        // What is old goes all the same.
        let made = self.store.make_event_days().await;
        self.finish_chore(Chore::BuryDeliveries).await?;
        self.finish_chore(Chore::SweepDeliveries).await?;
        // Days are dropped whole once no delivery points at them; only then is it worth looking
        // for single events.
        let keep = self.settings.event_retention;
        let dropped = self.store.drop_event_days(keep).await?;
        metrics::counter!("event_days_dropped_total").increment(dropped);
        self.finish_chore(Chore::ExpireEvents).await?;
        made?;
        Ok(())
    }

    async fn finish_chore(&self, chore: Chore) -> Result<(), ServiceError> {
        while !self.shutdown.is_cancelled() {
            let mut tx = self.store.system("the log of all tenants ages").await?;
            let done = self.step_of(chore, &mut tx).await?;
            tx.commit().await?;
            if done == 0 {
                break;
            }
            let counter = match chore {
                Chore::BuryDeliveries => metrics::counter!("webhook_deliveries_buried_total"),
                Chore::SweepDeliveries => metrics::counter!("webhook_deliveries_swept_total"),
                Chore::ExpireEvents => metrics::counter!("events_expired_total"),
            };
            counter.increment(done);
        }
        Ok(())
    }

    async fn step_of(&self, chore: Chore, tx: &mut SystemTx) -> StoreResult<u64> {
        let keep = self.settings.event_retention;
        match chore {
            Chore::BuryDeliveries => tx.bury_deliveries(BATCH).await,
            Chore::SweepDeliveries => tx.sweep_deliveries(keep, BATCH).await,
            Chore::ExpireEvents => tx.expire_events(keep, BATCH).await,
        }
    }
}
