//! Time that passes at once: what is stored is moved, and the clock is not.

use std::time::Duration;

use anyhow::Result;

use crate::Database;

/// So much time passes for deliveries that wait, and for webhooks that are left alone.
pub(super) async fn pass(database: &Database, time: Duration) -> Result<()> {
    let mut tx = database.rows().begin().await?;
    for statement in [
        // What somebody is at gets its time when they are done.
        "UPDATE webhook_delivery SET next_at = next_at - make_interval(secs => $1)
         WHERE state = 'pending' AND claim_id IS NULL",
        "UPDATE webhook_state SET blocked_until = blocked_until - make_interval(secs => $1),
             failing_since = failing_since - make_interval(secs => $1)",
    ] {
        let moved = sqlx::query(statement).bind(time.as_secs_f64());
        moved.execute(&mut *tx).await?;
    }
    Ok(tx.commit().await?)
}
