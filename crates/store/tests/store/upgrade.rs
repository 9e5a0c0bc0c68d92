//! What was there before a migration is as if it had been written after it. The login that
//! migrates sees no rows by itself, so that a change of rows could easily change none.

use mf_store::{MIGRATOR, SettingsPatch};
use sqlx::{Connection, PgConnection, Row};

use crate::support::World;

/// A database as it was after this migration, with these rows, brought up to date as in an
/// upgrade.
async fn upgraded(version: i64, rows: &'static str) -> World {
    let world = World::new().await;
    world
        .run(
            "DROP SCHEMA public CASCADE;
             CREATE SCHEMA public AUTHORIZATION moltflow_test;
             GRANT USAGE ON SCHEMA public TO PUBLIC",
        )
        .await;
    let mut login = PgConnection::connect(&world.database.url()).await.unwrap();
    MIGRATOR.run_to(version, &mut login).await.unwrap();
    login.close().await.unwrap();
    world.run(rows).await;
    world.store.migrate().await.unwrap();
    world
}

#[tokio::test]
async fn sessions_from_before_their_health_was_known_have_one() {
    let world = upgraded(
        20_261_121_200_300,
        "INSERT INTO tenant (id, name, plan_id)
         VALUES ('00000000-0000-0000-0000-000000000001', 'Tenant', 'self_hosted');
         INSERT INTO wa_session (id, tenant_id, name, status, connected, phone_number,
             callback_secret)
         SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000001', name, status,
             status = 'working', phone, ''
         FROM (VALUES ('paired', 'working', '15550000001'), ('lost', 'failed', '15550000002'),
             ('new', 'stopped', NULL)) AS old (name, status, phone)",
    )
    .await;
    let rows = sqlx::query(
        "SELECT concat_ws(' ', name, CASE WHEN paired_at = created_at THEN 'paired' END,
             CASE WHEN down_since IS NOT NULL THEN 'down' END,
             CASE WHEN caught_up_at IS NOT NULL THEN 'caught up' END, recovery_attempts)
         FROM wa_session ORDER BY 1",
    )
    .fetch_all(world.database.rows())
    .await
    .unwrap();
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        found,
        [
            "lost paired down caught up 0",
            "new down 0",
            "paired paired caught up 0"
        ],
        "nobody is told now of what came before the upgrade"
    );

    let mut tx = world.store.system("a test").await.unwrap();
    let tenants = tx.list_tenants().await.unwrap();
    let tenant = tx.tenant(tenants.first().unwrap().id).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.store.begin(tenant.unwrap()).await.unwrap();
    let nothing = SettingsPatch::default();
    let settings = tx.tenants().update_settings(&nothing).await.unwrap();
    assert_eq!(settings.message_retention_days, None, "all is kept");
}

#[tokio::test]
async fn messages_from_before_there_was_an_order_are_in_the_order_in_which_they_were_written() {
    let world = upgraded(
        20_261_121_200_300,
        "INSERT INTO tenant (id, name, plan_id)
         VALUES ('00000000-0000-0000-0000-000000000001', 'Tenant', 'self_hosted');
         INSERT INTO wa_session (id, tenant_id, name, callback_secret)
         VALUES ('00000000-0000-0000-0000-000000000002',
             '00000000-0000-0000-0000-000000000001', 'Session', '');
         INSERT INTO chat (id, tenant_id, session_id, jid, is_group)
         SELECT '00000000-0000-0000-0000-000000000003', tenant_id, id, '15550000002@c.us', false
         FROM wa_session;
         INSERT INTO message (id, tenant_id, session_id, chat_id, direction, message_type, content,
             status, is_group, sent_at, created_at, outbox_next_at)
         SELECT gen_random_uuid(), tenant_id, session_id, id, direction, 'text', old.name, 'sent',
             false, sent::timestamptz, made::timestamptz, due::timestamptz
         FROM chat, (VALUES
             ('theirs', 'inbound', '2026-01-01 10:00:00Z', '2026-01-01 12:00:00.5Z', NULL),
             ('by phone', 'outbound', '2026-01-01 10:00:01Z', '2026-01-01 12:00:00Z', NULL),
             ('ours', 'outbound', '2026-01-01 11:59:00Z', '2026-01-01 11:00:00.7Z',
                 '2026-01-01 11:00:00Z'))
             AS old (name, direction, sent, made, due)",
    )
    .await;
    let rows = sqlx::query("SELECT concat_ws(' ', content, sort_at) FROM message ORDER BY sort_at")
        .fetch_all(world.database.rows())
        .await
        .unwrap();
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        found,
        [
            "theirs 2026-01-01 10:00:00+00",
            "by phone 2026-01-01 10:00:01+00",
            "ours 2026-01-01 11:00:00+00"
        ]
    );
}
