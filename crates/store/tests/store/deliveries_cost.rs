//! What a claim costs does not depend on what there is besides.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, raw_sql};

use crate::queue::Queue;

const CLAIM: &str = include_str!("../../src/delivery/claim.sql");
const DEPTH: &str = include_str!("../../src/delivery/depth.sql");

/// What a claim has done.
struct Cost {
    claimed: i64,
    /// Blocks of tables and indexes that it touched.
    blocks: i64,
    plan: Value,
}

/// Prepares the statement as the server does: its plan is made once, by what is known then.
async fn prepare(rows: &mut PgConnection) {
    let prepare = format!(
        "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
         PREPARE claim (uuid, float8, bigint, bigint, bigint, int, int) AS {CLAIM};
         PREPARE depth (bigint) AS {DEPTH}"
    );
    raw_sql(AssertSqlSafe(prepare)).execute(rows).await.unwrap();
}

async fn claim(rows: &mut PgConnection) -> Cost {
    cost(
        rows,
        "claim (gen_random_uuid(), 25, 1000, 1000, 1000, 16, NULL)",
    )
    .await
}

/// Does it, has PostgreSQL say what that took, and undoes it.
async fn cost(rows: &mut PgConnection, what: &str) -> Cost {
    let begin = "BEGIN; SET LOCAL ROLE moltflow_system";
    raw_sql(begin).execute(&mut *rows).await.unwrap();
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE {what}");
    // Without a statement around it: it has none of its own.
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain))
        .persistent(false)
        .fetch_one(&mut *rows)
        .await
        .unwrap();
    raw_sql("ROLLBACK").execute(rows).await.unwrap();
    let plan = plan[0]["Plan"].clone();
    let number = |name: &str| plan[name].as_i64().unwrap();
    Cost {
        claimed: number("Actual Rows"),
        blocks: number("Shared Hit Blocks") + number("Shared Read Blocks"),
        plan,
    }
}

/// A thousand webhooks, and two hundred thousand deliveries that are over. Not written to the
/// log, which is quicker and changes nothing here.
const FINISHED: [&str; 5] = [
    "ALTER TABLE webhook_delivery SET UNLOGGED",
    "INSERT INTO webhook (id, tenant_id, name, url, events, secret)
     SELECT moltflow_uuid7(), tenant.id, 'Webhook', 'https://example.com/', '{*}', ''
     FROM tenant, generate_series(1, 1000)",
    "INSERT INTO webhook_state (webhook_id, tenant_id, allowance)
     SELECT id, tenant_id, 16 FROM webhook",
    // Without looking up each row's webhook.
    "SET session_replication_role = replica",
    "INSERT INTO webhook_delivery (id, tenant_id, webhook_id, event_id, event_at, event_name,
         state, fresh, tries, finished_at)
     SELECT lpad(to_hex(row_number() OVER ()), 32, '0')::uuid, tenant_id, id, id, now(),
         'message.received', 'delivered', false, 1, now()
     FROM webhook, generate_series(1, 200)",
];

/// So much waits for one webhook out of all of them.
async fn fill(rows: &mut PgConnection, count: i32, fresh: bool, due: &str) {
    sqlx::query(
        "INSERT INTO webhook_delivery (id, tenant_id, webhook_id, event_id, event_at, event_name,
             fresh, next_at)
         SELECT moltflow_uuid7(), tenant_id, id, id, now(), 'message.received', $2,
             now() + $3::text::interval
         FROM (SELECT * FROM webhook ORDER BY id OFFSET 500 LIMIT 1) AS w,
             generate_series(1, $1)",
    )
    .bind(count)
    .bind(fresh)
    .bind(due)
    .execute(rows)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_claim_costs_by_what_it_claims_and_not_by_what_is_over_not_due_or_behind_it() {
    let queue = Queue::new().await;
    let mut rows = queue.world.database.rows().acquire().await.unwrap();
    for sql in FINISHED {
        raw_sql(sql).execute(&mut *rows).await.unwrap();
    }
    prepare(&mut rows).await;
    let nothing = claim(&mut rows).await;
    assert_eq!(nothing.claimed, 0);
    assert!((1..50).contains(&nothing.blocks), "{}", nothing.blocks);
    let plan = nothing.plan.to_string();
    assert!(plan.contains("webhook_delivery_pending_idx"), "{plan}");
    assert!(plan.contains("webhook_delivery_claimed_idx"), "{plan}");
    for index in ["webhook_delivery_waiting_idx", "webhook_id_idx", "Seq Scan"] {
        assert!(!plan.contains(index), "{index}: {plan}");
    }

    fill(&mut rows, 50_000, false, "1 minute").await;
    let later = claim(&mut rows).await;
    assert_eq!(later.claimed, 0);
    assert!(later.blocks < nothing.blocks + 50, "{}", later.blocks);

    let mut costs = Vec::new();
    for count in [16, 20_000] {
        fill(&mut rows, count, true, "0").await;
        let some = claim(&mut rows).await;
        assert_eq!(some.claimed, 16);
        costs.push(some.blocks);
    }
    let [few, many] = costs[..] else {
        unreachable!()
    };
    assert!(few < 1500, "{few} blocks for sixteen");
    assert!(many < few * 2, "{many} blocks of many, {few} of few");
    // Nor does a measurement, beyond what it counts.
    let counted = cost(&mut rows, "depth (1000)").await.blocks;
    assert!(counted < 2500, "{counted} blocks to count two thousand");
    println!(
        r#"{{"test": "claim_cost", "finished": 200000, "webhooks": 1000, "blocks": {}, "with_50000_not_due": {}, "claiming_16_of_16": {few}, "claiming_16_of_20016": {many}}}"#,
        nothing.blocks, later.blocks
    );
}
