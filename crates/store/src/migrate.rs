use sqlx::{migrate::Migrator, raw_sql};

use crate::{Store, StoreError, StoreResult};

/// The schema, step by step, as it stands in `migrations/`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// What makes the two roles that transactions run as. An operator whose login may not create
/// roles runs this once as somebody who may.
pub const ROLES_SQL: &str = include_str!("../sql/roles.sql");

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The login may not create roles.
    #[error(
        "the database login may not create the roles moltflow_app and moltflow_system; run this \
         once as a superuser, with the login's own name for LOGIN, and start again:\n\n\
         CREATE ROLE moltflow_app NOLOGIN;\nCREATE ROLE moltflow_system NOLOGIN;\n\
         GRANT moltflow_app, moltflow_system TO LOGIN;\n"
    )]
    Roles,
    /// The roles exist, but would not be stopped by row security.
    #[error(
        "the role {role} is a superuser or bypasses row security, so it would see every tenant; \
         run: ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS"
    )]
    RoleTooStrong {
        /// Which one.
        role: String,
    },
    /// A step failed. None of it was kept.
    #[error("a migration failed; nothing of it was kept")]
    Step(#[from] sqlx::migrate::MigrateError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Brings the schema up to date. Several servers may do so at once: an advisory lock
    /// lets one of them work, and the others find nothing left to do.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        raw_sql(ROLES_SQL)
            .execute(&self.pool)
            .await
            .map_err(|error| {
                // 42501: insufficient privilege.
                let forbidden = error
                    .as_database_error()
                    .and_then(sqlx::error::DatabaseError::code)
                    .is_some_and(|code| code == "42501");
                if forbidden {
                    MigrateError::Roles
                } else {
                    StoreError::from(error).into()
                }
            })?;
        MIGRATOR.run(&self.pool).await?;
        let strong = sqlx::query_scalar!(
            r#"SELECT rolname::text AS "role!" FROM pg_roles
               WHERE rolname IN ('moltflow_app', 'moltflow_system')
                 AND (rolsuper OR rolbypassrls)"#
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::from)?;
        if let Some(role) = strong {
            return Err(MigrateError::RoleTooStrong { role });
        }
        self.make_event_days().await?;
        self.rebase_event_log().await?;
        Ok(())
    }

    /// Transaction ids mean nothing in another cluster. A dump restored there holds events of
    /// transactions that, by the new cluster's count, are still to come: readers would wait for
    /// them, and then tell them amid others. They are moved to before all others; their order
    /// among themselves stays, by `seq`.
    async fn rebase_event_log(&self) -> StoreResult<()> {
        let mut tx = self
            .system("events of a restored dump are anybody's")
            .await?;
        sqlx::query!(
            "UPDATE event SET tx = '3'::xid8
             WHERE tx >= pg_snapshot_xmax(pg_current_snapshot())"
        )
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }
}
