//! What holds for every table there is and will be, read from the catalogue.

use mf_test_support::TestDatabase;
use sqlx::{PgPool, Row};

/// The first column of every row.
async fn names(rows: &PgPool, sql: &'static str) -> Vec<String> {
    let rows = sqlx::query(sql).fetch_all(rows).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What the query finds is what should not be.
async fn none(sql: &'static str) {
    let database = TestDatabase::create().await;
    let found = names(database.rows(), sql).await;
    assert!(found.is_empty(), "{found:#?}");
}

/// A catalogue query that finds nothing proves nothing where it cannot find anything.
#[tokio::test]
async fn there_are_tables_that_belong_to_tenants() {
    let database = TestDatabase::create().await;
    let tables = names(
        database.rows(),
        "SELECT c.relname::text FROM pg_class c
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace",
    )
    .await;
    for table in [
        "wa_session",
        "chat",
        "message",
        "event",
        "event_default",
        "api_key",
        "webhook_delivery",
    ] {
        assert!(
            tables.iter().any(|name| name == table),
            "{table}: {tables:?}"
        );
    }
}

#[tokio::test]
async fn row_security_is_enabled_and_forced_wherever_a_row_has_a_tenant() {
    none(
        "SELECT c.relname::text FROM pg_class c
         JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND (a.attname = 'tenant_id' OR c.relname = 'tenant' AND a.attname = 'id')
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    )
    .await;
}

#[tokio::test]
async fn every_row_of_a_tenant_has_one() {
    none(
        "SELECT c.relname::text FROM pg_class c
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND NOT (a.attnotnull AND a.atttypid = 'uuid'::regtype)",
    )
    .await;
}

/// One policy for each role and no other: policies are alternatives, so that one more could
/// only let more through.
#[tokio::test]
async fn the_policies_are_one_for_the_tenant_and_one_for_the_system() {
    none(
        "WITH secured AS (
             SELECT c.oid, c.relname, CASE WHEN c.relname = 'tenant' THEN 'id' ELSE 'tenant_id' END
                 AS own
             FROM pg_class c WHERE c.relrowsecurity AND c.relnamespace = 'public'::regnamespace
               -- Parts of a table have none: nobody comes to their rows but through the whole.
               AND NOT c.relispartition
         ), wanted AS (
             SELECT relname, 'moltflow_app' AS role, format(
                 '(%s = (NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text))::uuid)',
                 own) AS qual, NULL AS with_check
             FROM secured
             UNION ALL SELECT relname, 'moltflow_system', 'true', 'true' FROM secured
         ), found AS (
             SELECT tablename AS relname, array_to_string(roles, ',') AS role, qual, with_check,
                 permissive, cmd
             FROM pg_policies WHERE schemaname = 'public'
         )
         SELECT concat_ws(' ', coalesce(w.relname, f.relname), coalesce(w.role, f.role), f.qual)
         FROM wanted w
         FULL JOIN found f ON f.relname = w.relname AND f.role = w.role AND f.qual = w.qual
             AND f.with_check IS NOT DISTINCT FROM w.with_check AND f.cmd = 'ALL'
             AND f.permissive = 'PERMISSIVE'
         WHERE w.relname IS NULL OR f.relname IS NULL",
    )
    .await;
}

/// Key checks see past row security: without the tenant in the key, one tenant's row could
/// point at another's.
#[tokio::test]
async fn keys_between_rows_of_tenants_include_the_tenant() {
    none(
        "SELECT concat(k.conrelid::regclass, ' ', k.conname) FROM pg_constraint k
         JOIN pg_attribute here ON here.attrelid = k.conrelid AND here.attname = 'tenant_id'
         JOIN pg_attribute there ON there.attrelid = k.confrelid AND there.attname = 'tenant_id'
         WHERE k.contype = 'f' AND NOT EXISTS (
             SELECT FROM unnest(k.conkey, k.confkey) AS pair (own, foreign_)
             WHERE pair.own = here.attnum AND pair.foreign_ = there.attnum
         )",
    )
    .await;
}

/// Nor can a row without the key's other half escape the check.
#[tokio::test]
async fn a_tenant_is_removed_with_all_that_is_theirs() {
    none(
        "SELECT c.relname::text FROM pg_class c
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND NOT EXISTS (
             SELECT FROM pg_constraint k
             WHERE k.contype = 'f' AND k.conrelid = c.oid
               AND k.confrelid = 'tenant'::regclass AND k.confdeltype = 'c'
               AND k.conkey = ARRAY[a.attnum]
           ) AND NOT EXISTS (
             -- Through another table of theirs.
             SELECT FROM pg_constraint k
             WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.confdeltype = 'c'
               AND a.attnum = ANY (k.conkey)
           )",
    )
    .await;
}

#[tokio::test]
async fn neither_role_is_above_row_security_or_can_log_in() {
    let database = TestDatabase::create().await;
    let roles = names(
        database.rows(),
        "SELECT rolname::text FROM pg_roles WHERE rolname IN ('moltflow_app', 'moltflow_system')
           AND NOT (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb)
         ORDER BY 1",
    )
    .await;
    assert_eq!(roles, ["moltflow_app", "moltflow_system"]);
    // Nor through another role.
    let above = names(
        database.rows(),
        "SELECT r.rolname::text FROM pg_auth_members m
         JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles member ON member.oid = m.member
         WHERE member.rolname IN ('moltflow_app', 'moltflow_system')",
    )
    .await;
    assert!(above.is_empty(), "{above:?}");
}

/// Every privilege of the two roles and of everybody. A new table has to be added here, by
/// somebody who has thought about it.
#[tokio::test]
async fn the_roles_may_do_what_is_listed_here_and_nothing_else() {
    let database = TestDatabase::create().await;
    let granted = names(
        database.rows(),
        "SELECT concat(grantee, ' ', table_name, ' ',
             string_agg(privilege_type, ',' ORDER BY privilege_type))
         FROM (
             SELECT c.relname AS table_name, g.privilege_type,
                 coalesce(r.rolname::text, 'PUBLIC') AS grantee
             FROM pg_class c, aclexplode(c.relacl) g
             LEFT JOIN pg_roles r ON r.oid = g.grantee
             WHERE c.relnamespace = 'public'::regnamespace AND g.grantee <> c.relowner
         ) AS grants
         GROUP BY grantee, table_name ORDER BY grantee, table_name",
    )
    .await;
    let all = "DELETE,INSERT,SELECT,UPDATE";
    // An app's event cannot be changed, or unsaid.
    let expected = [
        format!("moltflow_app api_key {all}"),
        format!("moltflow_app app_user {all}"),
        format!("moltflow_app chat {all}"),
        format!("moltflow_app contact {all}"),
        "moltflow_app event INSERT,SELECT".to_owned(),
        "moltflow_app media INSERT,SELECT,UPDATE".to_owned(),
        format!("moltflow_app message {all}"),
        format!("moltflow_app message_mark {all}"),
        format!("moltflow_app message_reaction {all}"),
        "moltflow_app plan SELECT".to_owned(),
        format!("moltflow_app poll_vote {all}"),
        format!("moltflow_app refresh_token {all}"),
        "moltflow_app rejected_callback INSERT,SELECT".to_owned(),
        "moltflow_app tenant SELECT,UPDATE".to_owned(),
        format!("moltflow_app wa_label {all}"),
        format!("moltflow_app wa_label_chat {all}"),
        format!("moltflow_app wa_session {all}"),
        format!("moltflow_app webhook {all}"),
        "moltflow_app webhook_delivery INSERT,SELECT,UPDATE".to_owned(),
        "moltflow_app webhook_state INSERT,SELECT,UPDATE".to_owned(),
        format!("moltflow_system api_key {all}"),
        format!("moltflow_system app_user {all}"),
        format!("moltflow_system chat {all}"),
        format!("moltflow_system contact {all}"),
        "moltflow_system event DELETE,INSERT,SELECT".to_owned(),
        format!("moltflow_system media {all}"),
        format!("moltflow_system message {all}"),
        format!("moltflow_system message_mark {all}"),
        format!("moltflow_system message_reaction {all}"),
        format!("moltflow_system plan {all}"),
        format!("moltflow_system poll_vote {all}"),
        format!("moltflow_system refresh_token {all}"),
        "moltflow_system rejected_callback DELETE,INSERT,SELECT".to_owned(),
        format!("moltflow_system tenant {all}"),
        format!("moltflow_system wa_label {all}"),
        format!("moltflow_system wa_label_chat {all}"),
        format!("moltflow_system wa_session {all}"),
        format!("moltflow_system webhook {all}"),
        format!("moltflow_system webhook_delivery {all}"),
        format!("moltflow_system webhook_state {all}"),
    ];
    assert_eq!(granted, expected);
    let by_column = "SELECT concat(g.grantee::regrole, ' ', a.attrelid::regclass, '.', a.attname,
                         ' ', g.privilege_type)
                     FROM pg_attribute a, aclexplode(a.attacl) g
                     WHERE a.attrelid >= 16384 ORDER BY 1";
    // For a log that came from another cluster.
    let expected = ["moltflow_system event.tx UPDATE"];
    assert_eq!(names(database.rows(), by_column).await, expected);
    // And no table of their own.
    let owned = "SELECT c.relname::text FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
                 WHERE r.rolname IN ('moltflow_app', 'moltflow_system')";
    assert_eq!(names(database.rows(), owned).await, [""; 0]);
}

/// Without an index, removing one row reads the whole table that points at it.
#[tokio::test]
async fn every_foreign_key_has_an_index_that_finds_its_rows() {
    let database = TestDatabase::create().await;
    // Leading columns within the key: two of them where there are two, since the tenant alone
    // finds too many.
    let bare = names(
        database.rows(),
        "SELECT concat(k.conrelid::regclass, ' (', (
             SELECT string_agg(a.attname, ', ' ORDER BY o.place)
             FROM unnest(k.conkey) WITH ORDINALITY AS o (attnum, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = o.attnum
         ), ')')
         FROM pg_constraint k
         WHERE k.contype = 'f' AND NOT EXISTS (
             SELECT FROM pg_index i
             WHERE i.indrelid = k.conrelid AND i.indpred IS NULL AND i.indisvalid
               AND (string_to_array(i.indkey::text, ' ')::int2[])
                       [1:least(2, cardinality(k.conkey))] <@ k.conkey
         )
         ORDER BY 1",
    )
    .await;
    let excused = [
        // A tenant has few keys, and they are found by the tenant.
        "api_key (tenant_id, created_by)",
        // Plans are not removed.
        "tenant (plan_id)",
    ];
    assert_eq!(bare, excused);
}
