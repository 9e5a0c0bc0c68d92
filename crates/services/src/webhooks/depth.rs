use crate::{ServiceError, Services};

/// What waits is counted up to here: more is said to be so much.
const COUNTED: i64 = 100_000;

impl Services {
    /// Measures how much waits for webhooks, for `/metrics`.
    pub async fn measure_delivery_queue(&self) -> Result<(), ServiceError> {
        let mut tx = self
            .store
            .system("the queue of all tenants is measured")
            .await?;
        let depth = tx.delivery_queue_depth(COUNTED).await?;
        tx.commit().await?;
        let kinds = [
            ("first", depth.fresh),
            ("again", depth.again),
            ("under_way", depth.claimed),
        ];
        for (kind, count) in kinds {
            #[allow(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!("webhook_queue_depth", "kind" => kind).set(count as f64);
        }
        metrics::gauge!("webhook_queue_lag_seconds").set(depth.lag_seconds);
        Ok(())
    }
}
