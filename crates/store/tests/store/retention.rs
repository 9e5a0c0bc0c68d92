//! Messages go when their tenant no longer keeps them, and what counts them stays right.

use mf_domain::{ChatId, SessionId};
use mf_store::{SettingsPatch, Tenant};
use sqlx::Row;
use uuid::Uuid;

use crate::support::{World, fresh};

/// A chat of its own session, filled behind the store's back.
struct Chat {
    tenant: Tenant,
    session: SessionId,
    id: ChatId,
}

/// What a chat says of itself.
#[derive(Debug, PartialEq, Eq)]
struct Summary {
    messages: i64,
    unread: i32,
    preview: Option<String>,
}

fn summary(messages: i64, unread: i32, preview: Option<&str>) -> Summary {
    Summary {
        messages,
        unread,
        preview: preview.map(str::to_owned),
    }
}

impl Chat {
    async fn new(world: &World, retention: Option<i32>) -> Self {
        let tenant = world.tenant().await;
        let session = world.session(tenant).await;
        let mut tx = world.store.begin(tenant).await.unwrap();
        let patch = SettingsPatch {
            message_retention_days: Some(retention),
            ..SettingsPatch::default()
        };
        tx.tenants().update_settings(&patch).await.unwrap();
        tx.commit().await.unwrap();
        let id: ChatId = fresh();
        sqlx::query(
            "INSERT INTO chat (id, tenant_id, session_id, jid, is_group)
             VALUES ($1, $2, $3, $4, false)",
        )
        .bind(id.uuid())
        .bind(tenant.id().uuid())
        .bind(session.uuid())
        .bind(format!("{}@c.us", id.uuid().as_u128()))
        .execute(world.database.rows())
        .await
        .unwrap();
        Self {
            tenant,
            session,
            id,
        }
    }

    /// Adds `count` messages of so many days ago, each a minute after the other.
    async fn add(&self, world: &World, direction: &str, status: &str, days: i32, count: i32) {
        sqlx::query(
            "WITH added AS (
                 INSERT INTO message (id, tenant_id, session_id, chat_id, wa_message_id, direction,
                     message_type, content, content_preview, status, is_group, sent_at, sort_at,
                     created_at)
                 SELECT gen_random_uuid(), $1, $2, $3, gen_random_uuid()::text, $4, 'text',
                     'text', 'of ' || $6 || ' days', $5, false, at, at, at
                 FROM generate_series(1, $7) AS n, LATERAL (
                     SELECT date_trunc('second', now()) - make_interval(days => $6)
                         + make_interval(mins => n) AS at
                 ) AS when_
                 RETURNING sort_at
             )
             UPDATE chat SET message_count = message_count + $7,
                 unread_count = unread_count + CASE WHEN $4 = 'inbound' THEN $7 ELSE 0 END,
                 last_message_preview = CASE WHEN newest >= coalesce(last_message_at, newest)
                     THEN 'of ' || $6 || ' days' ELSE last_message_preview END,
                 last_message_at = greatest(last_message_at, newest)
             FROM (SELECT max(sort_at) AS newest FROM added) AS added
             WHERE id = $3",
        )
        .bind(self.tenant.id().uuid())
        .bind(self.session.uuid())
        .bind(self.id.uuid())
        .bind(direction)
        .bind(status)
        .bind(days)
        .bind(count)
        .execute(world.database.rows())
        .await
        .unwrap();
    }

    async fn summary(&self, world: &World) -> Summary {
        let row = sqlx::query(
            "SELECT message_count, unread_count, last_message_preview FROM chat WHERE id = $1",
        )
        .bind(self.id.uuid())
        .fetch_one(world.database.rows())
        .await
        .unwrap();
        Summary {
            messages: row.get(0),
            unread: row.get(1),
            preview: row.get(2),
        }
    }

    /// What is really there.
    async fn messages(&self, world: &World) -> i64 {
        self.count(world, "SELECT count(*) FROM message WHERE chat_id = $1")
            .await
    }

    /// What of it came in: all that is unread, where nothing was read.
    async fn inbound(&self, world: &World) -> i64 {
        let sql = "SELECT count(*) FROM message WHERE chat_id = $1 AND direction = 'inbound'";
        self.count(world, sql).await
    }

    async fn count(&self, world: &World, sql: &'static str) -> i64 {
        let count = sqlx::query_scalar(sql).bind(self.id.uuid());
        count.fetch_one(world.database.rows()).await.unwrap()
    }
}

/// One batch: how many are gone.
async fn expire(world: &World, limit: i64) -> u64 {
    let mut tx = world.store.system("a test").await.unwrap();
    let gone = tx.expire_messages(limit).await.unwrap();
    tx.commit().await.unwrap();
    gone
}

#[tokio::test]
async fn messages_go_when_their_tenant_no_longer_keeps_them() {
    let world = World::new().await;
    let chat = Chat::new(&world, Some(7)).await;
    chat.add(&world, "inbound", "delivered", 30, 5).await;
    chat.add(&world, "outbound", "sent", 8, 3).await;
    chat.add(&world, "inbound", "delivered", 6, 2).await;
    let keeps_all = Chat::new(&world, None).await;
    keeps_all.add(&world, "inbound", "delivered", 3000, 4).await;
    assert_eq!(expire(&world, 100).await, 8);
    assert_eq!(chat.messages(&world).await, 2);
    let left = summary(2, 2, Some("of 6 days"));
    assert_eq!(chat.summary(&world).await, left);
    assert_eq!(keeps_all.messages(&world).await, 4);
    assert_eq!(
        keeps_all.summary(&world).await,
        summary(4, 4, Some("of 3000 days"))
    );
    assert_eq!(expire(&world, 100).await, 0);
}

#[tokio::test]
async fn counts_are_right_after_every_batch() {
    let world = World::new().await;
    let chats = [
        Chat::new(&world, Some(7)).await,
        Chat::new(&world, Some(1)).await,
    ];
    for chat in &chats {
        chat.add(&world, "inbound", "delivered", 30, 7).await;
        chat.add(&world, "outbound", "sent", 20, 6).await;
        chat.add(&world, "inbound", "delivered", 0, 1).await;
    }
    let mut left: u64 = 26;
    while left > 0 {
        let gone = expire(&world, 4).await;
        assert!((1..=4).contains(&gone), "{gone} of {left}");
        left = left.checked_sub(gone).unwrap();
        for chat in &chats {
            let found = chat.summary(&world).await;
            assert_eq!(found.messages, chat.messages(&world).await);
            assert_eq!(i64::from(found.unread), chat.inbound(&world).await);
        }
    }
    assert_eq!(expire(&world, 4).await, 0);
    for chat in &chats {
        let left = summary(1, 1, Some("of 0 days"));
        assert_eq!(chat.summary(&world).await, left);
    }
}

#[tokio::test]
async fn an_empty_chat_shows_nothing_of_what_was_said() {
    let world = World::new().await;
    let chat = Chat::new(&world, Some(7)).await;
    chat.add(&world, "inbound", "delivered", 30, 3).await;
    assert_eq!(expire(&world, 100).await, 3);
    assert_eq!(chat.summary(&world).await, summary(0, 0, None));
}

#[tokio::test]
async fn what_was_read_or_came_with_an_old_history_is_not_counted_off() {
    let world = World::new().await;
    let chat = Chat::new(&world, Some(7)).await;
    chat.add(&world, "inbound", "delivered", 30, 5).await;
    world.run("UPDATE message SET quiet = true").await;
    chat.add(&world, "inbound", "delivered", 20, 4).await;
    chat.add(&world, "inbound", "delivered", 10, 3).await;
    chat.add(&world, "inbound", "delivered", 1, 2).await;
    world
        .run("UPDATE chat SET read_at = now() - interval '15 days', unread_count = 5")
        .await;
    assert_eq!(expire(&world, 9).await, 9);
    assert_eq!(chat.summary(&world).await.unread, 5);
    assert_eq!(expire(&world, 9).await, 3);
    assert_eq!(chat.summary(&world).await, summary(2, 2, Some("of 1 days")));
}

#[tokio::test]
async fn a_message_that_is_yet_to_be_sent_stays_and_is_shown() {
    let world = World::new().await;
    let chat = Chat::new(&world, Some(7)).await;
    chat.add(&world, "outbound", "pending", 20, 1).await;
    chat.add(&world, "inbound", "delivered", 10, 2).await;
    assert_eq!(expire(&world, 100).await, 2);
    let left = summary(1, 0, Some("of 20 days"));
    assert_eq!(chat.summary(&world).await, left);
    assert_eq!(expire(&world, 100).await, 0);
}

#[tokio::test]
async fn a_message_that_was_sent_late_is_as_old_as_its_sending() {
    let world = World::new().await;
    let chat = Chat::new(&world, Some(7)).await;
    chat.add(&world, "outbound", "sent", 10, 1).await;
    world.run("UPDATE message SET sent_at = now()").await;
    assert_eq!(expire(&world, 100).await, 0);
}

#[tokio::test]
async fn what_was_said_to_a_message_goes_with_it() {
    let world = World::new().await;
    let chat = Chat::new(&world, Some(7)).await;
    chat.add(&world, "inbound", "delivered", 30, 1).await;
    chat.add(&world, "inbound", "delivered", 1, 1).await;
    world
        .run(
            "INSERT INTO message_reaction (tenant_id, session_id, wa_message_id, sender, emoji,
                 from_me, reacted_at)
             SELECT tenant_id, session_id, wa_message_id, 'me', '+', true, now() FROM message;
             INSERT INTO poll_vote (tenant_id, session_id, wa_message_id, voter, options, voted_at)
             SELECT tenant_id, session_id, wa_message_id, 'me', '{yes}', now() FROM message",
        )
        .await;
    assert_eq!(expire(&world, 100).await, 1);
    for table in [
        "SELECT count(*) FROM message_reaction JOIN message USING (wa_message_id)",
        "SELECT count(*) FROM message_reaction",
        "SELECT count(*) FROM poll_vote JOIN message USING (wa_message_id)",
        "SELECT count(*) FROM poll_vote",
    ] {
        assert_eq!(world.count(table).await, 1, "{table}");
    }
}

#[tokio::test]
async fn a_chat_that_somebody_writes_into_is_left_for_the_next_time() {
    let world = World::new().await;
    let chats = [
        Chat::new(&world, Some(7)).await,
        Chat::new(&world, Some(7)).await,
    ];
    for chat in &chats {
        chat.add(&world, "inbound", "delivered", 30, 2).await;
    }
    let mut writer = world.database.rows().begin().await.unwrap();
    let [busy, free] = &chats;
    let locked: Uuid = sqlx::query_scalar("SELECT id FROM chat WHERE id = $1 FOR UPDATE")
        .bind(busy.id.uuid())
        .fetch_one(&mut *writer)
        .await
        .unwrap();
    assert_eq!(locked, busy.id.uuid());
    assert_eq!(expire(&world, 100).await, 2);
    assert_eq!(free.messages(&world).await, 0);
    drop(writer);
    assert_eq!(mf_test_support::soon(left(&world)).await, 2);
}

/// What the next sweep that finds anything removes: a transaction that is dropped ends in its
/// own time.
async fn left(world: &World) -> u64 {
    loop {
        let gone = expire(world, 100).await;
        if gone > 0 {
            return gone;
        }
    }
}

#[tokio::test]
async fn reports_about_messages_that_never_came_are_swept_after_two_days() {
    let world = World::new().await;
    let chat = Chat::new(&world, None).await;
    chat.add(&world, "inbound", "delivered", 3, 1).await;
    chat.add(&world, "inbound", "delivered", 1, 1).await;
    world
        .run(
            "INSERT INTO message_mark (tenant_id, session_id, wa_message_id, status, updated_at)
             SELECT tenant_id, session_id, wa_message_id, 'read', created_at FROM message",
        )
        .await;
    let mut tx = world.store.system("a test").await.unwrap();
    assert_eq!(tx.sweep_message_marks().await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM message_mark").await, 1);
}

/// Each chat is asked for its oldest message and no more, however much there is.
#[tokio::test]
async fn a_sweep_over_many_messages_reads_few() {
    let world = World::new().await;
    let chats = [
        Chat::new(&world, Some(7)).await,
        Chat::new(&world, Some(7)).await,
    ];
    for chat in &chats {
        chat.add(&world, "inbound", "delivered", 5, 5000).await;
    }
    let [first, _] = &chats;
    first.add(&world, "inbound", "delivered", 30, 1).await;
    world
        .run("ANALYZE; SELECT pg_stat_force_next_flush()")
        .await;
    let before = world.count(ROWS_READ).await;
    assert_eq!(expire(&world, 100).await, 1);
    // A connection that ends has told what it read.
    world.store.close().await;
    let gone = async { while world.count(CONNECTIONS).await > 0 {} };
    mf_test_support::soon(gone).await;
    let rows = world.count(ROWS_READ).await - before;
    assert!((1..100).contains(&rows), "{rows} messages were read");
}

const ROWS_READ: &str = "SELECT (seq_tup_read + idx_tup_fetch)::bigint
                         FROM pg_stat_user_tables WHERE relname = 'message'";

const CONNECTIONS: &str = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = current_database() AND application_name = 'moltflow'";
