//! The event log is kept by days: each is there before it begins, and goes when nobody needs it.

use std::time::Duration;

use mf_domain::{EventId, WebhookId};
use mf_store::{NewWebhook, SettingsPatch, SystemTx, Tenant};
use mf_test_support::soon;
use sqlx::{
    Acquire as _, AssertSqlSafe, Encode, Postgres, Row, Type, postgres::PgArguments, query::Query,
};

use crate::support::{World, fresh};

const DAY: Duration = Duration::from_hours(24);
const TWO_WEEKS: Duration = Duration::from_hours(24 * 14);

/// Makes the tables of the last weeks, as the login that owns the log.
const OLD_DAYS: &str = "BEGIN; SET LOCAL ROLE moltflow_test;
    SELECT moltflow_make_event_days(today - 25, today)
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS clock; COMMIT";

/// A log that goes back some weeks.
async fn old_world() -> World {
    let world = World::new().await;
    world.run(OLD_DAYS).await;
    world.store.make_event_days().await.unwrap();
    world
}

impl World {
    /// An event of so many days ago.
    async fn event(&self, tenant: Tenant, days_ago: i32) -> EventId {
        let sql = "INSERT INTO event (id, tenant_id, name, body, created_at)
                   VALUES ($1, $2, 'message.received', '{}', now() - make_interval(days => $3))";
        self.add(tenant, sqlx::query(sql), days_ago).await
    }

    /// An event of this moment.
    async fn event_at(&self, tenant: Tenant, at: &str) -> EventId {
        let sql = "INSERT INTO event (id, tenant_id, name, body, created_at)
                   VALUES ($1, $2, 'message.received', '{}', $3::text::timestamptz)";
        self.add(tenant, sqlx::query(sql), at.to_owned()).await
    }

    async fn add<'q, T>(
        &self,
        tenant: Tenant,
        insert: Query<'q, Postgres, PgArguments>,
        at: T,
    ) -> EventId
    where
        T: Encode<'q, Postgres> + Type<Postgres> + 'q,
    {
        let id: EventId = fresh();
        let insert = insert.bind(id.uuid()).bind(tenant.id().uuid()).bind(at);
        insert.execute(self.database.rows()).await.unwrap();
        id
    }

    async fn webhook(&self, tenant: Tenant) -> WebhookId {
        let id = fresh();
        let mut tx = self.store.begin(tenant).await.unwrap();
        let new = NewWebhook {
            id,
            name: "Webhook",
            url: "https://example.com/",
            events: &["*".to_owned()],
            is_active: true,
            secret: b"sealed",
        };
        tx.webhooks().add(&new).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn delivery(&self, webhook: WebhookId, event: EventId, state: &str) {
        sqlx::query(
            "INSERT INTO webhook_delivery (tenant_id, webhook_id, event_id, event_at, event_name,
                 state, finished_at)
             SELECT tenant_id, $1, id, created_at, name, $3,
                 CASE WHEN $3 <> 'pending' THEN now() END
             FROM event WHERE id = $2",
        )
        .bind(webhook.uuid())
        .bind(event.uuid())
        .bind(state)
        .execute(self.database.rows())
        .await
        .unwrap();
    }

    /// The events that there are, in the order in which they were made.
    async fn events(&self) -> Vec<EventId> {
        let rows = sqlx::query("SELECT id FROM event ORDER BY tx, seq");
        let rows = rows.fetch_all(self.database.rows()).await.unwrap();
        rows.iter()
            .map(|row| row.get::<uuid::Uuid, _>(0).into())
            .collect()
    }

    /// The events whose deliveries stand so, in the order in which they were made.
    async fn deliveries(&self, state: &str) -> Vec<EventId> {
        let sql = "SELECT event_id FROM webhook_delivery WHERE state = $1 ORDER BY event_id";
        let rows = sqlx::query(sql).bind(state);
        let rows = rows.fetch_all(self.database.rows()).await.unwrap();
        rows.iter()
            .map(|row| row.get::<uuid::Uuid, _>(0).into())
            .collect()
    }

    /// In the default table.
    async fn undated(&self) -> i64 {
        self.count("SELECT count(*) FROM event_default").await
    }

    async fn days(&self) -> i64 {
        self.count("SELECT count(*) FROM pg_inherits WHERE inhparent = 'event'::regclass")
            .await
            - 1
    }

    async fn keep_messages(&self, tenant: Tenant, days: i32) {
        let mut tx = self.store.begin(tenant).await.unwrap();
        let patch = SettingsPatch {
            message_retention_days: Some(Some(days)),
            ..SettingsPatch::default()
        };
        tx.tenants().update_settings(&patch).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn system(&self) -> SystemTx {
        self.store.system("a test").await.unwrap()
    }

    async fn sweep(&self, limit: i64) -> u64 {
        let mut tx = self.system().await;
        let gone = tx.sweep_deliveries(TWO_WEEKS, limit).await.unwrap();
        tx.commit().await.unwrap();
        gone
    }

    async fn bury(&self, limit: i64) -> u64 {
        let mut tx = self.system().await;
        let buried = tx.bury_deliveries(limit).await.unwrap();
        tx.commit().await.unwrap();
        buried
    }

    async fn expire_events(&self, limit: i64) -> u64 {
        let mut tx = self.system().await;
        let gone = tx.expire_events(TWO_WEEKS, limit).await.unwrap();
        tx.commit().await.unwrap();
        gone
    }

    async fn drop_days(&self) -> u64 {
        self.store.drop_event_days(TWO_WEEKS).await.unwrap()
    }
}

#[tokio::test]
async fn every_day_has_its_table_before_it_begins() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let (one, two, three) = tokio::join!(
        world.store.make_event_days(),
        world.store.make_event_days(),
        world.store.migrate(),
    );
    assert!(one.unwrap() && two.unwrap());
    three.unwrap();
    let mut made = Vec::new();
    for days in 0..3 {
        made.push(world.event(tenant, -days).await);
    }
    assert_eq!(world.events().await, made);
    assert_eq!(world.undated().await, 0);
    let tables = "SELECT count(DISTINCT tableoid) FROM event";
    assert_eq!(world.count(tables).await, 3);
}

#[tokio::test]
async fn an_event_without_a_day_is_kept_and_read_in_its_place() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    let mut made = Vec::new();
    // As by a clock that is far ahead, and one that is far behind.
    for days_ago in [0, -400, 0, 400, 1] {
        made.push(world.event(tenant, days_ago).await);
    }
    assert_eq!(world.undated().await, 2);
    let log = world.log_of(made.len()).await;
    let read: Vec<EventId> = log.iter().map(|event| event.id).collect();
    assert_eq!(read, made);
}

#[tokio::test]
async fn a_day_that_began_without_its_table_goes_on_without_it() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let mut made = vec![world.event_at(tenant, "2040-01-02 12:00Z").await];
    world
        .run(
            "BEGIN; SET LOCAL ROLE moltflow_test;
             SELECT moltflow_make_event_days('2040-01-01', '2040-01-03'); COMMIT",
        )
        .await;
    for at in [
        "2040-01-01 00:00Z",
        "2040-01-02 13:00Z",
        "2040-01-03 23:59:59.999999Z",
        "2040-01-04 00:00Z",
    ] {
        made.push(world.event_at(tenant, at).await);
    }
    assert_eq!(world.events().await, made);
    assert_eq!(world.undated().await, 3);
    let log = world.log_of(made.len()).await;
    let read: Vec<EventId> = log.iter().map(|event| event.id).collect();
    assert_eq!(read, made);
}

#[tokio::test]
async fn nobody_reaches_a_day_but_through_the_log() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    world.event(tenant, 0).await;
    let sql = "SELECT inhrelid::regclass::text FROM pg_inherits
               WHERE inhparent = 'event'::regclass ORDER BY 1";
    let tables: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(world.database.rows())
        .await
        .unwrap();
    assert!(tables.len() > 25, "{tables:?}");
    let mut rows = world.database.rows().acquire().await.unwrap();
    for role in ["moltflow_app", "moltflow_system"] {
        for table in &tables {
            for what in ["SELECT FROM", "DELETE FROM"] {
                let mut tx = rows.begin().await.unwrap();
                let role = format!("SET LOCAL ROLE {role}");
                sqlx::raw_sql(AssertSqlSafe(role))
                    .execute(&mut *tx)
                    .await
                    .unwrap();
                let sql = AssertSqlSafe(format!("{what} {table}"));
                let refused = sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap_err();
                let code = refused.into_database_error().unwrap();
                assert_eq!(code.code().unwrap(), "42501", "{table}");
            }
        }
    }
}

#[tokio::test]
async fn old_days_go_and_leave_the_others() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    let days = world.days().await;
    let mut made = Vec::new();
    for days_ago in [20, 16, 12, 1, 0, -1] {
        made.push(world.event(tenant, days_ago).await);
    }
    let dropped = world.drop_days().await;
    assert!(dropped >= 10, "{dropped}");
    assert_eq!(world.events().await, made[2..]);
    assert_eq!(world.days().await, days - dropped.cast_signed());
    assert_eq!(world.drop_days().await, 0);
    // What is made from now on is told as before.
    let now = world.event(tenant, 0).await;
    assert_eq!(world.log_of(5).await.last().unwrap().id, now);
}

#[tokio::test]
async fn a_day_stays_until_nothing_of_it_waits() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    let webhook = world.webhook(tenant).await;
    let (waiting, told) = (world.event(tenant, 20).await, world.event(tenant, 18).await);
    let nobodys = world.event(tenant, 17).await;
    world.delivery(webhook, waiting, "pending").await;
    world.delivery(webhook, told, "delivered").await;

    // What was told, too, until that is forgotten.
    world.drop_days().await;
    assert_eq!(world.events().await, [waiting, told]);
    assert!(!world.events().await.contains(&nobodys));
    assert_eq!(world.sweep(100).await, 1);
    assert_eq!(world.drop_days().await, 1);
    assert_eq!(world.events().await, [waiting]);
    assert_eq!(world.deliveries("pending").await, [waiting]);
    assert_eq!(world.expire_events(100).await, 0);

    world
        .run("UPDATE webhook_delivery SET state = 'dead', finished_at = now()")
        .await;
    assert_eq!(world.sweep(100).await, 1);
    assert_eq!(world.drop_days().await, 1);
    assert!(world.events().await.is_empty());
}

/// Who replays a day has read it, and its deliveries are to be seen only once they are committed.
#[tokio::test]
async fn a_day_that_is_replayed_at_this_moment_stays() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    let webhook = world.webhook(tenant).await;
    // Of the first day that would go.
    let event = world.event(tenant, 25).await;
    let mut tx = world.store.begin(tenant).await.unwrap();
    let range = mf_store::ReplayRange {
        since: chrono::DateTime::UNIX_EPOCH,
        until: None,
        all: true,
    };
    let replayed = tx.deliveries().replay_range(webhook, range, 10).await;
    assert_eq!(replayed.unwrap().count, 1);
    let store = world.store.clone();
    let drop = tokio::spawn(async move { store.drop_event_days(TWO_WEEKS).await });
    let waits = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                 WHERE d.datname = current_database() AND NOT l.granted";
    soon(async { while world.count(waits).await == 0 && !drop.is_finished() {} }).await;
    tx.commit().await.unwrap();
    drop.await.unwrap().unwrap();
    assert_eq!(world.events().await, [event]);
    assert_eq!(world.deliveries("pending").await, [event]);
    // The days before and after it are nobody's.
    world.drop_days().await;
    assert_eq!(world.events().await, [event]);
}

#[tokio::test]
async fn a_log_that_is_in_use_keeps_its_old_days_until_the_next_time() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    let old = world.event(tenant, 20).await;
    let mut reader = world.database.rows().begin().await.unwrap();
    sqlx::query("SELECT FROM event")
        .execute(&mut *reader)
        .await
        .unwrap();
    assert_eq!(world.drop_days().await, 0);
    assert_eq!(world.events().await, [old]);
    reader.commit().await.unwrap();
    assert!(world.drop_days().await > 0);
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn one_server_at_a_time_looks_after_the_days_and_the_others_go_on() {
    let world = World::with_connections(1).await;
    let tenant = world.tenant().await;
    let mut other = world.database.rows().begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('event days', 0))")
        .execute(&mut *other)
        .await
        .unwrap();
    assert!(!world.store.make_event_days().await.unwrap());
    let event = world.event(tenant, 0).await;
    assert_eq!(world.log_of(1).await[0].id, event);
    other.rollback().await.unwrap();
    assert!(world.store.make_event_days().await.unwrap());
}

#[tokio::test]
async fn what_has_no_day_goes_when_it_is_old_unless_it_waits() {
    let world = World::new().await;
    world.store.make_event_days().await.unwrap();
    let tenant = world.tenant().await;
    let webhook = world.webhook(tenant).await;
    let mut old = Vec::new();
    for _ in 0..5 {
        old.push(world.event(tenant, 400).await);
    }
    let [now, ahead] = [
        world.event(tenant, 0).await,
        world.event(tenant, -400).await,
    ];
    world.delivery(webhook, old[3], "pending").await;
    world.delivery(webhook, old[4], "dead").await;
    assert_eq!(world.expire_events(2).await, 2);
    assert_eq!(world.expire_events(2).await, 1);
    assert_eq!(world.expire_events(2).await, 0);
    assert_eq!(world.events().await, [old[3], old[4], now, ahead]);
    assert_eq!(world.sweep(100).await, 1);
    assert_eq!(world.expire_events(2).await, 1);
    assert_eq!(world.events().await, [old[3], now, ahead]);
}

/// The log says what the messages said.
#[tokio::test]
async fn events_go_when_their_tenant_no_longer_keeps_messages() {
    let world = old_world().await;
    let (forgets, keeps) = (world.tenant().await, world.tenant().await);
    world.keep_messages(forgets, 3).await;
    let webhook = world.webhook(forgets).await;
    let other = world.webhook(keeps).await;
    let mut made = Vec::new();
    for days_ago in [10, 9, 8, 7, 1] {
        made.push(world.event(forgets, days_ago).await);
    }
    world.delivery(webhook, made[1], "delivered").await;
    world.delivery(webhook, made[2], "pending").await;
    world.delivery(webhook, made[4], "delivered").await;
    let kept = world.event(keeps, 10).await;
    world.delivery(other, kept, "delivered").await;

    assert_eq!(world.sweep(100).await, 1);
    assert_eq!(world.deliveries("delivered").await, [made[4], kept]);
    assert_eq!(world.expire_events(2).await, 2);
    assert_eq!(world.expire_events(2).await, 1);
    assert_eq!(world.expire_events(2).await, 0);
    assert_eq!(world.events().await, [made[2], made[4], kept]);
    assert_eq!(world.deliveries("pending").await, [made[2]]);
}

#[tokio::test]
async fn finished_deliveries_are_forgotten_with_time_and_in_batches() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    let webhook = world.webhook(tenant).await;
    for days_ago in [20, 19, 18] {
        let event = world.event(tenant, days_ago).await;
        world.delivery(webhook, event, "delivered").await;
    }
    let waiting = world.event(tenant, 20).await;
    world.delivery(webhook, waiting, "pending").await;
    let young = world.event(tenant, 13).await;
    world.delivery(webhook, young, "dead").await;
    assert_eq!(world.sweep(2).await, 2);
    assert_eq!(world.sweep(2).await, 1);
    assert_eq!(world.sweep(2).await, 0);
    assert_eq!(world.deliveries("pending").await, [waiting]);
    assert_eq!(world.deliveries("dead").await, [young]);
}

#[tokio::test]
async fn what_waits_for_a_webhook_that_stays_off_is_given_up_after_three_days() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    let off = world.webhook(tenant).await;
    let on = world.webhook(tenant).await;
    let mut given_up = Vec::new();
    for _ in 0..3 {
        let event = world.event(tenant, 5).await;
        world.delivery(off, event, "pending").await;
        given_up.push(event);
    }
    let still_wanted = world.event(tenant, 5).await;
    world.delivery(on, still_wanted, "pending").await;
    world
        .run("UPDATE webhook_delivery SET next_at = now() - interval '4 days'")
        .await;
    let replayed = world.event(tenant, 5).await;
    world.delivery(off, replayed, "pending").await;

    let mut tx = world.store.begin(tenant).await.unwrap();
    tx.webhooks().switch_off(off, "gone", 0).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.bury(2).await, 0, "it was switched off just now");
    world
        .run("UPDATE webhook SET disabled_at = disabled_at - interval '73 hours'")
        .await;
    assert_eq!(world.bury(2).await, 2);
    assert_eq!(world.bury(2).await, 1);
    assert_eq!(world.bury(2).await, 0);
    assert_eq!(world.deliveries("dead").await, given_up);
    assert_eq!(world.deliveries("pending").await, [still_wanted, replayed]);
    let counted = "SELECT sum(dead_count)::bigint FROM webhook_state";
    assert_eq!(world.count(counted).await, 3);
    let finished = "SELECT count(*) FROM webhook_delivery WHERE finished_at IS NOT NULL";
    assert_eq!(world.count(finished).await, 3);
}

#[tokio::test]
async fn a_webhook_that_its_tenant_switched_off_is_given_up_on_as_well() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    let webhook = world.webhook(tenant).await;
    let event = world.event(tenant, 5).await;
    world.delivery(webhook, event, "pending").await;
    world
        .run(
            "UPDATE webhook_delivery SET next_at = now() - interval '4 days';
             UPDATE webhook SET is_active = false, updated_at = now() - interval '73 hours'",
        )
        .await;
    assert_eq!(world.bury(10).await, 1);
    assert_eq!(world.deliveries("dead").await, [event]);
}

/// What somebody is at is theirs to settle.
#[tokio::test]
async fn a_delivery_under_way_is_not_given_up() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    let webhook = world.webhook(tenant).await;
    let event = world.event(tenant, 5).await;
    world.delivery(webhook, event, "pending").await;
    world
        .run(
            "UPDATE webhook_delivery SET next_at = now() - interval '4 days',
                 claim_id = gen_random_uuid(), lease_until = now() + interval '1 minute';
             UPDATE webhook SET is_active = false, updated_at = now() - interval '73 hours'",
        )
        .await;
    assert_eq!(world.bury(10).await, 0);
    assert_eq!(world.deliveries("pending").await, [event]);
}

#[tokio::test]
async fn keeping_more_or_less_is_a_matter_of_the_setting() {
    let world = old_world().await;
    let tenant = world.tenant().await;
    let made = [world.event(tenant, 6).await, world.event(tenant, 1).await];
    assert_eq!(
        world.store.drop_event_days(365 * DAY).await.unwrap(),
        0,
        "nothing is as old"
    );
    assert_eq!(world.events().await, made);
    assert!(world.store.drop_event_days(3 * DAY).await.unwrap() > 0);
    assert_eq!(world.events().await, made[1..]);
}
