//! The schema comes to be, once, whoever asks and however often.

use std::os::unix::fs::PermissionsExt as _;

use mf_domain::{EventName, PlanId};
use mf_local_postgres::{LocalPostgres, Options};
use mf_store::{MIGRATOR, MigrateError, NewEvent, NewTenant, PoolOptions, Store};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::support::{World, fresh};

/// A cluster of its own: roles belong to all databases of one.
struct Cluster {
    postgres: Option<LocalPostgres>,
    url: String,
    _folder: tempfile::TempDir,
}

/// A test that failed leaves no server behind.
impl Drop for Cluster {
    fn drop(&mut self) {
        let pid = self
            .postgres
            .as_ref()
            .map(|postgres| postgres.pid().cast_signed());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // Nobody is left to hear of a failure.
            let _ = kill_process(pid, Signal::QUIT);
        }
    }
}

impl Cluster {
    async fn start() -> Self {
        let folder = tempfile::Builder::new()
            // The server may run as another user, who has to come through.
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in("/tmp")
            .unwrap();
        let mut options = Options::new(folder.path(), "moltflow");
        options.settings = [("fsync", "off"), ("shared_buffers", "16MB")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        let postgres = LocalPostgres::start(&options).await.unwrap();
        Self {
            url: postgres.url().to_owned(),
            postgres: Some(postgres),
            _folder: folder,
        }
    }

    async fn run(&self, sql: &str) {
        let mut superuser = PgConnection::connect(&self.url).await.unwrap();
        superuser
            .execute(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap();
        superuser.close().await.unwrap();
    }

    /// An empty database that belongs to this login; a store as that login.
    async fn database(&self, login: &str) -> Store {
        self.run(&format!(
            "CREATE DATABASE db_{login} OWNER {login} TEMPLATE template0"
        ))
        .await;
        self.reconnect(login).await
    }

    async fn reconnect(&self, login: &str) -> Store {
        let url = self.url(login);
        Store::connect(&url, &PoolOptions::default()).await.unwrap()
    }

    /// How many rows the login sees by itself.
    async fn count(&self, login: &str, table: &str) -> i64 {
        let mut login = PgConnection::connect(&self.url(login)).await.unwrap();
        let sql = format!("SELECT count(*) FROM {table}");
        login.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0)
    }

    fn url(&self, login: &str) -> String {
        let at = self.url.split_once('@').unwrap().1;
        let at = at.split_once('/').unwrap().0;
        format!("postgres://{login}:{login}@{at}/db_{login}")
    }
}

#[tokio::test]
async fn a_login_needs_the_roles_or_the_right_to_make_them() {
    let mut cluster = Cluster::start().await;
    cluster
        .run(
            "CREATE ROLE plain LOGIN PASSWORD 'plain';
             CREATE ROLE maker LOGIN CREATEROLE PASSWORD 'maker';
             CREATE ROLE second LOGIN CREATEROLE PASSWORD 'second';",
        )
        .await;

    let plain = cluster.database("plain").await;
    let refused = plain.migrate().await.unwrap_err();
    assert!(matches!(refused, MigrateError::Roles), "{refused:?}");
    // It says what to do.
    let help = refused.to_string();
    for statement in [
        "CREATE ROLE moltflow_app NOLOGIN;",
        "CREATE ROLE moltflow_system NOLOGIN;",
    ] {
        assert!(help.contains(statement), "{help}");
    }

    // Two at once on a cluster without roles and databases without a schema.
    let (maker, second) = (
        cluster.database("maker").await,
        cluster.database("second").await,
    );
    let again = cluster.reconnect("maker").await;
    let (one, two, three) = tokio::join!(maker.migrate(), again.migrate(), second.migrate());
    one.unwrap();
    two.unwrap();
    three.unwrap();

    // The roles are there now, and still this login may not become them.
    let refused = plain.migrate().await.unwrap_err();
    assert!(matches!(refused, MigrateError::Roles), "{refused:?}");
    // Until somebody does as it said.
    cluster
        .run("GRANT moltflow_app, moltflow_system TO plain")
        .await;
    plain.migrate().await.unwrap();
    plain
        .system("it works")
        .await
        .unwrap()
        .list_tenants()
        .await
        .unwrap();

    let mut tx = maker
        .system("the owner needs rows not to see")
        .await
        .unwrap();
    let new = NewTenant {
        id: fresh(),
        name: "Tenant",
        plan: &PlanId::new(PlanId::SELF_HOSTED),
    };
    tx.add_tenant(&new).await.unwrap();
    tx.commit().await.unwrap();
    // Who owns the tables is not above their row security: only the roles see anything, and
    // whoever inherits from them.
    cluster.run("ALTER ROLE maker NOINHERIT").await;
    assert_eq!(cluster.count("maker", "tenant").await, 0);
    let mut tx = maker
        .system("the role is still there to become")
        .await
        .unwrap();
    assert_eq!(tx.list_tenants().await.unwrap().len(), 1);
    tx.commit().await.unwrap();

    cluster.run("ALTER ROLE maker INHERIT").await;

    cluster.run("ALTER ROLE moltflow_app BYPASSRLS").await;
    let refused = maker.migrate().await.unwrap_err();
    let MigrateError::RoleTooStrong { role } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(role, "moltflow_app");

    for store in [plain, maker, second, again] {
        store.close().await;
    }
    let postgres = cluster.postgres.take().expect("it ran");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn migrating_what_is_up_to_date_changes_nothing() {
    let world = World::new().await;
    let shape = async || {
        let mut rows = sqlx::query(
            "SELECT concat(table_name, '.', column_name, ' ', data_type)
             FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT concat(version, ' ', installed_on) FROM _sqlx_migrations
             ORDER BY 1",
        )
        .fetch_all(world.database.rows())
        .await
        .unwrap();
        let rows: Vec<String> = rows.iter_mut().map(|row| row.get(0)).collect();
        rows
    };
    let before = shape().await;
    world.store.migrate().await.unwrap();
    let (one, two) = tokio::join!(world.store.migrate(), world.store.migrate());
    one.unwrap();
    two.unwrap();
    assert_eq!(shape().await, before);
    let steps = i64::try_from(MIGRATOR.iter().count()).unwrap();
    assert_eq!(
        world.count("SELECT count(*) FROM _sqlx_migrations").await,
        steps
    );
}

/// A dump that was restored elsewhere holds transactions that, there, are still to come.
#[tokio::test]
async fn events_of_another_cluster_are_moved_to_before_all_others() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut tx = world.store.begin(tenant).await.unwrap();
        let event = NewEvent {
            id: fresh(),
            session_id: None,
            name: EventName::SessionStatus,
            body: "{}".to_owned(),
        };
        tx.events().append(&event).await.unwrap();
        tx.commit().await.unwrap();
        ids.push(event.id);
    }
    let restored = "UPDATE event SET tx = '4611686018427387904'::xid8
                    WHERE seq < (SELECT max(seq) FROM event)";
    sqlx::query(restored)
        .execute(world.database.rows())
        .await
        .unwrap();
    assert_eq!(world.log_of(1).await.len(), 1);

    world.store.migrate().await.unwrap();
    let readable: Vec<_> = world.log_of(3).await.iter().map(|event| event.id).collect();
    assert_eq!(readable, ids);
}
