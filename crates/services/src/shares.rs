use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use mf_domain::TenantId;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Places that each tenant has so many of: one that reports more than the database takes waits
/// for its own, and not in front of the others.
#[derive(Debug)]
pub(crate) struct Shares {
    places: usize,
    /// Of those tenants that have something under way.
    tenants: Mutex<HashMap<TenantId, Weak<Semaphore>>>,
}

impl Shares {
    /// So many places for each.
    pub(crate) fn of(places: usize) -> Self {
        Self {
            places,
            tenants: Mutex::default(),
        }
    }

    /// Waits for one of a tenant's places, for so long. It is given back when what this answers
    /// is dropped.
    pub(crate) async fn place(
        &self,
        tenant: TenantId,
        patience: Duration,
    ) -> Option<OwnedSemaphorePermit> {
        let place = self.share(tenant).acquire_owned();
        timeout(patience, place).await.ok()?.ok()
    }

    fn share(&self, tenant: TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = tenants.get(&tenant).and_then(Weak::upgrade) {
            return share;
        }
        tenants.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.places));
        tenants.insert(tenant, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Shares;

    #[tokio::test]
    async fn who_has_used_up_its_places_waits_for_a_while_and_nobody_else_does() {
        let shares = Shares::of(1);
        let [one, other] = [1, 2].map(|n| uuid::Uuid::from_u128(n).into());
        let patience = Duration::from_secs(5);
        let held = shares.place(one, patience).await;
        assert!(shares.place(other, patience).await.is_some());
        assert!(shares.place(one, Duration::ZERO).await.is_none());
        drop(held);
        assert!(shares.place(one, patience).await.is_some());
    }
}
