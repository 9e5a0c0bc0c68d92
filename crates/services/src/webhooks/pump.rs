use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt as _;
use mf_domain::{DeliveryState, WebhookId};
use mf_store::{
    Claim, ClaimedDelivery, DeliveryRoom, Hopeless, SettledDelivery, StoreError, StoreResult,
    Tenant,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tracing::{error, warn};
use uuid::Uuid;

use super::{
    attempt::{Attempt, Attempted, attempt},
    schedule::{endpoint_pause, next_attempt},
    switch_off::{Reason, SwitchOff},
};
use crate::{Services, work};

/// Deliveries under way at a time, in one process.
const SLOTS: usize = 256;
/// Of these, for what was tried before or is replayed: the others are kept for first attempts,
/// so that endpoints that fail do not hold up those that work.
const SLOTS_AGAIN: usize = SLOTS / 2;
/// Of all slots of all processes, for one tenant.
const SLOTS_PER_TENANT: usize = SLOTS / 4;
/// Deliveries claimed at a time.
const BATCH: usize = SLOTS;
/// How long a claim is believed: an attempt takes 15 seconds at the most, and is written down
/// at once.
const LEASE: Duration = Duration::from_secs(25);
/// How long something waits at most that nobody rang for: a retry, or what another process
/// left behind.
const POLL: Duration = Duration::from_secs(1);
/// How soon again after the database failed.
const AGAIN: Duration = Duration::from_millis(200);
/// How long the database may take to claim or to write down. One that is gone without a word
/// would be waited for as long as the system goes on sending: a quarter of an hour.
const PATIENCE: Duration = Duration::from_secs(10);

/// An attempt that is over.
struct Ended {
    settled: SettledDelivery,
    webhook_id: WebhookId,
    tenant: Tenant,
    fresh: bool,
    gone: bool,
    age: Duration,
}

/// What one process is at.
#[derive(Default)]
struct Pump {
    under_way: JoinSet<Ended>,
    /// Of those, not first attempts.
    again: usize,
    /// Over, and not yet written down.
    ended: Vec<Ended>,
    /// There may be something to claim.
    look: bool,
    /// When claims of processes that died were last given back.
    reclaimed: Option<Instant>,
    /// Claims whose commit was not answered. What they hold, if anything, is not under way.
    doubtful: Vec<Uuid>,
}

impl Services {
    /// Delivers what is queued for webhooks, until shutdown, and then what it holds.
    ///
    /// Each turn writes down what has ended, all of it in one transaction, and claims as much as
    /// there is room for, in another: the more there is to do, the more is done at a time.
    pub async fn run_deliveries(self: Arc<Self>) {
        let mut pump = Pump {
            look: true,
            ..Pump::default()
        };
        loop {
            let going_down = self.shutdown.is_cancelled();
            if let Err(error) = self.delivery_turn(&mut pump, going_down).await {
                warn!(error = %error, "webhook deliveries wait for the database");
                sleep(AGAIN).await;
                pump.look = true;
                pump.collect_ended();
                continue;
            }
            if going_down && pump.under_way.is_empty() {
                return;
            }
            self.await_deliveries(&mut pump, going_down).await;
        }
    }

    async fn delivery_turn(self: &Arc<Self>, pump: &mut Pump, going_down: bool) -> StoreResult<()> {
        if !pump.ended.is_empty() {
            // Kept until then: written down again, it counts once.
            let off = within(PATIENCE, self.write_down_deliveries(&pump.ended)).await?;
            pump.ended.clear();
            // Where there was no room before, there may be now.
            pump.look = true;
            self.switch_webhooks_off(off).await;
        }
        if pump.look && !going_down {
            let full = within(PATIENCE, self.take_on_deliveries(pump)).await?;
            pump.look = full;
        }
        Ok(())
    }

    /// Does it, and waits for it a moment at the most: it may have to stand in line for a
    /// connection. If it fails, the next attempt will say the same.
    async fn switch_webhooks_off(self: &Arc<Self>, off: Vec<SwitchOff>) {
        if off.is_empty() {
            return;
        }
        let services = Arc::clone(self);
        let task = self.tracker.spawn(async move {
            for one in off {
                if let Err(error) = services.switch_webhook_off(one).await {
                    warn!(webhook = %one.webhook_id, error = %error, "a webhook was not switched off");
                }
            }
        });
        let _ = timeout(POLL, task).await;
    }

    /// Waits until there is something to do.
    async fn await_deliveries(&self, pump: &mut Pump, going_down: bool) {
        if pump.look && !going_down && pump.under_way.len() < SLOTS {
            pump.collect_ended();
            return;
        }
        let bell = async {
            if going_down {
                std::future::pending::<()>().await;
            }
            tokio::select! {
                () = self.store.wake().deliveries() => {}
                () = self.shutdown.cancelled() => {}
            }
        };
        let woken = timeout(POLL, async {
            tokio::select! {
                ended = work::ended(&mut pump.under_way) => ended,
                () = bell => Vec::new(),
            }
        });
        match woken.await {
            Ok(ended) if ended.is_empty() => pump.look = true,
            Ok(ended) => pump.add_ended(ended),
            Err(_) => pump.look = true,
        }
    }

    /// Claims what there is room for, and begins it. Answers whether there may be more.
    async fn take_on_deliveries(self: &Arc<Self>, pump: &mut Pump) -> StoreResult<bool> {
        let free = (SLOTS - pump.under_way.len()).min(BATCH);
        if free == 0 {
            return Ok(true);
        }
        let again = SLOTS_AGAIN.saturating_sub(pump.again).min(free);
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let room = DeliveryRoom {
            all: count(free),
            again: count(again),
            per_tenant: count(SLOTS_PER_TENANT),
        };
        let claim = Claim {
            id: self.ids.mint(),
            lease: LEASE,
        };
        let mut tx = self
            .store
            .system_apart("webhooks of all tenants are told")
            .await?;
        if !pump.doubtful.is_empty() {
            let back = tx.release_claims(&pump.doubtful).await?;
            metrics::counter!("webhook_claims_lost_total").increment(back);
        }
        let reclaim = pump.reclaimed.is_none_or(|then| then.elapsed() >= POLL);
        if reclaim {
            let back = tx.reclaim_deliveries().await?;
            metrics::counter!("webhook_claims_lost_total").increment(back);
        }
        let claimed = tx.claim_deliveries(claim, room).await?;
        if !claimed.is_empty() {
            pump.doubtful.push(claim.id);
        }
        tx.commit().await?;
        pump.doubtful.clear();
        if reclaim {
            pump.reclaimed = Some(Instant::now());
        }
        let full = claimed.len() == free;
        for delivery in claimed {
            pump.again += usize::from(!delivery.fresh);
            let services = Arc::clone(self);
            let one = async move { services.deliver(delivery, claim).await };
            pump.under_way.spawn(one);
        }
        Ok(full)
    }

    /// Makes one delivery, and says what is to be written down of it. Whatever happens here, it
    /// is an attempt that was made.
    async fn deliver(&self, delivery: ClaimedDelivery, claim: Claim) -> Ended {
        let at = self.clock.now();
        let tried = AssertUnwindSafe(self.try_once(&delivery)).catch_unwind();
        let tried = tried.await.unwrap_or_else(|_| {
            error!(delivery = %delivery.id, "a fault of this server: a delivery broke off");
            Attempted::fault("This server failed to make the delivery")
        });
        let again = || next_attempt(delivery.tries, tried.retry_after, self.chance());
        let lost = delivery.body.is_none();
        Ended {
            settled: SettledDelivery {
                id: delivery.id,
                claim: claim.id,
                generation: delivery.generation,
                at,
                success: tried.success,
                status_code: tried.status_code,
                latency: tried.latency,
                error: tried.error,
                response: tried.response,
                retry_after: (!tried.success && !lost).then(again).flatten(),
                pause: endpoint_pause(tried.retry_after),
            },
            webhook_id: delivery.webhook_id,
            tenant: delivery.tenant,
            fresh: delivery.fresh,
            gone: tried.gone,
            age: (self.clock.now() - delivery.created_at)
                .to_std()
                .unwrap_or_default(),
        }
    }

    async fn try_once(&self, delivery: &ClaimedDelivery) -> Attempted {
        let Some(body) = &delivery.body else {
            return Attempted::fault("The event is no longer in the log");
        };
        let signing = self.signing(
            delivery.tenant,
            delivery.webhook_id,
            &delivery.secret,
            delivery.previous_secret.as_deref(),
        );
        let signing = match signing {
            Ok(signing) => signing,
            Err(error) => {
                error!(webhook = %delivery.webhook_id, error = %error, "a webhook cannot be signed for");
                return Attempted::fault("This server cannot open the webhook's secret");
            }
        };
        let request = Attempt {
            url: &delivery.url,
            signing: &signing,
            event_id: &delivery.event_id.to_string(),
            event_name: &delivery.event_name,
            body: Bytes::copy_from_slice(body.as_bytes()),
            at: self.clock.now(),
        };
        attempt(&self.outbound, request).await
    }

    /// Writes down what came of attempts. Answers which webhooks are to be switched off for it.
    async fn write_down_deliveries(&self, ended: &[Ended]) -> StoreResult<Vec<SwitchOff>> {
        let mut settled: Vec<SettledDelivery> =
            ended.iter().map(|one| one.settled.clone()).collect();
        let written = match self.settle_deliveries(&settled).await {
            Err(error) if error.is_data() => {
                // What a stranger answered is not worth losing the rest for.
                warn!(error = %error, "answers of endpoints cannot be kept");
                for one in &mut settled {
                    one.response = None;
                }
                self.settle_deliveries(&settled).await
            }
            other => other,
        };
        let (states, hopeless) = written?;
        for (one, state) in ended.iter().zip(&states) {
            one.count(*state);
        }
        let gone = ended
            .iter()
            .zip(&states)
            .filter(|(one, state)| one.gone && state.is_some())
            .map(|(one, _)| SwitchOff {
                tenant: one.tenant,
                webhook_id: one.webhook_id,
                generation: one.settled.generation,
                reason: Reason::Gone,
            });
        let hopeless = hopeless.into_iter().map(|one| SwitchOff {
            tenant: one.tenant,
            webhook_id: one.webhook_id,
            generation: one.generation,
            reason: Reason::Hopeless,
        });
        Ok(gone.chain(hopeless).collect())
    }

    async fn settle_deliveries(
        &self,
        settled: &[SettledDelivery],
    ) -> StoreResult<(Vec<Option<DeliveryState>>, Vec<Hopeless>)> {
        let mut tx = self
            .store
            .system_apart("what came of deliveries is written down")
            .await?;
        let written = tx.settle_deliveries(settled, self.chance()).await?;
        tx.commit().await?;
        Ok(written)
    }

    /// Anything from 0 to 1.
    fn chance(&self) -> f64 {
        f64::from(u32::from_le_bytes(self.ids.bytes::<4>())) / f64::from(u32::MAX)
    }
}

/// Does it, or gives up after `limit`, and with it the connection.
async fn within<T>(limit: Duration, work: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
    let done = timeout(limit, work).await;
    done.unwrap_or_else(|_| Err(StoreError::busy()))
}

impl Pump {
    fn add_ended(&mut self, ended: Vec<Ended>) {
        self.again -= ended
            .iter()
            .filter(|one| !one.fresh)
            .count()
            .min(self.again);
        self.ended.extend(ended);
    }

    /// What has ended meanwhile, without waiting.
    fn collect_ended(&mut self) {
        let mut ended = Vec::new();
        while let Some(one) = self.under_way.try_join_next() {
            ended.extend(work::outcome(one));
        }
        self.add_ended(ended);
    }
}

impl Ended {
    /// `None`: the claim was lost, and somebody else has counted, or will.
    fn count(&self, state: Option<DeliveryState>) {
        let outcome = match state {
            None => "claim_lost",
            Some(DeliveryState::Delivered) => "delivered",
            Some(DeliveryState::Dead) => "dead",
            Some(DeliveryState::Pending) => "failed",
        };
        metrics::counter!("webhook_deliveries_total", "outcome" => outcome).increment(1);
        metrics::histogram!("webhook_attempt_duration_seconds")
            .record(self.settled.latency.as_secs_f64());
        if self.fresh && self.settled.success {
            metrics::histogram!("webhook_delivery_lag_seconds").record(self.age.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::{Duration, StoreError, within};

    #[tokio::test]
    async fn a_database_that_says_nothing_is_not_waited_for() {
        let waited = within::<()>(Duration::ZERO, pending()).await;
        assert!(matches!(waited, Err(StoreError::Unavailable(_))));
        assert!(within(Duration::ZERO, async { Ok(1) }).await.is_ok());
    }
}
