//! Events on their way to webhooks: the queue, and the log of what became of each.

mod claim;
mod log;
mod replay;
mod settle;
mod standing;

use crate::TenantTx;

pub use claim::{ClaimedDelivery, DeliveryRoom};
pub use log::{Delivery, DeliveryAttempt, DeliveryCounts, DeliveryFilter, QueueDepth};
pub use replay::{ReplayRange, Replayed};
pub use settle::SettledDelivery;
pub use standing::Hopeless;

/// See [`TenantTx::deliveries`].
#[derive(Debug)]
pub struct Deliveries<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Deliveries<'_> {
    fn tenant(&self) -> uuid::Uuid {
        self.tx.tenant().id().uuid()
    }
}

/// What a stranger answered, as PostgreSQL can hold it: any text but for one character.
fn keepable(text: Option<&str>) -> Option<String> {
    text.map(|text| text.replace('\0', "\u{fffd}"))
}
