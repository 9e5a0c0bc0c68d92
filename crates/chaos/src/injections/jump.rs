//! Time that passes at once: what is stored is moved, and the clock is not.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sqlx::AssertSqlSafe;

use crate::Database;

/// How often a table is tried that the server has deadlocked with us over.
const ATTEMPTS: u32 = 10;

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

/// The clock goes so much forward, or back where `forward` is not: everything that is stored has
/// its times moved the other way. What the event log is divided into days by stays.
pub(super) async fn clock(database: &Database, time: Duration, forward: bool) -> Result<()> {
    let tables: Vec<(String, Vec<String>)> = sqlx::query_as(
        "SELECT c.table_name::text, array_agg(c.column_name::text)
         FROM information_schema.columns c
         JOIN information_schema.tables t USING (table_schema, table_name)
         WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE'
           AND c.data_type = 'timestamp with time zone'
           AND c.table_name NOT LIKE 'event%' AND c.table_name <> '_sqlx_migrations'
           AND c.column_name <> 'event_at'
         GROUP BY c.table_name ORDER BY c.table_name",
    )
    .fetch_all(database.rows())
    .await?;
    ensure!(!tables.is_empty(), "there are no times");
    let seconds = time.as_secs_f64() * if forward { -1.0 } else { 1.0 };
    for (table, columns) in tables {
        let each = columns.iter();
        let each = each.map(|name| format!("{name} = {name} + make_interval(secs => $1)"));
        let sets = each.collect::<Vec<_>>().join(", ");
        let update = format!("UPDATE {table} SET {sets}");
        move_all(database, &update, seconds).await?;
    }
    Ok(())
}

/// The server works meanwhile, and may be in the way.
async fn move_all(database: &Database, update: &str, seconds: f64) -> Result<()> {
    let mut left = ATTEMPTS;
    loop {
        let moved = sqlx::query(AssertSqlSafe(update.to_owned())).bind(seconds);
        let Err(error) = moved.execute(database.rows()).await else {
            return Ok(());
        };
        left -= 1;
        let refusal = error.as_database_error();
        let deadlock = refusal.is_some_and(|error| error.code().as_deref() == Some("40P01"));
        if !deadlock || left == 0 {
            return Err(error).with_context(|| update.to_owned());
        }
    }
}
