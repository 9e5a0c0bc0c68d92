//! Deliveries that somebody was at when it was broken: those, and no others, may arrive twice.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::{Database, Tally};

/// Claims by the event's id. One delivery may have been broken off more than once.
#[derive(Debug, Default)]
pub(super) struct Claims(BTreeMap<String, BTreeSet<String>>);

impl Claims {
    /// Notes those that stand at this moment. How many were not known.
    pub(super) async fn note(&mut self, database: &Database) -> Result<usize> {
        let known = self.count();
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT event_id::text, claim_id::text FROM webhook_delivery
             WHERE claim_id IS NOT NULL",
        )
        .fetch_all(database.rows())
        .await?;
        for (event, claim) in rows {
            self.0.entry(event).or_default().insert(claim);
        }
        Ok(self.count() - known)
    }

    /// How many were noted.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Events that arrived more often than their claims explain.
    pub(super) fn unexplained(&self, tally: &Tally) -> usize {
        let claimed = |id: &str| self.0.get(id).map_or(0, BTreeSet::len);
        let repeated = tally.repeated.iter();
        repeated.filter(|(id, more)| **more > claimed(id)).count()
    }
}
