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

#[tokio::test]
async fn events_from_before_the_log_was_kept_by_days_are_told_as_they_were_and_in_their_order() {
    let world = upgraded(
        20_261_122_004_856,
        r#"INSERT INTO tenant (id, name, plan_id)
           VALUES ('00000000-0000-0000-0000-000000000001', 'Tenant', 'self_hosted');
           INSERT INTO event (id, tenant_id, session_id, name, data, created_at)
           SELECT ('00000000-0000-0000-0000-00000000010' || number)::uuid, tenant.id,
               CASE WHEN number < 5 THEN '00000000-0000-0000-0000-000000000002'::uuid END,
               old.name, old.data::json, at
           FROM tenant, (VALUES
               (0, 'message.received', '{"b": 1,  "a": "\u00e9 \"", "a": 2}', now() - interval '400 days'),
               (1, 'message.sent', '[1.10, null]', now() - interval '80 days'),
               (2, 'message.read', '{}', now() - interval '59 days'),
               (3, 'message.read', '{"x": "%s"}', '2026-01-01 10:00:00.000001Z'),
               -- By a clock that was ahead.
               (4, 'message.failed', '{"n": 12345678901234567890}', now() + interval '40 days'),
               (5, 'session.status', '"text"', now() - interval '1 day'),
               (6, 'session.status', '{"late": true}', now())) AS old (number, name, data, at)
           ORDER BY number"#,
    )
    .await;
    let log = world.log_of(7).await;
    let ids: Vec<u128> = log.iter().map(|event| event.id.uuid().as_u128()).collect();
    assert_eq!(ids, [0x100, 0x101, 0x102, 0x103, 0x104, 0x105, 0x106]);
    // As they came, to the character.
    let data = [
        r#"{"b": 1,  "a": "\u00e9 \"", "a": 2}"#,
        "[1.10, null]",
        "{}",
        r#"{"x": "%s"}"#,
        r#"{"n": 12345678901234567890}"#,
        r#""text""#,
        r#"{"late": true}"#,
    ];
    for (event, data) in log.iter().zip(data) {
        let (head, tail) = event.body.split_once(r#","data":"#).unwrap();
        assert_eq!(tail, format!("{data}}}"));
        let envelope: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        assert_eq!(envelope["id"], event.id.to_string());
        assert_eq!(envelope["event"], event.name);
        let at: chrono::DateTime<chrono::Utc> =
            serde_json::from_value(envelope["timestamp"].clone()).unwrap();
        assert_eq!(at, event.created_at);
        assert_eq!(envelope.as_object().unwrap().len(), 4, "{head}");
    }
    let dated = log[3]
        .body
        .contains(r#""timestamp":"2026-01-01T10:00:00.000001Z""#);
    assert!(dated, "{}", log[3].body);
    let strangers = log.iter().filter(|event| event.session_id.is_none());
    assert_eq!(strangers.count(), 2);

    // What happens from now on comes after all of it.
    let mut tx = world.store.system("a test").await.unwrap();
    let tenant = tx.tenant(log[0].tenant_id).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.store.begin(tenant).await.unwrap();
    let news = crate::queue::news(mf_domain::EventName::MessageSent);
    tx.events().append(&news).await.unwrap();
    tx.commit().await.unwrap();
    let log = world.log_of(8).await;
    assert_eq!(log.last().unwrap().id, news.id);
    assert!(log.is_sorted_by_key(|event| event.position));
    // Nothing of it waits for anybody, and nothing is left of what it was.
    let left = "SELECT (SELECT count(*) FROM webhook_delivery)
                    + (SELECT count(*) FROM pg_class WHERE relname LIKE '%event_before%')";
    assert_eq!(world.count(left).await, 0);
    let stray = "SELECT count(*) FROM event_default";
    assert_eq!(world.count(stray).await, 4);
}
