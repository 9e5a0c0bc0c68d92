//! What an operator does without a browser.

mod healthcheck;
mod inbox;
mod keys;
mod printed;
mod tenants;
mod users;

use std::{io::Write as _, sync::Arc};

use anyhow::{Context as _, anyhow, bail};
use mf_domain::{Clock, Ids, SystemClock};
use mf_services::{OsEntropy, Services};
use mf_store::Tenant;

use crate::{
    Config, banner::say, cli::TenantArg, database::Database, secrets, server::command_services,
};

pub(crate) use healthcheck::healthcheck;
pub(crate) use inbox::inbox;
pub(crate) use keys::keys;
pub use printed::env_example;
pub(crate) use printed::{print_openapi, print_settings};
pub(crate) use tenants::tenants;
pub(crate) use users::users;

/// Prints a line for whoever reads errors.
pub(crate) fn complain(what: &str) {
    let _ = writeln!(std::io::stderr(), "moltflow: {what}");
}

pub(crate) async fn migrate(mut config: Config) -> anyhow::Result<()> {
    config.data_dir = secrets::data_dir(&config.data_dir)?;
    let database = Database::open(&config).await?;
    let migrated = database.store.migrate().await;
    database.leave().await;
    migrated.context("the database schema was not brought up to date")?;
    say("The database schema is up to date.");
    Ok(())
}

/// What a command works with: the database and the use cases, and no engine.
struct Desk {
    services: Arc<Services>,
    database: Database,
}

impl Desk {
    async fn open(mut config: Config) -> anyhow::Result<Self> {
        config.data_dir = secrets::data_dir(&config.data_dir)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Ids::new(Arc::clone(&clock), Arc::new(OsEntropy));
        let database = Database::open(&config).await?;
        database.store.migrate().await?;
        let services = command_services(&mut config, &database, clock, ids)?;
        Ok(Self { services, database })
    }

    /// The tenant that was named, or the only one.
    async fn tenant(&self, arg: &TenantArg) -> anyhow::Result<Tenant> {
        let mut tx = self
            .services
            .store
            .system("the operator names the tenant")
            .await?;
        let id = match arg.tenant {
            Some(id) => id.into(),
            None => match tx.list_tenants().await?.as_slice() {
                [only] => only.id,
                [] => bail!("there is no tenant yet: moltflow tenants create"),
                _ => bail!(
                    "there are several tenants: say which with --tenant (see moltflow tenants list)"
                ),
            },
        };
        let tenant = tx.tenant(id).await?;
        tx.commit().await?;
        tenant.ok_or_else(|| anyhow!("there is no tenant {id}"))
    }
}

/// Rows for scripts, or columns for people.
fn print_rows(rows: Vec<serde_json::Value>, columns: &[&str], json: bool) {
    if json {
        say(&serde_json::Value::from(rows).to_string());
        return;
    }
    for row in rows {
        let cells = columns.iter().map(|column| match row.get(column) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        });
        say(&cells.collect::<Vec<_>>().join("  "));
    }
}
